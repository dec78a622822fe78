//! Whether a periodic save is made now, and why: `docs/POLICY.md`, section 1.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::due_reason::DueReason;
use crate::explain::{Count, Seconds};
use crate::pace::Pace;
use crate::trigger::Trigger;

/// When periodic saves are made.
///
/// ```
/// use std::time::Duration;
/// use ckpt_policy::{Pace, Schedule, Trigger};
///
/// let schedule = Schedule {
///     early_first: 1,
///     ..Schedule::new(Trigger::adaptive(25_000, 5.0, Some(2_000_000))?)
/// };
/// let pace = Pace::start(0);
/// assert!(!schedule.is_due(&pace, 0, Duration::ZERO));
/// let due = schedule.due(&pace, 1, Duration::ZERO).expect("the early first save");
/// assert!(!due.moves_the_count());
/// assert_eq!(schedule.describe()[0], "adaptive: every 25,000 steps, growing to 125,000 at 2,000,000");
/// # Ok::<(), ckpt_policy::TriggerError>(())
/// ```
///
/// Read from JSON, every setting must be there and none besides: a schedule with a setting that is not known here is not this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// What makes one due.
    pub trigger: Trigger,
    /// None starts before so long after the end of the last save of any kind. Default: none. In JSON `minimum_pause_seconds`.
    #[serde(rename = "minimum_pause_seconds", with = "crate::seconds")]
    pub minimum_pause: Duration,
    /// One at the first step that is at least so many units after the start, unless something was saved before, to prove that
    /// the path can be written. 0: off, the default.
    pub early_first: u64,
    /// How long after one that failed the next is tried. Default: 5 s. In JSON `retry_pause_seconds`.
    #[serde(rename = "retry_pause_seconds", with = "crate::seconds")]
    pub retry_pause: Duration,
    /// What a unit is, for the sentences. Default: `steps`.
    pub unit: String,
}

impl Schedule {
    /// By this trigger, with nothing beside it.
    pub fn new(trigger: Trigger) -> Self {
        Self {
            trigger,
            minimum_pause: Duration::ZERO,
            early_first: 0,
            retry_pause: Duration::from_secs(5),
            unit: "steps".to_owned(),
        }
    }

    /// Whether a periodic save is due at this step and time: what [`due`](Self::due) says, without its reasons, in a few
    /// nanoseconds. It allocates nothing.
    #[inline]
    pub fn is_due(&self, pace: &Pace, step: u64, at: Duration) -> bool {
        let wanted = self.trigger.is_due(pace, step, at) == Some(true) || self.is_early_first_due(pace, step);
        wanted && self.may_start(pace, at)
    }

    /// Whether a periodic save is due at this step and time, and why: every trigger that is due is among the reasons.
    pub fn due(&self, pace: &Pace, step: u64, at: Duration) -> Option<Due> {
        if !self.is_due(pace, step, at) {
            return None;
        }
        let mut reasons = Vec::new();
        self.trigger.explain(pace, step, at, &self.unit, &mut reasons);
        let moves_the_count = !reasons.is_empty();
        if self.is_early_first_due(pace, step) {
            let done = pace.units_since_start(step);
            reasons.push(DueReason::EarlyFirst { done, after: self.early_first, unit: self.unit.clone() });
        }
        Some(Due { reasons, moves_the_count })
    }

    /// Whether the answer depends on the time. If not, any time will do and the clock need not be read. A failed save makes it
    /// depend on the time until one is made.
    #[inline]
    pub fn needs_time(&self, pace: &Pace) -> bool {
        pace.failed_at().is_some() || !self.minimum_pause.is_zero() || self.trigger.needs_time()
    }

    /// The same without anything that goes by time: for a simulation, whose steps take none.
    ///
    /// ```
    /// use std::time::Duration;
    /// use ckpt_policy::{Schedule, Trigger};
    ///
    /// let hourly = Trigger::EveryDuration(Duration::from_secs(3600));
    /// let schedule = Schedule::new(Trigger::any([Trigger::EveryUnits(100), hourly.clone()])?);
    /// assert_eq!(schedule.without_time().trigger, Trigger::any([Trigger::EveryUnits(100)])?);
    /// assert!(!Schedule::new(hourly).without_time().trigger.is_on());
    /// # Ok::<(), ckpt_policy::TriggerError>(())
    /// ```
    #[must_use]
    pub fn without_time(&self) -> Self {
        Self {
            trigger: self.trigger.without_time().unwrap_or(Trigger::EveryUnits(0)),
            minimum_pause: Duration::ZERO,
            ..self.clone()
        }
    }

    /// One line a trigger, and one for each of the settings beside them; what is off is shown as `off`. The same in one line is its
    /// `Display`.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.trigger.describe(&self.unit, 0, &mut lines);
        lines.extend(self.beside());
        lines
    }

    fn beside(&self) -> [String; 3] {
        let pause = match self.minimum_pause {
            Duration::ZERO => "minimum pause after a save: off".to_owned(),
            pause => format!("minimum pause after a save: {}", Seconds::from(pause)),
        };
        let early_first = match self.early_first {
            0 => "early first save: off".to_owned(),
            after => format!("early first save: after {} {}", Count(after), self.unit),
        };
        [pause, early_first, format!("after a failed save: again after {}", Seconds::from(self.retry_pause))]
    }

    fn is_early_first_due(&self, pace: &Pace, step: u64) -> bool {
        self.early_first > 0 && pace.is_unproved() && pace.units_since_start(step) >= self.early_first
    }

    fn may_start(&self, pace: &Pace, at: Duration) -> bool {
        let is_over =
            |since: Option<Duration>, pause| since.is_none_or(|since| at.saturating_sub(since) >= pause);
        is_over(pace.save_ended_at(), self.minimum_pause) && is_over(pace.failed_at(), self.retry_pause)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.trigger.sentence(&self.unit), self.beside().join("; "))
    }
}

/// A periodic save that is due. In JSON the list of its reasons; its sentence joins theirs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Due {
    /// Why, never empty.
    pub reasons: Vec<DueReason>,
    #[serde(skip)]
    moves_the_count: bool,
}

impl Due {
    /// Whether it becomes "the last periodic save" once it is acknowledged: what [`Pace::saved`] and [`Pace::started`] ask for.
    /// False if only the early first save is due.
    pub fn moves_the_count(&self) -> bool {
        self.moves_the_count
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, reason) in self.reasons.iter().enumerate() {
            let separator = if place > 0 { "; " } else { "" };
            write!(f, "{separator}{reason}")?;
        }
        Ok(())
    }
}
