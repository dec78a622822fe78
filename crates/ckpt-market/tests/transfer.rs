//! From a market maker on paper to a live one. `PROPTEST_RNG_SEED` replays a run.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use ckpt_format::{Bundle as _, BundleMode, Timestamp};
use ckpt_market::component::kill_switch::{KillSwitch, ReasonCode, Trigger};
use ckpt_market::component::metadata::SourceMode;
use ckpt_market::component::rl::{QCell, RlTable};
use ckpt_market::restore::restore;
use ckpt_market::restore::rl::AgentShape;
use ckpt_market::transfer::{Recipient, without_rl};
use ckpt_market::{MarketBundle, StampedBundle, names, preset};
use ckpt_transfer::{
    Cell as _, InjectionConfig, InjectionOutcome, InjectionReport, Note, PriorExtract as _, PriorInject as _,
    Rejection, SkipReason, Weight,
};
use proptest::prelude::*;

const SAVED_AT_MS: u64 = 1_767_323_000_000;

fn now() -> Timestamp {
    later(60)
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_millis(SAVED_AT_MS as i64 + 1_000 * seconds)
}

fn lived(state_index: u32, action_index: u32, reward: f64) -> QCell {
    // One update of a fresh cell.
    let fresh = QCell::fresh(state_index, action_index);
    let kappa_n = fresh.kappa_n + 1.0;
    let beta = fresh.beta + reward * reward * fresh.kappa_n / (2.0 * kappa_n);
    QCell { mu_n: reward / kappa_n, kappa_n, alpha: 1.5, beta, n: 1, ..fresh }
}

fn table(cells: Vec<QCell>) -> RlTable {
    let mut table = RlTable { q_entries: cells, ..RlTable::default() };
    AgentShape::default().mark(&mut table);
    table
}

/// Ready, with something learned in every component, and stopped for a loss.
fn paper() -> MarketBundle {
    let mut paper = MarketBundle::default();
    paper.metadata.asset = "dex:HYPE".to_owned();
    paper.metadata.timestamp_ms = SAVED_AT_MS;
    paper.metadata.session_duration_s = 3_600.0;
    paper.metadata.cumulative_duration_s = 3_600.0;
    paper.metadata.source_mode = SourceMode::Paper;
    paper.learned_params.total_fills_observed = 120;
    paper.pre_fill.learning_samples = 100;
    paper.enhanced.learning_samples = 100;
    (paper.vol_filter.sigma_mean, paper.vol_filter.observation_count) = (0.0007, 4_000);
    paper.regime_hmm.observation_count = 4_000;
    paper.informed_flow.observation_count = 500;
    paper.fill_rate.observation_count = 220;
    paper.kappa_own.total_observations = 60;
    paper.kappa_bid.total_observations = 30;
    paper.kappa_ask.total_observations = 30;
    paper.momentum.counts_by_magnitude[2] = 9;
    (paper.kelly_tracker.n_wins, paper.kelly_tracker.n_losses) = (15, 10);
    paper.ensemble_weights.total_updates = 7;
    paper.quote_outcomes.bins[1].total = 40;
    paper.baseline_tracker.n_observations = 33;
    let untouched = QCell { seeded: true, ..QCell::fresh(3, 4) };
    paper.rl_q_table = table(vec![lived(0, 0, 2.0), lived(0, 1, 3.0), lived(3, 3, 1.0), untouched]);
    paper.kill_switch = stopped(-700.0);
    paper
}

fn stopped(daily_pnl: f64) -> KillSwitch {
    let trigger = Trigger {
        code: ReasonCode::MaxLoss,
        triggered_at_ms: SAVED_AT_MS,
        time_is_exact: true,
        detail: String::new(),
    };
    KillSwitch { triggers: vec![trigger], daily_pnl, peak_pnl: 5.0, figures_at_ms: SAVED_AT_MS }
}

