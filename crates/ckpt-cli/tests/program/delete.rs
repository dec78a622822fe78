//! `ckpt delete`, `ckpt pin`, `ckpt unpin`: what may go and what must stay.

use ckpt::Metadata;
use serde_json::json;

use crate::scene::Scene;

#[test]
fn nothing_is_deleted_without_a_yes() {
    let scene = Scene::with_checkpoints(2);
    let error = scene.run("delete train/ppo seq:1 --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("--yes"), "{error}");
    scene.checkpoint(1);
    let answer = scene.run("delete train/ppo seq:1 --yes --json").ok().json();
    assert_eq!(answer["deleted"].as_array().unwrap().len(), 1);
    assert!(answer["freed_bytes"].as_u64().unwrap() > 5_000, "{answer}");
    let rows = scene.run("list train/ppo --json").ok().json();
    assert_eq!(rows.as_array().unwrap().len(), 1);
    scene.run("delete train/ppo seq:1 --yes --json").error(4, "not_found");
    scene
        .run("log train/ppo")
        .ok()
        .says("decided to delete 1 (asked for at a shell: seq:1)")
        .says("deleted 1 checkpoint");
}

#[test]
fn the_last_good_one_and_pinned_ones_stay() {
    let scene = Scene::with_checkpoints(3);
    scene.run("delete train/ppo latest --yes --json").error(5, "last_verified");
    let answer =
        scene.args(["pin", "train/ppo", "best:loss:max", "--reason", "in production", "--json"]).ok().json();
    assert_eq!(answer, json!({"sequence": 1, "pinned": true, "changed": true}));
    scene.run("pin train/ppo seq:1").ok().says("was pinned before");
    scene.run("pin train/ppo seq:9 --json").error(4, "not_found");
    let error = scene.run("delete train/ppo seq:1 --yes --json").error(5, "pinned");
    assert!(error["hint"].as_str().unwrap().contains("ckpt unpin"), "{error}");
    assert_eq!(scene.run("list train/ppo --json").ok().json()[0]["pinned"], true);
    scene.run("list train/ppo").ok().says("pinned");
    scene.run("log train/ppo").ok().says("pinned 1: in production");
    scene.run("unpin train/ppo seq:1").ok().says("no longer");
    assert_eq!(scene.run("unpin train/ppo seq:1 --json").ok().json()["changed"], false);
    scene.run("delete train/ppo seq:1 --yes").ok().says("deleted 00000001_");
    // The newest is damaged: now the one before it is the last good one.
    scene.damage(3);
    scene.run("delete train/ppo seq:2 --yes --json").error(5, "last_verified");
}

/// What would be refused is refused before anybody is asked and before the run is opened to write.
#[test]
fn what_is_refused_leaves_no_trace() {
    let scene = Scene::new();
    scene.save_on("another.host", "runs/moved", [Metadata::default(), Metadata::default()]);
    let log = scene.read("runs/moved/log.jsonl");
    let error = scene.run("delete runs/moved seq:1 --yes --json").error(5, "last_verified");
    assert!(error["message"].as_str().unwrap().contains("written on another.host"), "{error}");
    assert_eq!(scene.read("runs/moved/log.jsonl"), log);
}

#[test]
fn the_next_number_is_a_new_one_after_a_deletion() {
    let scene = Scene::with_checkpoints(2);
    scene.run("delete train/ppo seq:1 --yes").ok();
    assert_eq!(scene.run("save train/ppo w=w.bin --json").ok().json()["sequence"], 3);
}
