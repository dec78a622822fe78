//! Saves in the background: a thread of its own, and a queue of one beside the save that is in flight.

mod queue;

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::error::{Error, Result};
use crate::store::{Run, micros};

use self::queue::Queue;
pub use self::queue::{Counters, Failure, Job, Outlook, SaveOutcome, Submitted, WhenBusy};

/// Saves a run's checkpoints on a thread of its own, one after another, in the order in which they were submitted.
///
/// A failure reaches the caller once: with [`take_outcomes`](Self::take_outcomes), or else as [`Error::Background`] from the
/// next call, or from [`close`](Self::close). Dropping it without closing waits, too, for all that is queued; what has failed
/// by then is among the run's notices.
///
/// ```
/// use std::sync::Arc;
/// use ckpt_format::{Metadata, Timestamp};
/// use ckpt_store::{Arena, BackgroundWriter, Job, Run, RunOptions, Section, WriterOptions};
///
/// # let root = tempfile::tempdir()?;
/// # let path = root.path().join("training/demo");
/// # fn clock() -> Timestamp { Timestamp::from_millis(1_763_210_096_789) }
/// let run = Arc::new(Run::create(&path, &"training".parse()?, &"demo".parse()?, RunOptions::new(clock))?);
/// let writer = BackgroundWriter::start(Arc::clone(&run), WriterOptions::default(), |run, outcome| {
///     // On the writer's thread, after each save: the place to prune.
///     let _ = (run, outcome);
/// })?;
/// let (arena, mut weights) = (Arena::new(), vec![0_u8; 4096]);
/// for step in 0..3 {
///     weights[0] = step;
///     writer.submit_with(true, || {
///         let snapshot = arena.snapshot(vec![Section::raw("weights", &weights)])?;
///         Ok(Job::new(step.into(), Metadata::default(), snapshot))
///     })?;
/// }
/// assert_eq!(writer.close()?.saved, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct BackgroundWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// How to save in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriterOptions {
    /// When a save is due while another is under way.
    pub when_busy: WhenBusy,
}

#[derive(Debug)]
struct Shared {
    run: Arc<Run>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    /// Nothing more will be submitted.
    closing: bool,
    /// The thread is gone.
    ended: bool,
}

/// However the thread ends, nobody waits for it for ever.
struct Ending(Arc<Shared>);

impl BackgroundWriter {
    /// Starts the thread. It calls `after` after each save that was tried, before the next begins; a panic there is a failure
    /// with that save's number, and after the next save it is called again. It must not wait for this writer.
    ///
    /// # Errors
    /// [`Error::Io`] if the system gives no thread.
    pub fn start(
        run: Arc<Run>,
        options: WriterOptions,
        after: impl FnMut(&Run, &SaveOutcome) + Send + 'static,
    ) -> Result<Self> {
        let state = State { queue: Queue::new(options.when_busy), closing: false, ended: false };
        let shared = Arc::new(Shared { run, state: Mutex::new(state), changed: Condvar::new() });
        let ending = Ending(Arc::clone(&shared));
        let thread = thread::Builder::new()
            .name("ckpt-writer".to_owned())
            .spawn(move || ending.0.work(after))
            .map_err(|source| Error::io("starting a thread for", "saving in the background", source))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Queues a save, or skips it, or lets it replace another, as [`WhenBusy`] says. It is skipped or replaced only if it
    /// `may_drop`: periodic saves may, no others.
    ///
    /// # Errors
    /// [`Error::Background`] if saves before this one have failed. With it stands what became of this one, which is queued
    /// all the same; only when the thread is gone nothing became of it. [`Error::Invalid`] on the writer's own thread.
    pub fn submit(&self, job: Job, may_drop: bool) -> Result<Submitted> {
        self.submit_with(may_drop, || Ok(job))
    }

    /// As [`submit`](Self::submit), but the state is taken only if there is a use for it, and only once there is a place: what
    /// is skipped costs nothing, and with `Wait` there are never more than two snapshots in memory.
    ///
    /// # Errors
    /// As [`submit`](Self::submit); and those of `take`, after which nothing is queued.
    pub fn submit_with(&self, may_drop: bool, take: impl FnOnce() -> Result<Job>) -> Result<Submitted> {
        let mut state = self.wait_for_a_place(may_drop)?;
        if state.queue.outlook(may_drop) == Outlook::Skip {
            let skipped = state.queue.skip();
            return state.answer(skipped);
        }
        drop(state);
        let job = take()?;
        // Another thread may have taken the place meanwhile.
        let mut state = self.wait_for_a_place(may_drop)?;
        if state.ended {
            state.queue.lose(job.ticket, gone());
            let failures = state.queue.take_failures();
            return Err(Error::Background { failures, submitted: None });
        }
        let (submitted, _replaced) = match state.queue.outlook(may_drop) {
            Outlook::Skip => (state.queue.skip(), Some(job)),
            _ => state.queue.put(job, may_drop),
        };
        let answer = state.answer(submitted);
        drop(state);
        self.shared.changed.notify_all();
        answer
    }

    /// What would become of a save that is submitted now. If nobody else submits, it becomes nothing worse than that.
    pub fn outlook(&self, may_drop: bool) -> Outlook {
        self.shared.state().queue.outlook(may_drop)
    }

    /// What ended since this was asked last, oldest first; nothing of it is told again. Does not wait. Of successes the newest
    /// thousand are kept, failures are all.
    pub fn take_outcomes(&self) -> Vec<SaveOutcome> {
        self.shared.state().queue.take_outcomes()
    }

    /// What it did so far.
    pub fn counters(&self) -> Counters {
        self.shared.state().queue.counters()
    }

    /// Waits until nothing is queued or in flight, and the hook after the last save has returned.
    ///
    /// # Errors
    /// [`Error::Background`] with all that failed and was not told yet. [`Error::Invalid`] on the writer's own thread.
    pub fn flush(&self) -> Result<()> {
        self.check_thread()?;
        let mut state = self.shared.state();
        while !state.queue.is_idle() && !state.ended {
            state = self.shared.wait(state);
        }
        state.told()
    }

    /// Waits as [`flush`](Self::flush) does, and ends the thread. Returns what it did.
    ///
    /// # Errors
    /// As [`flush`](Self::flush). The thread is ended all the same.
    pub fn close(mut self) -> Result<Counters> {
        self.end();
        let mut state = self.shared.state();
        state.told()?;
        Ok(state.queue.counters())
    }

    /// Waits while a save would have to.
    fn wait_for_a_place(&self, may_drop: bool) -> Result<MutexGuard<'_, State>> {
        self.check_thread()?;
        let mut state = self.shared.state();
        if state.queue.outlook(may_drop) == Outlook::Wait {
            let begun = Instant::now();
            while state.queue.outlook(may_drop) == Outlook::Wait && !state.ended {
                state = self.shared.wait(state);
            }
            state.queue.count_waited(micros(begun.elapsed()));
        }
        Ok(state)
    }

