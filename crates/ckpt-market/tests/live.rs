//! Live components keep the law, and what they lost with their windows does no harm.

use ckpt_format::{Bundle as _, BundleMode, Timestamp};
use ckpt_gate::{Cause, Verdict};
use ckpt_market::component::baseline::Baseline;
use ckpt_market::component::kappa::Kappa;
use ckpt_market::component::kelly::KellyTracker;
use ckpt_market::component::kill_switch::ReasonCode;
use ckpt_market::component::quote_outcomes::QuoteOutcomes;
use ckpt_market::component::readiness::PriorVerdict;
use ckpt_market::component::vol_filter::VolFilter;
use ckpt_market::live::baseline::BaselineTracker;
use ckpt_market::live::kappa::KappaEstimator;
use ckpt_market::live::kelly::Kelly;
use ckpt_market::live::kill_switch::LiveKillSwitch;
use ckpt_market::live::quote_outcomes::QuoteOutcomeTracker;
use ckpt_market::live::volatility::Volatility;
use ckpt_market::live::{LawBroken, LiveComponent, check_law};
use ckpt_market::restore::{RestoreRules, restore};
use ckpt_market::{MarketBundle, StampedBundle, preset, readiness};

const WINDOW_MS: u64 = 60_000;
const NOW_MS: u64 = 1_700_000_000_000;

fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

#[test]
fn every_live_component_keeps_the_law() {
    let (mut kelly, mut baseline) = (Kelly::default(), BaselineTracker::default());
    let (mut quotes, mut switch) = (QuoteOutcomeTracker::default(), LiveKillSwitch::default());
    let (mut volatility, mut kappa) = (Volatility::default(), KappaEstimator::new(WINDOW_MS));
    for step in 0..200_u64 {
        let wave = (step as f64 * 0.7).sin();
        kelly.record(10.0 * wave);
        baseline.record(wave);
        quotes.quoted(step * 1_000, 1.0 + 10.0 * wave.abs(), step % 2 == 0);
        if step % 3 == 0 {
            quotes.filled(step % 2 == 0);
        }
        volatility.observe(wave * 0.001, 1.0);
        kappa.fill(step * 1_000, wave.abs() * 0.001);
    }
    switch.trigger(ReasonCode::MaxLoss, 5, "60 of 50");
    switch.set_daily(-60.0, 86_400_000);
    check_law(&kelly, Kelly::default()).unwrap();
    check_law(&baseline, BaselineTracker::default()).unwrap();
    check_law(&quotes, QuoteOutcomeTracker::default()).unwrap();
    check_law(&switch, LiveKillSwitch::default()).unwrap();
    check_law(&volatility, Volatility::default()).unwrap();
    check_law(&kappa, KappaEstimator::new(WINDOW_MS)).unwrap();
}

/// As the origin had it: the decay of the process is not in what it saves.
#[derive(Default)]
struct HardCoded(KellyTracker);

impl LiveComponent for HardCoded {
    type Checkpoint = KellyTracker;

    fn to_checkpoint(&self) -> KellyTracker {
        self.0.clone()
    }

    fn restore_checkpoint(&mut self, checkpoint: &KellyTracker) {
        self.0 = KellyTracker { decay: 0.99, ..checkpoint.clone() };
    }
}

#[test]
fn a_component_with_a_hard_coded_decay_breaks_the_law() {
    let live = HardCoded(KellyTracker { decay: 0.9, ..KellyTracker::default() });
    let broken = check_law(&live, HardCoded::default()).unwrap_err();
    assert!(matches!(broken, LawBroken::NotIdentical { kind: "kelly_tracker", .. }), "{broken}");
    let warm = HardCoded(KellyTracker { n_wins: 1, ..KellyTracker::default() });
    assert!(matches!(check_law(&live, warm), Err(LawBroken::NotCold { .. })));
}

