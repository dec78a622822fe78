//! What became of quotes, by their spread.

use serde::{Deserialize, Serialize};

use super::first_version;

/// Fills and expiries per bin of the spread: the chance of a fill without the bias of looking at fills alone. Pending quotes
/// and the log of single outcomes are not kept.
///
/// Left out: quotes that wait, the log of single outcomes, the last mid price. The next quotes bring them, within half a minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct QuoteOutcomes {
    /// The bins, from the narrowest spread to the widest, each beginning where the one before ends.
    pub bins: Vec<SpreadBin>,
}

/// One bin: spreads from `lo_bps`, included, to `hi_bps`, excluded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SpreadBin {
    /// Lower end, in basis points; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "bps"), range(min = 0)))]
    pub lo_bps: f64,
    /// Upper end, in basis points; more than `lo_bps`, infinite in the last bin.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "bps")))]
    pub hi_bps: f64,
    /// Quotes that were filled, a count; at most `total`.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub fills: u64,
    /// Quotes that were filled or expired, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub total: u64,
}

impl SpreadBin {
    /// An empty bin.
    pub const fn new(lo_bps: f64, hi_bps: f64) -> Self {
        Self { lo_bps, hi_bps, fills: 0, total: 0 }
    }

    /// Quotes that expired; 0 if the counts contradict each other.
    pub fn expired(&self) -> u64 {
        self.total.saturating_sub(self.fills)
    }
}

/// The whole range of spreads in one bin.
impl Default for SpreadBin {
    fn default() -> Self {
        Self::new(0.0, f64::INFINITY)
    }
}

/// Ends of the bins, in basis points; the last one has no upper end.
const ENDS: [f64; 9] = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, f64::INFINITY];

impl Default for QuoteOutcomes {
    fn default() -> Self {
        Self { bins: ENDS.windows(2).map(|ends| SpreadBin::new(ends[0], ends[1])).collect() }
    }
}

first_version!(QuoteOutcomes, "quote_outcomes");
