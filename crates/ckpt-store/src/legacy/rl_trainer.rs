//! Layout `rl-trainer`: a zip a checkpoint, and beside it what it needs and what is known of it.
//!
//! The name and the metadata say the same; the metadata is exact, the name is always there.

use std::collections::BTreeSet;

use ckpt_format::{Companion, EventTag, NameForm, ParsedName};

use super::detect::{Source, named, regular};
use super::fields::Fields;
use super::folder::Piece;
use super::said::{Said, phase_name};
use super::{Found, Layout, Order, Reading, Told};
use crate::error::Result;
use crate::storage::{DirEntry, EntryKind};

/// What is beside a checkpoint, the first of a kind counts: endings, and the section it becomes.
const COMPANIONS: [(Companion, &str, &str); 4] = [
    (Companion::VecNormalize, "_vecnormalize.pkl", "vecnormalize.pkl"),
    (Companion::VecNormalize, "_vecnorm.pkl", "vecnormalize.pkl"),
    (Companion::Metadata, "_metadata.json", "metadata.json"),
    (Companion::Metadata, ".meta.json", "metadata.json"),
];

/// Fields of the metadata that have a place of their own.
const KNOWN: [&str; 13] = [
    "phase",
    "market",
    "timesteps",
    "seed",
    "event_tag",
    "created_at",
    "training_elapsed_seconds",
    "val_reward",
    "sharpe_ratio",
    "win_rate",
    "max_drawdown",
    "total_return",
    "std_reward",
];

const METRICS: [&str; 6] =
    ["val_reward", "sharpe_ratio", "win_rate", "max_drawdown", "total_return", "std_reward"];

pub(super) fn read(source: &Source) -> Result<Reading> {
    let mut reading = Reading::default();
    let entries = match &source.file {
        None => source.folder.list("")?,
        // Only what may belong to the file: other checkpoints beside it are not asked about.
        Some(name) => {
            let base = base(name);
            let beside = COMPANIONS.iter().map(|(_, ending, _)| format!("{base}{ending}"));
            let is_there = |name: &String| source.folder.has(name);
            std::iter::once(name.clone())
                .chain(beside.filter(is_there))
                .map(|name| DirEntry { name, kind: EntryKind::File })
                .collect()
        }
    };
    let mut beside = Beside::among(&entries);
    for entry in &entries {
        if Companion::of(&entry.name).is_some() && regular(entry).is_ok() {
            continue;
        }
        match named(entry, Layout::RlTrainer) {
            Ok(parsed) => reading.found.push(one(source, &entry.name, &parsed, &mut beside)?),
            Err(reason) => reading.left.push(source.left(&entry.name, reason)),
        }
    }
    for (name, base) in beside.unused() {
        let reason =
            format!("it belongs to {base}.zip, which is not there or has another companion of its kind");
        reading.left.push(source.left(name, reason));
    }
    fill_phase(&mut reading.found);
    Ok(reading)
}

/// Files that belong to a checkpoint.
struct Beside<'a> {
    names: BTreeSet<&'a str>,
    used: BTreeSet<&'a str>,
}

impl<'a> Beside<'a> {
    fn among(entries: &'a [DirEntry]) -> Self {
        let regular = entries.iter().filter(|entry| regular(entry).is_ok());
        let names = regular.map(|entry| entry.name.as_str()).filter(|name| Companion::of(name).is_some());
        Self { names: names.collect(), used: BTreeSet::new() }
    }

    /// The file of that kind that belongs to the checkpoint, and its section.
    fn take(&mut self, base: &str, companion: Companion) -> Option<(&'a str, &'static str)> {
        let candidates = COMPANIONS.iter().filter(|(kind, _, _)| *kind == companion);
        let (name, section) = candidates
            .filter_map(|(_, ending, section)| {
                Some((*self.names.get(format!("{base}{ending}").as_str())?, section))
            })
            .next()?;
        self.used.insert(name);
        Some((name, section))
    }

    fn unused(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let unused = self.names.difference(&self.used);
        unused.filter_map(|name| Companion::of(name).map(|(_, base)| (*name, base)))
    }
}

