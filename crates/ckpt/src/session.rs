//! A run with a schedule, events, retention and the disk's state applied to it: `docs/SESSION.md`.

mod due;
mod end;
mod guard;
mod keep;
mod ladder;
mod notices;
mod options;
mod report;
mod resume;
mod save;
mod state;
mod told;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use ckpt_format::{Cause, Entry, Event, EventError, Metrics, Parent, Position, RunName, Selector, Status};
use ckpt_policy::{BestSoFar, Pace, Plan};
use ckpt_store::{Arena, BackgroundWriter, Error, Note, Result, Run, RunReader, SaveOutcome, WriterOptions};

use crate::stop::SaveTimes;

use due::{Counted, Due};
use guard::Held;
use keep::Keeper;
use ladder::Ladder;
use notices::Notices;
use save::InFlight;
use state::Lazily;

pub use end::Finished;
pub use options::SessionOptions;
pub use report::{Durable, Notice, Step, Summary};
pub use resume::{PassedOver, RecoveryInfo, Resumed};
pub use state::{Json, Restore, Save};
#[cfg(feature = "transfer")]
pub use told::injection_note;

/// A run that is written by this process, with policy applied to it.
///
/// ```
/// use ckpt::{Json, Session, SessionOptions};
///
/// # let root = tempfile::tempdir()?;
/// # let root = root.path();
/// let options = SessionOptions::default().save_every(10).total(25);
/// let mut session = Session::open(root, "training", "counter", options)?;
/// let (Json(mut count), resumed) = session.resume_or_else(|| Json(0_u64))?;
/// assert!(!resumed.is_resumed());
/// while !session.should_stop() {
///     count += 1;
///     session.step(count, &[], || Json(count))?;
/// }
/// let finished = session.finish(&Json(count))?;
/// assert_eq!((count, finished.summary.saves), (25, 3)); // at 10, at 20, and the end
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Session {
    access: Access,
    options: SessionOptions,
    started: Instant,
    pace: Pace,
    best: BestSoFar,
    ladder: Ladder,
    notices: Arc<Notices>,
    summary: Summary,
    /// Where the last step was, and the metrics given there.
    position: Position,
    metrics: Vec<(String, f64)>,
    /// Something was done since the last checkpoint, so that a final one says something new.
    dirty: bool,
    /// The run was completed before, and is not gone on with.
    completed: bool,
    /// A failure was saved, and no step was made since.
    failed: bool,
    parent: Option<Parent>,
    /// Seconds of the processes before this one.
    seconds_before: f64,
    /// The step of the last checkpoint that is known to be durable, or of the one resumed from.
    saved_step: u64,
    tickets: u64,
    in_flight: Vec<InFlight>,
    /// What became of those that were in flight, until somebody asks.
    durable: VecDeque<Durable>,
    /// What failed in the background and nobody was told yet: it ends the call that finds it, not what that call does.
    untold: Option<Error>,
    arena: Arena,
    times: SaveTimes,
    held: Option<Held>,
    missing_told: Vec<String>,
    /// What the application says in every checkpoint's metadata.
    extra: serde_json::Map<String, serde_json::Value>,
    finished: bool,
}

/// What this process may do.
#[derive(Debug)]
enum Access {
    Write {
        run: Arc<Run>,
        keeper: Arc<Keeper>,
        background: Option<BackgroundWriter>,
    },
    /// Another rank writes. There may be no run yet.
    Read(Option<RunReader>),
}

impl Session {
    /// Opens the run `root/kind/name`, or makes it, or opens the one at [`SessionOptions::path`].
    ///
    /// This process is its writer until the session ends. A rank above 0 opens it to read; then there may be no run yet.
    ///
    /// # Errors
    /// [`Error::Locked`] naming the writer; [`Error::Invalid`] if `kind` or `name` is no name or an option is nonsense; others
    /// as [`Run::open_or_create`].
    pub fn open(root: impl AsRef<Path>, kind: &str, name: &str, options: SessionOptions) -> Result<Self> {
        let parse = |what: &str, text: &str| -> Result<RunName> {
            text.parse().map_err(|error| Error::Invalid { reason: format!("{what} {text:?}: {error}") })
        };
        let (kind, name) = (parse("kind", kind)?, parse("name", name)?);
        let path = match &options.path {
            Some(path) => path.clone(),
            None => root.as_ref().join(kind.as_str()).join(name.as_str()),
        };
        if options.rank > 0 {
            let reader = match RunReader::open(&path) {
                Err(Error::RunNotFound { .. }) => None,
                other => Some(other?),
            };
            return Self::assemble(Access::Read(reader), Vec::new(), options, Arc::default());
        }
        let run = Run::open_or_create(&path, &kind, &name, options.run.clone())?;
        Self::on(run, options)
    }

