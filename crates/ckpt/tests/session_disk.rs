//! What a session does on a disk that fills up, fails or cannot say how full it is: the old set stays, what matters most is saved
//! longest, every change is told once, and an error of a save in the background reaches the caller.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ckpt::storage::{Memory, Storage};
use ckpt::{
    Direction, Error, Event, Grace, Json, Level, LogEvent, LogLine, Monitor, Note, Notice, Reserve, Run,
    RunOptions, RunReader, Selector, Session, SessionOptions, Status, Step, Stop, StopReason, Timestamp,
    WhenBusy,
};
use ckpt_store::testing::{Observed, Observer, Operation, Verb};

const RESERVE: u64 = 1_000_000;

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn run_on(storage: Arc<dyn Storage>) -> Run {
    let name = |text: &str| text.parse().unwrap();
    Run::create_on(storage, "memory", &name("tests"), &name("run"), RunOptions::new(now)).unwrap()
}

fn options() -> SessionOptions {
    SessionOptions {
        reserve: Reserve::Bytes(RESERVE),
        ..SessionOptions::default().save_every(1).keep_last(0)
    }
}

fn session_on(memory: &Memory, options: SessionOptions) -> Session {
    Session::on(run_on(Arc::new(memory.clone())), options).unwrap()
}

/// Leaves so many bytes free.
fn leave(memory: &Memory, free: u64) {
    memory.set_capacity(1 << 40);
    let available = memory.space().unwrap().available;
    memory.set_capacity((1 << 40) - available + free);
}

/// What became of a periodic save, one by hand and one at a boundary, each with so many bytes free: a letter each.
fn outcomes(session: &mut Session, memory: &Memory, step: u64, free: u64) -> String {
    let mut letters = String::new();
    let mut add = |step: Step| {
        letters.push(match step {
            Step::Saved { .. } => 's',
            Step::Refused { .. } => 'r',
            _ => '?',
        });
    };
    leave(memory, free);
    add(session.step(step, &[], || Json(step)).unwrap());
    leave(memory, free);
    add(session.save(Event::Manual, "by hand", &Json(step)).unwrap());
    leave(memory, free);
    add(session.phase_boundary("night", &Json(step)).unwrap());
    letters
}

fn levels(session: &mut Session) -> Vec<(Level, Level)> {
    let notices = session.take_notices().into_iter();
    let change = |notice| match notice {
        Notice::DiskLevel { from, to, .. } => Some((from, to)),
        _ => None,
    };
    notices.filter_map(change).collect()
}

#[test]
fn each_level_stops_more_than_the_one_before_and_saving_comes_back() {
    let memory = Memory::new();
    let mut options = options();
    options.schedule.retry_pause = Duration::ZERO;
    let mut session = session_on(&memory, options);
    assert_eq!(outcomes(&mut session, &memory, 1, 1 << 30), "sss");
    let before = names(session.reader().unwrap());
    // A save takes some 8 KiB: at none of these does it come near another level.
    for (step, free, saved, change) in [
        (2, RESERVE + 4_000, "rss", Some((Level::Normal, Level::NoPeriodic))),
        (3, RESERVE - 100_000, "rrs", Some((Level::NoPeriodic, Level::UrgentOnly))),
        (4, 1_000, "rrr", Some((Level::UrgentOnly, Level::Refuse))),
        (5, RESERVE - 100_000, "rrs", Some((Level::Refuse, Level::UrgentOnly))),
        // A little more is not enough to go back: a level would flutter with every save.
        (6, RESERVE + 50_000, "rrs", None),
        (7, 2 * RESERVE, "sss", Some((Level::UrgentOnly, Level::Normal))),
    ] {
        assert_eq!(outcomes(&mut session, &memory, step, free), saved, "{free} bytes free");
        assert_eq!(levels(&mut session), Vec::from_iter(change), "{free} bytes free, told once");
    }
    let after = names(session.reader().unwrap());
    assert!(before.iter().all(|name| after.contains(name)), "{before:?} {after:?}");
    assert_eq!(session.summary().refused, 1 + 2 + 3 + 2 + 2);
    let logged = session.reader().unwrap().log().unwrap().into_iter().filter(|line| {
        matches!(line, LogLine::Good(line) if matches!(line.event, LogEvent::Noted(Note::DiskLevel { .. })))
    });
    assert_eq!(logged.count(), 5, "each change of level stands in the log");
}