/// A live one that traded one action and has figures of its day.
fn live() -> MarketBundle {
    let mut live = MarketBundle::default();
    live.metadata.asset = "HYPE".to_owned();
    live.metadata.source_mode = SourceMode::Live;
    live.rl_q_table = table(vec![lived(0, 1, -1.0)]);
    live.kill_switch =
        KillSwitch { daily_pnl: 12.5, peak_pnl: 20.0, figures_at_ms: SAVED_AT_MS, triggers: Vec::new() };
    live
}

fn recipient(bundle: MarketBundle) -> Recipient {
    Recipient::new(bundle, &preset())
}

fn injected(
    source: &MarketBundle,
    target: MarketBundle,
    config: &InjectionConfig,
) -> (MarketBundle, InjectionReport) {
    let mut target = recipient(target);
    let report = target.inject_prior(&source.extract_prior(now()), config, now()).unwrap();
    (target.into_bundle(), report)
}

fn outcome(report: &InjectionReport, name: &str) -> InjectionOutcome {
    report.component(name).unwrap().outcome.clone()
}

fn cell(bundle: &MarketBundle, state: u32, action: u32) -> Option<&QCell> {
    bundle.rl_q_table.q_entries.iter().find(|cell| cell.index() == (state, action))
}

#[test]
fn every_component_enters_is_blended_or_stays_the_live_ones_own() {
    let (bundle, report) = injected(&paper(), live(), &InjectionConfig::default());
    let told: Vec<&str> = report.components.iter().map(|component| component.name.as_str()).collect();
    for name in names::ALL.iter().filter(|name| ![names::METADATA, names::READINESS].contains(name)) {
        assert!(told.contains(name), "nothing is told of {name}");
    }
    for component in &report.components {
        let expected = match component.name.as_str() {
            names::RL_Q_TABLE => "seeded",
            names::KILL_SWITCH => "kept_own",
            _ => "injected",
        };
        assert_eq!(component.outcome.as_str(), expected, "{component}");
    }
    assert!(
        matches!(report.notes[..], [Note::Alias { .. }]),
        "both sides name their components alike: {report}"
    );
    // All that is the paper's, and nothing else.
    let expected = MarketBundle {
        metadata: bundle.metadata.clone(),
        rl_q_table: bundle.rl_q_table.clone(),
        kill_switch: live().kill_switch,
        ..paper()
    };
    assert_eq!(bundle, expected);
}

#[test]
fn a_restore_at_full_weight_does_not_defeat_the_discount() {
    let (bundle, report) = injected(&paper(), live(), &InjectionConfig::default());
    assert_eq!(
        report.component(names::RL_Q_TABLE).unwrap().to_string(),
        "rl_q_table: seeded 2 of 3 at weight 0.3, 1 kept live, 1 unobserved"
    );
    let seeded = cell(&bundle, 0, 0).unwrap();
    assert_eq!(*seeded, lived(0, 0, 2.0).discounted(Weight::default()));
    assert_eq!((seeded.n, seeded.seeded), (0, true));
    assert!((seeded.kappa_n - 0.3 * 1.01).abs() < 1e-15);
    assert_eq!(bundle.rl_q_table.total_observations, live().rl_q_table.total_observations);
}

#[test]
fn the_live_table_is_not_replaced_and_its_cells_are_untouched() {
    let (bundle, _) = injected(&paper(), live(), &InjectionConfig::default());
    assert_eq!(cell(&bundle, 0, 1), Some(&lived(0, 1, -1.0)));
    // A state that was visited has cold actions still, and actions that paper never tried are not imported.
    assert!(cell(&bundle, 0, 0).is_some() && cell(&bundle, 3, 4).is_none());
}

