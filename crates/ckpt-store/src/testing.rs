//! What tests of this crate and of storage backends stand on.

pub mod conformance;
mod fault;
mod observed;

pub use fault::{FAULTS, Fault, Injector};
pub use observed::{Observed, Observer, Operation, Verb};
