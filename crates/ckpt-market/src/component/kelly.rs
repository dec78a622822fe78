//! What the Kelly sizing knows of wins and losses.

use serde::{Deserialize, Serialize};

use super::first_version;

/// Sizes and counts of wins and losses. Prior odds (1.5) and the least number of samples (20) are configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct KellyTracker {
    /// Moving average of a win, in basis points; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "bps"), range(min = 0)))]
    pub ewma_wins: f64,
    /// Wins so far, a count: as counted, not derived from a rate.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub n_wins: u64,
    /// Moving average of a loss, in basis points, without its sign; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "bps"), range(min = 0)))]
    pub ewma_losses: f64,
    /// Losses so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub n_losses: u64,
    /// Weight of the past in both averages; 0 to 1, the one that was in use.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub decay: f64,
}

impl KellyTracker {
    /// Wins and losses together: what the gate calls Kelly fills.
    pub fn fills(&self) -> u64 {
        self.n_wins.saturating_add(self.n_losses)
    }
}

impl Default for KellyTracker {
    fn default() -> Self {
        Self { ewma_wins: 5.0, n_wins: 0, ewma_losses: 3.0, n_losses: 0, decay: 0.99 }
    }
}

first_version!(KellyTracker, "kelly_tracker");
