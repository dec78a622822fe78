//! Whether a configuration is applied, and what it keeps.

use std::fs;

use ckpt::{Config, Metadata, Run, RunOptions, Section, SessionOptions};

use crate::scene::{Ran, Scene};

use super::{Told, doctor, session};

fn config(scene: &Scene, text: &str) {
    scene.write("c.yaml", format!("checkpointing:\n{text}"));
}

fn options(scene: &Scene, phase: &str) -> SessionOptions {
    let config = Config::from_file(scene.path("c.yaml")).unwrap();
    SessionOptions::from_config(&config, phase, None).unwrap()
}

const PLAIN: &str = "  events: {monitored_metrics: []}\n  a: {every: 1, target_timesteps: 3}\n  retention: {keep_last_n: 4}\n";

#[test]
fn a_configuration_that_is_applied_says_since_when() {
    let scene = Scene::new();
    config(&scene, PLAIN);
    session(&scene, "train/ppo", options(&scene, "a"), 3);
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.finds(&[]).says("config_applied", "what c.yaml says to keep in a is in force");
    told.says("config_applied", "when c.yaml says to save in a is in force: every 1 steps; ");
    let told = doctor(&scene, "train/ppo");
    told.finds(&[]).says("config_applied", "came into force 0 s ago: keep_last: 4; preserve: manual, ");
    told.says("config_applied", "periodic saves go by this schedule: every 1 steps; ");
}

#[test]
fn a_schedule_that_differs_from_the_file_is_named_key_by_key() {
    let scene = Scene::new();
    config(&scene, PLAIN);
    session(&scene, "train/ppo", options(&scene, "a"), 3);
    config(&scene, &PLAIN.replace("every: 1,", "every: 5, base_interval: 100, minimum_pause_seconds: 30,"));
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.finds(&[("config_applied", "problem")]);
    told.says("config_applied", "what c.yaml says to keep in a is in force");
    told.says("config_applied", "when c.yaml says to save in a is not in force; what is: every 1 steps; ");
    told.says("config_applied", "every: 1 is in force, 5 is stated in a");
    told.says("config_applied", "base_interval: off is in force, 100 is stated in a");
    told.says("config_applied", "minimum_pause_seconds: 0 is in force, 30 is stated in a");
    told.says("config_applied", "the file was changed after that").advises("config_applied", "start it anew");
}

/// Two phases that keep the same are told apart by when they save.
#[test]
fn a_run_without_a_phase_is_of_the_one_that_saves_as_it_does() {
    let scene = Scene::new();
    config(&scene, &(PLAIN.to_owned() + "  b: {every: 2}\n"));
    let of_b = |scene: &Scene| SessionOptions { phase: None, total: None, ..options(scene, "b") };
    session(&scene, "train/ppo", of_b(&scene), 4);
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.finds(&[]).says("config_applied", "when c.yaml says to save in b is in force");
}

