//! How far apart saves should be: the formulas of `docs/POLICY.md`, section 1.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::seconds::duration;

/// An interval that grows with progress, in units.
///
/// ```
/// use ckpt_policy::Adaptive;
///
/// let adaptive = Adaptive::new(25_000, 5.0, Some(2_000_000))?;
/// assert_eq!(adaptive.interval_at(0), 25_000);
/// assert_eq!(adaptive.interval_at(1_000_000), 75_000);
/// assert_eq!(adaptive.interval_at(9_000_000), 125_000);
/// # Ok::<(), ckpt_policy::TriggerError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Adaptive {
    base: u64,
    max_multiplier: f64,
    target: Option<u64>,
}

impl Adaptive {
    /// Grows from `base` to `max_multiplier` times as much at `target`. A base of 0 turns the trigger off; without a
    /// target, or with 0, the interval is always the base.
    ///
    /// # Errors
    /// [`TriggerError::Multiplier`] if the multiplier is below 1 or no finite number.
    pub fn new(base: u64, max_multiplier: f64, target: Option<u64>) -> Result<Self, TriggerError> {
        if max_multiplier.is_finite() && max_multiplier >= 1.0 {
            Ok(Self { base, max_multiplier, target })
        } else {
            Err(TriggerError::Multiplier { found: max_multiplier })
        }
    }

    /// The interval at the start.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The interval at the end, as a multiple of the base.
    pub fn max_multiplier(&self) -> f64 {
        self.max_multiplier
    }

    /// Where the end is.
    pub fn target(&self) -> Option<u64> {
        self.target
    }

    /// The interval at this step, `base * (1 + (max_multiplier - 1) * clamp(step / target, 0, 1))`: the least whole number that is
    /// not below it. It never falls as the step rises, and is never below the base.
    pub fn interval_at(&self, step: u64) -> u64 {
        let progress = match self.target {
            Some(target) if target > 0 => (step as f64 / target as f64).min(1.0),
            _ => 0.0,
        };
        let interval = self.base as f64 * (1.0 + (self.max_multiplier - 1.0) * progress);
        // A few units in the last place are no unit of work: 25,000 * 2.2 is 55,000. The cast saturates where a u64 ends.
        let interval = (interval * (1.0 - 4.0 * f64::EPSILON)).ceil() as u64;
        // Above 2^53 a base is not exact as a float.
        interval.max(self.base)
    }
}

/// A share of the whole: above 0 and below 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64")]
pub struct Share(f64);

impl Share {
    /// Checks the number.
    ///
    /// # Errors
    /// [`TriggerError::Share`] if it is not above 0 and below 1.
    pub fn new(share: f64) -> Result<Self, TriggerError> {
        if share > 0.0 && share < 1.0 { Ok(Self(share)) } else { Err(TriggerError::Share { found: share }) }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = TriggerError;

    fn try_from(share: f64) -> Result<Self, TriggerError> {
        Self::new(share)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_cent = format!("{:.4}", self.0 * 100.0);
        write!(f, "{} %", per_cent.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Why a trigger was not made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TriggerError {
    /// An interval that would shrink, or is no number.
    #[error(
        "the interval's max_multiplier is {found}: it must be a finite number of at least 1 (1: the interval never grows)"
    )]
    Multiplier {
        /// What was given.
        found: f64,
    },
    /// A share of the run time that is none.
    #[error(
        "the overhead budget is {found}: it is a share of the run time, above 0 and below 1 (0.01 is 1 %)"
    )]
    Share {
        /// What was given.
        found: f64,
    },
    /// A combination of nothing.
    #[error("`{combinator}` of no triggers would never be due: give it one, or 0 units to turn it off")]
    Empty {
        /// `any` or `all`.
        combinator: &'static str,
    },
}

/// An [`Adaptive`] as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    base: u64,
    max_multiplier: f64,
    // Named, so that it must be there: what is left out is not `null`.
    #[serde(deserialize_with = "Option::deserialize")]
    target: Option<u64>,
}

impl TryFrom<Unchecked> for Adaptive {
    type Error = TriggerError;

    fn try_from(read: Unchecked) -> Result<Self, TriggerError> {
        Self::new(read.base, read.max_multiplier, read.target)
    }
}

/// The pause after a save with which saving takes at most this share of the time: `cost / share - cost`.
pub(crate) fn overhead_pause(cost: Duration, share: Share) -> Duration {
    let cost = cost.as_secs_f64();
    duration(cost / share.get() - cost)
}

/// The pause after a save that loses least time in all, to first order: `sqrt(2 * cost * mtbf) - cost`, at least the cost.
///
/// J. W. Young, "A first order approximation to the optimum checkpoint interval", CACM 17(9), 1974; J. T. Daly, "A higher
/// order estimate of the optimum checkpoint interval for restart dumps", FGCS 22(3), 2006.
pub(crate) fn young_daly_pause(cost: Duration, mtbf: Duration) -> Duration {
    let (cost, mtbf) = (cost.as_secs_f64(), mtbf.as_secs_f64());
    duration(((2.0 * cost * mtbf).sqrt() - cost).max(cost))
}
