//! Restore rules: what may be used of a bundle that was loaded, and what is told of the rest.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use ckpt_format::{Bundle as _, BundleMode, Timestamp};
use ckpt_market::component::baseline::Baseline;
use ckpt_market::component::kill_switch::{KillSwitch, ReasonCode, Trigger};
use ckpt_market::component::learned::{BayesianParam, Family};
use ckpt_market::component::rl::{QCell, RlTable};
use ckpt_market::live::LiveComponent as _;
use ckpt_market::live::kill_switch::LiveKillSwitch;
use ckpt_market::restore::decay::Decay;
use ckpt_market::restore::report::{Aspect, Finding};
use ckpt_market::restore::rl::{AgentShape, RewardConfig, Unknown};
use ckpt_market::restore::sigma::SigmaCap;
use ckpt_market::restore::{RestoreRules, Restored, restore};
use ckpt_market::{MarketBundle, StampedBundle, names, preset};

const HOUR_MS: u64 = 3_600_000;
/// 2023-11-14T22:13:20Z.
const NOW_MS: u64 = 1_700_000_000_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap())
}

fn restored(bundle: MarketBundle) -> Restored {
    restore(bundle, at(NOW_MS), &RestoreRules::default())
}

fn trigger(code: ReasonCode, triggered_at_ms: u64) -> Trigger {
    Trigger { code, triggered_at_ms, time_is_exact: true, detail: String::new() }
}

fn with_switch(kill_switch: KillSwitch) -> MarketBundle {
    MarketBundle { kill_switch, ..MarketBundle::default() }
}

fn with_table(rl_q_table: RlTable) -> MarketBundle {
    MarketBundle { rl_q_table, ..MarketBundle::default() }
}

/// A table that fits the default agent.
fn fitting(cells: Vec<QCell>) -> RlTable {
    let mut table = RlTable { q_entries: cells, episodes: 3, ..RlTable::default() };
    AgentShape::default().mark(&mut table);
    table
}

fn cell(state_index: u32, action_index: u32, n: u64) -> QCell {
    QCell { n, mu_n: 0.5, kappa_n: 2.0, ..QCell::fresh(state_index, action_index) }
}

#[test]
fn a_cold_start_is_restored_as_it_is_and_nothing_is_told() {
    let Restored { bundle, report } = restored(MarketBundle::default());
    assert_eq!(bundle, MarketBundle::default());
    assert!(report.is_empty(), "{report}");
}

#[test]
fn restoring_twice_changes_nothing_more() {
    let mut bundle = with_switch(KillSwitch {
        triggers: vec![trigger(ReasonCode::MaxLoss, NOW_MS - HOUR_MS)],
        ..KillSwitch::default()
    });
    bundle.vol_filter.sigma_mean = 1.0;
    bundle.pre_fill.regime_probs = [2.0, 1.0, 1.0, 0.0];
    bundle.kappa_own.observation_count = 31;
    let once = restored(bundle);
    assert!(once.report.notes().len() > 3, "{}", once.report);
    assert_eq!(restored(once.bundle.clone()).bundle, once.bundle);
}

#[test]
fn a_sigma_of_1_is_capped_at_ten_times_the_default_and_recorded() {
    let mut bundle = MarketBundle::default();
    bundle.vol_filter.sigma_mean = 1.0;
    bundle.vol_filter.sigma_std = f64::NAN;
    let Restored { bundle, report } = restored(bundle);
    assert_eq!((bundle.vol_filter.sigma_mean, bundle.vol_filter.sigma_std), (0.0025, 0.0002));
    let clamped = Finding::Clamped {
        field: "sigma_mean".to_owned(),
        from: 1.0,
        to: 0.0025,
        why: "it is at most the cap on volatility",
    };
    assert_eq!(report.of(names::VOL_FILTER)[0], &clamped);
    assert_eq!(report.notes().len(), 2, "{report}");
    let why = "sigma_std was NaN and is 0.0002: it is a finite number";
    assert!(report.to_string().contains(why), "{report}");
}

#[test]
fn a_cap_that_is_none_is_refused() {
    let none =
        [(0.0, 10.0), (f64::NAN, 10.0), (0.1, f64::INFINITY), (0.1, -1.0), (1e308, 10.0), (1e-300, 1e-300)];
    for (sigma, multiplier) in none {
        assert!(SigmaCap::new(sigma, multiplier).is_err(), "{sigma} x {multiplier}");
    }
    assert_eq!(SigmaCap::new(0.001, 2.0).unwrap().max(), 0.002);
}

