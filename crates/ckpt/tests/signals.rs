//! A session in a real process that is told to stop, to hurry, to save, or that dies of its own: what each leaves in the run.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ckpt::{
    Entry, Event, Grace, Json, Run, Save, Section, Session, SessionOptions, SignalOptions, Status, Step, Stop,
};
use rustix::process::Signal;

use self::child::{Child, report};

#[path = "../../ckpt-store/tests/rig/child.rs"]
mod child;

/// With this the host leaves after it was asked to stop: its own choice.
const ASKED: i32 = 75;
/// So much later a signal to stop is another one, and not the first one again.
const LATER: Duration = Duration::from_millis(600);
/// A shell without job control starts what runs in the background with SIGINT ignored, and children inherit that.
const FRESH: [&str; 2] = ["env", "--default-signal=INT,TERM,USR1"];

#[test]
fn a_stop_in_the_middle_of_a_long_step_saves_its_event_and_the_host_chooses_how_to_leave() {
    for (signal, event) in [(Signal::TERM, Event::Shutdown), (Signal::INT, Event::Interrupt)] {
        let root = tempfile::tempdir().unwrap();
        let child = start("child_takes_long_steps", root.path());
        let begun = Instant::now();
        child.signal(signal);
        let (status, said) = child.end();
        assert!(begun.elapsed() < Grace::default().budget, "the step, or the save, was waited for");
        assert_eq!((status.code(), said), (Some(ASKED), vec!["interrupted, 0 notices".to_owned()]));
        let newest = newest(root.path());
        assert_eq!(events(&newest), [event]);
        assert_eq!((newest.status(), step_of(&newest)), (Some(Status::Interrupted), 2));
        assert_eq!(resumed(root.path()), (2, true));
    }
}

#[test]
fn a_second_signal_ends_a_host_that_is_in_its_last_save() {
    let root = tempfile::tempdir().unwrap();
    let child = start("child_is_held_in_its_last_save", root.path());
    child.signal(Signal::TERM);
    assert_eq!(child.report().as_deref(), Some("half-way"));
    thread::sleep(LATER);
    child.signal(Signal::TERM);
    assert_eq!(child.end().0.signal(), Some(Signal::TERM.as_raw()));
    // What was being saved is not there, what was there is, and nobody is locked out.
    let newest = newest(root.path());
    assert_eq!((events(&newest), step_of(&newest)), (vec![Event::Periodic], 1));
    assert_eq!(resumed(root.path()), (1, true));
    assert!(std::fs::read_dir(run(root.path()).join(".staging")).unwrap().next().is_none());
}

#[test]
fn a_save_that_may_not_fit_the_grace_is_tried_and_told() {
    let root = tempfile::tempdir().unwrap();
    let child = start("child_has_little_grace", root.path());
    child.signal(Signal::TERM);
    let (status, said) = child.end();
    assert_eq!(status.code(), Some(ASKED));
    let told = "interrupted, 1 notices: a save will not fit: the last save took ";
    assert!(said.len() == 1 && said[0].starts_with(told), "{said:?}");
    assert_eq!(events(&newest(root.path())), [Event::Shutdown]);
}

#[test]
fn a_request_to_save_is_a_checkpoint_and_the_work_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let child = start("child_takes_short_steps", root.path());
    for sequence in 2..=4 {
        child.signal(Signal::USR1);
        assert_eq!(child.report(), Some(format!("saved {sequence}, manual")));
        assert_eq!(newest(root.path()).status(), Some(Status::InProgress));
    }
    child.signal(Signal::TERM);
    let (status, said) = child.end();
    assert_eq!((status.code(), said), (Some(ASKED), vec!["interrupted, 0 notices".to_owned()]));
    let listed = Run::open_read_only(run(root.path())).unwrap().list().unwrap();
    let kinds: Vec<Vec<Event>> = listed.iter().map(events).collect();
    let manual = || vec![Event::Manual];
    assert_eq!(kinds, [vec![Event::Periodic], manual(), manual(), manual(), vec![Event::Shutdown]]);
    assert!(listed.windows(2).all(|pair| step_of(&pair[0]) <= step_of(&pair[1])));
}

