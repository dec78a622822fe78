//! What the doctor finds, each thing really caused; and that it only looks.

mod applied;
mod files;
mod look;
mod market;
mod rights;
mod room;
mod writers;

use ckpt::{Json, Run, RunName, RunOptions, Session, SessionOptions};
use serde_json::Value;

use crate::scene::{Ran, Scene};

/// A diagnosis, and how the program ended.
struct Told {
    ran: Ran,
    answer: Value,
}

impl Told {
    fn of(ran: Ran) -> Self {
        let answer = ran.json();
        let problems = answer["problems"].as_u64().unwrap();
        assert_eq!(ran.status, Some(i32::from(problems > 0)), "{ran:#?}");
        Self { ran, answer }
    }

    fn check(&self, id: &str) -> &Value {
        let checks = self.answer["checks"].as_array().unwrap();
        checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no {id} in {}", self.answer))
    }

    /// Those that were asked and are not ok must be these, with these findings.
    #[track_caller]
    fn finds(&self, expected: &[(&str, &str)]) -> &Self {
        let checks = self.answer["checks"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let found: Vec<(String, String)> = checks
            .iter()
            .filter(|check| check["finding"] != "ok" && check["finding"] != "unasked")
            .map(|check| (text(&check["id"]), text(&check["finding"])))
            .collect();
        let found: Vec<(&str, &str)> = found.iter().map(|(id, finding)| (&**id, &**finding)).collect();
        assert_eq!(found, expected, "{:#}", self.answer);
        self
    }

    /// The questions that were not asked.
    fn unasked(&self) -> Vec<&str> {
        let checks = self.answer["checks"].as_array().unwrap();
        let unasked: Vec<&str> = checks
            .iter()
            .filter(|check| check["finding"] == "unasked")
            .map(|check| check["id"].as_str().unwrap())
            .collect();
        assert_eq!(self.answer["unasked"], unasked.len());
        unasked
    }

    /// What was found by this check must have this in it.
    #[track_caller]
    fn says(&self, id: &str, part: &str) -> &Self {
        let found = self.check(id)["found"].to_string();
        assert!(found.contains(part), "no {part:?} in {found}");
        self
    }

    /// One of the commands it advises must have this in it.
    #[track_caller]
    fn advises(&self, id: &str, part: &str) -> &Self {
        let advice = self.check(id)["advice"].to_string();
        assert!(advice.contains(part), "no {part:?} in {advice}");
        self
    }
}

/// The questions that are asked of a market maker's state.
const MARKET: [&str; 6] =
    ["wrong_parameters", "cannot_decode", "not_saving", "cold_start", "kappa_sigma_off", "q_table_wrong"];

fn doctor(scene: &Scene, args: &str) -> Told {
    Told::of(scene.run(&format!("doctor {args} --json")))
}

/// A run of a session that saves at each step and ended.
fn session(scene: &Scene, path: &str, options: SessionOptions, steps: u64) {
    let options = SessionOptions { path: Some(scene.path(path)), ..options };
    let mut session = Session::open(scene.path(""), "train", "ppo", options).unwrap();
    for step in 1..=steps {
        session.step(step, &[("loss", 1.0)], || Json(step)).unwrap();
    }
    session.finish(&Json(steps)).unwrap();
}

/// A run without checkpoints.
fn empty_run(scene: &Scene) {
    let name = |text: &str| text.parse::<RunName>().unwrap();
    let path = scene.path("train/ppo");
    Run::create(path, &name("train"), &name("ppo"), RunOptions::new(ckpt::now)).unwrap();
}

#[test]
fn a_healthy_run_has_nothing_wrong() {
    let scene = Scene::with_checkpoints(2);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[]).says("nothing_saved", "2 checkpoints").says("nothing_saved", "2 at step 200");
    told.says("cannot_resume", "goes on from checkpoint 2").says("damaged_files", "all are good");
    assert_eq!((&told.answer["ok"], &told.answer["run"]), (&10.into(), &"train/ppo".into()));
    assert_eq!(
        told.unasked(),
        ["lost_work", "config_applied"].iter().chain(&MARKET).copied().collect::<Vec<_>>()
    );
    assert!(told.ran.stderr.is_empty(), "{:?}", told.ran);
    let text = scene.run("doctor train/ppo").ok().stdout;
    assert!(text.ends_with("0 problems, 0 warnings in 10 questions; 8 not asked\n"), "{text}");
}

