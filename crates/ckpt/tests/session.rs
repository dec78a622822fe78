//! What a session promises: adaptive, explained saving; resume that never starts cold in silence; pruning that can be withheld;
//! an end that says how it ended.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::fs;
use std::path::Path;

use ckpt::{
    Direction, Error, Event, Json, Metadata, Monitor, Notice, Position, RecoveryInfo, Run, RunOptions,
    Section, Selector, Session, SessionOptions, Status, Step, Stop, StopReason, WhenBusy,
};

fn open(root: &Path, options: SessionOptions) -> Session {
    Session::open(root, "tests", "run", options).unwrap()
}

fn every(units: u64) -> SessionOptions {
    SessionOptions::default().save_every(units)
}

fn steps(session: &mut Session, range: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    let saved =
        |session: &mut Session, step: &u64| session.step(*step, &[], || Json(*step)).unwrap() != Step::NotDue;
    range.filter(|step| saved(session, step)).collect()
}

fn entries(root: &Path) -> Vec<ckpt::Entry> {
    Run::open_read_only(root.join("tests/run")).unwrap().list().unwrap()
}

#[test]
fn a_resume_goes_on_where_it_was_and_does_not_save_at_once() {
    let root = tempfile::tempdir().unwrap();
    let mut session = open(root.path(), every(10));
    let (_, resumed) = session.resume_or_else(|| Json(0_u64)).unwrap();
    assert!(!resumed.is_resumed());
    assert_eq!(steps(&mut session, 1..=25), [10, 20]);
    drop(session);

    let mut session = open(root.path(), every(10));
    let (Json(state), resumed) = session.resume_or_else(|| Json(0_u64)).unwrap();
    assert_eq!((state, resumed.step()), (20, 20));
    assert_eq!(steps(&mut session, 21..=45), [30, 40], "not at 21: the position resumed from was saved");
    let entry = entries(root.path()).pop().unwrap();
    assert_eq!(entry.metadata().unwrap().parent.as_ref().unwrap().sequence, 2);
}

#[test]
fn a_run_that_holds_only_damage_never_starts_cold_in_silence() {
    let root = tempfile::tempdir().unwrap();
    let mut session = open(root.path(), every(1));
    steps(&mut session, 1..=1);
    drop(session);
    let file = root.path().join("tests/run").join(&entries(root.path())[0].file_name);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5A);
    fs::write(&file, bytes).unwrap();
    for _ in 0..2 {
        // The second time it has been set aside: the directory looks empty.
        let mut session = open(root.path(), every(1));
        let error = session.resume_or_else(|| Json(0_u64)).unwrap_err();
        assert!(matches!(error, Error::NothingGood { .. }), "{error}");
        assert!(!session.recovery_info().unwrap().can_resume);
    }
}

#[test]
fn two_causes_at_one_step_are_one_checkpoint_with_both_reasons() {
    let root = tempfile::tempdir().unwrap();
    let options = every(10).monitor(Monitor::new("reward", Direction::Max));
    let mut session = open(root.path(), options);
    let step = session.step(10, &[("reward", 1.0)], || Json(1)).unwrap();
    assert_eq!(step.events(), [&Event::Periodic, &Event::Best]);
    let text = step.to_string();
    assert!(text.starts_with("saved as sequence 1: periodic (") && text.contains("), best ("), "{text}");
    let Step::Saved { causes, .. } = step else { panic!("{step:?}") };
    assert!(causes.iter().all(|cause| cause.reason.is_some()));
    assert_eq!(entries(root.path()).len(), 1);
}

#[test]
fn best_is_rebuilt_from_the_run_and_a_worse_one_never_counts() {
    let root = tempfile::tempdir().unwrap();
    let options = || every(1_000).monitor(Monitor::new("reward", Direction::Max));
    let mut session = open(root.path(), options());
    let at = |session: &mut Session, step: u64, value: f64| {
        session.step(step, &[("reward", value)], || Json(step)).unwrap().is_saved()
    };
    assert!(at(&mut session, 1, -1.0), "the first finite value counts");
    assert!(!at(&mut session, 2, -1.0) && !at(&mut session, 3, -1.01), "equal and worse negatives do not");
    assert!(!at(&mut session, 4, f64::NAN) && !at(&mut session, 5, -0.99), "nor does less than 2 %");
    assert!(at(&mut session, 6, -0.9));
    drop(session);
    let mut session = open(root.path(), options());
    session.resume::<Json<u64>>().unwrap();
    assert!(!at(&mut session, 7, -0.95), "the best is that of the run, not of the process");
    assert!(at(&mut session, 8, -0.5));
    let best = entries(root.path()).pop().unwrap().metadata().unwrap().metrics.best["reward"];
    assert_eq!((best.value, best.sequence), (-0.5, 3));
}