#[test]
fn a_refusal_says_why_and_is_not_tried_again_at_every_step() {
    let memory = Memory::new();
    let mut session = session_on(&memory, options().save_every(10));
    session.step(10, &[], || Json(0)).unwrap();
    leave(&memory, 1_000);
    // The state of a save that is not made is not made either: it may be large.
    let made = || -> Json<i32> { panic!("the state was asked for") };
    let Step::Refused { reason, .. } = session.step(20, &[], made).unwrap() else { panic!() };
    assert!(reason.contains("disk"), "{reason}");
    assert_eq!(session.step(21, &[], || Json(0)).unwrap(), Step::NotDue);
}

#[test]
fn the_last_word_that_finds_no_room_is_an_error_and_the_set_stays() {
    let memory = Memory::new();
    let mut session = session_on(&memory, options());
    session.step(1, &[], || Json(1_u64)).unwrap();
    session.step(2, &[], || Json(2_u64)).unwrap();
    leave(&memory, 0);
    let error = session.finish(&Json(3_u64)).unwrap_err();
    assert!(matches!(error, Error::NoSpace { .. }), "{error}");
    let reader = RunReader::on(Arc::new(memory), "memory").unwrap();
    assert_eq!(names(&reader).len(), 2);
    let newest = reader.load(&Selector::Latest).unwrap().entry;
    assert_eq!(newest.status(), Some(Status::InProgress), "nothing says that it was completed");
}

#[test]
fn an_urgent_save_finds_the_room_that_was_kept_for_it() {
    let memory = Memory::new();
    let mut session = session_on(&memory, options());
    let state = Json(vec![0.1_f64; 20_000]);
    session.step_with(1, &[], &state).unwrap();
    // Below the reserve, above the need: a periodic one is refused, the last word is not.
    leave(&memory, RESERVE / 2);
    assert!(matches!(session.step_with(2, &[], &state).unwrap(), Step::Refused { .. }));
    let finished = session.finish(&state).unwrap();
    assert!(finished.saved.is_some());
}

#[test]
fn free_space_that_cannot_be_read_is_told_once_and_stops_nothing() {
    let refusing = Arc::new(Refusing::new(Verb::Space, ErrorKind::Unsupported));
    let observed: Arc<dyn Storage> =
        Arc::new(Observed::new(Arc::new(Memory::new()), Arc::clone(&refusing) as Arc<dyn Observer>));
    let mut session = Session::on(run_on(observed), options()).unwrap();
    refusing.on.store(true, Ordering::Relaxed);
    for step in 1..=5 {
        assert!(session.step(step, &[], || Json(step)).unwrap().is_saved());
    }
    let told = session.take_notices();
    let unknown = told.iter().filter(|notice| matches!(notice, Notice::SpaceUnknown { .. })).count();
    assert_eq!(unknown, 1, "{told:?}");
}

#[test]
fn an_error_in_the_background_is_told_at_the_next_call_and_the_schedule_tries_again() {
    let memory = Memory::journaled();
    let mut session = session_on(&memory, options().save_every(10).background(WhenBusy::Wait));
    session.step(10, &[], || Json(10_u64)).unwrap();
    session.flush().unwrap();
    memory.fail_sync(0);
    assert!(matches!(session.step(20, &[], || Json(20_u64)).unwrap(), Step::Queued { .. }));
    let error = session.flush().unwrap_err();
    assert!(error.to_string().contains("sync"), "{error}");
    memory.heal();
    // The work goes on, and what was due is due again after a while, not at every step.
    session.step(21, &[], || Json(21_u64)).unwrap();
    session.step(30, &[], || Json(30_u64)).unwrap();
    let finished = session.finish(&Json(31_u64)).unwrap();
    assert_eq!((finished.summary.failures, finished.saved.is_some()), (1, true));
    let reader = RunReader::on(Arc::new(memory), "memory").unwrap();
    assert_eq!(reader.load(&Selector::Latest).unwrap().entry.status(), Some(Status::Completed));
}

