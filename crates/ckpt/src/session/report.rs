//! What a session answers: what became of a step, what is worth telling, what it all cost.

use std::fmt;
use std::time::Duration;

use ckpt_format::{Cause, Event};
use ckpt_policy::Level;
use ckpt_store::Saved;
use serde::Serialize;

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Nothing made a save due.
    NotDue,
    /// A checkpoint is durable.
    Saved {
        /// Why.
        causes: Vec<Cause>,
        /// Which.
        saved: Box<Saved>,
    },
    /// The snapshot is taken; the rest happens in the background.
    Queued {
        /// Why.
        causes: Vec<Cause>,
        /// The session's number for it. It has no sequence yet: [`Session::take_durable`](super::Session::take_durable) says which
        /// checkpoint it became.
        ticket: u64,
    },
    /// Due, but not made: an event that is turned off, another save in flight, a session that only reads.
    Skipped {
        /// What was due.
        causes: Vec<Cause>,
        /// Why not, as a sentence.
        reason: String,
    },
    /// Due, but the disk is too full for it.
    Refused {
        /// What was due.
        causes: Vec<Cause>,
        /// Why not, as a sentence.
        reason: String,
    },
}

/// Which checkpoint a save in the background became.
#[derive(Debug, Clone, PartialEq)]
pub struct Durable {
    /// The number that [`Step::Queued`] had for it.
    pub ticket: u64,
    /// The checkpoint.
    pub saved: Saved,
}

/// Something worth telling that is no error.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// The disk filled or emptied from one level to another.
    DiskLevel {
        /// Before.
        from: Level,
        /// Now.
        to: Level,
        /// Why, as a sentence.
        reason: String,
    },
    /// Free space cannot be read, so the level stays as it was.
    SpaceUnknown {
        /// What the system said.
        reason: String,
    },
    /// A plan waits for confirmation.
    PlanWithheld {
        /// Why, as a sentence.
        reason: String,
    },
    /// Checkpoints were pruned.
    Pruned {
        /// How many.
        count: u64,
        /// Bytes of their files.
        freed_bytes: u64,
    },
    /// Pruning failed; nothing that must stay is gone, and the next save tries again.
    PruneFailed {
        /// Why.
        reason: String,
    },
    /// A field of the metadata that was asked for was not among the metrics of a save. Told once a field.
    MetadataMissing {
        /// Its name.
        field: String,
    },
    /// The save that a stop asks for may take longer than the grace that is left.
    GraceShort {
        /// How long it may take, and what is left, as a sentence.
        reason: String,
    },
    /// The thread panicked, and this is what the guard did.
    Panicked {
        /// What was saved, or that nothing was.
        outcome: String,
    },
    /// Something went wrong on the side.
    Store {
        /// What.
        reason: String,
    },
}

/// What a session did, and what saving cost.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Summary {
    /// Calls of `step`.
    pub steps: u64,
    /// Checkpoints that are durable.
    pub saves: u64,
    /// Saves that failed.
    pub failures: u64,
    /// Periodic saves that were due while another was in flight, and were dropped.
    pub skipped: u64,
    /// Saves that the disk was too full for.
    pub refused: u64,
    /// Checkpoints that were pruned.
    pub pruned: u64,
    /// Bytes of their files.
    pub pruned_bytes: u64,
    /// Seconds since the session was opened.
    pub elapsed_seconds: f64,
    /// Seconds of all processes along the lineage.
    pub cumulative_seconds: f64,
    /// Seconds for which callers of `step` and the like waited for saving and pruning.
    pub blocked_seconds: f64,
}

impl Step {
    /// Whether a checkpoint is durable because of it.
    pub fn is_saved(&self) -> bool {
        matches!(self, Self::Saved { .. })
    }

    /// The events that led to a save, or would have.
    pub fn events(&self) -> Vec<&Event> {
        match self {
            Self::NotDue => Vec::new(),
            Self::Saved { causes, .. }
            | Self::Queued { causes, .. }
            | Self::Skipped { causes, .. }
            | Self::Refused { causes, .. } => causes.iter().map(|cause| &cause.event).collect(),
        }
    }
}

impl fmt::Display for Step {
    /// What became of it and why, in one line: `saved as sequence 3: periodic (10 trials since the last save)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (causes, outcome) = match self {
            Self::NotDue => return f.write_str("nothing was due"),
            Self::Saved { causes, saved } => (causes, format!("saved as sequence {}", saved.sequence)),
            Self::Queued { causes, .. } => (causes, "queued".to_owned()),
            Self::Skipped { causes, reason } => (causes, format!("skipped, {reason}")),
            Self::Refused { causes, reason } => (causes, format!("refused, {reason}")),
        };
        f.write_str(&outcome)?;
        for (index, cause) in causes.iter().enumerate() {
            write!(f, "{} {}", if index == 0 { ":" } else { "," }, cause.event)?;
            if let Some(reason) = &cause.reason {
                write!(f, " ({reason})")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DiskLevel { reason, .. } | Self::PlanWithheld { reason } | Self::GraceShort { reason } => {
                f.write_str(reason)
            }
            Self::SpaceUnknown { reason } => {
                write!(f, "free space cannot be read, so it is taken to be as before: {reason}")
            }
            Self::Pruned { count, freed_bytes } => {
                let checkpoints = if *count == 1 { "checkpoint" } else { "checkpoints" };
                write!(f, "pruned {count} {checkpoints}, {freed_bytes} bytes")
            }
            Self::PruneFailed { reason } => write!(f, "pruning failed: {reason}"),
            Self::MetadataMissing { field } => write!(
                f,
                "the metadata field {field} is not among the metrics of this save: give it at a step, or take it out of \
                 the configuration"
            ),
            Self::Panicked { outcome } => write!(f, "the thread panicked: {outcome}"),
            Self::Store { reason } => f.write_str(reason),
        }
    }
}

impl fmt::Display for Summary {
    /// How many checkpoints there were, and what waiting for them cost.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { saves, pruned, blocked_seconds, elapsed_seconds, .. } = self;
        let share = 100.0 * self.share();
        write!(
            f,
            "{saves} saves, {pruned} pruned: {blocked_seconds:.3} s of {elapsed_seconds:.3} s, {share:.3} %"
        )?;
        for (count, what) in [(self.failures, "failed"), (self.skipped, "skipped"), (self.refused, "refused")]
        {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

impl Summary {
    /// The share of the run time that saving took.
    pub fn share(&self) -> f64 {
        if self.elapsed_seconds > 0.0 { self.blocked_seconds / self.elapsed_seconds } else { 0.0 }
    }

    pub(crate) fn add_blocked(&mut self, blocked: Duration) {
        self.blocked_seconds += blocked.as_secs_f64();
    }
}
