//! What is done while a system call fails, and the run that it is done to.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ckpt_format::{Entry, Event, RunName, Selector, State, Timestamp};
use ckpt_store::{Deletion, Epoch, Error, Result, Run, RunOptions, Saved, Sections};

use crate::content::Content;

/// A change or a load that is tried while a system call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Makes a run, two directories deep.
    Create,
    /// Opens a run that somebody left in the middle of things: a torn log, a staged file, too much set aside.
    Open,
    /// Begins an epoch, which takes the run away from an earlier one.
    Begin,
    /// Saves a little, in one thread.
    SaveSmall,
    /// Saves what comes from a stream, in several threads.
    SaveStream,
    /// Saves enough to go around the page cache.
    SaveLarge,
    /// Saves where the file system cannot rename without replacing.
    SaveByLink,
    /// Saves where the kernel, or a sandbox, refuses the walk beneath a directory.
    SaveStepwise,
    /// Loads the newest, which is damaged: it is set aside, and the one before is taken.
    LoadBack,
    /// Lists, verifies and loads without a lock; a large one, in several threads.
    Read,
    /// Pins.
    Pin,
    /// Unpins.
    Unpin,
    /// Deletes two.
    Delete,
}

/// What a child is told of the scenario by.
pub(crate) const SCENARIO: &str = "CKPT_TEST_SCENARIO";
/// Links that nobody has: asking for them says in a trace that the scenario begins and that it ended.
pub(crate) const BEGINS: &str = "/ckpt-test-begins";
pub(crate) const ENDED: &str = "/ckpt-test-ended";

/// Checkpoints of every prepared run.
const PREPARED: u64 = 4;
pub(crate) const PINNED: u64 = 1;
pub(crate) const TO_PIN: u64 = 3;
pub(crate) const TO_DELETE: [u64; 2] = [2, 3];
/// Steps from here on have no stream, so that saving them takes one thread.
const PLAIN_FROM: u64 = 1_000;
const STEP_STREAM: u64 = 600;
/// Its content has more than 4 MiB.
const STEP_LARGE: u64 = 504;
const NOW: i64 = 1_763_210_096_789;

impl Scenario {
    pub(crate) const ALL: [Scenario; 13] = [
        Scenario::Create,
        Scenario::Open,
        Scenario::Begin,
        Scenario::SaveSmall,
        Scenario::SaveStream,
        Scenario::SaveLarge,
        Scenario::SaveByLink,
        Scenario::SaveStepwise,
        Scenario::LoadBack,
        Scenario::Read,
        Scenario::Pin,
        Scenario::Unpin,
        Scenario::Delete,
    ];

    /// Calls that fail each time, so that the store takes another way.
    pub(crate) fn always(self) -> Option<&'static str> {
        match self {
            Self::SaveByLink => Some("renameat2:error=EINVAL"),
            Self::SaveStepwise => Some("openat2:error=ENOSYS"),
            _ => None,
        }
    }

    /// The step that is saved.
    pub(crate) fn saves(self) -> Option<u64> {
        match self {
            Self::SaveSmall | Self::SaveByLink | Self::SaveStepwise => Some(PLAIN_FROM),
            Self::SaveStream => Some(STEP_STREAM),
            Self::SaveLarge => Some(STEP_LARGE),
            _ => None,
        }
    }

    /// Makes the run at `path` that the scenario is played on.
    pub(crate) fn prepare(self, path: &Path) {
        if self == Self::Create {
            return;
        }
        let epoch = if self == Self::Begin { Epoch::Begin(1) } else { Epoch::None };
        let run = Run::create(path, &name(), &name(), options().epoch(epoch)).unwrap();
        for step in 1..=PREPARED {
            save(&run, step).unwrap();
        }
        run.pin(PINNED, Some("a test")).unwrap();
        if self == Self::Read {
            save(&run, STEP_LARGE).unwrap();
        }
        drop(run);
        match self {
            Self::Open => leave_a_mess(path),
            Self::LoadBack => damage(path, PREPARED),
            _ => {}
        }
    }

    /// Plays it, and says in the trace where it begins and where it ended.
    pub(crate) fn play(self, path: &Path) -> Result<()> {
        match self {
            Self::Create => marked(|| Run::create(path, &name(), &name(), options()).map(drop)),
            Self::Open => marked(|| Run::open(path, options()).map(drop)),
            Self::Begin => marked(|| Run::open(path, options().epoch(Epoch::Begin(2))).map(drop)),
            Self::Read => marked(|| read(path)),
            _ => {
                let run = Run::open(path, options())?;
                let played = marked(|| self.play_on(&run));
                // A process that ends lets go of what it has; letting go one by one would be another scenario.
                std::mem::forget(run);
                played
            }
        }
    }

    fn play_on(self, run: &Run) -> Result<()> {
        match self {
            Self::LoadBack => {
                let loaded = run.load(&Selector::Latest)?;
                assert_eq!(loaded.entry.sequence, PREPARED - 1, "{:?}", loaded.skipped);
                check(PREPARED - 1, &loaded.value);
            }
            Self::Pin => assert!(run.pin(TO_PIN, Some("a test"))?),
            Self::Unpin => assert!(run.unpin(PINNED)?),
            Self::Delete => {
                let entries = run.reader().list()?;
                let doomed = entries.iter().filter(|entry| TO_DELETE.contains(&entry.sequence));
                let deletions: Vec<Deletion> = doomed
                    .map(|entry| Deletion { file_name: entry.file_name.clone(), reason: "a test".to_owned() })
                    .collect();
                if deletions.len() < TO_DELETE.len() {
                    // What could not be read just now was no longer in the listing's good part; it is there, though.
                    panic!("the listing lacks what is there: {entries:?}");
                }
                run.delete(&deletions)?;
            }
            _ => {
                save(run, self.saves().unwrap())?;
            }
        }
        Ok(())
    }
}

