//! The random generator, whose state is plain data: what was drawn next before a crash is drawn next after it.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::Result;

/// A seeded ChaCha8 stream. Nothing is cached beside it (the normal variates come from a ziggurat, which keeps no
/// spare value), so key and position are its whole state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Generator {
    stream: ChaCha8Rng,
}

/// The state of a [`Generator`]: no number in it is wider than 53 bits in any run that a machine could finish, so
/// that every JSON reader keeps it exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GeneratorState {
    /// The ChaCha key, 64 hex digits.
    key: String,
    /// How many 32-bit words of the stream were used.
    words_used: u64,
}

impl Generator {
    /// The stream of this seed, from its beginning.
    pub(crate) fn new(seed: u64) -> Generator {
        Generator { stream: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Uniform on [0, 1), a multiple of 2^-53.
    pub(crate) fn uniform(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.stream.next_u64() >> 11) as f64 * STEP
    }

    /// Standard normal.
    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.stream)
    }

    /// Where the stream stands.
    pub(crate) fn state(&self) -> GeneratorState {
        let key = self.stream.get_seed().iter().map(|byte| format!("{byte:02x}")).collect();
        let words_used =
            u64::try_from(self.stream.get_word_pos()).expect("2^64 words take centuries to draw");
        GeneratorState { key, words_used }
    }

    /// The stream at a place that [`Generator::state`] told.
    ///
    /// # Errors
    /// A key that is not 64 hex digits.
    pub(crate) fn from_state(state: &GeneratorState) -> Result<Generator> {
        let key = parse_key(&state.key).ok_or("the generator's key is not 64 hex digits")?;
        let mut stream = ChaCha8Rng::from_seed(key);
        stream.set_word_pos(u128::from(state.words_used));
        Ok(Generator { stream })
    }
}

impl GeneratorState {
    /// The state as bytes, to compare.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [self.key.as_bytes(), &self.words_used.to_le_bytes()].concat()
    }
}

fn parse_key(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut key = [0; 32];
    if digits.len() != 2 * key.len() {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(16 * high + low).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_restored_stream_goes_on_where_it_stood(
            seed: u64,
            draws in prop::collection::vec(any::<bool>(), 0..200),
        ) {
            let mut stream = Generator::new(seed);
            for normal in draws {
                if normal { stream.normal() } else { stream.uniform() };
            }
            let text = serde_json::to_string(&stream.state()).unwrap();
            let mut restored = Generator::from_state(&serde_json::from_str(&text).unwrap()).unwrap();
            prop_assert_eq!(&restored, &stream);
            for _ in 0..50 {
                prop_assert_eq!(restored.normal().to_bits(), stream.normal().to_bits());
                prop_assert_eq!(restored.uniform().to_bits(), stream.uniform().to_bits());
            }
        }
    }

    #[test]
    fn a_key_that_is_not_hex_is_refused() {
        let state = GeneratorState { key: "xy".repeat(32), words_used: 0 };
        assert!(Generator::from_state(&state).is_err());
        assert!(Generator::from_state(&GeneratorState::default()).is_err());
    }
}
