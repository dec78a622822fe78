//! The mixture of informed, noise and forced flow.

use serde::{Deserialize, Serialize};

use super::first_version;

/// A mixture of three kinds of flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct InformedFlow {
    /// Parameters of informed, noise and forced flow, in this order.
    pub component_params: [FlowParams; 3],
    /// Shares of the three in the flow; each 0 to 1, 1 together.
    pub mixing_weights: [f64; 3],
    /// Trades seen so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub observation_count: u64,
}

/// Parameters of one kind of flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FlowParams {
    /// Mean of the logarithm of trade size; any number.
    pub mu_size: f64,
    /// Standard deviation of the logarithm of trade size; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub sigma_size: f64,
    /// Base intensity of trades, per second; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "1/s"), extend("exclusiveMinimum" = 0)))]
    pub lambda_0: f64,
    /// Self-excitation, a fraction from 0 to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub alpha: f64,
    /// Decay of the excitation, per second; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "1/s"), extend("exclusiveMinimum" = 0)))]
    pub beta: f64,
    /// Price impact of a unit of size, in basis points.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "bps")))]
    pub impact_per_unit: f64,
    /// Variance of that impact, in squared basis points; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "bps^2"), extend("exclusiveMinimum" = 0)))]
    pub impact_variance: f64,
}

impl FlowParams {
    /// Flow of those who know: larger, sparse, with impact.
    pub const INFORMED: Self = Self::new([1.0, 0.8, 0.05, 0.5, 2.0, 3.0, 2.0]);
    /// Flow without information: small, frequent, little impact.
    pub const NOISE: Self = Self::new([-0.5, 1.2, 0.2, 0.1, 5.0, 0.5, 1.0]);
    /// Flow that must trade: liquidations.
    pub const FORCED: Self = Self::new([0.5, 0.5, 0.02, 0.8, 1.0, 2.0, 3.0]);

    const fn new(
        [mu_size, sigma_size, lambda_0, alpha, beta, impact_per_unit, impact_variance]: [f64; 7],
    ) -> Self {
        Self { mu_size, sigma_size, lambda_0, alpha, beta, impact_per_unit, impact_variance }
    }
}

/// A kind of flow of which nothing is known, not even which of the three it is.
impl Default for FlowParams {
    fn default() -> Self {
        Self::new([0.0, 1.0, 0.1, 0.0, 1.0, 1.0, 4.0])
    }
}

/// The three kinds as they are named. Three equal ones, as the first version had for its default, would stay equal for
/// ever: what is symmetric gives every trade the same share of each.
impl Default for InformedFlow {
    fn default() -> Self {
        Self {
            component_params: [FlowParams::INFORMED, FlowParams::NOISE, FlowParams::FORCED],
            mixing_weights: [0.25, 0.50, 0.25],
            observation_count: 0,
        }
    }
}

first_version!(InformedFlow, "informed_flow");
