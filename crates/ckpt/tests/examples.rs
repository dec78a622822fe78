//! The examples, killed and run again: in the end each has what it has without interruption, bit for bit.
//!
//! They run as processes of their own, are struck by SIGKILL at random moments and once by SIGTERM, and go on by the same call.
//! `CKPT_TEST_SEED` draws the same moments again. `crash_and_resume` does the same to itself.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]
#![expect(
    clippy::duplicate_mod,
    reason = "each example has what it shares with others in a module of its own"
)]

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use ckpt::{Digest, Event, Run, Selector, Status};
use rustix::process::{Pid, Signal, kill_process};

use self::dice::Dice;

// Their `main` reads the command line, which is the test harness's here.
#[expect(dead_code, reason = "only what its main calls is called")]
#[path = "../examples/backtest.rs"]
mod backtest;
#[path = "../../ckpt-store/tests/rig/dice.rs"]
mod dice;
#[expect(dead_code, reason = "only what its main calls is called")]
#[path = "../examples/download/main.rs"]
mod download;
#[expect(dead_code, reason = "only what its main calls is called")]
#[path = "../examples/paper_trading.rs"]
mod paper_trading;
#[expect(dead_code, reason = "only what its main calls is called")]
#[path = "../examples/rl_episodes.rs"]
mod rl_episodes;
#[expect(dead_code, reason = "only what its main calls is called")]
#[path = "../examples/trials.rs"]
mod trials;

/// Where a child finds its run. Without it a child's test returns at once.
const ROOT: &str = "CKPT_TEST_EXAMPLE";

#[test]
fn trials_find_what_they_would_have_found() {
    strike("child_trials", "training/trials", 6);
}

#[test]
fn an_agent_learns_what_it_would_have_learned() {
    strike("child_rl_episodes", "training/frozen_lake", 2);
}

#[test]
fn no_trade_is_lost_or_made_twice() {
    strike("child_paper_trading", "trading/paper_trading", 15);
}

#[test]
fn a_backtest_has_the_same_result_with_indicators_recomputed() {
    strike("child_backtest", "backtests/averages", 2);
}

#[test]
fn a_download_goes_on_in_the_middle_of_a_file() {
    let lines = strike("child_download", "downloads/mirror", 3);
    let continued = |line: &String| line.starts_with("file-") && !line.ends_with(" from byte 0");
    assert!(lines.iter().any(continued), "every request began at byte 0: {lines:#?}");
    // A kill takes nothing that was written, and a stop says how much that was.
    assert!(!lines.iter().any(|line| line.ends_with("it begins anew")), "{lines:#?}");
}

/// Nobody waits for the disk while a file arrives, so a power loss may take some of it that a checkpoint speaks of.
#[test]
fn a_part_that_the_disk_lost_is_downloaded_again() {
    let root = tempfile::tempdir().unwrap();
    let run = root.path().join("downloads/mirror");
    let (file, bytes) = loop {
        let mut life = Life::start("child_download", root.path());
        while !life.line().expect("it came to its end before it was struck").starts_with("saved") {}
        life.signal(Signal::KILL);
        life.end();
        let reader = Run::open_read_only(&run).unwrap();
        let state = reader.load_with(&Selector::Latest, |checkpoint| checkpoint.read_json("state"));
        let (state, _): (serde_json::Value, _) = state.unwrap().value;
        let bytes = state["part_bytes"].as_u64().unwrap();
        if bytes > 0 {
            let number = state["done"].as_array().unwrap().len();
            break (root.path().join(format!("files/file-{number}")), bytes);
        }
    };
    OpenOptions::new().write(true).open(&file).unwrap().set_len(bytes - 1).unwrap();
    let mut life = Life::start("child_download", root.path());
    life.end();
    assert!(life.said.iter().any(|line| line.ends_with("it begins anew")), "{:#?}", life.said);
    let (result, _) = to_the_end(life, &run);
    assert_eq!(result, "result: the digests of 12 of 12 files are those of the server");
}

#[test]
fn child_trials() {
    in_child(|root| trials::run(root, 2_000));
}

#[test]
fn child_rl_episodes() {
    in_child(|root| rl_episodes::run(root, 600_000));
}

#[test]
fn child_paper_trading() {
    in_child(|root| paper_trading::run(root, 1_200));
}

#[test]
fn child_backtest() {
    in_child(|root| backtest::run(root, 2_800));
}

