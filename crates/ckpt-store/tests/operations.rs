//! Drawn sequences of operations on a run, compared with a model of it after each step.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use self::dice::Dice;
use self::model::replay;

#[path = "rig/dice.rs"]
mod dice;
#[path = "rig/model.rs"]
mod model;

#[test]
fn drawn_operations_do_what_a_map_would_do() {
    let mut dice = Dice::printed("drawn_operations_do_what_a_map_would_do");
    for _ in 0..150 {
        let length = dice.up_to(160);
        let script: Vec<u8> = (0..length).map(|_| dice.up_to(255) as u8).collect();
        let outcome = std::panic::catch_unwind(|| replay(&script));
        assert!(outcome.is_ok(), "replay(&{script:?})");
    }
}

/// Found by fuzzing, and no fault of the store: a bit between the sections is not looked at by a load, and is by verifying.
#[test]
fn a_flip_between_the_sections_is_found_by_verifying_alone() {
    replay(&[0x01, 0x80, 0xfc, 0x32, 0xce, 0x00, 0x00, 0x62, 0xff, 0x04, 0x00]);
}