#[test]
fn people_see_the_question_what_was_found_and_what_to_do() {
    let scene = Scene::with_checkpoints(2);
    scene.damage(2);
    let text = scene.run("doctor train/ppo").ends(1).stdout;
    for line in [
        "PROBLEM  Is every byte as it was written?  damaged_files\n",
        "         checkpoint 2 (00000002_",
        "      -> see it again, with section and block: ckpt verify train/ppo\n",
        "1 problem, 1 warning in 10 questions; 8 not asked\n",
        "unasked  Does its Q-table fit the agent?",
    ] {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
}

#[test]
fn where_there_is_no_run_the_nearest_are_named_and_nothing_is_made() {
    let scene = Scene::with_checkpoints(1);
    let told = doctor(&scene, "train/pop");
    told.finds(&[("nothing_saved", "problem")]);
    told.says("nothing_saved", "no directory train/pop").says("nothing_saved", "train/ppo");
    told.says("nothing_saved", "it can be made").advises("nothing_saved", "ckpt list train");
    assert_eq!(scene.names("train"), ["ppo"]);
    // Nothing but that can be asked: it would be no answer that all is well.
    assert_eq!((&told.answer["ok"], &told.answer["problems"]), (&0.into(), &1.into()));
    assert_eq!(told.unasked().len(), 17);
    let text = scene.run("doctor train/pop").ends(1).stdout;
    assert!(text.contains("unasked  Is every byte as it was written?  damaged_files\n"), "{text}");
    assert!(text.ends_with("1 problem, 0 warnings in 1 question; 17 not asked\n"), "{text}");
    scene.write("c.yaml", "checkpointing: {a: {every: 1}}");
    let told = doctor(&scene, "train/pop --config c.yaml");
    assert_eq!(told.unasked().len(), 17);
    told.says("config_applied", "c.yaml can be used; there is no run to compare it with");
}

#[test]
fn a_directory_that_is_no_run_may_be_another_programs() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("old")).unwrap();
    let told = doctor(&scene, "old");
    told.finds(&[("nothing_saved", "problem")]).says("nothing_saved", "it has no run.json");
    told.advises("nothing_saved", "ckpt import NEW-RUN old --dry-run");
    scene.write("old.zip", "x");
    doctor(&scene, "old.zip").says("nothing_saved", "is a file, not the directory of a run");
    let told = doctor(&scene, "old.zip/ppo");
    told.says("nothing_saved", "it can't be made: old.zip is in the way");
}

#[test]
fn a_run_without_checkpoints_is_told_from_one_that_is_being_begun() {
    let scene = Scene::new();
    empty_run(&scene);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("nothing_saved", "problem")]).says("nothing_saved", "holds no checkpoint");
    told.says("nothing_saved", "a writer opened it 1 time").advises("nothing_saved", "early_first_save");
    let mut child = scene.waiting_save();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("nothing_saved", "warning")]).says("nothing_saved", "a process is writing to it now");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn every_question_has_a_name_of_its_own_and_is_asked_once() {
    let scene = Scene::with_checkpoints(1);
    let told = doctor(&scene, "train/ppo");
    let checks = told.answer["checks"].as_array().unwrap();
    let mut ids: Vec<&str> = checks.iter().map(|check| check["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), checks.len());
    for check in checks {
        assert!(check["question"].as_str().unwrap().ends_with('?'), "{check}");
        assert!(!check["found"].as_array().unwrap().is_empty(), "{check}");
    }
}