/// An evaluation is given once: if the step that hears of an older failure dropped it, its best would be lost.
#[test]
fn a_call_that_tells_of_a_failure_before_it_does_its_own_work_all_the_same() {
    let memory = Memory::journaled();
    let options = options().save_every(10).monitor(Monitor::new("reward", Direction::Max));
    let mut session = session_on(&memory, options.background(WhenBusy::Wait));
    let fail = |session: &mut Session, step: u64| {
        memory.fail_sync(0);
        session.step(step, &[], || Json(step)).unwrap();
        std::thread::sleep(Duration::from_millis(200));
    };
    fail(&mut session, 10);
    let error = session.step(11, &[("reward", 1.0)], || Json(11_u64)).unwrap_err();
    assert!(error.to_string().contains("sync"), "{error}");
    session.flush().unwrap();
    let best: Selector = "best:reward".parse().unwrap();
    assert_eq!(session.reader().unwrap().find(&best).unwrap().position().unwrap().step, Some(11));
    fail(&mut session, 21);
    session.save(Event::Manual, "by hand", &Json(21_u64)).unwrap_err();
    session.flush().unwrap();
    assert_eq!(session.reader().unwrap().find(&Selector::Latest).unwrap().position().unwrap().step, Some(21));
}

#[test]
fn an_error_in_the_background_that_nobody_asked_for_is_told_by_a_finish_that_saves_all_the_same() {
    let memory = Memory::journaled();
    let mut session = session_on(&memory, options().save_every(10).background(WhenBusy::Wait));
    session.step(10, &[], || Json(10_u64)).unwrap();
    session.flush().unwrap();
    memory.fail_sync(0);
    session.step(20, &[], || Json(20_u64)).unwrap();
    // It takes the session: nobody could try again.
    let error = session.finish(&Json(20_u64)).unwrap_err();
    assert!(error.to_string().contains("sync"), "{error}");
    let reader = RunReader::on(Arc::new(memory), "memory").unwrap();
    let newest = reader.load(&Selector::Latest).unwrap().entry;
    assert_eq!((newest.position().unwrap().step, newest.status()), (Some(20), Some(Status::Completed)));
}

/// What is compared with the grace, and what Young and Daly go by, is the save and not the step in which it happened.
#[test]
fn a_save_in_the_background_is_as_long_as_it_took_and_not_as_the_step_was() {
    let stop = Stop::new();
    let options = SessionOptions { grace: Grace { budget: Duration::from_millis(500) }, ..options() };
    let options = options.save_every(10).background(WhenBusy::Wait).stop(stop.clone());
    let mut session = session_on(&Memory::new(), options);
    session.step(10, &[], || Json(10_u64)).unwrap();
    std::thread::sleep(Duration::from_millis(700));
    session.step(11, &[], || Json(11_u64)).unwrap();
    stop.request(StopReason::shutdown("the machine goes down"));
    let told = session.finish(&Json(11_u64)).unwrap().notices;
    assert!(!told.iter().any(|notice| matches!(notice, Notice::GraceShort { .. })), "{told:?}");
}

#[test]
fn a_pruning_that_fails_is_told_and_the_next_save_tries_again() {
    let refusing = Arc::new(Refusing::new(Verb::Unlink, ErrorKind::PermissionDenied));
    let observed: Arc<dyn Storage> =
        Arc::new(Observed::new(Arc::new(Memory::new()), Arc::clone(&refusing) as Arc<dyn Observer>));
    let mut session = Session::on(run_on(observed), options().keep_last(2)).unwrap();
    refusing.on.store(true, Ordering::Relaxed);
    for step in 1..=10 {
        assert!(session.step(step, &[], || Json(step)).unwrap().is_saved());
    }
    let told = session.take_notices();
    assert!(told.iter().any(|notice| matches!(notice, Notice::PruneFailed { .. })), "{told:?}");
    assert_eq!(names(session.reader().unwrap()).len(), 10);
    refusing.on.store(false, Ordering::Relaxed);
    session.step(11, &[], || Json(11)).unwrap();
    assert_eq!(names(session.reader().unwrap()).len(), 2);
}

