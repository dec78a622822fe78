//! Power loss at every moment: each state that the medium may be left in keeps every promise, and so does each that a second
//! power loss during recovery leaves. Planted bugs are convicted by the same states and the same checker.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod faulty;
mod scenes;
mod stage;

use std::collections::HashSet;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use ckpt_store::storage::{CrashPoint, PLANTED, Planted, Storage, Survivor};

use self::ledger::{Broken, Ledger};
use self::promises::examine;
use self::scenes::{SCENES, Scene};
use self::stage::{Stage, subject};

#[path = "../rig/dice.rs"]
mod dice;
#[path = "../rig/ledger.rs"]
mod ledger;
#[path = "../rig/promises.rs"]
mod promises;
#[path = "../rig/size.rs"]
mod size;

/// Distinct states in CI. `cargo xtask crash` asks for more.
const STATES: u64 = 100_000;

/// What was gone through.
#[derive(Debug, Default)]
struct Tally {
    /// Content and promises, so that a state is examined once for each set of promises.
    examined: HashSet<[u8; 32]>,
    /// Content alone: what is counted.
    distinct: HashSet<[u8; 32]>,
    points: u64,
    /// States that a power loss during recovery left.
    nested: u64,
}

/// How deep to look.
#[derive(Debug, Clone, Copy)]
struct Depth {
    seed: u64,
    /// Of so many states the recovery of one is crashed again; 0 for none.
    nested_every: u64,
    /// Of so many plays of a scene that is played often, one is seen.
    stride: u64,
    /// Of so many states one is examined.
    one_in: u64,
    /// The one promise that counts; nothing if each does.
    promise: Option<&'static str>,
}

impl Depth {
    /// Whether this one of so many is drawn.
    fn draws(self, digest: &[u8], one_in: u64) -> bool {
        (u64::from_le_bytes(*digest.first_chunk().unwrap()) ^ self.seed).is_multiple_of(one_in)
    }

    /// What is broken, if it counts.
    fn counted(self, broken: Broken) -> Option<Broken> {
        self.promise.is_none_or(|promise| promise == broken.promise).then_some(broken)
    }
}

#[test]
fn every_state_that_a_power_loss_may_leave_keeps_every_promise() {
    let mut dice = dice::Dice::printed("crash");
    let wanted = size::size(STATES);
    let started = Instant::now();
    let tally = Mutex::new(Tally::default());
    // Denser until there are enough.
    let mut nested_every = 64;
    let stride = if wanted > STATES { 1 } else { 5 };
    loop {
        let seed = dice.up_to(u64::MAX - 1);
        let depth = Depth { seed, nested_every, stride, one_in: 1, promise: None };
        for scene in &SCENES {
            let (before, begun) = (tally.lock().unwrap().distinct.len(), Instant::now());
            if let Some((play, broken)) = perform(scene, None, depth, &tally) {
                panic!("{} (play {play}, seed {}): {broken:?}", scene.name, depth.seed);
            }
            let found = tally.lock().unwrap().distinct.len() - before;
            let seconds = begun.elapsed().as_secs_f64();
            say(&format!("crash: {found:>8} states in {seconds:>6.1} s  {}", scene.name));
        }
        let count = tally.lock().unwrap().distinct.len() as u64;
        if count >= wanted || nested_every == 1 {
            break;
        }
        nested_every = (nested_every / 4).max(1);
    }
    let tally = tally.into_inner().unwrap();
    say(&format!(
        "crash: {} distinct states at {} moments, {} of them after a second power loss, in {:.1} s",
        tally.distinct.len(),
        tally.points,
        tally.nested,
        started.elapsed().as_secs_f64()
    ));
    assert!(tally.distinct.len() as u64 >= wanted, "too few states");
}

/// The scene that shows each bug, and the promise that it breaks there: another one does not count. A proof that does not find them
/// proves nothing.
const CONVICTIONS: [(Planted, &str, &str); 16] = [
    (Planted::NoFileSync, "save", "what was acknowledged stays"),
    (Planted::NoDirectorySync, "save", "what was acknowledged stays"),
    (Planted::NoParentSync, "create", "a run that was made stays"),
    (Planted::RenameBeforeSync, "save", "everything listed is whole"),
    (Planted::InPlaceWrite, "save", "everything listed is whole"),
    (Planted::FixedTempName, "who pins dies meanwhile", "what was acknowledged stays"),
    (Planted::ReplacingRename, "the name is taken", "what has the name stays"),
    (Planted::SyncRetried, "a sync fails", "what was acknowledged stays"),
    (Planted::ShortWriteIgnored, "a close fails, or the medium is full", "what was acknowledged stays"),
    (Planted::CloseErrorIgnored, "a close fails, or the medium is full", "what was acknowledged stays"),
    (Planted::StagingSweptByAge, "a second writer knocks", "who knocks at a locked run disturbs nobody"),
    (Planted::DeleteBeforeDurable, "save and delete, nothing settled", "what was acknowledged stays"),
    (Planted::LogNotSynced, "delete", "what is deleted stands in the log"),
    (Planted::SequenceReused, "set aside", "a number is never used twice"),
    (Planted::DuplicateSequence, "a second writer knocks", "what was acknowledged stays"),
    (Planted::LockNotRechecked, "overtaken while deleting", "who was overtaken changes nothing"),
];

