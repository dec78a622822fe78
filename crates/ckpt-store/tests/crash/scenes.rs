//! What happens to a run while the power may fail.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ckpt_format::{Selector, Timestamp};
use ckpt_store::storage::{Access, Storage};
use ckpt_store::testing::{Observed, Observer, Operation, Verb};
use ckpt_store::{Epoch, Error, Pins, Run, RunOptions};

use crate::ledger::{Broken, hold, works};
use crate::stage::{LARGE, RUN, Stage, options, save, writer};

/// A play, and how often it is played: each time with another number, until it says that there is nothing more to see.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) plays: u64,
    /// Of so many states that it may leave one is examined, by lot: where there are too many for what they tell.
    pub(crate) one_in: u64,
    pub(crate) play: fn(&Stage, u64) -> Result<bool, Broken>,
}

const ONCE: u64 = 1;
/// More changes than any one call makes.
const EACH_CHANGE: u64 = 200;

pub(crate) const SCENES: [Scene; 25] = [
    Scene { name: "create", plays: ONCE, one_in: 1, play: creating },
    Scene { name: "save", plays: ONCE, one_in: 1, play: saving },
    Scene { name: "save and save, nothing settled", plays: ONCE, one_in: 1, play: saving_on },
    Scene { name: "save in several writes", plays: ONCE, one_in: 1, play: saving_much },
    Scene { name: "save with a reserve", plays: ONCE, one_in: 1, play: saving_with_a_reserve },
    Scene { name: "pin and unpin", plays: ONCE, one_in: 1, play: pinning },
    Scene { name: "delete", plays: ONCE, one_in: 1, play: deleting },
    Scene { name: "delete many, on several threads", plays: ONCE, one_in: 32, play: deleting_many },
    Scene { name: "save and delete, nothing settled", plays: ONCE, one_in: 1, play: deleting_on },
    Scene { name: "set aside", plays: ONCE, one_in: 1, play: setting_aside },
    Scene { name: "prune what was set aside", plays: ONCE, one_in: 1, play: pruning_the_quarantine },
    Scene { name: "import", plays: ONCE, one_in: 1, play: importing },
    Scene { name: "begin an epoch", plays: ONCE, one_in: 1, play: beginning_an_epoch },
    Scene { name: "a second writer knocks", plays: EACH_CHANGE, one_in: 1, play: knocking },
    Scene { name: "a pin meanwhile", plays: EACH_CHANGE, one_in: 1, play: pinning_meanwhile },
    Scene { name: "who pins dies meanwhile", plays: EACH_CHANGE, one_in: 1, play: pinner_dies },
    Scene { name: "overtaken while saving", plays: EACH_CHANGE, one_in: 1, play: overtaken_saving },
    Scene { name: "overtaken while deleting", plays: EACH_CHANGE, one_in: 1, play: overtaken_deleting },
    Scene { name: "the name is taken", plays: EACH_CHANGE, one_in: 1, play: name_taken },
    Scene { name: "killed, and another goes on", plays: EACH_CHANGE, one_in: 1, play: killed },
    Scene { name: "killed, and another deletes", plays: EACH_CHANGE, one_in: 1, play: killed_and_deleting },
    Scene { name: "a sync fails", plays: 20, one_in: 1, play: failing_sync },
    Scene { name: "a sync fails, and another deletes", plays: 4, one_in: 1, play: failing_sync_and_deleting },
    Scene { name: "a sync fails while setting aside", plays: 16, one_in: 1, play: failing_sync_aside },
    Scene { name: "a close fails, or the medium is full", plays: 48, one_in: 1, play: failing_close_or_full },
];

const WORKS: &str = "without a fault everything works";

fn creating(stage: &Stage, _: u64) -> Result<bool, Broken> {
    stage.run(1).map(|_| true)
}

fn saving(stage: &Stage, _: u64) -> Result<bool, Broken> {
    let run = stage.run(1)?;
    stage.settle();
    works(stage.save(&run, 2), WORKS)?;
    stage.settle();
    works(stage.save(&run, 3), WORKS)?;
    Ok(true)
}