#[test]
fn learned_parameters_out_of_bounds_are_reset_or_clamped_and_recorded() {
    let mut bundle = MarketBundle::default();
    let params = &mut bundle.learned_params;
    params.spread_floor_bps.posterior_param1 = -0.5;
    params.gamma_base.posterior_param1 = 0.1;
    params.kappa = BayesianParam::gamma("kappa", 0.5, 4.0);
    params.alpha_touch.posterior_param2 = 0.0;
    params.hawkes_mu.family = Family::Beta;
    params.max_drawdown = BayesianParam::normal("", 0.0, 1.0);
    let Restored { bundle, report } = restored(bundle);
    let default = MarketBundle::default().learned_params;
    let mut expected = default.clone();
    expected.spread_floor_bps.posterior_param1 = 0.0;
    assert_eq!(bundle.learned_params, expected);
    assert_eq!(report.of(names::LEARNED_PARAMS).len(), 6, "{report}");
}

/// All of them are finite, and each made an estimate, or the weight of the data in it, that can't be.
#[test]
fn numbers_of_a_parameter_that_are_none_of_its_family_are_reset() {
    let mut bundle = MarketBundle::default();
    let params = &mut bundle.learned_params;
    params.alpha_touch.prior_strength = -3.0;
    params.max_drawdown.sum_x2 = -4.0;
    (params.kalman_q.prior_mean, params.kalman_q.posterior_param1) = (-1.0, 0.5);
    params.toxic_hour_gamma_mult.posterior_param1 = -1_000.0;
    (params.hawkes_mu.posterior_param1, params.hawkes_mu.posterior_param2) = (5e-324, 1e300);
    params.proactive_skew_sensitivity.posterior_param1 = -2.0;
    let Restored { bundle, report } = restored(bundle);
    let mut expected = MarketBundle::default().learned_params;
    expected.proactive_skew_sensitivity.posterior_param1 = -2.0;
    assert_eq!(bundle.learned_params, expected, "{report}");
    assert_eq!(report.of(names::LEARNED_PARAMS).len(), 5, "{report}");
}

#[test]
fn sums_of_squares_below_0_are_reset_with_what_they_were_learned_with() {
    for trend in [false, true] {
        let mut bundle = MarketBundle::default();
        bundle.pre_fill.learning_samples = 700;
        bundle.pre_fill.signal_outcome_sum = [-3.0; 5];
        let pre_fill = &mut bundle.pre_fill;
        *(if trend { &mut pre_fill.trend_sq_sum } else { &mut pre_fill.signal_sq_sum[4] }) = -1e-9;
        let Restored { bundle, report } = restored(bundle);
        assert_eq!(bundle.pre_fill, MarketBundle::default().pre_fill, "{report}");
        assert_eq!(report.notes().len(), 1, "{report}");
    }
}

#[test]
fn every_number_that_is_not_one_is_replaced_before_it_can_reach_a_quote() {
    let nan = f64::NAN;
    let mut bundle = MarketBundle::default();
    bundle.fill_rate.lambda_0_mean = nan;
    bundle.fill_rate.delta_char_variance = -1.0;
    bundle.kappa_bid.prior_beta = 0.0;
    bundle.kappa_ask.sum_distances = f64::INFINITY;
    bundle.momentum.continuation_by_magnitude[3] = 1.5;
    bundle.kelly_tracker.decay = nan;
    bundle.ensemble_weights.model_weights = vec![];
    bundle.pre_fill.flow_ewma_var = 0.0;
    bundle.pre_fill.trend_sq_sum = nan;
    bundle.enhanced.learned_weights = [0.0; 10];
    bundle.informed_flow.component_params[1].sigma_size = nan;
    bundle.regime_hmm.belief = [nan; 4];
    bundle.regime_hmm.transition_counts[1][2] = -3.0;
    bundle.baseline_tracker = Baseline { ewma_reward: nan, n_observations: 9, ..Baseline::default() };
    bundle.kill_switch.daily_pnl = nan;
    let Restored { bundle, report } = restored(bundle);
    let mut expected = MarketBundle::default();
    expected.momentum.continuation_by_magnitude[3] = 1.0;
    assert_eq!(bundle, expected, "{report}");
    assert_eq!(report.notes().len(), 15, "{report}");
}