#[test]
fn pruning_follows_the_saves_and_keeps_the_best() {
    let root = tempfile::tempdir().unwrap();
    let options = every(1).keep_last(3).monitor(Monitor::new("reward", Direction::Max));
    let mut session = open(root.path(), options);
    for step in 1..=20 {
        let reward = if step == 4 { 9.0 } else { 1.0 };
        session.step(step, &[("reward", reward)], || Json(step)).unwrap();
    }
    let finished = session.finish(&Json(20)).unwrap();
    let kept: Vec<u64> = entries(root.path()).iter().map(|entry| entry.sequence).collect();
    assert_eq!(kept, [4, 18, 19, 20, 21]);
    assert_eq!(finished.summary.pruned, 16);
    let text = finished.summary.to_string();
    assert!(text.starts_with("21 saves, 16 pruned: ") && text.ends_with(" %"), "{text}");
}

#[test]
fn a_first_plan_that_deletes_more_than_half_is_withheld_until_it_is_confirmed() {
    let root = tempfile::tempdir().unwrap();
    let mut session = open(root.path(), every(1).keep_last(0));
    steps(&mut session, 1..=20);
    drop(session);
    let withheld = |notices: &[Notice]| {
        notices.iter().filter(|notice| matches!(notice, Notice::PlanWithheld { .. })).count()
    };
    let mut session = open(root.path(), every(1).keep_last(2));
    session.resume::<Json<u64>>().unwrap();
    steps(&mut session, 21..=45);
    assert_eq!(entries(root.path()).len(), 45, "nobody was asked");
    assert_eq!(withheld(&session.take_notices()), 1, "and it is told once");
    session.confirm_plan().unwrap();
    assert_eq!(entries(root.path()).len(), 2);
    drop(session);
    // Confirmed for this run and policy, also after a restart.
    let mut session = open(root.path(), every(1).keep_last(2));
    session.resume::<Json<u64>>().unwrap();
    steps(&mut session, 46..=60);
    assert_eq!(withheld(&session.take_notices()), 0);
    assert!(entries(root.path()).len() < 15);
}

#[test]
fn starting_again_from_a_lower_step_never_deletes_the_new_ones() {
    let root = tempfile::tempdir().unwrap();
    let mut session = open(root.path(), every(10).keep_last(3));
    steps(&mut session, 1..=100);
    drop(session);
    let mut session = open(root.path(), every(1).keep_last(3));
    steps(&mut session, 1..=12);
    let finished = session.finish(&Json(12)).unwrap();
    let newest = entries(root.path()).pop().unwrap();
    assert_eq!(Some(newest.sequence), finished.saved.map(|saved| saved.sequence));
    let found: Vec<Option<u64>> =
        entries(root.path()).iter().map(|entry| entry.position().unwrap().step).collect();
    assert_eq!(found[found.len() - 4..], [Some(10), Some(11), Some(12), Some(12)]);
}

#[test]
fn completed_work_is_not_gone_on_with_and_not_saved_again() {
    let root = tempfile::tempdir().unwrap();
    let mut session = open(root.path(), every(10).total(20));
    steps(&mut session, 1..=20);
    assert!(session.should_stop(), "the total is reached");
    assert_eq!(session.finish(&Json(20)).unwrap().status, Status::Completed);
    let info = RecoveryInfo::of(root.path().join("tests/run")).unwrap();
    assert!(info.has_checkpoint && !info.can_resume, "{}", info.why);

    let mut session = open(root.path(), every(10).total(20));
    let (_, resumed) = session.resume::<Json<u64>>().unwrap();
    assert_eq!(resumed.status(), Some(Status::Completed));
    assert!(session.should_stop());
    let count = entries(root.path()).len();
    assert_eq!(session.finish(&Json(20)).unwrap().saved, None);
    assert_eq!(entries(root.path()).len(), count);

    let mut session = open(root.path(), every(10).total(40));
    session.resume::<Json<u64>>().unwrap();
    assert!(!session.should_stop(), "there is more to do now");
}

