//! `ckpt bench`: what it says, and that nothing of it stays. How fast a machine is, is no property of the program.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::scene::{Ran, Scene};

#[test]
fn every_line_says_how_long_and_nothing_stays() {
    let scene = Scene::new();
    let said = scene.run("bench --size 1MiB --rounds 2").ok().stdout;
    for line in ["small write", "small save", "buffered write", "save", "read", "load"] {
        assert!(said.lines().any(|said| said.trim_start().starts_with(line)), "no {line:?} in {said}");
    }
    assert_eq!(scene.names(""), [""; 0]);
}

#[test]
fn in_json_each_ratio_is_of_one_of_the_other_results() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("there")).unwrap();
    let answer = scene.run("bench there --size 1MiB --rounds 1 --json").ok().json();
    assert_eq!((&answer["size_bytes"], &answer["rounds"]), (&(1 << 20).into(), &1.into()));
    let results = answer["results"].as_array().unwrap();
    let named = |name: &serde_json::Value| results.iter().find(|result| result["name"] == *name);
    for name in ["small save", "save", "load"] {
        let result = named(&name.into()).unwrap();
        let limit = named(&result["against"]).unwrap();
        // One round, so that the ratio is of these two times.
        let ratio =
            result["seconds"]["median"].as_f64().unwrap() / limit["seconds"]["median"].as_f64().unwrap();
        assert!((result["ratio"]["median"].as_f64().unwrap() - ratio).abs() < 1e-6, "{answer}");
        assert_eq!(result["bytes"], limit["bytes"]);
    }
    assert_eq!(scene.names("there"), [""; 0]);
}

#[test]
fn one_that_is_told_to_stop_removes_what_it_made() {
    let scene = Scene::new();
    let mut command = scene.command(["bench", "--size", "4MiB", "--rounds", "1000"]);
    let child = command.stdin(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while scene.names("").is_empty() {
        assert!(Instant::now() < deadline, "it made nothing");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.signal, Some(2), "{ran:#?}");
    assert_eq!(scene.names(""), [""; 0]);
}

#[test]
fn what_cannot_be_timed_is_an_error() {
    let scene = Scene::new();
    scene.run("bench nowhere --json").error(4, "not_found");
    scene.run("bench --size 1kB --json").error(2, "usage");
    scene.run("bench --rounds 0 --json").error(2, "usage");
}
