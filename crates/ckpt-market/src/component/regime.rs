//! The hidden Markov model of the market's regime.

use serde::{Deserialize, Serialize};

use super::{REGIME_PRIOR, first_version};

/// Belief about the regime and what was counted of its changes.
///
/// Left out: the emission parameters. They are configured, and fitted anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RegimeHmm {
    /// Probabilities of the regimes quiet, active, volatile, cascade; each 0 to 1, 1 together.
    pub belief: [f64; 4],
    /// How often each regime (row) was followed by each (column): soft counts, at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub transition_counts: [[f64; 4]; 4],
    /// Order book observations so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub observation_count: u64,
    /// How often the emission parameters were fitted anew, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub recalibration_count: u64,
}

impl Default for RegimeHmm {
    fn default() -> Self {
        Self {
            belief: REGIME_PRIOR,
            transition_counts: [[0.0; 4]; 4],
            observation_count: 0,
            recalibration_count: 0,
        }
    }
}

first_version!(RegimeHmm, "regime_hmm");
