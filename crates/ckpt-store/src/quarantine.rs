//! Damaged files that were set aside: kept for a while, so that somebody may look, then removed.

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::layout;
use crate::lock::Mutation;
use crate::log::{Log, LogEntry, LogEvent};
use crate::open::unlink_if_there;
use crate::reader::RunReader;
use crate::storage::{Access, Storage};

/// How long a file stays.
const KEPT_MILLIS: i64 = 30 * 24 * 3_600 * 1_000;
/// How much of the run's bytes they may be, in per cent. The newest stays in any case: it is the evidence.
const KEPT_PERCENT: u64 = 10;

struct Aside {
    path: String,
    millis: i64,
    bytes: u64,
}

/// Removes what is too old or too much. `entry` gives the moment and the process.
pub(crate) fn prune(reader: &RunReader, log: &Log, entry: &LogEntry, _held: &Mutation) -> Result<()> {
    let storage = reader.storage().as_ref();
    let names = match storage.list(layout::QUARANTINE) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|source| Error::io("listing", layout::QUARANTINE, source))?,
    };
    let bytes_of = |path: &str| storage.open(path, Access::Read).and_then(|file| file.length()).unwrap_or(0);
    let (named, pins) = reader.names()?;
    // With nothing left what was set aside is all there is; and a pin protects wherever the file lies.
    if named.is_empty() {
        return Ok(());
    }
    let mut aside: Vec<Aside> = names
        .iter()
        .filter_map(|entry| {
            let (millis, original) = layout::quarantined(&entry.name)?;
            let (_, sequence) = layout::checkpoint_order(original)?;
            if pins.contains(&sequence) {
                return None;
            }
            let path = format!("{}/{}", layout::QUARANTINE, entry.name);
            Some(Aside { bytes: bytes_of(&path), path, millis })
        })
        .collect();
    if aside.is_empty() {
        return Ok(());
    }
    aside.sort_by_key(|aside| std::cmp::Reverse(aside.millis));
    let run_bytes: u64 = named.iter().map(|named| bytes_of(&named.file_name)).sum();
    let allowed = run_bytes / 100 * KEPT_PERCENT;
    let mut total = 0_u64;
    let mut removed = Vec::new();
    for (index, aside) in aside.iter().enumerate() {
        total = total.saturating_add(aside.bytes);
        let too_old = entry.at.millis().saturating_sub(aside.millis) > KEPT_MILLIS;
        if (too_old || (index > 0 && total > allowed)) && !reads_back_whole(storage, &aside.path) {
            removed.push(aside.path.clone());
        }
    }
    if removed.is_empty() {
        return Ok(());
    }
    // Said durably before it is done: the log must remember the numbers once the names are gone.
    let said = LogEvent::QuarantinePruned { file_names: removed.clone() };
    log.append(&LogEntry { event: said, ..entry.clone() }, true)?;
    for path in &removed {
        unlink_if_there(storage, path)?;
    }
    storage
        .sync_dir(layout::QUARANTINE)
        .map_err(|source| Error::DurabilityUnknown { path: layout::QUARANTINE.to_owned(), source })
}

/// Whether the medium or the memory was at fault, and not the file: such a one is not removed.
fn reads_back_whole(storage: &dyn Storage, path: &str) -> bool {
    Checkpoint::open(storage, path).and_then(|checkpoint| checkpoint.verify()).is_ok()
}
