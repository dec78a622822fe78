//! Every system call of every change fails, each time it is made, with every error it can give: for real, under `strace`.
//! What it leaves is held against the same promises each time.
//!
//! Has no harness: the child is this very program, and should call nothing but what the store does.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use self::check::{Prepared, RUN, check};
use self::dice::Dice;
use self::scenario::{SCENARIO, Scenario};
use self::trace::{Calls, DIRECTORY, Shot};

#[path = "syscalls/check.rs"]
mod check;
#[path = "rig/content.rs"]
mod content;
#[path = "rig/dice.rs"]
mod dice;
#[path = "syscalls/faults.rs"]
mod faults;
#[path = "rig/ledger.rs"]
mod ledger;
#[path = "rig/promises.rs"]
mod promises;
#[path = "syscalls/scenario.rs"]
mod scenario;
#[path = "rig/size.rs"]
mod size;
#[path = "syscalls/trace.rs"]
mod trace;

/// Calls that are made to fail when nobody asks for another number; `cargo xtask faults` takes all there are.
const SHOTS: u64 = 800;
/// Children at a time.
const LANES: usize = 2;

/// What once found something is always among them:
/// - where a file is renamed by a second name and no name could be removed any more, the save ended with an error although the
///   checkpoint had its name.
const REMEMBERED: [Shot; 1] = [Shot {
    scenario: Scenario::SaveByLink,
    syscall: "unlinkat",
    errno: "EACCES",
    when: 1,
    from_there_on: true,
}];

fn main() {
    match std::env::var_os(DIRECTORY) {
        Some(directory) => play(Path::new(&directory)),
        None if std::env::args().any(|argument| argument == "--list") => {}
        None => every_system_call_may_fail(),
    }
}

/// The child.
fn play(directory: &Path) -> ! {
    let wanted = std::env::var_os(SCENARIO).unwrap();
    let scenario = Scenario::ALL.into_iter().find(|scenario| wanted == *format!("{scenario:?}")).unwrap();
    std::process::exit(trace::status_of(&scenario.play(directory)))
}

/// Scenarios with the run they are played on.
type Stage = Vec<(Scenario, Prepared)>;

/// What came of all shots.
#[derive(Debug, Default)]
struct Score {
    shots: usize,
    fired: usize,
    pairs: BTreeSet<(&'static str, &'static str)>,
    /// How the plays ended in which something failed.
    outcomes: BTreeMap<&'static str, usize>,
    failures: Vec<String>,
}

fn every_system_call_may_fail() {
    let started = Instant::now();
    // Beside the build and not among temporary files: these may be in memory, where direct writes mean nothing.
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut stage = Stage::new();
    let mut shots = Vec::new();
    for scenario in Scenario::ALL {
        let prepared = Prepared::new(scenario, root.path().join(format!("{scenario:?}")));
        let directory = root.path().join(format!("{scenario:?}-counted"));
        std::fs::create_dir(&directory).unwrap();
        let run = run_in(&directory);
        prepared.copy_to(&run);
        shots.extend(shots_of(scenario, &trace::count(scenario, &run, &directory)));
        stage.push((scenario, prepared));
    }
    let all = shots.len();
    for shot in REMEMBERED {
        assert!(shots.contains(&shot), "{shot:?} is not called any more: find its new place");
    }
    let mut shots = spread(shots);
    shots.extend(REMEMBERED.iter().filter(|shot| !shots.contains(shot)).collect::<Vec<_>>());
    let score = shoot_all(&stage, shots, root.path());
    let _ = writeln!(
        std::io::stderr(),
        "system calls: {} of {all} made to fail, {} did, {} different (call, error), {:.0} s: {:?}",
        score.shots,
        score.fired,
        score.pairs.len(),
        started.elapsed().as_secs_f64(),
        score.outcomes
    );
    assert!(score.failures.is_empty(), "{} failed:\n{}", score.failures.len(), score.failures.join("\n"));
    assert!(score.fired * 100 >= score.shots * 95, "too few calls failed: the count is not what is called");
}

/// Every call of a scenario, with every error it can give: once, and from there on if the error is one that lasts.
fn shots_of(scenario: Scenario, calls: &Calls) -> Vec<Shot> {
    let mut shots = Vec::new();
    for (syscall, places) in calls {
        let Some((syscall, errors)) = faults::errors_of(syscall) else { continue };
        // A call that fails each time anyway is not made to fail otherwise.
        if scenario.always().is_some_and(|always| always.starts_with(&format!("{syscall}:"))) {
            continue;
        }
        for errno in errors {
            let ways: &[bool] = if faults::lasts(errno) { &[false, true] } else { &[false] };
            for (when, from_there_on) in
                places.iter().flat_map(|when| ways.iter().map(move |way| (*when, *way)))
            {
                shots.push(Shot { scenario, syscall, errno, when, from_there_on });
            }
        }
    }
    shots
}

/// As many as are wanted, spread evenly; where the first is, is chance.
fn spread(shots: Vec<Shot>) -> Vec<Shot> {
    let wanted = size::size(SHOTS).clamp(1, shots.len() as u64);
    let offset = Dice::printed("system calls").up_to(shots.len() as u64 / wanted - 1);
    let chosen =
        (0..wanted).map(|index| (index as u128 * shots.len() as u128 / wanted as u128) as u64 + offset);
    chosen.map(|index| shots[usize::try_from(index).unwrap() % shots.len()]).collect()
}

fn shoot_all(stage: &Stage, shots: Vec<Shot>, root: &Path) -> Score {
    let score = Mutex::new(Score { shots: shots.len(), ..Score::default() });
    let shots = Mutex::new(shots.into_iter().enumerate());
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    let next = shots.lock().unwrap().next();
                    let Some((number, shot)) = next else { return };
                    shoot(stage, &shot, &root.join(number.to_string()), &score);
                }
            });
        }
    });
    score.into_inner().unwrap()
}

/// Plays one, checks what it left, and clears it away.
fn shoot(stage: &Stage, shot: &Shot, directory: &Path, score: &Mutex<Score>) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let (_, prepared) = stage.iter().find(|(scenario, _)| *scenario == shot.scenario).unwrap();
        std::fs::create_dir(directory).unwrap();
        let run = run_in(directory);
        prepared.copy_to(&run);
        let traced = trace::fire(shot, &run, directory);
        check(prepared, shot, &traced, directory);
        std::fs::remove_dir_all(directory).unwrap();
        traced
    }));
    let mut score = score.lock().unwrap();
    match outcome {
        Ok(traced) if traced.fired > 0 => {
            score.fired += 1;
            score.pairs.insert((shot.syscall, shot.errno));
            *score.outcomes.entry(traced.error.unwrap_or("success")).or_default() += 1;
        }
        Ok(_) => {}
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
            score.failures.push(format!("{shot:?}: {text}"));
        }
    }
}

/// Where the run lies in a directory of a play.
fn run_in(directory: &Path) -> std::path::PathBuf {
    directory.join(RUN)
}
