//! Whether a metric improved enough for a checkpoint: `docs/POLICY.md`, section 2.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use ckpt_format::{Best, Direction, Entry, Metrics};
use serde::Serialize;

use crate::explain::{float, serialize_with_text};

const RELATIVE_GAIN_DEFAULT: f64 = 0.02;

/// A metric that is watched, and what counts as an improvement of it.
///
/// ```
/// use ckpt_format::Direction;
/// use ckpt_policy::Monitor;
///
/// let reward = Monitor::new("val_reward", Direction::Max);
/// assert!(reward.judge(None, Some(-3.0)).is_improved(), "the first number is");
/// assert!(reward.judge(Some(-1.0), Some(-0.98)).is_improved(), "2 % of 1 is 0.02");
/// assert!(!reward.judge(Some(-1.0), Some(-1.01)).is_improved(), "that is worse");
/// assert_eq!(
///     reward.judge(Some(1.0), Some(1.01)).to_string(),
///     "1.01 is better than 1 by 0.01, which is less than 0.02"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Monitor {
    metric: String,
    direction: Direction,
    least_gain_relative: f64,
    least_gain_absolute: f64,
}

impl Monitor {
    /// Watches this metric with the default gains: 2 % of the best value's magnitude, and 0 absolute.
    pub fn new(metric: impl Into<String>, direction: Direction) -> Self {
        Self {
            metric: metric.into(),
            direction,
            least_gain_relative: RELATIVE_GAIN_DEFAULT,
            least_gain_absolute: 0.0,
        }
    }

    /// With these least gains: a share of the best value's magnitude, and a number in the metric's own unit. The greater of both
    /// counts; any gain must be more than 0.
    ///
    /// # Errors
    /// [`GainError`] if one of them is negative or no finite number.
    pub fn with_least_gain(mut self, relative: f64, absolute: f64) -> Result<Self, GainError> {
        for (which, found) in [("relative", relative), ("absolute", absolute)] {
            if !found.is_finite() || found < 0.0 {
                return Err(GainError { metric: self.metric, which, found });
            }
        }
        (self.least_gain_relative, self.least_gain_absolute) = (relative, absolute);
        Ok(self)
    }

    /// Its name.
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// Which way it gets better.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The least gain as a share of the best value's magnitude.
    pub fn least_gain_relative(&self) -> f64 {
        self.least_gain_relative
    }

    /// The least gain in the metric's own unit.
    pub fn least_gain_absolute(&self) -> f64 {
        self.least_gain_absolute
    }

    /// Whether the value is enough of an improvement on the best so far. It allocates nothing.
    pub fn judge(&self, best: Option<f64>, value: Option<f64>) -> Judgement {
        let Some(value) = value else { return Judgement::NoValue };
        if !value.is_finite() {
            return Judgement::NotFinite { value };
        }
        // Neither NaN nor an infinity was ever a best; files of others may say so.
        let Some(best) = best.filter(|best| best.is_finite()) else { return Judgement::First { value } };
        let gain = match self.direction {
            Direction::Max => value - best,
            Direction::Min => best - value,
        };
        let needed = self.least_gain_absolute.max(self.least_gain_relative * best.abs());
        if gain <= 0.0 {
            Judgement::NotBetter { value, best }
        } else if gain >= needed {
            Judgement::Improved { value, best, gain, needed }
        } else {
            Judgement::NotEnough { value, best, gain, needed }
        }
    }
}

/// A least gain that is none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the least {which} gain of {metric:?} is {found}: it is a finite number of at least 0")]
pub struct GainError {
    /// The metric.
    pub metric: String,
    /// `relative` or `absolute`.
    pub which: &'static str,
    /// What was given.
    pub found: f64,
}

/// What a value is beside the best so far. In JSON `{rule, ..., text}` with the numbers below.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "rule", rename_all = "snake_case", remote = "Self")]
#[non_exhaustive]
pub enum Judgement {
    /// The first number: there is no best yet.
    First {
        /// The value.
        value: f64,
    },
    /// Better, and by enough.
    Improved {
        /// The value.
        value: f64,
        /// The best so far.
        best: f64,
        /// By how much it is better.
        #[serde(serialize_with = "float")]
        gain: f64,
        /// By how much it had to be.
        #[serde(serialize_with = "float")]
        needed: f64,
    },
    /// Better, but not by enough.
    NotEnough {
        /// The value.
        value: f64,
        /// The best so far.
        best: f64,
        /// By how much it is better.
        gain: f64,
        /// By how much it had to be.
        #[serde(serialize_with = "float")]
        needed: f64,
    },
    /// Equal or worse.
    NotBetter {
        /// The value.
        value: f64,
        /// The best so far.
        best: f64,
    },
    /// The metric has no value.
    NoValue,
    /// NaN and infinities are never better, and never best.
    NotFinite {
        /// The value.
        #[serde(serialize_with = "float")]
        value: f64,
    },
}

