//! What becomes of the components of an admitted prior. `PROPTEST_RNG_SEED` replays a run.

use ckpt_transfer::{
    Cell as _, InjectionConfig, InjectionOutcome, PriorExtract as _, PriorInject as _, Rejection, SkipReason,
    Weight,
};
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::rig::{SIGMA_MAX, Table, Trader, live, lived, now, paper};

fn skipping(names: &[&str]) -> InjectionConfig {
    InjectionConfig {
        skip: names.iter().map(|&name| name.to_owned()).collect(),
        ..InjectionConfig::default()
    }
}

/// The live trader after the injection, and the report.
fn injected(config: &InjectionConfig) -> (Trader, String) {
    let mut system = live();
    let report = system.inject_prior(&paper().extract_prior(now()), config, now()).unwrap();
    (system, report.to_string())
}

#[test]
fn the_report_says_of_each_component_what_became_of_it() {
    let (system, report) = injected(&InjectionConfig::default());
    assert_eq!(
        report,
        "volatility: injected; clamped: sigma from 1 to 0.0025\n\
         values: seeded 4 of 6 at weight 0.3, 2 kept live, 1 unobserved\n\
         regime: injected\n\
         kill_switch: kept its own, it is never inherited\n\
         note: the prior's \"dex:HYPE\" is this system's \"HYPE\"\n"
    );
    assert_eq!((system.sigma, system.regime), (SIGMA_MAX, 0.7));
}

#[test]
fn a_paper_value_arrives_discounted_and_never_at_full_weight() {
    let (system, _) = injected(&InjectionConfig::default());
    for action in 1..5 {
        let expected = paper().values[&(0, action)].discounted(Weight::default());
        assert_eq!(system.values[&(0, action)], expected);
    }
    assert_eq!(system.values[&(0, 0)], lived(-1.0));
    assert_eq!(system.values[&(0, 5)], lived(-2.0));
    assert_eq!(system.values.len(), 6);
}

#[test]
fn a_table_that_is_excluded_is_not_restored_by_another_way() {
    let (system, report) = injected(&skipping(&["values"]));
    assert_eq!(system.values, live().values);
    assert!(report.contains("values: skipped, it is excluded by the configuration\n"), "{report}");
    assert_eq!(system.regime, 0.7);
}

#[test]
fn what_is_excluded_is_not_even_looked_at() {
    let mut prior = paper().extract_prior(now());
    prior.state.values.0 = 99.0; // would be told as incompatible
    let report = live().dry_run(&prior, &skipping(&["values"]), now()).unwrap();
    let outcome = |name: &str| report.component(name).unwrap().outcome.clone();
    assert_eq!(outcome("values"), InjectionOutcome::Skipped(SkipReason::Excluded));
}

#[test]
fn the_kill_switch_and_the_figures_of_the_day_stay_the_live_ones() {
    for switch in [(false, 12.5), (true, -700.0)] {
        let mut system = Trader { kill_switch: switch, ..live() };
        system.inject_prior(&paper().extract_prior(now()), &InjectionConfig::default(), now()).unwrap();
        assert_eq!(system.kill_switch, switch);
    }
    // The other way round, too.
    let mut back = Trader { identity: "dex:HYPE", seconds: 3_600.0, ..paper() };
    let stopped = Trader { kill_switch: (true, -9.0), seconds: 3_600.0, ..live() };
    back.inject_prior(&stopped.extract_prior(now()), &InjectionConfig::default(), now()).unwrap();
    assert_eq!(back.kill_switch, paper().kill_switch);
}

#[test]
fn a_component_that_means_something_else_is_skipped_with_the_reason() {
    let mut prior = paper().extract_prior(now());
    prior.state.values.0 = 2.0;
    let mut system = live();
    let report = system.inject_prior(&prior, &InjectionConfig::default(), now()).unwrap();
    assert_eq!(
        report.component("values").unwrap().to_string(),
        "values: skipped, it is incompatible: reward_scale is 2, here 1"
    );
    assert_eq!(system.values, live().values);
}

#[test]
fn leaving_out_what_is_no_component_is_refused_before_anything_is_changed() {
    let mut system = live();
    let prior = paper().extract_prior(now());
    let rejection = system.inject_prior(&prior, &skipping(&["valeus"]), now()).unwrap_err();
    let Rejection::UnknownComponent { name, known } = &rejection else { panic!("{rejection}") };
    assert_eq!((name.as_str(), known.len()), ("valeus", 4));
    assert_eq!(system, live());
}

#[test]
fn nothing_to_seed_and_a_rejection_are_told_apart() {
    let empty = Trader { values: Table::new(), ..paper() };
    let config = skipping(&["volatility", "regime"]);
    let report = live().dry_run(&empty.extract_prior(now()), &config, now()).unwrap();
    assert_eq!(
        (report.changes(), report.lineage),
        (0, None),
        "its state comes from where it came from before"
    );
    let old = "2020-01-01T00:00:00Z".parse().unwrap();
    assert!(live().dry_run(&empty.extract_prior(old), &config, now()).is_err());
}

#[test]
fn the_count_is_of_what_was_changed_not_of_what_was_offered() {
    let report = live().dry_run(&paper().extract_prior(now()), &InjectionConfig::default(), now()).unwrap();
    assert_eq!(report.changes(), 2 + 4);
}

fn traders() -> impl Strategy<Value = Trader> {
    let values = prop::collection::btree_map((0_u32..4, 0_u32..4), (-3.0..3.0_f64).prop_map(lived), 0..10);
    let scale = prop_oneof![4 => Just(1.0), 1 => Just(2.0)];
    (values, 0.0..0.01_f64, 0.0..1.0_f64, scale, any::<bool>(), -9.0..9.0_f64).prop_map(
        |(values, sigma, regime, reward_scale, is_stopped, pnl)| Trader {
            values,
            sigma,
            regime,
            reward_scale,
            kill_switch: (is_stopped, pnl),
            ..paper()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_dry_run_says_what_the_run_says_and_changes_nothing(
        source in traders(),
        target in traders(),
        skip in subsequence(vec!["volatility", "values", "regime", "kill_switch"], 0..=4),
        age in -100_i64..20_000,
    ) {
        let config = skipping(&skip);
        let prior = source.extract_prior(crate::rig::seconds_before_now(age as f64));
        let mut system = target.clone();
        let planned = system.dry_run(&prior, &config, now());
        prop_assert_eq!(&system, &target);
        let done = system.inject_prior(&prior, &config, now());
        prop_assert_eq!(&planned, &done);
        prop_assert_eq!(done.is_err(), age > 14_400);
        // Nothing excluded, and nothing that stops, ever moves.
        prop_assert_eq!(system.kill_switch, target.kill_switch);
        prop_assert!(!skip.contains(&"values") || system.values == target.values);
        prop_assert!(!skip.contains(&"volatility") || system.sigma == target.sigma);
        prop_assert!(!skip.contains(&"regime") || system.regime == target.regime);
        prop_assert!(done.is_ok() || system == target);
    }

    #[test]
    fn injecting_twice_equals_once(source in traders(), target in traders()) {
        let prior = source.extract_prior(now());
        let mut once = target.clone();
        once.inject_prior(&prior, &InjectionConfig::default(), now()).unwrap();
        let mut twice = once.clone();
        twice.inject_prior(&prior, &InjectionConfig::default(), now()).unwrap();
        prop_assert_eq!(once, twice);
    }
}
