//! The regime of the market: a hidden Markov model over four levels of volatility.

use ckpt_market::component::regime::RegimeHmm;
use ckpt_market::live::LiveComponent;

/// Volatility of the regimes as multiples of the usual one.
const LEVELS: [f64; 4] = [0.6, 1.0, 2.0, 4.0];
/// What the counts of transitions begin with: regimes last.
const STAYS: f64 = 95.0;
const LEAVES: f64 = 5.0 / 3.0;

/// Belief about the regime, and transitions as they were counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Regime {
    state: RegimeHmm,
}

impl Regime {
    /// Takes in a move, in standard deviations of the usual volatility.
    pub(crate) fn observe(&mut self, deviations: f64) {
        if !deviations.is_finite() {
            return;
        }
        let before = self.state.belief;
        let mut joint = [[0.0; 4]; 4];
        let mut whole = 0.0;
        for (from, row) in joint.iter_mut().enumerate() {
            for (to, cell) in row.iter_mut().enumerate() {
                *cell = before[from] * self.transition(from, to) * likelihood(deviations, LEVELS[to]);
                whole += *cell;
            }
        }
        self.state.observation_count += 1;
        if whole <= 0.0 {
            return;
        }
        let mut belief = [0.0; 4];
        for (from, row) in joint.iter().enumerate() {
            for (to, cell) in row.iter().enumerate() {
                belief[to] += cell / whole;
                self.state.transition_counts[from][to] += cell / whole;
            }
        }
        self.state.belief = belief;
    }

    /// Probability that the market is volatile or worse.
    pub(crate) fn volatile(&self) -> f64 {
        self.state.belief[2] + self.state.belief[3]
    }

    fn transition(&self, from: usize, to: usize) -> f64 {
        let counts = &self.state.transition_counts[from];
        let prior = if from == to { STAYS } else { LEAVES };
        (prior + counts[to]) / (STAYS + 3.0 * LEAVES + counts.iter().sum::<f64>())
    }
}

impl LiveComponent for Regime {
    type Checkpoint = RegimeHmm;

    fn to_checkpoint(&self) -> RegimeHmm {
        self.state.clone()
    }

    fn restore_checkpoint(&mut self, checkpoint: &RegimeHmm) {
        self.state.clone_from(checkpoint);
    }
}

fn likelihood(deviations: f64, level: f64) -> f64 {
    (-0.5 * (deviations / level).powi(2)).exp() / level
}