#[test]
fn a_panic_leaves_the_last_snapshot_that_was_held() {
    let root = tempfile::tempdir().unwrap();
    let (status, _) = Child::spawn("child_panics_with_a_snapshot", root.path(), &[]).end();
    assert!(status.code().is_some_and(|code| code != 0), "{status:?}");
    let newest = newest(root.path());
    assert_eq!((events(&newest), newest.status()), (vec![Event::Failure], Some(Status::Failed)));
    // It is held every third step, counted from what was saved at the first one.
    assert_eq!((step_of(&newest), resumed(root.path())), (7, (7, true)));
}

#[test]
fn a_panic_without_a_snapshot_leaves_what_was_saved() {
    let root = tempfile::tempdir().unwrap();
    Child::spawn("child_panics", root.path(), &[]).end();
    let newest = newest(root.path());
    assert_eq!((events(&newest), step_of(&newest)), (vec![Event::Periodic], 1));
}

/// A guard of the host that finishes whatever happened: what `finally` is elsewhere. It used to write `completed`, so that the run
/// could not be resumed and the broken state counted as the result.
#[test]
fn what_finishes_while_the_thread_panics_does_not_complete() {
    for (child, saved) in [("child_finishes_in_a_panic", 1), ("child_finishes_in_a_panic_with_a_snapshot", 7)]
    {
        let root = tempfile::tempdir().unwrap();
        let child = Child::spawn(child, root.path(), &[]);
        let said = child.report().unwrap();
        assert!(said.starts_with("failed, 1 notices: the thread panicked: "), "{said}");
        child.end();
        assert_eq!(resumed(root.path()), (saved, true));
    }
}

#[test]
fn child_takes_long_steps() {
    in_child(|root| {
        let stop = listen();
        let mut session = open(root, SessionOptions::default().save_every(100).stop(stop.clone()));
        session.save(Event::Manual, "the path can be written", &Json(0_u64)).unwrap();
        for step in 1..=2_u64 {
            session.step(step, &[], || Json(step)).unwrap();
        }
        report("ready");
        // The third step takes an hour, and looks up from its work.
        let begun = Instant::now();
        while !stop.is_requested() && begun.elapsed() < Duration::from_secs(3_600) {
            thread::sleep(Duration::from_millis(1));
        }
        leave(session, &Json(2_u64))
    });
}

#[test]
fn child_takes_short_steps() {
    in_child(|root| {
        let mut session = open(root, SessionOptions::default().stop(listen()));
        let mut state = 0_u64;
        while !session.should_stop() {
            state += 1;
            let step = session.step(state, &[], || Json(state)).unwrap();
            if let Step::Saved { saved, .. } = &step {
                let names: Vec<String> = step.events().iter().map(ToString::to_string).collect();
                let first = saved.sequence == 1;
                report(&if first {
                    "ready".to_owned()
                } else {
                    format!("saved {}, {}", saved.sequence, names.join(", "))
                });
            }
            thread::sleep(Duration::from_millis(1));
        }
        leave(session, &Json(state))
    });
}

#[test]
fn child_is_held_in_its_last_save() {
    in_child(|root| {
        let mut session = open(root, SessionOptions::default().stop(listen()));
        session.step(1, &[], || Json(1_u64)).unwrap();
        report("ready");
        wait_until(|| session.should_stop());
        leave(session, &Slow { state: 1, takes: Duration::from_secs(3_600) })
    });
}

#[test]
fn child_has_little_grace() {
    in_child(|root| {
        let grace = Grace { budget: Duration::from_millis(100) };
        let mut session = open(root, SessionOptions { grace, ..SessionOptions::default().stop(listen()) });
        let state = Slow { state: 1, takes: Duration::from_millis(200) };
        session.step_with(1, &[], &state).unwrap();
        report("ready");
        wait_until(|| session.should_stop());
        leave(session, &Json(1_u64))
    });
}

