//! Every boundary of the verdict, with the sentence for what is missing.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use ckpt_gate::{Cause, Evidence, Required, Thresholds, ThresholdsConfig, ThresholdsError, Verdict};

/// The numbers of a market maker.
fn config() -> ThresholdsConfig {
    let required = [("vol", 200), ("kappa", 50), ("as", 100), ("regime", 200), ("fill_rate", 200)];
    ThresholdsConfig {
        core: required.map(|(name, min)| Required::new(name, min)).to_vec(),
        fills: Some(Required::new("kelly_fills", 20)),
        ..ThresholdsConfig::default()
    }
}

fn thresholds() -> Thresholds {
    Thresholds::new(config()).unwrap()
}

/// Exactly enough of everything.
fn enough() -> Evidence {
    let counts =
        [("vol", 200), ("kappa", 50), ("as", 100), ("regime", 200), ("fill_rate", 200), ("kelly_fills", 20)];
    let evidence = Evidence::default().session_seconds(1_800.0).age_seconds(14_400.0);
    counts.into_iter().fold(evidence, |evidence, (name, count)| evidence.count(name, count))
}

fn without(name: &str) -> Evidence {
    let mut evidence = enough();
    evidence.counts.remove(name);
    evidence
}

/// Verdict, cause, and the sentences of the shortfalls.
fn judged(evidence: &Evidence) -> (Verdict, Option<Cause>, Vec<String>) {
    let assessment = thresholds().assess(evidence);
    let shortfalls = assessment.shortfalls().iter().map(ToString::to_string).collect();
    (assessment.verdict(), assessment.cause(), shortfalls)
}

#[test]
fn exactly_enough_is_ready_and_one_less_of_anything_is_not() {
    use Verdict::{Insufficient, Marginal, Ready};
    assert_eq!(judged(&enough()), (Ready, None, vec![]));
    let table = [
        (enough().count("vol", 199), Marginal, None, "vol 199 of 200"),
        (enough().count("kappa", 49), Marginal, None, "kappa 49 of 50"),
        (enough().count("as", 99), Marginal, None, "as 99 of 100"),
        (enough().count("regime", 199), Marginal, None, "regime 199 of 200"),
        (enough().count("fill_rate", 0), Marginal, None, "fill_rate 0 of 200"),
        (enough().count("kelly_fills", 19), Marginal, None, "kelly_fills 19 of 20"),
        (without("kappa"), Marginal, None, "kappa unknown of 50"),
        (without("kelly_fills"), Marginal, None, "kelly_fills unknown of 20"),
        (enough().session_seconds(1_799.5), Insufficient, Some(Cause::TooLittle), "session 1799 s of 1800 s"),
        (enough().age_seconds(14_400.5), Insufficient, Some(Cause::Stale), "age 14401 s, at most 14400 s"),
        (enough().age_seconds(f64::NAN), Insufficient, Some(Cause::Unknown), "age unknown, at most 14400 s"),
        (
            enough().age_seconds(f64::NEG_INFINITY),
            Insufficient,
            Some(Cause::Unknown),
            "age unknown, at most 14400 s",
        ),
    ];
    for (evidence, verdict, cause, sentence) in table {
        assert_eq!(judged(&evidence), (verdict, cause, vec![sentence.to_owned()]), "{evidence:?}");
    }
}

#[test]
fn five_of_five_with_too_few_kelly_fills_is_marginal() {
    let (verdict, _, shortfalls) = judged(&enough().count("kelly_fills", 3));
    assert_eq!((verdict, shortfalls), (Verdict::Marginal, vec!["kelly_fills 3 of 20".to_owned()]));
}

#[test]
fn five_of_five_with_a_short_session_is_insufficient_not_marginal() {
    assert_eq!(judged(&enough().session_seconds(1_799.0)).0, Verdict::Insufficient);
}

#[test]
fn three_of_five_are_marginal_and_two_are_not() {
    let three = enough().count("vol", 0).count("kappa", 0).count("kelly_fills", 0);
    assert_eq!(judged(&three).0, Verdict::Marginal);
    let two = three.count("as", 99);
    let (verdict, cause, shortfalls) = judged(&two);
    assert_eq!((verdict, cause), (Verdict::Insufficient, Some(Cause::TooLittle)));
    // In the order seconds, core as listed, fills, age.
    let all = two.session_seconds(900.0).age_seconds(20_000.0);
    assert_eq!(shortfalls, ["vol 0 of 200", "kappa 0 of 50", "as 99 of 100", "kelly_fills 0 of 20"]);
    assert_eq!(
        thresholds().assess(&all).to_string(),
        "insufficient (stale), 2 of 5 core counts after 900 s (900 s in this session): session 900 s of 1800 s; \
         vol 0 of 200; kappa 0 of 50; as 99 of 100; kelly_fills 0 of 20; age 20000 s, at most 14400 s"
    );
}

