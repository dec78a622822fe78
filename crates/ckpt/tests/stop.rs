//! Real signals, sent to real processes: who is asked to stop, who is ended, and what the host's own handlers see.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ckpt::{Event, SignalOptions, Stop, StopReason};
use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::low_level::raise;

use self::child::{Child, report};

#[path = "../../ckpt-store/tests/rig/child.rs"]
mod child;

/// With this a child leaves by itself.
const OWN_STATUS: i32 = 7;
/// So much later a signal to stop is another one, and not the first one again.
const LATER: Duration = Duration::from_millis(600);
const PATIENCE: Duration = Duration::from_secs(60);
/// A shell without job control starts what runs in the background with SIGINT ignored, and children inherit that.
const FRESH: [&str; 2] = ["env", "--default-signal=INT,TERM,USR1,HUP"];

#[test]
fn at_the_first_signal_the_child_leaves_by_itself() {
    for (signal, says) in [
        (Signal::TERM, "SIGTERM was received: shutdown"),
        (Signal::INT, "SIGINT was received: interrupt"),
        (Signal::HUP, "SIGHUP was received: cancellation"),
    ] {
        let child = start("child_polls_and_leaves");
        child.signal(signal);
        assert_eq!(child.report().as_deref(), Some(says));
        assert_eq!(child.end().0.code(), Some(OWN_STATUS), "{signal:?}");
    }
}

#[test]
fn the_second_signal_ends_a_child_that_saves_for_long() {
    for (first, second) in
        [(Signal::TERM, Signal::TERM), (Signal::INT, Signal::INT), (Signal::INT, Signal::TERM)]
    {
        let child = start("child_saves_for_ever");
        child.signal(first);
        assert_eq!(child.report().as_deref(), Some("saving"));
        thread::sleep(LATER);
        let status = signal_until_it_ends(child, second);
        assert_eq!(status.signal(), Some(second.as_raw()), "{first:?}, {second:?}: {status:?}");
    }
}

#[test]
fn a_child_that_never_polls_is_ended_by_the_second_signal_too() {
    let child = start("child_never_polls");
    child.signal(Signal::TERM);
    thread::sleep(LATER);
    assert_eq!(signal_until_it_ends(child, Signal::TERM).signal(), Some(SIGTERM));
}

/// Supervisors that signal a process and then the group that it is in send two signals that mean one thing.
#[test]
fn a_signal_that_is_sent_twice_is_one_request() {
    // On a busy machine a child may sleep so long between them that the second is another one.
    let survived = (0..5).any(|_| {
        let (status, _) = Child::spawn("child_is_told_twice", Path::new("."), &[]).end();
        status.code() == Some(OWN_STATUS)
    });
    assert!(survived, "the second signal ended the child each time");
}

/// As `timeout` does.
#[test]
fn the_end_of_a_timeout_is_one_request() {
    let timeout = ["timeout", "--preserve-status", "--signal=TERM", "3"];
    let child = start_under(&[&FRESH[..], &timeout].concat(), "child_polls_and_leaves");
    assert_eq!(child.report().as_deref(), Some("SIGTERM was received: shutdown"));
    assert_eq!(child.end().0.code(), Some(OWN_STATUS));
}

#[test]
fn a_request_to_save_is_taken_and_the_child_goes_on() {
    let child = start("child_saves_when_asked");
    for _ in 0..3 {
        child.signal(Signal::USR1);
        assert_eq!(child.report().as_deref(), Some("saved"));
    }
    child.signal(Signal::TERM);
    let (status, rest) = child.end();
    assert_eq!((status.code(), rest), (Some(OWN_STATUS), Vec::new()));
}

#[test]
fn several_requests_to_save_are_one() {
    passes("child_is_asked_to_save_three_times");
}

#[test]
fn the_hosts_earlier_handler_is_called_with_and_without_handles() {
    passes("child_had_a_handler");
}

#[test]
fn the_hosts_later_handler_is_called_too() {
    passes("child_gets_a_handler_later");
}

#[test]
fn several_handles_hear_the_same_signal() {
    passes("child_has_several_handles");
}