#[test]
fn a_stop_ends_the_run_as_interrupted_with_its_event() {
    let root = tempfile::tempdir().unwrap();
    let stop = Stop::new();
    let mut session = open(root.path(), every(10).total(100).stop(stop.clone()));
    steps(&mut session, 1..=5);
    stop.request(StopReason::shutdown("the machine goes down"));
    assert!(session.should_stop());
    let finished = session.finish(&Json(5)).unwrap();
    assert_eq!(finished.status, Status::Interrupted);
    let entry = entries(root.path()).pop().unwrap();
    assert_eq!(entry.metadata().unwrap().event_list(), [Event::Shutdown]);
    assert!(RecoveryInfo::of(root.path().join("tests/run")).unwrap().can_resume);
}

#[test]
fn a_panic_saves_what_is_held_as_a_failure() {
    let root = tempfile::tempdir().unwrap();
    let options = || SessionOptions { hold_snapshot_every: 1, ..every(100) };
    let path = root.path().to_owned();
    let died = std::thread::spawn(move || {
        let mut session = open(&path, options());
        steps(&mut session, 1..=7);
        panic!("the work is broken");
    });
    assert!(died.join().is_err());
    let entry = entries(root.path()).pop().unwrap();
    let metadata = entry.metadata().unwrap();
    assert_eq!((metadata.event_list(), metadata.status), (vec![Event::Failure], Status::Failed));
    let mut session = open(root.path(), every(100));
    assert_eq!(session.resume::<Json<u64>>().unwrap().0, Json(7));
}

/// What a program that saves its failure and then runs into a `finally` does.
#[test]
fn a_failure_is_not_completed_by_whoever_finishes_afterwards() {
    let root = tempfile::tempdir().unwrap();
    let mut session = open(root.path(), every(10));
    steps(&mut session, 1..=7);
    assert!(session.save(Event::Failure, "the data are broken", &Json(7)).unwrap().is_saved());
    let finished = session.finish(&Json(7)).unwrap();
    assert_eq!((finished.status, finished.saved), (Status::Failed, None));
    assert_eq!(finished.reason.as_deref(), Some("the work failed, and nothing was done since"));
    let newest = entries(root.path()).pop().unwrap();
    assert_eq!((newest.sequence, newest.status()), (1, Some(Status::Failed)));

    // Work that went on after it may come to its end.
    let mut session = open(root.path(), every(10));
    session.resume::<Json<i32>>().unwrap();
    session.save(Event::Failure, "the data are still broken", &Json(7)).unwrap();
    steps(&mut session, 8..=8);
    assert_eq!(session.finish(&Json(8)).unwrap().status, Status::Completed);
}

/// The save behind the failure is of the same state: it takes nothing back.
#[test]
fn a_save_at_the_step_of_a_failure_is_of_failed_work_too() {
    let root = tempfile::tempdir().unwrap();
    let mut session = open(root.path(), every(10));
    steps(&mut session, 1..=7);
    session.save(Event::Failure, "the data are broken", &Json(7)).unwrap();
    session.save(Event::Manual, "to look at it", &Json(7)).unwrap();
    assert_eq!(session.finish(&Json(7)).unwrap().status, Status::Failed);
    let found: Vec<Option<Status>> = entries(root.path()).iter().map(|entry| entry.status()).collect();
    assert_eq!(found, [Some(Status::Failed); 2]);
}

/// Nobody asked the writer's thread after the save at step 4, so the session knows it only once it looks.
#[test]
fn a_panic_saves_no_copy_that_is_older_than_a_save_in_the_background() {
    for by_finish in [false, true] {
        let root = tempfile::tempdir().unwrap();
        let options =
            SessionOptions { hold_snapshot_every: 3, ..every(4) }.background(WhenBusy::Wait).keep_last(0);
        let path = root.path().to_owned();
        let died = std::thread::spawn(move || {
            let mut session = Some(open(&path, options));
            steps(session.as_mut().unwrap(), 1..=4);
            let _finally = Finally(by_finish.then(|| session.take()).flatten());
            panic!("the work is broken");
        });
        assert!(died.join().is_err());
        let mut session = open(root.path(), every(100));
        assert_eq!(session.resume::<Json<u64>>().unwrap().0, Json(4), "by finish: {by_finish}");
        assert_eq!(entries(root.path()).len(), 1);
    }
}

/// A host's own guard, which ends the session whatever happened.
struct Finally(Option<Session>);

impl Drop for Finally {
    fn drop(&mut self) {
        if let Some(session) = self.0.take() {
            session.finish(&Json(0_u64)).unwrap();
        }
    }
}

