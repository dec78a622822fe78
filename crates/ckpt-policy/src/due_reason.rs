//! Why a periodic save is due.

use std::fmt;

use serde::Serialize;

use crate::explain::{Count, Seconds, serialize_with_text};
use crate::interval::Share;

/// Why a periodic save is due. In JSON `{rule, ..., text}` with the numbers below; times are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "rule", rename_all = "snake_case", remote = "Self")]
#[non_exhaustive]
pub enum DueReason {
    /// So many units were done.
    EveryUnits {
        /// Units since the last periodic save.
        done: u64,
        /// Units that make one due.
        every: u64,
        /// What a unit is.
        unit: String,
    },
    /// So much time went by.
    EveryDuration {
        /// Since the last periodic save.
        passed_seconds: f64,
        /// What makes one due.
        every_seconds: f64,
    },
    /// As many units were done as the interval at this step.
    Adaptive {
        /// Units since the last periodic save.
        done: u64,
        /// The interval at this step.
        interval: u64,
        /// The interval at the start.
        base: u64,
        /// This step.
        step: u64,
        /// What a unit is.
        unit: String,
    },
    /// The last save is paid for.
    OverheadBudget {
        /// Since the end of the last save.
        passed_seconds: f64,
        /// What makes one due.
        needed_seconds: f64,
        /// What the caller is blocked for by a save.
        cost_seconds: f64,
        /// What saving may take of the run time.
        share: Share,
    },
    /// Waiting longer would lose more at a failure than a save costs.
    YoungDaly {
        /// Since the end of the last save.
        passed_seconds: f64,
        /// What makes one due.
        needed_seconds: f64,
        /// What a save takes until it is durable.
        cost_seconds: f64,
        /// The mean time between failures.
        mtbf_seconds: f64,
    },
    /// Nobody knows yet what a save costs.
    FirstCost,
    /// To prove early that the path can be written.
    EarlyFirst {
        /// Units since the start.
        done: u64,
        /// Units that make it due.
        after: u64,
        /// What a unit is.
        unit: String,
    },
}

serialize_with_text!(DueReason);

impl fmt::Display for DueReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EveryUnits { done, every, unit } => {
                write!(f, "{} {unit} since the last periodic save: every {}", Count(*done), Count(*every))
            }
            Self::EveryDuration { passed_seconds, every_seconds } => write!(
                f,
                "{} since the last periodic save: every {}",
                Seconds(*passed_seconds),
                Seconds(*every_seconds)
            ),
            Self::Adaptive { done, interval, base, step, unit } => write!(
                f,
                "{} {unit} since the last periodic save: every {} at step {} (adaptive, from {})",
                Count(*done),
                Count(*interval),
                Count(*step),
                Count(*base)
            ),
            Self::OverheadBudget { passed_seconds, needed_seconds, cost_seconds, share } => write!(
                f,
                "{} since the last save: after {} its {} are at most {share} of the run time",
                Seconds(*passed_seconds),
                Seconds(*needed_seconds),
                Seconds(*cost_seconds)
            ),
            Self::YoungDaly { passed_seconds, needed_seconds, cost_seconds, mtbf_seconds } => write!(
                f,
                "{} since the last save: {} lose least, by Young and Daly, at {} a save and a failure every {}",
                Seconds(*passed_seconds),
                Seconds(*needed_seconds),
                Seconds(*cost_seconds),
                Seconds(*mtbf_seconds)
            ),
            Self::FirstCost => f.write_str("the first save: it shows what a save costs"),
            Self::EarlyFirst { done, after, unit } => write!(
                f,
                "{} {unit} since the start: an early first save after {} proves that the run can be written",
                Count(*done),
                Count(*after)
            ),
        }
    }
}
