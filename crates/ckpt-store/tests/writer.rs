//! Saving in the background: what becomes of a save while another is held up in its middle, and whom a failure reaches.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use ckpt_format::{Event, Metadata, Position, Selector, Status, Timestamp};
use ckpt_store::storage::{Local, Storage};
use ckpt_store::{
    Arena, BackgroundWriter, Counters, Deletion, Error, Job, Note, Outlook, Run, RunOptions, SaveOutcome,
    Section, Snapshot, Submitted, WhenBusy, WriterOptions,
};

use self::dice::Dice;
use self::hooked::Hooked;

#[path = "rig/dice.rs"]
mod dice;
#[path = "rig/hooked.rs"]
mod hooked;

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Long enough that what does not wait would be done.
const A_WHILE: Duration = Duration::from_millis(50);

fn clock() -> Timestamp {
    Timestamp::from_millis(1_763_210_096_789)
}

/// Where a save is held up, just before its file gets its name.
#[derive(Default)]
struct Gate {
    /// Whether it is closed, and how many stand at it.
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Gate {
    fn close(&self) {
        self.state.lock().unwrap().0 = true;
    }

    fn open(&self) {
        self.state.lock().unwrap().0 = false;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.1 += 1;
        self.changed.notify_all();
        let (mut state, timeout) = self.changed.wait_timeout_while(state, PATIENCE, |state| state.0).unwrap();
        assert!(!timeout.timed_out(), "the gate was never opened");
        state.1 -= 1;
    }

    /// Until a save stands at it.
    fn wait(&self) {
        let state = self.state.lock().unwrap();
        let (_state, timeout) =
            self.changed.wait_timeout_while(state, PATIENCE, |state| state.1 == 0).unwrap();
        assert!(!timeout.timed_out(), "no save came to the gate");
    }
}

/// A run on real files whose saves can be held up, and made to fail.
struct Scene {
    _root: tempfile::TempDir,
    run: Arc<Run>,
    gate: Arc<Gate>,
    /// So many of the next saves fail.
    failing: Arc<AtomicUsize>,
}

impl Scene {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let local: Arc<dyn Storage> = Arc::new(Local::open(root.path()).unwrap());
        let (gate, failing) = (Arc::new(Gate::default()), Arc::new(AtomicUsize::new(0)));
        let hooks = (Arc::clone(&gate), Arc::clone(&failing));
        let storage = Hooked::over(&local, move |operation, path| {
            if operation != "rename" || !is_checkpoint(path) {
                return Ok(());
            }
            let (gate, failing) = &hooks;
            gate.pass();
            let left = failing.load(Ordering::SeqCst);
            failing.store(left.saturating_sub(1), Ordering::SeqCst);
            if left > 0 { Err(io::Error::other("the medium failed")) } else { Ok(()) }
        });
        let (kind, name) = ("tests".parse().unwrap(), "run".parse().unwrap());
        let run = Run::create_on(storage, root.path(), &kind, &name, RunOptions::new(clock)).unwrap();
        let run = Arc::new(run);
        Self { _root: root, run, gate, failing }
    }

    fn start(&self, when_busy: WhenBusy) -> BackgroundWriter {
        self.start_with(when_busy, |_, _| ())
    }

    fn start_with(
        &self,
        when_busy: WhenBusy,
        after: impl FnMut(&Run, &SaveOutcome) + Send + 'static,
    ) -> BackgroundWriter {
        BackgroundWriter::start(Arc::clone(&self.run), WriterOptions { when_busy }, after).unwrap()
    }

    /// A writer with the first save in flight, held up in its middle.
    fn start_busy(&self, when_busy: WhenBusy) -> BackgroundWriter {
        let writer = self.start(when_busy);
        self.gate.close();
        assert_eq!(writer.submit(job(1), true).unwrap(), Submitted::Queued);
        self.gate.wait();
        writer
    }

