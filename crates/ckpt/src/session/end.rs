//! The end: what is saved last, what became of the state that a session ended with, and what is told of it.

use ckpt_format::{Cause, Event, Status};
use ckpt_store::{Error, FinalState, Note, Result, Saved};

use super::due::Counted;
use super::report::{Durable, Notice, Step, Summary};
use super::state::Save;
use super::{Access, Session};

/// How a session ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// How the work ended. The last checkpoint says the same only if it is of the final state.
    pub status: Status,
    /// What became of the state that it ended with.
    pub final_state: FinalState,
    /// The last checkpoint; nothing if none was made at the end.
    pub saved: Option<Saved>,
    /// Why none was made, if so.
    pub reason: Option<String>,
    /// What the session did.
    pub summary: Summary,
    /// What nobody has taken yet.
    pub notices: Vec<Notice>,
    /// Which checkpoints saves in the background became, as far as nobody has taken it yet.
    pub durable: Vec<Durable>,
}

/// What became of the final state.
struct LastWord {
    state: FinalState,
    saved: Option<Saved>,
    /// Why no checkpoint was made of it, if so.
    reason: Option<String>,
}

impl Session {
    /// Ends the session. The last checkpoint says `completed`; or `interrupted`, if somebody asked to stop before the end.
    ///
    /// If nothing was done since the last checkpoint that says the same, none is made. Nor is one if the event is turned off
    /// (`phase_end`; or `interrupt` and its like where somebody asked to stop): [`Finished::final_state`] says whether the state is in
    /// a checkpoint all the same, and so does the log. Prunes once, after the last one is durable.
    ///
    /// It is not `completed` after a failure that was saved with no step since, and not while the thread panics, where a guard of
    /// the host may call this: then `state` may be half-way through a step, so the snapshot that is held is saved in its place, as
    /// when a session is dropped.
    ///
    /// # Errors
    /// What the last save returned: then the run is as it was, and says so. Or what one in the background before it returned, which
    /// nobody was told yet: the last one is made all the same.
    pub fn finish<S: Save + ?Sized>(self, state: &S) -> Result<Finished> {
        if self.failed {
            return self.failed("the work failed", state);
        }
        match self.options.stop.reason() {
            Some(reason) if !self.is_at_the_end() => {
                let (event, text) = (reason.event(), reason.to_string());
                self.end(Cause { event, reason: Some(text) }, Status::Interrupted, state)
            }
            _ => {
                let cause =
                    Cause { event: Event::PhaseEnd, reason: Some("the work came to its end".to_owned()) };
                self.end(cause, Status::Completed, state)
            }
        }
    }

    /// Ends the session with the status `interrupted`, as `interrupt`. While the thread panics it does what [`Session::finish`] does.
    ///
    /// # Errors
    /// As [`Session::finish`].
    pub fn interrupted<S: Save + ?Sized>(self, reason: impl Into<String>, state: &S) -> Result<Finished> {
        let cause = Cause { event: Event::Interrupt, reason: Some(reason.into()) };
        self.end(cause, Status::Interrupted, state)
    }

    /// Ends the session with the status `failed`, as `failure`. Nothing can be written after it: not `completed` either.
    /// While the thread panics it does what [`Session::finish`] does.
    ///
    /// # Errors
    /// As [`Session::finish`].
    pub fn failed<S: Save + ?Sized>(self, reason: impl Into<String>, state: &S) -> Result<Finished> {
        let cause = Cause { event: Event::Failure, reason: Some(reason.into()) };
        self.end(cause, Status::Failed, state)
    }

    /// The last save, and the end of the writer's thread.
    pub(super) fn end<S: Save + ?Sized>(
        mut self,
        cause: Cause,
        status: Status,
        state: &S,
    ) -> Result<Finished> {
        if std::thread::panicking() {
            return self.end_in_panic();
        }
        // The last word is said in the foreground: after it there is no next call that could tell. What failed before it must not
        // keep it from being said: the caller has no session any more to try again with.
        let before = self.close();
        let outcome = self.say_last(cause, status, state);
        self.finished = true;
        if let (Access::Write { run, keeper, .. }, Ok(last)) = (&self.access, &outcome) {
            if last.saved.is_some() {
                keeper.prune_now(run);
            }
            let (final_state, reason) = (Some(last.state), last.reason.clone());
            run.note(Note::Finished { status, final_state, reason });
        }
        let LastWord { state: final_state, saved, reason } = outcome?;
        before?;
        let (notices, durable) = (self.take_notices(), self.take_durable());
        Ok(Finished { status, final_state, saved, reason, summary: self.summary(), notices, durable })
    }

    fn say_last<S: Save + ?Sized>(&mut self, cause: Cause, status: Status, state: &S) -> Result<LastWord> {
        let none_made =
            |session: &Self, reason| Ok(LastWord { state: session.unsaved_state(), saved: None, reason });
        if self.completed && !self.dirty {
            return none_made(self, Some("nothing was done since the run was completed".to_owned()));
        }
        if self.failed && !self.dirty {
            return none_made(self, Some("the work failed, and nothing was done since".to_owned()));
        }
        self.judge_grace();
        match self.save_because(vec![cause], Counted(false), status, state)? {
            Step::Saved { saved, .. } => {
                Ok(LastWord { state: FinalState::Saved, saved: Some(*saved), reason: None })
            }
            Step::Refused { reason, .. } => {
                let source = std::io::Error::new(std::io::ErrorKind::StorageFull, reason);
                Err(Error::NoSpace { action: "saving", path: "the last checkpoint".to_owned(), source })
            }
            Step::Skipped { reason, .. } => none_made(self, Some(reason)),
            Step::NotDue | Step::Queued { .. } => none_made(self, None),
        }
    }

    /// What becomes of the state if no checkpoint is made of it now.
    pub(super) fn unsaved_state(&self) -> FinalState {
        let is_in_one = !self.dirty && (self.summary.saves > 0 || self.parent.is_some());
        match self.access {
            _ if is_in_one => FinalState::SavedBefore,
            Access::Write { .. } => FinalState::NotSaved,
            Access::Read(_) => FinalState::Elsewhere,
        }
    }

    /// Ends the writer's thread, whatever it still has, and takes in what it did.
    pub(super) fn close(&mut self) -> Result<()> {
        let flushed = self.flush();
        let closed = match &mut self.access {
            Access::Write { background, .. } => {
                background.take().map_or(Ok(()), |background| background.close().map(|_| ()))
            }
            Access::Read(_) => Ok(()),
        };
        flushed.and(closed)
    }

    /// Says so if a save usually takes longer than the grace that is left. It is made all the same: one that is killed half-way
    /// leaves nothing behind.
    fn judge_grace(&self) {
        let Some(since) = self.options.stop.requested_for() else { return };
        let verdict = self.options.grace.judge(self.times.predict(None), since);
        if !verdict.fits() {
            self.notices.tell(Notice::GraceShort {
                reason: format!(
                    "{verdict}; if it is killed half-way, the checkpoint before it is the newest"
                ),
            });
        }
    }
}
