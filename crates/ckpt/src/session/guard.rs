//! The guard: what is left to save when the thread panics, and what ends when a session is dropped.

use ckpt_format::{Cause, Event, Metadata, Status};
use ckpt_store::{FinalState, Note, Result, Saved, Snapshot};

use super::report::{Notice, Step};
use super::state::Save;
use super::{Access, Finished, Session};

/// Why there is no last checkpoint.
const PANICKED: &str = "the thread panicked";

/// A copy of the state at a step boundary.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) step: u64,
    metadata: Metadata,
    snapshot: Snapshot,
}

impl Session {
    /// Whether the guard's copy has grown old.
    pub(super) fn is_hold_due(&self, step: u64) -> bool {
        let every = self.options.hold_snapshot_every;
        if every == 0 {
            return false;
        }
        let last = self.held.as_ref().map_or(0, |held| held.step).max(self.saved_step);
        step.saturating_sub(last) >= every
    }

    /// Takes the copy.
    pub(super) fn hold<S: Save + ?Sized>(&mut self, state: &S) -> Result<Step> {
        let snapshot = self.arena.snapshot(state.sections()?)?;
        let cause = Cause {
            event: Event::Failure,
            reason: Some(
                "the thread panicked; this is the state at the last boundary that was held".to_owned(),
            ),
        };
        let metadata = self.metadata(vec![cause], Status::Failed);
        self.held = Some(Held { step: self.step_number(), metadata, snapshot });
        Ok(Step::NotDue)
    }

    /// Somebody ends the session while the thread panics.
    ///
    /// # Errors
    /// What a save in the background before it returned.
    pub(super) fn end_in_panic(mut self) -> Result<Finished> {
        self.finished = true;
        let closed = self.close();
        let saved = self.save_held();
        closed?;
        let final_state = self.held_state(&saved);
        let reason = saved.is_none().then(|| PANICKED.to_owned());
        let (notices, durable) = (self.take_notices(), self.take_durable());
        let (status, summary) = (Status::Failed, self.summary());
        Ok(Finished { status, final_state, saved, reason, summary, notices, durable })
    }

    /// The thread panics: saves the copy if it is newer than what is saved, and says what it did.
    fn save_held(&mut self) -> Option<Saved> {
        let newest = self.saved_step;
        let held = self.held.take().filter(|held| held.step > newest);
        let Access::Write { run, .. } = &self.access else { return None };
        let (outcome, saved) = match held {
            None => (format!("nothing was saved; the newest checkpoint is of step {newest}"), None),
            Some(Held { step, metadata, snapshot }) => match run.save_snapshot(metadata, snapshot) {
                Ok(saved) => (
                    format!("the state at step {step} was saved as sequence {}", saved.sequence),
                    Some(saved),
                ),
                Err(error) => (format!("the state at step {step} could not be saved: {error}"), None),
            },
        };
        let final_state = Some(self.held_state(&saved));
        let reason = saved.is_none().then(|| PANICKED.to_owned());
        run.note(Note::Finished { status: Status::Failed, final_state, reason });
        self.notices.tell(Notice::Panicked { outcome });
        if let Some(saved) = &saved {
            self.count(saved, &Event::Failure.to_string());
        }
        saved
    }

    /// What became of the state at the last boundary.
    fn held_state(&self, saved: &Option<Saved>) -> FinalState {
        if saved.is_some() { FinalState::Saved } else { self.unsaved_state() }
    }
}

impl Drop for Session {
    /// Waits for what is in flight. Whoever wants to hear of its errors calls `finish`.
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        if let Err(error) = self.close() {
            tracing::error!(target: "ckpt", %error, "a save in the background failed, and nobody asked");
        }
        if std::thread::panicking() {
            self.save_held();
        }
    }
}