    /// Steps of the checkpoints that are there, oldest first.
    fn steps(&self) -> Vec<u64> {
        let entries = self.run.reader().list().unwrap();
        entries.iter().map(|entry| entry.position().unwrap().step.unwrap()).collect()
    }
}

fn is_checkpoint(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "ckpt")
}

/// The save of that step, whose ticket is the step.
fn job(step: u64) -> Job {
    let metadata = Metadata::default().because(Event::Periodic, "a test").at(Position::at(step));
    Job::new(step, metadata, Snapshot::new(vec![Section::owned("state", step.to_le_bytes())]))
}

/// Runs `work` on a thread; what it returns can be received.
fn aside<'s, T: Send + 's>(
    scope: &'s thread::Scope<'s, '_>,
    work: impl FnOnce() -> T + Send + 's,
) -> Receiver<T> {
    let (sender, receiver) = channel();
    scope.spawn(move || {
        // Whoever waited may be gone.
        let _ = sender.send(work());
    });
    receiver
}

/// The tickets that failed, and what was submitted with that call.
fn failed(error: Error) -> (Vec<u64>, Option<Submitted>) {
    match error {
        Error::Background { failures, submitted } => {
            (failures.iter().map(|failure| failure.ticket).collect(), submitted)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn wait_queues_one_and_holds_the_next_up_until_there_is_a_place() {
    let scene = Scene::new();
    let writer = scene.start_busy(WhenBusy::Wait);
    assert_eq!(writer.outlook(true), Outlook::Queue);
    assert_eq!(writer.submit(job(2), true).unwrap(), Submitted::Queued);
    assert_eq!((writer.outlook(true), writer.outlook(false)), (Outlook::Wait, Outlook::Wait));
    let taken = AtomicBool::new(false);
    thread::scope(|scope| {
        let third = aside(scope, || {
            writer.submit_with(true, || {
                taken.store(true, Ordering::SeqCst);
                Ok(job(3))
            })
        });
        assert!(third.recv_timeout(A_WHILE).is_err(), "the third did not wait");
        assert!(!taken.load(Ordering::SeqCst), "the third was copied before there was a place for it");
        scene.gate.open();
        assert_eq!(third.recv_timeout(PATIENCE).unwrap().unwrap(), Submitted::Queued);
    });
    let counters = writer.close().unwrap();
    assert!(counters.waited_us >= 1_000, "{counters:?}");
    assert_eq!(
        Counters { waited_us: 0, ..counters },
        Counters { submitted: 3, saved: 3, ..Counters::default() }
    );
    assert_eq!(scene.steps(), [1, 2, 3]);
}

#[test]
fn skip_saves_nothing_that_may_be_dropped_while_one_is_in_flight() {
    let scene = Scene::new();
    let writer = scene.start_busy(WhenBusy::Skip);
    assert_eq!((writer.outlook(true), writer.outlook(false)), (Outlook::Skip, Outlook::Queue));
    let never = || panic!("a snapshot was taken of what is skipped");
    assert_eq!(writer.submit_with(true, never).unwrap(), Submitted::Skipped);
    assert_eq!(writer.submit(job(3), false).unwrap(), Submitted::Queued);
    assert_eq!(writer.submit(job(4), true).unwrap(), Submitted::Skipped);
    assert_eq!(writer.outlook(false), Outlook::Wait);
    thread::scope(|scope| {
        let urgent = aside(scope, || writer.submit(job(5), false));
        assert!(urgent.recv_timeout(A_WHILE).is_err(), "an urgent one did not wait");
        scene.gate.open();
        assert_eq!(urgent.recv_timeout(PATIENCE).unwrap().unwrap(), Submitted::Queued);
    });
    writer.flush().unwrap();
    assert_eq!(writer.submit(job(6), true).unwrap(), Submitted::Queued);
    let counters = writer.close().unwrap();
    assert_eq!((counters.submitted, counters.saved, counters.skipped, counters.replaced), (6, 4, 2, 0));
    assert_eq!(scene.steps(), [1, 3, 5, 6]);
}

#[test]
fn replace_takes_the_place_of_one_that_may_be_dropped_and_of_no_other() {
    let scene = Scene::new();
    let writer = scene.start_busy(WhenBusy::Replace);
    assert_eq!(writer.submit(job(2), true).unwrap(), Submitted::Queued);
    assert_eq!((writer.outlook(true), writer.outlook(false)), (Outlook::Replace, Outlook::Replace));
    assert_eq!(writer.submit(job(3), true).unwrap(), Submitted::Replaced { ticket: 2 });
    assert_eq!(writer.submit(job(4), false).unwrap(), Submitted::Replaced { ticket: 3 });
    assert_eq!((writer.outlook(true), writer.outlook(false)), (Outlook::Wait, Outlook::Wait));
    thread::scope(|scope| {
        let next = aside(scope, || writer.submit(job(5), true));
        assert!(next.recv_timeout(A_WHILE).is_err(), "an urgent one was replaced");
        scene.gate.open();
        assert_eq!(next.recv_timeout(PATIENCE).unwrap().unwrap(), Submitted::Queued);
    });
    let counters = writer.close().unwrap();
    assert_eq!((counters.submitted, counters.saved, counters.skipped, counters.replaced), (5, 3, 0, 2));
    assert_eq!(scene.steps(), [1, 4, 5]);
}

/// Nothing that the step of a learner asks of a run may wait for the save in flight: it has one lock from its beginning to its
/// end, and the notices and the size of the last checkpoint were once behind it.
#[test]
fn what_is_asked_of_the_run_meanwhile_does_not_wait_for_the_save_in_flight() {
    let scene = Scene::new();
    let writer = scene.start_busy(WhenBusy::Wait);
    thread::scope(|scope| {
        let asked = aside(scope, || {
            scene.run.note(Note::Finished { status: Status::Completed, final_state: None, reason: None });
            let known = (scene.run.take_notices(), scene.run.last_stored_bytes(), scene.run.epoch());
            scene.run.space().unwrap();
            assert_eq!(scene.run.reader().list().unwrap(), []);
            (known, writer.take_outcomes().len(), writer.counters().saved)
        });
        let asked = asked.recv_timeout(PATIENCE);
        scene.gate.open();
        assert_eq!(asked.unwrap(), ((Vec::new(), 0, 0), 0, 0));
    });
    writer.close().unwrap();
    assert!(scene.run.last_stored_bytes() > 0);
}

#[test]
fn a_failure_reaches_the_next_call_once_and_takes_nothing_from_the_save_it_is_told_with() {
    let scene = Scene::new();
    let writer = scene.start(WhenBusy::Wait);
    scene.failing.store(2, Ordering::SeqCst);
    scene.gate.close();
    writer.submit(job(1), true).unwrap();
    scene.gate.wait();
    writer.submit(job(2), true).unwrap();
    scene.gate.open();
    while writer.counters().failed < 2 {
        thread::sleep(Duration::from_millis(1));
    }
    let error = writer.submit(job(3), true).unwrap_err();
    assert_eq!(error.code(), "io");
    assert!(
        error.to_string().contains("save 1: ") && error.to_string().contains("the medium failed"),
        "{error}"
    );
    assert_eq!(failed(error), (vec![1, 2], Some(Submitted::Queued)));
    writer.flush().unwrap();
    assert_eq!(scene.steps(), [3]);
    scene.failing.store(1, Ordering::SeqCst);
    assert_eq!(writer.submit(job(4), true).unwrap(), Submitted::Queued);
    assert_eq!(failed(writer.flush().unwrap_err()), (vec![4], None));
    writer.flush().unwrap();
    scene.failing.store(1, Ordering::SeqCst);
    assert_eq!(writer.submit(job(5), true).unwrap(), Submitted::Queued);
    assert_eq!(failed(writer.close().unwrap_err()), (vec![5], None));
    assert_eq!(scene.run.take_notices(), [""; 0]);
}

#[test]
fn outcomes_can_be_taken_each_once_and_a_failure_that_was_taken_is_not_told_again() {
    let scene = Scene::new();
    let writer = scene.start(WhenBusy::Wait);
    writer.submit(job(1), true).unwrap();
    writer.flush().unwrap();
    scene.failing.store(1, Ordering::SeqCst);
    writer.submit(job(2), true).unwrap();
    while writer.counters().failed == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    let outcomes = writer.take_outcomes();
    let [first, second] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!((first.ticket, first.result.as_ref().unwrap().sequence), (1, 1));
    assert_eq!((second.ticket, second.result.as_ref().unwrap_err().code()), (2, "io"));
    assert!(writer.take_outcomes().is_empty());
    assert_eq!(writer.submit(job(3), true).unwrap(), Submitted::Queued);
    let counters = writer.close().unwrap();
    assert_eq!((counters.submitted, counters.saved, counters.failed), (3, 2, 1));
}

/// What is queued when a learner returns early is saved before the learner is gone.
#[test]
fn dropping_waits_for_what_is_in_flight_and_for_what_is_queued() {
    let scene = Scene::new();
    let writer = scene.start_busy(WhenBusy::Wait);
    writer.submit(job(2), true).unwrap();
    thread::scope(|scope| {
        let dropped = aside(scope, move || drop(writer));
        assert!(dropped.recv_timeout(A_WHILE).is_err(), "dropping did not wait");
        assert_eq!(scene.steps(), [0; 0]);
        scene.gate.open();
        dropped.recv_timeout(PATIENCE).unwrap();
    });
    assert_eq!(scene.steps(), [1, 2]);
}

#[test]
fn a_failure_that_nobody_asked_for_before_the_drop_is_a_notice_of_the_run() {
    let scene = Scene::new();
    let writer = scene.start(WhenBusy::Wait);
    scene.failing.store(1, Ordering::SeqCst);
    writer.submit(job(1), true).unwrap();
    drop(writer);
    let notices = scene.run.take_notices();
    assert!(matches!(&notices[..], [notice] if notice.contains("save 1: ")), "{notices:?}");
}

#[test]
fn a_state_that_cannot_be_taken_queues_nothing() {
    let scene = Scene::new();
    let writer = scene.start(WhenBusy::Wait);
    let refused = || {
        let sections = vec![Section::reader("stream", io::empty())];
        Ok(Job::new(1, Metadata::default(), Arena::new().snapshot(sections)?))
    };
    let error = writer.submit_with(false, refused).unwrap_err();
    assert!(matches!(&error, Error::Refused { section, .. } if section == "stream"), "{error}");
    assert_eq!(writer.close().unwrap(), Counters::default());
}

#[test]
fn the_hook_sees_each_save_on_the_writers_thread_and_may_prune() {
    let scene = Scene::new();
    let (seen, outcomes) = channel();
    let writer = scene.start_with(WhenBusy::Wait, move |run, outcome| {
        let entries = run.reader().list().unwrap();
        if let [oldest, _, ..] = &entries[..] {
            let deletion = Deletion { file_name: oldest.file_name.clone(), reason: "a test".into() };
            run.delete(&[deletion]).unwrap();
        }
        let sequence = outcome.result.as_ref().map_or(0, |saved| saved.sequence);
        seen.send((thread::current().name().map(str::to_owned), outcome.ticket, sequence)).unwrap();
    });
    for step in 1..=4 {
        scene.failing.store(usize::from(step == 3), Ordering::SeqCst);
        let submitted = writer.submit(job(step), true);
        assert_eq!(submitted.unwrap(), Submitted::Queued);
        assert_eq!(writer.flush().is_err(), step == 3);
    }
    let name = || Some("ckpt-writer".to_owned());
    let seen: Vec<_> = outcomes.try_iter().collect();
    assert_eq!(seen, [(name(), 1, 1), (name(), 2, 2), (name(), 3, 0), (name(), 4, 4)]);
    assert_eq!(scene.steps(), [4]);
}

#[test]
fn a_panic_of_the_hook_is_a_failure_of_its_save_and_the_writer_goes_on() {
    let scene = Scene::new();
    let writer = scene.start_with(WhenBusy::Wait, |_, outcome| {
        assert!(outcome.ticket != 1, "the hook failed");
    });
    writer.submit(job(1), true).unwrap();
    let error = writer.flush().unwrap_err();
    assert!(error.to_string().contains("the hook after saving panicked: the hook failed"), "{error}");
    assert_eq!(failed(error), (vec![1], None));
    writer.submit(job(2), true).unwrap();
    let counters = writer.close().unwrap();
    assert_eq!((counters.saved, counters.failed, counters.hook_panics), (2, 0, 1));
    assert_eq!(scene.steps(), [1, 2]);
}

/// A panic whose value panics when it is dropped gets past everything that catches the first.
#[test]
fn when_the_thread_is_gone_nobody_waits_and_every_save_is_accounted_for() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the bomb");
        }
    }
    let scene = Scene::new();
    let writer = scene.start_with(WhenBusy::Wait, |_, _| std::panic::panic_any(Bomb));
    scene.gate.close();
    writer.submit(job(1), true).unwrap();
    scene.gate.wait();
    writer.submit(job(2), true).unwrap();
    thread::scope(|scope| {
        let third = aside(scope, || writer.submit(job(3), false));
        assert!(third.recv_timeout(A_WHILE).is_err(), "there was a place");
        scene.gate.open();
        let error = third.recv_timeout(PATIENCE).unwrap().unwrap_err();
        assert!(error.to_string().contains("the writer's thread is gone"), "{error}");
        assert_eq!(failed(error), (vec![1, 2, 3], None));
    });
    assert_eq!(failed(writer.submit(job(4), true).unwrap_err()), (vec![4], None));
    writer.flush().unwrap();
    let counters = writer.close().unwrap();
    assert_eq!((counters.submitted, counters.failed), (4, 4));
}