/// A document may say anything; the first observation after it panicked, or began at 0 again in a release build.
#[test]
fn a_count_that_is_restored_at_its_end_stays_there() {
    let mut volatility = Volatility::default();
    volatility.restore_checkpoint(&VolFilter { observation_count: u64::MAX, ..VolFilter::default() });
    volatility.observe(0.001, 1.0);
    assert_eq!(volatility.to_checkpoint().observation_count, u64::MAX);

    let mut kelly = Kelly::default();
    kelly.restore_checkpoint(&KellyTracker {
        n_wins: u64::MAX,
        n_losses: u64::MAX,
        ..KellyTracker::default()
    });
    [1.0, -1.0].into_iter().for_each(|result| kelly.record(result));
    assert_eq!((kelly.to_checkpoint().n_wins, kelly.to_checkpoint().n_losses), (u64::MAX, u64::MAX));

    let mut baseline = BaselineTracker::default();
    baseline.restore_checkpoint(&Baseline { n_observations: u64::MAX, ..Baseline::default() });
    baseline.record(1.0);
    assert_eq!(baseline.to_checkpoint().n_observations, u64::MAX);

    let (mut quotes, mut full) = (QuoteOutcomeTracker::default(), QuoteOutcomes::default());
    full.bins.iter_mut().for_each(|bin| (bin.fills, bin.total) = (u64::MAX, u64::MAX));
    quotes.restore_checkpoint(&full);
    quotes.quoted(0, 1.0, true);
    assert!(quotes.filled(true));
    assert_eq!(quotes.to_checkpoint(), full);

    let mut kappa = KappaEstimator::new(WINDOW_MS);
    let seen = Kappa { observation_count: u64::MAX, total_observations: u64::MAX, ..Kappa::default() };
    kappa.restore_checkpoint(&seen);
    kappa.fill(0, 0.001);
    let again = kappa.to_checkpoint();
    assert_eq!((again.observation_count, again.total_observations), (u64::MAX, u64::MAX));
}

/// One of them made the average NaN for good, and the next restore forgot all the others with it.
#[test]
fn a_reward_that_is_no_number_is_passed_over() {
    let mut baseline = BaselineTracker::default();
    for reward in [-0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.5] {
        baseline.record(reward);
    }
    let saved = baseline.to_checkpoint();
    assert_eq!((saved.ewma_reward, saved.n_observations), (-0.5, 2));
}

#[test]
fn wins_and_losses_are_counted_not_derived_from_a_rate() {
    let mut kelly = Kelly::default();
    [3.0, 2.0, -1.0].into_iter().for_each(|result| kelly.record(result));
    let saved = kelly.to_checkpoint();
    assert_eq!((saved.n_wins, saved.n_losses, saved.fills()), (2, 1, 3));
    assert!(kelly.fraction(20).is_none() && kelly.fraction(3).unwrap() > 0.0);
}

#[test]
fn a_restored_count_of_kappa_does_not_go_wrong_when_its_window_expires() {
    let mut before = KappaEstimator::new(WINDOW_MS);
    for fill in 0..40 {
        before.fill(fill * 1_000, 0.002);
    }
    let saved = before.to_checkpoint();
    assert_eq!((saved.observation_count, saved.total_observations), (40, 40));

    let mut after = KappaEstimator::new(WINDOW_MS);
    after.restore_checkpoint(&saved);
    assert_eq!(after.to_checkpoint(), saved);
    let (start, mut counts) = (1_000_000, Vec::new());
    for second in 0..=70 {
        after.expire(start + second * 1_000);
        let now = after.to_checkpoint();
        counts.push(now.observation_count);
        assert!(now.sum_distances >= 0.0 && now.kappa_posterior_mean > 0.0, "{now:?}");
        let distances = now.observation_count as f64 * 0.002;
        assert!((now.sum_distances - distances).abs() < 1e-9, "count and sum belong together: {now:?}");
        assert_eq!(now.total_observations, 40, "what was seen stays seen");
    }
    assert_eq!((counts[0], counts[30], counts[60], counts[70]), (40, 20, 0, 0));
    assert!(counts.is_sorted_by(|one, next| one >= next), "{counts:?}");
    assert_eq!(after.kappa(), 500.0, "the prior again");

    after.fill(start + 71_000, 0.002);
    after.expire(start + 71_000 + WINDOW_MS + 1);
    assert_eq!((after.observations(), after.to_checkpoint().total_observations), (0, 41));
}

