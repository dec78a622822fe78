//! What a session notes in the run's log for those who ask later why it saved, pruned or ended as it did.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use ckpt::{
    EventClass, FinalState, Finished, Json, LogEvent, LogLine, Note, RunReader, Schedule, Selector, Session,
    SessionOptions, Status, Stop, StopReason, Trigger, last_policy, prunings,
};

fn open(root: &Path, options: SessionOptions) -> Session {
    Session::open(root, "tests", "run", options).unwrap()
}

fn log(root: &Path) -> Vec<LogLine> {
    RunReader::open(root.join("tests/run")).unwrap().log().unwrap()
}

/// The notes of which this has something to say, oldest first.
fn noted<T>(root: &Path, of: impl Fn(Note) -> Option<T>) -> Vec<T> {
    let note = |line| match line {
        LogLine::Good(entry) => match entry.event {
            LogEvent::Noted(note) => of(note),
            _ => None,
        },
        LogLine::Bad(text) => panic!("a bad line: {text}"),
    };
    log(root).into_iter().filter_map(note).collect()
}

fn steps(session: &mut Session, range: std::ops::RangeInclusive<u64>) {
    for step in range {
        session.step(step, &[], || Json(step)).unwrap();
    }
}

#[test]
fn the_schedule_is_noted_as_data_and_as_a_sentence_once_a_session() {
    let root = tempfile::tempdir().unwrap();
    let schedule = Schedule {
        minimum_pause: Duration::from_millis(2_500),
        ..Schedule::new(
            Trigger::any([Trigger::EveryUnits(10), Trigger::overhead_budget(0.3).unwrap()]).unwrap(),
        )
    };
    let options = || SessionOptions { schedule: schedule.clone(), ..SessionOptions::default() };
    let mut session = open(root.path(), options().unit("trials"));
    steps(&mut session, 1..=30);
    let schedules = || {
        noted(root.path(), |note| match note {
            Note::ScheduleInForce { schedule, text } => Some((schedule, text)),
            _ => None,
        })
    };
    let [(data, text)] = &schedules()[..] else { panic!("{:?}", schedules()) };
    let expected = Schedule { unit: "trials".to_owned(), ..schedule.clone() };
    assert_eq!(serde_json::from_value::<Schedule>(data.clone()).unwrap(), expected);
    assert_eq!(*text, expected.to_string());
    assert!(text.starts_with("any of these (every 10 trials; overhead budget: "), "{text}");
    let last = last_policy(&log(root.path())).unwrap().schedule.unwrap();
    assert_eq!((&last.schedule, &last.text), (data, text));
    drop(session);

    drop(open(root.path(), options().save_every(7)));
    assert_eq!(schedules().len(), 2);
    let last = last_policy(&log(root.path())).unwrap().schedule.unwrap();
    assert!(last.text.starts_with("every 7 steps"), "the newest counts: {}", last.text);
}

#[test]
fn a_session_that_reads_notes_nothing_and_a_log_from_before_has_no_schedule() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path(), SessionOptions::default()));
    let before = log(root.path());
    drop(open(root.path(), SessionOptions { rank: 1, ..SessionOptions::default() }));
    assert_eq!(log(root.path()), before);

    // As a session left it that knew nothing of it: the one before that has no say any more.
    drop(open(root.path(), SessionOptions::default()));
    let path = root.path().join("tests/run/log.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let newest = text.lines().rfind(|line| line.contains("schedule_in_force")).unwrap();
    let older: String = text.lines().filter(|line| *line != newest).map(|line| format!("{line}\n")).collect();
    fs::write(&path, older).unwrap();
    let last = last_policy(&log(root.path())).unwrap();
    assert_eq!(last.schedule, None, "{last:?}");
}

