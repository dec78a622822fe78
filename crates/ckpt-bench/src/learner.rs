//! The state of a small learning process: a table of values, what was earned, a random generator, some parameters.

use std::collections::BTreeMap;

use ckpt::{Bundle, BundleReader, BundleWriter, EncodeError, FirstVersion, MigrateError, Stored};
use serde::{Deserialize, Serialize};

/// About 100 KB of JSON in four components.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learner {
    policy: Policy,
    earnings: Earnings,
    random: Random,
    spread: Spread,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Policy {
    values: BTreeMap<String, [f64; 2]>,
    epsilon: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Earnings {
    by_step: Vec<f64>,
    total: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Random {
    words: Vec<u32>,
    position: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Spread {
    kappa: f64,
    sigma: f64,
    fills: u64,
}

impl Learner {
    /// One that has learned for `step` steps; each step's differs from the others'.
    pub fn at(step: u64) -> Self {
        let mut state = step.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let fraction = |bits: u64| (bits >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        let values = (0..1_560)
            .map(|cell| {
                (format!("{}|{}|{}", cell / 45, cell % 9, cell % 5), [fraction(next()), fraction(next())])
            })
            .collect();
        Self {
            policy: Policy { values, epsilon: 0.05 },
            earnings: Earnings {
                by_step: (0..800).map(|_| fraction(next()) * 40.0).collect(),
                total: 812.25,
            },
            random: Random { words: (0..624).map(|_| next() as u32).collect(), position: 17 },
            spread: Spread { kappa: 1.5, sigma: fraction(next()), fills: step },
        }
    }
}

impl Bundle for Learner {
    fn write(&self, writer: &mut BundleWriter) -> Result<(), EncodeError> {
        writer.put("policy", &self.policy)?;
        writer.put("earnings", &self.earnings)?;
        writer.put("random", &self.random)?;
        writer.put("spread", &self.spread)
    }

    fn read(reader: &mut BundleReader<'_>) -> Self {
        Self {
            policy: reader.take("policy"),
            earnings: reader.take("earnings"),
            random: reader.take("random"),
            spread: reader.take("spread"),
        }
    }
}

macro_rules! first_version {
    ($($kind:literal: $type:ty),+) => { $(
        impl Stored for $type {
            const KIND: &'static str = $kind;
            const VERSION: u32 = 1;
            type Previous = FirstVersion;

            fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
                match previous {}
            }
        }
    )+ };
}

first_version!("policy": Policy, "earnings": Earnings, "random": Random, "spread": Spread);

#[cfg(test)]
mod tests {
    use ckpt::BundleMode;

    use super::*;

    #[test]
    fn it_is_a_hundred_kilobytes_comes_back_and_differs_from_step_to_step() {
        let sections = Learner::at(7).to_sections().unwrap();
        let bytes: usize = sections.iter().map(|section| section.bytes.len()).sum();
        assert!((95_000..=105_000).contains(&bytes), "{bytes} bytes");
        let back = Learner::from_sections(&sections, BundleMode::Strict).unwrap().value;
        assert_eq!(back, Learner::at(7));
        assert_ne!(back, Learner::at(8));
    }
}
