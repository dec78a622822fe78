//! The origin's `checkpoint.json`: pretty text, nulls, missing fields, later additions, damage.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "rig/bundles.rs"]
mod bundles;

use bundles::{SAVED_MS, migrated, version_1};
use ckpt_format::{
    Bundle as _, BundleError, BundleMode, Codec, EncodedSection, SectionSource, SectionState, Timestamp, Why,
};
use ckpt_market::component::kill_switch::ReasonCode;
use ckpt_market::component::learned::Family;
use ckpt_market::component::metadata::SourceMode;
use ckpt_market::component::quote_outcomes::QuoteOutcomes;
use ckpt_market::component::readiness::PriorVerdict;
use ckpt_market::import::{ImportError, Imported, SECTION, import, import_first};
use ckpt_market::restore::{RestoreRules, restore};
use ckpt_market::{StampedBundle, names, preset};
use serde_json::{Value, json};

/// The bundle of version 1 as its origin wrote it.
fn document() -> Value {
    let mut document = json!({});
    for section in version_1().to_sections().unwrap() {
        document[section.name] = serde_json::from_slice(&section.bytes).unwrap();
    }
    document
}

fn pretty(document: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(document).unwrap()
}

fn imported(document: &Value) -> Imported {
    import(&pretty(document), BundleMode::Strict).unwrap()
}

#[test]
fn a_whole_checkpoint_json_becomes_the_bundle_that_version_1_becomes() {
    let Imported { bundle, readiness, report } = imported(&document());
    assert_eq!(bundle, migrated());
    assert_eq!(readiness.verdict, PriorVerdict::Marginal);
    assert!(report.nulls.is_empty() && report.left.is_empty(), "{report}");
    let defaulted: Vec<&str> = report
        .bundle
        .components
        .iter()
        .filter(|part| !part.is_whole())
        .map(|part| part.name.as_str())
        .collect();
    assert_eq!(defaulted, [names::QUOTE_OUTCOMES, names::BASELINE_TRACKER]);
}

#[test]
fn nulls_take_the_field_s_own_default_not_zero() {
    let mut document = document();
    document["kappa_own"]["prior_beta"] = Value::Null;
    document["pre_fill"]["imbalance_ewma_var"] = Value::Null;
    document["enhanced"]["learned_weights"][1] = Value::Null;
    document["learned_params"]["kappa"]["posterior_param2"] = Value::Null;
    document["rl_q_table"]["q_entries"][2]["beta"] = Value::Null;
    let Imported { bundle, report, .. } = imported(&document);
    assert_eq!(bundle.kappa_own.prior_beta, 0.02);
    assert_eq!(bundle.pre_fill.imbalance_ewma_var, 1.0);
    assert_eq!(bundle.enhanced.learned_weights[1], 0.22);
    assert_eq!(bundle.learned_params.kappa.posterior_param2, 0.002);
    assert_eq!(bundle.rl_q_table.q_entries[0].beta, 1.0);
    assert_eq!(
        report.nulls,
        [
            "learned_params.kappa.posterior_param2",
            "pre_fill.imbalance_ewma_var",
            "enhanced.learned_weights[1]",
            "kappa_own.prior_beta",
            "rl_q_table.q_entries[2].beta"
        ]
    );
}

#[test]
fn missing_components_and_fields_take_their_defaults_and_are_told() {
    let mut document = document();
    document.as_object_mut().unwrap().remove("kelly_tracker");
    document["pre_fill"].as_object_mut().unwrap().remove("regime_trust_prev");
    document["rl_q_table"].as_object_mut().unwrap().remove("use_compact_state");
    let Imported { bundle, report, .. } = imported(&document);
    assert_eq!(bundle.kelly_tracker.ewma_wins, 5.0);
    assert_eq!(bundle.pre_fill.regime_trust_prev, 1.0);
    assert_eq!(bundle.rl_q_table.use_compact_state, None, "unknown, not false");
    let kelly = report.bundle.component(names::KELLY_TRACKER).unwrap();
    assert_eq!(kelly.outcome, ckpt_format::Outcome::Defaulted { why: Why::Missing });
    assert!(report.to_string().contains("1 field defaulted: regime_trust_prev"), "{report}");
}

