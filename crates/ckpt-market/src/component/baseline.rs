//! The baseline of rewards that counterfactual rewards are measured against.

use serde::{Deserialize, Serialize};

use super::first_version;

/// A moving average of rewards. Lost at a restart it was 0, and every reward carried the fees until it had warmed up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Baseline {
    /// Moving average of the reward, in the reward's unit.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "reward")))]
    pub ewma_reward: f64,
    /// Weight of the past in it, 0 to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub decay: f64,
    /// Rewards so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub n_observations: u64,
    /// Rewards before the baseline is used, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub min_observations: u64,
}

impl Default for Baseline {
    fn default() -> Self {
        Self { ewma_reward: 0.0, decay: 0.99, n_observations: 0, min_observations: 10 }
    }
}

first_version!(Baseline, "baseline_tracker");
