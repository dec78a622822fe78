//! A record of the prediction log, field by field.
//!
//! No field has a default: a record that lacks one is malformed, except `outcomes`, whose absence means none yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was predicted for one cycle of quotes, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictionRecord {
    /// When it was predicted, in nanoseconds since the start of 1970 in UTC.
    pub timestamp_ns: u64,
    /// Number of the cycle, from 1.
    pub quote_cycle_id: u64,
    /// The market at that moment.
    pub market_state: MarketState,
    /// What was predicted.
    pub predictions: ModelPredictions,
    /// What was observed, once it was.
    pub outcomes: Option<ObservedOutcomes>,
}

/// Regime of the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MarketRegime {
    /// Little happens.
    Quiet,
    /// As usual.
    Active,
    /// Prices move a lot.
    Volatile,
    /// Liquidations cascade.
    Cascade,
}

/// Side of a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// A bid.
    Buy,
    /// An ask.
    Sell,
}

/// The market when a prediction was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MarketState {
    /// Best bid, a price.
    pub best_bid: f64,
    /// Best ask, a price.
    pub best_ask: f64,
    /// Bids, (price, size) each, best first.
    pub bid_levels: Vec<(f64, f64)>,
    /// Asks, (price, size) each, best first.
    pub ask_levels: Vec<(f64, f64)>,
    /// Microprice.
    pub microprice: f64,
    /// Mid price.
    pub market_mid: f64,
    /// Imbalance of the book, -1 to 1.
    pub book_imbalance: f64,
    /// Spread of the market, in basis points.
    pub market_spread_bps: f64,
    /// Kappa from the book.
    pub kappa_book: f64,
    /// Kappa from a robust fit.
    pub kappa_robust: f64,
    /// Kappa, adapted.
    pub kappa_adaptive: f64,
    /// Kappa that was quoted by.
    pub kappa_final: f64,
    /// Relative uncertainty of kappa.
    pub kappa_uncertainty: f64,
    /// Width of its interval.
    pub kappa_ci_width: f64,
    /// Volatility without jumps, a fraction per square root of a second.
    pub sigma_clean: f64,
    /// Volatility with jumps, in the same unit.
    pub sigma_total: f64,
    /// Volatility that was quoted by, in the same unit.
    pub sigma_effective: f64,
    /// Total over clean volatility.
    pub jump_ratio: f64,
    /// Base risk aversion.
    pub gamma_base: f64,
    /// Risk aversion, adapted.
    pub gamma_adaptive: f64,
    /// Multiplier from calibration.
    pub gamma_calibration_mult: f64,
    /// Risk aversion that was quoted by.
    pub gamma_effective: f64,
    /// Funding rate, a fraction.
    pub funding_rate: f64,
    /// Time to the next funding, in seconds.
    pub time_to_funding_settlement_s: f64,
    /// Open interest.
    pub open_interest: f64,
    /// Change of it within a minute, a fraction.
    pub oi_change_1m: f64,
    /// Position.
    pub inventory: f64,
    /// Size of open bids.
    pub pending_bid_exposure: f64,
    /// Size of open asks.
    pub pending_ask_exposure: f64,
    /// Greatest position allowed.
    pub dynamic_max_position: f64,
    /// Regime.
    pub regime: MarketRegime,
    /// Toxicity of the flow, 0 to 1.
    pub toxicity_score: f64,
    /// Whether the flow was held for toxic.
    pub is_toxic_regime: bool,
    /// Momentum, in basis points.
    pub momentum_bps: f64,
    /// Imbalance of the flow, -1 to 1.
    pub flow_imbalance: f64,
    /// How much it looks like a falling knife.
    pub falling_knife_score: f64,
    /// How much it looks like a rising one.
    pub rising_knife_score: f64,
    /// Least spread, adapted.
    pub adaptive_spread_floor: f64,
    /// Greatest spread, adapted.
    pub adaptive_spread_ceiling: f64,
    /// Progress of the adaption, 0 to 1.
    pub adaptive_warmup_progress: f64,
    /// Progress of the calibration, 0 to 1.
    pub calibration_progress: f64,
}

/// What the models predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelPredictions {
    /// One a level that is quoted.
    pub levels: Vec<LevelPrediction>,
    /// Fills expected within a second.
    pub expected_fill_rate_1s: f64,
    /// Fills expected within ten seconds.
    pub expected_fill_rate_10s: f64,
    /// Adverse selection that is expected, in basis points.
    pub expected_adverse_selection_bps: f64,
    /// Probability of each regime, by its name.
    pub regime_probabilities: BTreeMap<String, f64>,
    /// Half spread of the model, in basis points.
    pub glft_half_spread_bps: f64,
    /// Half spread that was quoted, in basis points.
    pub final_half_spread_bps: f64,
    /// Skew for the inventory, in basis points.
    pub inventory_skew_bps: f64,
    /// Whether quotes were pulled.
    pub quotes_pulled: bool,
    /// Why they were.
    pub pull_reason: Option<String>,
}

/// What was predicted for one quote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelPrediction {
    /// Side.
    pub side: Side,
    /// Price.
    pub price: f64,
    /// Size.
    pub size: f64,
    /// Distance from mid, in basis points.
    pub depth_from_mid_bps: f64,
    /// Probability of a fill within 0.1 s.
    pub p_fill_100ms: f64,
    /// Probability of a fill within a second.
    pub p_fill_1s: f64,
    /// Probability of a fill within ten seconds.
    pub p_fill_10s: f64,
    /// Probability that a fill is adverse.
    pub p_adverse_given_fill: f64,
    /// Profit or loss that a fill is expected to bring.
    pub expected_pnl_given_fill: f64,
    /// Place in the queue.
    pub estimated_queue_position: f64,
    /// Length of the queue.
    pub estimated_queue_total: f64,
}

/// What came of a prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservedOutcomes {
    /// The fills.
    pub fills: Vec<FillOutcome>,
    /// Price a second later.
    pub price_1s_later: f64,
    /// Price ten seconds later.
    pub price_10s_later: f64,
    /// Price a minute later.
    pub price_60s_later: f64,
    /// Adverse selection that was realised, in basis points.
    pub adverse_selection_realized_bps: f64,
    /// Profit or loss that was realised.
    pub realized_pnl: f64,
}

/// One fill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FillOutcome {
    /// Index of the level that was filled.
    pub level_index: u64,
    /// When, in nanoseconds since the start of 1970 in UTC.
    pub fill_timestamp_ns: u64,
    /// Price.
    pub fill_price: f64,
    /// Size.
    pub fill_size: f64,
    /// Mark price at the fill.
    pub mark_price_at_fill: f64,
    /// Mark price 0.1 s later.
    pub mark_price_100ms_later: f64,
    /// Mark price a second later.
    pub mark_price_1s_later: f64,
    /// Mark price ten seconds later.
    pub mark_price_10s_later: f64,
    /// Adverse selection that was realised, in basis points.
    pub realized_as_bps: f64,
}