#[test]
fn a_table_without_flags_is_not_taken_for_one_that_fits() {
    let mut document = document();
    for flag in ["use_compact_state", "use_drift_bucket", "action_space_version"] {
        document["rl_q_table"].as_object_mut().unwrap().remove(flag);
    }
    let now = Timestamp::from_millis(i64::try_from(SAVED_MS).unwrap());
    let restored = restore(imported(&document).bundle, now, &RestoreRules::default());
    assert!(restored.bundle.rl_q_table.q_entries.is_empty(), "{}", restored.report);
}

#[test]
fn what_later_versions_of_the_origin_added_is_taken_and_the_rest_is_told() {
    let mut document = document();
    document["quote_outcomes"] = json!({"bins": [[0.0, 2.0, 3, 9], [2.0, 4.0, 0, 1], [4.0, 6.0, 0, 0],
        [6.0, 8.0, 0, 0], [8.0, 10.0, 0, 0], [10.0, 15.0, 0, 0], [15.0, 20.0, 0, 0], [20.0, null, 1, 5]]});
    document["baseline_tracker"] = json!({"ewma_reward": -0.5, "n_observations": 60});
    document["kappa_own"]["total_observations"] = json!(918);
    document["kill_switch"]["saved_at_ms"] = json!(SAVED_MS);
    document["metadata"]["source_mode"] = json!("paper");
    document["metadata"]["parent_timestamp_ms"] = json!(5);
    document["spread_bandit"] = json!({"cells": []});
    let Imported { bundle, report, .. } = imported(&document);
    let last = &bundle.quote_outcomes.bins[7];
    assert_eq!((last.lo_bps, last.hi_bps, last.fills, last.total), (20.0, f64::INFINITY, 1, 5));
    assert_eq!((bundle.baseline_tracker.ewma_reward, bundle.baseline_tracker.min_observations), (-0.5, 10));
    assert_eq!((bundle.kappa_own.total_observations, bundle.kappa_bid.total_observations), (918, 17));
    assert_eq!(bundle.kill_switch.figures_at_ms, SAVED_MS);
    assert_eq!(bundle.metadata.source_mode, SourceMode::Paper);
    assert_eq!((bundle.metadata.parent_timestamp_ms, bundle.metadata.cumulative_duration_s), (5, 7_265.5));
    assert_eq!(report.left, ["spread_bandit"]);
    assert_eq!(report.nulls, ["quote_outcomes.bins[7].hi_bps"]);
    assert!(report.to_string().contains("saved_at_ms"), "dropped and told: {report}");

    document["quote_outcomes"]["bins"][7][1] = json!(1e9);
    assert_eq!(imported(&document).bundle.quote_outcomes.bins[7].hi_bps, f64::INFINITY);
}

#[test]
fn nulls_in_what_became_of_quotes_take_the_defaults_of_their_bins() {
    let mut document = document();
    document["quote_outcomes"] = json!({"bins": [[null, 2.0, 3, 9], [2.0, null, 1, null], null, [6.0, 8.0, null, 4],
        [8.0, 10.0, 0, 0], [10.0, 15.0, 0, 0], [15.0, 20.0, 0, 0], [20.0, null, 1, 5]]});
    let Imported { bundle, report, .. } = imported(&document);
    let bins = &bundle.quote_outcomes.bins;
    let numbers: Vec<_> =
        bins.iter().take(4).map(|bin| (bin.lo_bps, bin.hi_bps, bin.fills, bin.total)).collect();
    assert_eq!(numbers, [(0.0, 2.0, 3, 9), (2.0, 4.0, 1, 0), (4.0, 6.0, 0, 0), (6.0, 8.0, 0, 4)]);
    assert_eq!((bins[7].hi_bps, bins[7].fills), (f64::INFINITY, 1));
    let places = ["[0].lo_bps", "[1].hi_bps", "[1].total", "[2]", "[3].fills", "[7].hi_bps"];
    assert_eq!(report.nulls, places.map(|place| format!("quote_outcomes.bins{place}")));

    for (whole, path) in [(Value::Null, "quote_outcomes"), (json!({"bins": null}), "quote_outcomes.bins")] {
        document["quote_outcomes"] = whole;
        let Imported { bundle, report, .. } = imported(&document);
        assert_eq!(bundle.quote_outcomes, QuoteOutcomes::default());
        assert_eq!(report.nulls, [path]);
    }
}

