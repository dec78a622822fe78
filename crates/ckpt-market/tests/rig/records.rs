//! Records of a prediction log with every field.

use ckpt_market::prediction_log::{
    FillOutcome, LevelPrediction, MarketRegime, MarketState, ModelPredictions, ObservedOutcomes,
    PredictionRecord, Side,
};

/// The record as a line.
pub(crate) fn line(record: &PredictionRecord) -> String {
    serde_json::to_string(record).expect("a record of finite numbers")
}

/// A record of that cycle.
pub(crate) fn record(cycle: u64, resolved: bool) -> PredictionRecord {
    let mid = 100.0 + (cycle as f64 * 0.37).sin();
    PredictionRecord {
        timestamp_ns: 1_700_000_000_000_000_000 + cycle,
        quote_cycle_id: cycle,
        market_state: market_state(mid),
        predictions: predictions(mid),
        outcomes: resolved.then(|| outcomes(mid)),
    }
}

fn market_state(mid: f64) -> MarketState {
    let level = |distance: f64| (mid * (1.0 + distance * 1e-4), 1.0 + distance.abs());
    MarketState {
        best_bid: mid - 0.01,
        best_ask: mid + 0.01,
        bid_levels: (1..=5).map(|depth| level(f64::from(-depth))).collect(),
        ask_levels: (1..=5).map(|depth| level(f64::from(depth))).collect(),
        microprice: mid + 0.001,
        market_mid: mid,
        book_imbalance: 0.123_456_789,
        market_spread_bps: 2.0,
        kappa_book: 1_912.5,
        kappa_robust: 1_877.25,
        kappa_adaptive: 1_893.1,
        kappa_final: 1_890.07,
        kappa_uncertainty: 0.21,
        kappa_ci_width: 410.3,
        sigma_clean: 0.000_213,
        sigma_total: 0.000_245,
        sigma_effective: 0.000_231,
        jump_ratio: 1.15,
        gamma_base: 0.15,
        gamma_adaptive: 0.17,
        gamma_calibration_mult: 1.05,
        gamma_effective: 0.178_5,
        funding_rate: 0.000_01,
        time_to_funding_settlement_s: 12_345.6,
        open_interest: 1.5e8,
        oi_change_1m: -0.000_2,
        inventory: -3.5,
        pending_bid_exposure: 2.0,
        pending_ask_exposure: 1.5,
        dynamic_max_position: 25.0,
        regime: MarketRegime::Active,
        toxicity_score: 0.31,
        is_toxic_regime: false,
        momentum_bps: -1.2,
        flow_imbalance: 0.08,
        falling_knife_score: 0.1,
        rising_knife_score: 0.0,
        adaptive_spread_floor: 4.2,
        adaptive_spread_ceiling: 60.0,
        adaptive_warmup_progress: 0.75,
        calibration_progress: 0.6,
    }
}

fn predictions(mid: f64) -> ModelPredictions {
    let level = |side, depth: f64| LevelPrediction {
        side,
        price: mid * (1.0 + depth * 1e-4),
        size: 0.5,
        depth_from_mid_bps: depth.abs(),
        p_fill_100ms: 0.012,
        p_fill_1s: 0.09,
        p_fill_10s: 0.41,
        p_adverse_given_fill: 0.27,
        expected_pnl_given_fill: 0.001_3,
        estimated_queue_position: 4.0,
        estimated_queue_total: 19.0,
    };
    ModelPredictions {
        levels: vec![level(Side::Buy, -3.0), level(Side::Sell, 3.0)],
        expected_fill_rate_1s: 0.18,
        expected_fill_rate_10s: 0.83,
        expected_adverse_selection_bps: 0.9,
        regime_probabilities: [("Active".to_owned(), 0.8), ("Quiet".to_owned(), 0.2)].into(),
        glft_half_spread_bps: 3.1,
        final_half_spread_bps: 3.0,
        inventory_skew_bps: -0.4,
        quotes_pulled: true,
        pull_reason: Some("toxic".to_owned()),
    }
}

fn outcomes(mid: f64) -> ObservedOutcomes {
    let fill = FillOutcome {
        level_index: 1,
        fill_timestamp_ns: 1_700_000_000_500_000_000,
        fill_price: mid * 1.000_3,
        fill_size: 0.5,
        mark_price_at_fill: mid,
        mark_price_100ms_later: mid + 0.01,
        mark_price_1s_later: mid + 0.02,
        mark_price_10s_later: mid - 0.03,
        realized_as_bps: 0.7,
    };
    ObservedOutcomes {
        fills: vec![fill],
        price_1s_later: 101.0,
        price_10s_later: 102.0,
        price_60s_later: 103.0,
        adverse_selection_realized_bps: 0.7,
        realized_pnl: 0.002,
    }
}
