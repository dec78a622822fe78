//! What a checkpoint says about itself: `docs/FORMAT.md`, section 3.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::FormatError;
use crate::event::Event;
use crate::json;
use crate::metrics::Metrics;
use crate::position::Position;
use crate::timestamp::Timestamp;

/// What a checkpoint says about itself. It stands before the payload and is read without it.
///
/// The store sets `run_id`, `kind`, `name`, `epoch`, `sequence` and `writer`; the rest is the application's.
///
/// ```
/// use ckpt_format::{Event, Metadata, Position};
///
/// let mut metadata = Metadata { market: Some("NQ".into()), seed: Some(42), ..Metadata::default() }
///     .because(Event::Periodic, "every 25,000 steps")
///     .at(Position::at(25_000).of(2_000_000));
/// metadata.metrics.set("sharpe_ratio", 1.45);
/// assert_eq!(Metadata::decode(&metadata.encode()?)?, metadata);
/// # Ok::<(), ckpt_format::FormatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// Identity of the run, made once at random: 32 hex digits. Set by the store.
    pub run_id: String,
    /// First name of the run: `training`. Set by the store.
    pub kind: String,
    /// Second name of the run: `ppo_agent`. Set by the store.
    pub name: String,
    /// The attempt that wrote it, 0 without operations. Set by the store.
    pub epoch: u64,
    /// Its number in the run, from 1, never reused. Set by the store.
    pub sequence: u64,
    /// Why it was saved, one or several causes.
    pub events: Vec<Cause>,
    /// Where the process was.
    pub position: Position,
    /// How the process was doing.
    pub status: Status,
    /// Numbers that judge the state, their direction and the best so far.
    pub metrics: Metrics,
    /// The user's own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Market of a trading system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// Phase of a curriculum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Seed of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Seconds this process has been learning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_seconds: Option<f64>,
    /// Seconds all processes along the lineage have been learning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cumulative_seconds: Option<f64>,
    /// The checkpoint this process resumed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// What an imported checkpoint was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
    /// Which process wrote it. Set by the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writer: Option<Writer>,
    /// When, in UTC: for people. Nothing is ordered by it.
    pub created_at: Timestamp,
    /// Any JSON of the application, returned as it was. Integers of 64 bits and f64 are exact.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// An event and the sentence that explains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What happened.
    pub event: Event,
    /// Why that led to a save.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How the process was doing when it saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Going on.
    #[default]
    InProgress,
    /// It reached its end.
    Completed,
    /// It was told to stop.
    Interrupted,
    /// It stopped with an error.
    Failed,
}

/// Place of a checkpoint in another run, or in this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Identity of its run.
    pub run_id: String,
    /// Its epoch.
    #[serde(default)]
    pub epoch: u64,
    /// Its sequence.
    pub sequence: u64,
}

/// What an imported checkpoint was in the run it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Identity of that run.
    pub run_id: String,
    /// First name of that run.
    pub kind: String,
    /// Second name of that run.
    pub name: String,
    /// Its epoch there.
    pub epoch: u64,
    /// Its sequence there.
    pub sequence: u64,
    /// Identity of the file.
    pub index_digest: Digest,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The process that wrote a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// Name of the machine.
    pub host: String,
    /// Number of the process.
    pub pid: u32,
    /// Identity of this start of the machine.
    pub boot_id: String,
}

impl Metadata {
    /// Adds a cause.
    #[must_use]
    pub fn because(mut self, event: Event, reason: impl Into<String>) -> Self {
        self.events.push(Cause { event, reason: Some(reason.into()) });
        self
    }

    /// At this position.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.position = position;
        self
    }

    /// The events without their reasons, in order.
    pub fn event_list(&self) -> Vec<Event> {
        self.events.iter().map(|cause| cause.event.clone()).collect()
    }

    /// The JSON that stands in the file.
    ///
    /// # Errors
    /// [`FormatError::Limit`] if it is too long; [`FormatError::IncompatibleMetadata`] for a value that JSON cannot carry.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        json::to_vec(self).map_err(|error| FormatError::IncompatibleMetadata { reason: error.to_string() })
    }

    /// Reads the JSON of a file; unknown fields are ignored, absent ones take their default.
    ///
    /// # Errors
    /// [`FormatError::IncompatibleMetadata`] if it is not the JSON of a checkpoint.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        json::from_slice(bytes)
            .map(|(metadata, _)| metadata)
            .map_err(|error| FormatError::IncompatibleMetadata { reason: error.to_string() })
    }
}

impl Status {
    /// Its one spelling, in JSON and at the shell.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Text that is not a status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown status {text:?}; use in_progress, completed, interrupted or failed")]
pub struct ParseStatusError {
    text: String,
}

impl FromStr for Status {
    type Err = ParseStatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::InProgress, Self::Completed, Self::Interrupted, Self::Failed]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| ParseStatusError { text: text.chars().take(80).collect() })
    }
}