#[test]
fn a_null_as_a_whole_part_is_a_cold_start_of_it_and_told() {
    for part in document().as_object().unwrap().keys().filter(|part| *part != names::METADATA) {
        let mut document = document();
        document[part] = Value::Null;
        assert_eq!(imported(&document).report.nulls, [part.as_str()]);
    }
}

#[test]
fn a_parameter_that_lacks_a_field_takes_its_own_prior_s() {
    let mut document = document();
    let params = &mut document["learned_params"];
    params["gamma_base"].as_object_mut().unwrap().remove("posterior_param2");
    params["alpha_touch"].as_object_mut().unwrap().remove("family");
    let Imported { bundle, report, .. } = imported(&document);
    assert_eq!(bundle.learned_params.gamma_base.posterior_param2, 3.0 / 0.15);
    assert_eq!(bundle.learned_params.alpha_touch.family, Family::Beta);
    let defaulted = &report.bundle.component(names::LEARNED_PARAMS).unwrap().defaulted;
    assert_eq!(defaulted.paths(), ["alpha_touch.family", "gamma_base.posterior_param2"]);
}

#[test]
fn reasons_that_nested_at_each_restart_are_one_code() {
    let mut document = document();
    let nested = "Manual shutdown: restored from checkpoint: ".repeat(40) + "Max drawdown exceeded";
    document["kill_switch"]["trigger_reasons"] = json!([nested, "~odd"]);
    let triggers = imported(&document).bundle.kill_switch.triggers;
    assert_eq!(
        (triggers[0].code, triggers[0].detail.as_str()),
        (ReasonCode::MaxDrawdown, "Max drawdown exceeded")
    );
    assert_eq!((triggers[1].code, triggers[1].detail.as_str()), (ReasonCode::Other, "~odd"));
}

#[test]
fn an_imported_bundle_is_judged_anew_whatever_its_origin_stamped_at_shutdown() {
    let mut document = document();
    document["readiness"] = json!({"verdict": "Insufficient"});
    document["kappa_own"]["observation_count"] = json!(50);
    let imported = imported(&document);
    assert_eq!(imported.readiness.verdict, PriorVerdict::Insufficient);
    assert_eq!(imported.bundle.stamp(&preset().gate).readiness().verdict, PriorVerdict::Ready);
}

#[test]
fn damaged_latest_falls_back_to_the_newest_good_backup_and_says_so() {
    let good = pretty(&document());
    let torn = &good[..good.len() / 2];
    let huge = br#"{"metadata": {"session_duration_s": 1e400}}"#;
    let candidates = [
        ("latest/checkpoint.json", torn),
        ("1700000300000/checkpoint.json", &huge[..]),
        ("1700000000000/checkpoint.json", &good),
    ];
    let first = import_first(candidates, BundleMode::Strict).unwrap();
    assert_eq!((first.name, first.skipped.len()), ("1700000000000/checkpoint.json", 2));
    assert!(first.skipped.iter().all(|(_, error)| matches!(error, ImportError::NotJson(_))));

    let none = import_first([("latest/checkpoint.json", torn)], BundleMode::Strict).unwrap_err();
    assert!(
        none.to_string().starts_with("none of 1 checkpoints can be imported: latest/checkpoint.json: "),
        "{none}"
    );
}

