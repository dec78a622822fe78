//! Wins and losses, as they come.

use super::LiveComponent;
use crate::component::kelly::KellyTracker;

/// Moving averages of wins and losses, with counts that are counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Kelly {
    state: KellyTracker,
}

impl Kelly {
    /// Takes in the result of a trade, in basis points: a win above 0, else a loss. What is no number is passed over.
    pub fn record(&mut self, result_bps: f64) {
        if !result_bps.is_finite() {
            return;
        }
        let state = &mut self.state;
        let decay = state.decay;
        let blend = |average: &mut f64, size: f64| *average = decay * *average + (1.0 - decay) * size;
        if result_bps > 0.0 {
            blend(&mut state.ewma_wins, result_bps);
            state.n_wins = state.n_wins.saturating_add(1);
        } else {
            blend(&mut state.ewma_losses, -result_bps);
            state.n_losses = state.n_losses.saturating_add(1);
        }
    }

    /// The fraction of capital that Kelly's formula gives: `p - (1 - p) / odds`, at least 0; none before `min_samples`.
    pub fn fraction(&self, min_samples: u64) -> Option<f64> {
        let KellyTracker { ewma_wins, n_wins, ewma_losses, .. } = self.state;
        let fills = self.state.fills();
        if fills < min_samples || fills == 0 || ewma_wins <= 0.0 {
            return None;
        }
        let wins = n_wins as f64 / fills as f64;
        Some((wins - (1.0 - wins) * ewma_losses / ewma_wins).max(0.0))
    }
}

impl LiveComponent for Kelly {
    type Checkpoint = KellyTracker;

    fn to_checkpoint(&self) -> KellyTracker {
        self.state.clone()
    }

    fn restore_checkpoint(&mut self, checkpoint: &KellyTracker) {
        self.state.clone_from(checkpoint);
    }
}
