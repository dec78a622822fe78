//! One attempt overtakes another: who was overtaken can change nothing any more, wherever it stood still.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ckpt_format::{Event, RunName, Selector, State, Timestamp, Writer};
use ckpt_store::storage::{Access, EntryKind, Memory, Storage};
use ckpt_store::testing::{Observed, Observer, Operation};
use ckpt_store::{Deletion, Epoch, Error, Pins, Run, RunOptions, RunReader};
use rustix::process::{Signal, WaitOptions};

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

const ROUNDS: u64 = 50;
/// The owner deletes what is older than its newest few.
const KEPT: usize = 3;
/// The epoch that a child is to begin.
const EPOCH: &str = "CKPT_TEST_EPOCH";

#[test]
fn an_owner_that_was_stopped_and_overtaken_changes_nothing_when_it_wakes() {
    let rounds = size::size(ROUNDS);
    let mut dice = Dice::printed("fencing");
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = root.path().join("run");
    drop(Run::create(&path, &name(), &name(), options(Epoch::None)).unwrap());
    let mut resumed = 0;
    for round in 0..rounds {
        let child =
            Child::spawn("child_saves_and_deletes_in_a_loop", &path, &[(EPOCH, (2 * round + 1).to_string())]);
        for _ in 0..=dice.up_to(6) {
            child.report().expect("the child ended by itself");
        }
        thread::sleep(Duration::from_micros(dice.up_to(20_000)));
        let (run, times) = overtake(&child, &path, 2 * round + 2);
        resumed += times;
        wake_and_compare(child, &run, dice.up_to(1) == 0, round);
    }
    let _ = writeln!(
        io::stderr(),
        "fencing: {rounds} rounds, {resumed} times the owner had to be let go on first"
    );
    // A holder of the mutation lock that is deleting must not lose it, so it has to be let go on; one that is
    // publishing loses it. Most of the time is spent publishing or outside.
    assert!(resumed < rounds * 5, "the owner had to be let go on {resumed} times in {rounds} rounds");
}

/// The child: saves and deletes in a loop until it is told that it was overtaken; says so if it is told both ways.
#[test]
fn child_saves_and_deletes_in_a_loop() {
    let Some(path) = child::directory() else { return };
    let epoch = std::env::var_os(EPOCH).unwrap().to_str().unwrap().parse().unwrap();
    let run = Run::open(&path, options(Epoch::Begin(epoch))).unwrap();
    child::report("opened");
    let error = (1..).find_map(|turn| turn_of(&run, turn).err()).unwrap();
    let save = Content::sized(0, 10, 10).save(&run, Event::Shutdown).map(drop);
    let oldest = run.reader().list().unwrap()[0].file_name.clone();
    let delete =
        run.delete(&[Deletion { file_name: oldest, reason: "a fenced one tries".to_owned() }]).map(drop);
    match (&error, save, delete) {
        (Error::Fenced { .. }, Err(Error::Fenced { .. }), Err(Error::Fenced { .. })) => {
            child::report("fenced")
        }
        other => child::report(&format!("not fenced: {other:?}")),
    }
}

fn turn_of(run: &Run, turn: u64) -> ckpt_store::Result<()> {
    let saved = Content::of(turn).save(run, Event::Periodic)?;
    child::report(&format!("saved {}", saved.file_name));
    let entries = run.reader().list()?;
    for entry in entries.iter().rev().skip(KEPT) {
        run.delete(&[Deletion {
            file_name: entry.file_name.clone(),
            reason: "the test keeps few".to_owned(),
        }])?;
        child::report(&format!("deleted {}", entry.file_name));
    }
    Ok(())
}

/// Stops the child and begins a higher epoch. Lets it go on for a moment when it holds the mutation lock for something
/// that cannot be taken from it; returns how often.
fn overtake(child: &Child, path: &Path, epoch: u64) -> (Run, u64) {
    for resumed in 0..100 {
        stop(child);
        match Run::open(path, options(Epoch::Begin(epoch))) {
            Err(Error::Locked { holder, .. }) => {
                assert!(holder.contains("kill -CONT"), "{holder}");
                child.signal(Signal::CONT);
                thread::sleep(Duration::from_millis(1));
            }
            run => return (run.unwrap(), resumed),
        }
    }
    panic!("the child was never outside of a deletion");
}

