//! Every boundary of the warm-up.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use ckpt_gate::{
    Assessment, Evidence, Fills, Required, SizeForm, Thresholds, ThresholdsConfig, WarmupReason, WarmupRules,
    WarmupTier,
};
use proptest::prelude::*;

/// Ready with two counts, marginal with one, insufficient without.
fn assessment(counts: u64, allow_marginal: bool) -> Assessment {
    let config = ThresholdsConfig {
        core: vec![Required::new("a", 1), Required::new("b", 1)],
        marginal_core_min: 1,
        allow_marginal,
        ..ThresholdsConfig::default()
    };
    let evidence = Evidence::default()
        .session_seconds(1_800.0)
        .count("a", u64::from(counts > 0))
        .count("b", u64::from(counts > 1));
    Thresholds::new(config).unwrap().assess(&evidence)
}

fn factors(rules: &WarmupRules, assessment: &Assessment, restored: u64, live: u64) -> (f64, f64) {
    let plan = rules.plan(assessment, Fills { restored, live });
    (plan.spread_factor, plan.size_factor)
}

#[test]
fn tiers_begin_at_their_fills() {
    let rules = WarmupRules::default();
    let marginal = assessment(1, true);
    let table = [
        (0, 0.85, 0.3, Some(50)),
        (49, 0.85, 0.3, Some(50)),
        (50, 0.95, 0.7, Some(200)),
        (199, 0.95, 0.7, Some(200)),
        (200, 1.0, 1.0, None),
        (u64::MAX, 1.0, 1.0, None),
    ];
    for (fills, spread, size, next) in table {
        let plan = rules.plan(&marginal, Fills { restored: fills, live: 0 });
        assert_eq!(
            (plan.spread_factor, plan.size_factor, plan.next_at_fills),
            (spread, size, next),
            "{fills}"
        );
        assert!(plan.restore && plan.reason == WarmupReason::Marginal);
    }
    assert_eq!(factors(&rules, &marginal, 30, 20), (0.95, 0.7));
    assert_eq!(factors(&rules, &marginal, u64::MAX, u64::MAX), (1.0, 1.0));
}

#[test]
fn what_is_ready_has_no_warm_up() {
    for rules in [WarmupRules::default(), WarmupRules::continuous()] {
        let plan = rules.plan(&assessment(2, false), Fills::default());
        assert_eq!((plan.restore, plan.spread_factor, plan.size_factor), (true, 1.0, 1.0));
        assert_eq!((plan.reason, plan.to_string().as_str()), (WarmupReason::Ready, "ready: no warm-up"));
    }
}

#[test]
fn what_does_not_pass_is_not_restored_and_its_fills_buy_nothing() {
    let rules = WarmupRules::default();
    for failed in [assessment(0, true), assessment(1, false)] {
        let plan = rules.plan(&failed, Fills { restored: 10_000, live: 0 });
        assert_eq!((plan.restore, plan.spread_factor, plan.size_factor, plan.fills), (false, 0.85, 0.3, 0));
        assert_eq!(plan.to_string(), "not restored: 0 live fills, spread 0.85 and size 0.3 until 50");
        assert_eq!(factors(&rules, &failed, 10_000, 200), (1.0, 1.0));
    }
}

#[test]
fn the_continuous_form_grows_from_its_floor() {
    let rules = WarmupRules::continuous();
    let marginal = assessment(1, true);
    for (fills, size) in [(0, 0.3), (15, 0.65), (35, 0.79), (135, 0.93), (285, 0.965)] {
        let plan = rules.plan(&marginal, Fills { restored: fills, live: 0 });
        assert!((plan.size_factor - size).abs() < 1e-12, "{fills}: {}", plan.size_factor);
    }
    // Rounded, this sum is more than 1.
    let floor = 0.000_572_569_379_346_85;
    let tiers = rules.tiers().to_vec();
    let low = WarmupRules::new(tiers, SizeForm::Continuous { floor, half_way: 15.0 }).unwrap();
    assert_eq!(factors(&low, &marginal, 2_127_636_416_756_156_200, 0).1, 1.0);
    // The spread still goes by tiers.
    assert_eq!(factors(&rules, &marginal, 49, 0).0, 0.85);
    assert_eq!(factors(&rules, &marginal, 50, 0).0, 0.95);
}

