//! A process that saves is killed at random instants: nothing it was told to be durable is lost, nothing else appears.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ckpt_format::{Entry, Event, Selector, State, Timestamp};
use ckpt_store::storage::{Local, Storage};
use ckpt_store::{Arena, BackgroundWriter, Deletion, Error, Job, Run, RunOptions, WriterOptions};
use rustix::process::Signal;

use self::child::Child;
use self::content::Content;
use self::dice::Dice;
use self::ledger::{Broken, Ledger, hold};
use self::promises::{Subject, examine};

#[path = "rig/child.rs"]
mod child;
#[path = "rig/content.rs"]
mod content;
#[path = "rig/dice.rs"]
mod dice;
#[path = "rig/ledger.rs"]
mod ledger;
#[path = "rig/promises.rs"]
mod promises;
#[path = "rig/size.rs"]
mod size;

const ROUNDS: u64 = 200;
/// Above so many checkpoints the parent deletes all but the newest few, so that the disk stays small.
const KEPT_MAX: usize = 12;
const KEPT: usize = 4;

/// Where the run lies.
const RUN: &str = "training/killed";

/// What a child reported.
#[derive(Debug)]
enum Report {
    Opened,
    Saving { step: u64 },
    Saved { sequence: u64, step: u64, content_digest: String },
}

/// The run as the parent knows it.
#[derive(Debug, Default)]
struct Known {
    /// What the last look left, by sequence.
    entries: BTreeMap<u64, Entry>,
    /// A child said that it has opened the run, or it was seen.
    created: bool,
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
    let path = root.path().join(RUN);
    let mut known = Known::default();
    let mut reported = 0;
    for round in 0..rounds {
        // Both on the same run: what one of them leaves is what the other goes on from.
        let child = ["child_saves_in_a_loop", "child_saves_in_the_background"][(round % 2) as usize];
        let reports = run_and_kill(child, &path, &mut dice);
        reported += reports.iter().filter(|report| matches!(report, Report::Saved { .. })).count();
        known.look(root.path(), &reports).unwrap_or_else(|broken| panic!("round {round}: {broken}"));
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
        child::report(&format!("saving {step}"));
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
        child::report(&format!("saving {step}"));
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
    /// Holds what a kill left against what was known and what was reported, and goes on with it.
    fn look(&mut self, root: &Path, reports: &[Report]) -> Result<(), Broken> {
        let path = root.join(RUN);
        self.swept += names(&path.join(".staging")).len() as u64;
        let ledger = self.ledger(reports);
        if let Ok(reader) = Run::open_read_only(&path) {
            self.compare(&reader.list().unwrap(), &ledger, reports)?;
            for verified in reader.verify(None).unwrap() {
                hold(verified.state == State::Committed, "everything verifies", || format!("{verified:?}"))?;
            }
        }
        let newest = ledger.submitted.last().copied().unwrap_or(0);
        let base: Arc<dyn Storage> = Arc::new(Local::open(root).unwrap());
        examine(&base, &subject(newest + 1), &Mutex::new(ledger))?;
        let run = Run::open(&path, options()).unwrap();
        let entries = run.reader().list().unwrap();
        self.created = true;
        self.entries = entries.into_iter().map(|entry| (entry.sequence, entry)).collect();
        self.highest = self.entries.keys().copied().max().unwrap_or(0).max(self.highest);
        self.prune(&run);
        Ok(())
    }

    /// What was promised: what was there, and what was reported since.
    fn ledger(&self, reports: &[Report]) -> Ledger {
        let seen: Vec<Entry> = self.entries.values().cloned().collect();
        let mut ledger = Ledger {
            created: self.created || !reports.is_empty(),
            acknowledged: seen.iter().map(|entry| (entry.order(), step_of(entry))).collect(),
            submitted: seen.iter().map(step_of).collect(),
            seen,
            ..Ledger::default()
        };
        for report in reports {
            match report {
                Report::Opened => {}
                Report::Saving { step } => {
                    ledger.submitted.insert(*step);
                }
                Report::Saved { sequence, step, .. } => ledger.answered(*step, Ok((0, *sequence))),
            }
        }
        ledger
    }

    /// What is new has a new number; its digest is the one that was reported; and at most one of it was not reported.
    fn compare(&mut self, entries: &[Entry], ledger: &Ledger, reports: &[Report]) -> Result<(), Broken> {
        let new: Vec<&Entry> =
            entries.iter().filter(|entry| !self.entries.contains_key(&entry.sequence)).collect();
        for entry in &new {
            hold(entry.sequence > self.highest, "a number is never used twice", || format!("{entry:?}"))?;
            let digest = entry.details.as_ref().map(|details| details.content_digest.to_string());
            let reported = reports.iter().find_map(|report| match report {
                Report::Saved { sequence, content_digest, .. } if *sequence == entry.sequence => {
                    Some(content_digest)
                }
                _ => None,
            });
            hold(
                reported.is_none() || reported == digest.as_ref(),
                "the digest is the one reported",
                || format!("{digest:?} instead of {reported:?}"),
            )?;
        }
        // The child may have been killed after a checkpoint had its name and before it was reported: one, no more.
        let unreported = new.iter().filter(|entry| !ledger.acknowledged.contains_key(&entry.order())).count();
        hold(unreported <= 1, "a save that has begun is reported before the next", || {
            format!("{unreported}")
        })?;
        self.highest = self.highest.max(ledger.highest());
        Ok(())
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
    /// Nothing if the line says nothing of these.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(match words.next()? {
            "opened" => Self::Opened,
            "saving" => Self::Saving { step: words.next()?.parse().ok()? },
            "saved" => Self::Saved {
                sequence: words.next()?.parse().ok()?,
                step: words.next()?.parse().ok()?,
                content_digest: words.next()?.to_owned(),
            },
            _ => return None,
        })
    }
}

/// The next writer: the machine is the same, and has not started anew.
fn subject(new_step: u64) -> Subject {
    Subject {
        run: RUN,
        options: options(),
        save: |run, step| Content::of(step).save(run, Event::Periodic),
        step_of: |loaded| {
            let step = step_of(&loaded.entry);
            Content::of(step).check(&loaded.value);
            Ok(step)
        },
        new_step,
        restarted: false,
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