/// Returns when every thread of the child stands still.
fn stop(child: &Child) {
    child.signal(Signal::STOP);
    let (_, status) = rustix::process::waitpid(Some(child.pid()), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(status.stopped(), "the child ended by itself: {status:?}");
}

/// Saves as the new owner, before or while the old one wakes, and holds what is there in the end against what was there
/// when it was overtaken.
fn wake_and_compare(child: Child, run: &Run, save_first: bool, round: u64) {
    let mut expected = files(run.path());
    let save = |expected: &mut BTreeMap<String, (u64, u64)>| {
        let saved = Content::of(1_000 + round).save(run, Event::Manual).unwrap();
        assert!(expected.iter().all(|(name, _)| sequence_of(name) < saved.sequence), "{expected:?}");
        let found = files(run.path()).remove(&saved.file_name).unwrap();
        expected.insert(saved.file_name.clone(), found);
        saved
    };
    let saved = if save_first {
        let saved = save(&mut expected);
        child.signal(Signal::CONT);
        saved
    } else {
        child.signal(Signal::CONT);
        save(&mut expected)
    };
    let (status, rest) = child.end();
    assert!(status.success(), "round {round}: {status}, {rest:?}");
    assert_eq!(rest.last().map(String::as_str), Some("fenced"), "round {round}");
    assert_eq!(files(run.path()), expected, "round {round}: who was overtaken changed the set");
    assert_eq!(std::fs::read_dir(run.path().join(".staging")).unwrap().count(), 0, "round {round}");
    let entries = run.reader().list().unwrap();
    assert!(entries.iter().all(|entry| entry.state == State::Committed), "round {round}: {entries:?}");
    let latest = run.load(&Selector::Latest).unwrap();
    assert_eq!(latest.entry.file_name, saved.file_name, "round {round}");
    Content::of(1_000 + round).check(&latest.value);
}

/// Every checkpoint in the directory, with its file's number and length.
fn files(path: &Path) -> BTreeMap<String, (u64, u64)> {
    let entries = std::fs::read_dir(path).unwrap().map(Result::unwrap);
    entries
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let metadata = entry.metadata().ok().filter(|_| name.ends_with(".ckpt"))?;
            Some((name, (std::os::unix::fs::MetadataExt::ino(&metadata), metadata.len())))
        })
        .collect()
}

fn sequence_of(file_name: &str) -> u64 {
    ckpt_format::FileName::order_key(file_name).unwrap().1
}

/// The same at every single operation of a save and of a deletion, without chance: the owner stands still before the
/// operation, is overtaken, and goes on.
#[test]
fn wherever_an_owner_stands_still_it_is_fenced_once_it_was_overtaken() {
    for (change, deletes) in [(owner_saves as fn(&Run), false), (owner_deletes, true)] {
        let mut overtaken = 0;
        for stand in 0.. {
            let scene = Scene::new();
            let outcome = Arc::new(Mutex::new(None));
            let (bare, found) = (scene.bare.clone(), Arc::clone(&outcome));
            scene.pause.arm(stand, move || *found.lock().unwrap() = Some(take_over(bare)));
            change(&scene.owner);
            if !scene.pause.has_fired() {
                break;
            }
            let outcome = outcome.lock().unwrap().take().unwrap();
            match outcome {
                Ok((taker, before)) => {
                    overtaken += 1;
                    before.assert_unchanged(&Contents::of(scene.bare.as_ref()), stand);
                    scene.assert_fenced(&taker, stand);
                }
                // It holds the mutation lock to delete, and nobody takes that from it: it goes on. From one that
                // publishes the lock is taken.
                Err(Error::Locked { .. }) if deletes => owner_saves(&scene.owner),
                Err(error) => panic!("operation {stand}: {error}"),
            }
        }
        assert!(overtaken > 5, "only {overtaken} places");
    }
}