/// How often plans were withheld and confirmed, as the log has it.
fn plans(root: &Path) -> (usize, usize) {
    let withheld = noted(root, |note| matches!(note, Note::PlanWithheld { .. }).then_some(()));
    let confirmed = noted(root, |note| matches!(note, Note::PlanConfirmed { .. }).then_some(()));
    (withheld.len(), confirmed.len())
}

/// Each pruning deletes, so each would have something to say.
#[test]
fn a_plan_that_waits_and_is_confirmed_is_noted_once_each() {
    let root = tempfile::tempdir().unwrap();
    let options = |keep| {
        let mut options = SessionOptions::default().save_every(1).keep_last(keep);
        options.retention.prune_every = 2;
        options
    };
    steps(&mut open(root.path(), options(0)), 1..=20);
    let mut session = open(root.path(), options(2));
    steps(&mut session, 21..=40);
    assert_eq!((session.summary().pruned, plans(root.path())), (0, (1, 0)), "ten plans wait");
    session.confirm_plan().unwrap();
    session.confirm_plan().unwrap();
    steps(&mut session, 41..=60);
    assert_eq!(plans(root.path()), (1, 1));
    drop(session);
    let mut session = open(root.path(), options(2));
    steps(&mut session, 61..=80);
    session.confirm_plan().unwrap();
    assert!(session.summary().pruned > 10);
    assert_eq!(plans(root.path()), (1, 1), "the log has it already");
}

/// It was applied and nobody could see why; and the next session, without the option, withheld the same again.
#[test]
fn what_the_options_confirm_is_noted_before_it_is_carried_out_and_stays_confirmed() {
    let root = tempfile::tempdir().unwrap();
    let options = |keep| SessionOptions::default().save_every(1).keep_last(keep);
    steps(&mut open(root.path(), options(0)), 1..=30);
    let mut session = open(root.path(), SessionOptions { confirm_first_plan: true, ..options(2) });
    steps(&mut session, 31..=50);
    assert!(session.summary().pruned > 30);
    assert_eq!(plans(root.path()), (0, 1));
    let events: Vec<bool> = log(root.path())
        .into_iter()
        .filter_map(|line| match line {
            LogLine::Good(entry) => match entry.event {
                LogEvent::Noted(Note::PlanConfirmed { .. }) => Some(true),
                LogEvent::Deleting { .. } => Some(false),
                _ => None,
            },
            LogLine::Bad(_) => None,
        })
        .collect();
    assert_eq!(events.iter().position(|confirmed| *confirmed), Some(0), "{events:?}");
    drop(session);

    // Another policy between them leaves so much behind that the old one would be withheld.
    steps(&mut open(root.path(), options(0)), 51..=80);
    let mut session = open(root.path(), options(2));
    session.save(ckpt::Event::Manual, "to prune", &Json(80)).unwrap();
    session.finish(&Json(80)).unwrap();
    assert_eq!(plans(root.path()), (0, 1));
}

/// It looked like a pruning at a shell, so that what it went by counted for nothing.
#[test]
fn a_session_that_prunes_before_it_saves_is_no_pruning_at_a_shell() {
    let root = tempfile::tempdir().unwrap();
    steps(&mut open(root.path(), SessionOptions::default().save_every(1).keep_last(0)), 1..=10);
    let mut session = open(root.path(), SessionOptions::default().save_every(1).keep_last(2));
    session.confirm_plan().unwrap();
    assert_eq!(session.summary().pruned, 8);
    drop(session);
    let log = log(root.path());
    assert!(prunings(&log).is_empty());
    assert_eq!(last_policy(&log).unwrap().policy["keep_last"], 2);
}

/// The end of a session, as it was noted last.
fn end(root: &Path) -> (Status, Option<FinalState>, Option<String>) {
    let ends = noted(root, |note| match note {
        Note::Finished { status, final_state, reason } => Some((status, final_state, reason)),
        _ => None,
    });
    ends.into_iter().next_back().unwrap()
}

