//! Locks, what dead writers leave, processes that ended without a word.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};

use ckpt::{Json, Session, SessionOptions, Timestamp};

use crate::scene::{Scene, wait_until};

use super::{doctor, session};

/// Where the child's run is. Without it the child's test returns at once.
const CHILD: &str = "CKPT_TEST_DOCTOR_RUN";

fn signal(child: &Child, signal: &str) {
    let told = Command::new("kill").arg(signal).arg(child.id().to_string()).status();
    assert!(told.unwrap().success());
}

#[test]
fn a_writer_is_named_and_so_is_one_that_was_stopped() {
    let scene = Scene::with_checkpoints(1);
    doctor(&scene, "train/ppo").says("locks", "nobody writes it");
    let mut child = scene.waiting_save();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[]).says("locks", &format!("process {} on ", child.id())).says("locks", "writes it:");
    told.says("stale_staging", "a process is writing now");
    signal(&child, "-STOP");
    wait_until("it was not stopped", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        stat.rsplit(") ").next().unwrap().starts_with('T')
    });
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("locks", "problem")]).says("locks", "was stopped: it keeps the lock and does nothing");
    told.advises("locks", &format!("kill -CONT {}", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_a_killed_writer_left_is_named_until_the_next_one_comes() {
    let scene = Scene::with_checkpoints(1);
    let mut child = scene.waiting_save();
    child.kill().unwrap();
    child.wait().unwrap();
    let left = scene.names("train/ppo/.staging");
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("stale_staging", "warning")]).says("stale_staging", "1 unfinished file");
    told.says("stale_staging", &left[0])
        .advises("stale_staging", &format!("rm -- train/ppo/.staging/{}", left[0]));
    told.says("locks", "its lock ended with it");
    scene.run("save train/ppo --step 200 w=w.bin s:json=s.json").ok();
    doctor(&scene, "train/ppo").finds(&[]);
}

#[test]
fn a_stranger_among_the_unfinished_is_left_alone() {
    let scene = Scene::with_checkpoints(1);
    scene.write("train/ppo/.staging/notes.txt", "mine");
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("stale_staging", "warning")]).says("stale_staging", ".staging/notes.txt");
    assert!(!told.check("stale_staging")["advice"].to_string().contains("rm"), "{}", told.answer);
}

#[test]
fn a_lock_of_another_machine_cannot_be_seen_from_here() {
    let scene = Scene::with_checkpoints(1);
    let note = r#"{"host":"elsewhere","pid":77,"since":"2026-01-02T03:04:05.000Z","epoch":0}"#;
    scene.write("train/ppo/.lock", note);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("locks", "warning")]).says("locks", "process 77 on elsewhere");
    told.says("locks", "can't be seen from this machine");
}

#[test]
fn a_change_that_takes_long_is_told() {
    let scene = Scene::with_checkpoints(1);
    let note = format!(
        r#"{{"host":"{}","pid":{},"since":"2026-01-02T03:04:05.000Z","epoch":0,"purpose":"delete"}}"#,
        fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim(),
        std::process::id()
    );
    scene.write("train/ppo/.mutate", note);
    let held = File::open(scene.path("train/ppo/.mutate")).unwrap();
    held.lock().unwrap();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("locks", "warning")]).says("locks", "in the middle of a change for");
    told.says("locks", &format!("process {}", std::process::id()));
    // Dropped it would be held for a moment more by each process that another test is just starting.
    held.unlock().unwrap();
    doctor(&scene, "train/ppo").finds(&[]);
}

#[test]
fn an_attempt_that_began_is_named() {
    let scene = Scene::with_checkpoints(1);
    scene.run("save train/ppo --epoch 5 --step 200 w=w.bin s:json=s.json").ok();
    doctor(&scene, "train/ppo").finds(&[]).says("locks", "attempt 5 began last");
}

#[test]
fn a_session_that_died_without_a_word_lost_what_it_did_since() {
    let scene = Scene::new();
    session(&scene, "train/ppo", SessionOptions::default().save_every(10), 20);
    doctor(&scene, "train/ppo").finds(&[]).says("lost_work", "the last session said that it ended");
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["doctor::writers::child_dies_in_a_session", "--exact", "--test-threads=1"])
        .env(CHILD, scene.path("train/ppo"))
        .output()
        .unwrap();
    assert_eq!(child.status.signal(), Some(6), "{child:?}");
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("lost_work", "warning")]).says("lost_work", "ended without a word");
    told.says("lost_work", "what it did after checkpoint 4 (step 30) is lost");
    told.advises("lost_work", "ckpt simulate");
}

/// Each time that it is read the clock is an hour behind. A checkpoint looked older than the session that made it, and as if nothing
/// had been saved.
#[test]
fn a_clock_that_was_put_back_hides_no_save() {
    static READS: AtomicU64 = AtomicU64::new(0);
    let clock = || {
        let hours = READS.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_millis(1_763_210_096_789 - 3_600_000 * i64::try_from(hours).unwrap())
    };
    let scene = Scene::new();
    let mut options = SessionOptions { path: Some(scene.path("train/ppo")), ..SessionOptions::default() };
    options.run.clock = clock;
    let mut session = Session::open(scene.path(""), "train", "ppo", options.save_every(10)).unwrap();
    for step in 1..=12 {
        session.step(step, &[], || Json(step)).unwrap();
    }
    drop(session);
    let told = doctor(&scene, "train/ppo");
    told.says("lost_work", "ended without a word");
    told.says("lost_work", "what it did after checkpoint 1 (step 10) is lost");
}

/// It said that it ended, and its last steps are nowhere.
#[test]
fn a_session_that_did_not_save_its_end_lost_what_it_did_since() {
    let scene = Scene::new();
    let mut options = SessionOptions::default().save_every(10);
    options.events.remove(&ckpt::EventClass::PhaseEnd);
    session(&scene, "train/ppo", options.clone(), 25);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("lost_work", "warning")]).says("lost_work", "that it ended (completed) and did not save");
    told.says("lost_work", "phase_end is turned off; what it did after checkpoint 2 (step 20) is lost");
    told.advises("lost_work", "events.triggers");
    let text = scene.run("log train/ppo").ok().stdout;
    let words = "finished: completed, and its final state was not saved: phase_end is turned off\n";
    assert!(text.ends_with(words), "{text}");
    scene.write("w.bin", "x");
    scene.run("save train/ppo --step 25 w=w.bin").ok();
    doctor(&scene, "train/ppo").says("lost_work", "the last session said that it ended");

    let scene = Scene::new();
    session(&scene, "train/ppo", options, 20);
    doctor(&scene, "train/ppo").finds(&[]);
}

/// The child: a session that is cut off in its middle.
#[test]
fn child_dies_in_a_session() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let options =
        SessionOptions { path: Some(path.into()), go_on_after_completion: true, ..SessionOptions::default() };
    let mut session = Session::open(".", "train", "ppo", options.save_every(10)).unwrap();
    let (Json(begun), _) = session.resume_or_else(|| Json(0_u64)).unwrap();
    for step in begun + 1..=begun + 15 {
        session.step(step, &[], || Json(step)).unwrap();
    }
    std::process::abort();
}
