//! The classifier of adverse selection before a fill.

use serde::{Deserialize, Serialize};

use super::REGIME_PRIOR;

/// Weights of six signals, what they were learned from, and the running moments that normalise them.
///
/// The first five signals, in order: imbalance, flow, regime, funding, changepoint. The sixth, trend, stands in fields
/// of its own: version 1 did not keep it.
///
/// Left out: predictions whose outcome is not known yet. The next fills bring others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PreFill {
    /// Weights of the first five signals; each 0 to 1. Used once `learning_samples` is at least 500.
    pub learned_weights: [f64; 5],
    /// Sums of signal times outcome.
    pub signal_outcome_sum: [f64; 5],
    /// Sums of squared signals; at least 0.
    pub signal_sq_sum: [f64; 5],
    /// Labelled fills learned from, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub learning_samples: u64,
    /// Probabilities of the regimes low, normal, high, extreme; each 0 to 1, 1 together.
    pub regime_probs: [f64; 4],
    /// Running mean of the imbalance signal.
    pub imbalance_ewma_mean: f64,
    /// Running variance of it; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub imbalance_ewma_var: f64,
    /// Running mean of the flow signal.
    pub flow_ewma_mean: f64,
    /// Running variance of it; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub flow_ewma_var: f64,
    /// Running mean of the funding signal.
    pub funding_ewma_mean: f64,
    /// Running variance of it; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub funding_ewma_var: f64,
    /// Trust in the regime at the last update, 0 to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub regime_trust_prev: f64,
    /// Running mean of the regime signal.
    pub regime_ewma_mean: f64,
    /// Running variance of it; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub regime_ewma_var: f64,
    /// Running mean of the changepoint signal.
    pub changepoint_ewma_mean: f64,
    /// Running variance of it; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub changepoint_ewma_var: f64,
    /// Observations behind the running moments, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub normalizer_obs_count: u64,
    /// Predicted less realised adverse selection, in basis points.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "bps")))]
    pub bias_correction_bps: f64,
    /// Fills behind the bias, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub bias_observation_count: u64,
    /// Weight of the trend signal, 0 to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub trend_weight: f64,
    /// Sum of trend signal times outcome.
    pub trend_outcome_sum: f64,
    /// Sum of squared trend signals; at least 0.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub trend_sq_sum: f64,
}

impl Default for PreFill {
    fn default() -> Self {
        Self {
            learned_weights: [0.30, 0.25, 0.25, 0.10, 0.10],
            signal_outcome_sum: [0.0; 5],
            signal_sq_sum: [0.0; 5],
            learning_samples: 0,
            regime_probs: REGIME_PRIOR,
            imbalance_ewma_mean: 0.0,
            imbalance_ewma_var: 1.0,
            flow_ewma_mean: 0.0,
            flow_ewma_var: 1.0,
            funding_ewma_mean: 0.0,
            funding_ewma_var: 1.0,
            regime_trust_prev: 1.0,
            regime_ewma_mean: 0.0,
            regime_ewma_var: 1.0,
            changepoint_ewma_mean: 0.0,
            changepoint_ewma_var: 1.0,
            normalizer_obs_count: 0,
            bias_correction_bps: 0.0,
            bias_observation_count: 0,
            trend_weight: 0.30,
            trend_outcome_sum: 0.0,
            trend_sq_sum: 0.0,
        }
    }
}