/// Each life began the fading anew from when it first looked, so the seconds between a save and that were never counted.
#[test]
fn a_process_that_restarts_more_often_than_its_window_is_long_forgets_all_the_same() {
    let mut saved = Kappa { observation_count: 40, total_observations: 40, ..Kappa::default() };
    saved.sum_distances = 0.08;
    let mut left = Vec::new();
    for restart in 1..=24_u64 {
        let mut kappa = KappaEstimator::new(WINDOW_MS);
        kappa.restore_checkpoint(&saved);
        // Saved ten seconds ago; it looks once and is gone again.
        kappa.carried_since(NOW_MS + (restart - 1) * 10_000);
        kappa.expire(NOW_MS + restart * 10_000);
        saved = kappa.to_checkpoint();
        let windows = restart as f64 * 10_000.0 / WINDOW_MS as f64;
        assert!(
            saved.observation_count as f64 <= 40.0 * (-windows).exp(),
            "{saved:?} after {windows} windows"
        );
        assert!((saved.sum_distances - saved.observation_count as f64 * 0.002).abs() < 1e-9, "{saved:?}");
        left.push(saved.observation_count);
    }
    assert!(left[5] < 14 && left[23] == 0, "{left:?}");
    assert_eq!(saved.total_observations, 40);
}

/// The next process takes what a save holds for what counted when it was saved.
#[test]
fn a_save_holds_what_counted_when_the_clock_was_looked_at_last() {
    let mut kappa = KappaEstimator::new(WINDOW_MS);
    kappa.fill(NOW_MS, 0.002);
    assert_eq!(kappa.to_checkpoint().observation_count, 1);
    kappa.expire(NOW_MS + WINDOW_MS + 1);
    assert_eq!(kappa.to_checkpoint().observation_count, 0);
}

/// Where fills come steadily, what is carried is spread evenly over a window indeed: restarts cost nothing.
#[test]
fn restarts_do_not_change_what_a_steady_window_holds() {
    let mut kappa = KappaEstimator::new(WINDOW_MS);
    let mut counts = Vec::new();
    for second in 0..600_u64 {
        let now_ms = NOW_MS + second * 1_000;
        if second % 20 == 0 {
            let saved = kappa.to_checkpoint();
            kappa = KappaEstimator::new(WINDOW_MS);
            kappa.restore_checkpoint(&saved);
            kappa.carried_since(now_ms);
        }
        kappa.fill(now_ms, 0.002);
        kappa.fill(now_ms, 0.002);
        counts.push(kappa.observations());
    }
    let steady = &counts[300..];
    assert!(steady.iter().all(|count| (110..=126).contains(count)), "{steady:?}");
}

#[test]
fn what_is_carried_from_the_future_fades_from_now_and_a_clock_set_back_brings_nothing_back() {
    let saved = Kappa { observation_count: 40, sum_distances: 0.08, ..Kappa::default() };
    let mut kappa = KappaEstimator::new(WINDOW_MS);
    kappa.restore_checkpoint(&saved);
    kappa.carried_since(u64::MAX);
    let mut count_at = |ms| {
        kappa.expire(NOW_MS + ms);
        kappa.observations()
    };
    assert_eq!([count_at(0), count_at(30_000)], [40, 20]);
    assert_eq!([count_at(0), count_at(WINDOW_MS)], [20, 0]);
}

#[test]
fn a_filter_restored_within_bounds_that_leaves_them_is_capped_at_its_accessors() {
    let mut bundle = MarketBundle::default();
    bundle.vol_filter.sigma_mean = 0.002;
    let restored = restore(bundle, now(), &RestoreRules::default());
    assert!(restored.report.is_empty());
    let mut filter = Volatility::default();
    filter.restore_checkpoint(&restored.bundle.vol_filter);
    filter.observe(0.5, 1.0);
    assert!(filter.to_checkpoint().sigma_mean > 0.05, "the state is what it learned");
    assert_eq!((filter.sigma(), filter.sigma_upper()), (0.0025, 0.0025));
}

