//! What a checkpoint holds: a small JSON section that people can read, and one raw section with every particle.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::constant::Constant;
use crate::filter::{Filter, Particle};
use crate::learner::{Learner, Score};
use crate::parameters::{LEARNED, Parameters, REGIMES};
use crate::random::{Generator, GeneratorState};

/// The section with [`LearnerState`], as JSON.
pub(crate) const FILTER_SECTION: &str = "filter";

/// The raw section: a row of 14 little-endian f64 for each particle - log weight, regime, log variance, drift,
/// persistence, shock, four levels, four probabilities to stay.
pub(crate) const PARTICLES_SECTION: &str = "particles";

/// Numbers in a row.
const ROW: usize = 3 + LEARNED;

/// Bytes in a row.
const ROW_BYTES: usize = 8 * ROW;

/// The learner without its particles.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LearnerState {
    /// What the generator was seeded with.
    pub(crate) seed: u64,
    /// Days learned.
    pub(crate) day: u64,
    /// How many rows the section with the particles has.
    pub(crate) particles: u64,
    /// Where the random generator stands.
    pub(crate) generator: GeneratorState,
    /// The model with constant volatility.
    pub(crate) constant: Constant,
    /// The scores of both models.
    pub(crate) score: Score,
}

/// The learner as its two sections.
pub(crate) fn take_apart(learner: &Learner) -> (LearnerState, Vec<u8>) {
    let particles = &learner.filter.particles;
    let state = LearnerState {
        seed: learner.seed,
        day: learner.day,
        particles: particles.len() as u64,
        generator: learner.filter.random.state(),
        constant: learner.constant,
        score: learner.score,
    };
    let mut bytes = Vec::with_capacity(ROW_BYTES * particles.len());
    for value in particles.iter().flat_map(row) {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    (state, bytes)
}

/// The inverse of [`take_apart`]: the same learner, bit for bit.
///
/// # Errors
/// Particles that do not fit the state: their number, or a regime that does not exist.
pub(crate) fn put_together(state: &LearnerState, particles: &[u8]) -> Result<Learner> {
    let rows = particles.chunks_exact(ROW_BYTES);
    if !rows.remainder().is_empty() || rows.len() as u64 != state.particles || state.particles == 0 {
        return Err(format!(
            "section `{PARTICLES_SECTION}` has {} bytes, section `{FILTER_SECTION}` says {} rows of {ROW_BYTES}",
            particles.len(),
            state.particles
        )
        .into());
    }
    let particles = rows.map(particle).collect::<Option<Vec<_>>>().ok_or_else(|| {
        format!("section `{PARTICLES_SECTION}` names a regime that is not a whole number below {REGIMES}")
    })?;
    let random = Generator::from_state(&state.generator)?;
    Ok(Learner {
        seed: state.seed,
        day: state.day,
        filter: Filter { particles, random },
        constant: state.constant,
        score: state.score,
    })
}

/// Reads bytes, and calls `half_way` once, when half of them have been handed out and the rest has not.
pub(crate) struct HalfWay<'a, F> {
    first: &'a [u8],
    second: &'a [u8],
    half_way: Option<F>,
}

impl<'a, F: FnOnce() -> io::Result<()>> HalfWay<'a, F> {
    /// A reader of `bytes`.
    pub(crate) fn new(bytes: &'a [u8], half_way: F) -> HalfWay<'a, F> {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        HalfWay { first, second, half_way: Some(half_way) }
    }
}

impl<F: FnOnce() -> io::Result<()>> Read for HalfWay<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.first.is_empty() {
            return self.first.read(buffer);
        }
        if let Some(half_way) = self.half_way.take() {
            half_way()?;
        }
        self.second.read(buffer)
    }
}

fn row(particle: &Particle) -> [f64; ROW] {
    let mut row = [0.0; ROW];
    row[..3].copy_from_slice(&[particle.log_weight, particle.regime as f64, particle.log_variance]);
    row[3..].copy_from_slice(&particle.parameters.values());
    row
}

fn particle(bytes: &[u8]) -> Option<Particle> {
    let mut row = [0.0; ROW];
    for (value, bytes) in row.iter_mut().zip(bytes.chunks_exact(8)) {
        *value = f64::from_le_bytes(bytes.try_into().ok()?);
    }
    let regime = (0..REGIMES).find(|&regime| regime as f64 == row[1])?;
    let values = std::array::from_fn(|index| row[3 + index]);
    Some(Particle {
        log_weight: row[0],
        regime,
        log_variance: row[2],
        parameters: Parameters::from_values(values),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    fn learn(learner: &mut Learner, days: usize) {
        let from = usize::try_from(learner.day).unwrap();
        for day in &crate::data::sp500().unwrap()[from..][..days] {
            learner.observe(day.log_return);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn a_restored_learner_learns_on_as_if_nothing_had_happened(seed: u64, before in 0..400_usize) {
            let mut learner = Learner::new(seed, 50);
            learn(&mut learner, before);
            let (state, particles) = take_apart(&learner);
            let text = serde_json::to_string(&state).unwrap();
            let mut restored = put_together(&serde_json::from_str(&text).unwrap(), &particles).unwrap();
            learn(&mut learner, 40);
            learn(&mut restored, 40);
            let (state, particles) = take_apart(&learner);
            let (restored_state, restored_particles) = take_apart(&restored);
            prop_assert_eq!(
                serde_json::to_string(&state).unwrap(),
                serde_json::to_string(&restored_state).unwrap()
            );
            prop_assert!(particles == restored_particles, "the particles differ");
        }
    }

    #[test]
    fn particles_that_do_not_fit_are_refused() {
        let (state, mut particles) = take_apart(&Learner::new(1, 3));
        assert!(put_together(&state, &particles[..2 * ROW_BYTES]).is_err());
        assert!(put_together(&state, &particles[..particles.len() - 1]).is_err());
        assert!(put_together(&LearnerState::default(), &[]).is_err());
        particles[8..16].copy_from_slice(&4.0_f64.to_le_bytes());
        assert!(put_together(&state, &particles).unwrap_err().to_string().contains("regime"));
    }

    #[test]
    fn the_reader_tells_half_way_once_between_the_halves() {
        let bytes: Vec<u8> = (0..=254).collect();
        let calls = Cell::new(0);
        let mut reader = HalfWay::new(&bytes, || {
            calls.set(calls.get() + 1);
            Ok(())
        });
        let mut first = vec![0; 127];
        reader.read_exact(&mut first).unwrap();
        assert_eq!(calls.get(), 0);
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(calls.get(), 1);
        assert_eq!([first, rest].concat(), bytes);
    }
}