fn saving_on(stage: &Stage, _: u64) -> Result<bool, Broken> {
    stage.run(4).map(|_| true)
}

fn saving_much(stage: &Stage, _: u64) -> Result<bool, Broken> {
    let run = stage.run(1)?;
    stage.settle();
    works(stage.save(&run, LARGE), WORKS)?;
    Ok(true)
}

fn saving_with_a_reserve(stage: &Stage, _: u64) -> Result<bool, Broken> {
    drop(stage.run(1)?);
    stage.settle();
    let run = works(stage.open(RunOptions { reserve: true, ..options() }), WORKS)?;
    works(stage.save(&run, 2), WORKS)?;
    works(stage.save(&run, 3), WORKS)?;
    Ok(true)
}

fn pinning(stage: &Stage, _: u64) -> Result<bool, Broken> {
    let run = stage.run(2)?;
    stage.settle();
    works(stage.pin(&run, 1), WORKS)?;
    works(stage.unpin(&run, 1), WORKS)?;
    works(stage.pin(&run, 2), WORKS)?;
    Ok(true)
}

fn deleting(stage: &Stage, _: u64) -> Result<bool, Broken> {
    let run = stage.run(4)?;
    stage.settle();
    works(stage.delete(&run, &[1, 3]), WORKS)?;
    works(stage.save(&run, 5), WORKS)?;
    Ok(true)
}

/// So many that several threads remove them.
fn deleting_many(stage: &Stage, _: u64) -> Result<bool, Broken> {
    const VICTIMS: u64 = 34;
    let run = stage.run(VICTIMS + 2)?;
    stage.settle();
    works(stage.delete(&run, &(1..=VICTIMS).collect::<Vec<_>>()), WORKS)?;
    Ok(true)
}

fn deleting_on(stage: &Stage, _: u64) -> Result<bool, Broken> {
    let run = stage.run(1)?;
    stage.settle();
    for step in 2..=4 {
        works(stage.save(&run, step), WORKS)?;
        works(stage.delete(&run, &[step - 1]), WORKS)?;
    }
    Ok(true)
}

fn setting_aside(stage: &Stage, _: u64) -> Result<bool, Broken> {
    let run = stage.run(3)?;
    stage.damage(&run, 3)?;
    let loaded = works(run.load(&Selector::Latest), WORKS)?;
    hold(loaded.entry.sequence == 2, "damage is stepped over", || format!("{:?}", loaded.entry))?;
    drop(run);
    // Numbers are told by what was set aside, too: 3 must not come again.
    let run = works(stage.open(options()), WORKS)?;
    let saved = works(stage.save(&run, 4), WORKS)?;
    hold(saved.sequence == 4, "a number is never used twice", || format!("{} came again", saved.sequence))?;
    Ok(true)
}

fn pruning_the_quarantine(stage: &Stage, _: u64) -> Result<bool, Broken> {
    let run = stage.run(4)?;
    for newest in [4, 3] {
        stage.damage(&run, newest)?;
        works(run.load(&Selector::Latest), WORKS)?;
    }
    drop(run);
    stage.settle();
    let clock = || Timestamp::from_millis(1_763_210_096_789 + 40 * 24 * 3_600 * 1_000);
    let run = works(stage.open(RunOptions { clock, ..options() }), WORKS)?;
    let left = stage.memory.descend(RUN).and_then(|run| run.list(".quarantine"));
    let left = works(left, WORKS)?;
    hold(left.is_empty(), "what was set aside goes after 30 days", || format!("{left:?}"))?;
    works(stage.save(&run, 5), WORKS)?;
    Ok(true)
}

fn importing(stage: &Stage, _: u64) -> Result<bool, Broken> {
    let run = stage.run(2)?;
    stage.settle();
    let entries = works(run.reader().list(), WORKS)?;
    let first = works(run.reader().open_checkpoint(&entries[0].file_name), WORKS)?;
    let saved = works(run.import(&first, true), WORKS)?;
    stage.ledger().acknowledged.insert((saved.epoch, saved.sequence), 1);
    Ok(true)
}

