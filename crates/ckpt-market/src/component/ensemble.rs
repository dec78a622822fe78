//! How much each model of the ensemble is trusted.

use serde::{Deserialize, Serialize};

use super::first_version;

/// Softmax weights of the models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct EnsembleWeights {
    /// Weights of the models GLFT, Empirical, Funding, in this order; each 0 to 1, 1 together.
    pub model_weights: Vec<f64>,
    /// Updates so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub total_updates: u64,
}

impl Default for EnsembleWeights {
    fn default() -> Self {
        Self { model_weights: vec![0.5, 0.3, 0.2], total_updates: 0 }
    }
}

first_version!(EnsembleWeights, "ensemble_weights");
