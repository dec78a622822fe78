//! What a session began with: which checkpoint, why that one, what happened to it; and the same without reading a payload.

use std::fmt;
use std::path::Path;

use ckpt_format::{BundleReport, Entry, Selector, State, Status, Timestamp};
use ckpt_store::{Error, Loaded, Result, RunReader, Skipped};
use serde::Serialize;

/// What a session began with.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumed {
    /// The checkpoint it goes on from; nothing if it began anew.
    pub from: Option<Box<Entry>>,
    /// Why that one, as a sentence.
    pub why: String,
    /// What was passed over, newest first, each with its reason.
    pub skipped: Vec<Skipped>,
    /// What happened to each component: restored, migrated, defaulted, clamped.
    pub report: BundleReport,
}

/// What there is to resume in a run, from the listing alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecoveryInfo {
    /// Whether there is a checkpoint that looks good: its payload has not been read.
    pub has_checkpoint: bool,
    /// Whether it would be gone on from.
    pub can_resume: bool,
    /// Why, or why not, as a sentence.
    pub why: String,
    /// Its number.
    pub sequence: Option<u64>,
    /// Its attempt.
    pub epoch: Option<u64>,
    /// Its file.
    pub name: Option<String>,
    /// How far it was.
    pub step: Option<u64>,
    /// How far it will go.
    pub total: Option<u64>,
    /// What a step is.
    pub unit: Option<String>,
    /// Step of total in per cent, never above 100.
    pub progress_pct: Option<f64>,
    /// How the process was doing.
    pub status: Option<Status>,
    /// When it was made.
    pub timestamp: Option<Timestamp>,
    /// What would be passed over, newest first.
    pub skipped: Vec<PassedOver>,
}

/// A checkpoint that would be passed over, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// Its number.
    pub sequence: u64,
    /// Its file.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl Resumed {
    pub(crate) fn anew(why: impl Into<String>) -> Self {
        Self { from: None, why: why.into(), skipped: Vec::new(), report: BundleReport::default() }
    }

    pub(crate) fn loaded<T>(loaded: Loaded<(T, BundleReport)>) -> (T, Self) {
        let Loaded { value: (value, report), entry, why, skipped } = loaded;
        (value, Self { from: Some(Box::new(entry)), why, skipped, report })
    }

    /// Whether there was a checkpoint to go on from.
    pub fn is_resumed(&self) -> bool {
        self.from.is_some()
    }

    /// The step it goes on from; 0 if it began anew or the checkpoint does not say.
    pub fn step(&self) -> u64 {
        self.from.as_deref().and_then(Entry::position).and_then(|position| position.step).unwrap_or(0)
    }

    /// How the process was doing when it saved.
    pub fn status(&self) -> Option<Status> {
        self.from.as_deref().and_then(Entry::status)
    }
}

impl fmt::Display for Resumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            None => write!(f, "began anew: {}", self.why)?,
            Some(entry) => {
                write!(f, "resumed from {} at step {}: {}", entry.file_name, self.step(), self.why)?;
            }
        }
        for skipped in &self.skipped {
            write!(f, "; skipped {}: {}", skipped.file_name, skipped.reason)?;
        }
        self.report.remarks().try_for_each(|remark| write!(f, "; {remark}"))
    }
}

impl RecoveryInfo {
    /// What there is to resume in the run at `path`. Reads no payload, so a damaged one shows only when it is loaded.
    ///
    /// # Errors
    /// [`Error::RunNotFound`]; what listing the directory returns.
    pub fn of(path: impl AsRef<Path>) -> Result<Self> {
        Self::of_reader(&RunReader::open(path)?)
    }

    /// The same of a run that is open.
    ///
    /// # Errors
    /// What listing the directory returns.
    pub fn of_reader(reader: &RunReader) -> Result<Self> {
        let entries = reader.list()?;
        let newest_first = || entries.iter().rev();
        let entry = newest_first().find(|entry| entry.is_committed());
        // As `latest` goes: over what is damaged or does not count, and no further than what only this program cannot read.
        let is_end = |entry: &Entry| entry.is_committed() || stops(entry);
        let skipped = newest_first().take_while(|entry| !is_end(entry)).map(PassedOver::of).collect();
        let why = match (newest_first().find(|entry| is_end(entry)).filter(|end| stops(end)), entry) {
            (Some(end), entry) => Err(stopped(end, entry)),
            (None, Some(entry)) => can_resume(entry),
            (None, None) if !entries.is_empty() => {
                Err(format!("none of its {} checkpoints is good", entries.len()))
            }
            (None, None) => match reader.quarantined()?.len() {
                0 => Err("it has no checkpoint yet".to_owned()),
                count => Err(format!("all that is left of it was set aside: {count} files in .quarantine")),
            },
        };
        let position = entry.and_then(Entry::position);
        Ok(Self {
            has_checkpoint: entry.is_some(),
            can_resume: why.is_ok(),
            why: why.unwrap_or_else(|reason| reason),
            sequence: entry.map(|entry| entry.sequence),
            epoch: entry.map(|entry| entry.epoch),
            name: entry.map(|entry| entry.file_name.clone()),
            step: position.and_then(|position| position.step),
            total: position.and_then(|position| position.total),
            unit: position.and_then(|position| position.unit.clone()),
            progress_pct: position.and_then(ckpt_format::Position::progress_pct),
            status: entry.and_then(Entry::status),
            timestamp: entry.and_then(Entry::created_at),
            skipped,
        })
    }
}

impl PassedOver {
    fn of(entry: &Entry) -> Self {
        Self {
            sequence: entry.sequence,
            name: entry.file_name.clone(),
            reason: entry.reason.clone().unwrap_or_else(|| entry.state.to_string()),
        }
    }
}

/// Loads what is meant, or says with certainty that there never was anything.
pub(crate) fn nothing_saved(reader: &RunReader, error: &Error, selector: &Selector) -> Result<bool> {
    if !matches!(error, Error::NotFound { .. }) || *selector != Selector::Latest {
        return Ok(false);
    }
    Ok(reader.list()?.is_empty() && reader.quarantined()?.is_empty())
}

/// Whether a load of the newest ends at it with an error: it is not damaged, but this program cannot read it.
fn stops(entry: &Entry) -> bool {
    matches!(entry.state, State::Unsupported | State::Unreadable)
}

/// Why nothing is gone on from, although the one before may be good.
fn stopped(end: &Entry, good: Option<&Entry>) -> String {
    let PassedOver { sequence, reason, .. } = PassedOver::of(end);
    let state = end.state;
    let before = good.map_or_else(String::new, |good| format!("; the newest good one is {}", good.sequence));
    format!("it stops at checkpoint {sequence}, which is {state} and not damaged: {reason}{before}")
}

/// Whether work would go on from this checkpoint, with the reason either way.
fn can_resume(entry: &Entry) -> std::result::Result<String, String> {
    let step = entry.position().and_then(|position| position.step);
    let at = step.map_or_else(String::new, |step| format!(" at step {step}"));
    match entry.status() {
        Some(Status::Completed) => Err(format!("it was completed{at}")),
        Some(Status::Failed) => Ok(format!("it failed{at}, and that state is whole")),
        Some(Status::Interrupted) => Ok(format!("it was interrupted{at}")),
        _ => Ok(format!("it was in progress{at}")),
    }
}
