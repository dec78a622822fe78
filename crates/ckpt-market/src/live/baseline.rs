//! The baseline that counterfactual rewards are measured against.

use super::LiveComponent;
use crate::component::baseline::Baseline;

/// A moving average of rewards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BaselineTracker {
    state: Baseline,
}

impl BaselineTracker {
    /// Takes in a reward. The first one is the average. What is no number is passed over.
    pub fn record(&mut self, reward: f64) {
        if !reward.is_finite() {
            return;
        }
        let state = &mut self.state;
        state.ewma_reward = match state.n_observations {
            0 => reward,
            _ => state.decay * state.ewma_reward + (1.0 - state.decay) * reward,
        };
        state.n_observations = state.n_observations.saturating_add(1);
    }

    /// The reward less the baseline; the reward itself until enough were seen.
    pub fn counterfactual(&self, reward: f64) -> f64 {
        let warm = self.state.n_observations >= self.state.min_observations;
        if warm { reward - self.state.ewma_reward } else { reward }
    }
}

impl LiveComponent for BaselineTracker {
    type Checkpoint = Baseline;

    fn to_checkpoint(&self) -> Baseline {
        self.state.clone()
    }

    fn restore_checkpoint(&mut self, checkpoint: &Baseline) {
        self.state.clone_from(checkpoint);
    }
}