    /// A session on a run that is open to be written.
    ///
    /// # Errors
    /// [`Error::Invalid`] if an option is nonsense; what listing the run returns.
    pub fn on(run: Run, options: SessionOptions) -> Result<Self> {
        let retention = options.effective_retention();
        retention.check().map_err(|error| Error::Invalid { reason: error.to_string() })?;
        let run = Arc::new(run);
        let entries = run.reader().list()?;
        let notices = Arc::new(Notices::default());
        let confirmed = options.confirm_first_plan;
        let keeper =
            Keeper::new(&run, retention, &entries, confirmed, options.run.clock, Arc::clone(&notices));
        let keeper = Arc::new(keeper);
        let background = match options.background {
            None => None,
            Some(when_busy) => {
                let keeper = Arc::clone(&keeper);
                let after = move |run: &Run, outcome: &SaveOutcome| match outcome.result {
                    Ok(_) => keeper.after_save(run),
                    Err(_) => keeper.after_failure(run),
                };
                Some(BackgroundWriter::start(Arc::clone(&run), WriterOptions { when_busy }, after)?)
            }
        };
        Self::assemble(Access::Write { run, keeper, background }, entries, options, notices)
    }

    fn assemble(
        access: Access,
        entries: Vec<Entry>,
        options: SessionOptions,
        notices: Arc<Notices>,
    ) -> Result<Self> {
        let best = BestSoFar::of(options.monitors.iter().cloned(), &entries);
        let mut options = options;
        if let Some(unit) = &options.unit {
            options.schedule.unit.clone_from(unit);
        }
        if let Access::Write { run, .. } = &access {
            let mut carried = Metrics::default();
            best.apply_to(&mut carried);
            run.carry(carried);
            run.note(Note::ScheduleInForce {
                schedule: serde_json::to_value(&options.schedule).unwrap_or_default(),
                text: options.schedule.to_string(),
            });
        }
        Ok(Self {
            access,
            started: Instant::now(),
            pace: Pace::start(0),
            best,
            ladder: Ladder::new(options.reserve, options.phases_above),
            notices,
            summary: Summary::default(),
            position: Position::default(),
            metrics: Vec::new(),
            dirty: false,
            completed: false,
            failed: false,
            parent: None,
            seconds_before: 0.0,
            saved_step: 0,
            tickets: 0,
            in_flight: Vec::new(),
            durable: VecDeque::new(),
            untold: None,
            arena: Arena::new(),
            times: SaveTimes::default(),
            held: None,
            missing_told: Vec::new(),
            extra: serde_json::Map::new(),
            finished: false,
            options,
        })
    }

    /// Goes on from the newest good checkpoint. `begin` is called only in a run that never held one.
    ///
    /// # Errors
    /// [`Error::NothingGood`] if all there is is damaged or set aside: that never starts cold in silence. Others as
    /// [`Run::load_with`].
    pub fn resume_or_else<T: Restore>(&mut self, begin: impl FnOnce() -> T) -> Result<(T, Resumed)> {
        let error = match self.resume_from(&Selector::Latest) {
            Err(error) => error,
            resumed => return resumed,
        };
        let never = match self.reader() {
            None => true,
            Some(reader) => resume::nothing_saved(reader, &error, &Selector::Latest)?,
        };
        match (never, error) {
            (true, _) => Ok((begin(), Resumed::anew("the run has no checkpoint yet"))),
            (false, Error::NotFound { .. }) => Err(Error::NothingGood { skipped: Vec::new() }),
            (false, error) => Err(error),
        }
    }

