//! Metrics of a checkpoint: their values, which way is better, and the best so far.
//!
//! ```
//! use ckpt_format::{Direction, Metrics};
//!
//! let mut metrics = Metrics::default();
//! metrics.set("loss", 0.25);
//! metrics.declare("loss", Direction::Min);
//! metrics.note_best(0, 7);
//! assert_eq!(metrics.best("loss").map(|best| best.sequence), Some(7));
//! ```

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ident::Excerpt;

/// Which way a metric gets better. `min` or `max` in text and in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Lower is better: a loss.
    Min,
    /// Higher is better: a reward.
    Max,
}

impl Direction {
    /// The text form, `min` or `max`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    /// True if `candidate` is strictly better than `incumbent`. False if either is NaN; -0 and +0 are equal.
    pub fn is_better(self, candidate: f64, incumbent: f64) -> bool {
        self.compare(candidate, incumbent) == Some(Ordering::Greater)
    }

    /// Compares two values so that the better one is the greater; `None` if one of them is NaN.
    pub fn compare(self, left: f64, right: f64) -> Option<Ordering> {
        match self {
            Self::Min => right.partial_cmp(&left),
            Self::Max => left.partial_cmp(&right),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Direction {
    type Err = DirectionError;

    fn from_str(text: &str) -> Result<Self, DirectionError> {
        match text {
            "min" => Ok(Self::Min),
            "max" => Ok(Self::Max),
            _ => Err(DirectionError { text: text.to_owned() }),
        }
    }
}

/// A text that is neither `min` nor `max`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown direction {}; use min (lower is better) or max (higher is better)", Excerpt(text))]
pub struct DirectionError {
    /// The whole text.
    pub text: String,
}

/// The best value a metric has had in its run, and the checkpoint that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The value, in the metric's own unit.
    pub value: f64,
    /// The epoch of the checkpoint that has it; default 0.
    #[serde(default)]
    pub epoch: u64,
    /// The sequence of the checkpoint that has it.
    pub sequence: u64,
}

/// What a checkpoint says about metrics: three maps by metric name, each of them may lack a name that others
/// have.
///
/// In JSON: `{"values": {"loss": 0.25}, "directions": {"loss": "min"}, "best": {"loss": {"value": 0.25,
/// "epoch": 0, "sequence": 7}}}`; a map that is absent is empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Metrics {
    /// The values at this checkpoint.
    pub values: BTreeMap<String, f64>,
    /// Which way each metric gets better, as far as the run states it.
    pub directions: BTreeMap<String, Direction>,
    /// The best so far, this checkpoint included.
    pub best: BTreeMap<String, Best>,
}

impl Metrics {
    /// The value of a metric at this checkpoint, NaN and infinities as they are.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }

    /// Sets the value of a metric, in place of one that is there.
    pub fn set(&mut self, name: impl Into<String>, value: f64) {
        self.values.insert(name.into(), value);
    }

    /// Which way the metric gets better, if the run states it.
    pub fn direction(&self, name: &str) -> Option<Direction> {
        self.directions.get(name).copied()
    }

    /// States which way the metric gets better. A best from the other direction is forgotten: it was the
    /// worst.
    pub fn declare(&mut self, name: impl Into<String>, direction: Direction) {
        let name = name.into();
        let before = self.directions.insert(name.clone(), direction);
        if before.is_some_and(|before| before != direction) {
            self.best.remove(&name);
        }
    }

    /// The best so far of a metric.
    pub fn best(&self, name: &str) -> Option<&Best> {
        self.best.get(name)
    }

    /// Takes over from the checkpoint before this one what this one does not state itself: directions, and
    /// the best of each metric whose direction is still the same.
    pub fn inherit(&mut self, before: &Metrics) {
        for (name, direction) in &before.directions {
            self.directions.entry(name.clone()).or_insert(*direction);
        }
        for (name, best) in &before.best {
            if self.direction(name) == before.direction(name) {
                self.best.entry(name.clone()).or_insert(*best);
            }
        }
    }

    /// Notes checkpoint (`epoch`, `sequence`) as the best of each metric whose direction is known and whose
    /// value is strictly better than the best so far, or is the first that is finite: NaN and infinities are never
    /// best. Without tolerance: whether an improvement is large enough to be worth a checkpoint is for the policy to say.
    pub fn note_best(&mut self, epoch: u64, sequence: u64) {
        for (name, direction) in &self.directions {
            let Some(&value) = self.values.get(name) else { continue };
            let improves = match self.best.get(name) {
                Some(best) => !best.value.is_finite() || direction.is_better(value, best.value),
                None => true,
            };
            if improves && value.is_finite() {
                self.best.insert(name.clone(), Best { value, epoch, sequence });
            }
        }
    }

