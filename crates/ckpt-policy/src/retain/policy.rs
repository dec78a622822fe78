//! What a user says is to be kept.

use std::collections::BTreeSet;
use std::time::Duration;

use ckpt_format::{Digest, Direction, EventClass};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::reason::{Span, until_completed};

/// What to keep. 0 turns a rule off; a policy in which nothing is on keeps everything.
///
/// Read from JSON, every rule must be there and none besides: a policy with a rule that is not known here is not this policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionPolicy {
    /// The newest so many periodic ones.
    pub keep_last: u64,
    /// The best so many by each metric.
    pub top: Vec<Top>,
    /// Those whose sequence is a multiple of this.
    pub every: u64,
    /// The classes that are preserved whatever their number.
    pub preserve: BTreeSet<EventClass>,
    /// None older than this, but for what is preserved, pinned or newest; zero: off. In JSON `max_age_seconds`.
    #[serde(rename = "max_age_seconds", serialize_with = "seconds", deserialize_with = "from_seconds")]
    pub max_age: Option<Duration>,
    /// No more bytes than this, as far as what is preserved, pinned or newest allows. 0: off.
    pub max_bytes: u64,
    /// Prune at every so many saves; 0: only when the disk fills, at the end, and when asked to.
    pub prune_every: u64,
}

/// A budget for the best by one metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Top {
    /// The metric.
    pub metric: String,
    /// Which way is better.
    pub direction: Direction,
    /// How many. 0 turns it off.
    pub count: u64,
}

/// A policy that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetentionError {
    /// A budget goes by a metric without a name.
    #[error("a budget for the best {count} names no metric; name one")]
    UnnamedMetric {
        /// How many it would keep.
        count: u64,
    },
    /// Two budgets go by one metric.
    #[error("metric {metric:?} has two budgets; give it one")]
    RepeatedMetric {
        /// The metric.
        metric: String,
    },
    /// Periodic ones are both counted and preserved without number.
    #[error(
        "periodic checkpoints are preserved for ever, so keeping the last {keep_last} of them has no effect; take \
         `periodic` out of what is preserved, or set the number to 0"
    )]
    PeriodicPreserved {
        /// How many would be kept.
        keep_last: u64,
    },
}

impl RetentionPolicy {
    /// Keeps the newest `count` periodic ones and what is preserved by default; 0 keeps everything.
    pub fn keep_last(count: u64) -> Self {
        Self { keep_last: count, ..Self::default() }
    }

    /// Keeps, too, the best `count` by this metric.
    #[must_use]
    pub fn with_top(mut self, metric: impl Into<String>, direction: Direction, count: u64) -> Self {
        self.top.push(Top { metric: metric.into(), direction, count });
        self
    }

    /// Whether it deletes nothing, whatever there is: neither a budget nor a limit is on.
    pub fn is_empty(&self) -> bool {
        !self.has_budget() && self.age_limit().is_none() && self.max_bytes == 0
    }

    /// Whether so many saves since the last pruning are reason for another.
    pub fn is_due_after(&self, saves: u64) -> bool {
        self.prune_every > 0 && saves >= self.prune_every
    }

    /// Its identity: equal for policies that decide the same for the same reasons, whatever the order of their budgets, what of
    /// them is off, and how often they prune.
    pub fn digest(&self) -> Digest {
        let mut top: Vec<Top> = self.tops().cloned().collect();
        top.sort_by_key(|top| (top.metric.clone(), top.direction.as_str(), top.count));
        let canonical = Self { top, max_age: self.age_limit(), prune_every: 0, ..self.clone() };
        Digest::of(&serde_json::to_vec(&canonical).expect("numbers, strings and lists have a JSON form"))
    }

    /// Whether it can be meant. [`plan`](super::plan) takes any.
    ///
    /// # Errors
    /// [`RetentionError`]: a budget without a metric, two for one metric, or one for what is preserved anyway.
    pub fn check(&self) -> Result<(), RetentionError> {
        for (index, top) in self.top.iter().enumerate() {
            if top.metric.is_empty() {
                return Err(RetentionError::UnnamedMetric { count: top.count });
            }
            if self.top[..index].iter().any(|before| before.metric == top.metric) {
                return Err(RetentionError::RepeatedMetric { metric: top.metric.clone() });
            }
        }
        if self.keep_last > 0 && self.preserve.contains(&EventClass::Periodic) {
            return Err(RetentionError::PeriodicPreserved { keep_last: self.keep_last });
        }
        Ok(())
    }

    /// One line a rule; what is off is shown as `off`.
    pub fn describe(&self) -> Vec<String> {
        let or_off = |number: u64, text: String| if number == 0 { "off".to_owned() } else { text };
        let mut lines = vec![format!("keep_last: {}", or_off(self.keep_last, self.keep_last.to_string()))];
        for Top { metric, direction, count } in &self.top {
            lines.push(format!("top {metric} ({direction}): {}", or_off(*count, count.to_string())));
        }
        if self.top.is_empty() {
            lines.push("top: off".to_owned());
        }
        lines
            .push(format!("every: {}", or_off(self.every, format!("sequence a multiple of {}", self.every))));
        lines.push(format!("preserve: {}", self.describe_preserved()));
        let max_age = self.age_limit().map_or("off".to_owned(), |limit| Span(limit).to_string());
        lines.push(format!("max_age: {max_age}"));
        lines.push(format!("max_bytes: {}", or_off(self.max_bytes, self.max_bytes.to_string())));
        let prune_every = or_off(self.prune_every, format!("{} saves", self.prune_every));
        lines.push(format!("prune_every: {prune_every}"));
        lines
    }

    pub(super) fn has_budget(&self) -> bool {
        self.keep_last > 0 || self.every > 0 || self.tops().next().is_some()
    }