    /// Goes on from the newest good checkpoint, which there must be.
    ///
    /// # Errors
    /// As [`Session::resume_or_else`]; [`Error::NotFound`] in a run without checkpoints.
    pub fn resume<T: Restore>(&mut self) -> Result<(T, Resumed)> {
        self.resume_from(&Selector::Latest)
    }

    /// Goes on from the checkpoint that is meant.
    ///
    /// # Errors
    /// As [`Run::load_with`].
    pub fn resume_from<T: Restore>(&mut self, selector: &Selector) -> Result<(T, Resumed)> {
        let span = tracing::info_span!("ckpt.resume", %selector);
        let _entered = span.enter();
        let mode = self.options.mode;
        let loaded = match &self.access {
            Access::Write { run, .. } => {
                run.load_with(selector, |checkpoint| T::restore(checkpoint, mode))?
            }
            Access::Read(Some(reader)) => {
                reader.load_with(selector, |checkpoint| T::restore(checkpoint, mode))?
            }
            Access::Read(None) => {
                return Err(Error::NotFound { wanted: selector.to_string(), present: Vec::new() });
            }
        };
        let (value, resumed) = Resumed::loaded(loaded);
        self.begin_at(&resumed);
        self.tell_loaded(&resumed);
        Ok((value, resumed))
    }

    /// Whether the loop should end: somebody asked to stop, the total is reached, or the run was completed before.
    pub fn should_stop(&self) -> bool {
        self.completed || self.options.stop.is_requested() || self.is_at_the_end()
    }

    /// Tells where the process is and how it does, at a boundary at which the state is whole; saves if there is a reason to.
    /// `state` runs only then.
    ///
    /// `metrics` are those of an evaluation at this step; none if there was none. A call that does not save reads at most one
    /// clock.
    ///
    /// # Errors
    /// Of this save, or of an earlier one in the background: the work itself can go on, and the schedule tries again.
    pub fn step<S: Save>(
        &mut self,
        position: impl Into<Position>,
        metrics: &[(&str, f64)],
        state: impl FnOnce() -> S,
    ) -> Result<Step> {
        self.step_with(position, metrics, &Lazily::new(state))
    }

    /// As [`Session::step`] for state that is there to be borrowed.
    ///
    /// # Errors
    /// As [`Session::step`].
    pub fn step_with<S: Save + ?Sized>(
        &mut self,
        position: impl Into<Position>,
        metrics: &[(&str, f64)],
        state: &S,
    ) -> Result<Step> {
        let outcome = match self.due(position.into(), metrics) {
            Due::Nothing => Ok(Step::NotDue),
            Due::Hold => self.hold(state),
            Due::Save(causes, counted) => self.save_because(causes, counted, Status::InProgress, state),
        };
        self.tell(outcome)
    }

    /// Saves now, at the position of the last step. After [`Event::Failure`] the work counts as failed until the next step.
    ///
    /// # Errors
    /// As [`Session::step`].
    pub fn save<S: Save + ?Sized>(
        &mut self,
        event: Event,
        reason: impl Into<String>,
        state: &S,
    ) -> Result<Step> {
        self.failed |= event == Event::Failure;
        let status = if self.failed { Status::Failed } else { Status::InProgress };
        let cause = Cause { event, reason: Some(reason.into()) };
        let outcome = self.save_because(vec![cause], Counted(false), status, state);
        self.tell(outcome)
    }

    /// Saves because the work went over a boundary within a phase: `night`, `instrument_2`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the name does not match `[a-z0-9_]{1,48}`; others as [`Session::step`].
    pub fn phase_boundary<S: Save + ?Sized>(&mut self, name: &str, state: &S) -> Result<Step> {
        let event = Event::phase_boundary(name)
            .map_err(|error: EventError| Error::Invalid { reason: error.to_string() })?;
        self.save(event, format!("the work went over the boundary {name}"), state)
    }

