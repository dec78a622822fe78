//! Where a scene plays: a run on a journaled medium, every change of which is a moment at which the power may fail.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ckpt_format::{Entry, Metadata, Position, Timestamp, Writer};
use ckpt_store::storage::{CrashPoint, Memory, Planted, Storage};
use ckpt_store::testing::{Observed, Observer, Operation, Verb};
use ckpt_store::{Deletion, Epoch, Error, Loaded, Pins, Run, RunOptions, Saved, Section, Sections};

use crate::ledger::{Broken, Ledger, Order, works};
use crate::promises::Subject;

/// The run's directory beneath the medium's.
pub(crate) const RUN: &str = "tests/run";
/// The step that is saved afterwards.
const NEW_STEP: u64 = 1_000_000;
/// From this step on a state takes several writes.
pub(crate) const LARGE: u64 = 2_000_000;

/// A medium, what was promised of it, and the moments at which its power may fail.
pub(crate) struct Stage {
    pub(crate) memory: Memory,
    /// The medium's own directory, observed.
    pub(crate) base: Arc<dyn Storage>,
    pub(crate) recorder: Arc<Recorder>,
}

/// Keeps the ledger, and a copy of what is durable before each change.
pub(crate) struct Recorder {
    memory: Memory,
    pub(crate) ledger: Mutex<Ledger>,
    points: Mutex<Vec<(CrashPoint, Ledger)>>,
    meanwhile: Mutex<Meanwhile>,
}

/// Something that happens once, before a certain change.
#[derive(Default)]
struct Meanwhile {
    changes: u64,
    at: u64,
    act: Option<Act>,
}

