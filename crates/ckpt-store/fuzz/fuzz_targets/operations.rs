//! Operations on a run against the model that the ordinary tests use, too.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/rig/model.rs"]
mod model;

fuzz_target!(|script: &[u8]| model::replay(script));