#[test]
fn a_cold_table_says_what_its_cells_mean_once_it_was_seeded() {
    let cold = MarketBundle { rl_q_table: RlTable::default(), ..live() };
    let (bundle, _) = injected(&paper(), cold, &InjectionConfig::default());
    assert_eq!(bundle.rl_q_table.q_entries.len(), 3);
    let restored = restore(bundle.clone(), now(), &preset().restore);
    assert_eq!(restored.bundle.rl_q_table, bundle.rl_q_table, "{}", restored.report);
}

#[test]
fn skipping_rl_leaves_the_live_table_alone() {
    let config = without_rl(InjectionConfig::default());
    let (bundle, report) = injected(&paper(), live(), &config);
    assert_eq!(
        (&bundle.rl_q_table, &bundle.baseline_tracker),
        (&live().rl_q_table, &live().baseline_tracker)
    );
    assert_eq!(outcome(&report, names::RL_Q_TABLE), InjectionOutcome::Skipped(SkipReason::Excluded));
    assert_eq!(bundle.vol_filter, paper().vol_filter);
}

#[test]
fn an_injection_does_not_wipe_the_days_pnl_and_neither_stops_nor_frees_the_live_system() {
    for own in [live().kill_switch, stopped(-40.0)] {
        let target = MarketBundle { kill_switch: own.clone(), ..live() };
        let (bundle, report) = injected(&paper(), target, &InjectionConfig::default());
        assert_eq!(bundle.kill_switch, own);
        assert_eq!(outcome(&report, names::KILL_SWITCH), InjectionOutcome::KeptOwn);
    }
}

#[test]
fn a_live_kill_switch_does_not_go_back_to_paper() {
    let mut source = MarketBundle { kill_switch: stopped(-9.0), ..paper() };
    source.metadata.source_mode = SourceMode::Live;
    let target = MarketBundle { kill_switch: KillSwitch::default(), ..live() };
    let (bundle, _) = injected(&source, target, &InjectionConfig::default());
    assert_eq!(bundle.kill_switch, KillSwitch::default());
}

#[test]
fn live_experience_outranks_a_component_that_is_taken_whole() {
    let mut target = live();
    (target.vol_filter.sigma_mean, target.vol_filter.observation_count) = (0.0004, 12);
    let (bundle, report) = injected(&paper(), target.clone(), &InjectionConfig::default());
    assert_eq!(bundle.vol_filter, target.vol_filter);
    assert_eq!(
        outcome(&report, names::VOL_FILTER),
        InjectionOutcome::Skipped(SkipReason::Lived { observations: 12 })
    );
    assert_eq!(bundle.regime_hmm, paper().regime_hmm);
}

#[test]
fn an_absurd_sigma_is_clamped_and_told() {
    let mut source = paper();
    source.vol_filter.sigma_mean = 1.0;
    let (bundle, report) = injected(&source, live(), &InjectionConfig::default());
    assert_eq!(bundle.vol_filter.sigma_mean, 0.0025);
    let clamped = &report.component(names::VOL_FILTER).unwrap().clamped;
    assert_eq!(clamped[..], ["sigma_mean was 1 and is 0.0025: it is at most the cap on volatility"]);
}

#[test]
fn a_table_that_means_something_else_is_skipped_and_the_live_one_is_kept() {
    let changes: [fn(&mut RlTable); 5] = [
        |table| table.action_space_version = 1,
        |table| table.action_space_version = 0, // unknown is not a match
        |table| table.use_compact_state = Some(false),
        |table| table.use_drift_bucket = Some(true),
        |table| table.reward_config_hash ^= 1,
    ];
    for change in changes {
        let mut source = paper();
        change(&mut source.rl_q_table);
        let (bundle, report) = injected(&source, live(), &InjectionConfig::default());
        assert_eq!(bundle.rl_q_table, live().rl_q_table);
        let told = report.component(names::RL_Q_TABLE).unwrap().to_string();
        assert!(
            told.starts_with("rl_q_table: skipped, it is incompatible: the table of 4 cells does not fit"),
            "{told}"
        );
    }
}

