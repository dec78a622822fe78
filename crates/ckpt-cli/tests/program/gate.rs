//! `ckpt gate`: the stamp of a checkpoint, judged again now.

use ckpt::gate::{Evidence, Required, Stamp, Thresholds, ThresholdsConfig};
use ckpt::{Event, Metadata};
use serde_json::json;

use crate::market::{VERSION_1, learned};
use crate::scene::{Scene, flip};

#[test]
fn the_stamp_is_judged_by_its_age_now() {
    let scene = Scene::new();
    scene.save_bundle("runs/live", learned("HYPE", 60));
    let answer = scene.run("gate runs/live --json").ok().json();
    let assessment = &answer["assessment"];
    assert_eq!((&assessment["verdict"], &assessment["passes"]), (&json!("ready"), &json!(true)));
    let age = assessment["evidence"]["age_seconds"].as_f64().unwrap();
    assert!((60.0..600.0).contains(&age), "{age}");
    assert_eq!((&answer["warmup"]["restore"], &answer["thresholds_from"]), (&json!(true), &json!("stamp")));

    // Ready when it was saved, five hours ago.
    scene.save_bundle("runs/live", learned("HYPE", 18_000));
    let answer = scene.run("gate runs/live --json").ends(1).json();
    assert_eq!(
        (&answer["verdict_at_save"], &answer["assessment"]["cause"]),
        (&json!("ready"), &json!("stale"))
    );
    assert_eq!(
        (&answer["warmup"]["restore"], &answer["warmup"]["size_factor"]),
        (&json!(false), &json!(0.3))
    );
    scene.run("gate runs/live").ends(1).says("may not be trusted").says("age 180").says("at most 14400 s");
    scene.run("gate runs/live seq:1").ok().says("may be trusted");
}

#[test]
fn marginal_passes_unless_it_may_not() {
    let scene = Scene::new();
    let mut bundle = learned("HYPE", 60);
    bundle.kappa_own.total_observations = 31;
    scene.save_bundle("runs/live", bundle);
    scene
        .run("gate runs/live")
        .ok()
        .says("marginal")
        .says("kappa 31 of 50")
        .says("4 of 5 counts")
        .says("size 0.3");
    let refused = scene.run("gate runs/live --allow-marginal false").ends(1);
    refused.says("may not be trusted, marginal is not allowed");
    scene
        .write("g.json", r#"{"core": [{"name": "kappa", "min": 30}], "marginal_core_min": 1, "version": 7}"#);
    let answer = scene.run("gate runs/live --config g.json --json").ok().json();
    assert_eq!(answer["assessment"]["verdict"], json!("ready"));
    let thresholds = &answer["assessment"]["thresholds"];
    assert_eq!((&thresholds["version"], &thresholds["session_seconds_min"]), (&json!(7), &json!(1_800.0)));
    for (text, part) in [
        (r#"{"allow_margnal": false}"#, "there is no threshold \"allow_margnal\""),
        (r#"{"core": []}"#, "`core` is empty"),
        ("[]", "invalid type"),
    ] {
        scene.write("g.json", text);
        let error = scene.run("gate runs/live --config g.json --json").error(1, "config");
        assert!(error["message"].as_str().unwrap().contains(part), "{error}");
    }
    scene.run("gate runs/live --config none.json --json").error(4, "not_found");
}

#[test]
fn a_stamp_in_the_metadata_does_as_well() {
    let scene = Scene::new();
    let thresholds = Thresholds::new(ThresholdsConfig {
        core: vec![Required::new("episodes", 100)],
        marginal_core_min: 1,
        ..ThresholdsConfig::default()
    });
    let evidence = Evidence::default().count("episodes", 99).session_seconds(4_000.0);
    let stamp = thresholds.unwrap().assess(&evidence).stamp();
    let mut metadata =
        Metadata { created_at: ckpt::now(), ..Metadata::default() }.because(Event::Manual, "a test");
    metadata.extra.insert(Stamp::FIELD.to_owned(), serde_json::to_value(stamp).unwrap());
    scene.save_as("runs/agent", [metadata]);
    scene.run("gate runs/agent").ends(1).says("episodes 99 of 100");
    scene.write("g.json", r#"{"core": [{"name": "episodes", "min": 99}]}"#);
    scene.run("gate runs/agent --config g.json").ok().says("ready").says("with g.json over them");
}

#[test]
fn without_a_stamp_it_says_what_to_do_and_an_old_one_has_the_thresholds_of_the_preset() {
    let scene = Scene::with_checkpoints(1);
    let error = scene.run("gate train/ppo --json").error(1, "not_judged");
    assert!(error["hint"].as_str().unwrap().contains("stamp each checkpoint"), "{error}");
    scene.write("v1.ckpt", VERSION_1);
    let answer = scene.run("gate v1.ckpt --json").ends(1).json();
    assert_eq!(
        (&answer["thresholds_from"], &answer["assessment"]["cause"]),
        (&json!("preset"), &json!("stale"))
    );
}

/// The stamp is a section of its own: it was judged ready while the volatility beside it could not be restored any more.
#[test]
fn what_is_damaged_anywhere_is_not_trusted_for_its_stamp() {
    let scene = Scene::new();
    scene.save_bundle("runs/live", learned("HYPE", 120));
    scene.save_bundle("runs/live", learned("HYPE", 60));
    let newest = scene.names("runs/live").into_iter().find(|name| name.starts_with("00000002_")).unwrap();
    let newest = format!("runs/live/{newest}");
    let sigma = scene.read(&newest).windows(10).position(|bytes| bytes == b"sigma_mean").unwrap();
    flip(&scene.path(&newest), sigma);
    let ran = scene.run("gate runs/live --json").ok().warns("checkpoint 2 was passed over");
    let answer = ran.json();
    assert_eq!((&answer["sequence"], &answer["skipped"][0]["sequence"]), (&json!(1), &json!(2)), "{answer}");
    scene.run("gate runs/live seq:2 --json").error(3, "damaged");
    scene.run(&format!("gate {newest} --json")).error(3, "damaged");
}