    /// What there is to resume, without reading a payload.
    ///
    /// # Errors
    /// What listing the run returns; [`Error::RunNotFound`] if this rank reads and there is none yet.
    pub fn recovery_info(&self) -> Result<RecoveryInfo> {
        RecoveryInfo::of_reader(self.reader_or_error()?)
    }

    /// What retention would do now.
    ///
    /// # Errors
    /// What listing the run returns; [`Error::Invalid`] in a session that only reads.
    pub fn plan(&self) -> Result<Plan> {
        match &self.access {
            Access::Write { run, keeper, .. } => keeper.plan(run),
            Access::Read(_) => Err(reads_only()),
        }
    }

    /// Confirms the policy in force, so that a plan that was withheld is applied, now and later.
    ///
    /// # Errors
    /// [`Error::Invalid`] in a session that only reads. What pruning meets is a notice.
    pub fn confirm_plan(&mut self) -> Result<()> {
        match &self.access {
            Access::Write { run, keeper, .. } => {
                keeper.confirm(run);
                Ok(())
            }
            Access::Read(_) => Err(reads_only()),
        }
    }

    /// Says this in the `extra` of every checkpoint's metadata from now on, in place of what was said under that name: where the
    /// state comes from, for example. A resume takes nothing over; what the checkpoint said is in [`Resumed::from`].
    pub fn set_extra(&mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) {
        self.extra.insert(name.into(), value.into());
    }

    /// Waits until what is in flight is durable. Which checkpoints it became says [`take_durable`](Self::take_durable).
    ///
    /// # Errors
    /// What a save in the background returned.
    pub fn flush(&mut self) -> Result<()> {
        let Access::Write { background: Some(background), .. } = &self.access else { return Ok(()) };
        let begun = Instant::now();
        let failures = match background.flush() {
            Ok(()) => Vec::new(),
            Err(Error::Background { failures, .. }) => failures,
            Err(error) => return Err(error),
        };
        let outcomes = background.take_outcomes();
        self.summary.add_blocked(begun.elapsed());
        self.take_in(outcomes.into_iter().chain(failures.into_iter().map(SaveOutcome::failed)))
    }

    /// Which checkpoints the saves became that were [`Step::Queued`], as far as they are durable and nobody asked before; in their
    /// order. Does not wait: [`flush`](Self::flush) does. One that is missing after it failed, which a call told, or was replaced.
    /// The newest thousand are kept.
    ///
    /// ```
    /// use ckpt::{Json, Session, SessionOptions, Step, WhenBusy};
    ///
    /// # let root = tempfile::tempdir()?;
    /// # let root = root.path();
    /// let options = SessionOptions::default().save_every(10).background(WhenBusy::Wait);
    /// let mut session = Session::open(root, "training", "counter", options)?;
    /// let Step::Queued { ticket, .. } = session.step(10, &[], || Json(10))? else { panic!("10 steps were done") };
    /// session.flush()?;
    /// let durable = session.take_durable();
    /// assert_eq!((durable[0].ticket, durable[0].saved.sequence), (ticket, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_durable(&mut self) -> Vec<Durable> {
        self.settle();
        std::mem::take(&mut self.durable).into()
    }

    /// The run, to look at it; nothing if this rank reads and there is none yet.
    pub fn reader(&self) -> Option<&RunReader> {
        match &self.access {
            Access::Write { run, .. } => Some(run.reader()),
            Access::Read(reader) => reader.as_ref(),
        }
    }

    /// What is worth telling, each once.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        if let Access::Write { run, .. } = &self.access {
            for reason in run.take_notices() {
                self.notices.tell(Notice::Store { reason });
            }
        }
        self.notices.take()
    }

    /// What the session did so far.
    pub fn summary(&self) -> Summary {
        let mut summary = self.summary.clone();
        summary.elapsed_seconds = self.started.elapsed().as_secs_f64();
        summary.cumulative_seconds = self.seconds_before + summary.elapsed_seconds;
        if let Access::Write { keeper, .. } = &self.access {
            (summary.pruned, summary.pruned_bytes) = keeper.pruned();
        }
        summary
    }
}

fn reads_only() -> Error {
    Error::Invalid { reason: "this session only reads: rank 0 writes and prunes".to_owned() }
}