#[test]
fn a_live_table_that_does_not_fit_its_own_agent_is_not_mixed_with() {
    let mut target = live();
    target.rl_q_table.use_compact_state = Some(false);
    let (bundle, report) = injected(&paper(), target.clone(), &InjectionConfig::default());
    assert_eq!(bundle.rl_q_table, target.rl_q_table);
    let told = report.component(names::RL_Q_TABLE).unwrap().to_string();
    assert!(told.contains("own table must be restored first"), "{told}");
}

#[test]
fn a_cell_whose_shape_is_below_1_is_no_posterior_and_not_seeded() {
    let mut source = paper();
    source.rl_q_table = table(vec![lived(5, 5, 2.0), QCell { alpha: 0.5, ..lived(6, 6, 2.0) }]);
    let (bundle, report) = injected(&source, live(), &InjectionConfig::default());
    let InjectionOutcome::Seeded(counts) = outcome(&report, names::RL_Q_TABLE) else { panic!("{report}") };
    assert_eq!((counts.offered, counts.seeded, counts.refused), (2, 1, 1));
    assert_eq!((cell(&bundle, 5, 5).is_some(), cell(&bundle, 6, 6)), (true, None));
}

#[test]
fn states_and_actions_that_the_agent_does_not_have_are_not_seeded() {
    let mut source = paper();
    source.rl_q_table.q_entries.extend([lived(45, 0, 1.0), lived(2_000, 3, 1.0), lived(0, 25, 1.0)]);
    let (bundle, report) = injected(&source, live(), &InjectionConfig::default());
    assert_eq!(bundle.rl_q_table.q_entries.len(), 3);
    let clamped = &report.component(names::RL_Q_TABLE).unwrap().clamped;
    assert!(clamped.iter().any(|text| text.contains("3 out of range")), "{clamped:?}");
}

#[test]
fn seeded_cells_survive_a_save_a_load_and_a_restore() {
    let (bundle, _) = injected(&paper(), live(), &InjectionConfig::default());
    let sections = bundle.clone().stamp(&preset().gate).to_sections().unwrap();
    let loaded = StampedBundle::from_sections(&sections, BundleMode::Strict).unwrap().value.into_bundle();
    assert_eq!(loaded, bundle);
    let restored = restore(loaded, now(), &preset().restore).bundle;
    assert_eq!(restored.rl_q_table, bundle.rl_q_table);
    // Once more the same prior: the same cells, the same numbers.
    let (again, _) = injected(&paper(), restored.clone(), &InjectionConfig::default());
    assert_eq!(again, restored);
}

#[test]
fn the_lineage_is_in_the_next_save() {
    let mut source = paper();
    source.metadata.chain_depth = 2;
    let mut target = live();
    target.metadata.session_duration_s = 30.0;
    let (bundle, report) = injected(&source, target, &InjectionConfig::default());
    let metadata = &bundle.metadata;
    assert_eq!((metadata.parent_timestamp_ms, metadata.chain_depth), (SAVED_AT_MS, 3));
    assert_eq!(metadata.cumulative_duration_s, 3_630.0);
    assert_eq!((metadata.asset.as_str(), metadata.source_mode), ("HYPE", SourceMode::Live));
    let lineage = report.lineage.unwrap();
    assert_eq!((lineage.mode.as_str(), lineage.parent.unwrap().mode.as_str()), ("live", "paper"));
}

#[test]
fn what_took_nothing_comes_from_where_it_came_from_before() {
    let skip = names::ALL.iter().filter(|name| ![names::METADATA, names::READINESS].contains(name));
    let config =
        InjectionConfig { skip: skip.map(|&name| name.to_owned()).collect(), ..InjectionConfig::default() };
    let (bundle, report) = injected(&paper(), live(), &config);
    assert_eq!((bundle, report.changes(), report.lineage), (live(), 0, None));
}