/// Shape and rate were above 0 both, and kappa was infinite: a spread of nothing.
#[test]
fn a_rate_of_kappa_that_is_hardly_more_than_0_is_no_prior() {
    let mut bundle = MarketBundle::default();
    bundle.kappa_own.prior_beta = 5e-324;
    let Restored { bundle, report } = restored(bundle);
    assert_eq!(bundle.kappa_own, MarketBundle::default().kappa_own);
    assert_eq!(report.of(names::KAPPA_OWN).len(), 1, "{report}");
}

/// A kappa of 0 is a spread without an end.
#[test]
fn a_kappa_whose_mean_is_0_is_no_prior_and_no_window() {
    let mut bundle = MarketBundle::default();
    (bundle.kappa_own.prior_alpha, bundle.kappa_own.prior_beta) = (5e-324, 1e300);
    // Each by itself is finite, their sum is not.
    (bundle.kappa_bid.prior_alpha, bundle.kappa_bid.prior_beta) = (1e300, 1e308);
    bundle.kappa_bid.sum_distances = 1e308;
    let once = restored(bundle);
    assert_eq!(once.bundle.kappa_own, MarketBundle::default().kappa_own, "{}", once.report);
    assert_eq!(
        (once.bundle.kappa_bid.sum_distances, once.bundle.kappa_bid.kappa_posterior_mean),
        (0.0, 1e300 / 1e308)
    );
    assert!(restored(once.bundle).report.is_empty());
}

/// Each by itself could be; together they made an infinite kappa, told anew at each restore.
#[test]
fn a_window_of_kappa_with_which_its_mean_is_infinite_is_emptied() {
    let mut bundle = MarketBundle::default();
    (bundle.kappa_own.prior_beta, bundle.kappa_own.observation_count) = (1e-300, 1 << 40);
    let once = restored(bundle);
    assert!(once.bundle.kappa_own.kappa_posterior_mean.is_finite(), "{}", once.report);
    assert_eq!(once.bundle.kappa_own.observation_count, 0);
    let twice = restored(once.bundle.clone());
    assert!(twice.bundle == once.bundle && twice.report.of(names::KAPPA_OWN).is_empty(), "{}", twice.report);
}

#[test]
fn more_fills_than_quotes_in_a_bin_are_clamped_and_never_underflow() {
    let mut bundle = MarketBundle::default();
    (bundle.quote_outcomes.bins[2].fills, bundle.quote_outcomes.bins[2].total) = (9, 4);
    assert_eq!(bundle.quote_outcomes.bins[2].expired(), 0);
    let Restored { bundle, report } = restored(bundle);
    assert_eq!(bundle.quote_outcomes.bins[2].fills, 4);
    assert!(report.to_string().contains("bins[2].fills was 9 and is 4"), "{report}");

    let mut bundle = MarketBundle::default();
    bundle.quote_outcomes.bins.pop();
    let Restored { bundle, report } = restored(bundle);
    assert_eq!(bundle.quote_outcomes.bins.len(), 8);
    assert!(report.to_string().contains("other bins than the tracker's"), "{report}");
}

#[test]
fn a_trigger_holds_for_24_hours_and_its_expiry_is_told() {
    let switch =
        |at_ms| KillSwitch { triggers: vec![trigger(ReasonCode::MaxLoss, at_ms)], ..KillSwitch::default() };
    let exactly = restored(with_switch(switch(NOW_MS - 24 * HOUR_MS)));
    assert!(exactly.bundle.kill_switch.is_triggered(), "{}", exactly.report);
    assert_eq!(exactly.report.to_string(), "kill_switch: still triggered by max_loss, 24.0 h ago\n");

    let later = restored(with_switch(switch(NOW_MS - 24 * HOUR_MS - 1)));
    assert!(!later.bundle.kill_switch.is_triggered());
    assert_eq!(
        later.report.to_string(),
        "kill_switch: the trigger max_loss expired: it is 24.0 h old, triggers hold 24 h\n"
    );
}