#[test]
fn rules_that_cannot_be_meant_are_refused() {
    let tier = |from_fills, spread_factor, size_factor| WarmupTier { from_fills, spread_factor, size_factor };
    let refused = |tiers: Vec<WarmupTier>| WarmupRules::new(tiers, SizeForm::Tiers).unwrap_err().to_string();
    assert!(refused(vec![]).contains("must begin at 0 fills"));
    assert!(refused(vec![tier(1, 1.0, 1.0)]).contains("must begin at 0 fills"));
    for factor in [0.0, -0.5, 1.1, f64::NAN, f64::INFINITY] {
        assert!(refused(vec![tier(0, factor, 1.0)]).contains("spread_factor is"), "{factor}");
        assert!(refused(vec![tier(0, 1.0, factor)]).contains("size_factor is"), "{factor}");
        let floor = SizeForm::Continuous { floor: factor, half_way: 15.0 };
        assert!(
            WarmupRules::new(vec![tier(0, 1.0, 1.0)], floor).unwrap_err().to_string().contains("floor is")
        );
    }
    for second in [tier(0, 1.0, 1.0), tier(9, 0.4, 1.0), tier(9, 1.0, 0.4)] {
        assert!(refused(vec![tier(0, 0.5, 0.5), second]).contains("must begin after"), "{second:?}");
    }
    for half_way in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let size = SizeForm::Continuous { floor: 0.3, half_way };
        let error = WarmupRules::new(vec![tier(0, 1.0, 1.0)], size).unwrap_err();
        assert!(error.to_string().contains("half_way is"), "{error}");
    }
}

#[test]
fn rules_are_checked_when_they_are_read_too() {
    for rules in [WarmupRules::default(), WarmupRules::continuous()] {
        let text = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<WarmupRules>(&text).unwrap(), rules, "{text}");
    }
    let read = |text: &str| serde_json::from_str::<WarmupRules>(text);
    let continuous = r#"{"size": {"continuous": {"floor": 0.3, "half_way": 15}}}"#;
    assert_eq!(read(continuous).unwrap(), WarmupRules::continuous());
    assert!(read(r#"{"tiers": []}"#).unwrap_err().to_string().contains("must begin at 0 fills"));
    for mistyped in [
        r#"{"teirs": []}"#,
        r#"{"size": {"continuous": {"floor": 0.3, "half_way": 15, "cieling": 0.9}}}"#,
        r#"{"tiers": [{"from_fills": 0, "spread_factor": 1, "size_factor": 1, "sprad_factor": 0.5}]}"#,
    ] {
        assert!(read(mistyped).unwrap_err().to_string().contains("unknown field"), "{mistyped}");
    }
}

proptest! {
    #[test]
    fn more_fills_or_a_better_verdict_never_lower_a_factor(
        counts in 0_u64..3,
        better in 0_u64..3,
        restored in 0_u64..400,
        live in 0_u64..400,
        more_restored in 0_u64..400,
        more_live in 0_u64..400,
        is_continuous: bool,
    ) {
        let rules = if is_continuous { WarmupRules::continuous() } else { WarmupRules::default() };
        let (spread, size) = factors(&rules, &assessment(counts, true), restored, live);
        let better = assessment(counts.max(better), true);
        let (more_spread, more_size) = factors(&rules, &better, restored + more_restored, live + more_live);
        prop_assert!(more_spread >= spread && more_size >= size);
        prop_assert!((0.85..=1.0).contains(&spread) && (0.3..=1.0).contains(&size));
    }
}