/// `signal-hook` leaves a signal without effect once nobody hears it: a program whose session had ended could not be
/// stopped by SIGTERM any more.
#[test]
fn without_handles_the_first_signal_has_its_default_action_again() {
    for signal in [Signal::TERM, Signal::INT] {
        let child = start("child_lets_go");
        child.signal(signal);
        assert_eq!(child.end().0.signal(), Some(signal.as_raw()));
    }
    let child = start("child_lets_go");
    child.signal(Signal::USR1);
    thread::sleep(LATER);
    child.signal(Signal::TERM);
    assert_eq!(child.end().0.signal(), Some(SIGTERM), "a request to save that comes too late kills");
}

#[test]
fn threads_that_are_not_the_main_one_may_listen_and_poll() {
    let child = start("child_listens_in_a_thread");
    child.signal(Signal::TERM);
    assert_eq!(child.report().as_deref(), Some("shutdown"));
    assert_eq!(child.end().0.code(), Some(OWN_STATUS));
}

#[test]
fn what_the_process_was_told_to_ignore_stays_ignored() {
    let child = start_under(&["env", "--ignore-signal=INT,USR1"], "child_ignores");
    assert_eq!(child.end().0.code(), Some(OWN_STATUS));
}

#[test]
fn the_time_counts_from_the_signal_and_not_from_the_poll() {
    passes("child_polls_late");
}

#[test]
fn a_handle_that_hears_fewer_signals_leaves_the_others_alone() {
    let child = start("child_hears_only_sigterm");
    child.signal(Signal::INT);
    assert_eq!(child.end().0.signal(), Some(SIGINT));
}

#[test]
fn child_polls_and_leaves() {
    in_child(|| {
        let stop = Stop::on_signals(&SignalOptions::default().stop_on(SIGHUP, Event::Cancellation)).unwrap();
        report("ready");
        wait_for(|| stop.is_requested());
        let reason = stop.reason().unwrap();
        report(&format!("{reason}: {}", reason.event()));
    });
}

#[test]
fn child_is_told_twice() {
    in_child(|| {
        let stop = listen();
        raise(SIGTERM).unwrap();
        thread::sleep(Duration::from_millis(20));
        raise(SIGTERM).unwrap();
        assert!(stop.is_requested());
    });
}

#[test]
fn child_saves_for_ever() {
    in_child(|| {
        let stop = listen();
        report("ready");
        wait_for(|| stop.is_requested());
        report("saving");
        wait_for(|| false);
    });
}

#[test]
fn child_never_polls() {
    in_child(|| {
        let _stop = listen();
        report("ready");
        wait_for(|| false);
    });
}

#[test]
fn child_saves_when_asked() {
    in_child(|| {
        let stop = listen();
        report("ready");
        wait_for(|| {
            if stop.take_save_request() {
                report("saved");
            }
            stop.is_requested()
        });
    });
}

#[test]
fn child_is_asked_to_save_three_times() {
    in_child(|| {
        let (stop, other) = (listen(), listen());
        for _ in 0..3 {
            raise(SIGUSR1).unwrap();
        }
        assert!(stop.take_save_request() && !stop.take_save_request());
        // Each session of the process saves.
        assert!(other.clone().take_save_request() && !other.take_save_request());
        assert!(!stop.is_requested());
    });
}

#[test]
fn child_had_a_handler() {
    in_child(|| {
        let host = host_handles(&[SIGTERM, SIGUSR1]);
        let stop = listen();
        for signal in [SIGTERM, SIGUSR1] {
            raise(signal).unwrap();
            assert!(host.swap(false, Ordering::SeqCst), "signal {signal}");
        }
        assert!(stop.is_requested() && stop.take_save_request());
        drop(stop);
        thread::sleep(LATER);
        for signal in [SIGTERM, SIGTERM, SIGUSR1] {
            raise(signal).unwrap();
            assert!(host.swap(false, Ordering::SeqCst), "signal {signal}, without handles");
        }
    });
}

#[test]
fn child_gets_a_handler_later() {
    in_child(|| {
        let stop = listen();
        let host = host_handles(&[SIGTERM]);
        raise(SIGTERM).unwrap();
        assert!(stop.is_requested() && host.load(Ordering::SeqCst));
    });
}

