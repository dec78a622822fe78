//! What the bundle says about itself: of which asset, when, for how long, and where it comes from.

use ckpt_format::Timestamp;
use serde::{Deserialize, Serialize};

/// Identity, time and lineage of a bundle.
///
/// The container has metadata of its own; this one travels with the state wherever its sections are copied.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MarketMetadata {
    /// When the state was taken, in milliseconds since the start of 1970 in UTC; 0 is not said.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "ms since 1970 UTC")))]
    pub timestamp_ms: u64,
    /// The asset, perhaps with its exchange: `ETH`, `dex:ETH`; empty is not said.
    pub asset: String,
    /// How long this session has run, in seconds; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "s"), range(min = 0)))]
    pub session_duration_s: f64,
    /// How long all sessions along the lineage have run together, in seconds; at least `session_duration_s`.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "s")))]
    pub cumulative_duration_s: f64,
    /// Whether it traded on paper or live.
    pub source_mode: SourceMode,
    /// `timestamp_ms` of the bundle that this lineage came from last, restored or injected; 0 is a cold start.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "ms since 1970 UTC")))]
    pub parent_timestamp_ms: u64,
    /// Bundles before it in the lineage, a count; 0 is a cold start.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub chain_depth: u32,
}

/// How a system trades.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceMode {
    /// Not said.
    #[default]
    Unknown,
    /// With simulated fills.
    Paper,
    /// With real orders.
    Live,
}

impl MarketMetadata {
    /// When the state was taken, if it says.
    pub fn taken_at(&self) -> Option<Timestamp> {
        let millis = i64::try_from(self.timestamp_ms).unwrap_or(i64::MAX);
        (self.timestamp_ms > 0).then(|| Timestamp::from_millis(millis))
    }
}
