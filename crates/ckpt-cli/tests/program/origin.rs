//! A market maker's own directory of `checkpoint.json`s, imported and used: read, judged, migrated, offered.

use std::fs;

use ckpt::{Checkpoint, Stored as _};
use ckpt_market::component::learned::LearnedParams;
use serde_json::{Map, Value, json};

use crate::market::{VERSION_1, learned};
use crate::scene::Scene;

/// What the committed bundle of version 1 was to the system that it comes from: one pretty text, taken that long ago.
fn document(scene: &Scene, age_seconds: i64) -> Value {
    scene.write("v1.ckpt", VERSION_1);
    let file = Checkpoint::open_file(scene.path("v1.ckpt")).unwrap();
    let mut document = Map::new();
    for entry in file.sections().unwrap() {
        let bytes = file.read(&entry.name).unwrap();
        document.insert(entry.name.clone(), serde_json::from_slice(&bytes).unwrap());
    }
    let mut document = Value::Object(document);
    document["metadata"]["timestamp_ms"] = json!(ckpt::now().millis() - age_seconds * 1_000);
    // As it stands after each orderly shutdown.
    document["readiness"] = json!({"verdict": "Insufficient"});
    document["kappa_own"]["observation_count"] = json!(50);
    document
}

/// The directory as its system leaves it: the newest, and the same under its time.
fn imported(document: &Value) -> Scene {
    let scene = Scene::new();
    let text = serde_json::to_vec_pretty(document).unwrap();
    for directory in ["latest".to_owned(), document["metadata"]["timestamp_ms"].to_string()] {
        fs::create_dir_all(scene.path(format!("old/{directory}"))).unwrap();
        scene.write(&format!("old/{directory}/checkpoint.json"), &text);
    }
    scene.run("import runs/live old").ok().says("imported 1 checkpoint of the layout market-maker");
    scene
}

#[test]
fn an_imported_directory_is_read_as_a_bundle_and_not_as_a_cold_start() {
    let document = document(&Scene::new(), 60);
    let scene = imported(&document);
    let bundle = scene.bundle("runs/live").into_bundle();
    assert_eq!(bundle.metadata.asset, document["metadata"]["asset"].as_str().unwrap());
    assert_ne!(bundle.learned_params, LearnedParams::default());
    assert!(bundle.kill_switch.is_triggered(), "what stopped trading there stops it here");

    // Judged by what it knows, not by what was stamped on it.
    let answer = scene.run("gate runs/live --json").ok().json();
    assert_eq!(
        (&answer["verdict_at_save"], &answer["assessment"]["verdict"], &answer["thresholds_from"]),
        (&json!("insufficient"), &json!("ready"), &json!("preset"))
    );
    let offered = scene.run("transfer runs/live runs/other --dry-run --json").ok().json();
    assert!(offered["report"]["changes"].as_u64().unwrap() > 10, "{offered}");
    assert_eq!(offered["report"]["verdict"], json!("ready"));
}

#[test]
fn migrating_it_makes_sections_of_its_parts_and_keeps_the_text() {
    let scene = imported(&document(&Scene::new(), 60));
    let before = scene.bundle("runs/live").into_bundle();
    let dry = scene.run("migrate runs/live --dry-run --json").ok().json();
    let answer = scene.run("migrate runs/live --json").ok().json();
    assert_eq!(answer["sections"], dry["sections"], "a dry run says what the real one does");
    let steps = answer["sections"].as_array().unwrap();
    let step = |name: &str| steps.iter().find(|step| step["name"] == name).unwrap();
    assert_eq!(steps.len(), 20);
    assert_eq!(step("checkpoint.json")["outcome"], json!("unknown"), "copied byte for byte");
    assert_eq!(step("kappa_own")["path"], json!([1, 2]));
    assert_eq!(step(LearnedParams::KIND)["path"], json!([2]), "its parts are those of the second version");
    assert_eq!(step("readiness")["text"], json!("from checkpoint.json: judged anew"));

    assert_eq!(scene.bundle("runs/live").into_bundle(), before, "the same state, as sections");
    let shown = scene.run("show runs/live --json").ok().json();
    assert_eq!(shown["metadata"]["labels"].get("readiness"), None, "the stamp says it now: {shown}");
    let answer = scene.run("gate runs/live --json").ok().json();
    assert_eq!((&answer["verdict_at_save"], &answer["thresholds_from"]), (&json!("ready"), &json!("stamp")));
    scene.run("restore runs/live --output back").ok();
    assert_eq!(scene.read("back/checkpoint.json"), scene.read("old/latest/checkpoint.json"));
    scene.run("migrate runs/live").ok().says("nothing to migrate");
}

/// Copying and migrating make no state younger.
#[test]
fn it_is_as_old_as_it_says_before_and_after() {
    let scene = imported(&document(&Scene::new(), 20_000));
    for _ in 0..2 {
        let answer = scene.run("gate runs/live --json").ends(1).json();
        assert_eq!(answer["assessment"]["cause"], json!("stale"));
        scene.run("migrate runs/live").ok();
    }
}

/// A reset needs components, and then what is asked of the run is asked of them, not of the text that they were made from. What the
/// origin thought of its state is gone as soon as it is judged anew.
#[test]
fn it_is_reset_once_it_was_migrated_and_a_transfer_judges_it_anew() {
    let scene = imported(&document(&Scene::new(), 60));
    let error = scene.run("reset runs/live --component vol_filter --json").error(4, "not_found");
    assert!(error["hint"].as_str().unwrap().contains("ckpt migrate"), "{error}");
    scene.save_bundle("runs/paper", learned("HYPE", 60));
    scene.run("transfer runs/paper runs/live").ok().says("saved");
    let shown = scene.run("show runs/live --json").ok().json();
    assert_eq!(shown["metadata"]["labels"].get("readiness"), None, "{shown}");
    scene.run("reset runs/live --component rl_q_table").ok().says("saved");
    scene.run("doctor runs/live").says("it has no cells: the agent begins cold");
}
