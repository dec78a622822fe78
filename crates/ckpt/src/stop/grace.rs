//! Whether a save still fits into the time that is left before somebody kills the process.

use std::fmt;
use std::time::Duration;

use super::times::SavePrediction;

/// How long after the request to stop the process may live. Supervisors kill after their own grace period: 30 s in Docker
/// and Kubernetes, 90 s in systemd, 30 s in Slurm by default. Choose less than theirs.
///
/// ```
/// use std::time::Duration;
/// use ckpt::{Grace, SaveTimes};
///
/// let mut times = SaveTimes::default();
/// times.record(Duration::from_secs(4), 1 << 30);
/// let verdict = Grace::default().judge(times.predict(None), Duration::from_secs(23));
/// assert!(!verdict.fits());
/// assert_eq!(verdict.to_string(), "a save will not fit: the last save took 4.0 s, and 2.0 s of the grace budget are left");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// From the request to stop to the end of the save. 25 s by default.
    pub budget: Duration,
}

/// Whether a save fits. Shown as a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraceVerdict {
    /// It should be done in time.
    Fits {
        /// How long it should take.
        expected: SavePrediction,
        /// How much of the budget is left.
        left: Duration,
    },
    /// It should not. Trying does no harm: a save that is killed leaves nothing behind.
    WillNotFit {
        /// How long it should take.
        expected: SavePrediction,
        /// How much of the budget is left.
        left: Duration,
    },
    /// No save was measured yet.
    Unknown {
        /// How much of the budget is left.
        left: Duration,
    },
}

impl Grace {
    /// Compares what a save is expected to take with what is left `elapsed` after the request to stop.
    #[must_use]
    pub fn judge(&self, expected: Option<SavePrediction>, elapsed: Duration) -> GraceVerdict {
        let left = self.budget.saturating_sub(elapsed);
        match expected {
            None => GraceVerdict::Unknown { left },
            Some(expected) if expected.time <= left => GraceVerdict::Fits { expected, left },
            Some(expected) => GraceVerdict::WillNotFit { expected, left },
        }
    }
}

impl Default for Grace {
    fn default() -> Self {
        Self { budget: Duration::from_secs(25) }
    }
}

impl GraceVerdict {
    /// True unless it is known that it will not.
    #[must_use]
    pub fn fits(&self) -> bool {
        !matches!(self, Self::WillNotFit { .. })
    }
}

impl fmt::Display for GraceVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, expected, left) = match self {
            Self::Fits { expected, left } => ("a save fits", Some(expected), left),
            Self::WillNotFit { expected, left } => ("a save will not fit", Some(expected), left),
            Self::Unknown { left } => ("whether a save fits is not known", None, left),
        };
        write!(f, "{verdict}: ")?;
        match expected {
            Some(expected) => write!(f, "{} {}", expected.basis, Seconds(expected.time))?,
            None => f.write_str("none was measured")?,
        }
        write!(f, ", and {} of the grace budget are left", Seconds(*left))
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::times::PredictionBasis;

    fn taking(seconds: u64) -> Option<SavePrediction> {
        Some(SavePrediction { time: Duration::from_secs(seconds), basis: PredictionBasis::Average })
    }

    #[test]
    fn what_fits_exactly_fits() {
        let grace = Grace { budget: Duration::from_secs(10) };
        assert!(grace.judge(taking(4), Duration::from_secs(6)).fits());
        assert!(!grace.judge(taking(4), Duration::from_millis(6_001)).fits());
    }

    #[test]
    fn a_budget_that_is_used_up_leaves_nothing() {
        let verdict = Grace::default().judge(taking(1), Duration::from_secs(60));
        assert!(matches!(verdict, GraceVerdict::WillNotFit { left: Duration::ZERO, .. }), "{verdict:?}");
    }

    #[test]
    fn without_a_measurement_it_says_so_and_nothing_is_given_up() {
        let verdict = Grace::default().judge(None, Duration::from_secs(5));
        assert!(verdict.fits());
        assert_eq!(
            verdict.to_string(),
            "whether a save fits is not known: none was measured, and 20.0 s of the grace budget are left"
        );
    }

    #[test]
    fn the_sentence_names_both_numbers() {
        assert_eq!(
            Grace::default().judge(taking(3), Duration::from_secs(1)).to_string(),
            "a save fits: saves took on average 3.0 s, and 24.0 s of the grace budget are left"
        );
    }
}
