//! What makes a periodic save due: `docs/POLICY.md`, section 1.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::due_reason::DueReason;
use crate::explain::{Count, Seconds};
use crate::interval::{Adaptive, Share, TriggerError, overhead_pause, young_daly_pause};
use crate::pace::Pace;

/// Says whether a periodic save is due. A number that is 0 turns its trigger off.
///
/// ```
/// use std::time::Duration;
/// use ckpt_policy::{Share, Trigger};
///
/// let trigger = Trigger::any([
///     Trigger::adaptive(25_000, 5.0, Some(2_000_000))?,
///     Trigger::EveryDuration(Duration::from_secs(3600)),
///     Trigger::OverheadBudget(Share::new(0.01)?),
/// ])?;
/// assert!(trigger.is_on() && !Trigger::EveryUnits(0).is_on());
/// assert!(Trigger::adaptive(25_000, 0.5, None).is_err());
/// # Ok::<(), ckpt_policy::TriggerError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trigger {
    /// Every so many units since the last periodic save.
    EveryUnits(u64),
    /// Every so long since the last periodic save. In JSON `every_seconds`.
    #[serde(rename = "every_seconds", with = "crate::seconds")]
    EveryDuration(Duration),
    /// Ever further apart as the work goes on.
    Adaptive(Adaptive),
    /// So rarely that saving takes at most this share of the run time.
    OverheadBudget(Share),
    /// At the interval of Young and Daly for this mean time between failures. In JSON `mean_time_between_failures_seconds`.
    #[serde(rename = "mean_time_between_failures_seconds", with = "crate::seconds")]
    YoungDaly(Duration),
    /// When one of them is due; those that are off do not count. Better made with [`Trigger::any`].
    Any(Vec<Trigger>),
    /// When each of them is due; those that are off do not count. Better made with [`Trigger::all`].
    All(Vec<Trigger>),
}

impl Trigger {
    /// [`Trigger::Adaptive`], checked.
    ///
    /// # Errors
    /// As [`Adaptive::new`].
    pub fn adaptive(base: u64, max_multiplier: f64, target: Option<u64>) -> Result<Self, TriggerError> {
        Adaptive::new(base, max_multiplier, target).map(Self::Adaptive)
    }

    /// [`Trigger::OverheadBudget`], checked.
    ///
    /// # Errors
    /// As [`Share::new`].
    pub fn overhead_budget(share: f64) -> Result<Self, TriggerError> {
        Share::new(share).map(Self::OverheadBudget)
    }

    /// Due when one of them is.
    ///
    /// # Errors
    /// [`TriggerError::Empty`] of none.
    pub fn any(triggers: impl IntoIterator<Item = Trigger>) -> Result<Self, TriggerError> {
        some(triggers, "any").map(Self::Any)
    }

    /// Due when each of them is.
    ///
    /// # Errors
    /// [`TriggerError::Empty`] of none.
    pub fn all(triggers: impl IntoIterator<Item = Trigger>) -> Result<Self, TriggerError> {
        some(triggers, "all").map(Self::All)
    }

    /// Whether it can ever be due.
    pub fn is_on(&self) -> bool {
        match self {
            Self::EveryUnits(units) => *units > 0,
            Self::EveryDuration(duration) | Self::YoungDaly(duration) => !duration.is_zero(),
            Self::Adaptive(adaptive) => adaptive.base() > 0,
            Self::OverheadBudget(_) => true,
            Self::Any(triggers) | Self::All(triggers) => triggers.iter().any(Self::is_on),
        }
    }

    /// Whether the answer depends on the time.
    pub(crate) fn needs_time(&self) -> bool {
        match self {
            Self::EveryUnits(_) | Self::Adaptive(_) => false,
            Self::EveryDuration(_) | Self::OverheadBudget(_) | Self::YoungDaly(_) => self.is_on(),
            Self::Any(triggers) | Self::All(triggers) => triggers.iter().any(Self::needs_time),
        }
    }

    /// What of it does not depend on the time; `None` if that is nothing. What is off stays.
    pub(crate) fn without_time(&self) -> Option<Self> {
        let left = |triggers: &[Self]| triggers.iter().filter_map(Self::without_time).collect::<Vec<_>>();
        let combined =
            |triggers: Vec<Self>, join: fn(Vec<Self>) -> Self| (!triggers.is_empty()).then(|| join(triggers));
        match self {
            Self::Any(triggers) => combined(left(triggers), Self::Any),
            Self::All(triggers) => combined(left(triggers), Self::All),
            single => (!single.needs_time()).then(|| single.clone()),
        }
    }

    /// Whether it is due; `None` if it is off.
    pub(crate) fn is_due(&self, pace: &Pace, step: u64, at: Duration) -> Option<bool> {
        match self {
            Self::Any(triggers) => combine(triggers, pace, step, at, |one, other| one || other),
            Self::All(triggers) => combine(triggers, pace, step, at, |one, other| one && other),
            single if !single.is_on() => None,
            single => Some(match single.measure(pace, step, at) {
                Measure::Units { done, needed } => done >= needed,
                Measure::Time { passed, needed } => passed >= needed,
                Measure::NoCost { first } => first,
            }),
        }
    }