fn beginning_an_epoch(stage: &Stage, _: u64) -> Result<bool, Broken> {
    drop(stage.run(2)?);
    stage.settle();
    for epoch in [1, 2] {
        let run = works(stage.open(attempt(epoch)), WORKS)?;
        works(stage.save(&run, epoch + 2), WORKS)?;
    }
    Ok(true)
}

/// A second writer is told that the run is locked, and nothing comes of it.
fn knocking(stage: &Stage, at: u64) -> Result<bool, Broken> {
    let run = stage.run(1)?;
    stage.settle();
    let directory = stage.memory.descend(RUN).unwrap();
    stage.ledger().submitted.insert(7);
    stage.meanwhile(at, move |_| {
        if let Ok(second) = Run::open_on(directory, RUN, RunOptions { writer: Some(writer(2)), ..options() })
        {
            let _ = save(&second, 7);
        }
    });
    works(stage.save(&run, 2), "who knocks at a locked run disturbs nobody")?;
    Ok(stage.happened())
}

/// A pin from elsewhere works or is told that the run is being changed; the save is none the worse for it.
fn pinning_meanwhile(stage: &Stage, at: u64) -> Result<bool, Broken> {
    let run = stage.run(1)?;
    stage.settle();
    let pins = works(stage.pins(), WORKS)?;
    let recorder = Arc::clone(&stage.recorder);
    stage.meanwhile(at, move |_| match pins.pin(1, None) {
        Ok(_) => recorder.promise_pin(1),
        Err(Error::Locked { .. }) => {}
        Err(error) => panic!("a pin beside a save: {error}"),
    });
    works(stage.save(&run, 2), WORKS)?;
    Ok(stage.happened())
}

/// Who pins beside a save dies at any change of its own. Whatever it leaves half-done in staging, the save has a file of its own.
fn pinner_dies(stage: &Stage, play: u64) -> Result<bool, Broken> {
    /// More changes than a pin makes.
    const DEATHS: u64 = 14;
    let run = stage.run(1)?;
    stage.settle();
    let doomed = Arc::new(Mortal { changes: AtomicU64::new(0), dies_at: 1 + play % DEATHS });
    let directory: Arc<dyn Storage> = Arc::new(Observed::new(stage.memory.descend(RUN).unwrap(), doomed));
    let pins = works(Pins::on(directory, RUN, &options()), WORKS)?;
    let recorder = Arc::clone(&stage.recorder);
    stage.meanwhile(play / DEATHS, move |_| {
        if pins.pin(1, None).is_ok() {
            recorder.promise_pin(1);
        }
    });
    works(stage.save(&run, 2), "who dies beside a save does it no harm")?;
    Ok(stage.happened())
}

fn overtaken_saving(stage: &Stage, at: u64) -> Result<bool, Broken> {
    let run = stage.run(3)?;
    stage.settle();
    overtaken(stage, at, |stage| stage.save(&run, 4).map(drop))
}

fn overtaken_deleting(stage: &Stage, at: u64) -> Result<bool, Broken> {
    let run = stage.run(3)?;
    stage.settle();
    overtaken(stage, at, |stage| stage.delete(&run, &[1, 2]))
}

