//! The classifier of adverse selection with ten microstructure features.

use serde::{Deserialize, Serialize};

use super::first_version;

/// Weights of the ten features and how well they did.
///
/// Left out: predictions whose outcome is not known yet. The next fills bring others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Enhanced {
    /// Weights of the features; each 0 to 1, 1 together.
    pub learned_weights: [f64; 10],
    /// Momentum of the gradients, one a feature; any number.
    pub weight_gradients: [f64; 10],
    /// Labelled fills learned from, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub learning_samples: u64,
    /// Sum of the predicted probabilities; at least 0.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub prediction_sum: f64,
    /// Sum of the outcomes, 0 or 1 each; at least 0.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub outcome_sum: f64,
    /// Predictions that came true, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub correct_predictions: u64,
    /// Predictions so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub total_predictions: u64,
}

/// The weights that theory gives, with which a fresh classifier starts: restoring a default is a cold start.
impl Default for Enhanced {
    fn default() -> Self {
        Self {
            learned_weights: [0.12, 0.22, 0.18, 0.08, 0.08, 0.04, 0.08, 0.05, 0.08, 0.07],
            weight_gradients: [0.0; 10],
            learning_samples: 0,
            prediction_sum: 0.0,
            outcome_sum: 0.0,
            correct_predictions: 0,
            total_predictions: 0,
        }
    }
}

first_version!(Enhanced, "enhanced");
