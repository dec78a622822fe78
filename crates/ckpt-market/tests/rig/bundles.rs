//! What the committed bundles hold, value by value.

use ckpt_market::MarketBundle;
use ckpt_market::component::enhanced::Enhanced;
use ckpt_market::component::ensemble::EnsembleWeights;
use ckpt_market::component::fill_rate::FillRate;
use ckpt_market::component::informed_flow::{FlowParams, InformedFlow};
use ckpt_market::component::kappa::Kappa;
use ckpt_market::component::kelly::KellyTracker;
use ckpt_market::component::kill_switch::{KillSwitch, ReasonCode, Trigger};
use ckpt_market::component::learned::{BayesianParam, LearnedParams};
use ckpt_market::component::metadata::{MarketMetadata, SourceMode};
use ckpt_market::component::momentum::Momentum;
use ckpt_market::component::pre_fill::PreFill;
use ckpt_market::component::readiness::PriorVerdict;
use ckpt_market::component::regime::RegimeHmm;
use ckpt_market::component::rl::{QCell, RlTable};
use ckpt_market::component::vol_filter::VolFilter;
use ckpt_market::v1::{
    KappaV1, KillSwitchV1, MarketBundleV1, MarketMetadataV1, PreFillV1, QCellV1, ReadinessV1, RlTableV1,
};

pub(crate) const SAVED_MS: u64 = 1_707_750_000_000;

/// What the file of version 1 holds.
pub(crate) fn version_1() -> MarketBundleV1 {
    let kappa = |observation_count: u64| KappaV1 {
        prior_alpha: 12.0,
        prior_beta: 0.024,
        observation_count,
        sum_distances: 0.0625,
        sum_sq_distances: 0.000_244_140_625,
        kappa_posterior_mean: (12.0 + observation_count as f64) / (0.024 + 0.0625),
    };
    let cell = |state_index, action_index, n| QCellV1 {
        state_index,
        action_index,
        mu_n: 1.998_002,
        kappa_n: 10.01,
        alpha: 6.0,
        beta: 1.019_98,
        n,
    };
    MarketBundleV1 {
        metadata: MarketMetadataV1 {
            version: 1,
            timestamp_ms: SAVED_MS,
            asset: "HYPE".to_owned(),
            session_duration_s: 7_265.5,
        },
        learned_params: learned().into(),
        pre_fill: PreFillV1 {
            learned_weights: [0.28, 0.27, 0.22, 0.12, 0.11],
            signal_outcome_sum: [1.5, -2.5, 0.25, 0.125, -0.0],
            signal_sq_sum: [10.0, 11.0, 12.0, 13.0, 14.0],
            learning_samples: 612,
            regime_probs: [0.2, 0.6, 0.15, 0.05],
            imbalance_ewma_mean: 0.01,
            imbalance_ewma_var: 0.9,
            flow_ewma_mean: -0.02,
            flow_ewma_var: 1.1,
            funding_ewma_mean: 0.003,
            funding_ewma_var: 0.7,
            regime_trust_prev: 0.85,
            regime_ewma_mean: 0.04,
            regime_ewma_var: 1.2,
            changepoint_ewma_mean: 0.05,
            changepoint_ewma_var: 1.3,
            normalizer_obs_count: 5_000,
            bias_correction_bps: 0.35,
            bias_observation_count: 120,
        },
        enhanced: enhanced(),
        vol_filter: vol_filter(),
        regime_hmm: regime_hmm(),
        informed_flow: informed_flow(),
        fill_rate: fill_rate(),
        kappa_own: kappa(31),
        kappa_bid: kappa(17),
        kappa_ask: kappa(14),
        momentum: momentum(),
        kelly_tracker: kelly(),
        ensemble_weights: ensemble(),
        rl_q_table: RlTableV1 {
            q_entries: vec![cell(44, 3, 10), cell(2, 24, 4), cell(2, 7, 1)],
            episodes: 19,
            total_reward: 23.5,
            total_observations: 15,
            action_space_version: 2,
            use_compact_state: Some(true),
            reward_config_hash: 0x1234_5678_9abc_def0,
            use_drift_bucket: Some(false),
        },
        kill_switch: KillSwitchV1 {
            triggered: true,
            trigger_reasons: vec![
                "Manual shutdown: restored from checkpoint: Daily loss $60.00 exceeds limit $50.00"
                    .to_owned(),
                "Liquidation cascade detected: severity 2.1".to_owned(),
            ],
            daily_pnl: -60.0,
            peak_pnl: 12.5,
            triggered_at_ms: SAVED_MS - 300_000,
        },
        readiness: ReadinessV1 {
            verdict: PriorVerdict::Marginal,
            vol_observations: 4_100,
            kappa_observations: 31,
            as_learning_samples: 612,
            regime_observations: 3_900,
            fill_rate_observations: 240,
            kelly_fills: 62,
            session_duration_s: 7_265.5,
            estimators_ready: 4,
        },
    }
}

