//! When to save a checkpoint, which ones to keep, what to do when the disk fills. Pure: arguments in, values with reasons out.
//!
//! The rules and their words: `docs/POLICY.md`.

mod best;
mod decide;
mod due_reason;
mod explain;
mod interval;
mod pace;
mod pressure;
mod retain;
mod seconds;
mod simulate;
mod trigger;

pub use best::{BestSoFar, GainError, Improvement, Judgement, Monitor};
pub use decide::{Due, Schedule};
pub use due_reason::DueReason;
pub use interval::{Adaptive, Share, TriggerError};
pub use pace::{Cost, Pace};
pub use pressure::{Level, Refusal, Reserve, ReserveError, Room, priority_rank};
pub use retain::{
    Plan, PlanJson, Planned, Reason, RetentionError, RetentionPolicy, Rule, Top, Verdict, Withheld, plan,
};
pub use simulate::{Course, SimulatedSave, Simulation, simulate};
pub use trigger::Trigger;
