//! When to save a checkpoint, which ones to keep, what to do when the disk fills. Pure: arguments in, values with reasons out.
//!
//! The rules and their words: `docs/POLICY.md`.

mod best;
mod pressure;
mod retain;
mod trigger;

pub use best::Monitor;
pub use pressure::{Level, Reserve};
pub use retain::{
    Plan, PlanJson, Planned, Reason, RetentionError, RetentionPolicy, Rule, Top, Verdict, Withheld, plan,
};
pub use trigger::{Adaptive, Schedule, Trigger};
