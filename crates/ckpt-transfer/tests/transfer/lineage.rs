//! Where the state comes from, recorded in the next save.

use ckpt_format::{Metadata, Parent};
use ckpt_transfer::{InjectionConfig, Lineage, PriorExtract as _, PriorInject as _, Provenance};

use crate::rig::{live, now, paper};

#[test]
fn the_lineage_of_an_injection_is_recorded_in_the_next_save() {
    let mut prior = paper().extract_prior(now());
    prior.provenance.chain_depth = 2;
    prior.provenance.checkpoint = Some(Parent { run_id: "ab".into(), epoch: 0, sequence: 17 });
    let report = live().inject_prior(&prior, &InjectionConfig::default(), now()).unwrap();

    let mut metadata = Metadata::default();
    report.lineage.as_ref().unwrap().record(&mut metadata).unwrap();
    let stored = Metadata::decode(&metadata.encode().unwrap()).unwrap();
    let lineage = Lineage::of(&stored).unwrap().unwrap();
    assert_eq!(Some(&lineage), report.lineage.as_ref());
    assert_eq!(
        (lineage.mode.as_str(), lineage.chain_depth, lineage.seconds_before),
        ("live", 3, Some(3_600.0))
    );
    let parent = lineage.parent.unwrap();
    assert_eq!((parent.identity.as_str(), parent.mode.as_str()), ("dex:HYPE", "paper"));
    assert_eq!((parent.saved_at, parent.checkpoint.unwrap().sequence), (Some(now()), 17));
}

#[test]
fn the_next_prior_goes_on_from_the_recorded_lineage() {
    let mut metadata = Metadata {
        market: Some("HYPE".into()),
        run_id: "cd".into(),
        sequence: 5,
        created_at: now(),
        ..Metadata::default()
    };
    let lineage = Lineage { chain_depth: 3, ..Lineage::cold("live") };
    lineage.record(&mut metadata).unwrap();
    let provenance = Provenance::of(&metadata).unwrap();
    assert_eq!((provenance.identity.as_str(), provenance.mode.as_str()), ("HYPE", "live"));
    assert_eq!((provenance.saved_at, provenance.chain_depth), (Some(now()), 3));
    assert_eq!(Lineage::child_of(&provenance, "live").chain_depth, 4);

    // What says nothing is of nothing, and from no time.
    let nothing = Provenance::of(&Metadata::default()).unwrap();
    assert_eq!(nothing, Provenance::default());
}

#[test]
fn a_lineage_that_is_none_is_an_error_and_not_a_cold_start() {
    let mut metadata = Metadata::default();
    metadata.extra.insert("lineage".to_owned(), "from paper".into());
    assert!(Lineage::of(&metadata).unwrap_err().to_string().contains("`extra.lineage`"));
    assert!(Provenance::of(&metadata).is_err());
}

#[test]
fn seconds_that_nobody_knows_do_not_count() {
    let provenance = Provenance {
        evidence: Some(ckpt_gate::Evidence::default().session_seconds(f64::NAN)),
        chain_depth: u32::MAX,
        ..Provenance::default()
    };
    let lineage = Lineage::child_of(&provenance, "live");
    assert_eq!((lineage.seconds_before, lineage.chain_depth), (None, u32::MAX));
}
