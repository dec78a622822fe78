//! What holds for any evidence. A failing case prints its input; `PROPTEST_RNG_SEED` replays a run.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use ckpt_gate::{Evidence, Required, Thresholds, ThresholdsConfig, Verdict};
use proptest::prelude::*;

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "fills"];

/// Small numbers, so that boundaries are met.
fn thresholds() -> impl Strategy<Value = Thresholds> {
    let core = prop::collection::vec(1_u64..5, 1..6);
    let fills = prop::option::of(1_u64..5);
    (core, fills, 0_u32..4, prop::option::of(1_u32..4), 0_u32..5, any::<bool>()).prop_map(
        |(core, fills, session, age, marginal, allow_marginal)| {
            let core: Vec<Required> =
                NAMES.iter().zip(core).map(|(&name, min)| Required::new(name, min)).collect();
            let config = ThresholdsConfig {
                version: 1,
                session_seconds_min: f64::from(session),
                marginal_core_min: marginal % core.len() as u32 + 1,
                core,
                fills: fills.map(|min| Required::new("fills", min)),
                age_seconds_max: age.map(f64::from),
                allow_marginal,
            };
            Thresholds::new(config).unwrap()
        },
    )
}

/// Seconds, of which many are on a boundary and some are none.
fn seconds() -> impl Strategy<Value = Option<f64>> {
    let some = prop_oneof![
        6 => (-1_i32..5).prop_map(f64::from),
        2 => -1.0..5.0_f64,
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0]),
    ];
    prop::option::weighted(0.9, some)
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let counts = prop::collection::vec(prop::option::weighted(0.9, 0_u64..6), NAMES.len());
    (counts, seconds(), seconds(), seconds()).prop_map(|(counts, session, cumulative, age)| Evidence {
        counts: NAMES
            .iter()
            .zip(counts)
            .filter_map(|(name, count)| Some(((*name).to_owned(), count?)))
            .collect(),
        session_seconds: session,
        cumulative_seconds: cumulative,
        age_seconds: age,
    })
}

/// More of everything: counts, seconds, and nearer to the save.
fn more(evidence: &Evidence, counts: &[u64], seconds: [f64; 2]) -> Evidence {
    let mut more = evidence.clone();
    for (name, extra) in NAMES.iter().zip(counts) {
        // An unknown count becomes known, whatever it is.
        *more.counts.entry((*name).to_owned()).or_insert(0) += extra;
    }
    let [session, age] = seconds;
    more.session_seconds = Some(more.session_seconds.filter(|known| *known >= 0.0).unwrap_or(0.0) + session);
    more.cumulative_seconds = more.cumulative_seconds.map(|known| known.max(0.0) + session);
    more.age_seconds = more.age_seconds.map(|known| known - age);
    more
}

/// The rules read aloud, one after the other, with nothing shared and nothing clever.
fn oracle(thresholds: &Thresholds, evidence: &Evidence) -> Verdict {
    let config = thresholds.config();
    let known = |seconds: f64| (0.0..f64::INFINITY).contains(&seconds);

    let learned = match (evidence.session_seconds, evidence.cumulative_seconds) {
        (Some(session), None) if known(session) => session,
        (Some(session), Some(all)) if known(session) && known(all) && all > session => all,
        (Some(session), Some(all)) if known(session) && known(all) => session,
        _ => return Verdict::Insufficient,
    };
    if learned < config.session_seconds_min {
        return Verdict::Insufficient;
    }
    let is_old = |age: f64, oldest: f64| age.is_nan() || age.is_infinite() || age > oldest;
    match (evidence.age_seconds, config.age_seconds_max) {
        (Some(age), Some(oldest)) if is_old(age, oldest) => return Verdict::Insufficient,
        _ => {}
    }
    let mut met = 0;
    let mut all = 0;
    for core in &config.core {
        all += 1;
        for (name, count) in &evidence.counts {
            if *name == core.name && *count >= core.min {
                met += 1;
            }
        }
    }
    let fills_met = match &config.fills {
        None => true,
        Some(fills) => matches!(evidence.counts.get(&fills.name), Some(count) if *count >= fills.min),
    };
    if met == all && fills_met {
        Verdict::Ready
    } else if met >= config.marginal_core_min {
        Verdict::Marginal
    } else {
        Verdict::Insufficient
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_verdict_is_what_the_rules_say(thresholds in thresholds(), evidence in evidence()) {
        let assessment = thresholds.assess(&evidence);
        prop_assert_eq!(assessment.verdict(), oracle(&thresholds, &evidence));
        prop_assert_eq!(assessment.shortfalls().is_empty(), assessment.verdict() == Verdict::Ready);
        prop_assert_eq!(assessment.cause().is_some(), assessment.verdict() == Verdict::Insufficient);
        let expected = match assessment.verdict() {
            Verdict::Ready => true,
            Verdict::Marginal => thresholds.config().allow_marginal,
            Verdict::Insufficient => false,
        };
        prop_assert_eq!(assessment.passes(), expected);
    }

    #[test]
    fn more_evidence_never_lowers_the_verdict(
        thresholds in thresholds(),
        evidence in evidence(),
        counts in prop::collection::vec(0_u64..3, NAMES.len()),
        session in 0.0..3.0_f64,
        age in 0.0..3.0_f64,
    ) {
        let before = thresholds.assess(&evidence);
        let after = thresholds.assess(&more(&evidence, &counts, [session, age]));
        prop_assert!(after.verdict() >= before.verdict(), "{before} became {after}");
        prop_assert!(after.shortfalls().len() <= before.shortfalls().len());
    }

    #[test]
    fn a_stamp_judged_again_at_once_says_what_it_said(thresholds in thresholds(), evidence in evidence()) {
        let evidence = Evidence { age_seconds: None, ..evidence };
        let assessment = thresholds.assess(&evidence);
        let again = assessment.stamp().judge_again(0.0, &thresholds);
        prop_assert_eq!(again.verdict(), assessment.verdict());
        prop_assert_eq!(again.shortfalls().len(), assessment.shortfalls().len());
    }

    #[test]
    fn an_assessment_is_plain_json_whatever_it_was_given(thresholds in thresholds(), evidence in evidence()) {
        let json = serde_json::to_value(thresholds.assess(&evidence)).unwrap();
        prop_assert!(json["text"].as_str().unwrap().starts_with(json["verdict"].as_str().unwrap()));
    }
}