serialize_with_text!(Judgement);

impl Judgement {
    /// Whether it is worth a checkpoint.
    pub fn is_improved(&self) -> bool {
        matches!(self, Self::First { .. } | Self::Improved { .. })
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First { value } => write!(f, "{} is the first value", Number(*value)),
            Self::Improved { value, best, gain, needed } => write!(
                f,
                "{} is better than {} by {}, which is at least {}",
                Number(*value),
                Number(*best),
                Number(*gain),
                Number(*needed)
            ),
            Self::NotEnough { value, best, gain, needed } => write!(
                f,
                "{} is better than {} by {}, which is less than {}",
                Number(*value),
                Number(*best),
                Number(*gain),
                Number(*needed)
            ),
            Self::NotBetter { value, best } => {
                write!(f, "{} is no better than {}", Number(*value), Number(*best))
            }
            Self::NoValue => f.write_str("it has no value"),
            Self::NotFinite { value } => write!(f, "{value} is no number that could be better"),
        }
    }
}

/// A metric that improved enough for a checkpoint. In JSON `{metric, rule, ..., text}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Improvement {
    /// The metric.
    pub metric: String,
    /// How.
    #[serde(flatten)]
    pub judgement: Judgement,
}

impl fmt::Display for Improvement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.metric, self.judgement)
    }
}

/// The best value of each monitored metric that a checkpoint holds.
///
/// ```
/// use ckpt_format::Direction;
/// use ckpt_policy::{BestSoFar, Monitor};
///
/// let mut best = BestSoFar::of([Monitor::new("sharpe_ratio", Direction::Max)], &[]);
/// let improved = best.observe(&[("sharpe_ratio", 1.45)]);
/// assert_eq!(improved[0].to_string(), "sharpe_ratio: 1.45 is the first value");
/// assert!(best.observe(&[("sharpe_ratio", 1.45)]).is_empty(), "the same evaluation, seen again");
///
/// // Only what is durable is best.
/// assert_eq!(best.best("sharpe_ratio"), None);
/// best.record(0, 1, &[("sharpe_ratio", 1.45)]);
/// assert_eq!(best.best("sharpe_ratio").map(|best| best.sequence), Some(1));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BestSoFar {
    watched: Vec<Watched>,
}

#[derive(Debug, Clone, PartialEq)]
struct Watched {
    monitor: Monitor,
    best: Option<Best>,
    /// The value that was seen last: seen again, it is the same evaluation.
    seen: Option<f64>,
    /// A value that improved and whose checkpoint is not durable yet.
    pending: Option<f64>,
}

impl BestSoFar {
    /// What these rows of a listing hold: the values of committed ones, and the best that travels in them, whose own checkpoint may
    /// be gone. Their order is irrelevant. Of monitors for one metric the first counts.
    pub fn of(monitors: impl IntoIterator<Item = Monitor>, entries: &[Entry]) -> Self {
        let mut watched: Vec<Watched> = Vec::new();
        for monitor in monitors {
            if watched.iter().all(|known| known.monitor.metric != monitor.metric) {
                watched.push(Watched { monitor, best: None, seen: None, pending: None });
            }
        }
        let mut this = Self { watched };
        for entry in entries.iter().filter(|entry| entry.is_committed()) {
            let Some(metadata) = entry.metadata() else { continue };
            for watched in &mut this.watched {
                watched.take_from(&metadata.metrics, entry.order());
            }
        }
        this
    }