/// From the moment at which a higher epoch has saved, the lower one changes no checkpoint.
fn overtaken(
    stage: &Stage,
    at: u64,
    act: impl FnOnce(&Stage) -> ckpt_store::Result<()>,
) -> Result<bool, Broken> {
    let directory = stage.memory.descend(RUN).unwrap();
    let seen = Arc::new(std::sync::Mutex::new(None));
    let (takers, recorder) = (Arc::clone(&seen), Arc::clone(&stage.recorder));
    stage.meanwhile(at, move |_| {
        // One that stands in the middle of a deletion is not overtaken.
        let Ok(taker) = Run::open_on(directory, RUN, attempt(1)) else { return };
        if let Ok(saved) = save(&taker, 5) {
            recorder.promise((saved.epoch, saved.sequence), 5);
        }
        let entries = taker.reader().list().expect("the taker lists its run");
        *takers.lock().unwrap() = Some((taker, entries));
    });
    stage.ledger().submitted.insert(5);
    let outcome = act(stage);
    let happened = stage.happened();
    if let Some((taker, before)) = seen.lock().unwrap().take() {
        let after = works(taker.reader().list(), WORKS)?;
        hold(before == after, "who was overtaken changes nothing", || {
            format!("{outcome:?}: {before:?} became {after:?}")
        })?;
    } else {
        works(outcome, WORKS)?;
    }
    Ok(happened)
}

/// Somebody puts a file where the checkpoint is about to go.
fn name_taken(stage: &Stage, at: u64) -> Result<bool, Broken> {
    const PRECIOUS: &[u8] = b"somebody's own";
    let run = stage.run(1)?;
    stage.settle();
    let directory = stage.memory.descend(RUN).unwrap();
    let put = Arc::new(std::sync::Mutex::new(None));
    let place = Arc::clone(&put);
    stage.meanwhile(at, move |operation| {
        let Some(name) = operation.detail.rsplit('/').next().filter(|_| operation.verb == Verb::Rename)
        else {
            return;
        };
        let mut file = directory.create(name).expect("the name is free");
        file.write_at(0, PRECIOUS).expect("there is room");
        *place.lock().unwrap() = Some(name.to_owned());
    });
    let outcome = stage.save(&run, 2);
    let Some(name) = put.lock().unwrap().take() else { return Ok(stage.happened()) };
    hold(outcome.is_err(), "what has the name stays", || format!("{outcome:?}"))?;
    let directory = stage.memory.descend(RUN).unwrap();
    let mut found = vec![0; PRECIOUS.len()];
    let read = directory.open(&name, Access::Read).and_then(|file| file.read_at(0, &mut found));
    hold(read.is_ok() && found == PRECIOUS, "what has the name stays", || format!("{read:?}"))?;
    works(directory.unlink(&name), WORKS)?;
    stage.settle();
    Ok(true)
}

/// A process dies at any change; the next one goes on with what it sees, which may not be durable; then the power fails.
fn killed(stage: &Stage, at: u64) -> Result<bool, Broken> {
    drop(stage.run(4)?);
    stage.settle();
    let doomed = Arc::new(Mortal { changes: AtomicU64::new(0), dies_at: at });
    let directory: Arc<dyn Storage> = Arc::new(Observed::new(stage.directory(), doomed.clone()));
    if let Ok(run) = Run::open_on(directory, RUN, options()) {
        live(stage, &run, 5, 3);
    }
    stage.forget();
    let run = works(stage.open(options()), "opening always succeeds")?;
    // First what the other may have left half-done.
    works(stage.pin(&run, 3), WORKS)?;
    works(stage.save(&run, 15), WORKS)?;
    works(stage.delete(&run, &[2]), WORKS)?;
    let dead = doomed.changes.load(Ordering::Relaxed) >= at;
    Ok(dead)
}

/// A process dies at any change of a save; the next one, on the same start of the machine, is to delete all but that.
fn killed_and_deleting(stage: &Stage, at: u64) -> Result<bool, Broken> {
    drop(stage.run(3)?);
    stage.settle();
    let doomed = Arc::new(Mortal { changes: AtomicU64::new(0), dies_at: at });
    let directory: Arc<dyn Storage> = Arc::new(Observed::new(stage.directory(), doomed.clone()));
    if let Ok(run) = Run::open_on(directory, RUN, options()) {
        let _ = stage.save(&run, 4);
    }
    delete_all_but_the_newest(stage)?;
    Ok(doomed.changes.load(Ordering::Relaxed) >= at)
}