fn one(source: &Source, name: &str, parsed: &ParsedName, beside: &mut Beside<'_>) -> Result<Found> {
    let mut said = Said::default();
    let mut sections = vec![source.folder.piece("model.zip", name)?];
    let base = base(name);
    if let Some((name, section)) = beside.take(base, Companion::VecNormalize) {
        sections.push(source.folder.piece(section, name)?);
    }
    if let Some((name, section)) = beside.take(base, Companion::Metadata) {
        sections.push(metadata(source, name, section, &mut said)?);
    }
    said.name(&parsed.form, &parsed.label, "timesteps");
    if parsed.shortened {
        said.note("its name was cut when it was written: what stood behind is not known");
    }
    let order = order(name, &parsed.form, &said);
    Ok(Found::new(Layout::RlTrainer, name, source.folder.path(name), said, sections, order))
}

/// Reads what is known of a checkpoint. Whatever is wrong with it, the checkpoint is there and its name speaks.
fn metadata(source: &Source, name: &str, section: &str, said: &mut Said) -> Result<Piece> {
    let (piece, text) = source.folder.json_piece(section, name)?;
    let shown = piece.path.display();
    let Some(text) = text else {
        said.note(format!("{shown} is too long to be looked into: its values come from the name"));
        return Ok(piece);
    };
    let fields = match Fields::read(&text) {
        Ok(fields) => fields,
        Err(reason) => {
            said.note(format!("{shown}: {reason}: its values come from the name"));
            return Ok(piece);
        }
    };
    said.market(fields.text("market"), Told::Companion);
    said.phase(fields.whole("phase").map(phase_name), Told::Companion);
    said.step(fields.whole("timesteps"), "timesteps", Told::Companion);
    said.seed(fields.signed("seed"), Told::Companion);
    said.event(fields.text("event_tag").map(EventTag::from_text).as_ref(), Told::Companion);
    for metric in METRICS {
        said.metric(metric, fields.number(metric), Told::Companion);
    }
    said.metadata.elapsed_seconds =
        fields.number("training_elapsed_seconds").filter(|value| value.is_finite());
    // `timestamp` states no zone: it stays among the rest, as it is.
    if let Some(moment) = fields.moment("created_at").or_else(|| fields.moment("timestamp")) {
        said.metadata.created_at = moment;
        said.told.insert("created_at".to_owned(), Told::Companion);
    }
    said.rest(&fields, &KNOWN);
    said.unusable(&fields, &["phase", "timesteps"], |fields, name| fields.whole(name).is_some());
    said.unusable(&fields, &["seed"], |fields, name| fields.signed(name).is_some());
    said.unusable(&fields, &["market", "event_tag"], |fields, name| fields.text(name).is_some());
    said.unusable(&fields, &METRICS, |fields, name| fields.number(name).is_some());
    Ok(piece)
}

/// Steps begin anew in each phase. A final model without a step is the end of its phase; any other without a step may be
/// of any time, so it must not become the latest.
fn order(name: &str, form: &NameForm, said: &Said) -> Order {
    let step = said.metadata.position.step;
    let rank = match (step, form) {
        (Some(_), _) => 1,
        (None, NameForm::PhaseFinal { .. }) => 2,
        (None, _) => 0,
    };
    Order {
        phase: phase_number(said.metadata.phase.as_deref()),
        rank,
        step: step.unwrap_or_default(),
        time: said.metadata.created_at.millis(),
        name: name.to_owned(),
    }
}

/// A checkpoint whose companion is missing states no phase. Where all others are of one phase, it is of that one, too, and
/// must not be taken for older than all of them.
fn fill_phase(found: &mut [Found]) {
    let phases: BTreeSet<u64> =
        found.iter().map(|found| found.order.phase).filter(|phase| *phase > 0).collect();
    for found in found.iter_mut().filter(|found| found.order.phase == 0) {
        match (phases.first(), phases.len()) {
            (Some(phase), 1) => found.order.phase = *phase,
            (Some(_), _) if found.order.rank > 0 => {
                found.notes.push(
                    "it states no phase, where others do: it is taken for older than they are".to_owned(),
                );
            }
            _ => {}
        }
    }
}

fn phase_number(phase: Option<&str>) -> u64 {
    phase.and_then(|phase| phase.strip_prefix("phase")?.parse().ok()).unwrap_or_default()
}

/// The name without its extension: a dot within it is that of a number.
fn base(name: &str) -> &str {
    name.strip_suffix(".zip").unwrap_or(name)
}
