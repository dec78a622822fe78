//! One row of a listing: what policy, store and shell exchange about a checkpoint.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::digest::Digest;
use crate::event::Event;
use crate::metadata::{Metadata, Status};
use crate::metrics::Metrics;
use crate::position::Position;
use crate::selector::Selectable;
use crate::timestamp::Timestamp;

/// What a listing knows of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// Header, metadata and commit record are good.
    Committed,
    /// A digest or the structure fails.
    Damaged,
    /// It could not be read: input/output or permission. Not damage.
    Unreadable,
    /// Intact, but newer than this program.
    Unsupported,
    /// Its name and its inside disagree, or it belongs to another run.
    Foreign,
    /// Written by an attempt after a later one had taken over.
    Fenced,
    /// Another file claims the same epoch and sequence.
    Duplicate,
}

impl State {
    /// Its one spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Damaged => "damaged",
            Self::Unreadable => "unreadable",
            Self::Unsupported => "unsupported",
            Self::Foreign => "foreign",
            Self::Fenced => "fenced",
            Self::Duplicate => "duplicate",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// One row of a listing. Rows are ordered by (epoch, sequence), oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The attempt that wrote it.
    pub epoch: u64,
    /// Its number in the run.
    pub sequence: u64,
    /// Its file name: a label, never the truth.
    pub file_name: String,
    /// Whether it can be used, and if not why.
    pub state: State,
    /// What is wrong, if something is.
    pub reason: Option<String>,
    /// What it says about itself; nothing if that could not be read.
    pub details: Option<Details>,
    /// Bytes of the file.
    pub stored_bytes: u64,
    /// Whether a user's mark protects it.
    pub pinned: bool,
}

/// What the inside of a file says, as far as a listing reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// The metadata, whole.
    pub metadata: Metadata,
    /// Bytes of all sections.
    pub raw_bytes: u64,
    /// Identity of the state.
    pub content_digest: Digest,
    /// Identity of the file.
    pub index_digest: Digest,
    events: Vec<Event>,
}

impl Details {
    /// What the file says.
    pub fn new(metadata: Metadata, raw_bytes: u64, content_digest: Digest, index_digest: Digest) -> Self {
        let events = metadata.event_list();
        Self { metadata, raw_bytes, content_digest, index_digest, events }
    }
}

impl Entry {
    /// (epoch, sequence): the order that everything uses.
    pub fn order(&self) -> (u64, u64) {
        (self.epoch, self.sequence)
    }

    /// Whether it can be latest.
    pub fn is_committed(&self) -> bool {
        self.state == State::Committed
    }

    /// Its metadata, if it could be read.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.details.as_ref().map(|details| &details.metadata)
    }

    /// Where the process was, if that could be read.
    pub fn position(&self) -> Option<&Position> {
        self.metadata().map(|metadata| &metadata.position)
    }

    /// How the process was doing, if that could be read.
    pub fn status(&self) -> Option<Status> {
        self.metadata().map(|metadata| metadata.status)
    }

    /// When it was made, if that could be read.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.metadata().map(|metadata| metadata.created_at)
    }
}

impl Selectable for Entry {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn events(&self) -> &[Event] {
        self.details.as_ref().map_or(&[], |details| &details.events)
    }

    fn step(&self) -> Option<u64> {
        self.position().and_then(|position| position.step)
    }

    fn metrics(&self) -> Option<&Metrics> {
        self.metadata().map(|metadata| &metadata.metrics)
    }

    fn labels(&self) -> Option<&BTreeMap<String, String>> {
        self.metadata().map(|metadata| &metadata.labels)
    }

    fn file_name(&self) -> &str {
        &self.file_name
    }
}
