//! What a market maker's checkpoint holds, and what a start would do with it.

use std::collections::BTreeSet;

use ckpt::gate::Assessment;
use ckpt::{Bundle as _, BundleMode, BundleReport, Checkpoint, Entry, RunReader, State, Timestamp};
use ckpt_market::component::metadata::MarketMetadata;
use ckpt_market::component::readiness::Readiness;
use ckpt_market::import::{ImportError, SECTION, import, is_text};
use ckpt_market::restore::report::Finding;
use ckpt_market::restore::{Restored, restore};
use ckpt_market::{MarketBundle, Preset, StampedBundle, names, preset, readiness};

use super::facts::Run;

/// A market maker's state, as it is stored and as it would be restored now.
#[derive(Debug)]
pub(super) struct Market {
    /// Number of the checkpoint that it is in.
    pub(super) sequence: u64,
    /// When that was saved, if it says.
    pub(super) saved_at: Option<Timestamp>,
    /// The state, in the versions of this program.
    pub(super) stored: MarketBundle,
    /// What the gate thought of it when it was saved.
    pub(super) readiness: Readiness,
    /// What became of each component when it was decoded.
    pub(super) report: BundleReport,
    /// What a restore would make of it now.
    pub(super) restored: Restored,
    /// What the gate thinks of it now, by the preset.
    pub(super) assessment: Assessment,
    /// The numbers that it is held against.
    pub(super) preset: Preset,
    /// What the last saves say about themselves, oldest first.
    pub(super) moments: Vec<Moment>,
}

/// What a save says about itself.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) sequence: u64,
    pub(super) metadata: MarketMetadata,
}

/// A checkpoint that should hold a market maker's state and does not give it away.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) sequence: u64,
    pub(super) reason: String,
}

/// Saves whose own times are looked at.
const MOMENTS_MAX: usize = 50;

impl Market {
    /// The state in the newest good checkpoint; nothing if that is not a market maker's.
    pub(super) fn gather(run: &Run, now: Timestamp) -> Option<Result<Self, Unread>> {
        let is_good = |entry: &&Entry| {
            let state = run.verified(&entry.file_name).map_or(entry.state, |verified| verified.state);
            state == State::Committed
        };
        let newest = run.entries.iter().rev().find(is_good)?;
        let loaded = load(&run.reader, newest).transpose()?;
        let sequence = newest.sequence;
        let of = |(stored, readiness, report): Loaded| {
            let preset = preset();
            let restored = restore(stored.clone(), now, &preset.restore);
            Self {
                sequence,
                saved_at: newest.created_at(),
                assessment: readiness::judge(&restored.bundle, now, &preset.gate),
                moments: moments(run, newest),
                stored,
                readiness,
                report,
                restored,
                preset,
            }
        };
        Some(loaded.map(of).map_err(|reason| Unread { sequence, reason }))
    }

    /// What a restore would say of these components.
    pub(super) fn notes(&self, components: &[&str]) -> Vec<(&'static str, &Finding)> {
        let notes = self.restored.report.notes().iter();
        notes
            .filter(|note| components.contains(&note.component))
            .map(|note| (note.component, &note.finding))
            .collect()
    }
}

type Loaded = (MarketBundle, Readiness, BundleReport);

/// What the checkpoint holds; nothing if it is no market maker's; else why it can't be had.
fn load(reader: &RunReader, entry: &Entry) -> Result<Option<Loaded>, String> {
    let checkpoint = reader.open_checkpoint(&entry.file_name).map_err(|error| error.to_string())?;
    let sections = checkpoint.sections().map_err(|error| error.to_string())?;
    // Beside sections of its own the text is what it was made from, and older.
    if is_text(sections.iter().map(|section| section.name.as_str())) {
        let text = checkpoint.read(SECTION).map_err(|error| error.to_string())?;
        return match import(&text, BundleMode::Lenient) {
            Ok(imported) => Ok(Some((imported.bundle, imported.readiness, imported.report.bundle))),
            Err(ImportError::NotACheckpoint(_)) => Ok(None),
            Err(error) => Err(format!("{SECTION}: {error}")),
        };
    }
    let ours = components();
    if !sections.iter().any(|section| ours.contains(&(section.name.clone(), section.kind.clone()))) {
        return Ok(None);
    }
    read(&checkpoint).map(Some).map_err(|error| error.to_string())
}

/// Leniently: what can't be decoded is in the report.
fn read(checkpoint: &Checkpoint) -> ckpt::Result<Loaded> {
    let loaded = checkpoint.read_bundle::<StampedBundle>(BundleMode::Lenient)?;
    let readiness = loaded.value.readiness().clone();
    Ok((loaded.value.into_bundle(), readiness, loaded.report))
}

/// Sections of the bundle, by name and kind.
fn components() -> BTreeSet<(String, String)> {
    let sections = StampedBundle::default().to_sections().unwrap_or_default();
    sections.into_iter().map(|section| (section.name, section.kind)).collect()
}

/// What the last saves say about themselves. One that does not is left out.
fn moments(run: &Run, newest: &Entry) -> Vec<Moment> {
    let moment = |entry: &Entry| {
        let checkpoint = run.reader.open_checkpoint(&entry.file_name).ok()?;
        let section = checkpoint.read_encoded(names::METADATA).ok()?;
        Some(Moment { sequence: entry.sequence, metadata: section.load().ok()?.value })
    };
    let entries = run.entries.iter().rev();
    let entries = entries.filter(|entry| entry.is_committed() && entry.order() <= newest.order());
    let mut moments: Vec<Moment> = entries.take(MOMENTS_MAX).filter_map(moment).collect();
    moments.reverse();
    moments
}
