//! Layout `market-maker`: one JSON text a checkpoint, `latest/checkpoint.json`, and older ones in directories named by the
//! milliseconds of their time.

use ckpt_format::{Codec, Event, Timestamp};

use super::detect::{Source, regular};
use super::fields::Fields;
use super::folder::{Folder, Piece};
use super::said::Said;
use super::{Found, Layout, Left, Order, Reading, Told};
use crate::error::Result;
use crate::storage::EntryKind;

/// The file in each directory.
pub(super) const FILE: &str = "checkpoint.json";
/// One bundle of another process, to begin with.
const PRIOR: &str = "prior.json";
/// The directory of the newest.
const LATEST: &str = "latest";

/// Whether it is the directory of a save.
pub(super) fn is_save(folder: &Folder, name: &str) -> bool {
    (name == LATEST || millis(name).is_some()) && folder.has(&format!("{name}/{FILE}"))
}

/// Whether it is the file of a save.
pub(super) fn is_file(name: &str) -> bool {
    name == FILE || name == PRIOR
}

pub(super) fn read(source: &Source) -> Result<Reading> {
    let mut reading = Reading::default();
    if let Some(name) = &source.file {
        match one(source, name, None)? {
            Ok(found) => reading.found.push(found),
            Err(left) => reading.left.push(left),
        }
        return Ok(reading);
    }
    for entry in source.folder.list("")? {
        let is_save = entry.name == LATEST || millis(&entry.name).is_some();
        if entry.kind != EntryKind::Directory || !is_save {
            let reason = match regular(&entry) {
                Ok(()) if is_file(&entry.name) => {
                    "it is no save of this process: import it by itself".to_owned()
                }
                Err(reason) if entry.kind != EntryKind::Directory => reason,
                _ => format!("its name is none of the layout {}", Layout::MarketMaker),
            };
            reading.left.push(source.left(&entry.name, reason));
            continue;
        }
        for within in source.folder.list(&entry.name)? {
            let path = format!("{}/{}", entry.name, within.name);
            if within.name != FILE {
                let reason = regular(&within).err().unwrap_or_else(|| format!("only {FILE} is a checkpoint"));
                reading.left.push(source.left(&path, reason));
            } else if let Err(reason) = regular(&within) {
                reading.left.push(source.left(&path, reason));
            } else {
                match one(source, &path, Some(&entry.name))? {
                    Ok(found) => reading.found.push(found),
                    Err(left) => reading.left.push(left),
                }
            }
        }
    }
    drop_copy_of_latest(&mut reading);
    Ok(reading)
}

/// Reads a save; `dir` is the directory that it stands in, if that says something.
fn one(source: &Source, file: &str, dir: Option<&str>) -> Result<std::result::Result<Found, Left>> {
    let (piece, text) = source.folder.json_piece(FILE, file)?;
    let Some(text) = text else {
        return Ok(Err(
            source.left(file, "it is too long to be looked into: save its bytes with `ckpt save`")
        ));
    };
    let fields = match Fields::read(&text) {
        Ok(fields) => fields,
        Err(reason) => return Ok(Err(source.left(file, format!("{reason}: a save was cut off")))),
    };
    let Some(about) = fields.object("metadata") else {
        return Ok(Err(source.left(file, "it has no `metadata`: it is no checkpoint of this layout")));
    };
    let mut said = Said::default();
    if piece.codec == Codec::Raw {
        said.note("it is JSON only as Python reads it: kept as bytes");
    }
    said.market(about.text("asset"), Told::Inside);
    said.metadata = said.metadata.because(Event::Periodic, "imported: its origin does not say why");
    said.metadata.elapsed_seconds = about.number("session_duration_s").filter(|value| value.is_finite());
    let inside = about.whole("timestamp_ms").filter(|millis| *millis > 0);
    let named = dir.and_then(millis);
    if let Some(millis) = inside.or(named) {
        said.metadata.created_at = Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
        let told = if inside.is_some() { Told::Inside } else { Told::Name };
        said.told.insert("created_at".to_owned(), told);
    }
    if let (Some(inside), Some(named)) = (inside, named)
        && inside != named
    {
        said.note(format!("its directory says {named} ms, it says {inside} ms itself: it is believed"));
    }
    said.rest(about, &["asset", "timestamp_ms", "session_duration_s"]);
    if let Some(verdict) = fields.object("readiness").and_then(|readiness| readiness.text("verdict")) {
        said.metadata.labels.insert("readiness".to_owned(), verdict.to_owned());
        said.told.insert("labels.readiness".to_owned(), Told::Inside);
    }
    let is_latest = dir == Some(LATEST);
    let time = said.metadata.created_at.millis();
    let order = Order { rank: u8::from(is_latest), time, name: file.to_owned(), ..Order::default() };
    // The same save is the same checkpoint, whether it is the latest still or has become one of the older ones.
    let name = inside.or(named).map_or_else(|| file.to_owned(), |millis| millis.to_string());
    let sections: Vec<Piece> = vec![piece];
    Ok(Ok(Found::new(Layout::MarketMaker, &name, source.folder.path(file), said, sections, order)))
}

/// Every save is written twice, as the latest and under its time: one of them is enough.
fn drop_copy_of_latest(reading: &mut Reading) {
    let Some(latest) = reading.found.iter().find(|found| found.order.rank == 1) else { return };
    let (digest, path) = (latest.digest, latest.path.clone());
    let is_copy = |found: &Found| found.order.rank == 0 && found.digest == digest;
    let copies = reading.found.iter().filter(|found| is_copy(found)).map(|found| Left {
        path: found.path.clone(),
        reason: format!("it is the same save as {}", path.display()),
    });
    reading.left.extend(copies.collect::<Vec<_>>());
    reading.found.retain(|found| !is_copy(found));
}

fn millis(name: &str) -> Option<u64> {
    name.bytes().all(|byte| byte.is_ascii_digit()).then(|| name.parse().ok())?
}
