//! `ckpt list`, and how answers reach people, pipes and terminals.

use std::io::Read as _;

use serde_json::json;

use crate::scene::{Ran, Scene};

#[test]
fn the_newest_stands_last_and_columns_say_what_there_is() {
    let scene = Scene::with_checkpoints(2);
    let ran = scene.run("list train/ppo").ok();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{ran:?}");
    assert!(
        lines[0].contains("seq") && lines[0].contains("metrics") && !lines[0].contains("state"),
        "{lines:?}"
    );
    assert!(
        lines[2].contains("200") && lines[2].contains("loss=0.5") && lines[2].contains(" s ago"),
        "{lines:?}"
    );
    let rows = scene.run("list train/ppo --json").ok().json();
    assert_eq!((&rows[0]["sequence"], &rows[1]["sequence"]), (&json!(1), &json!(2)));
    assert_eq!((&rows[0]["event"], &rows[0]["events"]), (&json!("manual"), &json!(["manual"])));
}

#[test]
fn a_root_is_a_block_for_each_run() {
    let scene = Scene::with_checkpoints(1);
    scene.run("save train/dqn w=w.bin").ok();
    scene.run("save deep/er/search/tpe w=w.bin").ok();
    let ran = scene.run("list").ok().says("train/ppo").says("train/dqn").says("search/tpe");
    assert_eq!(ran.stdout.matches("manual").count(), 3);
    let runs = scene.run("list . --json").ok().json();
    let names: Vec<_> = runs["runs"].as_array().unwrap().iter().map(|run| run["name"].clone()).collect();
    assert_eq!(names, ["tpe", "dqn", "ppo"]);
    let error = scene.run("show train --json").error(4, "run_not_found");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("train/ppo") && message.contains("train/dqn"), "{message}");
}

#[test]
fn no_runs_is_not_found() {
    let scene = Scene::new();
    scene.run("list . --json").error(4, "run_not_found");
    scene.run("list nowhere --json").error(4, "run_not_found");
    scene.run("verify . --json").error(4, "run_not_found");
    scene.write("w", b"1");
    scene.run("save train/ppo w=w").ok();
    let error = scene.run("list train/pop --json").error(4, "run_not_found");
    assert!(error["message"].as_str().unwrap().contains("train/ppo"), "{error}");
}

#[test]
fn a_run_that_cannot_be_opened_does_not_hide_the_others() {
    let scene = Scene::with_checkpoints(1);
    scene.run("save train/dqn w=w.bin").ok();
    scene.write("train/dqn/run.json", b"{");
    for line in ["list .", "verify ."] {
        scene.run(line).ends(1).says("train/ppo").warns("train/dqn").warns("run.json");
    }
}

#[test]
fn colour_is_for_terminals_and_for_who_forces_it_and_never_with_no_color() {
    let scene = Scene::with_checkpoints(1);
    let escapes = |name: &[(&str, &str)], args: &[&str]| {
        let mut command = scene.command(args);
        command.envs(name.iter().copied());
        let ran = Ran::of(command.output().unwrap());
        ran.stdout.contains('\u{1b}') || ran.stderr.contains('\u{1b}')
    };
    for args in [&["list", "."][..], &["show", "train/ppo"], &["show", "nothing"], &["--help"], &["nonsense"]]
    {
        assert!(!escapes(&[], args), "{args:?} into a pipe");
        assert!(!escapes(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], args), "{args:?} with NO_COLOR");
    }
    assert!(escapes(&[("CLICOLOR_FORCE", "1")], &["list", "."]));
    assert!(!escapes(&[("CLICOLOR_FORCE", "1")], &["list", ".", "--json"]));
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let scene = Scene::with_checkpoints(1);
    scene.write("big.bin", vec![7; 3_000_000]);
    scene.run("save train/ppo big=big.bin").ok();
    for line in ["list train/ppo", "completions bash", "show train/ppo --section big", "log train/ppo --json"]
    {
        let mut child = scene.command(line.split_whitespace()).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{line}");
    }
}