/// Wherever a takeover dies: if its marker stands, the lower epochs are fenced, and the attempt it began may go on. (The owner
/// loses its lock file a moment before the marker stands; it may be fenced without one, never the other way round.)
#[test]
fn a_takeover_that_dies_half_way_leaves_one_who_may_write() {
    for stand in 0.. {
        let scene = Scene::new();
        let watch = Arc::new(Dies { left: AtomicU64::new(stand) });
        let dying: Arc<dyn Storage> = Arc::new(Observed::new(scene.bare.clone(), watch));
        let survived = Run::open_on(dying, "run", scene_options(Epoch::Begin(2), 2)).is_ok();
        let begun = scene.bare.list("").unwrap().iter().any(|entry| entry.name == ".epoch-000002");
        let owner_saves = Content::sized(9, 10, 10).save(&scene.owner, Event::Periodic).map(drop);
        match (begun, owner_saves) {
            (false, Ok(())) | (_, Err(Error::Fenced { .. })) => {}
            (_, other) => panic!("operation {stand}: marker {begun}, yet the owner's save is {other:?}"),
        }
        let joined = Run::open_on(scene.bare.clone(), "run", scene_options(Epoch::Join(2), 3)).unwrap();
        scene.assert_fenced(&joined, stand);
        if survived {
            break;
        }
    }
}

#[test]
fn an_epoch_is_begun_once_and_never_goes_down() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let open = |epoch| Run::open(&path, options(epoch));
    drop(Run::create(&path, &name(), &name(), options(Epoch::None)).unwrap());
    drop(open(Epoch::Begin(5)).unwrap());
    assert!(matches!(open(Epoch::Begin(5)), Err(Error::Conflict { epoch: 5 })));
    for lower in [Epoch::Begin(4), Epoch::Join(4)] {
        assert!(matches!(open(lower), Err(Error::Fenced { epoch: 4, by: Some(5) })));
    }
    let error = open(Epoch::None).unwrap_err();
    assert!(matches!(error, Error::Fenced { epoch: 0, by: Some(5) }), "{error}");
    assert!(error.to_string().contains("epoch 0") && error.to_string().contains("epoch 5"), "{error}");
    assert_eq!(open(Epoch::Join(5)).unwrap().epoch(), 5);
    assert_eq!(open(Epoch::Current).unwrap().epoch(), 5);
    assert_eq!(open(Epoch::Join(7)).unwrap().epoch(), 7);
    assert!(matches!(open(Epoch::Begin(7)), Err(Error::Conflict { epoch: 7 })));
    assert_eq!(open(Epoch::Begin(1_000_000)).unwrap().epoch(), 1_000_000);
    let markers = std::fs::read_dir(&path).unwrap().map(Result::unwrap);
    let markers: Vec<_> =
        markers.filter(|entry| entry.file_name().to_string_lossy().contains("epoch")).collect();
    assert_eq!(markers.len(), 1, "markers of lower epochs stay behind: {markers:?}");
}

#[test]
fn a_second_writer_is_told_who_has_the_run() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let first = Run::create(&path, &name(), &name(), options(Epoch::None)).unwrap();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let is_locked = |epoch: Epoch| {
        let error = Run::open(&path, options(epoch)).unwrap_err();
        assert!(matches!(error, Error::Locked { .. }), "{error}");
        let text = error.to_string();
        let named = [host.as_str(), &std::process::id().to_string(), "since 2025-11-15T12:34:56.789Z"];
        assert!(named.iter().all(|part| text.contains(part)), "{text}");
    };
    is_locked(Epoch::None);
    is_locked(Epoch::Current);
    Content::of(1).save(&first, Event::Periodic).unwrap();
    drop(first);
    let second = Run::open(&path, options(Epoch::Begin(1))).unwrap();
    is_locked(Epoch::Join(1));
    drop(second);
    Run::open(&path, options(Epoch::Join(1))).unwrap();
}

