//! Why a checkpoint is kept or deleted: data, and a sentence.

use std::fmt;
use std::time::Duration;

use ckpt_format::{EventClass, State};
use serde::{Serialize, Serializer};

/// A rule of retention, in the words of the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The newest committed one stays.
    Newest,
    /// A user's mark.
    Pinned,
    /// What is not committed is left.
    NotOursToJudge,
    /// Events of a preserved class.
    Preserved,
    /// The newest periodic ones.
    LastPeriodic,
    /// The best by a metric.
    Top,
    /// Those whose sequence is a multiple.
    Every,
    /// No budget is on.
    NoRule,
    /// Too old.
    MaxAge,
    /// Too many bytes together.
    MaxBytes,
}

/// Why a checkpoint is kept or deleted. `Display` is the sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It is the newest committed one.
    Newest,
    /// A user's mark protects it.
    Pinned,
    /// It is not committed: reported and left.
    NotOursToJudge {
        /// What it is instead.
        state: State,
    },
    /// It has an event of a class that is preserved.
    Preserved {
        /// The class.
        class: EventClass,
    },
    /// It was preserved until a later one was completed, and one is.
    Outlived {
        /// The class.
        class: EventClass,
        /// The sequence of the newest completed one.
        completed: u64,
    },
    /// Its place among the periodic ones, newest first.
    LastPeriodic {
        /// From 1; none if it is not periodic.
        rank: Option<u64>,
        /// How many are kept.
        limit: u64,
    },
    /// Its place among the best.
    Top {
        /// By this metric.
        metric: String,
        /// From 1; none without a finite value.
        rank: Option<u64>,
        /// How many are kept.
        limit: u64,
    },
    /// Whether its sequence is a multiple.
    Every {
        /// Its sequence.
        sequence: u64,
        /// Of this.
        limit: u64,
    },
    /// No budget is on.
    NoRule,
    /// It was kept by budgets, and is too old.
    MaxAge {
        /// How long ago it was made.
        age: Duration,
        /// How long one may be kept.
        limit: Duration,
    },
    /// It was kept by budgets, and was the next to go.
    MaxBytes {
        /// Bytes of what was still kept, pinned ones apart, before it went.
        left: u64,
        /// The rule it counted by.
        kept_by: Rule,
        /// How many bytes may be kept.
        limit: u64,
    },
}

impl Rule {
    /// Its one spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Pinned => "pinned",
            Self::NotOursToJudge => "not_ours_to_judge",
            Self::Preserved => "preserved",
            Self::LastPeriodic => "last_periodic",
            Self::Top => "top",
            Self::Every => "every",
            Self::NoRule => "no_rule",
            Self::MaxAge => "max_age",
            Self::MaxBytes => "max_bytes",
        }
    }

    /// How late a limit takes what this rule keeps; none if it never does.
    pub(super) const fn worth(self) -> Option<u8> {
        match self {
            Self::NoRule => Some(0),
            Self::LastPeriodic => Some(1),
            Self::Every => Some(2),
            Self::Top => Some(3),
            Self::Newest
            | Self::Pinned
            | Self::NotOursToJudge
            | Self::Preserved
            | Self::MaxAge
            | Self::MaxBytes => None,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Reason {
    /// The rule it is of.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Newest => Rule::Newest,
            Self::Pinned => Rule::Pinned,
            Self::NotOursToJudge { .. } => Rule::NotOursToJudge,
            Self::Preserved { .. } | Self::Outlived { .. } => Rule::Preserved,
            Self::LastPeriodic { .. } => Rule::LastPeriodic,
            Self::Top { .. } => Rule::Top,
            Self::Every { .. } => Rule::Every,
            Self::NoRule => Rule::NoRule,
            Self::MaxAge { .. } => Rule::MaxAge,
            Self::MaxBytes { .. } => Rule::MaxBytes,
        }
    }

    /// Whether it is a reason to keep; if not, it is one to delete.
    pub fn keeps(&self) -> bool {
        match self {
            Self::Newest
            | Self::Pinned
            | Self::NotOursToJudge { .. }
            | Self::Preserved { .. }
            | Self::NoRule => true,
            Self::LastPeriodic { rank, limit } | Self::Top { rank, limit, .. } => {
                rank.is_some_and(|rank| rank <= *limit)
            }
            Self::Every { sequence, limit } => sequence.is_multiple_of(*limit),
            Self::Outlived { .. } | Self::MaxAge { .. } | Self::MaxBytes { .. } => false,
        }
    }

    /// The metric it goes by, if by one.
    pub fn metric(&self) -> Option<&str> {
        match self {
            Self::Top { metric, .. } => Some(metric),
            _ => None,
        }
    }

    /// The place it goes by, from 1, if by one.
    pub fn rank(&self) -> Option<u64> {
        match self {
            Self::LastPeriodic { rank, .. } | Self::Top { rank, .. } => *rank,
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => f.write_str("the newest committed one"),
            Self::Pinned => f.write_str("pinned"),
            Self::NotOursToJudge { state } => write!(f, "{state}: reported and left"),
            Self::Preserved { class } if until_completed(*class) => {
                write!(f, "{class} is preserved until a later one is completed")
            }
            Self::Preserved { class } => write!(f, "{class} is preserved"),
            Self::Outlived { class, completed } => {
                write!(f, "{class} is no longer preserved: the later {completed} is completed")
            }
            Self::LastPeriodic { rank: Some(rank), limit } => {
                write!(f, "rank {rank} of the last {limit} periodic")
            }
            Self::LastPeriodic { rank: None, limit } => {
                write!(f, "not periodic, so none of the last {limit}")
            }
            Self::Top { metric, rank: Some(rank), limit } => {
                write!(f, "{metric}: rank {rank}, keeps {limit}")
            }
            Self::Top { metric, rank: None, limit } => {
                write!(f, "{metric}: no finite value, keeps {limit}")
            }
            Self::Every { sequence, limit } => {
                let is = if self.keeps() { "is a" } else { "is no" };
                write!(f, "sequence {sequence} {is} multiple of {limit}")
            }
            Self::NoRule => f.write_str("no budget is on"),
            Self::MaxAge { age, limit } => {
                write!(f, "made {} ago, max_age is {}", Span(*age), Span(*limit))
            }
            Self::MaxBytes { left, kept_by, limit } => {
                write!(f, "{left} bytes were left, max_bytes is {limit}, and no more than {kept_by} kept it")
            }
        }
    }
}