/// Clocks say nanoseconds, and a session that is judged reads two of them one after the other.
#[test]
fn a_sentence_says_seconds_that_people_can_read_and_never_enough_where_it_is_not() {
    let first = enough().count("vol", 0).session_seconds(85.617175193).cumulative_seconds(85.636514271);
    assert_eq!(judged(&first).2[0], "session 85.6 s of 1800 s");
    let (short, data) = (first.session_seconds(900.25).cumulative_seconds(1_799.999), 1_799.999);
    let assessment = thresholds().assess(&short.age_seconds(255_500_432.222));
    assert_eq!(
        assessment.to_string(),
        "insufficient (stale), 4 of 5 core counts after 1799 s (900 s in this session): session 1799 s of 1800 s, \
         900 s of them in this one; vol 0 of 200; age 255500433 s, at most 14400 s"
    );
    assert_eq!(serde_json::to_value(&assessment).unwrap()["shortfalls"][0]["found"], data);
}

#[test]
fn a_session_that_is_nan_missing_infinite_or_negative_is_unknown() {
    for seconds in [Some(f64::NAN), None, Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(-1.0)] {
        // Even with a lineage that is long enough.
        for cumulative in [None, Some(1e6)] {
            let evidence = Evidence { session_seconds: seconds, cumulative_seconds: cumulative, ..enough() };
            let sentence = vec!["session unknown of 1800 s".to_owned()];
            assert_eq!(judged(&evidence), (Verdict::Insufficient, Some(Cause::Unknown), sentence));
        }
    }
}

#[test]
fn seconds_along_the_lineage_are_compared_and_those_of_the_session_are_shown() {
    let short = enough().session_seconds(300.0);
    let long = thresholds().assess(&short.clone().cumulative_seconds(1_800.0));
    assert_eq!(long.to_string(), "ready, 5 of 5 core counts after 1800 s (300 s in this session)");
    let (verdict, _, shortfalls) = judged(&short.clone().cumulative_seconds(1_799.0));
    assert_eq!(verdict, Verdict::Insufficient);
    assert_eq!(shortfalls, ["session 1799 s of 1800 s, 300 s of them in this one"]);
    // The session is a part of them: fewer can't be meant.
    assert_eq!(judged(&enough().cumulative_seconds(5.0)).0, Verdict::Ready);
    for broken in [f64::NAN, f64::INFINITY, -1.0] {
        let (verdict, cause, _) = judged(&enough().cumulative_seconds(broken));
        assert_eq!((verdict, cause), (Verdict::Insufficient, Some(Cause::Unknown)), "{broken}");
    }
}

#[test]
fn age_is_part_of_what_passes() {
    assert!(thresholds().assess(&enough()).passes());
    assert!(!thresholds().assess(&enough().age_seconds(14_401.0)).passes());
    // A clock that is ahead is no age at all, and without a maximum nothing is stale.
    assert!(thresholds().assess(&enough().age_seconds(-60.0)).passes());
    let for_ever = Thresholds::new(ThresholdsConfig { age_seconds_max: None, ..config() }).unwrap();
    assert!(for_ever.assess(&enough().age_seconds(1e9)).passes());
}

#[test]
fn marginal_passes_only_where_it_is_allowed() {
    let marginal = enough().count("vol", 0);
    assert!(thresholds().assess(&marginal).passes());
    let strict = Thresholds::new(ThresholdsConfig { allow_marginal: false, ..config() }).unwrap();
    assert!(!strict.assess(&marginal).passes());
    assert!(strict.assess(&enough()).passes());
}

