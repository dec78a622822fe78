//! `ckpt status`: what there is to resume.

use ckpt::{Run, RunOptions};
use serde_json::json;

use crate::scene::{Scene, flip, make_newer};

#[test]
fn a_run_says_from_where_it_would_go_on_and_how_far_it_is() {
    let scene = Scene::new();
    scene.save_periodic("runs/ppo", "NQ", &["1.1", "1.2"]);
    let status = scene.run("status runs/ppo --json").ok().json();
    assert_eq!((&status["can_resume"], &status["has_checkpoint"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&status["sequence"], &status["step"], &status["total"]),
        (&json!(2), &json!(2_000), &json!(100_000))
    );
    assert_eq!((&status["progress_pct"], &status["status"]), (&json!(2.0), &json!("in_progress")));
    assert_eq!((&status["why"], &status["skipped"]), (&json!("it was in progress at step 2000"), &json!([])));
    scene
        .run("status runs/ppo")
        .ok()
        .says("yes: it was in progress")
        .says("2,000 / 100,000")
        .says("checkpoint 2: ");
    scene.run("status runs --json").error(4, "run_not_found");
}

#[test]
fn what_would_be_skipped_is_named_with_its_reason() {
    let scene = Scene::with_checkpoints(3);
    flip(&scene.checkpoint(3), 100);
    let before = scene.names("train/ppo");
    let status = scene.run("status train/ppo --json").ok().json();
    assert_eq!((&status["sequence"], &status["skipped"][0]["sequence"]), (&json!(2), &json!(3)));
    assert!(status["skipped"][0]["reason"].as_str().unwrap().contains("damaged"), "{status}");
    scene.run("status train/ppo").ok().says("would skip").says("checkpoint 3: damaged");
    assert_eq!(scene.names("train/ppo"), before, "nothing is set aside by looking");
    for number in [1, 2] {
        flip(&scene.checkpoint(number), 100);
    }
    let status = scene.run("status train/ppo --json").ok().json();
    assert_eq!((&status["can_resume"], &status["sequence"]), (&json!(false), &json!(null)));
    scene.run("status train/ppo").ok().says("no: none of its 3 checkpoints is good");
}

/// A load of the newest is refused there, so nobody may be told that work would go on.
#[test]
fn a_newer_file_stops_a_resume_and_the_status_says_so() {
    let scene = Scene::with_checkpoints(3);
    make_newer(&scene.checkpoint(2));
    flip(&scene.checkpoint(3), 100);
    scene.run("restore train/ppo --output back").ends(6);
    let status = scene.run("status train/ppo --json").ok().json();
    assert_eq!((&status["can_resume"], &status["has_checkpoint"]), (&json!(false), &json!(true)));
    let passed: Vec<_> = status["skipped"].as_array().unwrap().iter().map(|row| &row["sequence"]).collect();
    assert_eq!(passed, [&json!(3)], "what is newer is no damage to be passed over");
    scene
        .run("status train/ppo")
        .ok()
        .says("no: it stops at checkpoint 2, which is unsupported and not damaged: ")
        .says("; the newest good one is 1");
}

#[test]
fn what_is_finished_or_was_never_begun_is_not_gone_on_with() {
    let scene = Scene::with_checkpoints(1);
    scene.run("save train/ppo --step 900 --event phase_end --status completed w=w.bin").ok();
    scene.run("status train/ppo").ok().says("no: it was completed at step 900");
    let (kind, name) = ("train".parse().unwrap(), "new".parse().unwrap());
    drop(Run::create(scene.path("train/new"), &kind, &name, RunOptions::new(ckpt::now)).unwrap());
    let status = scene.run("status train/new --json").ok().json();
    assert_eq!((&status["can_resume"], &status["why"]), (&json!(false), &json!("it has no checkpoint yet")));
    scene.run("status train/new").ok().says("no: it has no checkpoint yet");
}