    /// True if there is neither a value, a direction nor a best.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.directions.is_empty() && self.best.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(direction: Direction, value: f64) -> Metrics {
        let mut metrics = Metrics::default();
        metrics.declare("m", direction);
        metrics.set("m", value);
        metrics
    }

    #[test]
    fn the_direction_says_what_is_better_and_nan_never_is() {
        assert!(Direction::Min.is_better(-1.0, 0.0) && !Direction::Min.is_better(1.0, 0.0));
        assert!(Direction::Max.is_better(1.0, 0.0) && !Direction::Max.is_better(-1.0, 0.0));
        assert!(Direction::Max.is_better(f64::INFINITY, f64::MAX));
        for direction in [Direction::Min, Direction::Max] {
            assert!(!direction.is_better(0.0, -0.0) && !direction.is_better(-0.0, 0.0));
            assert!(!direction.is_better(f64::NAN, 0.0) && !direction.is_better(0.0, f64::NAN));
            assert_eq!(direction.to_string().parse(), Ok(direction));
            assert_eq!(serde_json::to_string(&direction).expect("json"), format!("\"{direction}\""));
        }
        assert_eq!(
            "maximum".parse::<Direction>().unwrap_err().to_string(),
            "unknown direction \"maximum\"; use min (lower is better) or max (higher is better)"
        );
    }

    #[test]
    fn the_best_so_far_travels_from_checkpoint_to_checkpoint() {
        let mut best_sequence = Vec::new();
        let mut before = Metrics::default();
        // Worse, equal and NaN do not move it; negatives are compared as numbers.
        for (sequence, value) in (1..).zip([-1.0, -1.5, -1.0, f64::NAN, -0.5]) {
            let mut now = metrics(Direction::Max, value);
            now.inherit(&before);
            now.note_best(0, sequence);
            best_sequence.push(now.best("m").map(|best| best.sequence));
            before = now;
        }
        assert_eq!(best_sequence, [Some(1), Some(1), Some(1), Some(1), Some(5)]);
    }

    #[test]
    fn a_metric_without_direction_or_number_has_no_best() {
        let mut now = Metrics::default();
        now.set("undirected", 1.0);
        now.set("loss", f64::NAN);
        now.declare("loss", Direction::Min);
        now.declare("absent", Direction::Min);
        now.note_best(0, 1);
        assert!(now.best.is_empty(), "{:?}", now.best);
    }

    /// A diverged run once reported an infinite reward: it was best for ever, and no later checkpoint could be.
    #[test]
    fn an_infinite_value_is_never_best_and_one_in_an_old_file_gives_way() {
        for (direction, infinite) in [(Direction::Max, f64::INFINITY), (Direction::Min, f64::NEG_INFINITY)] {
            let mut now = metrics(direction, infinite);
            now.note_best(0, 1);
            assert_eq!(now.best("m"), None);
            now.best.insert("m".to_owned(), Best { value: infinite, epoch: 0, sequence: 1 });
            now.set("m", 2.0);
            now.note_best(0, 2);
            assert_eq!(now.best("m"), Some(&Best { value: 2.0, epoch: 0, sequence: 2 }));
        }
    }

    #[test]
    fn a_changed_direction_forgets_the_best() {
        let mut before = metrics(Direction::Max, 3.0);
        before.note_best(0, 1);
        let mut now = metrics(Direction::Min, 5.0);
        now.inherit(&before);
        now.note_best(0, 2);
        assert_eq!(now.best("m").map(|best| best.value), Some(5.0));
        before.declare("m", Direction::Min);
        assert_eq!(before.best("m"), None);
    }

    #[test]
    fn maps_that_are_absent_in_json_are_empty() {
        let read: Metrics =
            serde_json::from_str(r#"{"values": {"loss": 0.25}, "later": 1}"#).expect("metrics");
        assert_eq!(read.get("loss"), Some(0.25));
        assert!(read.directions.is_empty() && read.best.is_empty() && !read.is_empty());
        let best = r#"{"m":{"value":3.0,"epoch":0,"sequence":1}}"#;
        let text = format!(r#"{{"values":{{"m":3.0}},"directions":{{"m":"max"}},"best":{best}}}"#);
        let mut written = metrics(Direction::Max, 3.0);
        written.note_best(0, 1);
        assert_eq!(serde_json::to_string(&written).expect("json"), text);
        assert!(Metrics::default().is_empty());
    }
}