    /// The metrics among these values that improved enough for a checkpoint: one save for all of them. The same values given
    /// again improve nothing. If nothing improved, nothing is allocated.
    pub fn observe(&mut self, values: &[(&str, f64)]) -> Vec<Improvement> {
        let mut improvements = Vec::new();
        for watched in &mut self.watched {
            let Some(value) = value_of(values, &watched.monitor.metric) else { continue };
            if watched.seen.replace(value).is_some_and(|seen| seen.to_bits() == value.to_bits()) {
                continue;
            }
            let judgement = watched.monitor.judge(watched.to_beat(), Some(value));
            if judgement.is_improved() {
                watched.pending = Some(value);
                improvements.push(Improvement { metric: watched.monitor.metric.clone(), judgement });
            }
        }
        improvements
    }

    /// A checkpoint with these values is durable, for whatever reason it was made.
    pub fn record(&mut self, epoch: u64, sequence: u64, values: &[(&str, f64)]) {
        for watched in &mut self.watched {
            if let Some(value) = value_of(values, &watched.monitor.metric) {
                watched.hold(Best { value, epoch, sequence });
                let is_held = |pending: &f64| !watched.monitor.direction.is_better(*pending, value);
                watched.pending = watched.pending.filter(|pending| !is_held(pending));
            }
        }
    }

    /// The checkpoint for what improved was not made: the next evaluation is judged by what is durable. The same values given
    /// again still improve nothing, so that a full disk is not asked at every step.
    pub fn not_saved(&mut self) {
        for watched in &mut self.watched {
            watched.pending = None;
        }
    }

    /// What is watched, in order.
    pub fn monitors(&self) -> impl Iterator<Item = &Monitor> {
        self.watched.iter().map(|watched| &watched.monitor)
    }

    /// The best of a metric that a checkpoint holds.
    pub fn best(&self, metric: &str) -> Option<Best> {
        self.watched.iter().find(|watched| watched.monitor.metric == metric)?.best
    }

    /// The best of each metric, as it travels in metadata.
    pub fn to_map(&self) -> BTreeMap<String, Best> {
        let pair = |watched: &Watched| Some((watched.monitor.metric.clone(), watched.best?));
        self.watched.iter().filter_map(pair).collect()
    }

    /// Puts directions and best into the metrics of a checkpoint that is about to be made. If its sequence is known, let
    /// [`Metrics::note_best`] follow.
    pub fn apply_to(&self, metrics: &mut Metrics) {
        for watched in &self.watched {
            metrics.declare(watched.monitor.metric.clone(), watched.monitor.direction);
        }
        metrics.best.extend(self.to_map());
    }
}

impl Watched {
    /// What a new value has to be better than.
    fn to_beat(&self) -> Option<f64> {
        match (self.best.map(|best| best.value), self.pending) {
            (Some(best), Some(pending)) if self.monitor.direction.is_better(best, pending) => Some(best),
            (best, pending) => pending.or(best),
        }
    }

    fn take_from(&mut self, metrics: &Metrics, (epoch, sequence): (u64, u64)) {
        if let Some(value) = metrics.get(&self.monitor.metric) {
            self.hold(Best { value, epoch, sequence });
        }
        // A best from the other direction was the worst.
        if metrics.direction(&self.monitor.metric) == Some(self.monitor.direction)
            && let Some(best) = metrics.best(&self.monitor.metric)
        {
            self.hold(*best);
        }
    }

    /// Strictly better, or as good and earlier, so that the order in which they are seen is irrelevant.
    fn hold(&mut self, candidate: Best) {
        let is_earlier = |best: &Best| (candidate.epoch, candidate.sequence) < (best.epoch, best.sequence);
        let is_held = candidate.value.is_finite()
            && self.best.is_none_or(|best| {
                match self.monitor.direction.compare(candidate.value, best.value) {
                    Some(Ordering::Greater) => true,
                    Some(Ordering::Equal) => is_earlier(&best),
                    _ => false,
                }
            });
        if is_held {
            self.best = Some(candidate);
        }
    }
}

/// The value of a metric; of several the last.
fn value_of(values: &[(&str, f64)], metric: &str) -> Option<f64> {
    values.iter().rev().find(|(name, _)| *name == metric).map(|(_, value)| *value)
}

/// A value in a sentence: to six significant digits, without zeros that say nothing.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0.0 {
            return f.write_str("0");
        }
        // Rust has no %g: round to six digits in exponent form, and show what that number is.
        match format!("{:.5e}", self.0).parse::<f64>() {
            Ok(rounded) if (1e-4..1e15).contains(&rounded.abs()) => write!(f, "{rounded}"),
            Ok(rounded) => write!(f, "{rounded:e}"),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}
