//! Being asked to stop: by a signal or by the program itself, heard from any thread, in the middle of a long step too.
//!
//! ```
//! use ckpt::{Event, Stop, StopReason};
//!
//! let stop = Stop::new();
//! let worker = std::thread::spawn({
//!     let stop = stop.clone();
//!     move || {
//!         let mut done = 0_u64;
//!         while !stop.is_requested() {
//!             done += 1; // a part of a long step
//!         }
//!         done
//!     }
//! });
//! stop.request(StopReason::cancellation("a better trial was found"));
//! worker.join().unwrap();
//! assert_eq!(stop.reason().unwrap().event(), Event::Cancellation);
//! ```

mod disposition;
mod grace;
mod options;
mod process;
mod reason;
mod times;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub use grace::{Grace, GraceVerdict};
pub use options::{SignalOptions, StopError};
pub use reason::StopReason;
pub use times::{PredictionBasis, SavePrediction, SaveTimes};

use self::process::Listening;

/// What the flag holds after [`Stop::request`]; no signal has this number.
const BY_PROGRAM: usize = usize::MAX;

/// A handle that says whether the work should stop, and whether it should save now and go on.
///
/// Clones are the same handle. [`Stop::is_requested`] is one relaxed load as long as nothing was asked, so it may be
/// polled in the inner loop of a long step, from any thread. A request stays: there is no taking it back, and of several
/// the first one that is noticed gives the reason.
///
/// # Signals
///
/// [`Stop::on_signals`] hears signals of the process, on whatever thread it was called and on whatever thread they arrive:
///
/// - SIGTERM asks to stop (event `shutdown`), SIGINT too (event `interrupt`), SIGUSR1 asks to save now and go on. All of
///   them can be chosen otherwise: [`SignalOptions`].
/// - **The second signal to stop has its default action at once**, whichever of the signals to stop it is: the process is
///   ended by the signal, so a shell shows 143 or 130. Nothing here ever calls `exit`. A signal within 200 ms of the first one
///   is the same request: `timeout`, and supervisors that signal both a process and its group, send it twice.
/// - **A signal that the process was told to ignore stays ignored**, as a shell asks for with background jobs:
///   [`Stop::ignored`] names it.
///
/// # The host's own handlers
///
/// - One that was installed before the first handle goes on being called, first, at each signal. The second signal to stop
///   ends the process after it all the same.
/// - One that is installed later through `signal-hook` or `tokio::signal` is called after these, and not any more at the
///   second signal. One that is installed later by other means replaces these, unless it calls what it found: then nothing is
///   heard here. Nor is anything if the host blocks the signals in every thread and waits for them itself.
/// - When the last handle of a process is gone, what the host had is there again: its handler is called as ever, and if it had
///   none the default action takes place at the first signal. Only a signal to save stays without effect instead of killing.
///   Whoever installs handlers of their own through `signal-hook` *after* the first handle, and wants them to outlive it, keeps
///   a clone for as long as the process lives.
///
/// All handles of a process share what was heard, as long as one of them lives: one that is made after the signal came
/// is asked to stop from the start. Signals that came are forgotten with the last handle, so poll once more before letting go.
#[derive(Debug, Clone)]
pub struct Stop {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// 0, the number of the signal that was heard last, or [`BY_PROGRAM`].
    flag: Arc<AtomicUsize>,
    save: Arc<AtomicBool>,
    /// Filled by the first to notice.
    request: OnceLock<Request>,
    listening: Option<Listening>,
}

#[derive(Debug)]
struct Request {
    reason: StopReason,
    at: Instant,
}

