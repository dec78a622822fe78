//! Numbers from a generator that can be saved: with the feature `serde` its whole state is one value.

use rand_chacha::ChaCha8Rng;
use rand_core::Rng as _;

/// Uniform on [0, 1).
pub(crate) fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}