/// Saves the content of a step, because the process is about to end: so it may use all the room there is.
pub(crate) fn save(run: &Run, step: u64) -> Result<Saved> {
    content(step).save(run, Event::Shutdown)
}

/// Checks that `loaded` is what was saved at `step`.
pub(crate) fn check(step: u64, loaded: &Sections) {
    content(step).check(loaded);
}

pub(crate) fn step_of(entry: &Entry) -> u64 {
    entry.position().and_then(|position| position.step).expect("every checkpoint of this test has a step")
}

pub(crate) fn name() -> RunName {
    "faulty".parse().unwrap()
}

pub(crate) fn options() -> RunOptions {
    let mut options = RunOptions::new(|| Timestamp::from_millis(NOW));
    options.lock_wait = Duration::from_millis(50);
    options
}

/// Reads all that there is. What cannot be read is an error or a row that says so, never damage and never absent.
fn read(path: &Path) -> Result<()> {
    let reader = Run::open_read_only(path)?;
    let newest = PREPARED + 1;
    let entries = reader.list()?;
    let states = entries.iter().map(|entry| entry.state);
    let verified = reader.verify(None)?;
    for state in states.chain(verified.iter().map(|verified| verified.state)) {
        assert!(matches!(state, State::Committed | State::Unreadable), "{entries:?} {verified:?}");
    }
    assert_eq!((entries.len() as u64, verified.len() as u64), (newest, newest));
    let loaded = reader.load(&Selector::Latest)?;
    assert_eq!((loaded.entry.sequence, loaded.skipped.len()), (newest, 0));
    check(STEP_LARGE, &loaded.value);
    let unreadable = verified.iter().any(|verified| verified.state == State::Unreadable);
    // The rows say what the system said; for the count it is as good as an error.
    match unreadable || entries.iter().any(|entry| entry.state == State::Unreadable) {
        true => Err(Error::Invalid { reason: "a row is unreadable".to_owned() }),
        false => Ok(()),
    }
}

fn marked<T>(play: impl FnOnce() -> Result<T>) -> Result<T> {
    let _ = fs::read_link(BEGINS);
    let played = play();
    let _ = fs::read_link(ENDED);
    played
}

fn content(step: u64) -> Content {
    match step {
        STEP_LARGE => Content::of(step),
        PLAIN_FROM.. => Content::sized(step, 30_000, 0),
        STEP_STREAM => Content::sized(step, 50_000, 30_000),
        _ => Content::sized(step, 3_000, 2_000),
    }
}

/// What a process leaves behind that died long ago.
fn leave_a_mess(path: &Path) {
    let log = path.join("log.jsonl");
    let mut text = fs::read(&log).unwrap();
    text.extend_from_slice(b"{\"sum\":\"0123");
    fs::write(&log, text).unwrap();
    fs::write(path.join(".staging/000000-00000009-dead0000.part"), [7; 5_000]).unwrap();
    fs::write(path.join(".staging/small-0011223344556677.part"), "").unwrap();
    fs::create_dir(path.join(".quarantine")).unwrap();
    for sequence in 5..=6 {
        fs::write(path.join(format!(".quarantine/000000000000001_{sequence:08}_x.ckpt")), "no").unwrap();
    }
    fs::remove_file(path.join(".reserve")).unwrap();
}

/// Flips a bit of the payload of a checkpoint.
fn damage(path: &Path, sequence: u64) {
    let entries = Run::open_read_only(path).unwrap().list().unwrap();
    let entry = entries.iter().find(|entry| entry.sequence == sequence).unwrap();
    let file = path.join(&entry.file_name);
    let mut bytes = fs::read(&file).unwrap();
    bytes[4_096 + 100] ^= 1;
    fs::write(&file, bytes).unwrap();
}
