//! Damage, order, metadata: what the checkpoints themselves show.

use std::fs;
use std::io::Write as _;

use ckpt::{Run, RunOptions, Section, Selector};

use crate::scene::{Scene, flip, make_newer};

use super::{doctor, session};

#[test]
fn a_damaged_byte_is_found_with_its_section_and_the_older_one_is_taken() {
    let scene = Scene::with_checkpoints(3);
    scene.damage(3);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("cannot_resume", "warning"), ("damaged_files", "problem")]);
    told.says("damaged_files", "checkpoint 3").says("damaged_files", "section \\\"w\\\"");
    told.says("cannot_resume", "passed over, because they are not good: 3");
    told.says("cannot_resume", "goes on from checkpoint 2 at step 200");
    told.advises("damaged_files", "ckpt verify train/ppo");
}

#[test]
fn without_a_good_one_there_is_nothing_to_go_on_from() {
    let scene = Scene::with_checkpoints(2);
    scene.damage(1);
    flip(&scene.checkpoint(2), 100);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("cannot_resume", "problem"), ("damaged_files", "problem")]);
    told.says("cannot_resume", "none of its 2 checkpoints is good");
}

#[test]
fn a_file_that_was_set_aside_stays_in_mind() {
    let scene = Scene::with_checkpoints(2);
    scene.damage(2);
    let run = Run::open(scene.path("train/ppo"), RunOptions::new(ckpt::now)).unwrap();
    run.load(&Selector::Latest).unwrap();
    drop(run);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("wrong_one_loaded", "warning"), ("damaged_files", "warning")]);
    told.says("damaged_files", ".quarantine/").says("wrong_one_loaded", "passed over checkpoint 2");
    fs::remove_file(scene.checkpoint(1)).unwrap();
    doctor(&scene, "train/ppo").says("nothing_saved", "all that is left of it was set aside");
}

#[test]
fn a_newer_format_stops_resuming_and_is_no_damage() {
    let scene = Scene::with_checkpoints(2);
    make_newer(&scene.checkpoint(2));
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("cannot_resume", "problem"), ("damaged_files", "warning")]);
    told.says("cannot_resume", "stops at checkpoint 2, which is not damaged");
    told.advises("cannot_resume", "ckpt restore train/ppo seq:1 --output DIR");
}

#[test]
fn a_section_that_the_one_before_had_is_missed() {
    let scene = Scene::with_checkpoints(1);
    scene.run("save train/ppo --step 200 w=w.bin").ok();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("cannot_resume", "warning")]).says("cannot_resume", "lacks 1 section that 1 still had: s");
    told.advises("cannot_resume", "ckpt diff train/ppo seq:1 seq:2");
}

#[test]
fn a_run_that_was_completed_says_so() {
    let scene = Scene::with_checkpoints(1);
    scene.run("save train/ppo --step 200 --status completed w=w.bin s:json=s.json").ok();
    doctor(&scene, "train/ppo").finds(&[]).says("cannot_resume", "says that the work was completed");
}

#[test]
fn two_of_one_number_are_never_loaded() {
    let scene = Scene::with_checkpoints(2);
    fs::copy(scene.checkpoint(2), scene.path("train/ppo/00000002_copy.ckpt")).unwrap();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("cannot_resume", "warning"), ("wrong_one_loaded", "problem")]);
    told.says("wrong_one_loaded", "00000002_copy.ckpt").says("cannot_resume", "goes on from checkpoint 1");
}

#[test]
fn a_renamed_file_is_a_stranger() {
    let scene = Scene::with_checkpoints(2);
    let old = scene.checkpoint(1);
    fs::copy(&old, scene.path("train/ppo/00000007_x.ckpt")).unwrap();
    fs::remove_file(old).unwrap();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("cannot_resume", "warning"), ("wrong_one_loaded", "warning")]);
    told.says("wrong_one_loaded", "renamed or belong to another run")
        .says("wrong_one_loaded", "00000007_x.ckpt");
}

#[test]
fn what_an_overtaken_attempt_wrote_is_named() {
    let scene = Scene::with_checkpoints(1);
    let copy = scene.path("copy");
    let copied = std::process::Command::new("cp").arg("-r").arg(scene.path("train/ppo")).arg(&copy).status();
    assert!(copied.unwrap().success());
    scene.run("save train/ppo --step 200 w=w.bin s:json=s.json").ok();
    scene.run("save train/ppo --step 300 w=w.bin s:json=s.json").ok();
    let saved = scene.run("save copy --epoch 5 --step 250 w=w.bin s:json=s.json --json").ok().json();
    let name = saved["name"].as_str().unwrap();
    fs::copy(copy.join(name), scene.path("train/ppo").join(name)).unwrap();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("wrong_one_loaded", "warning")]).says("wrong_one_loaded", "00000003_");
    told.says("wrong_one_loaded", "had been overtaken");
}

#[test]
fn a_step_that_went_back_is_told_and_the_further_one_named() {
    let scene = Scene::with_checkpoints(2);
    scene.run("save train/ppo --step 50 w=w.bin s:json=s.json").ok();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("wrong_one_loaded", "warning")]);
    told.says("wrong_one_loaded", "it is at step 50, but the older checkpoint 2 is at step 200");
    told.advises("wrong_one_loaded", "ckpt restore train/ppo seq:2 --output DIR");
}

#[test]
fn a_checkpoint_that_says_nothing_of_itself_is_found() {
    let scene = Scene::with_checkpoints(1);
    scene.run("save train/ppo w=w.bin s:json=s.json").ok();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("metadata_missing", "warning")]).says("metadata_missing", "1 of 2 do not say a step: 2");
    told.advises("metadata_missing", "ckpt show train/ppo seq:2");
    // A program that gives the store nothing at all: no event either.
    let run = Run::open(scene.path("train/ppo"), RunOptions::new(ckpt::Timestamp::default)).unwrap();
    run.save(ckpt::Metadata::default(), vec![Section::raw("w", &[1]), Section::json("s", &1).unwrap()])
        .unwrap();
    drop(run);
    let told = doctor(&scene, "train/ppo");
    told.says("metadata_missing", "1 of 3 do not say why they were saved: 3");
    told.says("metadata_missing", "1 of 3 do not say when they were made: 3");
}

#[test]
fn fields_and_metrics_that_the_configuration_asks_for_are_missed() {
    let scene = Scene::new();
    let text = "checkpointing:\n  llm_metadata: [risk_veto_count, loss]\n  events: {monitored_metrics: [val_reward]}\n  a: {every: 1}\n";
    scene.write("c.yaml", text);
    let config = ckpt::Config::from_file(scene.path("c.yaml")).unwrap();
    let options = ckpt::SessionOptions::from_config(&config, "a", None).unwrap();
    session(&scene, "train/ppo", options, 2);
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.finds(&[("metadata_missing", "warning")]);
    told.says("metadata_missing", "asks for risk_veto_count, which is missing in 1, 2, 3");
    told.says("metadata_missing", "none was saved or kept for it: val_reward");
    assert!(!told.check("metadata_missing")["found"].to_string().contains("asks for loss"), "it is there");
}

#[test]
fn a_torn_log_is_told_and_harmless() {
    let scene = Scene::with_checkpoints(1);
    let mut log = fs::OpenOptions::new().append(true).open(scene.path("train/ppo/log.jsonl")).unwrap();
    log.write_all(b"{\"sum\":\"00\",\"entry\":{}}\n").unwrap();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("damaged_files", "warning")]).says("damaged_files", "1 line that can't be read");
}