#[test]
fn what_was_ready_at_the_save_is_judged_again_at_load() {
    let stamp = thresholds().assess(&Evidence { age_seconds: None, ..enough() }).stamp();
    assert_eq!(stamp.verdict_at_save(), Verdict::Ready);
    assert_eq!(stamp.judge_again(14_400.0, &thresholds()).verdict(), Verdict::Ready);
    let late = stamp.judge_again(14_400.5, &thresholds());
    assert_eq!((late.verdict(), late.cause()), (Verdict::Insufficient, Some(Cause::Stale)));
    // Today's thresholds decide, and the stamp says which ones it was given by.
    let raised = ThresholdsConfig { version: 2, session_seconds_min: 3_600.0, ..config() };
    let raised = Thresholds::new(raised).unwrap();
    let judged = stamp.judge_again(0.0, &raised);
    assert_eq!(judged.verdict(), Verdict::Insufficient);
    assert_eq!((judged.thresholds().version(), stamp.thresholds_at_save().version()), (2, 1));
}

#[test]
fn a_stamp_has_no_age_of_its_own() {
    // An age that was stored would be wrong a moment later, and one of NaN would be for ever.
    for age in [20_000.0, f64::NAN] {
        let stamp = thresholds().assess(&enough().age_seconds(age)).stamp();
        assert_eq!(stamp.evidence().age_seconds, None);
        assert_eq!(stamp.judge_again(0.0, &thresholds()).verdict(), Verdict::Ready);
    }
}

#[test]
fn a_stamp_survives_plain_json_and_what_was_unknown_stays_so() {
    for (session, cumulative) in
        [(1_800.0, None), (f64::NAN, None), (1_800.0, Some(f64::NAN)), (0.1, Some(2_000.0))]
    {
        let evidence = Evidence { cumulative_seconds: cumulative, ..enough().session_seconds(session) };
        let assessment = thresholds().assess(&Evidence { age_seconds: None, ..evidence });
        let text = serde_json::to_string(&assessment.stamp()).unwrap();
        let stamp: ckpt_gate::Stamp = serde_json::from_str(&text).unwrap();
        assert_eq!(stamp, assessment.stamp());
        let again = stamp.judge_again(0.0, &thresholds());
        assert_eq!((again.verdict(), again.cause()), (assessment.verdict(), assessment.cause()), "{text}");
    }
}

#[test]
fn thresholds_that_cannot_be_meant_are_refused() {
    let refused = |change: fn(&mut ThresholdsConfig)| {
        let mut config = config();
        change(&mut config);
        Thresholds::new(config).unwrap_err().to_string()
    };
    assert_eq!(refused(|config| config.version = 0), "`version` is 0: versions of thresholds begin at 1");
    assert!(
        refused(|config| config.session_seconds_min = f64::NAN).starts_with("`session_seconds_min` is NaN")
    );
    assert!(refused(|config| config.session_seconds_min = -1.0).contains("at least 0"));
    assert!(refused(|config| config.age_seconds_max = Some(0.0)).contains("more than 0"));
    assert!(refused(|config| config.age_seconds_max = Some(f64::INFINITY)).contains("inf"));
    assert!(refused(|config| config.core.clear()).contains("`core` is empty"));
    assert!(refused(|config| config.core[1].name = "vol".into()).contains("required twice"));
    assert!(refused(|config| config.core[1].name = "kelly_fills".into()).contains("required twice"));
    assert!(refused(|config| config.core[1].min = 0).contains("is 0"));
    for name in ["", "../x", "_x", "a b", &"x".repeat(65)] {
        let mut config = config();
        config.core[0].name = name.to_owned();
        assert!(matches!(Thresholds::new(config).unwrap_err(), ThresholdsError::Name { .. }), "{name:?}");
    }
    assert!(refused(|config| config.marginal_core_min = 0).contains("1 to 5"));
    assert!(refused(|config| config.marginal_core_min = 6).contains("1 to 5"));
    let five = ThresholdsConfig { marginal_core_min: 5, session_seconds_min: 0.0, ..config() };
    assert!(Thresholds::new(five).is_ok());
}

#[test]
fn thresholds_are_checked_when_they_are_read_too() {
    let text = r#"{"core": [{"name": "loss", "min": 10}], "marginal_core_min": 1}"#;
    let read: Thresholds = serde_json::from_str(text).unwrap();
    let config = read.config();
    assert_eq!((config.session_seconds_min, config.age_seconds_max), (1_800.0, Some(14_400.0)));
    assert!(config.allow_marginal && config.fills.is_none());
    let again: Thresholds = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
    assert_eq!(again, read);
    let error = serde_json::from_str::<Thresholds>(r#"{"core": []}"#).unwrap_err().to_string();
    assert!(error.contains("`core` is empty"), "{error}");
}
