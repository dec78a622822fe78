//! `ckpt explain`: why a checkpoint was saved, is kept, would be deleted, or is gone.

use ckpt::{Event, Json, Metadata, Run, RunOptions, Selector, Session, SessionOptions};
use serde_json::json;

use crate::scene::Scene;

#[test]
fn one_that_is_there_says_why_it_was_saved_and_what_the_policy_makes_of_it() {
    let scene = Scene::new();
    let metadata = Metadata::default()
        .because(Event::Periodic, "every 25,000 steps")
        .because(Event::Best, "sharpe_ratio improved from 1.1 to 1.2");
    scene.save_as("runs/ppo", std::iter::repeat_n(metadata, 4));
    let answer = scene.run("explain runs/ppo seq:2 --json").ok().json();
    assert_eq!(
        answer["saved"]["events"][1],
        json!({"event": "best", "reason": "sharpe_ratio improved from 1.1 to 1.2"})
    );
    assert_eq!(
        (&answer["policy"], &answer["verdict"], &answer["gone"]),
        (&json!(null), &json!(null), &json!(null))
    );
    scene
        .run("explain runs/ppo latest")
        .ok()
        .says("periodic: every 25,000 steps")
        .says("the log knows no policy");

    scene.write("c.yaml", "checkpointing: {retention: {keep_last_n: 2, keep_top_k: []}}");
    let answer = scene.run("explain runs/ppo seq:2 --config c.yaml --json").ok().json();
    assert_eq!((&answer["verdict"], &answer["policy"]["source"]), (&json!("delete"), &json!("config")));
    assert_eq!(answer["reasons"][0]["text"], "rank 3 of the last 2 periodic");
    scene
        .run("explain runs/ppo seq:2 --config c.yaml")
        .ok()
        .says("would be deleted  rank 3 of the last 2 periodic");
    // Pruning leaves its policy in the log.
    scene.run("prune runs/ppo --keep-last 3").ok();
    let answer = scene.run("explain runs/ppo seq:2 --json").ok().json();
    assert_eq!((&answer["verdict"], &answer["policy"]["source"]), (&json!("keep"), &json!("log")));
    scene.run("explain runs/ppo seq:2").ok().says("rank 3 of the last 3 periodic").says("keep_last: 3");
    scene.run("pin runs/ppo seq:2 --reason paper").ok();
    let answer = scene.run("explain runs/ppo seq:2 --json").ok().json();
    assert_eq!((&answer["pinned"], &answer["pin"]["reason"]), (&json!(true), &json!("paper")));
    scene.run("explain runs/ppo seq:2").ok().says(": paper").says("kept");
}

/// What somebody pruned by once is not what the sessions go by.
#[test]
fn a_pruning_with_flags_does_not_become_the_policy_of_the_sessions() {
    let scene = Scene::new();
    let options = SessionOptions::default().save_every(1).keep_last(4);
    let mut session = Session::open(scene.path(""), "runs", "ppo", options).unwrap();
    for step in 1..=6_u64 {
        session.step(step, &[], || Json(step)).unwrap();
    }
    drop(session);
    scene.run("prune runs/ppo --keep-last 3 --yes").ok();
    assert_eq!(scene.sequences("runs/ppo"), [4, 5, 6]);
    scene.run("explain runs/ppo latest").ok().says("keep_last: 4");
}

#[test]
fn one_that_was_deleted_says_when_by_whom_and_why() {
    let scene = Scene::new();
    scene.save_periodic("runs/ppo", "NQ", &["1.1", "1.2", "1.3", "1.4"]);
    scene.run("prune runs/ppo --keep-last 3").ok();
    scene.run("delete runs/ppo seq:2 --yes").ok();
    let answer = scene.run("explain runs/ppo seq:1 --json").ok().json();
    assert_eq!(
        (&answer["state"], &answer["verdict"], &answer["gone"]["how"]),
        (&json!(null), &json!(null), &json!("deleted"))
    );
    assert_eq!(answer["gone"]["reason"], "rank 4 of the last 3 periodic");
    assert!(answer["gone"]["at"].is_string() && answer["gone"]["by"]["pid"].is_u64(), "{answer}");
    assert_eq!(
        (&answer["saved"]["events"][0]["event"], &answer["saved"]["stored_bytes"]),
        (&json!("periodic"), &json!(8_192))
    );
    assert!(answer["name"].as_str().unwrap().starts_with("00000001_NQ"), "{answer}");
    scene
        .run("explain runs/ppo seq:1")
        .ok()
        .says("deleted")
        .says(": rank 4 of the last 3 periodic")
        .says("by process");
    scene.run("explain runs/ppo seq:2").ok().says("asked for at a shell: seq:2");
    scene.run("explain runs/ppo seq:9 --json").error(4, "not_found");
    scene.run("explain runs/ppo step:1000 --json").error(4, "not_found");
    scene.run("explain runs/ppo best:sharpe_ratio --json").error(2, "usage");
    scene.run("explain runs/none seq:1 --json").error(4, "run_not_found");
}

#[test]
fn damage_what_was_set_aside_and_what_vanished_are_told_apart() {
    let scene = Scene::with_checkpoints(4);
    crate::scene::flip(&scene.checkpoint(2), 100);
    scene.damage(4);
    let answer = scene.run("explain train/ppo seq:2 --json").ok().json();
    assert_eq!(answer["state"], "damaged");
    assert!(answer["wrong"].as_str().unwrap().contains("damaged"), "{answer}");
    scene.run("explain train/ppo latest").ok().says("checkpoint 4");
    // A writer that loads sets the damaged newest one aside.
    let run = Run::open(scene.path("train/ppo"), RunOptions::new(ckpt::now)).unwrap();
    assert_eq!(run.load(&Selector::Latest).unwrap().entry.sequence, 3);
    drop(run);
    let answer = scene.run("explain train/ppo seq:4 --json").ok().json();
    assert_eq!(answer["gone"]["how"], "set_aside");
    assert!(answer["gone"]["path"].as_str().unwrap().starts_with(".quarantine/"), "{answer}");
    scene.run("explain train/ppo seq:4").ok().says("set aside").says(".quarantine/").says("digest");
    std::fs::remove_file(scene.checkpoint(1)).unwrap();
    let answer = scene.run("explain train/ppo seq:1 --json").ok().json();
    assert_eq!((&answer["gone"]["how"], &answer["gone"]["at"]), (&json!("unknown"), &json!(null)));
    scene.run("explain train/ppo seq:1").ok().says("something else than ckpt removed the file");
}
