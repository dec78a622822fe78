//! What tests of this crate and of storage backends stand on.

pub mod conformance;