#[test]
fn saving_and_restoring_every_five_minutes_does_not_renew_a_trigger() {
    let mut bundle = with_switch(KillSwitch {
        triggers: vec![trigger(ReasonCode::MaxDrawdown, NOW_MS)],
        ..KillSwitch::default()
    });
    let mut released_after = None;
    for save in 1..=300 {
        let now = NOW_MS + save * 300_000;
        bundle.metadata.timestamp_ms = now;
        bundle = restore(bundle, at(now), &RestoreRules::default()).bundle;
        if !bundle.kill_switch.is_triggered() {
            released_after = Some(save * 300_000);
            break;
        }
    }
    assert_eq!(released_after, Some(24 * HOUR_MS + 300_000));
}

#[test]
fn reasons_of_the_moment_are_dropped_by_code_whatever_their_text_says() {
    let mut triggers: Vec<Trigger> =
        ReasonCode::ALL.into_iter().map(|code| trigger(code, NOW_MS - HOUR_MS)).collect();
    for trigger in &mut triggers {
        trigger.detail = "Position runaway, liquidation cascade, stale data".to_owned();
    }
    let Restored { bundle, report } = restored(with_switch(KillSwitch { triggers, ..KillSwitch::default() }));
    let held: Vec<ReasonCode> = bundle.kill_switch.triggers.iter().map(|trigger| trigger.code).collect();
    assert_eq!(
        held,
        [
            ReasonCode::MaxLoss,
            ReasonCode::MaxDrawdown,
            ReasonCode::MaxPosition,
            ReasonCode::Manual,
            ReasonCode::LiquidationDetected,
            ReasonCode::Other
        ]
    );
    let dropped = report.notes().iter().filter(|note| note.finding.rule() == "trigger_transient").count();
    assert_eq!((dropped, report.notes().len()), (4, 10), "{report}");
}

#[test]
fn a_trigger_from_the_future_counts_as_now_and_the_clock_is_told() {
    let triggers = vec![trigger(ReasonCode::Manual, NOW_MS + 5_000)];
    let Restored { bundle, report } = restored(with_switch(KillSwitch { triggers, ..KillSwitch::default() }));
    assert!(bundle.kill_switch.is_triggered());
    assert!(report.to_string().contains("5000 ms in the future"), "{report}");
}

#[test]
fn a_trigger_without_a_time_is_as_old_as_its_document_or_holds() {
    let switch = |figures_at_ms| KillSwitch {
        triggers: vec![trigger(ReasonCode::Manual, 0)],
        figures_at_ms,
        ..KillSwitch::default()
    };
    assert!(!restored(with_switch(switch(NOW_MS - 30 * HOUR_MS))).bundle.kill_switch.is_triggered());
    let Restored { bundle, report } = restored(with_switch(switch(0)));
    assert!(bundle.kill_switch.is_triggered());
    assert!(report.to_string().contains("since nobody knows when"), "{report}");
}

/// Its age was that of the figures of the day, and they are taken anew all day: saved every hour, it never expired.
#[test]
fn a_trigger_without_a_time_is_not_renewed_by_figures_that_are_newer() {
    let triggers = vec![trigger(ReasonCode::MaxLoss, 0)];
    let mut bundle = with_switch(KillSwitch { triggers, figures_at_ms: NOW_MS, ..KillSwitch::default() });
    let mut held_hours = Vec::new();
    for hour in 1..=30 {
        let now = NOW_MS + hour * HOUR_MS;
        let mut live = LiveKillSwitch::default();
        live.restore_checkpoint(&restore(bundle, at(now), &RestoreRules::default()).bundle.kill_switch);
        live.set_daily(-1.0, now);
        held_hours.extend(live.is_triggered().then_some(hour));
        bundle = with_switch(live.to_checkpoint());
        bundle.metadata.timestamp_ms = now;
    }
    assert_eq!(held_hours, (1..=24).collect::<Vec<u64>>());
}

/// Version 1 said of them only while it was triggered.
#[test]
fn figures_that_do_not_say_are_as_old_as_the_bundle() {
    for (age_ms, daily_pnl) in [(HOUR_MS, -40.0), (30 * HOUR_MS, 0.0)] {
        let mut bundle = with_switch(KillSwitch { daily_pnl: -40.0, ..KillSwitch::default() });
        bundle.metadata.timestamp_ms = NOW_MS - age_ms;
        let switch = restored(bundle).bundle.kill_switch;
        assert_eq!((switch.daily_pnl, switch.figures_at_ms), (daily_pnl, NOW_MS - age_ms));
    }
}