/// Half of a step is done when it panics: nobody may save that, whatever they call it.
#[test]
fn no_end_in_a_panic_saves_state_that_may_be_half_way() {
    struct Guard(Option<Session>, fn(Session) -> ckpt::Result<ckpt::Finished>);
    impl Drop for Guard {
        fn drop(&mut self) {
            let finished = self.1(self.0.take().unwrap()).unwrap();
            assert_eq!((finished.status, finished.saved.is_some()), (Status::Failed, true));
        }
    }
    let ends: [fn(Session) -> ckpt::Result<ckpt::Finished>; 3] = [
        |session| session.finish(&Json(u64::MAX)),
        |session| session.interrupted("somebody stopped it", &Json(u64::MAX)),
        |session| session.failed("it broke", &Json(u64::MAX)),
    ];
    for end in ends {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().to_owned();
        let died = std::thread::spawn(move || {
            let options = SessionOptions { hold_snapshot_every: 1, ..every(100) };
            let mut guard = Guard(Some(open(&path, options)), end);
            steps(guard.0.as_mut().unwrap(), 1..=7);
            panic!("the work is broken");
        });
        assert!(died.join().is_err());
        let loaded = open(root.path(), every(100)).resume::<Json<u64>>().unwrap().0;
        assert_eq!(loaded, Json(7));
    }
}

#[test]
fn a_position_without_a_step_is_at_the_step_before() {
    let root = tempfile::tempdir().unwrap();
    let mut session = open(root.path(), every(10));
    assert_eq!(steps(&mut session, 1..=12), [10]);
    let position = Position { cursor: Some("day 3".into()), ..Position::default() };
    assert_eq!(session.step(position, &[], || Json(12_u64)).unwrap(), Step::NotDue);
    assert_eq!(steps(&mut session, 13..=20), [20], "the count did not begin anew");
    let position = Position { cursor: Some("day 4".into()), ..Position::default() };
    session.step(position, &[], || Json(20_u64)).unwrap();
    session.save(Event::Manual, "to look at it", &Json(20_u64)).unwrap();
    let entry = entries(root.path()).pop().unwrap();
    assert_eq!(entry.position().unwrap().step, Some(20));
}

#[test]
fn in_the_background_nothing_is_lost_and_an_end_waits() {
    let root = tempfile::tempdir().unwrap();
    for when_busy in [WhenBusy::Wait, WhenBusy::Skip, WhenBusy::Replace] {
        let name = format!("{when_busy:?}").to_lowercase();
        let options = every(1).keep_last(0).background(when_busy);
        let mut session = Session::open(root.path(), "tests", &name, options).unwrap();
        for step in 1..=30_u64 {
            session.step(step, &[], || Json(step)).unwrap();
        }
        let finished = session.finish(&Json(30_u64)).unwrap();
        let summary = finished.summary;
        assert_eq!(summary.saves + summary.skipped, 31, "{name}: {summary:?}");
        let reader = Run::open_read_only(root.path().join("tests").join(&name)).unwrap();
        assert_eq!(reader.list().unwrap().len() as u64, summary.saves, "{name}");
        let newest = reader.load(&Selector::Latest).unwrap().entry;
        assert_eq!((newest.position().unwrap().step, newest.status()), (Some(30), Some(Status::Completed)));
    }
}

#[test]
fn a_save_in_the_background_says_which_checkpoint_it_became() {
    for when_busy in [WhenBusy::Wait, WhenBusy::Skip, WhenBusy::Replace] {
        let root = tempfile::tempdir().unwrap();
        let mut session = open(root.path(), every(1).keep_last(0).background(when_busy));
        let mut queued = Vec::new();
        for step in 1..=20_u64 {
            if let Step::Queued { ticket, .. } = session.step(step, &[], || Json(step)).unwrap() {
                queued.push((ticket, step));
            }
        }
        session.flush().unwrap();
        let durable = session.take_durable();
        let entries = entries(root.path());
        assert_eq!(durable.len(), entries.len(), "{when_busy:?}");
        for (durable, entry) in durable.iter().zip(entries) {
            assert_eq!(
                (&durable.saved.file_name, durable.saved.sequence),
                (&entry.file_name, entry.sequence)
            );
            let step = queued.iter().find(|(ticket, _)| *ticket == durable.ticket).map(|(_, step)| *step);
            assert_eq!(entry.position().unwrap().step, step, "{when_busy:?}");
        }
        assert_eq!(session.take_durable(), [], "each once");
        let Step::Queued { ticket, .. } = session.step(21, &[], || Json(21_u64)).unwrap() else { panic!() };
        let finished = session.finish(&Json(21_u64)).unwrap();
        let told: Vec<(u64, u64)> =
            finished.durable.iter().map(|durable| (durable.ticket, durable.saved.sequence)).collect();
        assert_eq!(told, [(ticket, finished.saved.unwrap().sequence - 1)]);
    }
}

