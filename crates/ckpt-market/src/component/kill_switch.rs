//! The kill switch: why trading was stopped, since when, and the figures of the day.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What stopped trading, and the day's profit and loss. Limits are configuration and not kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct KillSwitch {
    /// What holds it, in the order it happened; empty: it is not triggered.
    pub triggers: Vec<Trigger>,
    /// Profit or loss of the day, in the quote currency.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "quote currency")))]
    pub daily_pnl: f64,
    /// Highest profit of the day, in the quote currency.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "quote currency")))]
    pub peak_pnl: f64,
    /// When the two figures were taken, in milliseconds since the start of 1970 in UTC; 0 is not said.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "ms since 1970 UTC")))]
    pub figures_at_ms: u64,
}

/// One reason to stop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Trigger {
    /// Which.
    pub code: ReasonCode,
    /// When it happened, in milliseconds since the start of 1970 in UTC. Saving and restoring never renew it.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "ms since 1970 UTC")))]
    pub triggered_at_ms: u64,
    /// Whether that is when it happened; if not, it is the latest that it can have been.
    pub time_is_exact: bool,
    /// What there is to say, for people; no rule goes by it.
    pub detail: String,
}

/// Why trading stops. Rules go by these codes, never by text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// The loss of the day is beyond its limit.
    MaxLoss,
    /// The drawdown from the day's peak is beyond its limit.
    MaxDrawdown,
    /// The position is worth more than its limit.
    MaxPosition,
    /// The position runs away faster than orders are placed.
    PositionRunaway,
    /// Market data are too old.
    StaleData,
    /// The exchange refuses too many requests.
    RateLimit,
    /// Liquidations cascade through the market.
    CascadeDetected,
    /// A person stopped it.
    Manual,
    /// The own position was liquidated.
    LiquidationDetected,
    /// Something else, told in the detail.
    #[default]
    Other,
}

impl KillSwitch {
    /// Whether anything holds it.
    pub fn is_triggered(&self) -> bool {
        !self.triggers.is_empty()
    }
}

impl ReasonCode {
    /// Every code.
    pub const ALL: [Self; 10] = [
        Self::MaxLoss,
        Self::MaxDrawdown,
        Self::MaxPosition,
        Self::PositionRunaway,
        Self::StaleData,
        Self::RateLimit,
        Self::CascadeDetected,
        Self::Manual,
        Self::LiquidationDetected,
        Self::Other,
    ];

    /// Its name, as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MaxLoss => "max_loss",
            Self::MaxDrawdown => "max_drawdown",
            Self::MaxPosition => "max_position",
            Self::PositionRunaway => "position_runaway",
            Self::StaleData => "stale_data",
            Self::RateLimit => "rate_limit",
            Self::CascadeDetected => "cascade_detected",
            Self::Manual => "manual",
            Self::LiquidationDetected => "liquidation_detected",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
