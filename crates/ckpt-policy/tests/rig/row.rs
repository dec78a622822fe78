//! Rows of a listing, made for tests.

use ckpt_format::{Cause, Details, Digest, Entry, Event, Metadata, Position, State, Status, Timestamp};

/// A committed row of epoch 0 with 100 bytes, made at the moment 1000 s + its sequence.
#[derive(Debug, Clone)]
pub(crate) struct Row(Entry, Metadata);

impl Row {
    /// The row with this sequence, because of these events.
    pub(crate) fn new(sequence: u64, events: &[&str]) -> Self {
        let cause = |text: &&str| Cause { event: text.parse::<Event>().unwrap(), reason: None };
        let metadata = Metadata {
            sequence,
            events: events.iter().map(cause).collect(),
            created_at: Timestamp::from_millis(1_000_000 + sequence as i64 * 1_000),
            ..Metadata::default()
        };
        let entry = Entry {
            epoch: 0,
            sequence,
            file_name: format!("{sequence:08}.ckpt"),
            state: State::Committed,
            reason: None,
            details: None,
            stored_bytes: 100,
            pinned: false,
        };
        Self(entry, metadata)
    }

    /// A periodic one.
    pub(crate) fn periodic(sequence: u64) -> Self {
        Self::new(sequence, &["periodic"])
    }

    /// Of this attempt.
    pub(crate) fn epoch(mut self, epoch: u64) -> Self {
        self.0.epoch = epoch;
        self.1.epoch = epoch;
        self
    }

    /// At this step.
    pub(crate) fn step(mut self, step: u64) -> Self {
        self.1.position = Position::at(step);
        self
    }

    /// With this value of a metric.
    pub(crate) fn metric(mut self, name: &str, value: f64) -> Self {
        self.1.metrics.set(name, value);
        self
    }

    /// With this status.
    pub(crate) fn status(mut self, status: Status) -> Self {
        self.1.status = status;
        self
    }

    /// Made at this moment.
    pub(crate) fn created_at(mut self, millis: i64) -> Self {
        self.1.created_at = Timestamp::from_millis(millis);
        self
    }

    /// Of this many bytes.
    pub(crate) fn bytes(mut self, bytes: u64) -> Self {
        self.0.stored_bytes = bytes;
        self
    }

    /// Marked by a user.
    pub(crate) fn pinned(mut self) -> Self {
        self.0.pinned = true;
        self
    }

    /// In this state; its inside is still known.
    pub(crate) fn state(mut self, state: State) -> Self {
        self.0.state = state;
        self
    }

    /// In a file of this name.
    pub(crate) fn file_name(mut self, name: &str) -> Self {
        self.0.file_name = name.to_owned();
        self
    }

    /// The row as a listing has it.
    pub(crate) fn entry(self) -> Entry {
        let Self(mut entry, metadata) = self;
        entry.details = Some(Details::new(metadata, 100, Digest::of(b"state"), Digest::of(b"file")));
        entry
    }
}
