//! Which priors may enter, and what the others are told.

use ckpt_format::Timestamp;
use ckpt_gate::{Cause, Evidence};
use ckpt_transfer::{
    Aliases, InjectionConfig, Note, Prior, PriorExtract as _, PriorInject as _, Rejection, SameIdentity,
};

use crate::rig::{Learned, live, now, paper, seconds_before_now};

fn offer(identity: &str, saved_at: Timestamp) -> Prior<Learned> {
    let mut prior = paper().extract_prior(saved_at);
    prior.provenance.identity = identity.to_owned();
    prior
}

/// The rejection, after checking that nothing was changed and that a dry run says the same.
fn rejected(prior: &Prior<Learned>, config: &InjectionConfig) -> Rejection {
    let mut system = live();
    let rejection = system.inject_prior(prior, config, now()).unwrap_err();
    assert_eq!(system, live(), "{rejection}");
    assert_eq!(system.dry_run(prior, config, now()).unwrap_err(), rejection);
    rejection
}

fn notes(prior: &Prior<Learned>, config: &InjectionConfig) -> Vec<Note> {
    live().inject_prior(prior, config, now()).unwrap().notes
}

#[test]
fn a_prior_of_another_asset_is_rejected_and_the_caller_is_told() {
    let rejection = rejected(&offer("ETH", now()), &InjectionConfig::default());
    assert_eq!(rejection.code(), "identity");
    let text = rejection.to_string();
    assert!(text.contains("\"ETH\"") && text.contains("\"HYPE\"") && text.contains("`aliases`"), "{text}");
}

#[test]
fn identities_are_the_same_by_name_by_venue_or_by_alias() {
    let aliases = Aliases::new(vec![vec!["kPEPE".into(), "1000PEPE".into()]]).unwrap();
    let table = [
        ("HYPE", "HYPE", true),
        ("dex:HYPE", "HYPE", true),
        ("HYPE", "dex:HYPE", true),
        ("a:b:c", "b:c", false), // `b:c` has a venue of its own
        ("a:b:c", "a:b:c", true),
        ("one:HYPE", "other:HYPE", false),
        ("hype", "HYPE", false),
        ("kPEPE", "1000PEPE", true),
        ("kPEPE", "PEPE", false),
        ("", "", false),
        ("dex:", "dex:", false),
        ("dex:", "", false),
        (" ", " ", false),
    ];
    for (one, other, expected) in table {
        assert_eq!(aliases.is_same(one, other), expected, "{one:?} {other:?}");
        assert_eq!(aliases.is_same(other, one), expected, "{other:?} {one:?}");
    }
}

#[test]
fn an_alias_and_another_identity_that_is_allowed_are_noted() {
    let config = InjectionConfig::default();
    let [Note::Alias { offered, expected }] = &notes(&offer("dex:HYPE", now()), &config)[..] else {
        panic!("an alias is noted")
    };
    assert_eq!((offered.as_str(), expected.as_str()), ("dex:HYPE", "HYPE"));
    assert!(notes(&offer("HYPE", now()), &config).is_empty());

    let any = InjectionConfig { require_same_identity: SameIdentity::NotRequired, ..config };
    assert!(matches!(notes(&offer("ETH", now()), &any)[..], [Note::OtherIdentity { .. }]));
}

#[test]
fn exactly_as_old_as_allowed_enters_and_a_millisecond_more_does_not() {
    let config = InjectionConfig::default();
    assert!(notes(&offer("HYPE", seconds_before_now(14_400.0)), &config).is_empty());
    let rejection = rejected(&offer("HYPE", seconds_before_now(14_400.001)), &config);
    assert_eq!(rejection, Rejection::Age { age_seconds: Some(14_400.001), limit_seconds: 14_400.0 });
    assert_eq!(
        rejection.to_string(),
        "the prior is 14401 s old, at most 14400 s are allowed: offer a fresh one, or raise `age_seconds_max`"
    );
}

#[test]
fn a_clock_that_is_ahead_is_clamped_and_noted_not_silently_fresh() {
    let prior = offer("HYPE", seconds_before_now(-90.0));
    let report = live().inject_prior(&prior, &InjectionConfig::default(), now()).unwrap();
    assert_eq!(report.age_seconds, 0.0);
    assert_eq!(report.notes, [Note::ClockAhead { seconds: 90.0 }]);
    assert_eq!(report.notes[0].to_string(), "the prior was saved 90 s in the future, its age counts as 0");
}

#[test]
fn a_prior_without_a_time_is_not_fresh() {
    let mut prior = offer("HYPE", now());
    prior.provenance.saved_at = None;
    let rejection = rejected(&prior, &InjectionConfig::default());
    assert!(rejection.to_string().contains("does not say when it was saved"), "{rejection}");
}

