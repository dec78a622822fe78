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
