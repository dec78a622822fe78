//! From extraction to the report.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod admission;
mod injection;
mod lineage;
mod page;
mod rig;