#[test]
fn child_download() {
    in_child(|root| download::run(root, 12));
}

fn in_child(run: impl FnOnce(&Path) -> Result<(), Box<dyn Error>>) {
    if let Some(root) = std::env::var_os(ROOT) {
        run(&PathBuf::from(root)).unwrap();
    }
}

/// Runs a child to its end, and another one that is struck four times, each after up to so many saves of its life. Their ends must
/// be equal. Returns what the struck one said.
fn strike(child: &str, run: &str, saves_most: u64) -> Vec<String> {
    let mut dice = Dice::printed(child);
    let root = tempfile::tempdir().unwrap();
    let (calm, struck) = (root.path().join("calm"), root.path().join("struck"));
    let undisturbed = to_the_end(Life::start(child, &calm), &calm.join(run));

    let mut said = Vec::new();
    let mut acknowledged = 0;
    for signal in [Signal::KILL, Signal::KILL, Signal::TERM, Signal::KILL] {
        let mut life = Life::start(child, &struck);
        let mut saves = 1 + dice.up_to(saves_most - 1);
        while saves > 0 {
            let line = life.line().expect("it came to its end before it was struck");
            saves -= u64::from(line.starts_with("saved") || line.starts_with("queued"));
        }
        thread::sleep(Duration::from_micros(dice.up_to(5_000)));
        life.signal(signal);
        let status = life.end();
        life.goes_on_from_at_least(acknowledged);
        acknowledged = life.acknowledged().max(acknowledged);
        if signal == Signal::KILL {
            assert_eq!(status.signal(), Some(signal.as_raw()), "{:#?}", life.said);
        } else {
            assert!(status.success() && life.said.iter().any(|line| line.starts_with("interrupted: ")));
            let stopped = Run::open_read_only(struck.join(run)).unwrap().find(&Selector::Latest).unwrap();
            assert_eq!(stopped.metadata().unwrap().event_list(), [Event::Shutdown]);
            assert_eq!(stopped.status(), Some(Status::Interrupted));
            acknowledged = stopped.sequence;
        }
        said.append(&mut life.said);
    }
    let mut life = Life::start(child, &struck);
    life.end();
    life.goes_on_from_at_least(acknowledged);
    assert_eq!(to_the_end(life, &struck.join(run)), undisturbed, "{child}: {said:#?}");
    said
}

/// What a run ends with: its result as it says it, and the identity of its last state.
fn to_the_end(mut life: Life, run: &Path) -> (String, Digest) {
    let status = life.end();
    assert!(status.success(), "{:#?}", life.said);
    let result = life.said.iter().find(|line| line.starts_with("result: ")).unwrap().clone();
    let run = Run::open_read_only(run).unwrap();
    let last = run.load_with(&Selector::Latest, |checkpoint| Ok(checkpoint.content_digest())).unwrap();
    assert_eq!(last.entry.status(), Some(Status::Completed));
    (result, last.value)
}

/// One life of a child; dropping it kills it.
struct Life {
    process: std::process::Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Vec<String>,
}

impl Life {
    fn start(child: &str, root: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([child, "--exact", "--nocapture", "--test-threads=1"])
            .env(ROOT, root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines, said: Vec::new() }
    }

    /// The next line; nothing once it has ended.
    fn line(&mut self) -> Option<&String> {
        let line = self.lines.next()?.unwrap();
        // The harness writes this in front of the first one.
        let line = line.split_once(" ... ").map_or(line.as_str(), |(_, line)| line);
        self.said.push(line.to_owned());
        self.said.last()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    fn end(&mut self) -> ExitStatus {
        while self.line().is_some() {}
        self.process.wait().unwrap()
    }

    /// The number of the last checkpoint that it called durable.
    fn acknowledged(&self) -> u64 {
        let saved = |line: &String| line.strip_prefix("saved as sequence ")?.split(':').next()?.parse().ok();
        self.said.iter().rev().find_map(saved).unwrap_or(0)
    }

    fn goes_on_from_at_least(&self, sequence: u64) {
        let resumed =
            |line: &String| line.strip_prefix("resumed from ")?.split('_').next()?.parse::<u64>().ok();
        let from = self.said.iter().find_map(resumed).unwrap_or(0);
        assert!(from >= sequence, "{sequence} was acknowledged, it went on from {from}: {:#?}", self.said);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // Both fail harmlessly when it has ended, which is the rule.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