fn without(class: EventClass) -> SessionOptions {
    let mut options = SessionOptions::default().save_every(10);
    options.events.remove(&class);
    options
}

/// It answered `completed` and had saved nothing.
#[test]
fn an_end_without_its_event_says_that_the_final_state_was_not_saved() {
    let root = tempfile::tempdir().unwrap();
    let mut session = open(root.path(), without(EventClass::PhaseEnd).total(15));
    steps(&mut session, 1..=15);
    let Finished { status, final_state, saved, reason, .. } = session.finish(&Json(15)).unwrap();
    assert_eq!((status, final_state, saved), (Status::Completed, FinalState::NotSaved, None));
    assert_eq!(reason.as_deref(), Some("phase_end is turned off"));
    assert_eq!(end(root.path()), (status, Some(final_state), reason));
    let reader = RunReader::open(root.path().join("tests/run")).unwrap();
    let newest = reader.find(&Selector::Latest).unwrap();
    assert_eq!((newest.position().unwrap().step, newest.status()), (Some(10), Some(Status::InProgress)));

    let stop = Stop::new();
    let mut session = open(root.path(), without(EventClass::Shutdown).stop(stop.clone()));
    session.resume::<Json<u64>>().unwrap();
    steps(&mut session, 11..=12);
    stop.request(StopReason::shutdown("the machine goes down"));
    let finished = session.finish(&Json(12)).unwrap();
    assert_eq!((finished.status, finished.final_state), (Status::Interrupted, FinalState::NotSaved));
}

#[test]
fn a_state_that_a_checkpoint_before_has_is_told_from_one_that_is_lost() {
    let root = tempfile::tempdir().unwrap();
    let session = open(root.path(), without(EventClass::PhaseEnd));
    assert_eq!(session.finish(&Json(0)).unwrap().final_state, FinalState::NotSaved, "nothing was ever saved");
    for background in [None, Some(ckpt::WhenBusy::Wait)] {
        let options = SessionOptions { background, ..without(EventClass::PhaseEnd) };
        let mut session = open(root.path(), options);
        steps(&mut session, 1..=10);
        let finished = session.finish(&Json(10)).unwrap();
        assert_eq!((finished.final_state, finished.saved), (FinalState::SavedBefore, None));
        assert_eq!(end(root.path()).1, Some(FinalState::SavedBefore));
    }
    let mut session = open(root.path(), SessionOptions::default().save_every(10));
    session.resume::<Json<u64>>().unwrap();
    steps(&mut session, 11..=13);
    let finished = session.finish(&Json(13)).unwrap();
    assert_eq!((finished.final_state, finished.saved.is_some()), (FinalState::Saved, true));
    assert_eq!(end(root.path()), (Status::Completed, Some(FinalState::Saved), None));
    let mut session = open(root.path(), SessionOptions::default().save_every(10));
    session.resume::<Json<u64>>().unwrap();
    assert_eq!(session.finish(&Json(13)).unwrap().final_state, FinalState::SavedBefore, "it was completed");

    let mut reader = open(root.path(), SessionOptions { rank: 1, ..SessionOptions::default() });
    steps(&mut reader, 1..=2);
    assert_eq!(reader.finish(&Json(2)).unwrap().final_state, FinalState::Elsewhere);
}

#[test]
fn a_panic_notes_whether_the_state_at_the_last_boundary_is_saved() {
    for (hold_snapshot_every, expected) in [(1, FinalState::Saved), (0, FinalState::NotSaved)] {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().to_owned();
        let died = std::thread::spawn(move || {
            let options = SessionOptions { hold_snapshot_every, ..SessionOptions::default().save_every(100) };
            let mut session = open(&path, options);
            steps(&mut session, 1..=7);
            panic!("the work is broken");
        });
        assert!(died.join().is_err());
        let (status, final_state, _) = end(root.path());
        assert_eq!((status, final_state), (Status::Failed, Some(expected)));
    }
}