/// Numbers that hardly shrink.
fn large(count: u64) -> Json<Vec<u64>> {
    Json((1..=count).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect())
}

/// Fills a run on a medium that notes which thread unlinks checkpoints, in the background, with room for all of them; then leaves as
/// many bytes beyond the reserve as this many saves take.
fn filled(saves: f64) -> (Session, Arc<Unlinkers>) {
    let memory = Memory::new();
    let unlinkers = Arc::new(Unlinkers::default());
    let observer = Arc::clone(&unlinkers) as Arc<dyn Observer>;
    let observed: Arc<dyn Storage> = Arc::new(Observed::new(Arc::new(memory.clone()), observer));
    let mut options = options().keep_last(2).background(WhenBusy::Wait);
    options.retention.prune_every = 0;
    let mut session = Session::on(run_on(observed), options).unwrap();
    for step in 1..=12 {
        session.step(step, &[], || large(50_000)).unwrap();
        session.flush().unwrap();
    }
    let reader = session.reader().unwrap();
    let stored = reader.list().unwrap().pop().unwrap().stored_bytes;
    leave(&memory, RESERVE + (stored as f64 * saves) as u64);
    (session, unlinkers)
}

/// The caller waited for the save in flight, since a run does one thing at a time, and then for the pruning.
#[test]
fn a_disk_that_begins_to_fill_is_pruned_behind_a_save_in_the_background() {
    let (mut session, unlinkers) = filled(1.7);
    let step = session.step(13, &[], || Json(13)).unwrap();
    assert!(matches!(step, Step::Queued { .. }), "{step:?}");
    session.flush().unwrap();
    assert_eq!(levels(&mut session), [(Level::Normal, Level::Prune)]);
    assert_eq!(names(session.reader().unwrap()).len(), 2);
    assert_eq!(unlinkers.take(), vec!["ckpt-writer"; 11]);
}

#[test]
fn a_save_without_room_is_made_because_pruning_came_first_in_the_background_too() {
    let (mut session, unlinkers) = filled(0.5);
    let step = session.step(13, &[], || Json(13)).unwrap();
    assert!(matches!(step, Step::Queued { .. }), "{step:?}");
    let unlinked_before = unlinkers.take();
    assert_eq!(unlinked_before.len(), 10);
    assert!(!unlinked_before.contains(&"ckpt-writer".to_owned()), "{unlinked_before:?}");
    session.flush().unwrap();
    assert_eq!(
        levels(&mut session),
        [(Level::Normal, Level::NoPeriodic), (Level::NoPeriodic, Level::Normal)]
    );
}

/// What would have followed the save follows its failure: the next one finds the room.
#[test]
fn a_save_that_fails_leaves_no_pruning_undone() {
    let memory = Memory::journaled();
    let mut options = options().keep_last(2).background(WhenBusy::Wait);
    options.retention.prune_every = 0;
    let mut session = session_on(&memory, options);
    for step in 1..=6 {
        session.step(step, &[], || large(50_000)).unwrap();
        session.flush().unwrap();
    }
    let stored = session.reader().unwrap().list().unwrap().pop().unwrap().stored_bytes;
    leave(&memory, RESERVE + stored * 17 / 10);
    // Ten times as large as the last one: more than there is.
    session.step(7, &[], || large(500_000)).unwrap();
    let error = session.flush().unwrap_err();
    assert!(matches!(error, Error::NoSpace { .. }), "{error}");
    assert_eq!(names(session.reader().unwrap()).len(), 2);
}