#[test]
fn figures_of_another_utc_day_begin_at_0_and_today_s_stay() {
    let midnight = NOW_MS / 86_400_000 * 86_400_000;
    let figures =
        |at| KillSwitch { daily_pnl: -40.0, peak_pnl: 12.0, figures_at_ms: at, ..KillSwitch::default() };
    let today = restored(with_switch(figures(midnight)));
    assert_eq!((today.bundle.kill_switch.daily_pnl, today.report.is_empty()), (-40.0, true));
    for other in [midnight - 1, midnight + 86_400_000, 0] {
        let Restored { bundle, report } = restored(with_switch(figures(other)));
        assert_eq!((bundle.kill_switch.daily_pnl, bundle.kill_switch.peak_pnl), (0.0, 0.0));
        let finding = Finding::FiguresReset { daily_pnl: -40.0, peak_pnl: 12.0 };
        assert_eq!(report.of(names::KILL_SWITCH), [&finding]);
    }
}

#[test]
fn a_q_table_that_fits_keeps_its_cells_and_is_sorted() {
    let cells = vec![cell(7, 3, 2), cell(0, 24, 1), cell(44, 0, 5)];
    let Restored { bundle, report } = restored(with_table(fitting(cells)));
    let indices: Vec<(u32, u32)> = bundle.rl_q_table.q_entries.iter().map(QCell::index).collect();
    assert_eq!(indices, [(0, 24), (7, 3), (44, 0)]);
    assert!(report.is_empty(), "{report}");
}

#[test]
fn a_q_table_of_another_agent_is_emptied_and_each_difference_is_named() {
    let mut table = fitting(vec![cell(1, 1, 4)]);
    table.action_space_version = 1;
    table.use_compact_state = Some(false);
    table.use_drift_bucket = Some(true);
    table.reward_config_hash = RewardConfig { gamma: 0.9, ..RewardConfig::default() }.hash();
    let Restored { bundle, report } = restored(with_table(table));
    assert_eq!(bundle.rl_q_table, RlTable::default(), "its episodes go with it");
    let [Finding::TableRefused { why, cells: 1 }] = report.of(names::RL_Q_TABLE)[..] else {
        panic!("{report}");
    };
    let aspects: Vec<Aspect> = why.iter().map(|misfit| misfit.aspect).collect();
    let all = [Aspect::ActionSpace, Aspect::CompactState, Aspect::DriftBucket, Aspect::RewardConfig];
    assert_eq!(aspects, all);
}

#[test]
fn unknown_is_no_match_and_flags_that_are_absent_are_unknown() {
    let mut table = fitting(vec![cell(1, 1, 4)]);
    (table.action_space_version, table.use_compact_state, table.use_drift_bucket) = (0, None, None);
    table.reward_config_hash = 0;
    let refused = restored(with_table(table.clone()));
    assert_eq!(refused.bundle.rl_q_table, RlTable::default());
    assert!(refused.report.to_string().contains("the action space is unknown, the agent's is 2"));

    let mut rules = RestoreRules::default();
    rules.rl.unknown_indices = Unknown::Accept;
    let accepted = restore(with_table(table), at(NOW_MS), &rules);
    assert_eq!(accepted.bundle.rl_q_table.q_entries.len(), 1);
    assert_eq!(accepted.report.of(names::RL_Q_TABLE).len(), 4, "{}", accepted.report);
}

#[test]
fn cells_out_of_range_without_a_posterior_or_given_twice_are_dropped_and_counted() {
    let cells = vec![
        cell(45, 0, 1),
        cell(0, 25, 1),
        cell(u32::MAX, 0, 1),
        QCell { beta: 0.0, ..cell(1, 1, 1) },
        QCell { kappa_n: f64::NAN, ..cell(1, 2, 1) },
        QCell::fresh(2, 2),
        QCell { mu_n: 1.0, ..cell(3, 3, 1) },
        QCell { mu_n: 2.0, ..cell(3, 3, 6) },
        QCell { seeded: true, ..cell(4, 4, 0) },
    ];
    let Restored { bundle, report } = restored(with_table(fitting(cells)));
    let left: Vec<_> = bundle.rl_q_table.q_entries.iter().map(|cell| (cell.index(), cell.mu_n)).collect();
    assert_eq!(left, [((3, 3), 2.0), ((4, 4), 0.5)], "the last one given wins, a seeded one stays");
    let finding = Finding::CellsDropped { out_of_range: 3, unusable: 2, duplicate: 1, unknown: 1 };
    assert_eq!(report.of(names::RL_Q_TABLE), [&finding]);
    assert_eq!(bundle.rl_q_table.total_observations, 6);
}

