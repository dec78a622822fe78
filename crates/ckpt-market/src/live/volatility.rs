//! A small volatility filter whose accessors are capped.

use super::LiveComponent;
use crate::component::vol_filter::VolFilter;
use crate::restore::sigma::SigmaCap;

/// Mean and deviation of volatility, from absolute returns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Volatility {
    state: VolFilter,
    cap: SigmaCap,
}

/// The inverse of the mean of the absolute value of a standard normal.
const FROM_ABSOLUTE: f64 = 1.253_314_137_315_500_3;
/// Observations that the prior counts.
const PRIOR_WEIGHT: f64 = 10.0;
/// The least weight of a new observation, so that the filter goes on learning.
const GAIN_MIN: f64 = 0.02;
/// Ends of the regimes, as multiples of the default volatility.
const REGIMES: [f64; 3] = [0.5, 1.5, 3.0];
/// Weight of a new regime in the probabilities.
const REGIME_GAIN: f64 = 0.05;

impl Volatility {
    /// A cold filter with another cap.
    pub fn with_cap(cap: SigmaCap) -> Self {
        Self { state: VolFilter::default(), cap }
    }

    /// Takes in a return, a fraction, over that many seconds. What is no return is passed over.
    pub fn observe(&mut self, fraction: f64, seconds: f64) {
        let observed = fraction.abs() / seconds.sqrt() * FROM_ABSOLUTE;
        if !observed.is_finite() {
            return;
        }
        let state = &mut self.state;
        let gain = (1.0 / (state.observation_count as f64 + PRIOR_WEIGHT)).max(GAIN_MIN);
        let surprise = observed - state.sigma_mean;
        state.sigma_mean += gain * surprise;
        state.sigma_std = ((1.0 - gain) * (state.sigma_std.powi(2) + gain * surprise.powi(2))).sqrt();
        let ratio = observed / VolFilter::default().sigma_mean;
        let regime = REGIMES.iter().take_while(|end| ratio >= **end).count();
        for (at, probability) in state.regime_probs.iter_mut().enumerate() {
            let seen = if at == regime { 1.0 } else { 0.0 };
            *probability += REGIME_GAIN * (seen - *probability);
        }
        state.observation_count = state.observation_count.saturating_add(1);
    }

    /// The volatility to quote by, capped.
    pub fn sigma(&self) -> f64 {
        self.cap.cap(self.state.sigma_mean)
    }

    /// The volatility to quote by if one is careful: a deviation more, capped.
    pub fn sigma_upper(&self) -> f64 {
        self.cap.cap(self.state.sigma_mean + self.state.sigma_std)
    }
}

impl LiveComponent for Volatility {
    type Checkpoint = VolFilter;

    fn to_checkpoint(&self) -> VolFilter {
        self.state.clone()
    }

    fn restore_checkpoint(&mut self, checkpoint: &VolFilter) {
        self.state.clone_from(checkpoint);
    }
}