#[test]
fn readers_and_pins_work_beside_a_writer() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let run = Run::create(&path, &name(), &name(), options(Epoch::Begin(3))).unwrap();
    let reader = RunReader::open(&path).unwrap();
    assert!(matches!(reader.load(&Selector::Latest), Err(Error::NotFound { .. })));
    let saved: Vec<_> =
        (1..=3_u64).map(|step| Content::of(step).save(&run, Event::Periodic).unwrap()).collect();
    Content::of(3).check(&reader.load(&Selector::Latest).unwrap().value);
    let held = reader.open_checkpoint(&saved[1].file_name).unwrap();

    let pins = Pins::open(&path, &options(Epoch::None)).unwrap();
    assert!(pins.pin(1, Some("the one to compare with")).unwrap());
    assert!(!pins.pin(1, None).unwrap(), "it was pinned before");
    assert!(matches!(pins.pin(9, None), Err(Error::NotFound { .. })));
    let delete = |index: usize| {
        run.delete(&[Deletion { file_name: saved[index].file_name.clone(), reason: "a test".to_owned() }])
    };
    assert!(matches!(delete(0), Err(Error::Pinned { sequence: 1 })));
    assert!(matches!(delete(2), Err(Error::LastVerified { sequence: 3, .. })));
    assert_eq!(delete(1).unwrap().file_names, [saved[1].file_name.as_str()]);
    held.verify().unwrap();
    assert!(pins.unpin(1).unwrap());
    assert_eq!(delete(0).unwrap().file_names, [saved[0].file_name.as_str()]);
    assert_eq!(reader.list().unwrap().len(), 1);
}

/// A run in memory whose owner can be made to stand still.
struct Scene {
    bare: Arc<dyn Storage>,
    pause: Arc<Pause>,
    owner: Run,
}

impl Scene {
    /// A run with three checkpoints, owned at epoch 1.
    fn new() -> Self {
        let bare: Arc<dyn Storage> = Arc::new(Memory::new());
        let pause = Arc::new(Pause::default());
        let watched: Arc<dyn Storage> = Arc::new(Observed::new(bare.clone(), pause.clone()));
        let owner =
            Run::create_on(watched, "run", &name(), &name(), scene_options(Epoch::Begin(1), 1)).unwrap();
        for step in 1..=3 {
            Content::sized(step, 100, 100).save(&owner, Event::Periodic).unwrap();
        }
        Self { bare, pause, owner }
    }

    /// Nothing that the owner does changes the run.
    fn assert_fenced(&self, taker: &Run, stand: u64) {
        let entries = taker.reader().list().unwrap();
        assert!(
            entries.iter().all(|entry| entry.state == State::Committed),
            "operation {stand}: {entries:?}"
        );
        let before = Contents::of(self.bare.as_ref());
        let save = Content::sized(9, 10, 10).save(&self.owner, Event::Periodic).map(drop);
        assert!(matches!(save, Err(Error::Fenced { epoch: 1, by: Some(2) })), "operation {stand}: {save:?}");
        let delete = self.owner.delete(&oldest_of(&self.owner)).map(drop);
        assert!(
            matches!(delete, Err(Error::Fenced { epoch: 1, by: Some(2) })),
            "operation {stand}: {delete:?}"
        );
        before.assert_unchanged(&Contents::of(self.bare.as_ref()), stand);
    }
}

/// Everything in a run's directory.
#[derive(Debug, PartialEq)]
struct Contents {
    files: BTreeMap<String, Vec<u8>>,
}

impl Contents {
    fn of(storage: &dyn Storage) -> Self {
        let mut files = BTreeMap::new();
        for dir in ["", ".staging/"] {
            for entry in storage.list(dir.trim_end_matches('/')).unwrap() {
                if entry.kind == EntryKind::File {
                    let path = format!("{dir}{}", entry.name);
                    let file = storage.open(&path, Access::Read).unwrap();
                    let mut bytes = vec![0; usize::try_from(file.length().unwrap()).unwrap()];
                    assert_eq!(file.read_at(0, &mut bytes).unwrap(), bytes.len());
                    files.insert(path, bytes);
                }
            }
        }
        Self { files }
    }