    /// Adds the reasons of those that are due, in order.
    pub(crate) fn explain(
        &self,
        pace: &Pace,
        step: u64,
        at: Duration,
        unit: &str,
        reasons: &mut Vec<DueReason>,
    ) {
        if self.is_due(pace, step, at) != Some(true) {
            return;
        }
        if let Self::Any(triggers) | Self::All(triggers) = self {
            for trigger in triggers {
                trigger.explain(pace, step, at, unit, reasons);
            }
            return;
        }
        let unit = unit.to_owned();
        reasons.push(match (self, self.measure(pace, step, at)) {
            (Self::Adaptive(adaptive), Measure::Units { done, needed: interval }) => {
                DueReason::Adaptive { done, interval, base: adaptive.base(), step, unit }
            }
            (_, Measure::Units { done, needed: every }) => DueReason::EveryUnits { done, every, unit },
            (Self::OverheadBudget(share), Measure::Time { passed, needed }) => DueReason::OverheadBudget {
                passed_seconds: passed.as_secs_f64(),
                needed_seconds: needed.as_secs_f64(),
                cost_seconds: pace.blocked().unwrap_or_default().as_secs_f64(),
                share: *share,
            },
            (Self::YoungDaly(mtbf), Measure::Time { passed, needed }) => DueReason::YoungDaly {
                passed_seconds: passed.as_secs_f64(),
                needed_seconds: needed.as_secs_f64(),
                cost_seconds: pace.total().unwrap_or_default().as_secs_f64(),
                mtbf_seconds: mtbf.as_secs_f64(),
            },
            (_, Measure::Time { passed, needed }) => DueReason::EveryDuration {
                passed_seconds: passed.as_secs_f64(),
                every_seconds: needed.as_secs_f64(),
            },
            (_, Measure::NoCost { .. }) => DueReason::FirstCost,
        });
    }

    /// Adds a line for it, and indented ones for what it combines.
    pub(crate) fn describe(&self, unit: &str, depth: usize, lines: &mut Vec<String>) {
        lines.push(format!("{:indent$}{}", "", self.line(unit), indent = 2 * depth));
        for trigger in self.combined() {
            trigger.describe(unit, depth + 1, lines);
        }
    }

    /// The same in one line: `any of these (every 10 steps; every 300 s)`.
    pub(crate) fn sentence(&self, unit: &str) -> String {
        let inner: Vec<String> = self.combined().iter().map(|trigger| trigger.sentence(unit)).collect();
        let line = self.line(unit);
        if inner.is_empty() { line } else { format!("{line} ({})", inner.join("; ")) }
    }

    fn combined(&self) -> &[Self] {
        match self {
            Self::Any(triggers) | Self::All(triggers) => triggers,
            _ => &[],
        }
    }

    /// What it is, without what it combines.
    fn line(&self, unit: &str) -> String {
        let off = if self.is_on() { "" } else { ": off" };
        match self {
            Self::EveryUnits(0) => format!("every N {unit}: off"),
            Self::EveryUnits(units) => format!("every {} {unit}", Count(*units)),
            Self::EveryDuration(Duration::ZERO) => "every T: off".to_owned(),
            Self::EveryDuration(every) => format!("every {}", Seconds::from(*every)),
            Self::Adaptive(adaptive) if adaptive.base() == 0 => "adaptive: off".to_owned(),
            Self::Adaptive(adaptive) => match adaptive.target() {
                Some(target) if target > 0 => format!(
                    "adaptive: every {} {unit}, growing to {} at {}",
                    Count(adaptive.base()),
                    Count(adaptive.interval_at(target)),
                    Count(target)
                ),
                _ => format!(
                    "adaptive: every {} {unit}; without a target it does not grow",
                    Count(adaptive.base())
                ),
            },
            Self::OverheadBudget(share) => {
                format!("overhead budget: saving takes at most {share} of the run time")
            }
            Self::YoungDaly(Duration::ZERO) => "Young/Daly: off".to_owned(),
            Self::YoungDaly(mtbf) => {
                format!("Young/Daly: a failure every {} on average", Seconds::from(*mtbf))
            }
            Self::Any(_) => format!("any of these{off}"),
            Self::All(_) => format!("all of these{off}"),
        }
    }

    /// What a single trigger compares. It is for those that are on.
    fn measure(&self, pace: &Pace, step: u64, at: Duration) -> Measure {
        let after_save = |needed: Option<Duration>| match needed {
            Some(needed) => Measure::Time { passed: pace.since_save(at), needed },
            None => Measure::NoCost { first: pace.is_unproved() && pace.units_since_start(step) > 0 },
        };
        match self {
            Self::EveryUnits(every) => {
                Measure::Units { done: pace.units_since_periodic(step), needed: *every }
            }
            Self::Adaptive(adaptive) => {
                Measure::Units { done: pace.units_since_periodic(step), needed: adaptive.interval_at(step) }
            }
            Self::EveryDuration(every) => Measure::Time { passed: pace.since_periodic(at), needed: *every },
            Self::OverheadBudget(share) => {
                after_save(pace.blocked().map(|cost| overhead_pause(cost, *share)))
            }
            Self::YoungDaly(mtbf) => after_save(pace.total().map(|cost| young_daly_pause(cost, *mtbf))),
            Self::Any(_) | Self::All(_) => Measure::NoCost { first: false },
        }
    }
}

/// What there is beside what there has to be.
enum Measure {
    Units {
        done: u64,
        needed: u64,
    },
    Time {
        passed: Duration,
        needed: Duration,
    },
    /// The pause depends on a cost that nobody has measured: the first save measures it.
    NoCost {
        first: bool,
    },
}

fn combine(
    triggers: &[Trigger],
    pace: &Pace,
    step: u64,
    at: Duration,
    join: fn(bool, bool) -> bool,
) -> Option<bool> {
    triggers.iter().filter_map(|trigger| trigger.is_due(pace, step, at)).reduce(join)
}

fn some(
    triggers: impl IntoIterator<Item = Trigger>,
    combinator: &'static str,
) -> Result<Vec<Trigger>, TriggerError> {
    let triggers: Vec<Trigger> = triggers.into_iter().collect();
    if triggers.is_empty() { Err(TriggerError::Empty { combinator }) } else { Ok(triggers) }
}
