//! What a policy would do, before anything runs.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::scene::{Ran, Scene};

/// The configuration of a trading system as it is written there.
fn seed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ckpt/tests/fixtures/config/checkpoint_config.yaml")
}

fn simulate(scene: &Scene, rest: &str) -> Ran {
    let seed = seed();
    let args = ["simulate", "--config", seed.to_str().unwrap()];
    scene.args(args.into_iter().chain(rest.split_whitespace()))
}

fn config(scene: &Scene, text: &str) {
    scene.write("c.yaml", format!("checkpointing:\n  a:\n{text}"));
}

fn steps(answer: &Value) -> Vec<u64> {
    answer["saves"].as_array().unwrap().iter().map(|save| save["step"].as_u64().unwrap()).collect()
}

#[test]
fn three_phases_make_as_many_saves_as_their_formula() {
    let scene = Scene::new();
    let phases = [
        ("phase1", 31, 26_316, 1_952_129),
        ("phase2", 39, 52_084, 4_892_360),
        ("phase3", 200, 10_081, 4_981_492),
    ];
    for (phase, periodic, first, last) in phases {
        let answer = simulate(&scene, &format!("--phase {phase} --json")).ok().json();
        assert_eq!(answer["phase"], phase);
        assert_eq!(
            answer["counts"],
            json!({"periodic": periodic, "early_first": 1, "phase_end": 1}),
            "{phase}"
        );
        let saves = answer["saves"].as_array().unwrap();
        assert_eq!(saves.len(), periodic + 2);
        let rule = |save: &Value| save["reasons"][0]["rule"].clone();
        assert_eq!((&saves[0]["step"], rule(&saves[0])), (&json!(1), json!("early_first")));
        assert_eq!((&saves[1]["step"], rule(&saves[1])), (&json!(first), json!("adaptive")));
        let mut adaptive = saves.iter().filter(|save| rule(save) == "adaptive");
        assert_eq!(adaptive.clone().count(), periodic);
        assert_eq!(adaptive.next_back().unwrap()["step"], last);
        assert_eq!(rule(&saves[saves.len() - 1]), "phase_end");
        // Eight periodic ones and the end; nobody knows the metrics yet.
        assert_eq!((answer["kept"].as_array().unwrap().len(), &answer["kept_more_max"]), (9, &json!(5)));
        assert_eq!(answer["peak"], 18);
        assert_eq!(answer.get("bytes_before"), None);
    }
    simulate(&scene, "--phase phase1")
        .ok()
        .says("33 saves: 31 by the schedule, 1 early first, 1 at the end")
        .says("an early first save after 1 proves that the run can be written")
        .says("minimum pause after a save: off")
        .says("max_age: off")
        .says("top win_rate (max): off");
}

#[test]
fn disk_is_counted_before_after_and_meanwhile_for_every_run() {
    let scene = Scene::new();
    let answer = simulate(&scene, "--phase phase1 --bytes-per-save 50MB --runs 8 --json").ok().json();
    let count = |key: &str| answer[key].as_u64().unwrap() / 400_000_000;
    assert_eq!((count("bytes_before"), count("bytes_after"), count("bytes_peak")), (33, 9, 18));
    simulate(&scene, "--phase phase1 --bytes-per-save 50MB --runs 8")
        .ok()
        .says("disk of 8 runs at 50.0 MB a checkpoint: 13.2 GB if nothing were deleted, 3.6 GB in the end");
    simulate(&scene, "--phase phase1").ok().says("--bytes-per-save says how large a checkpoint is");
}

#[test]
fn a_target_and_a_batch_change_the_course() {
    let scene = Scene::new();
    // The interval grows towards the target that is given: as if the file said it.
    let answer = simulate(&scene, "--phase phase1 --target 200000 --json").ok().json();
    config(&scene, "    {base_interval: 25000, max_interval_multiplier: 5, target_timesteps: 200000}\n");
    let stated = scene.run("simulate --config c.yaml --phase a --json").ok().json();
    assert_eq!(steps(&answer), steps(&stated));
    assert_eq!(answer["target"], 200_000);
    let batched = simulate(&scene, "--phase phase1 --batch 80 --json").ok().json();
    assert_eq!(&steps(&batched)[..2], [80, 26_320]);
    assert!(steps(&batched).iter().all(|step| step % 80 == 0));
}

#[test]
fn what_is_off_is_shown_as_off_and_makes_nothing() {
    let scene = Scene::new();
    config(
        &scene,
        "    {every: 0, early_first_save: 0, events: {triggers: [periodic]}, retention: {enabled: false}}\n",
    );
    let ran = scene.run("simulate --config c.yaml --phase a --target 100").ok();
    for line in
        ["every N steps: off", "early first save: off", "keep_last: off", "no saves: nothing makes one due"]
    {
        assert!(ran.stdout.contains(line), "no {line:?} in {}", ran.stdout);
    }
    let answer = scene.run("simulate --config c.yaml --phase a --target 100 --json").ok().json();
    assert_eq!((&answer["saves"], &answer["kept"]), (&json!([]), &json!([])));
}

#[test]
fn a_limit_on_bytes_takes_the_oldest() {
    let scene = Scene::new();
    config(&scene, "    {every: 10, early_first_save: 0, retention: {keep_last_n: 8, max_bytes: 3KiB}}\n");
    let answer =
        scene.run("simulate --config c.yaml --phase a --target 100 --bytes-per-save 1KiB --json").ok().json();
    assert_eq!((&answer["kept"], &answer["bytes_after"]), (&json!([9, 10, 11]), &json!(3_072)));
}

#[test]
fn what_goes_by_time_is_named_and_left_out() {
    let scene = Scene::new();
    config(
        &scene,
        "    {every: 50, every_seconds: 60, overhead_budget: 0.01, minimum_pause_seconds: 5, early_first_save: 0}\n",
    );
    let answer = scene.run("simulate --config c.yaml --phase a --target 200 --json").ok().json();
    assert_eq!(
        steps(&answer),
        [50, 100, 150, 200, 200],
        "without time neither budget nor pause says anything"
    );
    assert!(answer["left_out"][0].as_str().unwrap().contains("a simulated step takes none"), "{answer}");
    assert!(
        answer["schedule"].to_string().contains("every 60 s"),
        "what the file says is shown all the same"
    );
}

#[test]
fn the_environment_overrides_the_file() {
    let scene = Scene::new();
    config(&scene, "    {every: 50, early_first_save: 0, target_timesteps: 100}\n");
    let mut command = scene.command("simulate --config c.yaml --phase a --json".split(' '));
    command.env("CKPT_CONFIG__A__EVERY", "25");
    assert_eq!(steps(&Ran::of(command.output().unwrap()).ok().json()), [25, 50, 75, 100, 100]);
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let scene = Scene::new();
    let error = simulate(&scene, "--phase phase4 --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("phase1"), "{error}");
    scene.run("simulate --config none.yaml --phase a --json").error(4, "not_found");
    config(&scene, "    {every: 50}\n");
    let error = scene.run("simulate --config c.yaml --phase a --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("--target"), "{error}");
    let error =
        scene.run("simulate --config c.yaml --phase a --target 9000000000000 --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("--batch"), "{error}");
    config(&scene, "    {every: 1}\n");
    let error = scene.run("simulate --config c.yaml --phase a --target 2000000 --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("more than 1000000 saves"), "{error}");
    config(&scene, "    {evry: 50}\n");
    let error = scene.run("simulate --config c.yaml --phase a --json").error(1, "config");
    assert!(error["message"].as_str().unwrap().contains("c.yaml:3"), "{error}");
}