/// What it becomes.
pub(crate) fn migrated() -> MarketBundle {
    let kappa = |observation_count: u64| Kappa {
        prior_alpha: 12.0,
        prior_beta: 0.024,
        observation_count,
        sum_distances: 0.0625,
        sum_sq_distances: 0.000_244_140_625,
        kappa_posterior_mean: (12.0 + observation_count as f64) / (0.024 + 0.0625),
        total_observations: observation_count,
    };
    let cell = |state_index, action_index, n| QCell {
        state_index,
        action_index,
        mu_n: 1.998_002,
        kappa_n: 10.01,
        alpha: 6.0,
        beta: 1.019_98,
        n,
        seeded: false,
    };
    let trigger = |code, detail: &str| Trigger {
        code,
        triggered_at_ms: SAVED_MS - 300_000,
        time_is_exact: false,
        detail: detail.to_owned(),
    };
    MarketBundle {
        metadata: MarketMetadata {
            timestamp_ms: SAVED_MS,
            asset: "HYPE".to_owned(),
            session_duration_s: 7_265.5,
            cumulative_duration_s: 7_265.5,
            source_mode: SourceMode::Unknown,
            parent_timestamp_ms: 0,
            chain_depth: 0,
        },
        learned_params: learned(),
        pre_fill: pre_fill(0.30, 0.0, 0.0),
        enhanced: enhanced(),
        vol_filter: vol_filter(),
        regime_hmm: regime_hmm(),
        informed_flow: informed_flow(),
        fill_rate: fill_rate(),
        kappa_own: kappa(31),
        kappa_bid: kappa(17),
        kappa_ask: kappa(14),
        momentum: momentum(),
        kelly_tracker: kelly(),
        ensemble_weights: ensemble(),
        rl_q_table: RlTable {
            q_entries: vec![cell(2, 7, 1), cell(2, 24, 4), cell(44, 3, 10)],
            episodes: 19,
            total_reward: 23.5,
            total_observations: 15,
            action_space_version: 2,
            use_compact_state: Some(true),
            reward_config_hash: 0,
            use_drift_bucket: Some(false),
        },
        kill_switch: KillSwitch {
            triggers: vec![
                trigger(ReasonCode::MaxLoss, "Daily loss $60.00 exceeds limit $50.00"),
                trigger(ReasonCode::CascadeDetected, "Liquidation cascade detected: severity 2.1"),
            ],
            daily_pnl: -60.0,
            peak_pnl: 12.5,
            figures_at_ms: SAVED_MS - 300_000,
        },
        ..MarketBundle::default()
    }
}

fn learned() -> LearnedParams {
    let mut params = LearnedParams::default();
    for ((_, param), at) in params.each_mut().into_iter().zip(1_u32..) {
        let step = f64::from(at) / 64.0;
        param.posterior_param1 += step;
        param.posterior_param2 += step * step;
        param.n_observations = u64::from(at);
        (param.sum_x, param.sum_x2) = (step * 2.0, step * 3.0);
    }
    params.kappa = BayesianParam { n_observations: 412, ..params.kappa };
    params.total_fills_observed = 512;
    params
}

