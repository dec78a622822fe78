//! A process that saves is killed at random instants: nothing it was told to be durable is lost, nothing else appears.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ckpt_format::{Entry, Event, Selector, State, Timestamp};
use ckpt_store::{Arena, BackgroundWriter, Deletion, Error, Job, Run, RunOptions, WriterOptions};
use rustix::process::Signal;

use self::child::Child;
use self::content::Content;
use self::dice::Dice;

#[path = "rig/child.rs"]
mod child;
#[path = "rig/content.rs"]
mod content;
#[path = "rig/dice.rs"]
mod dice;
#[path = "rig/size.rs"]
mod size;

const ROUNDS: u64 = 200;
/// Above so many checkpoints the parent deletes all but the newest few, so that the disk stays small.
const KEPT_MAX: usize = 12;
const KEPT: usize = 4;

/// What was reported of a save.
#[derive(Debug)]
struct Report {
    sequence: u64,
    step: u64,
    content_digest: String,
}

/// The run as the parent knows it.
#[derive(Debug, Default)]
struct Known {
    /// What the last look found, by sequence.
    entries: BTreeMap<u64, Entry>,
    /// The highest sequence that was ever seen or reported.
    highest: u64,
    swept: u64,
    deleted: u64,
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_instant() {
    let rounds = size::size(ROUNDS);
    let mut dice = Dice::printed("kill");
    // Beside the build and not among temporary files: these may be in memory.
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = root.path().join("training").join("killed");
    let mut known = Known::default();
    let mut reported = 0;
    for round in 0..rounds {
        // Both on the same run: what one of them leaves is what the other goes on from.
        let child = ["child_saves_in_a_loop", "child_saves_in_the_background"][(round % 2) as usize];
        let reports = run_and_kill(child, &path, &mut dice);
        reported += reports.len();
        known.look(&path, &reports, round);
    }
    let _ = writeln!(
        std::io::stderr(),
        "kill: {rounds} rounds, {reported} saves acknowledged, {} killed inside a save",
        known.swept
    );
    assert!(reported as u64 > rounds, "only {reported} saves were acknowledged: the rounds were too short");
    assert!(known.deleted > 0, "the parent never deleted");
    assert!(known.swept > 0, "no child was ever killed inside a save");
}

/// The child: goes on from the newest checkpoint, saves in a loop and reports each save that returned.
#[test]
fn child_saves_in_a_loop() {
    let Some(path) = child::directory() else { return };
    let (run, mut step) = open_and_go_on(&path);
    loop {
        step += 1;
        let saved = Content::of(step).save(&run, Event::Periodic).unwrap();
        child::report(&format!("saved {} {step} {}", saved.sequence, saved.content_digest));
    }
}

/// The other child: the same in the background, each save reported as soon as it is acknowledged.
#[test]
fn child_saves_in_the_background() {
    let Some(path) = child::directory() else { return };
    let (run, mut step) = open_and_go_on(&path);
    let writer = BackgroundWriter::start(Arc::new(run), WriterOptions::default(), |_, outcome| {
        // An error is returned by the next call.
        if let Ok(saved) = &outcome.result {
            child::report(&format!("saved {} {} {}", saved.sequence, outcome.ticket, saved.content_digest));
        }
    });
    let (writer, arena) = (writer.unwrap(), Arena::new());
    loop {
        step += 1;
        let content = Content::of(step);
        let submitted = writer.submit_with(true, || {
            Ok(Job::new(step, content.metadata(Event::Periodic), arena.snapshot(content.sections())?))
        });
        submitted.unwrap();
    }
}

/// In a child: the run, and the step it is at.
fn open_and_go_on(path: &Path) -> (Run, u64) {
    let (kind, name) = ("training".parse().unwrap(), "killed".parse().unwrap());
    let run = Run::open_or_create(path, &kind, &name, options()).unwrap();
    let step = match run.load(&Selector::Latest) {
        Ok(loaded) => {
            let step = step_of(&loaded.entry);
            Content::of(step).check(&loaded.value);
            step
        }
        Err(Error::NotFound { .. }) => 0,
        Err(error) => panic!("{error}"),
    };
    child::report("opened");
    (run, step)
}

/// Lets a child save and kills it: up to 40 ms after it opened the run or after one of its first reports, or, now and
/// then, while it starts.
fn run_and_kill(test: &str, path: &Path, dice: &mut Dice) -> Vec<Report> {
    let child = Child::spawn(test, path, &[]);
    let mut lines = Vec::new();
    if dice.up_to(9) > 0 {
        for _ in 0..=dice.up_to(4) {
            lines.push(child.report().expect("the child ended by itself"));
        }
    }
    thread::sleep(Duration::from_micros(dice.up_to(40_000)));
    child.signal(Signal::KILL);
    let (_, rest) = child.end();
    lines.extend(rest);
    lines.iter().filter_map(|line| Report::parse(line)).collect()
}

impl Known {
    /// Opens the run after a kill and holds what it finds against what was known and what was reported.
    fn look(&mut self, path: &Path, reports: &[Report], round: u64) {
        let left = match Run::open_read_only(path) {
            Err(Error::RunNotFound { .. }) => {
                assert!(reports.is_empty() && self.entries.is_empty(), "round {round}: the run is gone");
                return;
            }
            reader => reader.unwrap().list().unwrap(),
        };
        self.swept += names(&path.join(".staging")).len() as u64;
        let run = Run::open(path, options()).unwrap();
        let entries = run.reader().list().unwrap();
        assert_eq!(left, entries, "round {round}: opening to write changed the set");
        assert_eq!(names(&path.join(".staging")), [""; 0], "round {round}: staging is not swept");
        self.compare(&entries, reports, round);
        for verification in run.reader().verify(None).unwrap() {
            assert_eq!(verification.state, State::Committed, "round {round}: {verification:?}");
        }
        let newest = reports.iter().map(|report| report.sequence).max().unwrap_or(0);
        if let Some(entry) = entries.last() {
            let latest = run.load(&Selector::Latest).unwrap();
            assert_eq!(latest.entry.sequence, entry.sequence, "round {round}");
            assert!(
                latest.entry.sequence >= newest && latest.skipped.is_empty(),
                "round {round}: {:?}",
                latest.why
            );
            Content::of(step_of(&latest.entry)).check(&latest.value);
        }
        for report in reports {
            let loaded = run.load(&Selector::Sequence(report.sequence)).unwrap();
            Content::of(report.step).check(&loaded.value);
        }
        drop(run);
        let run = Run::open(path, options()).unwrap();
        assert_eq!(run.reader().list().unwrap(), entries, "round {round}: opening once more changed the set");
        self.entries = entries.into_iter().map(|entry| (entry.sequence, entry)).collect();
        self.prune(&run);
    }

