//! The process that must survive: a filter, the model it competes with, and their scores.

use serde::{Deserialize, Serialize};

use crate::constant::Constant;
use crate::filter::Filter;
use crate::random::Generator;

/// Days that both models learn from before they are scored: one year, so that neither is judged by its start.
const WARM_UP_DAYS: u64 = 252;

/// Everything that a day changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Learner {
    /// What the generator was seeded with.
    pub(crate) seed: u64,
    /// Days learned.
    pub(crate) day: u64,
    /// The model with stochastic volatility.
    pub(crate) filter: Filter,
    /// The model with constant volatility.
    pub(crate) constant: Constant,
    /// How well both foresaw.
    pub(crate) score: Score,
}

/// Sums of the logarithms of the densities that were given to each return before it was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Score {
    /// Days scored.
    pub(crate) days: u64,
    /// Of the model with stochastic volatility, in nats.
    pub(crate) stochastic: f64,
    /// Of the model with constant volatility, in nats.
    pub(crate) constant: f64,
}

impl Learner {
    /// A learner that has seen nothing.
    pub(crate) fn new(seed: u64, particles: usize) -> Learner {
        Learner {
            seed,
            day: 0,
            filter: Filter::new(particles, Generator::new(seed)),
            constant: Constant::default(),
            score: Score::default(),
        }
    }

    /// Takes one day's log return in percent: both models foretell it, then learn from it.
    pub(crate) fn observe(&mut self, log_return: f64) {
        let constant = self.constant.log_density(log_return);
        self.constant.observe(log_return);
        let stochastic = self.filter.observe(log_return);
        if self.day >= WARM_UP_DAYS {
            self.score.days += 1;
            self.score.stochastic += stochastic;
            self.score.constant += constant;
        }
        self.day += 1;
    }
}

impl Score {
    /// Nats per day of the model with stochastic volatility, then of the one with constant volatility; `None`
    /// before the first scored day.
    pub(crate) fn per_day(&self) -> Option<(f64, f64)> {
        let days = self.days as f64;
        (self.days > 0).then(|| (self.stochastic / days, self.constant / days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_index_stochastic_volatility_foresees_better_than_constant() {
        let mut learner = Learner::new(4, 400);
        for day in &crate::data::sp500().unwrap()[..2500] {
            learner.observe(day.log_return);
        }
        let (stochastic, constant) = learner.score.per_day().unwrap();
        assert_eq!(learner.score.days, 2500 - WARM_UP_DAYS);
        assert!(stochastic > constant + 0.1, "{stochastic} against {constant} nats a day");
    }
}
