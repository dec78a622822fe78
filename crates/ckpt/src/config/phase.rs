//! What holds for one phase: a checked value, and where each part of it came from.

use std::collections::BTreeSet;
use std::fmt;

use ckpt_format::EventClass;
use ckpt_policy::{Monitor, Reserve, RetentionPolicy, Schedule};
use ckpt_store::Compress;

use super::error::ValueSource;
use super::path::PathTemplate;

/// What the configuration says for one phase, in the words of the policy. Everything in it is checked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PhaseConfig {
    /// The phase, or `None` for what holds without one.
    pub phase: Option<String>,
    /// When periodic saves are made. Never, if the events leave no periodic ones.
    pub schedule: Schedule,
    /// What is counted. Default: `steps`.
    pub unit: String,
    /// Where the end is, in units.
    pub target: Option<u64>,
    /// The classes of events that make checkpoints. Manual ones always do.
    pub events: BTreeSet<EventClass>,
    /// The metrics whose improvement makes a checkpoint. Empty, if the events leave no best ones.
    pub monitors: Vec<Monitor>,
    /// What to keep.
    pub retention: RetentionPolicy,
    /// Room that periodic saves leave free.
    pub reserve: Reserve,
    /// How many distinct priorities of other phases are higher. 0: none, this phase stops last.
    pub priority_rank: u32,
    /// Whether sections are compressed.
    pub compress: Compress,
    /// The run's directory, if it is stated.
    pub path: Option<PathTemplate>,
    /// Names of metadata fields taken from metrics or extra at every save.
    pub llm_metadata: Vec<String>,
    pub(super) settings: Vec<Setting>,
}

/// A key of the configuration with its value and where that came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// With its section: `retention.keep_last_n`.
    pub key: String,
    /// As it was stated, or the default.
    pub value: String,
    /// Where.
    pub source: ValueSource,
}

impl PhaseConfig {
    /// Every key, in the order of the documentation, with its value and source.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The setting of this key, for example `retention.keep_last_n`.
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// [`settings`](Self::settings) as text, a line each: `retention.keep_last_n = 8 (config/checkpoint_config.yaml:27)`.
    pub fn describe(&self) -> String {
        self.settings.iter().map(|setting| format!("{setting}\n")).collect()
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} ({})", self.key, self.value, self.source)
    }
}