#[test]
fn a_restore_never_lets_trading_go_on_and_a_second_trigger_keeps_the_first_time() {
    let mut switch = LiveKillSwitch::default();
    switch.trigger(ReasonCode::Manual, 1_000, "lunch");
    switch.restore_checkpoint(&LiveKillSwitch::default().to_checkpoint());
    assert!(switch.is_triggered());
    switch.trigger(ReasonCode::Manual, 2_000, "still lunch");
    assert_eq!(switch.to_checkpoint().triggers[0].triggered_at_ms, 1_000);
}

/// It was stored as NaN, and the next restore began the day's loss at 0.
#[test]
fn a_profit_of_the_day_that_is_no_number_is_passed_over() {
    let mut switch = LiveKillSwitch::default();
    switch.set_daily(-40.0, NOW_MS);
    [f64::NAN, f64::INFINITY].into_iter().for_each(|figure| switch.set_daily(figure, NOW_MS + 1));
    let saved = switch.to_checkpoint();
    assert_eq!((saved.daily_pnl, saved.peak_pnl, saved.figures_at_ms), (-40.0, 0.0, NOW_MS));
}

/// With the time of the stored one it would have expired a day after that, hours too early.
#[test]
fn a_restore_never_makes_what_holds_older() {
    let (mut stored, mut switch) = (LiveKillSwitch::default(), LiveKillSwitch::default());
    stored.trigger(ReasonCode::MaxLoss, 1_000, "then");
    switch.trigger(ReasonCode::MaxLoss, 80_000_000, "now");
    switch.restore_checkpoint(&stored.to_checkpoint());
    let triggers = switch.to_checkpoint().triggers;
    assert_eq!((triggers.len(), triggers[0].triggered_at_ms, &*triggers[0].detail), (1, 80_000_000, "now"));
    stored.restore_checkpoint(&switch.to_checkpoint());
    assert_eq!(stored.to_checkpoint().triggers, triggers, "the other way round, too");
}

#[test]
fn the_trackers_that_every_restart_lost_come_back() {
    let (mut baseline, mut quotes) = (BaselineTracker::default(), QuoteOutcomeTracker::default());
    for step in 0..12 {
        baseline.record(-0.5);
        quotes.quoted(step, 1.5, true);
        quotes.filled(true);
    }
    quotes.quoted(13, 50.0, false);
    quotes.expire(60_000);
    let bundle = MarketBundle {
        baseline_tracker: baseline.to_checkpoint(),
        quote_outcomes: quotes.to_checkpoint(),
        ..MarketBundle::default()
    };
    let sections = bundle.stamp(&preset().gate).to_sections().unwrap();
    let loaded = StampedBundle::from_sections(&sections, BundleMode::Strict).unwrap();
    assert!(loaded.report.is_whole(), "{}", loaded.report);
    let bundle = loaded.value.into_bundle();
    let (mut baseline, mut quotes) = (BaselineTracker::default(), QuoteOutcomeTracker::default());
    baseline.restore_checkpoint(&bundle.baseline_tracker);
    quotes.restore_checkpoint(&bundle.quote_outcomes);
    assert_eq!(baseline.counterfactual(1.0), 1.5);
    assert_eq!((quotes.fill_rate(3.0), quotes.fill_rate(100.0)), (Some(1.0), None));
    assert_eq!(bundle.quote_outcomes.bins[7].hi_bps, f64::INFINITY);
}

/// Enough of everything.
fn learned() -> MarketBundle {
    let mut bundle = MarketBundle::default();
    bundle.metadata.timestamp_ms = NOW_MS;
    bundle.metadata.session_duration_s = 1_800.0;
    bundle.vol_filter.observation_count = 200;
    bundle.kappa_own.observation_count = 3;
    bundle.kappa_own.total_observations = 50;
    bundle.pre_fill.learning_samples = 100;
    bundle.enhanced.learning_samples = 0;
    bundle.regime_hmm.observation_count = 200;
    bundle.fill_rate.observation_count = 200;
    (bundle.kelly_tracker.n_wins, bundle.kelly_tracker.n_losses) = (12, 8);
    bundle
}