impl Stop {
    /// A handle that hears no signal: only the program itself asks.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Arc::default(), Arc::default(), None)
    }

    /// A handle that also hears the signals of `options`.
    ///
    /// The first one of a process starts a thread that sleeps until a signal comes, to know when it came; it ends with the last
    /// handle.
    ///
    /// # Errors
    /// [`StopError`] for a signal that can't be heard or has two meanings, and if the system refuses. Nothing is left behind
    /// then.
    pub fn on_signals(options: &SignalOptions) -> Result<Self, StopError> {
        let (flag, save) = (Arc::default(), Arc::default());
        let listening = Listening::begin(options, &flag, &save)?;
        Ok(Self::with(flag, save, Some(listening)))
    }

    fn with(flag: Arc<AtomicUsize>, save: Arc<AtomicBool>, listening: Option<Listening>) -> Self {
        Self { state: Arc::new(State { flag, save, request: OnceLock::new(), listening }) }
    }

    /// Asks to stop. If that was asked before, the earlier reason stays.
    pub fn request(&self, reason: StopReason) {
        // A signal that came before this is noticed before this.
        if !self.is_requested() {
            self.state.request.get_or_init(|| Request { reason, at: Instant::now() });
            self.state.flag.store(BY_PROGRAM, Ordering::Release);
        }
    }

    /// Whether the work should stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.state.flag.load(Ordering::Relaxed) != 0 && self.state.noticed().is_some()
    }

    /// Why the work should stop; `None` if it should not.
    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        self.state.noticed().map(|request| request.reason.clone())
    }

    /// How long ago the request came; `None` if none did.
    ///
    /// For a signal it counts from when it arrived, even if nothing polled for long.
    #[must_use]
    pub fn requested_for(&self) -> Option<Duration> {
        self.state.noticed().map(|request| request.at.elapsed())
    }

    /// Whether a save was asked for since the last call. Several requests are one.
    ///
    /// One handle and its clones take a request once; another handle of the process takes it too.
    #[must_use]
    pub fn take_save_request(&self) -> bool {
        // The load keeps the polling of many threads from writing to one cache line.
        self.state.save.load(Ordering::Relaxed) && self.state.save.swap(false, Ordering::AcqRel)
    }

    /// Asks to save now and go on, as the signal does.
    pub fn request_save(&self) {
        self.state.save.store(true, Ordering::Release);
    }

    /// The signals of the options that this process ignores, and which therefore ask nothing.
    #[must_use]
    pub fn ignored(&self) -> &[i32] {
        self.state.listening.as_ref().map_or(&[], Listening::ignored)
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn noticed(&self) -> Option<&Request> {
        let flag = self.flag.load(Ordering::Relaxed);
        if flag == 0 {
            return None;
        }
        // What was written before the flag is seen after this.
        fence(Ordering::Acquire);
        Some(self.request.get_or_init(|| self.heard(flag)))
    }

    fn heard(&self, flag: usize) -> Request {
        let signal = i32::try_from(flag).unwrap_or_default();
        let listening = self.listening.as_ref();
        let at = listening.and_then(|listening| listening.heard_at(signal)).unwrap_or_else(Instant::now);
        let event = listening.and_then(|listening| listening.event(signal));
        Request { reason: StopReason::signal(signal, event), at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_requested_until_somebody_asks() {
        let stop = Stop::new();
        assert!(!stop.is_requested() && stop.reason().is_none() && stop.requested_for().is_none());
        assert!(!stop.take_save_request());
        assert_eq!(stop.ignored(), [0; 0]);
    }

    #[test]
    fn the_first_reason_stays_and_clones_share_it() {
        let stop = Stop::new();
        let clone = stop.clone();
        clone.request(StopReason::shutdown("the market closes"));
        stop.request(StopReason::cancellation("too late"));
        assert!(stop.is_requested() && clone.is_requested());
        assert_eq!(stop.reason(), Some(StopReason::shutdown("the market closes")));
        assert!(stop.requested_for().unwrap() < Duration::from_secs(10));
        assert!(!Stop::new().is_requested());
    }

    #[test]
    fn save_requests_are_taken_once() {
        let stop = Stop::new();
        stop.request_save();
        stop.request_save();
        assert!(stop.clone().take_save_request());
        assert!(!stop.take_save_request());
        assert!(!stop.is_requested());
    }

    #[test]
    fn of_many_threads_that_ask_one_gives_the_reason() {
        for _ in 0..100 {
            let stop = Stop::new();
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let stop = &stop;
                    scope.spawn(move || {
                        stop.request(StopReason::shutdown(format!("thread {thread}")));
                        let seen = stop.reason();
                        assert!(seen.is_some() && seen == stop.reason());
                    });
                }
            });
        }
    }
}