    /// What was there is there unchanged, what was reported is there, and what is new has a new number.
    fn compare(&mut self, entries: &[Entry], reports: &[Report], round: u64) {
        let listed: BTreeMap<u64, &Entry> = entries.iter().map(|entry| (entry.sequence, entry)).collect();
        assert_eq!(listed.len(), entries.len(), "round {round}: a sequence is there twice");
        for (sequence, entry) in &self.entries {
            assert_eq!(listed.get(sequence), Some(&entry), "round {round}");
        }
        for report in reports {
            assert!(report.sequence > self.highest, "round {round}: {report:?} uses a number again");
            let entry =
                listed.get(&report.sequence).unwrap_or_else(|| panic!("round {round}: {report:?} is lost"));
            assert!(entry.is_committed(), "round {round}: {entry:?}");
            let details = entry.details.as_ref().unwrap();
            assert_eq!(details.content_digest.to_string(), report.content_digest, "round {round}");
            assert_eq!(step_of(entry), report.step, "round {round}");
        }
        let new = listed.keys().filter(|sequence| !self.entries.contains_key(sequence));
        for sequence in new.clone() {
            assert!(*sequence > self.highest, "round {round}: {sequence} was used before");
        }
        // The child may have been killed after a checkpoint had its name and before it was reported: one, no more.
        let unreported = new.count() - reports.len();
        assert!(unreported <= 1, "round {round}: {unreported} checkpoints nobody reported");
        self.highest = listed
            .keys()
            .copied()
            .chain(reports.iter().map(|r| r.sequence))
            .max()
            .unwrap_or(0)
            .max(self.highest);
    }

    fn prune(&mut self, run: &Run) {
        if self.entries.len() <= KEPT_MAX {
            return;
        }
        let doomed: Vec<u64> = self.entries.keys().copied().take(self.entries.len() - KEPT).collect();
        let deletions: Vec<Deletion> = doomed
            .iter()
            .map(|sequence| Deletion {
                file_name: self.entries[sequence].file_name.clone(),
                reason: "the test keeps few".to_owned(),
            })
            .collect();
        let deleted = run.delete(&deletions).unwrap();
        assert_eq!(deleted.file_names.len(), doomed.len());
        self.deleted += doomed.len() as u64;
        self.entries.retain(|sequence, _| !doomed.contains(sequence));
        let left: Vec<Entry> = self.entries.values().cloned().collect();
        assert_eq!(run.reader().list().unwrap(), left);
    }
}

impl Report {
    /// Nothing if the line is not about a save.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("saved ")?.split(' ');
        Some(Self {
            sequence: words.next()?.parse().ok()?,
            step: words.next()?.parse().ok()?,
            content_digest: words.next()?.to_owned(),
        })
    }
}

fn options() -> RunOptions {
    RunOptions::new(|| Timestamp::from_millis(1_763_210_096_789))
}

fn step_of(entry: &Entry) -> u64 {
    entry.position().and_then(|position| position.step).expect("every checkpoint of this test has a step")
}

/// The names in a directory, sorted; none if it is not there.
fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
