//! Whether a move goes on, by its size.

use serde::{Deserialize, Serialize};

use super::first_version;

/// Probability that a move goes on, in ten buckets of its size: 0 to 10 basis points, 10 to 20, and so on, 90 and more.
///
/// Left out: moves under way. The next move begins anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Momentum {
    /// Probability of each bucket, 0 to 1.
    pub continuation_by_magnitude: [f64; 10],
    /// Moves seen in each bucket, counts.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub counts_by_magnitude: [u64; 10],
    /// Probability before anything was seen, 0 to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub prior_continuation: f64,
}

impl Default for Momentum {
    fn default() -> Self {
        Self { continuation_by_magnitude: [0.5; 10], counts_by_magnitude: [0; 10], prior_continuation: 0.5 }
    }
}

first_version!(Momentum, "momentum");