#[test]
fn a_hook_that_would_wait_for_its_own_writer_is_told() {
    let scene = Scene::new();
    let (told, answers) = channel();
    let own: Arc<Mutex<Option<BackgroundWriter>>> = Arc::default();
    let writer = Arc::clone(&own);
    let hook = move |_: &Run, _: &SaveOutcome| {
        let writer = writer.lock().unwrap();
        let writer = writer.as_ref().unwrap();
        told.send((writer.submit(job(9), false), writer.flush())).unwrap();
    };
    {
        let mut place = own.lock().unwrap();
        let writer = place.insert(scene.start_with(WhenBusy::Wait, hook));
        writer.submit(job(1), true).unwrap();
    }
    let (submitted, flushed) = answers.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(submitted, Err(Error::Invalid { .. })), "{submitted:?}");
    assert!(matches!(flushed, Err(Error::Invalid { .. })), "{flushed:?}");
    let writer = own.lock().unwrap().take().unwrap();
    writer.close().unwrap();
}

/// A snapshot is what was there when it was taken, whatever the learner does while it is being written.
#[test]
fn what_is_saved_is_what_was_there_when_it_was_taken() {
    let scene = Scene::new();
    let (arena, mut weights) = (Arena::new(), vec![0_u8; 9 << 20]);
    let writer = scene.start(WhenBusy::Wait);
    for step in 1..=5_u8 {
        weights.fill(step);
        let submitted = writer.submit_with(true, || {
            let snapshot = arena.snapshot(vec![Section::raw("weights", &weights)])?;
            Ok(Job { snapshot, ..job(step.into()) })
        });
        assert_eq!(submitted.unwrap(), Submitted::Queued);
    }
    weights.fill(0);
    for outcome in {
        writer.flush().unwrap();
        writer.take_outcomes()
    } {
        let saved = outcome.result.unwrap();
        assert!(saved.costs.snapshot_us > 0, "{:?}", saved.costs);
        let loaded = scene.run.load(&Selector::Sequence(saved.sequence)).unwrap();
        let bytes = loaded.value.bytes("weights").unwrap();
        assert!(bytes.len() == 9 << 20 && bytes.iter().all(|byte| u64::from(*byte) == outcome.ticket));
    }
}