pub(crate) fn pre_fill(trend_weight: f64, trend_outcome_sum: f64, trend_sq_sum: f64) -> PreFill {
    PreFill {
        learned_weights: [0.28, 0.27, 0.22, 0.12, 0.11],
        signal_outcome_sum: [1.5, -2.5, 0.25, 0.125, -0.0],
        signal_sq_sum: [10.0, 11.0, 12.0, 13.0, 14.0],
        learning_samples: 612,
        regime_probs: [0.2, 0.6, 0.15, 0.05],
        imbalance_ewma_mean: 0.01,
        imbalance_ewma_var: 0.9,
        flow_ewma_mean: -0.02,
        flow_ewma_var: 1.1,
        funding_ewma_mean: 0.003,
        funding_ewma_var: 0.7,
        regime_trust_prev: 0.85,
        regime_ewma_mean: 0.04,
        regime_ewma_var: 1.2,
        changepoint_ewma_mean: 0.05,
        changepoint_ewma_var: 1.3,
        normalizer_obs_count: 5_000,
        bias_correction_bps: 0.35,
        bias_observation_count: 120,
        trend_weight,
        trend_outcome_sum,
        trend_sq_sum,
    }
}

fn enhanced() -> Enhanced {
    Enhanced {
        learned_weights: [0.1, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.1, 0.05],
        weight_gradients: [0.5, -0.5, 0.25, -0.25, 0.0, 1e-9, 2.0, 3.0, 4.0, 5.0],
        learning_samples: 612,
        prediction_sum: 140.25,
        outcome_sum: 151.0,
        correct_predictions: 401,
        total_predictions: 612,
    }
}

fn vol_filter() -> VolFilter {
    VolFilter {
        sigma_mean: 0.000_312_5,
        sigma_std: 0.000_1,
        regime_probs: [0.25, 0.5, 0.125, 0.125],
        observation_count: 4_100,
    }
}

fn regime_hmm() -> RegimeHmm {
    let mut transition_counts = [[0.0; 4]; 4];
    for (row, counts) in transition_counts.iter_mut().enumerate() {
        for (column, count) in counts.iter_mut().enumerate() {
            *count = (10 * row + column) as f64 + 0.5;
        }
    }
    RegimeHmm {
        belief: [0.3, 0.4, 0.2, 0.1],
        transition_counts,
        observation_count: 3_900,
        recalibration_count: 7,
    }
}

fn informed_flow() -> InformedFlow {
    let forced = FlowParams { mu_size: 0.75, impact_variance: 2.75, ..FlowParams::FORCED };
    InformedFlow {
        component_params: [FlowParams::INFORMED, FlowParams::default(), forced],
        mixing_weights: [0.3, 0.6, 0.1],
        observation_count: 15_000,
    }
}

fn fill_rate() -> FillRate {
    FillRate {
        lambda_0_mean: 0.125,
        lambda_0_variance: 0.000_5,
        lambda_0_n_obs: 250.5,
        delta_char_mean: 8.5,
        delta_char_variance: 3.25,
        delta_char_n_obs: 245.0,
        observation_count: 240,
    }
}

fn momentum() -> Momentum {
    Momentum {
        continuation_by_magnitude: [0.5, 0.51, 0.52, 0.53, 0.54, 0.55, 0.56, 0.57, 0.58, 0.59],
        counts_by_magnitude: [100, 90, 80, 70, 60, 50, 40, 30, 20, 10],
        prior_continuation: 0.48,
    }
}

fn kelly() -> KellyTracker {
    KellyTracker { ewma_wins: 6.25, n_wins: 40, ewma_losses: 4.5, n_losses: 22, decay: 0.985 }
}

fn ensemble() -> EnsembleWeights {
    EnsembleWeights { model_weights: vec![0.45, 0.35, 0.2], total_updates: 812 }
}