/// Sessions of before did not note it.
#[test]
fn a_log_without_the_schedule_is_no_proof_of_it() {
    let scene = Scene::new();
    config(&scene, PLAIN);
    session(&scene, "train/ppo", options(&scene, "a"), 3);
    let log = scene.path("train/ppo/log.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    let old = text.lines().filter(|line| !line.contains("schedule_in_force"));
    fs::write(&log, old.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.finds(&[("config_applied", "warning")]);
    told.says("config_applied", "what c.yaml says to keep in a is in force");
    told.says("config_applied", "whether sessions save when c.yaml says in a can't be told");
    doctor(&scene, "train/ppo").finds(&[]);
}

/// A pruning at a shell by other rules is for once.
#[test]
fn a_pruning_does_not_take_the_place_of_what_the_sessions_go_by() {
    let scene = Scene::new();
    config(&scene, PLAIN);
    session(&scene, "train/ppo", options(&scene, "a"), 3);
    scene.run("prune train/ppo --keep-last 1 --yes").ok().says("deleted 2 checkpoints");
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.finds(&[]).says("config_applied", "what c.yaml says to keep in a is in force");
}

#[test]
fn a_run_that_no_session_wrote_goes_by_no_configuration() {
    let scene = Scene::with_checkpoints(1);
    config(&scene, PLAIN);
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.finds(&[("config_applied", "problem")]).says("config_applied", "never: the log has no policy");
    told.advises("config_applied", "from_config");
}

#[test]
fn what_differs_from_the_file_is_named_with_both_values() {
    let scene = Scene::new();
    config(&scene, PLAIN);
    session(&scene, "train/ppo", options(&scene, "a"), 3);
    config(&scene, &PLAIN.replace("keep_last_n: 4", "keep_last_n: 7, prune_frequency: 3"));
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.finds(&[("config_applied", "problem")]);
    told.says("config_applied", "keep_last: 4 is in force, 7 is stated in a");
    told.says("config_applied", "prune_frequency: 10 is in force, 3 is stated");
    told.says("config_applied", "the file was changed after that").advises("config_applied", "start it anew");
}

#[test]
fn what_the_log_does_not_tell_is_compared_with_the_newest_checkpoint() {
    let scene = Scene::new();
    config(&scene, PLAIN);
    session(&scene, "train/ppo", options(&scene, "a"), 3);
    config(&scene, &(PLAIN.replace("timesteps: 3", "timesteps: 9") + "  paths: {a: elsewhere}\n"));
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.finds(&[("config_applied", "warning")]);
    told.says("config_applied", "target_timesteps: the newest checkpoint goes to 3, 9 is stated");
    told.says("config_applied", "the file puts the run in a at elsewhere");
}

#[test]
fn a_configuration_without_the_runs_phase_is_another_ones() {
    let scene = Scene::new();
    config(&scene, PLAIN);
    session(&scene, "train/ppo", options(&scene, "a"), 3);
    config(&scene, &PLAIN.replace("  a:", "  b:"));
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.finds(&[("config_applied", "problem")])
        .says("config_applied", "of phase a, which c.yaml does not have");
}

#[test]
fn a_configuration_that_cannot_be_used_is_a_finding() {
    let scene = Scene::with_checkpoints(1);
    config(&scene, "  a: {evry: 1}\n");
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.finds(&[("config_applied", "problem")]).says("config_applied", "c.yaml:2");
    doctor(&scene, "train/ppo --config none.yaml").finds(&[("config_applied", "problem")]);
}

/// That no session was seen in it is no sign that there was none.
#[test]
fn a_log_that_cannot_be_read_proves_nothing() {
    let scene = Scene::new();
    config(&scene, PLAIN);
    session(&scene, "train/ppo", options(&scene, "a"), 3);
    let log = fs::File::options().write(true).open(scene.path("train/ppo/log.jsonl")).unwrap();
    log.set_len(257 << 20).unwrap();
    for args in ["train/ppo --config c.yaml", "train/ppo"] {
        let told = doctor(&scene, args);
        told.finds(&[("damaged_files", "warning")]).says("damaged_files", "the log can't be read");
        told.says("config_applied", "the log can't be read, so nobody knows what was applied");
        assert!(told.unasked().contains(&"config_applied") && told.unasked().contains(&"lost_work"));
    }
}

#[test]
fn variables_that_have_a_say_are_named() {
    let scene = Scene::new();
    config(&scene, PLAIN);
    session(&scene, "train/ppo", options(&scene, "a"), 3);
    let mut command = scene.command("doctor train/ppo --config c.yaml --json".split(' '));
    command.env("CKPT_CONFIG__RETENTION__KEEP_LAST_N", "9");
    let told = Told::of(Ran::of(command.output().unwrap()));
    told.finds(&[("config_applied", "problem")]);
    told.says("config_applied", "keep_last: 4 is in force, 9 is stated");
    told.says("config_applied", "variables of this shell have a say: CKPT_CONFIG__RETENTION__KEEP_LAST_N");
}

#[test]
fn a_plan_that_waits_to_be_confirmed_is_told() {
    let scene = Scene::new();
    config(&scene, PLAIN);
    session(&scene, "train/ppo", SessionOptions { total: None, ..options(&scene, "a") }, 9);
    let options = SessionOptions {
        go_on_after_completion: true,
        ..SessionOptions::default().save_every(1).keep_last(1)
    };
    session(&scene, "train/ppo", options, 4);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("too_many", "warning")]).says("too_many", "waits to be confirmed");
    told.advises("too_many", "ckpt prune train/ppo --config FILE --phase PHASE --yes");
    // Confirmed at the shell, by the same rules.
    config(&scene, &PLAIN.replace("keep_last_n: 4", "keep_last_n: 1"));
    scene.run("prune train/ppo --config c.yaml --phase a --yes").ok();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[]).says("too_many", "by the policy in force 0 would go now");
}

#[test]
fn retention_that_is_off_or_behind_is_told() {
    let scene = Scene::new();
    config(&scene, &PLAIN.replace("keep_last_n: 4", "enabled: false"));
    session(&scene, "train/ppo", SessionOptions { total: Some(15), ..options(&scene, "a") }, 15);
    let config_of = |retention: &str| {
        config(&scene, &PLAIN.replace("timesteps: 3", "timesteps: 15").replace("keep_last_n: 4", retention));
        doctor(&scene, "train/ppo --config c.yaml")
    };
    config_of("enabled: false").finds(&[("too_many", "warning")]).says("too_many", "nothing is ever deleted");
    let told = config_of("keep_last_n: 2");
    told.finds(&[("too_many", "warning"), ("config_applied", "problem")]);
    told.says("too_many", "13 would go now").advises("too_many", "--phase a --dry-run");
    config_of("keep_last_n: 12").finds(&[("config_applied", "problem")]).says("too_many", "3 would go now");
}

#[test]
fn many_checkpoints_without_any_policy_deserve_a_look() {
    let scene = Scene::with_checkpoints(1);
    let run = Run::open(scene.path("train/ppo"), RunOptions::new(ckpt::now)).unwrap();
    for step in 2..=101 {
        let metadata =
            Metadata::default().because(ckpt::Event::Manual, "by hand").at(ckpt::Position::at(step * 100));
        run.save(metadata, vec![Section::raw("w", &[1]), Section::json("s", &step).unwrap()]).unwrap();
    }
    drop(run);
    fs::remove_file(scene.checkpoint(5)).unwrap();
    doctor(&scene, "train/ppo").finds(&[]);
    scene.run("save train/ppo --step 20000 w=w.bin s:json=s.json").ok();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("too_many", "warning")]).says("too_many", "101 checkpoints");
    told.advises("too_many", "ckpt prune train/ppo --keep-last 8 --dry-run");
    scene.run("prune train/ppo --keep-last 8 --dry-run").ok();
}
