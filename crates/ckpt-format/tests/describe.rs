//! The lock of stored types: on pairs of types, every change that it accepts and every one that it refuses.
#![cfg(all(feature = "schema", feature = "bincode"))]
#![expect(clippy::unwrap_used, reason = "a test that can't set itself up should panic")]

#[macro_use]
#[path = "describe/kind.rs"]
mod kind;

#[path = "describe/bincode.rs"]
mod bincode;
#[path = "describe/cases.rs"]
mod cases;
#[path = "describe/chains.rs"]
mod chains;
#[path = "describe/golden.rs"]
mod golden;
#[path = "describe/hidden.rs"]
mod hidden;
#[path = "describe/json.rs"]
mod json;
#[path = "describe/pages.rs"]
mod pages;
#[path = "describe/samples.rs"]
mod samples;
