//! The saves that a schedule would make: `ckpt simulate`.

use std::num::NonZeroU64;
use std::time::Duration;

use serde::Serialize;

use crate::decide::Schedule;
use crate::due_reason::DueReason;
use crate::pace::{Cost, Pace};

/// A run to simulate, from step 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    /// Where it ends: at the first step that is at least this.
    pub target: u64,
    /// How many units are done at a time: as many as there are environments in parallel. Default: 1.
    pub batch: NonZeroU64,
    /// How long a unit takes. Default: no time, so that triggers that go by time are never due.
    pub time_per_unit: Duration,
    /// What a save costs. The caller waits for `blocked`. Default: nothing.
    pub cost: Cost,
}

impl Course {
    /// To this step, one unit at a time, in no time.
    pub fn to(target: u64) -> Self {
        Self { target, batch: NonZeroU64::MIN, time_per_unit: Duration::ZERO, cost: Cost::default() }
    }
}

/// A save that would be made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulatedSave {
    /// At which step.
    pub step: u64,
    /// Units since the last periodic save before it.
    pub interval: u64,
    /// Why.
    pub reasons: Vec<DueReason>,
}

/// The periodic saves of a whole run in which no save fails. Takes time in proportion to `target / batch`: some 10 ns each.
///
/// ```
/// use ckpt_policy::{Course, Schedule, Trigger, simulate};
///
/// let schedule = Schedule::new(Trigger::adaptive(25_000, 5.0, Some(2_000_000))?);
/// let saves = simulate(&schedule, &Course::to(2_000_000));
/// assert_eq!((saves.len(), saves[0].step, saves[30].step), (31, 26_316, 1_952_129));
/// # Ok::<(), ckpt_policy::TriggerError>(())
/// ```
pub fn simulate(schedule: &Schedule, course: &Course) -> Vec<SimulatedSave> {
    Simulation::new(schedule, course).collect()
}

/// The same, one save after another: for who wants to stop when there are too many.
#[derive(Debug, Clone)]
pub struct Simulation<'a> {
    schedule: &'a Schedule,
    course: Course,
    pace: Pace,
    step: u64,
    at: Duration,
    batch_time: Duration,
}

impl<'a> Simulation<'a> {
    /// At step 0.
    pub fn new(schedule: &'a Schedule, course: &Course) -> Self {
        let batch_nanos = course.time_per_unit.as_nanos().saturating_mul(u128::from(course.batch.get()));
        let batch_time = u64::try_from(batch_nanos).map_or(Duration::MAX, Duration::from_nanos);
        Self { schedule, course: *course, pace: Pace::start(0), step: 0, at: Duration::ZERO, batch_time }
    }

    /// The step it is at: after the last save, the first that is at least the target.
    pub fn step(&self) -> u64 {
        self.step
    }
}

impl Iterator for Simulation<'_> {
    type Item = SimulatedSave;

    fn next(&mut self) -> Option<SimulatedSave> {
        while self.step < self.course.target {
            self.step = self.step.saturating_add(self.course.batch.get());
            self.at = self.at.saturating_add(self.batch_time);
            if !self.schedule.is_due(&self.pace, self.step, self.at) {
                continue;
            }
            let Some(due) = self.schedule.due(&self.pace, self.step, self.at) else { continue };
            let interval = self.pace.units_since_periodic(self.step);
            self.at = self.at.saturating_add(self.course.cost.blocked);
            self.pace.saved(self.step, self.at, due.moves_the_count(), self.course.cost);
            return Some(SimulatedSave { step: self.step, interval, reasons: due.reasons });
        }
        None
    }
}
