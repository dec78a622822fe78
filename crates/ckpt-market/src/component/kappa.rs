//! Fill intensity: how fast fills thin out with depth. Three of them: own fills, bids, asks.

use serde::{Deserialize, Serialize};

/// A Gamma posterior of kappa over a rolling window of fills. The window is not kept; `observation_count` and the sums
/// are what it held.
///
/// Left out: the window itself. New fills fill a new one; what the old one held fades evenly until the length of a window has passed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Kappa {
    /// Shape of the prior, a number of fills; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub prior_alpha: f64,
    /// Rate of the prior, the sum of their distances as a fraction of price; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "fraction of price"), extend("exclusiveMinimum" = 0)))]
    pub prior_beta: f64,
    /// Fills in the window, a count that falls as they expire.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub observation_count: u64,
    /// Sum of the distances in the window, as a fraction of price; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "fraction of price"), range(min = 0)))]
    pub sum_distances: f64,
    /// Sum of their squares; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "(fraction of price)^2"), range(min = 0)))]
    pub sum_sq_distances: f64,
    /// Posterior mean of kappa, per unit of distance; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "1/fraction of price"), extend("exclusiveMinimum" = 0)))]
    pub kappa_posterior_mean: f64,
    /// Fills ever seen, a count that never falls; at least `observation_count`.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub total_observations: u64,
}

impl Kappa {
    /// Shape and rate of the posterior: the prior and what the window held.
    pub fn posterior(&self) -> (f64, f64) {
        (self.prior_alpha + self.observation_count as f64, self.prior_beta + self.sum_distances)
    }
}

impl Default for Kappa {
    fn default() -> Self {
        Self {
            prior_alpha: 10.0,
            prior_beta: 0.02,
            observation_count: 0,
            sum_distances: 0.0,
            sum_sq_distances: 0.0,
            kappa_posterior_mean: 500.0,
            total_observations: 0,
        }
    }
}
