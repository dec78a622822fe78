//! How long saves took, and how long the next one will.

use std::fmt;
use std::time::Duration;

/// The weight of the newest save in the moving average: of the saves before the last four about a third is left.
const NEWEST_WEIGHT: f64 = 0.25;

/// What was measured of the saves so far.
///
/// ```
/// use std::time::Duration;
/// use ckpt::SaveTimes;
///
/// let mut times = SaveTimes::default();
/// assert_eq!(times.predict(None), None);
/// times.record(Duration::from_secs(4), 1 << 30);
/// // Three times as much takes three times as long.
/// assert_eq!(times.predict(Some(3 << 30)).unwrap().time, Duration::from_secs(12));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SaveTimes {
    measured: Option<Measured>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Measured {
    last: Duration,
    average: Duration,
    bytes: u64,
}

/// How long the next save is expected to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavePrediction {
    /// So long.
    pub time: Duration,
    /// What says so.
    pub basis: PredictionBasis,
}

/// What a prediction stands on. Shown as "the last save took".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PredictionBasis {
    /// The last save.
    Last,
    /// The moving average, as the last save was quicker.
    Average,
    /// The last save, in proportion to the bytes, as this one is larger.
    Bytes,
}

impl SaveTimes {
    /// A save of `bytes` took `time`, from the caller's call to the acknowledgement.
    pub fn record(&mut self, time: Duration, bytes: u64) {
        let average = self.measured.map_or(time, |before| {
            // Durations of up to 500 years stay whole in an f64 of seconds to well below a millisecond.
            let seconds =
                before.average.as_secs_f64() * (1.0 - NEWEST_WEIGHT) + time.as_secs_f64() * NEWEST_WEIGHT;
            Duration::try_from_secs_f64(seconds).unwrap_or(time)
        });
        self.measured = Some(Measured { last: time, average, bytes });
    }

    /// How long the next save is expected to take: as long as the last one or the moving average, whichever is longer, and
    /// longer in proportion if `bytes` is more than the last one had. `None` if nothing was measured.
    #[must_use]
    pub fn predict(&self, bytes: Option<u64>) -> Option<SavePrediction> {
        let Measured { last, average, bytes: before } = self.measured?;
        let larger = bytes.filter(|bytes| *bytes > before && before > 0);
        let scaled = larger.and_then(|bytes| {
            Duration::try_from_secs_f64(last.as_secs_f64() * (bytes as f64 / before as f64)).ok()
        });
        [
            Some((last, PredictionBasis::Last)),
            Some((average, PredictionBasis::Average)),
            scaled.map(|time| (time, PredictionBasis::Bytes)),
        ]
        .into_iter()
        .flatten()
        // Of equals the first, which says the simplest.
        .reduce(|longest, next| if next.0 > longest.0 { next } else { longest })
        .map(|(time, basis)| SavePrediction { time, basis })
    }
}

impl fmt::Display for PredictionBasis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Last => "the last save took",
            Self::Average => "saves took on average",
            Self::Bytes => "by its size the save will take",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(saves: &[(u64, u64)]) -> SaveTimes {
        let mut times = SaveTimes::default();
        for (seconds, bytes) in saves {
            times.record(Duration::from_secs(*seconds), *bytes);
        }
        times
    }

    fn predicted(times: &SaveTimes, bytes: Option<u64>) -> (Duration, PredictionBasis) {
        let prediction = times.predict(bytes).unwrap();
        (prediction.time, prediction.basis)
    }

    #[test]
    fn one_save_is_like_the_last() {
        let times = after(&[(4, 100)]);
        assert_eq!(predicted(&times, None), (Duration::from_secs(4), PredictionBasis::Last));
        assert_eq!(predicted(&times, Some(100)), (Duration::from_secs(4), PredictionBasis::Last));
    }

    #[test]
    fn a_quick_save_does_not_hide_the_slow_ones_before_it() {
        let times = after(&[(12, 100), (4, 100)]);
        assert_eq!(predicted(&times, None), (Duration::from_secs(10), PredictionBasis::Average));
        let slower = after(&[(4, 100), (12, 100)]);
        assert_eq!(predicted(&slower, None), (Duration::from_secs(12), PredictionBasis::Last));
    }

    #[test]
    fn more_bytes_take_longer_and_fewer_no_less() {
        let times = after(&[(4, 100)]);
        assert_eq!(predicted(&times, Some(250)), (Duration::from_secs(10), PredictionBasis::Bytes));
        assert_eq!(predicted(&times, Some(1)), (Duration::from_secs(4), PredictionBasis::Last));
    }

    #[test]
    fn absurd_sizes_are_no_reason_to_fail() {
        assert_eq!(predicted(&after(&[(4, 0)]), Some(u64::MAX)).0, Duration::from_secs(4));
        let mut times = SaveTimes::default();
        times.record(Duration::MAX, 1);
        times.record(Duration::MAX, 1);
        assert_eq!(predicted(&times, Some(u64::MAX)).0, Duration::MAX);
    }
}