#[test]
fn every_planted_bug_is_convicted() {
    let started = Instant::now();
    let mut missed: Vec<Planted> =
        PLANTED.into_iter().filter(|bug| CONVICTIONS.iter().all(|(named, ..)| named != bug)).collect();
    for (bug, name, promise) in CONVICTIONS {
        let scene = SCENES.iter().find(|scene| scene.name == name).unwrap();
        let promise = Some(promise);
        let depth = Depth { seed: 1, nested_every: 0, stride: 1, one_in: 1, promise };
        match perform(scene, Some(bug), depth, &Mutex::default()) {
            Some((play, broken)) => {
                let found: String = broken.found.chars().take(120).collect();
                say(&format!("planted: {bug:?} breaks \"{}\", in `{name}` {play}: {found}", broken.promise));
            }
            None => missed.push(bug),
        }
    }
    say(&format!(
        "planted: {} of {} bugs convicted in {:.1} s",
        PLANTED.len() - missed.len(),
        PLANTED.len(),
        started.elapsed().as_secs_f64()
    ));
    assert!(missed.is_empty(), "not convicted: {missed:?}");
}

/// Plays a scene as often as it is to be played, and examines all that may be left at each of its moments. Returns the
/// first promise that counts and was broken, and in which play.
fn perform(scene: &Scene, bug: Option<Planted>, depth: Depth, tally: &Mutex<Tally>) -> Option<(u64, Broken)> {
    let often = scene.plays > 1;
    let first = if often { depth.seed % depth.stride } else { 0 };
    for play in (first..scene.plays).step_by(depth.stride as usize) {
        let stage = Stage::new(bug);
        let played = guarded(|| (scene.play)(&stage, play));
        let more = match played {
            Ok(more) => more,
            Err(broken) => match depth.counted(broken) {
                Some(broken) => return Some((play, broken)),
                None => continue,
            },
        };
        // What is played often is crashed again less often.
        let nested_every = depth.nested_every * if often { 64 } else { 1 };
        let depth = Depth { nested_every, one_in: scene.one_in, ..depth };
        if let Err(broken) = examine_all(&stage.points(), depth, tally) {
            return Some((play, broken));
        }
        if !more {
            break;
        }
    }
    None
}

/// Examines what may be left at each of these moments, on all cores.
fn examine_all(points: &[(CrashPoint, Ledger)], depth: Depth, tally: &Mutex<Tally>) -> Result<(), Broken> {
    tally.lock().unwrap().points += points.len() as u64;
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let work = || {
        while let Some((point, ledger)) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
            let promises = format!("{ledger:?}");
            point.survivors(depth.seed, &mut |survivor| {
                let digest = survivor.digest();
                if !depth.draws(&digest, depth.one_in) {
                    return;
                }
                if failed.lock().unwrap().is_some() || !is_new(digest, &promises, tally, false) {
                    return;
                }
                let examined = examine_one(&survivor, digest, ledger, depth, tally);
                if let Some(broken) = examined.err().and_then(|broken| depth.counted(broken)) {
                    failed.lock().unwrap().get_or_insert(broken);
                }
            });
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    failed.into_inner().unwrap().map_or(Ok(()), Err)
}

/// Examines one state; of some, the recovery is crashed again.
fn examine_one(
    survivor: &Survivor,
    digest: [u8; 32],
    ledger: &Ledger,
    depth: Depth,
    tally: &Mutex<Tally>,
) -> Result<(), Broken> {
    // Not the draw by which it was chosen.
    let nested = depth.nested_every > 0 && depth.draws(&digest[8..], depth.nested_every);
    if !nested {
        return recover(survivor, ledger, 1);
    }
    let stage = Stage::on(survivor.restart(), ledger.clone());
    guarded(|| examine(&stage.base, &subject(1), &stage.recorder.ledger))?;
    for (point, ledger) in stage.points() {
        let promises = format!("{ledger:?}");
        let mut failed = None;
        point.survivors(depth.seed, &mut |second| {
            if failed.is_none() && is_new(second.digest(), &promises, tally, true) {
                failed = recover(&second, &ledger, 2).err();
            }
        });
        if let Some(broken) = failed {
            return Err(broken);
        }
    }
    Ok(())
}

/// Goes on with what the last of so many power losses left.
fn recover(survivor: &Survivor, ledger: &Ledger, power_losses: u32) -> Result<(), Broken> {
    let base: Arc<dyn Storage> = Arc::new(survivor.restart());
    guarded(|| examine(&base, &subject(power_losses), &Mutex::new(ledger.clone())))
}

/// Whether this state was not examined yet with these promises; counts it.
fn is_new(content: [u8; 32], promises: &str, tally: &Mutex<Tally>, nested: bool) -> bool {
    let promises = blake3::Hasher::new().update(&content).update(promises.as_bytes()).finalize();
    let mut tally = tally.lock().unwrap();
    if tally.distinct.insert(content) && nested {
        tally.nested += 1;
    }
    tally.examined.insert(promises.into())
}

/// A panic is a broken promise like any other.
fn guarded<T>(work: impl FnOnce() -> Result<T, Broken>) -> Result<T, Broken> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Broken { promise: "nothing panics", found: text.unwrap_or_default() })
    })
}

/// Straight to the stream: the harness holds back what the printing macros write.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
