//! Fill intensity, with a memory that stands in its checkpoint altogether.

use ckpt_market::component::kappa::Kappa;
use ckpt_market::live::LiveComponent;

/// Fills in memory at most; one more, and half of it is forgotten.
const MEMORY: u64 = 1_000;

/// A Gamma posterior of kappa. It forgets by halving instead of by a window, so that nothing is lost at a restart.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct FillIntensity {
    state: Kappa,
}

impl FillIntensity {
    /// Takes in how far beyond the own quote an order reached, a fraction of price. An exponential has no memory: that is
    /// distributed as its whole reach.
    pub(crate) fn record(&mut self, beyond: f64) {
        let state = &mut self.state;
        if state.observation_count >= MEMORY {
            state.observation_count /= 2;
            state.sum_distances /= 2.0;
            state.sum_sq_distances /= 2.0;
        }
        state.observation_count += 1;
        state.sum_distances += beyond;
        state.sum_sq_distances += beyond * beyond;
        state.total_observations += 1;
        let (shape, rate) = state.posterior();
        state.kappa_posterior_mean = shape / rate;
    }

    /// The posterior mean, per unit of distance.
    pub(crate) fn kappa(&self) -> f64 {
        self.state.kappa_posterior_mean
    }
}

impl LiveComponent for FillIntensity {
    type Checkpoint = Kappa;

    fn to_checkpoint(&self) -> Kappa {
        self.state.clone()
    }

    fn restore_checkpoint(&mut self, checkpoint: &Kappa) {
        self.state.clone_from(checkpoint);
    }
}
