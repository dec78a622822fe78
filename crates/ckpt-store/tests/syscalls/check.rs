//! What holds whatever failed: one check for every scenario.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ckpt_format::Entry;
use ckpt_store::storage::{Local, Storage};
use ckpt_store::{Epoch, LogLine, Run};

use crate::faults::may_be_called;
use crate::ledger::Ledger;
use crate::promises::{Subject, examine};
use crate::scenario::{self, PINNED, Scenario, TO_DELETE, TO_PIN, check as check_content, step_of};
use crate::trace::{Shot, Traced};

/// The run in the directory of a play.
pub(crate) const RUN: &str = "run";
/// The step of the checkpoint that is saved afterwards.
const STEP_AFTER: u64 = 2_000;

/// A prepared run, of which each play gets a copy.
#[derive(Debug)]
pub(crate) struct Prepared {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Prepared {
    pub(crate) fn new(scenario: Scenario, path: PathBuf) -> Self {
        scenario.prepare(&path);
        let entries = match scenario {
            Scenario::Create => Vec::new(),
            _ => Run::open_read_only(&path).unwrap().list().unwrap(),
        };
        Self { path, entries }
    }

    /// What a play that ended so has promised: with success, or with an error of that code.
    fn ledger(&self, scenario: Scenario, error: Option<&str>) -> Ledger {
        let seen = self.entries.clone();
        let order_of = |sequence: u64| seen.iter().find(|seen| seen.sequence == sequence).map(Entry::order);
        let mut ledger = Ledger {
            created: scenario != Scenario::Create || error.is_none(),
            acknowledged: seen.iter().map(|entry| (entry.order(), step_of(entry))).collect(),
            submitted: seen.iter().map(step_of).chain(scenario.saves()).collect(),
            pinned: seen.iter().filter(|entry| entry.pinned).map(|entry| entry.sequence).collect(),
            unpinned: seen.iter().filter(|entry| !entry.pinned).map(|entry| entry.sequence).collect(),
            ..Ledger::default()
        };
        if let Some(step) = scenario.saves() {
            ledger.answered(step, error.map_or(Ok((0, seen.len() as u64 + 1)), Err));
        }
        let done = error.is_none();
        match scenario {
            Scenario::LoadBack => ledger.damaged.extend(order_of(seen.len() as u64)),
            Scenario::Delete => {
                ledger.doomed.extend(TO_DELETE.into_iter().filter_map(order_of));
                if done {
                    ledger.gone = ledger.doomed.clone();
                }
            }
            Scenario::Pin => {
                ledger.unpinned.remove(&TO_PIN);
                ledger.pinned.extend(done.then_some(TO_PIN));
            }
            Scenario::Unpin => {
                ledger.pinned.remove(&PINNED);
                ledger.unpinned.extend(done.then_some(PINNED));
            }
            _ => {}
        }
        Ledger { seen, ..ledger }
    }

    /// A copy of it at `path`. Checkpoints never change, so they are the same files.
    pub(crate) fn copy_to(&self, path: &Path) {
        if self.path.exists() {
            copy(&self.path, path);
        }
    }
}

/// Holds what a play left in `directory` against what was there before and what was said.
pub(crate) fn check(prepared: &Prepared, shot: &Shot, traced: &Traced, directory: &Path) {
    let scenario = shot.scenario;
    if let Some(code) = traced.error {
        // What a listing cannot read is a row that says so, and no error: it is not deleted, and nothing in reliance on it.
        let by_row = match scenario {
            Scenario::Read => code == "invalid",
            Scenario::Delete => ["invalid", "last_verified"].contains(&code),
            _ => false,
        };
        assert!(by_row || may_be_called(shot.syscall, shot.errno, code), "the error is called {code}");
    }
    // Opening and loading report it and go on; whoever wants something to last must hear that it may not.
    let must_last = !matches!(scenario, Scenario::Open | Scenario::LoadBack | Scenario::Read);
    if traced.fired > 0 && must_last && ["fsync", "fdatasync"].contains(&shot.syscall) {
        assert!(traced.error.is_some(), "a sync failed and nobody was told");
    }
    // Whoever may not unlink leaves it to the next one.
    let tidies_up = scenario.saves().is_some() || matches!(scenario, Scenario::Pin | Scenario::Unpin);
    if tidies_up && !shot.from_there_on && shot.syscall != "unlinkat" {
        assert_eq!(names(&directory.join(RUN).join(".staging")), [""; 0], "a staging file is left");
    }
    let base: Arc<dyn Storage> = Arc::new(Local::open(directory).unwrap());
    let ledger = Mutex::new(prepared.ledger(scenario, traced.error));
    examine(&base, &subject(), &ledger).unwrap_or_else(|broken| panic!("{broken}"));
    // A torn line that could not be cut stays a line of its own.
    let log = Run::open_read_only(directory.join(RUN)).unwrap().log().unwrap();
    let bad = log.iter().filter(|line| matches!(line, LogLine::Bad(_))).count();
    assert!(bad <= usize::from(scenario == Scenario::Open), "{log:?}");
}

/// How the next writer finds the run: the machine is the same, and has not started anew.
fn subject() -> Subject {
    Subject {
        run: RUN,
        options: scenario::options().epoch(Epoch::Current),
        save: scenario::save,
        step_of: |loaded| {
            let step = step_of(&loaded.entry);
            check_content(step, &loaded.value);
            Ok(step)
        },
        new_step: STEP_AFTER,
        restarted: false,
    }
}

/// The names in a directory, sorted; none if it is not there.
fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if entry.is_dir() {
            copy(&entry, &to.join(name));
        } else if entry.extension().is_some_and(|extension| extension == "ckpt") {
            fs::hard_link(&entry, to.join(name)).unwrap();
        } else {
            fs::copy(&entry, to.join(name)).unwrap();
        }
    }
}
