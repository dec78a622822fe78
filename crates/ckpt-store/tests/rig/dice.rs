//! Chance that can be repeated: a seed that is printed, and drawn again when it is given.

use std::hash::BuildHasher;
use std::io::Write;

/// A sequence of draws that its seed determines (SplitMix64).
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice with the seed in `CKPT_TEST_SEED`, or else a new one, which is printed so that the test can be repeated.
    pub(crate) fn printed(test: &str) -> Self {
        let given = std::env::var_os("CKPT_TEST_SEED").and_then(|seed| seed.to_str()?.parse().ok());
        let seed = given.unwrap_or_else(|| std::hash::RandomState::new().hash_one(test));
        // Straight to the stream: the harness holds back what the printing macros write.
        let _ = writeln!(std::io::stderr(), "{test}: repeat it with CKPT_TEST_SEED={seed}");
        Dice(seed)
    }

    /// A number from 0 to `most`, both included.
    pub(crate) fn up_to(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % (most + 1)
    }
}