#[test]
fn child_has_several_handles() {
    in_child(|| {
        let (first, second, silent) = (listen(), listen(), Stop::new());
        raise(SIGTERM).unwrap();
        let late = listen();
        for stop in [&first, &second, &late, &first.clone()] {
            assert!(matches!(stop.reason(), Some(StopReason::Signal { signal: SIGTERM, .. })));
        }
        assert!(!silent.is_requested());
        drop((first, second));
        assert!(late.is_requested());
        drop(late);
        // All are gone, and with them what was heard: also that the next signal would be the second.
        let fresh = listen();
        assert!(!fresh.is_requested());
        thread::sleep(LATER);
        raise(SIGTERM).unwrap();
        assert!(fresh.is_requested());
    });
}

#[test]
fn child_lets_go() {
    in_child(|| {
        drop((listen(), listen()));
        report("ready");
        wait_for(|| false);
    });
}

#[test]
fn child_listens_in_a_thread() {
    in_child(|| {
        let stop = thread::spawn(listen).join().unwrap();
        let poller = thread::spawn(move || {
            wait_for(|| stop.is_requested());
            stop.reason().unwrap().event().to_string()
        });
        report("ready");
        report(&poller.join().unwrap());
    });
}

#[test]
fn child_ignores() {
    in_child(|| {
        let stop = listen();
        assert_eq!(stop.ignored(), [SIGINT, SIGUSR1]);
        for signal in [SIGINT, SIGINT, SIGUSR1] {
            raise(signal).unwrap();
        }
        assert!(!stop.is_requested() && !stop.take_save_request());
        raise(SIGTERM).unwrap();
        assert!(stop.is_requested());
        report("ready");
    });
}

#[test]
fn child_polls_late() {
    in_child(|| {
        let stop = listen();
        raise(SIGTERM).unwrap();
        thread::sleep(LATER);
        let since = stop.requested_for().unwrap();
        assert!(since > LATER / 2, "{since:?}");
        // What came later changes neither reason nor time.
        stop.request(StopReason::cancellation("too late"));
        assert_eq!(stop.reason().unwrap().event(), Event::Shutdown);
    });
}

#[test]
fn child_hears_only_sigterm() {
    in_child(|| {
        let _stop = Stop::on_signals(&SignalOptions::default().without(SIGINT)).unwrap();
        report("ready");
        wait_for(|| false);
    });
}

/// What a child does; it then leaves with a status that the test harness never gives.
fn in_child(work: impl FnOnce()) {
    if child::directory().is_some() {
        work();
        std::process::exit(OWN_STATUS);
    }
}

fn listen() -> Stop {
    Stop::on_signals(&SignalOptions::default()).unwrap()
}

fn host_handles(signals: &[i32]) -> Arc<AtomicBool> {
    let host = Arc::new(AtomicBool::new(false));
    for signal in signals {
        signal_hook::flag::register(*signal, Arc::clone(&host)).unwrap();
    }
    host
}

fn wait_for(done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "nothing happens any more");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A child that has said that it is ready.
fn start(test: &str) -> Child {
    start_under(&FRESH, test)
}

fn start_under(wrapper: &[&str], test: &str) -> Child {
    let child = Child::spawn_under(wrapper, test, Path::new("."), &[]);
    assert_eq!(child.report().as_deref(), Some("ready"), "{test}");
    child
}

/// A child that raises its signals itself and checks what they do.
fn passes(test: &str) {
    let (status, _) = Child::spawn(test, Path::new("."), &[]).end();
    assert_eq!(status.code(), Some(OWN_STATUS), "{test}: {status:?}");
}

/// On a busy machine it may take longer than [`LATER`] until a signal counts as another one.
fn signal_until_it_ends(child: Child, signal: Signal) -> ExitStatus {
    let pid = child.pid();
    let ended = Arc::new(AtomicBool::new(false));
    let sender = thread::spawn({
        let ended = Arc::clone(&ended);
        move || {
            wait_for(|| {
                // Once it was waited for, the number may be another process's.
                if !ended.load(Ordering::SeqCst) {
                    rustix::process::kill_process(pid, signal).unwrap();
                }
                thread::sleep(LATER / 3);
                ended.load(Ordering::SeqCst)
            });
        }
    });
    // Reports end with the process; it is waited for only after the sender has ended.
    assert_eq!(child.report(), None);
    ended.store(true, Ordering::SeqCst);
    sender.join().unwrap();
    child.end().0
}