#[test]
fn what_is_no_checkpoint_is_refused_and_one_bad_component_only_if_strict() {
    for text in ["[]", "{}", "{\"metadata\": 3}", "7"] {
        let error = import(text.as_bytes(), BundleMode::Lenient).unwrap_err();
        assert!(matches!(error, ImportError::NotACheckpoint(_)), "{text}: {error}");
    }
    let mut document = document();
    document["metadata"]["version"] = json!(9);
    assert!(import(&pretty(&document), BundleMode::Strict).is_err(), "a version that never was");
    document["metadata"]["source_mode"] = json!("paper");
    let error = import(&pretty(&document), BundleMode::Strict).unwrap_err();
    assert!(matches!(error, ImportError::NotACheckpoint(_)), "with what came later, too: {error}");
    document["metadata"]["version"] = json!(1);
    document["momentum"] = json!("gone");
    let error = import(&pretty(&document), BundleMode::Strict).unwrap_err();
    assert!(matches!(error, ImportError::Component(_)), "{error}");
    let lenient = import(&pretty(&document), BundleMode::Lenient).unwrap();
    assert_eq!(lenient.bundle.momentum.prior_continuation, 0.5);
    assert_eq!(lenient.bundle.kelly_tracker, migrated().kelly_tracker);
}

/// A text as `ckpt import` keeps it.
fn section(text: &[u8]) -> EncodedSection {
    EncodedSection {
        name: SECTION.to_owned(),
        kind: String::new(),
        version: 0,
        codec: Codec::JsonText,
        bytes: text.to_vec(),
    }
}

#[test]
fn a_checkpoint_that_holds_only_the_text_is_no_cold_start() {
    let mut document = document();
    document["kappa_own"]["prior_beta"] = Value::Null;
    document["spread_bandit"] = json!({"cells": []});
    let sections = vec![section(&pretty(&document))];
    let loaded = StampedBundle::from_sections(&sections, BundleMode::Strict).unwrap();
    assert_eq!(*loaded.value.bundle(), imported(&document).bundle);
    assert!(loaded.value.bundle().kill_switch.is_triggered(), "what stopped trading still does");
    assert_eq!(
        loaded.report.component(names::KAPPA_OWN).unwrap().clamped,
        ["prior_beta from null to its default"]
    );
    assert_eq!(loaded.report.unknown_sections, ["checkpoint.json: spread_bandit"]);
}

#[test]
fn a_text_beside_a_bundle_is_not_looked_at() {
    let mut sections = migrated().stamp(&preset().gate).to_sections().unwrap();
    sections.push(section(b"no JSON"));
    let loaded = StampedBundle::from_sections(&sections, BundleMode::Strict).unwrap();
    assert_eq!(*loaded.value.bundle(), migrated());
    assert_eq!(loaded.report.unknown_sections, [SECTION]);
}

/// Only the text, and that can't be had.
struct Lost(SectionState);

impl SectionSource for Lost {
    fn names(&self) -> Vec<String> {
        vec![SECTION.to_owned()]
    }

    fn section(&self, name: &str) -> SectionState {
        if name == SECTION { self.0.clone() } else { SectionState::Missing }
    }
}

#[test]
fn a_text_that_can_t_be_had_is_an_error_in_lenient_mode_too() {
    for mode in [BundleMode::Strict, BundleMode::Lenient] {
        let load = |state| StampedBundle::from_sections(&Lost(state), mode).unwrap_err();
        let damaged = load(SectionState::Damaged("block 0".to_owned()));
        assert!(
            matches!(&damaged, BundleError::Damaged { component, .. } if component == SECTION),
            "{damaged}"
        );
        let unreadable = load(SectionState::Unreadable("EIO".to_owned()));
        assert!(matches!(unreadable, BundleError::Unreadable { .. }), "{unreadable}");
        let torn = load(SectionState::Present(section(b"{\"metadata\": {")));
        assert!(matches!(torn, BundleError::Incompatible { .. }), "{torn}");
    }
}
