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
        let depth = Depth { seed: dice.up_to(u64::MAX - 1), nested_every, stride };
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

/// The scene that shows each bug. A proof that does not find them proves nothing.
const CONVICTIONS: [(Planted, &str); 16] = [
    (Planted::NoFileSync, "save"),
    (Planted::NoDirectorySync, "save"),
    (Planted::NoParentSync, "create"),
    (Planted::RenameBeforeSync, "save"),
    (Planted::InPlaceWrite, "save"),
    (Planted::FixedTempName, "a pin meanwhile"),
    (Planted::ReplacingRename, "the name is taken"),
    (Planted::SyncRetried, "a sync fails"),
    (Planted::ShortWriteIgnored, "a close fails, or the medium is full"),
    (Planted::CloseErrorIgnored, "a close fails, or the medium is full"),
    (Planted::StagingSweptByAge, "a second writer knocks"),
    (Planted::DeleteBeforeDurable, "save and delete, nothing settled"),
    (Planted::LogNotSynced, "delete"),
    (Planted::SequenceReused, "set aside"),
    (Planted::DuplicateSequence, "a second writer knocks"),
    (Planted::LockNotRechecked, "overtaken while deleting"),
];

#[test]
fn every_planted_bug_is_convicted() {
    let started = Instant::now();
    let mut missed: Vec<Planted> =
        PLANTED.into_iter().filter(|bug| CONVICTIONS.iter().all(|(named, _)| named != bug)).collect();
    for (bug, name) in CONVICTIONS {
        let scene = SCENES.iter().find(|scene| scene.name == name).unwrap();
        let depth = Depth { seed: 1, nested_every: 0, stride: 1 };
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
/// first promise that was broken, and in which play.
fn perform(scene: &Scene, bug: Option<Planted>, depth: Depth, tally: &Mutex<Tally>) -> Option<(u64, Broken)> {
    let often = scene.plays > 1;
    let first = if often { depth.seed % depth.stride } else { 0 };
    for play in (first..scene.plays).step_by(depth.stride as usize) {
        let stage = Stage::new(bug);
        let played = guarded(|| (scene.play)(&stage, play));
        let more = match played {
            Err(broken) => return Some((play, broken)),
            Ok(more) => more,
        };
        // What is played often is crashed again less often.
        let nested_every = depth.nested_every * if often { 64 } else { 1 };
        if let Err(broken) = examine_all(&stage.points(), Depth { nested_every, ..depth }, tally) {
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
                if failed.lock().unwrap().is_some() || !is_new(digest, &promises, tally, false) {
                    return;
                }
                if let Err(broken) = examine_one(&survivor, digest, ledger, depth, tally) {
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
    let draw = u64::from_le_bytes(*digest.first_chunk().unwrap()) ^ depth.seed;
    if depth.nested_every == 0 || !draw.is_multiple_of(depth.nested_every) {
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