#[test]
fn the_full_state_reaches_2025_with_and_without_drift() {
    for drift_bucket in [false, true] {
        let shape = AgentShape { compact_state: false, drift_bucket, ..AgentShape::default() };
        let mut table = RlTable { q_entries: vec![cell(2024, 0, 1), cell(2025, 0, 1)], ..RlTable::default() };
        shape.mark(&mut table);
        let rules = RestoreRules { rl: shape, ..RestoreRules::default() };
        let Restored { bundle, .. } = restore(with_table(table), at(NOW_MS), &rules);
        assert_eq!(bundle.rl_q_table.q_entries.len(), 1);
    }
}

#[test]
fn every_weight_of_the_reward_is_in_its_hash() {
    let default = RewardConfig::default();
    let others = [
        RewardConfig { edge_weight: 1.1, ..default },
        RewardConfig { inventory_penalty_weight: 0.2, ..default },
        RewardConfig { volatility_penalty_weight: 0.1, ..default },
        RewardConfig { inventory_change_weight: 0.06, ..default },
        RewardConfig { gamma: 0.96, ..default },
    ];
    for other in others {
        assert_ne!(other.hash(), default.hash(), "{other:?}");
    }
    assert_eq!(default.hash(), 5_732_016_699_186_934_118, "worked out apart from this program");
}

#[test]
fn posteriors_fade_by_a_time_constant_and_what_must_not_fade_does_not() {
    let mut bundle = MarketBundle::default();
    bundle.metadata.timestamp_ms = NOW_MS - 12 * HOUR_MS;
    bundle.kappa_own.observation_count = 100;
    bundle.kappa_own.total_observations = 900;
    bundle.kappa_own.sum_distances = 0.2;
    (bundle.kappa_own.prior_alpha, bundle.kappa_own.prior_beta) = (20.0, 0.04);
    bundle.kappa_own.kappa_posterior_mean = 120.0 / 0.24;
    bundle.kelly_tracker.n_wins = 100;
    bundle.pre_fill.learning_samples = 1_000;
    bundle.enhanced.weight_gradients = [1.0; 10];
    bundle.regime_hmm.transition_counts[0][1] = 9.0;
    bundle.kill_switch.triggers = vec![trigger(ReasonCode::MaxLoss, NOW_MS - HOUR_MS)];
    (bundle.quote_outcomes.bins[0].fills, bundle.quote_outcomes.bins[0].total) = (3, 3);
    let rules = RestoreRules { decay: Some(Decay::default()), ..RestoreRules::default() };
    let Restored { bundle: old, report } = restore(bundle.clone(), at(NOW_MS), &rules);

    // exp(-12 h / 12 h) = 0.3679, its root 0.6065: after a time constant, not after a half-life of twelve hours.
    assert!((old.enhanced.weight_gradients[0] - 0.367_879).abs() < 1e-6);
    assert_eq!((old.kelly_tracker.n_wins, old.pre_fill.learning_samples), (61, 607));
    assert_eq!((old.kappa_own.observation_count, old.kappa_own.total_observations), (61, 900));
    let (alpha, beta) = old.kappa_own.posterior();
    assert!((old.kappa_own.sum_distances - 0.122).abs() < 1e-12);
    assert_eq!(old.kappa_own.kappa_posterior_mean, alpha / beta);
    assert!((old.fill_rate.lambda_0_variance - 0.001 / 0.606_53).abs() < 1e-7);
    assert!(old.quote_outcomes.bins[0].fills <= old.quote_outcomes.bins[0].total);
    assert_eq!(old.regime_hmm, bundle.regime_hmm);
    assert_eq!(old.kill_switch.triggers, bundle.kill_switch.triggers);
    assert_eq!(old.learned_params, bundle.learned_params);
    // Volatility is as uncertain as it was: nothing of it fades, and nothing is told.
    assert_eq!(report.notes().iter().filter(|note| note.finding.rule() == "decayed").count(), 11);
    assert_eq!(report.of(names::VOL_FILTER), Vec::<&Finding>::new());
    assert!((Decay::default().half_life_hours() - 8.317_8).abs() < 1e-3);
}