/// Half of what a plan deletes is more than it may unasked: also behind a save, where nobody waits for an answer.
#[test]
fn a_plan_that_is_withheld_is_withheld_behind_a_save_too_and_saving_goes_on() {
    let memory = Memory::new();
    let unlinkers = Arc::new(Unlinkers::default());
    let observer = Arc::clone(&unlinkers) as Arc<dyn Observer>;
    let observed: Arc<dyn Storage> = Arc::new(Observed::new(Arc::new(memory.clone()), observer));
    let mut session = Session::on(run_on(Arc::clone(&observed)), options()).unwrap();
    for step in 1..=12 {
        session.step(step, &[], || large(50_000)).unwrap();
    }
    let stored = session.reader().unwrap().list().unwrap().pop().unwrap().stored_bytes;
    drop(session);
    let mut options = options().keep_last(2).background(WhenBusy::Wait);
    options.retention.prune_every = 0;
    let run = Run::open_on(observed, "memory", RunOptions::new(now)).unwrap();
    let mut session = Session::on(run, options).unwrap();
    leave(&memory, RESERVE + stored * 17 / 10);
    for step in 13..=15 {
        assert!(matches!(session.step(step, &[], || Json(step)).unwrap(), Step::Queued { .. }));
        session.flush().unwrap();
    }
    let told = session.take_notices();
    let withheld = told.iter().filter(|notice| matches!(notice, Notice::PlanWithheld { .. })).count();
    assert_eq!(
        (withheld, unlinkers.take(), names(session.reader().unwrap()).len()),
        (1, vec![], 15),
        "{told:?}"
    );
    session.confirm_plan().unwrap();
    assert_eq!(names(session.reader().unwrap()).len(), 2);
}

/// What nobody takes must not grow for as long as the process lives.
#[test]
fn of_the_saves_that_nobody_asks_about_the_newest_thousand_are_told() {
    let mut session = session_on(&Memory::new(), options().background(WhenBusy::Wait));
    let mut tickets = Vec::new();
    for step in 1..=1_030_u64 {
        let Step::Queued { ticket, .. } = session.step(step, &[], || Json(step)).unwrap() else { panic!() };
        tickets.push(ticket);
    }
    session.flush().unwrap();
    let told: Vec<u64> = session.take_durable().iter().map(|durable| durable.ticket).collect();
    assert_eq!(told, tickets[1_030 - 1_024..]);
}

#[test]
fn the_first_step_proves_that_the_path_is_writable() {
    let memory = Memory::new();
    let refusing = Arc::new(Refusing::new(Verb::Create, ErrorKind::PermissionDenied));
    let observed: Arc<dyn Storage> =
        Arc::new(Observed::new(Arc::new(memory), Arc::clone(&refusing) as Arc<dyn Observer>));
    let run = run_on(observed);
    // Due in five minutes, but for the first.
    let mut session = Session::on(run, SessionOptions::default()).unwrap();
    refusing.on.store(true, Ordering::Relaxed);
    let error = session.step(1, &[], || Json(1)).unwrap_err();
    assert!(matches!(error, Error::Permission { .. }), "{error}");
}

fn names(reader: &RunReader) -> Vec<String> {
    reader.list().unwrap().into_iter().map(|entry| entry.file_name).collect()
}

/// The names of the threads that unlinked checkpoints.
#[derive(Debug, Default)]
struct Unlinkers(Mutex<Vec<String>>);

impl Unlinkers {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Unlinkers {
    fn before(&self, operation: &Operation<'_>) -> std::io::Result<()> {
        if operation.verb == Verb::Unlink
            && !operation.path.contains('/')
            && operation.path.ends_with(".ckpt")
        {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            self.0.lock().unwrap().push(name);
        }
        Ok(())
    }
}

/// Refuses one kind of operation once it is told to.
#[derive(Debug)]
struct Refusing {
    verb: Verb,
    kind: ErrorKind,
    on: AtomicBool,
}

impl Refusing {
    fn new(verb: Verb, kind: ErrorKind) -> Self {
        Self { verb, kind, on: AtomicBool::new(false) }
    }
}

impl Observer for Refusing {
    fn before(&self, operation: &Operation<'_>) -> std::io::Result<()> {
        match operation.verb == self.verb && self.on.load(Ordering::Relaxed) {
            true => Err(self.kind.into()),
            false => Ok(()),
        }
    }
}
