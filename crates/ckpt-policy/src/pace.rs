//! What has happened so far, as far as the next periodic save depends on it.

use std::time::Duration;

/// What a save took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// What the caller was blocked for.
    pub blocked: Duration,
    /// Until it was durable.
    pub total: Duration,
}

/// What has happened so far: a plain value that the owner of the schedule keeps. Times count from the start of its clock.
///
/// ```
/// use std::time::Duration;
/// use ckpt_policy::{Cost, Pace, Schedule, Trigger};
///
/// let schedule = Schedule::new(Trigger::EveryUnits(100));
/// let mut pace = Pace::start(5_000); // the position resumed from counts as the last periodic save
/// let at = Duration::from_secs(1);
/// assert!(!schedule.is_due(&pace, 5_099, at));
/// let due = schedule.due(&pace, 5_100, at).expect("100 units were done");
/// assert_eq!(due.to_string(), "100 steps since the last periodic save: every 100");
///
/// let cost = Cost { blocked: Duration::from_millis(3), total: Duration::from_millis(40) };
/// pace.saved(5_100, at + cost.total, due.moves_the_count(), cost);
/// assert!(!schedule.is_due(&pace, 5_101, at + cost.total));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    start_step: u64,
    periodic_step: u64,
    periodic_at: Duration,
    save_ended_at: Option<Duration>,
    cost_last: Option<Cost>,
    cost_average: Option<Cost>,
    failed_at: Option<Duration>,
    in_flight: Option<InFlight>,
}

/// A save that was begun and is not yet acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InFlight {
    step: u64,
    at: Duration,
    periodic: bool,
}

impl Pace {
    /// Begins at this step: 0, or the position resumed from, which counts as the last periodic save.
    pub fn start(step: u64) -> Self {
        Self {
            start_step: step,
            periodic_step: step,
            periodic_at: Duration::ZERO,
            save_ended_at: None,
            cost_last: None,
            cost_average: None,
            failed_at: None,
            in_flight: None,
        }
    }

    /// With what saves are known to cost, from a checkpoint of this run: then nothing has to be saved to find out.
    #[must_use]
    pub fn with_cost(mut self, cost: Cost) -> Self {
        (self.cost_last, self.cost_average) = (Some(cost), Some(cost));
        self
    }

    /// To be told of each step: a step lower than that of the last periodic save begins the count anew there.
    #[inline]
    pub fn reached(&mut self, step: u64) {
        if step < self.periodic_step || step < self.start_step {
            self.periodic_step = self.periodic_step.min(step);
            self.start_step = self.start_step.min(step);
        }
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.step = in_flight.step.min(step);
        }
    }

    /// A save was begun in the background, and [`saved`](Self::saved) or [`failed`](Self::failed) will follow. Until then a
    /// periodic one counts as if it were made, so that the next step does not ask for it again.
    pub fn started(&mut self, step: u64, at: Duration, periodic: bool) {
        self.in_flight = Some(InFlight { step, at, periodic });
    }

    /// A save of the state at `step` was acknowledged. `periodic` says whether it moves the count: see
    /// [`Due::moves_the_count`](crate::Due::moves_the_count).
    pub fn saved(&mut self, step: u64, ended_at: Duration, periodic: bool, cost: Cost) {
        if periodic {
            self.periodic_step = self.periodic_step.max(step);
            self.periodic_at = self.periodic_at.max(ended_at);
        }
        self.save_ended_at = self.save_ended_at.max(Some(ended_at));
        self.cost_last = Some(cost);
        self.cost_average = Some(self.cost_average.map_or(cost, |average| Cost {
            blocked: nearer(average.blocked, cost.blocked),
            total: nearer(average.total, cost.total),
        }));
        self.failed_at = None;
        // One that was begun after it is still under way.
        self.in_flight = self.in_flight.filter(|in_flight| in_flight.step > step);
    }

    /// A periodic save was due and left out, because another one was in flight: the next comes a whole interval later.
    pub fn skipped(&mut self, step: u64, at: Duration) {
        self.periodic_step = self.periodic_step.max(step);
        self.periodic_at = self.periodic_at.max(at);
    }

    /// A save failed: the count stays, and the next is tried after the schedule's `retry_pause`.
    pub fn failed(&mut self, at: Duration) {
        self.failed_at = Some(at);
        self.in_flight = None;
    }

    /// Where the work began.
    pub fn start_step(&self) -> u64 {
        self.start_step
    }

    /// The step that the count of units goes from.
    pub fn periodic_step(&self) -> u64 {
        match self.in_flight {
            Some(in_flight) if in_flight.periodic => self.periodic_step.max(in_flight.step),
            _ => self.periodic_step,
        }
    }

    /// When the last save ended, if there was one.
    pub fn save_ended_at(&self) -> Option<Duration> {
        self.save_ended_at
    }

    /// When the last save failed, if none was made since.
    pub fn failed_at(&self) -> Option<Duration> {
        self.failed_at
    }

    /// What saves cost: a moving average.
    pub fn cost_average(&self) -> Option<Cost> {
        self.cost_average
    }

    /// Units done since the last periodic save; 0 after going back.
    pub fn units_since_periodic(&self, step: u64) -> u64 {
        step.saturating_sub(self.periodic_step())
    }

    pub(crate) fn units_since_start(&self, step: u64) -> u64 {
        step.saturating_sub(self.start_step)
    }

    pub(crate) fn since_periodic(&self, at: Duration) -> Duration {
        let begun = self.in_flight.filter(|in_flight| in_flight.periodic).map(|in_flight| in_flight.at);
        at.saturating_sub(self.periodic_at.max(begun.unwrap_or_default()))
    }

    /// Since the end of the last save, or the beginning of one that has not ended, or the start.
    pub(crate) fn since_save(&self, at: Duration) -> Duration {
        let begun = self.in_flight.map(|in_flight| in_flight.at);
        at.saturating_sub(self.save_ended_at.max(begun).unwrap_or_default())
    }

    /// What the caller is blocked for: the last or the average, whichever is more. The pause after a save pays at least for that
    /// save, so an overhead budget holds however costs change.
    pub(crate) fn blocked(&self) -> Option<Duration> {
        self.cost_last.zip(self.cost_average).map(|(last, average)| last.blocked.max(average.blocked))
    }

    /// What a save takes until it is durable, on average.
    pub(crate) fn total(&self) -> Option<Duration> {
        self.cost_average.map(|average| average.total)
    }

    /// Nothing was saved yet, and nothing is being saved.
    pub(crate) fn is_unproved(&self) -> bool {
        self.save_ended_at.is_none() && self.in_flight.is_none()
    }
}

/// A quarter of the way from the average to the newest.
fn nearer(average: Duration, newest: Duration) -> Duration {
    average.saturating_sub(average / 4).saturating_add(newest / 4)
}