/// A sync of a save fails; the next one is to delete all but that. It can be seen, and no sync of the next one's makes it last.
fn failing_sync_and_deleting(stage: &Stage, number: u64) -> Result<bool, Broken> {
    let run = stage.run(3)?;
    stage.settle();
    stage.memory.fail_sync(number);
    let outcome = stage.save(&run, 4);
    stage.memory.heal();
    drop(run);
    delete_all_but_the_newest(stage)?;
    Ok(outcome.is_err())
}

/// What nobody knows to be durable is nothing that a deletion may rely on.
fn delete_all_but_the_newest(stage: &Stage) -> Result<(), Broken> {
    stage.forget();
    let run = works(stage.open(options()), "opening always succeeds")?;
    match stage.delete(&run, &[1, 2, 3]) {
        Err(Error::LastVerified { .. }) => works(stage.delete(&run, &[1, 2]), WORKS),
        other => works(other, WORKS),
    }
}

/// Every sync of a life fails once. Who is told so opens the run anew and goes on, with another pin: one that can be seen
/// although its directory could not be synced cannot be made to last by asking for it again.
fn failing_sync(stage: &Stage, number: u64) -> Result<bool, Broken> {
    let mut run = stage.run(4)?;
    stage.settle();
    stage.memory.fail_sync(number);
    for (step, pin) in [(5, 3), (15, 4)] {
        live(stage, &run, step, pin);
        drop(run);
        run = works(stage.open(options()), "opening always succeeds")?;
    }
    Ok(true)
}

/// Every sync fails once while what is damaged is set aside, or while the next one does so. Its number is never used again.
fn failing_sync_aside(stage: &Stage, number: u64) -> Result<bool, Broken> {
    let mut run = stage.run(3)?;
    stage.damage(&run, 3)?;
    stage.memory.fail_sync(number);
    for _ in 0..2 {
        works(run.load(&Selector::Latest), WORKS)?;
        drop(run);
        run = works(stage.open(options()), "opening always succeeds")?;
    }
    stage.memory.heal();
    Ok(true)
}

/// Either the close of a file fails, or there is less and less room.
fn failing_close_or_full(stage: &Stage, number: u64) -> Result<bool, Broken> {
    let run = stage.run(4)?;
    stage.settle();
    if number < 16 {
        stage.memory.fail_close(number);
    } else {
        let space = works(stage.memory.space(), WORKS)?;
        stage.memory.set_capacity(space.total - space.available + (number - 16) * 512);
    }
    live(stage, &run, 5, 3);
    stage.memory.heal();
    stage.memory.set_capacity(1 << 40);
    drop(run);
    let run = works(stage.open(options()), "opening always succeeds")?;
    works(stage.save(&run, 15), "a new save works")?;
    Ok(true)
}

/// What a process does with a run. It goes on after errors, as a careless one would; these are returned.
pub(crate) fn live(stage: &Stage, run: &Run, step: u64, pin: u64) -> Vec<Error> {
    let oldest = run.reader().list().map(|entries| entries.first().map(|entry| entry.sequence));
    let outcomes = [
        stage.pin(run, pin),
        stage.save(run, step).map(drop),
        oldest.and_then(|oldest| oldest.map_or(Ok(()), |oldest| stage.delete(run, &[oldest]))),
        run.load(&Selector::Latest).map(drop),
        stage.save(run, step + 1).map(drop),
        stage.unpin(run, pin),
    ];
    outcomes.into_iter().filter_map(Result::err).collect()
}

/// A process that is dead from a certain change on: nothing of what it would still do happens.
struct Mortal {
    changes: AtomicU64,
    dies_at: u64,
}

impl Observer for Mortal {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let number = match operation.verb.changes() {
            true => self.changes.fetch_add(1, Ordering::Relaxed),
            false => self.changes.load(Ordering::Relaxed),
        };
        if number < self.dies_at { Ok(()) } else { Err(io::Error::other("the process is dead")) }
    }
}

fn attempt(epoch: u64) -> RunOptions {
    RunOptions { epoch: Epoch::Begin(epoch), writer: Some(writer(2)), ..options() }
}
