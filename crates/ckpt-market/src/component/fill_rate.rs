//! The fill rate as a function of depth.

use serde::{Deserialize, Serialize};

use super::first_version;

/// Posteriors of a Bayesian regression: fills come at `lambda_0 * exp(-depth / delta_char)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FillRate {
    /// Mean of the fill rate at the touch, per second; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "1/s"), extend("exclusiveMinimum" = 0)))]
    pub lambda_0_mean: f64,
    /// Variance of it, per squared second; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "1/s^2"), extend("exclusiveMinimum" = 0)))]
    pub lambda_0_variance: f64,
    /// Observations that its mean is worth, the prior's included; at least 0, not whole after a decay.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub lambda_0_n_obs: f64,
    /// Mean of the characteristic depth, in basis points; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "bps"), extend("exclusiveMinimum" = 0)))]
    pub delta_char_mean: f64,
    /// Variance of it, in squared basis points; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "bps^2"), extend("exclusiveMinimum" = 0)))]
    pub delta_char_variance: f64,
    /// Observations that its mean is worth, the prior's included; at least 0, not whole after a decay.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub delta_char_n_obs: f64,
    /// Fill events so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub observation_count: u64,
}

impl Default for FillRate {
    fn default() -> Self {
        Self {
            lambda_0_mean: 0.1,
            lambda_0_variance: 0.001,
            lambda_0_n_obs: 10.0,
            delta_char_mean: 10.0,
            delta_char_variance: 20.0,
            delta_char_n_obs: 5.0,
            observation_count: 0,
        }
    }
}

first_version!(FillRate, "fill_rate");