/// What happens then; it is told before which change.
type Act = Box<dyn FnOnce(&Operation<'_>) + Send>;

impl Stage {
    pub(crate) fn new(bug: Option<Planted>) -> Self {
        let stage = Self::on(Memory::journaled(), Ledger::default());
        stage.memory.plant(bug);
        stage
    }

    /// A stage on what a power loss left.
    pub(crate) fn on(memory: Memory, ledger: Ledger) -> Self {
        let recorder = Arc::new(Recorder {
            memory: memory.clone(),
            ledger: Mutex::new(ledger),
            points: Mutex::default(),
            meanwhile: Mutex::default(),
        });
        let base = Arc::new(Observed::new(Arc::new(memory.clone()), recorder.clone()));
        Self { memory, base, recorder }
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.recorder.ledger.lock().unwrap()
    }

    /// The moments so far and this one, each with what was promised by then.
    pub(crate) fn points(&self) -> Vec<(CrashPoint, Ledger)> {
        self.recorder.mark();
        std::mem::take(&mut *self.recorder.points.lock().unwrap())
    }

    /// Makes all that was done durable, and forgets the moments before.
    pub(crate) fn settle(&self) {
        self.memory.settle();
        self.forget();
    }

    /// Forgets the moments so far; what was done stays as durable as it is.
    pub(crate) fn forget(&self) {
        self.recorder.points.lock().unwrap().clear();
    }

    /// Lets something happen before the change of that number from now on.
    pub(crate) fn meanwhile(&self, at: u64, act: impl FnOnce(&Operation<'_>) + Send + 'static) {
        *self.recorder.meanwhile.lock().unwrap() = Meanwhile { changes: 0, at, act: Some(Box::new(act)) };
    }

    /// Whether it has happened.
    pub(crate) fn happened(&self) -> bool {
        self.recorder.meanwhile.lock().unwrap().act.is_none()
    }

    /// A run with so many checkpoints, of steps 1, 2, 3 ...
    pub(crate) fn run(&self, saves: u64) -> Result<Run, Broken> {
        let run = works(create(&self.base), "a run can be made")?;
        self.ledger().created = true;
        for step in 1..=saves {
            works(self.save(&run, step), "without a fault a save works")?;
        }
        Ok(run)
    }

    pub(crate) fn open(&self, options: RunOptions) -> ckpt_store::Result<Run> {
        Run::open_on(self.directory(), RUN, options)
    }

    pub(crate) fn pins(&self) -> ckpt_store::Result<Pins> {
        Pins::on(self.directory(), RUN, &options())
    }

    pub(crate) fn directory(&self) -> Arc<dyn Storage> {
        self.base.descend(RUN).expect("a stage without a fault has its run")
    }

    pub(crate) fn save(&self, run: &Run, step: u64) -> ckpt_store::Result<Saved> {
        self.ledger().submitted.insert(step);
        let outcome = save(run, step);
        let answer = outcome.as_ref().map(|saved| (saved.epoch, saved.sequence)).map_err(Error::code);
        self.ledger().answered(step, answer);
        self.recorder.mark();
        outcome
    }

    /// Deletes the checkpoints of these numbers.
    pub(crate) fn delete(&self, run: &Run, sequences: &[u64]) -> ckpt_store::Result<()> {
        let mut doomed = run.reader().list()?;
        doomed.retain(|entry| sequences.contains(&entry.sequence));
        self.ledger().doomed.extend(doomed.iter().map(Entry::order));
        let deletion =
            |entry: &Entry| Deletion { file_name: entry.file_name.clone(), reason: "the scene".to_owned() };
        let deleted = run.delete(&doomed.iter().map(deletion).collect::<Vec<_>>())?;
        doomed.retain(|entry| deleted.file_names.contains(&entry.file_name));
        self.ledger().gone.extend(doomed.iter().map(Entry::order));
        self.recorder.mark();
        Ok(())
    }

    pub(crate) fn pin(&self, run: &Run, sequence: u64) -> ckpt_store::Result<()> {
        self.ledger().unpinned.remove(&sequence);
        // Whether it was pinned before or not: from now on it is.
        run.pin(sequence, Some("the scene"))?;
        self.ledger().pinned.insert(sequence);
        self.recorder.mark();
        Ok(())
    }

    pub(crate) fn unpin(&self, run: &Run, sequence: u64) -> ckpt_store::Result<()> {
        self.ledger().pinned.remove(&sequence);
        run.unpin(sequence)?;
        self.ledger().unpinned.insert(sequence);
        self.recorder.mark();
        Ok(())
    }

    /// Flips a bit in the payload of a checkpoint, durably.
    pub(crate) fn damage(&self, run: &Run, sequence: u64) -> Result<(), Broken> {
        const PAYLOAD: u64 = 4_096;
        let entries = works(run.reader().list(), "listing always succeeds")?;
        for entry in entries.iter().filter(|entry| entry.sequence == sequence) {
            let directory = self.memory.descend(RUN).unwrap();
            let mut file = directory.open(&entry.file_name, ckpt_store::storage::Access::Write).unwrap();
            let mut byte = [0];
            file.read_at(PAYLOAD, &mut byte).unwrap();
            file.write_at(PAYLOAD, &[byte[0] ^ 1]).unwrap();
            self.ledger().damaged.insert(entry.order());
        }
        self.settle();
        Ok(())
    }
}

impl Recorder {
    /// A pin that somebody else's call has returned.
    pub(crate) fn promise_pin(&self, sequence: u64) {
        self.ledger.lock().unwrap().pinned.insert(sequence);
    }

    /// A save that somebody else's call has returned.
    pub(crate) fn promise(&self, order: Order, step: u64) {
        self.ledger.lock().unwrap().acknowledged.insert(order, step);
    }

    /// Notes this moment.
    fn mark(&self) {
        let point = (self.memory.crash_point(), self.ledger.lock().unwrap().clone());
        self.points.lock().unwrap().push(point);
    }
}

impl Observer for Recorder {
    fn before(&self, operation: &Operation<'_>) -> std::io::Result<()> {
        if !operation.verb.changes() || operation.verb == Verb::Reveal {
            return Ok(());
        }
        self.mark();
        let act = {
            let mut meanwhile = self.meanwhile.lock().unwrap();
            meanwhile.changes += 1;
            let now = meanwhile.changes > meanwhile.at;
            if now { meanwhile.act.take() } else { None }
        };
        if let Some(act) = act {
            // What may be left before it is another scene's matter.
            self.points.lock().unwrap().clear();
            act(operation);
        }
        Ok(())
    }
}

pub(crate) fn options() -> RunOptions {
    RunOptions {
        epoch: Epoch::Current,
        lock_wait: Duration::ZERO,
        reserve: false,
        writer: Some(writer(1)),
        ..RunOptions::new(|| Timestamp::from_millis(1_763_210_096_789))
    }
}

pub(crate) fn writer(pid: u32) -> Writer {
    Writer { host: "stage".to_owned(), pid, boot_id: "one start".to_owned() }
}

/// The run as the next writer finds it, after so many power losses: each time the machine starts anew.
pub(crate) fn subject(power_losses: u32) -> Subject {
    let boot_id = if power_losses == 0 { writer(1).boot_id } else { format!("start {power_losses}") };
    Subject {
        run: RUN,
        options: RunOptions { writer: Some(Writer { boot_id, ..writer(1) }), ..options() },
        save,
        step_of,
        new_step: NEW_STEP,
        restarted: power_losses > 0,
    }
}

pub(crate) fn create(base: &Arc<dyn Storage>) -> ckpt_store::Result<Run> {
    subject(0).create(base)
}

pub(crate) fn save(run: &Run, step: u64) -> ckpt_store::Result<Saved> {
    let metadata = Metadata::default().at(Position::at(step));
    run.save(metadata, vec![Section::raw("state", &state(step))])
}

/// The step that what was loaded holds; an error if it is not exactly the state of a step.
fn step_of(loaded: &Loaded<Sections>) -> Result<u64, String> {
    let bytes = loaded.value.bytes("state").ok_or("there is no section `state`")?;
    let step = bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)).ok_or("it is too short")?;
    if bytes == state(step) { Ok(step) } else { Err(format!("it differs from the state of step {step}")) }
}

/// The state of a step: its number and noise, of a length of its own.
fn state(step: u64) -> Vec<u8> {
    let noise = step.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 55;
    let length = if step >= LARGE { 700_000 } else { 200 + noise as usize };
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&step.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes[..8].copy_from_slice(&step.to_le_bytes());
    bytes
}
