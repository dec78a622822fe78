//! The volatility filter: what its particles say, in summary.

use serde::{Deserialize, Serialize};

use super::{REGIME_PRIOR, first_version};

/// Summary of a particle filter of volatility. The particles are not kept: a restore draws them anew around it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct VolFilter {
    /// Posterior mean of volatility, as a fraction per square root of a second; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "1/sqrt(s)"), extend("exclusiveMinimum" = 0)))]
    pub sigma_mean: f64,
    /// Posterior standard deviation of volatility, in the unit of `sigma_mean`; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "1/sqrt(s)"), range(min = 0)))]
    pub sigma_std: f64,
    /// Probabilities of the regimes low, normal, high, extreme; each 0 to 1, 1 together.
    pub regime_probs: [f64; 4],
    /// Price observations so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub observation_count: u64,
}

impl Default for VolFilter {
    fn default() -> Self {
        Self { sigma_mean: 0.0005, sigma_std: 0.0002, regime_probs: REGIME_PRIOR, observation_count: 0 }
    }
}

first_version!(VolFilter, "vol_filter");