    /// The budgets that are on.
    pub(super) fn tops(&self) -> impl Iterator<Item = &Top> {
        self.top.iter().filter(|top| top.count > 0)
    }

    /// The limit on age, if it is on.
    pub(super) fn age_limit(&self) -> Option<Duration> {
        self.max_age.filter(|limit| !limit.is_zero())
    }

    fn describe_preserved(&self) -> String {
        let name = |class: &EventClass| {
            let until = if until_completed(*class) { " (until a later one is completed)" } else { "" };
            format!("{class}{until}")
        };
        let names: Vec<String> = self.preserve.iter().map(name).collect();
        if names.is_empty() { "off".to_owned() } else { names.join(", ") }
    }
}

impl Default for RetentionPolicy {
    /// Keeps everything; if a budget is turned on, every class but periodic and best is preserved.
    fn default() -> Self {
        Self {
            keep_last: 0,
            top: Vec::new(),
            every: 0,
            preserve: EventClass::ALL
                .into_iter()
                .filter(|class| !matches!(class, EventClass::Periodic | EventClass::Best))
                .collect(),
            max_age: None,
            max_bytes: 0,
            prune_every: 10,
        }
    }
}

fn seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}

fn from_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let seconds = Option::<f64>::deserialize(deserializer)?;
    seconds.map(Duration::try_from_secs_f64).transpose().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy() -> RetentionPolicy {
        let policy = RetentionPolicy::keep_last(8).with_top("sharpe_ratio", Direction::Max, 3);
        let policy = policy.with_top("loss", Direction::Min, 0);
        RetentionPolicy { max_age: Some(Duration::from_secs(7 * 86_400)), prune_every: 0, ..policy }
    }

    #[test]
    fn what_is_off_is_shown_as_off() {
        assert_eq!(
            busy().describe(),
            [
                "keep_last: 8",
                "top sharpe_ratio (max): 3",
                "top loss (min): off",
                "every: off",
                "preserve: manual, phase_boundary, phase_end, cancellation (until a later one is completed), \
                 shutdown (until a later one is completed), interrupt (until a later one is completed), failure",
                "max_age: 7 d",
                "max_bytes: off",
                "prune_every: off",
            ]
        );
        let off = RetentionPolicy { preserve: BTreeSet::new(), ..RetentionPolicy::default() };
        let expected = [
            "keep_last: off",
            "top: off",
            "every: off",
            "preserve: off",
            "max_age: off",
            "max_bytes: off",
            "prune_every: 10 saves",
        ];
        assert_eq!(off.describe(), expected);
    }

    #[test]
    fn the_digest_is_of_what_is_decided_not_of_how_it_is_written() {
        let policy = busy().with_top("reward", Direction::Max, 2);
        let digest = policy.digest();
        let mut same = RetentionPolicy { prune_every: 10, ..policy.clone() };
        same.top.reverse();
        assert_eq!(same.digest(), digest);
        same.top.retain(|top| top.count > 0);
        assert_eq!(same.digest(), digest);
        let off = RetentionPolicy { max_age: Some(Duration::ZERO), ..RetentionPolicy::default() };
        assert_eq!(off.digest(), RetentionPolicy::default().digest());

        let others = [
            RetentionPolicy { keep_last: 9, ..policy.clone() },
            RetentionPolicy { every: 1, ..policy.clone() },
            RetentionPolicy { preserve: BTreeSet::new(), ..policy.clone() },
            RetentionPolicy { max_age: None, ..policy.clone() },
            RetentionPolicy { max_bytes: 1, ..policy.clone() },
            RetentionPolicy { top: Vec::new(), ..policy },
        ];
        let digests: BTreeSet<Digest> = others.iter().map(RetentionPolicy::digest).collect();
        assert!(digests.len() == others.len() && !digests.contains(&digest));
    }

    #[test]
    fn a_policy_comes_back_from_its_json_and_one_that_is_not_known_does_not() {
        let mut json = serde_json::to_value(busy()).expect("json");
        assert_eq!(serde_json::from_value::<RetentionPolicy>(json.clone()).expect("a policy"), busy());
        let off = RetentionPolicy::default();
        let text = serde_json::to_string(&off).expect("json");
        assert_eq!(serde_json::from_str::<RetentionPolicy>(&text).expect("a policy"), off);
        json["max_age_seconds"] = serde_json::json!(-1.0);
        assert!(serde_json::from_value::<RetentionPolicy>(json.clone()).is_err());
        json["max_age_seconds"] = serde_json::json!(null);
        json["keep_the_prettiest"] = serde_json::json!(3);
        assert!(serde_json::from_value::<RetentionPolicy>(json).is_err());
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let refused = |policy: RetentionPolicy| policy.check().unwrap_err().to_string();
        assert_eq!(busy().check(), Ok(()));
        assert_eq!(RetentionPolicy::default().check(), Ok(()));
        assert_eq!(
            refused(busy().with_top("", Direction::Max, 2)),
            "a budget for the best 2 names no metric; name one"
        );
        assert_eq!(
            refused(busy().with_top("loss", Direction::Max, 1)),
            "metric \"loss\" has two budgets; give it one"
        );
        let mut both = busy();
        both.preserve.insert(EventClass::Periodic);
        assert_eq!(
            refused(both),
            "periodic checkpoints are preserved for ever, so keeping the last 8 of them has no effect; take \
             `periodic` out of what is preserved, or set the number to 0"
        );
    }

    #[test]
    fn it_prunes_at_every_so_many_saves() {
        let policy = RetentionPolicy::default();
        assert!(!policy.is_due_after(9) && policy.is_due_after(10) && policy.is_due_after(11));
        assert!(!RetentionPolicy { prune_every: 0, ..policy }.is_due_after(u64::MAX));
    }
}
