//! Whole bundles as versions 1 and 2 wrote them: committed files, never made again, every value asserted.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "rig/bundles.rs"]
mod bundles;

use bundles::{SAVED_MS, migrated, pre_fill, version_1};
use ckpt_format::{Bundle, BundleMode, BundleReport, Container, EncodedSection, Outcome, SectionEntry};
use ckpt_market::component::baseline::Baseline;
use ckpt_market::component::metadata::{MarketMetadata, SourceMode};
use ckpt_market::component::rl::QCell;
use ckpt_market::v1::MarketBundleV1;
use ckpt_market::{StampedBundle, names, preset};

const V1: &[u8] = include_bytes!("fixtures/v1/market_maker.ckpt");
const V2: &[u8] = include_bytes!("fixtures/v2/market_maker.ckpt");
/// The same since `learned_params` has a second version.
const V2_LEARNED_2: &[u8] = include_bytes!("fixtures/v2/learned_params_2.ckpt");

/// What the file of version 2 holds.
fn version_2() -> StampedBundle {
    let mut bundle = migrated();
    bundle.metadata = MarketMetadata {
        cumulative_duration_s: 20_000.0,
        source_mode: SourceMode::Paper,
        parent_timestamp_ms: SAVED_MS - 86_400_000,
        chain_depth: 2,
        ..bundle.metadata
    };
    bundle.pre_fill = pre_fill(0.26, 3.5, 21.0);
    bundle.kappa_own.total_observations = 918;
    bundle.rl_q_table.reward_config_hash = 5_732_016_699_186_934_118;
    bundle.rl_q_table.q_entries.push(QCell {
        seeded: true,
        mu_n: 1.998_002,
        kappa_n: 3.003,
        alpha: 2.5,
        beta: 0.305_994,
        ..QCell::fresh(44, 4)
    });
    bundle.kill_switch.triggers[0].time_is_exact = true;
    for (bin, fills) in bundle.quote_outcomes.bins.iter_mut().zip(1..) {
        (bin.fills, bin.total) = (fills, 7 * fills);
    }
    bundle.baseline_tracker =
        Baseline { ewma_reward: -0.45, decay: 0.98, n_observations: 77, min_observations: 50 };
    bundle.stamp(&preset().gate)
}

fn sections(file: &[u8]) -> Vec<EncodedSection> {
    let container = Container::decode(file).unwrap();
    container.verify(file).unwrap();
    let encoded = |entry: &SectionEntry| EncodedSection {
        name: entry.name.clone(),
        kind: entry.kind.clone(),
        version: entry.version,
        codec: entry.codec,
        bytes: container.section(file, &entry.name).unwrap().unwrap(),
    };
    container.index.sections.iter().map(encoded).collect()
}

fn paths(report: &BundleReport, outcome: &Outcome) -> Vec<String> {
    let same = report.components.iter().filter(|component| component.outcome == *outcome);
    same.map(|component| component.name.clone()).collect()
}

#[test]
fn a_bundle_of_version_1_reads_as_it_was_written() {
    let loaded = MarketBundleV1::from_sections(&sections(V1), BundleMode::Strict).unwrap();
    assert_eq!(loaded.value, version_1());
    assert!(loaded.report.is_whole(), "{}", loaded.report);
    assert_eq!(loaded.report.components.len(), 17);
}

#[test]
fn a_bundle_of_version_1_becomes_one_of_version_2_step_by_step() {
    let loaded = StampedBundle::from_sections(&sections(V1), BundleMode::Strict).unwrap();
    assert_eq!(loaded.value.bundle(), &migrated());
    let changed = paths(&loaded.report, &Outcome::Migrated { path: vec![1, 2] });
    assert_eq!(
        changed,
        [
            names::METADATA,
            names::LEARNED_PARAMS,
            names::PRE_FILL,
            names::KAPPA_OWN,
            names::KAPPA_BID,
            names::KAPPA_ASK,
            names::RL_Q_TABLE,
            names::KILL_SWITCH,
            names::READINESS
        ]
    );
    assert_eq!(paths(&loaded.report, &Outcome::Restored).len(), 8);
    let readiness = loaded.value.readiness();
    assert_eq!((readiness.kappa_observations, readiness.thresholds.version), (31, 0));
}

#[test]
fn a_bundle_of_version_2_reads_as_it_was_written() {
    let old = StampedBundle::from_sections(&sections(V2), BundleMode::Strict).unwrap();
    assert_eq!(old.value, version_2());
    assert_eq!(paths(&old.report, &Outcome::Migrated { path: vec![1, 2] }), [names::LEARNED_PARAMS]);
    let loaded = StampedBundle::from_sections(&sections(V2_LEARNED_2), BundleMode::Strict).unwrap();
    assert_eq!(loaded.value, version_2());
    assert!(old.report.is_whole() && loaded.report.is_whole(), "{}{}", old.report, loaded.report);
    assert_eq!(paths(&loaded.report, &Outcome::Restored).len(), 19);
    let names: Vec<&str> = loaded.report.components.iter().map(|component| component.name.as_str()).collect();
    let mut all = names::ALL.to_vec();
    all.sort_unstable();
    let mut read = names.clone();
    read.sort_unstable();
    assert_eq!(read, all);
}

#[test]
fn what_is_written_today_is_what_version_2_wrote() {
    assert_eq!(version_2().to_sections().unwrap(), sections(V2_LEARNED_2));
}

#[test]
fn metadata_of_a_version_that_never_was_is_refused_by_name() {
    let mut old = version_1();
    old.metadata.version = 3;
    let error = StampedBundle::from_sections(&old.to_sections().unwrap(), BundleMode::Strict).unwrap_err();
    assert!(error.to_string().contains("version is 3, and only 1 was ever written"), "{error}");
}

#[test]
fn a_document_without_a_component_or_a_field_takes_the_struct_s_own_default() {
    let mut sections = version_2().to_sections().unwrap();
    for section in &mut sections {
        section.bytes = b"{}".to_vec();
    }
    let empty = StampedBundle::from_sections(&sections, BundleMode::Strict).unwrap();
    assert_eq!(empty.value, StampedBundle::default());
    assert!(
        empty.report.components.iter().all(|component| component.defaulted.total() > 0),
        "{}",
        empty.report
    );

    let none = StampedBundle::from_sections(&Vec::<EncodedSection>::new(), BundleMode::Strict).unwrap();
    assert_eq!(none.value, StampedBundle::default());
}

#[test]
fn the_sixth_signal_comes_back_and_begins_at_its_default_where_it_was_not_kept() {
    let old = StampedBundle::from_sections(&sections(V1), BundleMode::Strict).unwrap().value.into_bundle();
    assert_eq!((old.pre_fill.trend_weight, old.pre_fill.trend_sq_sum), (0.30, 0.0));
    let new = StampedBundle::from_sections(&sections(V2), BundleMode::Strict).unwrap().value.into_bundle();
    assert_eq!((new.pre_fill.trend_weight, new.pre_fill.trend_sq_sum), (0.26, 21.0));
}

#[test]
fn restoring_a_default_classifier_is_a_cold_start_with_the_weights_of_theory() {
    let weights = StampedBundle::default().into_bundle().enhanced.learned_weights;
    assert_eq!(weights, [0.12, 0.22, 0.18, 0.08, 0.08, 0.04, 0.08, 0.05, 0.08, 0.07]);
    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
}