#[test]
fn a_schema_that_is_not_read_is_rejected_unless_it_is_left_out() {
    for (kind, version) in [("vol", 3), ("other", 2)] {
        let mut prior = offer("HYPE", now());
        prior.provenance = prior.provenance.component("volatility", kind, version);
        let rejection = rejected(&prior, &InjectionConfig::default());
        assert_eq!(rejection.code(), "schema");
        let text = rejection.to_string();
        assert!(text.contains("reads \"vol\" version 1, 2") && text.contains("`skip`"), "{text}");

        let config = InjectionConfig { skip: ["volatility".to_owned()].into(), ..InjectionConfig::default() };
        assert!(notes(&prior, &config).is_empty());
    }
    let mut prior = offer("HYPE", now());
    prior.provenance = prior.provenance.component("moon_phase", "moon", 1);
    assert!(matches!(notes(&prior, &InjectionConfig::default())[..], [Note::NoSuchComponent { .. }]));
}

#[test]
fn what_does_not_pass_the_gate_is_rejected_with_its_shortfalls() {
    let mut prior = offer("HYPE", now());
    prior.provenance.evidence = Some(Evidence::default().session_seconds(3_600.0).count("ticks", 99));
    let rejection = rejected(&prior, &InjectionConfig::default());
    assert_eq!(rejection.code(), "verdict");
    assert!(rejection.to_string().contains("ticks 99 of 100"), "{rejection}");

    prior.provenance.evidence = None;
    assert_eq!(rejected(&prior, &InjectionConfig::default()), Rejection::NotJudged);
}

#[test]
fn the_gate_judges_again_at_the_age_of_the_injection() {
    // Its age would be fine for the injection, but not for the gate.
    let config: InjectionConfig = serde_json::from_str(r#"{"age_seconds_max": 1e6}"#).unwrap();
    let mut prior = offer("HYPE", seconds_before_now(20_000.0));
    // What the evidence says of its own age has no weight.
    prior.provenance.evidence = prior.provenance.evidence.map(|evidence| evidence.age_seconds(0.0));
    let rejection = rejected(&prior, &config);
    let Rejection::Verdict(assessment) = &rejection else { panic!("it is stale") };
    assert_eq!(assessment.cause(), Some(Cause::Stale));
    // Learning longer makes it no younger.
    let text = rejection.to_string();
    assert!(text.ends_with("raise `age_seconds_max` of the thresholds, which the gate goes by"), "{text}");
    prior.provenance.evidence = Some(Evidence::default().count("ticks", 100));
    let text = rejected(&prior, &config).to_string();
    assert!(text.ends_with("let its system say for how long it learned, and save again"), "{text}");
}

#[test]
fn admission_goes_in_order() {
    let mut prior = offer("ETH", seconds_before_now(1e6));
    prior.provenance = prior.provenance.component("volatility", "vol", 9);
    prior.provenance.evidence = None;
    let mut config = InjectionConfig::default();
    assert_eq!(rejected(&prior, &config).code(), "identity");
    prior.provenance.identity = "HYPE".to_owned();
    assert_eq!(rejected(&prior, &config).code(), "age");
    prior.provenance.saved_at = Some(now());
    assert_eq!(rejected(&prior, &config).code(), "schema");
    config.skip.insert("volatility".to_owned());
    assert_eq!(rejected(&prior, &config).code(), "not_judged");
    prior.provenance.evidence = Some(Evidence::default());
    assert_eq!(rejected(&prior, &config).code(), "verdict");
}

#[test]
fn no_configuration_can_say_that_a_kill_switch_is_inherited() {
    for text in [
        r#"{"skip_kill_switch": false}"#,
        r#"{"inherit_kill_switch": true}"#,
        r#"{"include": ["kill_switch"]}"#,
        r#"{"blend_weigth": 0.5}"#,
    ] {
        let error = serde_json::from_str::<InjectionConfig>(text).unwrap_err().to_string();
        assert!(error.contains("unknown field"), "{error}");
    }
}

#[test]
fn every_value_of_a_configuration_is_checked_when_it_is_read() {
    let default: InjectionConfig = serde_json::from_str("{}").unwrap();
    assert_eq!(default, InjectionConfig::default());
    let json = serde_json::to_value(&default).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "blend_weight": 0.3, "age_seconds_max": 14_400.0, "require_same_identity": true, "aliases": [], "skip": []
        })
    );
    for (text, told) in [
        (r#"{"blend_weight": 0}"#, "above 0 and at most 1"),
        (r#"{"blend_weight": 1.01}"#, "above 0 and at most 1"),
        (r#"{"age_seconds_max": 0}"#, "above 0"),
        (r#"{"aliases": [["a"]]}"#, "fewer than two"),
        (r#"{"aliases": [["a", "dex:"]]}"#, "names nothing"),
        (r#"{"aliases": [["a", "b"], ["b", "c"]]}"#, "two places"),
    ] {
        let error = serde_json::from_str::<InjectionConfig>(text).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}
