//! What the gate thought of the state when it was saved.

use serde::{Deserialize, Serialize};

/// The verdict at the time of the save, what it was based on and which thresholds it was held against.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Readiness {
    /// The verdict.
    pub verdict: PriorVerdict,
    /// Observations of the volatility filter, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub vol_observations: u64,
    /// Own fills that kappa ever saw, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub kappa_observations: u64,
    /// Labelled fills of the classifier before a fill, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub as_learning_samples: u64,
    /// Observations of the regime model, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub regime_observations: u64,
    /// Fill events of the fill rate, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub fill_rate_observations: u64,
    /// Wins and losses of the Kelly sizing, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub kelly_fills: u64,
    /// How long the session had run, in seconds; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "s"), range(min = 0)))]
    pub session_duration_s: f64,
    /// How long all sessions of the lineage had run, in seconds; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "s"), range(min = 0)))]
    pub cumulative_duration_s: f64,
    /// Core estimators that met their threshold, 0 to 5.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 5)))]
    pub estimators_ready: u8,
    /// The thresholds.
    pub thresholds: StampedThresholds,
}

/// Whether the state can be trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PriorVerdict {
    /// Fully.
    Ready,
    /// With a careful warm-up.
    Marginal,
    /// Not.
    #[default]
    Insufficient,
}

/// The thresholds that a verdict was held against.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct StampedThresholds {
    /// Version of the set of thresholds, from 1; 0 is not said: nothing was judged, or a program did that did not tell.
    pub version: u32,
    /// Least duration along the lineage, in seconds.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "s")))]
    pub session_seconds_min: f64,
    /// Least counts of the core estimators.
    pub core: Vec<StampedMinimum>,
    /// How many of them make it marginal.
    pub marginal_core_min: u32,
    /// Least counts that ready needs and marginal does not: one, or none.
    pub fills: Vec<StampedMinimum>,
    /// Greatest age at load, in seconds; infinite if nothing is ever stale.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "s")))]
    pub age_seconds_max: f64,
    /// Whether marginal passed.
    pub allow_marginal: bool,
}

/// A count and how much of it was enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct StampedMinimum {
    /// Name of the count.
    pub name: String,
    /// Observations that were enough, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub min: u64,
}