#[test]
fn admission_is_the_markets() {
    let reject = |source: &MarketBundle, now: Timestamp| -> Rejection {
        let mut target = recipient(live());
        let rejection =
            target.inject_prior(&source.extract_prior(now), &InjectionConfig::default(), now).unwrap_err();
        assert_eq!(target.bundle(), &live());
        rejection
    };
    let mut other = paper();
    other.metadata.asset = "ETH".to_owned();
    assert_eq!(reject(&other, now()).code(), "identity");
    // What lay on the disk is as old as it is, whenever it is offered.
    assert!(
        recipient(live())
            .dry_run(&paper().extract_prior(now()), &InjectionConfig::default(), later(14_400))
            .is_ok()
    );
    assert_eq!(reject(&paper(), later(14_401)).code(), "age");
    let mut timeless = paper();
    timeless.metadata.timestamp_ms = 0;
    assert_eq!(reject(&timeless, now()).code(), "age");
    let mut short = paper();
    (short.metadata.session_duration_s, short.metadata.cumulative_duration_s) = (1_799.0, 1_799.0);
    let rejection = reject(&short, now());
    assert!(rejection.to_string().contains("session 1799 s of 1800 s"), "{rejection}");
    let mut few = paper();
    (few.kappa_own.total_observations, few.regime_hmm.observation_count) = (31, 0);
    few.vol_filter.observation_count = 199;
    let rejection = reject(&few, now());
    assert!(rejection.to_string().contains("vol 199 of 200; kappa 31 of 50; regime 0 of 200"), "{rejection}");
}

#[test]
fn a_bundle_that_was_stamped_ready_is_judged_again() {
    // Nobody reads the stamp of the source: evidence is counted anew, and the age is that of the injection.
    let sections = paper().stamp(&preset().gate).to_sections().unwrap();
    let loaded = StampedBundle::from_sections(&sections, BundleMode::Strict).unwrap().value;
    let mut bundle = loaded.into_bundle();
    bundle.pre_fill.learning_samples = 0;
    bundle.fill_rate.observation_count = 0;
    bundle.vol_filter.observation_count = 0;
    let rejection = recipient(live())
        .dry_run(&bundle.extract_prior(now()), &InjectionConfig::default(), now())
        .unwrap_err();
    assert_eq!(rejection.code(), "verdict");
}

/// Few cells, so that tables meet.
fn cells() -> impl Strategy<Value = Vec<QCell>> {
    let cell = (-3.0..3.0_f64, any::<bool>());
    prop::collection::btree_map((0_u32..4, 0_u32..4), cell, 0..12).prop_map(|cells| {
        let drawn = |((state, action), (reward, is_lived)): ((u32, u32), (f64, bool))| {
            let cell = lived(state, action, reward);
            if is_lived { cell } else { cell.discounted(Weight::default()) }
        };
        cells.into_iter().map(drawn).collect()
    })
}

proptest! {
    #[test]
    fn live_cells_stay_bit_for_bit_and_a_dry_run_says_the_same(theirs in cells(), own in cells()) {
        let source = MarketBundle { rl_q_table: table(theirs), ..paper() };
        let target = MarketBundle { rl_q_table: table(own.clone()), ..live() };
        let config = InjectionConfig::default();
        let planned = recipient(target.clone()).dry_run(&source.extract_prior(now()), &config, now()).unwrap();
        let (once, report) = injected(&source, target, &config);
        prop_assert_eq!(planned, report);
        let bits = |cell: &QCell| [cell.mu_n, cell.kappa_n, cell.alpha, cell.beta].map(f64::to_bits);
        for cell_before in own.iter().filter(|cell| cell.n > 0) {
            let (state, action) = cell_before.index();
            let after = cell(&once, state, action).unwrap();
            prop_assert_eq!((bits(after), after.n), (bits(cell_before), cell_before.n));
        }
        prop_assert!(once.rl_q_table.is_sorted());
        let (twice, _) = injected(&source, once.clone(), &config);
        prop_assert_eq!(twice, once);
    }
}