/// Whether a class is preserved only until a later checkpoint is completed.
pub(super) fn until_completed(class: EventClass) -> bool {
    matches!(class, EventClass::Interrupt | EventClass::Cancellation | EventClass::Shutdown)
}

/// `7 d 2 h`: exact to the millisecond, without the units that are zero.
pub(super) struct Span(pub(super) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_millis();
        let mut first = true;
        for (unit, millis) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)]
        {
            let whole = rest / millis;
            rest %= millis;
            if whole > 0 {
                write!(f, "{}{whole} {unit}", if first { "" } else { " " })?;
                first = false;
            }
        }
        if first { f.write_str("0 s") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_a_sentence() {
        let top = |rank| Reason::Top { metric: "loss".to_owned(), rank, limit: 3 };
        let age = Duration::from_millis(691_200_005);
        let said = [
            (Reason::Newest, "the newest committed one"),
            (Reason::Pinned, "pinned"),
            (Reason::NotOursToJudge { state: State::Damaged }, "damaged: reported and left"),
            (Reason::Preserved { class: EventClass::PhaseBoundary }, "phase_boundary is preserved"),
            (
                Reason::Preserved { class: EventClass::Interrupt },
                "interrupt is preserved until a later one is completed",
            ),
            (
                Reason::Outlived { class: EventClass::Shutdown, completed: 12 },
                "shutdown is no longer preserved: the later 12 is completed",
            ),
            (Reason::LastPeriodic { rank: Some(9), limit: 8 }, "rank 9 of the last 8 periodic"),
            (Reason::LastPeriodic { rank: None, limit: 8 }, "not periodic, so none of the last 8"),
            (top(Some(12)), "loss: rank 12, keeps 3"),
            (top(None), "loss: no finite value, keeps 3"),
            (Reason::Every { sequence: 20, limit: 10 }, "sequence 20 is a multiple of 10"),
            (Reason::Every { sequence: 21, limit: 10 }, "sequence 21 is no multiple of 10"),
            (Reason::NoRule, "no budget is on"),
            (
                Reason::MaxAge { age, limit: Duration::from_secs(90_061) },
                "made 8 d 5 ms ago, max_age is 1 d 1 h 1 min 1 s",
            ),
            (
                Reason::MaxBytes { left: 900, kept_by: Rule::Every, limit: 500 },
                "900 bytes were left, max_bytes is 500, and no more than every kept it",
            ),
        ];
        for (reason, sentence) in said {
            assert_eq!(reason.to_string(), sentence);
        }
        assert_eq!(Span(Duration::ZERO).to_string(), "0 s");
    }
}
