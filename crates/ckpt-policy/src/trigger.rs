//! What makes a periodic save due: `docs/POLICY.md`, section 1.

use std::time::Duration;

use serde::Serialize;

/// Says whether a periodic save is due. A number that is 0 turns its trigger off.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trigger {
    /// Every so many units since the last periodic save.
    EveryUnits(u64),
    /// Every so long since the last periodic save.
    EveryDuration(Duration),
    /// Ever further apart as the work goes on.
    Adaptive(Adaptive),
    /// So rarely that saving takes at most this share of the run time, above 0 and below 1.
    OverheadBudget(f64),
    /// At the interval of Young and Daly for this mean time between failures.
    YoungDaly(Duration),
    /// When one of them is due.
    Any(Vec<Trigger>),
    /// When each of them is due.
    All(Vec<Trigger>),
}

/// An interval that grows with progress, in units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Adaptive {
    /// The interval at the start. 0 turns the trigger off.
    pub base: u64,
    /// The interval at the end, as a multiple of the base; at least 1.
    pub max_multiplier: f64,
    /// Where the end is. Without one, or with 0, the interval is always the base.
    pub target: Option<u64>,
}

/// When periodic saves are made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Schedule {
    /// What makes one due.
    pub trigger: Trigger,
    /// None starts before so long after the end of the last save of any kind. Default: none.
    pub minimum_pause: Duration,
    /// One at the first step that is at least so many units after the start, to prove that the path can be written. 0: off, the
    /// default.
    pub early_first: u64,
    /// How long after one that failed the next is tried. Default: 5 s.
    pub retry_pause: Duration,
}

impl Schedule {
    /// By this trigger, with nothing beside it.
    pub fn new(trigger: Trigger) -> Self {
        Self { trigger, minimum_pause: Duration::ZERO, early_first: 0, retry_pause: Duration::from_secs(5) }
    }
}
