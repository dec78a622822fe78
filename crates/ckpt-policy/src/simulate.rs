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
    let mut saves = Vec::new();
    let mut pace = Pace::start(0);
    let (mut step, mut at) = (0_u64, Duration::ZERO);
    let batch_nanos = course.time_per_unit.as_nanos().saturating_mul(u128::from(course.batch.get()));
    let batch_time = u64::try_from(batch_nanos).map_or(Duration::MAX, Duration::from_nanos);
    while step < course.target {
        step = step.saturating_add(course.batch.get());
        at = at.saturating_add(batch_time);
        if !schedule.is_due(&pace, step, at) {
            continue;
        }
        if let Some(due) = schedule.due(&pace, step, at) {
            let interval = pace.units_since_periodic(step);
            at = at.saturating_add(course.cost.blocked);
            pace.saved(step, at, due.moves_the_count(), course.cost);
            saves.push(SimulatedSave { step, interval, reasons: due.reasons });
        }
    }
    saves
}