    /// The hook runs on the writer's thread, which would wait for itself.
    fn check_thread(&self) -> Result<()> {
        if self.is_own_thread() {
            let reason = "the hook after a save must not wait for its own writer".to_owned();
            return Err(Error::Invalid { reason });
        }
        Ok(())
    }

    fn is_own_thread(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| thread.thread().id() == thread::current().id())
    }

    /// Lets the thread save what is queued, and waits for its end.
    fn end(&mut self) {
        self.shared.state().closing = true;
        self.shared.changed.notify_all();
        let own = self.is_own_thread();
        if let Some(thread) = self.thread.take()
            && !own
        {
            // What panicked is among the failures.
            let _ = thread.join();
        }
    }
}

impl Drop for BackgroundWriter {
    fn drop(&mut self) {
        self.end();
        for failure in self.shared.state().queue.take_failures() {
            self.shared.run.asides.notice(format_args!("saving in the background failed: {failure}"));
        }
    }
}

impl Shared {
    /// The thread: saves what is queued until there is no more and never will be.
    fn work(&self, mut after: impl FnMut(&Run, &SaveOutcome)) {
        while let Some(Job { ticket, metadata, snapshot }) = self.next() {
            let saved = catch_unwind(AssertUnwindSafe(|| self.run.save_snapshot(metadata, snapshot)));
            let result = saved.unwrap_or_else(|panic| Err(panicked("saving", panic.as_ref())));
            let outcome = SaveOutcome { ticket, result };
            let hook = catch_unwind(AssertUnwindSafe(|| after(&self.run, &outcome)));
            let hook = hook.err().map(|panic| panicked("the hook after saving", panic.as_ref()));
            self.state().queue.done(outcome, hook);
            self.changed.notify_all();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.queue.take() {
                drop(state);
                // The place in the queue is free.
                self.changed.notify_all();
                return Some(job);
            }
            if state.closing {
                return None;
            }
            state = self.wait(state);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What became of a save, or what failed before.
    fn answer(&mut self, submitted: Submitted) -> Result<Submitted> {
        match self.queue.take_failures() {
            failures if failures.is_empty() => Ok(submitted),
            failures => Err(Error::Background { failures, submitted: Some(submitted) }),
        }
    }

    fn told(&mut self) -> Result<()> {
        match self.queue.take_failures() {
            failures if failures.is_empty() => Ok(()),
            failures => Err(Error::Background { failures, submitted: None }),
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.ended = true;
        state.queue.give_up(gone);
        drop(state);
        self.0.changed.notify_all();
    }
}

fn gone() -> Error {
    let source = io::Error::other("the writer's thread is gone: start another, or save in the foreground");
    Error::io("saving", "in the background", source)
}

fn panicked(what: &str, panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text =
        text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it did not say why");
    Error::io("saving", "in the background", io::Error::other(format!("{what} panicked: {text}")))
}
