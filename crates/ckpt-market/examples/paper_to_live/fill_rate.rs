//! How often a quote is filled, by its depth.

use ckpt_market::component::fill_rate::FillRate;
use ckpt_market::live::LiveComponent;

/// Posteriors of `lambda_0 * exp(-depth / delta_char)`: a Gamma of the rate at no depth, a mean of how far orders reach.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct FillRates {
    state: FillRate,
}

impl FillRates {
    /// A quote of that depth, in basis points, waited so many seconds; it was filled by an order that reached so much further, or
    /// it was not.
    pub(crate) fn waited(&mut self, seconds: f64, depth_bps: f64, beyond_bps: Option<f64>) {
        let state = &mut self.state;
        let exposure = seconds * (-depth_bps / state.delta_char_mean).exp();
        let (mean, variance) = (state.lambda_0_mean, state.lambda_0_variance);
        let shape = mean * mean / variance + f64::from(beyond_bps.is_some());
        let rate = mean / variance + exposure;
        state.lambda_0_mean = shape / rate;
        state.lambda_0_variance = shape / (rate * rate);
        if let Some(beyond) = beyond_bps {
            state.lambda_0_n_obs += 1.0;
            state.delta_char_n_obs += 1.0;
            state.delta_char_mean += (beyond - state.delta_char_mean) / state.delta_char_n_obs;
            state.delta_char_variance = state.delta_char_mean.powi(2) / state.delta_char_n_obs;
            state.observation_count += 1;
        }
    }

    /// Fills a second of a quote at mid.
    pub(crate) fn lambda_0(&self) -> f64 {
        self.state.lambda_0_mean
    }

    /// The depth over which they fall to a third, in basis points.
    pub(crate) fn delta_char_bps(&self) -> f64 {
        self.state.delta_char_mean
    }
}

impl LiveComponent for FillRates {
    type Checkpoint = FillRate;

    fn to_checkpoint(&self) -> FillRate {
        self.state.clone()
    }

    fn restore_checkpoint(&mut self, checkpoint: &FillRate) {
        self.state.clone_from(checkpoint);
    }
}
