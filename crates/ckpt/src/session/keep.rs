//! Retention, carried out: when to prune, what a plan may do unasked, and what became of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ckpt_format::{Digest, Entry, Timestamp};
use ckpt_policy::{Plan, RetentionPolicy, plan};
use ckpt_store::{Note, Result, Run};

use crate::prune::{apply_plan, is_plan_confirmed};

use super::notices::Notices;
use super::report::Notice;

/// Prunes a run by its policy. Shared with the writer's thread, where it prunes after saves in the background.
#[derive(Debug)]
pub(crate) struct Keeper {
    policy: RetentionPolicy,
    digest: Digest,
    /// The options confirm whatever it deletes.
    confirm_first: bool,
    clock: fn() -> Timestamp,
    notices: Arc<Notices>,
    /// The next save that ends prunes, whatever the count. Not in the state, which is locked while a plan is carried out.
    asked: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    saves_since: u64,
    /// Whether plans of this policy are applied whatever they delete, and the log says so.
    confirmed: bool,
    /// What is withheld was told.
    told: bool,
    pruned: u64,
    pruned_bytes: u64,
}

impl Keeper {
    /// Puts a policy in force in a run that has these checkpoints.
    pub(crate) fn new(
        run: &Run,
        policy: RetentionPolicy,
        entries: &[Entry],
        confirm_first: bool,
        clock: fn() -> Timestamp,
        notices: Arc<Notices>,
    ) -> Self {
        let digest = policy.digest();
        let committed = entries.iter().filter(|entry| entry.is_committed()).count() as u64;
        let text = serde_json::to_value(&policy).unwrap_or_default();
        run.note(Note::PolicyInForce { digest, policy: text, entries: committed });
        // In a run that had nothing when the policy came nobody can be surprised by it.
        let state = State { confirmed: committed == 0, ..State::default() };
        Self {
            policy,
            digest,
            confirm_first,
            clock,
            notices,
            asked: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    /// Counts a durable save, and prunes when it is time.
    pub(crate) fn after_save(&self, run: &Run) {
        let asked = self.asked.swap(false, Ordering::Relaxed);
        let mut state = self.state();
        state.saves_since = state.saves_since.saturating_add(1);
        if asked || self.policy.is_due_after(state.saves_since) {
            self.prune_or_tell(run, &mut state);
        }
    }

    /// A save failed: prunes if that was asked for, so that the next one finds the room.
    pub(crate) fn after_failure(&self, run: &Run) {
        if self.asked.swap(false, Ordering::Relaxed) {
            self.prune_now(run);
        }
    }

    /// Lets the next save that ends prune, whatever the count. Waits for nothing.
    pub(crate) fn prune_after_next(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Prunes now, whatever the count.
    pub(crate) fn prune_now(&self, run: &Run) {
        self.prune_or_tell(run, &mut self.state());
    }

    /// What the policy would do now.
    pub(crate) fn plan(&self, run: &Run) -> Result<Plan> {
        Ok(plan(&self.policy, &run.reader().list()?, (self.clock)()))
    }

    /// Lets plans of this policy be applied, also those that delete more than half.
    pub(crate) fn confirm(&self, run: &Run) {
        let mut state = self.state();
        self.confirm_in(run, &mut state);
        self.prune_or_tell(run, &mut state);
    }

    /// How many were pruned, and their bytes.
    pub(crate) fn pruned(&self) -> (u64, u64) {
        let state = self.state();
        (state.pruned, state.pruned_bytes)
    }

    /// A failure must not fail the save that it follows: it is told, and the next save tries again.
    fn prune_or_tell(&self, run: &Run, state: &mut State) {
        let saves_since = std::mem::take(&mut state.saves_since);
        if let Err(error) = self.prune(run, state) {
            state.saves_since = saves_since;
            metrics::counter!("ckpt_prune_failures_total").increment(1);
            self.notices.tell(Notice::PruneFailed { reason: error.to_string() });
        }
    }

    fn prune(&self, run: &Run, state: &mut State) -> Result<()> {
        let span = tracing::info_span!("ckpt.prune", deleted = tracing::field::Empty);
        let _entered = span.enter();
        let plan = self.plan(run)?;
        if plan.delete() == 0 {
            return Ok(());
        }
        if self.confirm_first {
            // It stands in the log before what it lets go.
            self.confirm_in(run, state);
        }
        if let Some(withheld) = plan.withheld(state.confirmed) {
            // Read only when it matters, and once: a log may be long, and only its writer confirms anything.
            if state.told || !is_plan_confirmed(run.reader(), self.digest)? {
                if !std::mem::replace(&mut state.told, true) {
                    run.note(Note::PlanWithheld {
                        digest: self.digest,
                        delete: plan.delete(),
                        keep: plan.keep(),
                    });
                    self.notices.tell(Notice::PlanWithheld { reason: withheld.to_string() });
                }
                return Ok(());
            }
            state.confirmed = true;
        }
        let deleted = apply_plan(run, &plan)?;
        // What was applied once is no surprise any more.
        self.confirm_in(run, state);
        let count = deleted.file_names.len() as u64;
        state.pruned = state.pruned.saturating_add(count);
        state.pruned_bytes = state.pruned_bytes.saturating_add(deleted.freed_bytes);
        span.record("deleted", count);
        metrics::counter!("ckpt_pruned_total").increment(count);
        self.notices.tell(Notice::Pruned { count, freed_bytes: deleted.freed_bytes });
        Ok(())
    }

    /// Once for a run and a policy: whoever goes on with both finds it in the log.
    fn confirm_in(&self, run: &Run, state: &mut State) {
        if std::mem::replace(&mut state.confirmed, true) {
            return;
        }
        state.told = false;
        // A log that can't be read rather has it twice than not at all.
        if !is_plan_confirmed(run.reader(), self.digest).unwrap_or(false) {
            run.note(Note::PlanConfirmed { digest: self.digest });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