#[test]
fn every_saved_bundle_is_stamped_at_shutdown_too() {
    // There is no other way to a section than through the stamp, so there is no path that forgets it.
    let stamped = learned().stamp(&preset().gate);
    assert_eq!(stamped.readiness().verdict, PriorVerdict::Ready);
    let sections = stamped.to_sections().unwrap();
    let loaded = StampedBundle::from_sections(&sections, BundleMode::Strict).unwrap().value;
    assert_eq!(loaded, stamped);
    let readiness = loaded.readiness();
    assert_eq!((readiness.estimators_ready, readiness.kelly_fills), (5, 20));
    assert_eq!((readiness.thresholds.version, readiness.thresholds.core.len()), (1, 5));
}

#[test]
fn kappa_s_falling_window_does_not_cost_the_verdict() {
    let assessment = readiness::judge(&learned(), now(), &preset().gate);
    assert_eq!(assessment.verdict(), Verdict::Ready);
}

#[test]
fn readiness_counts_the_classifier_before_a_fill_not_the_other_one() {
    let mut bundle = learned();
    (bundle.pre_fill.learning_samples, bundle.enhanced.learning_samples) = (99, 10_000);
    let assessment = readiness::judge(&bundle, now(), &preset().gate);
    assert_eq!(assessment.verdict(), Verdict::Marginal);
    assert_eq!(assessment.shortfalls()[0].to_string(), "adverse_selection 99 of 100");
}

#[test]
fn age_is_judged_again_at_load_and_an_unknown_one_does_not_pass() {
    let gate = preset().gate;
    let later = |seconds: i64| Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000);
    assert!(readiness::judge(&learned(), later(14_400), &gate).passes());
    let stale = readiness::judge(&learned(), later(14_401), &gate);
    assert_eq!((stale.verdict(), stale.cause()), (Verdict::Insufficient, Some(Cause::Stale)));
    let mut undated = learned();
    undated.metadata.timestamp_ms = 0;
    assert_eq!(readiness::judge(&undated, now(), &gate).cause(), Some(Cause::Unknown));
    let mut endless = learned();
    endless.metadata.session_duration_s = f64::NAN;
    assert_eq!(readiness::judge(&endless, now(), &gate).verdict(), Verdict::Insufficient);
}

#[test]
fn seconds_along_the_lineage_count() {
    let mut bundle = learned();
    bundle.metadata.session_duration_s = 60.0;
    assert!(!readiness::judge(&bundle, now(), &preset().gate).passes());
    bundle.metadata.cumulative_duration_s = 1_800.0;
    assert!(readiness::judge(&bundle, now(), &preset().gate).passes());
}

#[test]
fn equal_tables_make_equal_bytes_whatever_their_order() {
    use ckpt_market::component::rl::QCell;
    let cells = |order: [u32; 3]| order.map(|state| QCell { n: 1, ..QCell::fresh(state, 0) }).to_vec();
    let sections = |order| {
        let mut bundle = MarketBundle::default();
        bundle.rl_q_table.q_entries = cells(order);
        bundle.stamp(&preset().gate).to_sections().unwrap()
    };
    assert_eq!(sections([2, 0, 1]), sections([0, 1, 2]));
}

#[test]
fn a_seeded_cell_survives_a_save_and_load() {
    use ckpt_market::component::rl::QCell;
    let seeded = QCell { seeded: true, kappa_n: 3.003, ..QCell::fresh(4, 7) };
    let mut bundle = MarketBundle::default();
    bundle.rl_q_table.q_entries = vec![seeded.clone()];
    RestoreRules::default().rl.mark(&mut bundle.rl_q_table);
    let sections = bundle.stamp(&preset().gate).to_sections().unwrap();
    let loaded = StampedBundle::from_sections(&sections, BundleMode::Strict).unwrap().value;
    let restored = restore(loaded.into_bundle(), now(), &RestoreRules::default());
    assert_eq!(restored.bundle.rl_q_table.q_entries, [seeded]);
}