    /// Between the two only who was overtaken did something. It may write who it is into the lock of changes, and it
    /// may tell the log of what it did before it was overtaken, or of what it was about to do; not that it did it.
    fn assert_unchanged(&self, after: &Contents, stand: u64) {
        let names = |contents: &Contents| contents.files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(after), names(self), "operation {stand}");
        for (path, bytes) in &self.files {
            let same = ["log.jsonl", ".mutate"].contains(&path.as_str()) || after.files[path] == *bytes;
            assert!(same, "operation {stand}: {path} changed");
        }
        let told = String::from_utf8_lossy(&after.files["log.jsonl"][self.files["log.jsonl"].len()..]);
        let oldest_is_there = self.files.keys().any(|name| name.starts_with("e000001-00000001_"));
        let says_deleted = told.contains("\"event\":\"deleted\"");
        assert!(!(says_deleted && oldest_is_there), "operation {stand}: it deleted nothing, yet {told}");
        if let Some((_, line)) = told.split_once("\"event\":\"saved\"") {
            let is_there = self.files.keys().any(|name| line.contains(&format!("\"{name}\"")));
            assert!(is_there, "operation {stand}: it saved nothing, yet {told}");
        }
    }
}

/// Stops whoever uses a storage before one of its operations.
#[derive(Default)]
struct Pause {
    armed: Mutex<Option<Armed>>,
}

/// After how many operations, and what happens meanwhile.
type Armed = (u64, Box<dyn FnOnce() + Send>);

impl Pause {
    fn arm(&self, after: u64, meanwhile: impl FnOnce() + Send + 'static) {
        *self.armed.lock().unwrap() = Some((after, Box::new(meanwhile)));
    }

    fn has_fired(&self) -> bool {
        self.armed.lock().unwrap().is_none()
    }
}

impl std::fmt::Debug for Pause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pause")
    }
}

impl Observer for Pause {
    fn before(&self, _: &Operation<'_>) -> io::Result<()> {
        let mut armed = self.armed.lock().unwrap();
        let due = match armed.as_mut() {
            Some((0, _)) => armed.take(),
            Some((after, _)) => {
                *after -= 1;
                None
            }
            None => None,
        };
        drop(armed);
        if let Some((_, meanwhile)) = due {
            meanwhile();
        }
        Ok(())
    }
}

/// A process that dies: after so many operations none of its operations does anything any more.
#[derive(Debug)]
struct Dies {
    left: AtomicU64,
}

impl Observer for Dies {
    fn before(&self, _: &Operation<'_>) -> io::Result<()> {
        let alive = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        alive.map(drop).map_err(|_| io::Error::other("the process died"))
    }
}

/// Overtakes the owner of a scene and saves.
fn take_over(storage: Arc<dyn Storage>) -> ckpt_store::Result<(Run, Contents)> {
    let taker = Run::open_on(storage.clone(), "run", scene_options(Epoch::Begin(2), 2))?;
    Content::sized(7, 100, 100).save(&taker, Event::Periodic)?;
    Ok((taker, Contents::of(storage.as_ref())))
}

fn owner_saves(owner: &Run) {
    match Content::sized(4, 100, 100).save(owner, Event::Periodic) {
        Ok(_) | Err(Error::Fenced { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

fn owner_deletes(owner: &Run) {
    match owner.delete(&oldest_of(owner)) {
        Ok(_) | Err(Error::Fenced { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

fn oldest_of(run: &Run) -> Vec<Deletion> {
    let entries = run.reader().list().unwrap();
    vec![Deletion { file_name: entries[0].file_name.clone(), reason: "a test".to_owned() }]
}

fn name() -> RunName {
    "fenced".parse().unwrap()
}

fn options(epoch: Epoch) -> RunOptions {
    let mut options = RunOptions::new(|| Timestamp::from_millis(1_763_210_096_789)).epoch(epoch);
    options.lock_wait = Duration::from_millis(100);
    options
}

/// Options of one of several owners in one process, told apart by `pid`.
fn scene_options(epoch: Epoch, pid: u32) -> RunOptions {
    let mut options = options(epoch);
    options.lock_wait = Duration::ZERO;
    options.writer = Some(Writer { host: "here".to_owned(), pid, boot_id: "now".to_owned() });
    options
}