/// Threads submit what may be dropped and what may not, and some of it fails: everything is accounted for, in its order, and
/// nothing is lost that must not be.
#[test]
fn whoever_submits_everything_is_accounted_for() {
    const THREADS: u64 = 3;
    const EACH: u64 = 40;
    let mut dice = Dice::printed("writer");
    for when_busy in [WhenBusy::Wait, WhenBusy::Skip, WhenBusy::Replace] {
        let scene = Scene::new();
        let writer = scene.start(when_busy);
        let told = Mutex::new(Vec::new());
        let dropped = Mutex::new(BTreeSet::new());
        let submit = |step: u64, may_drop: bool| {
            let submitted = match writer.submit(job(step), may_drop) {
                Ok(submitted) => submitted,
                Err(error) => {
                    let (failed, submitted) = failed(error);
                    told.lock().unwrap().extend(failed);
                    submitted.unwrap()
                }
            };
            let gone = match submitted {
                Submitted::Queued => return,
                Submitted::Skipped => step,
                Submitted::Replaced { ticket } => ticket,
            };
            assert!(dropped.lock().unwrap().insert(gone), "{gone} was dropped twice");
        };
        let plans: Vec<Vec<(u64, bool, bool)>> = (0..THREADS)
            .map(|thread| {
                let step = |index| (thread * EACH + index + 1, dice.up_to(2) > 0, dice.up_to(9) == 0);
                (0..EACH).map(step).collect()
            })
            .collect();
        thread::scope(|scope| {
            for plan in &plans {
                let (submit, failing) = (&submit, &scene.failing);
                scope.spawn(move || {
                    for (step, may_drop, fail) in plan {
                        if *fail {
                            failing.store(1, Ordering::SeqCst);
                        }
                        submit(*step, *may_drop);
                    }
                });
            }
        });
        if let Err(error) = writer.flush() {
            told.lock().unwrap().extend(failed(error).0);
        }
        let counters = writer.counters();
        writer.close().unwrap();
        let (told, dropped) = (told.into_inner().unwrap(), dropped.into_inner().unwrap());
        let told_once: BTreeSet<u64> = told.iter().copied().collect();
        let saved: BTreeSet<u64> = scene.steps().into_iter().collect();
        assert_eq!(told.len(), told_once.len(), "a failure was told twice");
        let all: BTreeSet<u64> = saved.iter().chain(&told_once).chain(&dropped).copied().collect();
        assert_eq!(all.len() as u64, THREADS * EACH, "{when_busy:?}: something is not accounted for");
        assert_eq!(saved.len() + told.len() + dropped.len(), all.len(), "{when_busy:?}");
        for (step, may_drop, _) in plans.iter().flatten() {
            assert!(*may_drop || !dropped.contains(step), "{when_busy:?}: {step} was dropped");
        }
        for plan in &plans {
            let own: Vec<u64> = scene
                .steps()
                .into_iter()
                .filter(|step| plan.iter().any(|planned| planned.0 == *step))
                .collect();
            assert!(own.is_sorted(), "{when_busy:?}: {own:?}");
        }
        assert_eq!(counters.submitted, THREADS * EACH);
        assert_eq!(counters.saved, saved.len() as u64);
        assert_eq!(counters.failed, told.len() as u64);
        assert_eq!(counters.skipped + counters.replaced, dropped.len() as u64);
        assert!(when_busy != WhenBusy::Wait || dropped.is_empty());
    }
}