#[test]
fn only_rank_0_writes_and_any_rank_reads() {
    let root = tempfile::tempdir().unwrap();
    let ranked = || SessionOptions { rank: 1, ..every(1) };
    let mut early = open(root.path(), ranked());
    assert!(!early.resume_or_else(|| Json(0_u64)).unwrap().1.is_resumed(), "there is no run yet");
    let mut writer = open(root.path(), every(1));
    steps(&mut writer, 1..=2);
    let error = Session::open(root.path(), "tests", "run", every(1)).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    let mut reader = open(root.path(), ranked());
    assert_eq!(reader.resume::<Json<u64>>().unwrap().0, Json(2));
    for step in 3..=5 {
        let made = || -> Json<u64> { panic!("the state was asked for") };
        assert_eq!(reader.step(step as u64, &[], made).unwrap(), Step::NotDue);
    }
    assert!(matches!(reader.save(Event::Manual, "by hand", &Json(3)).unwrap(), Step::Skipped { .. }));
    assert_eq!(entries(root.path()).len(), 2);
}

#[test]
fn an_event_that_is_turned_off_is_skipped_and_says_so() {
    let root = tempfile::tempdir().unwrap();
    let mut options = every(10);
    options.events.remove(&ckpt::EventClass::PhaseBoundary);
    let mut session = open(root.path(), options);
    let step = session.phase_boundary("night", &Json(0)).unwrap();
    let text = step.to_string();
    assert!(
        text.starts_with("skipped, phase_boundary_night is turned off: phase_boundary_night ("),
        "{text}"
    );
    let Step::Skipped { reason, .. } = step else { panic!("{step:?}") };
    assert_eq!(reason, "phase_boundary_night is turned off");
}

#[test]
fn a_step_saves_for_no_event_that_is_turned_off() {
    let root = tempfile::tempdir().unwrap();
    let mut options = every(2).monitor(Monitor::new("sharpe", Direction::Max));
    options.schedule.early_first = 0;
    options.events.remove(&ckpt::EventClass::Best);
    let mut session = open(root.path(), options);
    assert_eq!(session.step(1, &[("sharpe", 1.0)], || Json(1)).unwrap(), Step::NotDue);
    let step = session.step(2, &[("sharpe", 2.0)], || Json(2)).unwrap();
    assert_eq!(step.events(), [&Event::Periodic], "better, and not said to be");
}

#[test]
fn a_field_that_is_missing_is_told_once() {
    let root = tempfile::tempdir().unwrap();
    let options = SessionOptions { extra_fields: vec!["confidence".to_owned()], ..every(1) };
    let mut session = open(root.path(), options);
    steps(&mut session, 1..=3);
    session.step(4, &[("confidence", 0.75)], || Json(4)).unwrap();
    let told = session.take_notices();
    assert_eq!(told, [Notice::MetadataMissing { field: "confidence".to_owned() }]);
    let entry = entries(root.path()).pop().unwrap();
    assert_eq!(entry.metadata().unwrap().extra["confidence"], 0.75);
}

#[test]
fn a_field_that_the_application_says_itself_is_not_missing() {
    let root = tempfile::tempdir().unwrap();
    let options = SessionOptions { extra_fields: vec!["model".to_owned()], ..every(1) };
    let mut session = open(root.path(), options);
    session.set_extra("model", "v7");
    steps(&mut session, 1..=2);
    assert_eq!(session.take_notices(), []);
    assert_eq!(entries(root.path())[0].metadata().unwrap().extra["model"], "v7");
}

#[test]
fn a_run_of_the_store_can_be_gone_on_with() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("tests/run");
    let (kind, name) = ("tests".parse().unwrap(), "run".parse().unwrap());
    let run = Run::create(&path, &kind, &name, RunOptions::new(ckpt::now)).unwrap();
    run.save(Metadata::default(), vec![Section::json("state", &5_u64).unwrap()]).unwrap();
    let mut session = Session::on(run, every(1)).unwrap();
    let error = session.resume::<Json<String>>().unwrap_err();
    assert!(matches!(error, Error::Incompatible { .. }), "{error}");
    assert!(error.to_string().contains("section state: "), "{error}");
    assert_eq!(session.resume::<Json<u64>>().unwrap().0, Json(5));
}