#[test]
fn child_panics_with_a_snapshot() {
    in_child(|root| {
        let mut session = open(root, SessionOptions { hold_snapshot_every: 3, ..SessionOptions::default() });
        nine_steps(&mut session);
        panic!("the tenth step is broken");
    });
}

#[test]
fn child_panics() {
    in_child(|root| {
        let mut session = open(root, SessionOptions::default());
        nine_steps(&mut session);
        panic!("the tenth step is broken");
    });
}

#[test]
fn child_finishes_in_a_panic() {
    in_child(|root| {
        let mut host = Host(Some(open(root, SessionOptions::default())));
        nine_steps(host.0.as_mut().unwrap());
        panic!("the tenth step is broken");
    });
}

#[test]
fn child_finishes_in_a_panic_with_a_snapshot() {
    in_child(|root| {
        let options = SessionOptions { hold_snapshot_every: 3, ..SessionOptions::default() };
        let mut host = Host(Some(open(root, options)));
        nine_steps(host.0.as_mut().unwrap());
        panic!("the tenth step is broken");
    });
}

/// Finishes its session however it ends.
struct Host(Option<Session>);

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(session) = self.0.take() {
            report(&end(session, &Json(10_u64)));
        }
    }
}

/// State that is slow to be read, and says so in the middle.
struct Slow {
    state: u64,
    takes: Duration,
}

impl Save for Slow {
    fn sections(&self) -> ckpt::Result<Vec<Section<'_>>> {
        let text = io::Cursor::new(self.state.to_string());
        Ok(vec![
            Section::reader("slow", Waiting { text, takes: self.takes }),
            Section::json("state", &self.state)?,
        ])
    }
}

struct Waiting {
    text: io::Cursor<String>,
    takes: Duration,
}

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let takes = std::mem::take(&mut self.takes);
        if takes > Duration::from_secs(1) {
            report("half-way");
        }
        thread::sleep(takes);
        self.text.read(buffer)
    }
}

/// Saves at the first; the schedule has nothing for the others.
fn nine_steps(session: &mut Session) {
    for step in 1..=9_u64 {
        session.step(step, &[], || Json(step)).unwrap();
    }
}

/// What a host does in the end: finish, tell, and leave as it likes.
fn leave<S: Save>(session: Session, state: &S) -> ! {
    report(&end(session, state));
    std::process::exit(ASKED);
}

fn end<S: Save>(session: Session, state: &S) -> String {
    let finished = session.finish(state).unwrap();
    let notices: Vec<String> = finished.notices.iter().map(ToString::to_string).collect();
    let text = if notices.is_empty() { String::new() } else { format!(": {}", notices.join("; ")) };
    format!("{}, {} notices{text}", finished.status, notices.len())
}

fn in_child(work: impl FnOnce(&Path)) {
    if let Some(root) = child::directory() {
        work(&root);
    }
}

fn start(test: &str, root: &Path) -> Child {
    let child = Child::spawn_under(&FRESH, test, root, &[]);
    assert_eq!(child.report().as_deref(), Some("ready"), "{test}");
    child
}

fn listen() -> Stop {
    Stop::on_signals(&SignalOptions::default()).unwrap()
}

fn open(root: &Path, options: SessionOptions) -> Session {
    Session::open(root, "tests", "signals", options).unwrap()
}

fn wait_until(done: impl Fn() -> bool) {
    while !done() {
        thread::sleep(Duration::from_millis(1));
    }
}

fn run(root: &Path) -> PathBuf {
    root.join("tests/signals")
}

fn newest(root: &Path) -> Entry {
    Run::open_read_only(run(root)).unwrap().list().unwrap().pop().unwrap()
}

fn events(entry: &Entry) -> Vec<Event> {
    entry.metadata().unwrap().event_list()
}

fn step_of(entry: &Entry) -> u64 {
    entry.position().unwrap().step.unwrap()
}

/// Where the next process goes on, and whether it has anything to do.
fn resumed(root: &Path) -> (u64, bool) {
    let mut session = open(root, SessionOptions::default());
    let (Json(state), _) = session.resume::<Json<u64>>().unwrap();
    (state, !session.should_stop())
}