#[test]
fn fading_needs_an_age_and_begins_after_half_an_hour() {
    let rules = RestoreRules { decay: Some(Decay::default()), ..RestoreRules::default() };
    let unknown = restore(MarketBundle::default(), at(NOW_MS), &rules);
    assert_eq!(unknown.report.of(names::METADATA), [&Finding::AgeUnknown]);
    for age_ms in [-1_000, 0, 1_800_000] {
        let mut bundle = MarketBundle::default();
        bundle.metadata.timestamp_ms = NOW_MS.checked_add_signed(-age_ms).unwrap();
        bundle.kelly_tracker.n_wins = 100;
        let Restored { bundle: same, report } = restore(bundle.clone(), at(NOW_MS), &rules);
        assert_eq!((same, report.is_empty()), (bundle, true), "{age_ms} ms");
    }
    assert!(Decay::new(0.0, 0.5).is_err() && Decay::new(12.0, f64::NAN).is_err());
}

/// The second restore took the same twelve hours off once more.
#[test]
fn evidence_that_has_faded_fades_again_only_for_what_came_after() {
    let mut bundle = MarketBundle::default();
    bundle.metadata.timestamp_ms = NOW_MS - 12 * HOUR_MS;
    bundle.pre_fill.signal_outcome_sum = [1.0; 5];
    let rules = RestoreRules { decay: Some(Decay::default()), ..RestoreRules::default() };
    let once = restore(bundle.clone(), at(NOW_MS), &rules).bundle;
    let twice = restore(once.clone(), at(NOW_MS), &rules);
    assert_eq!(twice.bundle, once, "{}", twice.report);
    assert!(twice.report.is_empty(), "{}", twice.report);

    // In two steps it is what it would have been in one.
    let [later, in_one] =
        [once, bundle].map(|bundle| restore(bundle, at(NOW_MS + 6 * HOUR_MS), &rules).bundle);
    let [left, expected] = [&later, &in_one].map(|bundle| bundle.pre_fill.signal_outcome_sum[0]);
    assert!((left / expected - 1.0).abs() < 1e-12, "{left}, {expected} in one");

    // What is saved is as old as it says: the mark stays in this process.
    let sections = later.stamp(&preset().gate).to_sections().unwrap();
    let loaded = StampedBundle::from_sections(&sections, BundleMode::Strict).unwrap().value;
    assert_eq!(loaded.bundle().faded_until, None);
}

#[test]
fn a_variance_that_grows_old_stays_a_number() {
    let mut bundle = MarketBundle::default();
    bundle.metadata.timestamp_ms = NOW_MS - 200 * HOUR_MS;
    bundle.fill_rate.lambda_0_variance = 1e308;
    let rules = RestoreRules { decay: Some(Decay::default()), ..RestoreRules::default() };
    assert_eq!(restore(bundle, at(NOW_MS), &rules).bundle.fill_rate.lambda_0_variance, f64::MAX);
}

#[test]
fn growing_old_never_makes_volatility_more_certain() {
    let mut bundle = MarketBundle::default();
    bundle.metadata.timestamp_ms = NOW_MS - 100 * HOUR_MS;
    bundle.vol_filter.sigma_std = 0.001;
    let rules = RestoreRules { decay: Some(Decay::default()), ..RestoreRules::default() };
    assert_eq!(restore(bundle, at(NOW_MS), &rules).bundle.vol_filter.sigma_std, 0.001);
}

#[test]
fn a_report_is_data_and_a_sentence() {
    let mut bundle = MarketBundle::default();
    bundle.kappa_own.kappa_posterior_mean = 12.0;
    let report = restored(bundle).report;
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        serde_json::json!([{
            "component": "kappa_own",
            "rule": "clamped",
            "text": "kappa_posterior_mean was 12 and is 500: it is the mean of prior and window",
        }])
    );
}
