//! What holds whatever failed: one check for every scenario.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ckpt_format::{Entry, Selector, State};
use ckpt_store::{Epoch, Error, LogLine, Run};

use crate::faults::may_be_called;
use crate::scenario::{self, PINNED, Scenario, TO_DELETE, TO_PIN, check as check_content, step_of};
use crate::trace::{Shot, Traced};

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

    /// A copy of it at `path`. Checkpoints never change, so they are the same files.
    pub(crate) fn copy_to(&self, path: &Path) {
        if self.path.exists() {
            copy(&self.path, path);
        }
    }
}

/// Holds what a play left at `path` against what was there before.
pub(crate) fn check(prepared: &Prepared, shot: &Shot, traced: &Traced, path: &Path) {
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
    let left = match Run::open_read_only(path) {
        Err(Error::RunNotFound { .. }) if scenario == Scenario::Create && traced.error.is_some() => {
            Vec::new()
        }
        reader => reader.unwrap().list().unwrap(),
    };
    compare(prepared, shot, traced, &left);
    let tidies_up = scenario.saves().is_some() || matches!(scenario, Scenario::Pin | Scenario::Unpin);
    // Whoever may not unlink leaves it to the next one.
    if tidies_up && !shot.from_there_on && shot.syscall != "unlinkat" {
        assert_eq!(names(&path.join(".staging")), [""; 0], "a staging file is left");
    }
    let options = || scenario::options().epoch(Epoch::Current);
    let run = match scenario {
        Scenario::Create => {
            Run::open_or_create(path, &scenario::name(), &scenario::name(), options()).unwrap()
        }
        _ => Run::open(path, options()).unwrap(),
    };
    assert_eq!(run.take_notices(), [""; 0], "opening afterwards");
    assert_eq!(run.reader().list().unwrap(), left, "opening to write changed the set");
    assert_eq!(names(&path.join(".staging")), [""; 0], "staging is not swept");
    load_all(&run, &left);
    let listed = run.reader().list().unwrap();
    let log = run.reader().log().unwrap();
    let bad = log.iter().filter(|line| matches!(line, LogLine::Bad(_))).count();
    // A torn line that could not be cut stays a line of its own.
    assert!(bad <= usize::from(scenario == Scenario::Open), "{log:?}");
    drop(run);

    let before = everything(path);
    let run = Run::open(path, options()).unwrap();
    assert_eq!(everything(path), before, "a second opening changed something");
    assert_eq!(run.reader().list().unwrap(), listed, "a second opening changed the set");
    let sequence = scenario::save(&run, STEP_AFTER).unwrap();
    assert!(left.iter().all(|entry| entry.sequence < sequence), "{sequence} was used before");
    let loaded = run.load(&Selector::Latest).unwrap();
    assert_eq!(loaded.entry.sequence, sequence);
    check_content(STEP_AFTER, &loaded.value);
}

/// The old set, or the new one, or something between where several things were asked for; by what was acknowledged.
fn compare(prepared: &Prepared, shot: &Shot, traced: &Traced, left: &[Entry]) {
    let mut listed: BTreeMap<u64, &Entry> = left.iter().map(|entry| (entry.sequence, entry)).collect();
    assert_eq!(listed.len(), left.len(), "a sequence is there twice");
    let done = traced.error.is_none();
    for old in &prepared.entries {
        let may_be_gone = match shot.scenario {
            Scenario::Delete => TO_DELETE.contains(&old.sequence),
            Scenario::LoadBack => old.sequence == prepared.entries.len() as u64,
            _ => false,
        };
        let Some(found) = listed.remove(&old.sequence) else {
            assert!(may_be_gone, "{old:?} is lost");
            continue;
        };
        assert!(!(done && may_be_gone && shot.scenario == Scenario::Delete), "{old:?} is not deleted");
        let pin_is_asked_for =
            matches!((shot.scenario, old.sequence), (Scenario::Pin, TO_PIN) | (Scenario::Unpin, PINNED));
        let pinned = if pin_is_asked_for && !done { found.pinned } else { old.pinned != pin_is_asked_for };
        assert_eq!(*found, Entry { pinned, ..old.clone() });
    }
    let saves = shot.scenario.saves();
    assert_eq!(
        done && saves.is_some(),
        done && listed.len() == 1,
        "what was acknowledged is there: {listed:?}"
    );
    for new in listed.values() {
        assert_eq!(Some(step_of(new)), saves, "{new:?} was never saved");
        assert_eq!(new.state, State::Committed, "{new:?}");
        assert!(done || traced.error == Some("durability_unknown"), "an error left {new:?}");
    }
}

/// Everything that is listed as good loads, and is what was saved; the newest of it is the latest.
fn load_all(run: &Run, listed: &[Entry]) {
    let good: Vec<&Entry> = listed.iter().filter(|entry| entry.state == State::Committed).collect();
    for entry in &good {
        match run.load(&Selector::Sequence(entry.sequence)) {
            Ok(loaded) => check_content(step_of(entry), &loaded.value),
            // Found only when all of it is read.
            Err(Error::Damaged { .. }) => assert_eq!(entry.sequence, 4, "{entry:?}"),
            Err(error) => panic!("{entry:?}: {error}"),
        }
    }
    let latest = run.load(&Selector::Latest);
    match good.last() {
        None => assert!(matches!(latest, Err(Error::NotFound { .. })), "{latest:?}"),
        Some(newest) => {
            let latest = latest.unwrap();
            let stepped_over: BTreeSet<u64> = latest.skipped.iter().map(|skipped| skipped.sequence).collect();
            let reached = latest.entry.sequence == newest.sequence || stepped_over.contains(&newest.sequence);
            assert!(reached, "{} instead of {}", latest.entry.sequence, newest.sequence);
            check_content(step_of(&latest.entry), &latest.value);
        }
    }
    assert_eq!(run.take_notices(), [""; 0], "loading afterwards");
}

/// Every name in a run, and whether it is the same file.
fn everything(path: &Path) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for dir in ["", ".staging", ".quarantine"] {
        for name in names(&path.join(dir)) {
            let file = format!("{dir}/{name}");
            let metadata = fs::symlink_metadata(path.join(file.trim_start_matches('/'))).unwrap();
            all.insert(file, std::os::unix::fs::MetadataExt::ino(&metadata));
        }
    }
    all
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
