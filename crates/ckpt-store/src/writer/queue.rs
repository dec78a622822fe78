//! What is queued, in flight and done: decides what becomes of a save, knows no thread.

use std::collections::VecDeque;
use std::fmt;

use ckpt_format::Metadata;

use crate::error::{Error, Result};
use crate::snapshot::Snapshot;
use crate::store::Saved;

/// Successes that wait to be taken; of more, the newest. Failures are all kept.
const SUCCESSES_MAX: usize = 1_024;

/// What happens when a save is submitted while one is in flight. What may not be dropped is never skipped nor replaced: it
/// takes the place in the queue, or waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WhenBusy {
    /// It takes the place in the queue; if that is taken, the caller waits.
    #[default]
    Wait,
    /// It is not saved.
    Skip,
    /// It takes the place in the queue, also of one that waits there, if that one may be dropped; if not, the caller waits.
    Replace,
}

/// A checkpoint to save.
#[derive(Debug)]
pub struct Job {
    /// The caller's own number for it.
    pub ticket: u64,
    /// What it says about itself.
    pub metadata: Metadata,
    /// What is in it.
    pub snapshot: Snapshot,
}

/// What became of a submitted save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// It will be saved.
    Queued,
    /// It will not be saved: another is under way.
    Skipped,
    /// It will be saved instead of one that waited.
    Replaced {
        /// The other's number.
        ticket: u64,
    },
}

/// What would become of a save that is submitted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// It would be queued at once.
    Queue,
    /// It would be skipped.
    Skip,
    /// It would take another's place.
    Replace,
    /// The caller would wait.
    Wait,
}

/// How a save in the background ended.
#[derive(Debug)]
pub struct SaveOutcome {
    /// The caller's number for it.
    pub ticket: u64,
    /// The checkpoint, durable; or why there is none.
    pub result: Result<Saved>,
}

/// A save in the background that failed.
#[derive(Debug)]
pub struct Failure {
    /// The caller's number for it.
    pub ticket: u64,
    /// Why.
    pub error: Error,
}

/// What a writer did so far. Once nothing is under way, `submitted = saved + failed + skipped + replaced`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Saves that were submitted.
    pub submitted: u64,
    /// Those that are durable.
    pub saved: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were not saved because another was under way.
    pub skipped: u64,
    /// Those whose place another took.
    pub replaced: u64,
    /// How often the hook after a save panicked.
    pub hook_panics: u64,
    /// What callers have waited for a place in the queue, in microseconds.
    pub waited_us: u64,
}

/// A queue of one beside the save that is in flight.
#[derive(Debug, Default)]
pub(super) struct Queue {
    when_busy: WhenBusy,
    pending: Option<Pending>,
    /// Its number, from when it leaves the queue until the hook has returned.
    in_flight: Option<u64>,
    outcomes: VecDeque<SaveOutcome>,
    counters: Counters,
}

#[derive(Debug)]
struct Pending {
    job: Job,
    may_drop: bool,
}

impl SaveOutcome {
    /// Of a save that failed.
    pub fn failed(failure: Failure) -> Self {
        Self { ticket: failure.ticket, result: Err(failure.error) }
    }
}

impl Job {
    /// A checkpoint to save, with the caller's number for it.
    pub fn new(ticket: u64, metadata: Metadata, snapshot: Snapshot) -> Self {
        Self { ticket, metadata, snapshot }
    }
}

impl Queue {
    pub(super) fn new(when_busy: WhenBusy) -> Self {
        Self { when_busy, ..Self::default() }
    }

    /// Nothing is queued and nothing in flight.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_none() && self.in_flight.is_none()
    }

    pub(super) fn outlook(&self, may_drop: bool) -> Outlook {
        match (&self.pending, self.when_busy) {
            _ if self.is_idle() => Outlook::Queue,
            (_, WhenBusy::Skip) if may_drop => Outlook::Skip,
            (None, _) => Outlook::Queue,
            (Some(pending), WhenBusy::Replace) if pending.may_drop => Outlook::Replace,
            (Some(_), _) => Outlook::Wait,
        }
    }

    /// Counts one that is not saved.
    pub(super) fn skip(&mut self) -> Submitted {
        self.counters.submitted += 1;
        self.counters.skipped += 1;
        Submitted::Skipped
    }

    /// Gives a save the place in the queue. What had it is returned, to be dropped elsewhere: that may take a while.
    pub(super) fn put(&mut self, job: Job, may_drop: bool) -> (Submitted, Option<Job>) {
        self.counters.submitted += 1;
        match self.pending.replace(Pending { job, may_drop }) {
            None => (Submitted::Queued, None),
            Some(Pending { job, .. }) => {
                self.counters.replaced += 1;
                (Submitted::Replaced { ticket: job.ticket }, Some(job))
            }
        }
    }

    /// A save that cannot even be tried.
    pub(super) fn lose(&mut self, ticket: u64, error: Error) {
        self.counters.submitted += 1;
        self.counters.failed += 1;
        self.outcomes.push_back(SaveOutcome { ticket, result: Err(error) });
    }

    /// The next save, in flight from now on.
    pub(super) fn take(&mut self) -> Option<Job> {
        let Pending { job, .. } = self.pending.take()?;
        self.in_flight = Some(job.ticket);
        Some(job)
    }

    /// The save that was in flight has ended, and so has the hook after it.
    pub(super) fn done(&mut self, outcome: SaveOutcome, hook: Option<Error>) {
        self.in_flight = None;
        let ticket = outcome.ticket;
        match &outcome.result {
            Ok(_) => self.counters.saved += 1,
            Err(_) => self.counters.failed += 1,
        }
        self.outcomes.push_back(outcome);
        if let Some(error) = hook {
            self.counters.hook_panics += 1;
            self.outcomes.push_back(SaveOutcome { ticket, result: Err(error) });
        }
        self.forget_old_successes();
    }

    /// Nobody will save what is queued or in flight.
    pub(super) fn give_up(&mut self, error: impl Fn() -> Error) {
        let queued = self.pending.take().map(|pending| pending.job.ticket);
        for ticket in self.in_flight.take().into_iter().chain(queued) {
            self.counters.failed += 1;
            self.outcomes.push_back(SaveOutcome { ticket, result: Err(error()) });
        }
    }

    pub(super) fn take_outcomes(&mut self) -> Vec<SaveOutcome> {
        std::mem::take(&mut self.outcomes).into()
    }

    /// What failed and was not told yet, oldest first. Successes stay.
    pub(super) fn take_failures(&mut self) -> Vec<Failure> {
        let mut failures = Vec::new();
        for SaveOutcome { ticket, result } in std::mem::take(&mut self.outcomes) {
            match result {
                Err(error) => failures.push(Failure { ticket, error }),
                result => self.outcomes.push_back(SaveOutcome { ticket, result }),
            }
        }
        failures
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters
    }

    pub(super) fn count_waited(&mut self, micros: u64) {
        self.counters.waited_us = self.counters.waited_us.saturating_add(micros);
    }

    fn forget_old_successes(&mut self) {
        if self.outcomes.len() > SUCCESSES_MAX
            && let Some(oldest) = self.outcomes.iter().position(|outcome| outcome.result.is_ok())
        {
            self.outcomes.remove(oldest);
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "save {}: {}", self.ticket, self.error)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io;

    use ckpt_format::Digest;
    use proptest::prelude::*;

    use super::*;
    use crate::log::Costs;

    fn job(ticket: u64) -> Job {
        Job::new(ticket, Metadata::default(), Snapshot::new(Vec::new()))
    }

    fn outcome(ticket: u64, good: bool) -> SaveOutcome {
        let digest = Digest::of(b"");
        let saved = Saved {
            epoch: 0,
            sequence: ticket,
            file_name: String::new(),
            stored_bytes: 0,
            raw_bytes: 0,
            content_digest: digest,
            index_digest: digest,
            costs: Costs::default(),
        };
        SaveOutcome { ticket, result: if good { Ok(saved) } else { Err(error()) } }
    }

    fn error() -> Error {
        Error::io("saving", "a test", io::Error::other("it failed"))
    }

    /// Each row: whether one is in flight, and whether one is pending that may be dropped; then what becomes of one that may be
    /// dropped, and of one that may not.
    #[test]
    fn the_table_of_what_becomes_of_a_save() {
        use Outlook::{Queue as Q, Replace as R, Skip as S, Wait as W};
        let table = [
            (WhenBusy::Wait, [(Q, Q), (W, W), (Q, Q), (W, W), (W, W)]),
            (WhenBusy::Skip, [(Q, Q), (S, W), (S, Q), (S, W), (S, W)]),
            (WhenBusy::Replace, [(Q, Q), (R, R), (Q, Q), (R, R), (W, W)]),
        ];
        for (when_busy, rows) in table {
            let states =
                [(false, None), (false, Some(true)), (true, None), (true, Some(true)), (true, Some(false))];
            for ((in_flight, pending), expected) in states.into_iter().zip(rows) {
                let mut queue = Queue::new(when_busy);
                if in_flight {
                    queue.put(job(1), true);
                    queue.take();
                }
                if let Some(may_drop) = pending {
                    queue.put(job(2), may_drop);
                }
                assert_eq!(
                    (queue.outlook(true), queue.outlook(false)),
                    expected,
                    "{when_busy:?} {in_flight} {pending:?}"
                );
            }
        }
    }

    #[test]
    fn of_successes_that_nobody_takes_the_newest_are_kept_and_no_failure_is_lost() {
        let mut queue = Queue::new(WhenBusy::Wait);
        queue.done(outcome(0, false), None);
        for ticket in 1..=2_000 {
            queue.done(outcome(ticket, true), None);
        }
        let outcomes = queue.take_outcomes();
        assert_eq!(outcomes.len(), SUCCESSES_MAX);
        assert_eq!((outcomes[0].ticket, outcomes[1].ticket), (0, 2_000 - SUCCESSES_MAX as u64 + 2));
    }

    #[derive(Debug, Clone)]
    enum Act {
        Submit { may_drop: bool },
        Take,
        Done { good: bool, hook: bool },
        Outcomes,
        Failures,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => any::<bool>().prop_map(|may_drop| Act::Submit { may_drop }),
            3 => Just(Act::Take),
            3 => (any::<bool>(), any::<bool>()).prop_map(|(good, hook)| Act::Done { good, hook }),
            1 => Just(Act::Outcomes),
            1 => Just(Act::Failures),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever happens: each save ends in one way, the order stays, what may not be dropped is not, each end is told once.
        #[test]
        fn nothing_is_lost_or_told_twice(
            when_busy in prop_oneof![Just(WhenBusy::Wait), Just(WhenBusy::Skip), Just(WhenBusy::Replace)],
            acts in prop::collection::vec(act(), 0..60),
        ) {
            let mut queue = Queue::new(when_busy);
            let (mut next, mut in_flight) = (0, None);
            let (mut taken, mut dropped, mut told, mut expected) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            let mut keep = BTreeSet::new();
            for act in acts {
                match act {
                    Act::Submit { may_drop } => {
                        next += 1;
                        if !may_drop {
                            keep.insert(next);
                        }
                        match queue.outlook(may_drop) {
                            // The caller would wait; here it gives up.
                            Outlook::Wait => next -= u64::from(keep.remove(&next) || may_drop),
                            Outlook::Skip => {
                                prop_assert_eq!(queue.skip(), Submitted::Skipped);
                                dropped.push(next);
                            }
                            _ => {
                                let (submitted, before) = queue.put(job(next), may_drop);
                                prop_assert_eq!(submitted == Submitted::Queued, before.is_none());
                                dropped.extend(before.map(|job| job.ticket));
                            }
                        }
                    }
                    Act::Take if in_flight.is_none() => {
                        in_flight = queue.take().map(|job| job.ticket);
                        taken.extend(in_flight);
                    }
                    Act::Done { good, hook } => {
                        if let Some(ticket) = in_flight.take() {
                            queue.done(outcome(ticket, good), hook.then(error));
                            expected.push((ticket, good));
                            expected.extend(hook.then_some((ticket, false)));
                        }
                    }
                    Act::Outcomes => told.extend(queue.take_outcomes().iter().map(|o| (o.ticket, o.result.is_ok()))),
                    Act::Failures => told.extend(queue.take_failures().iter().map(|f| (f.ticket, false))),
                    Act::Take => {}
                }
            }
            told.extend(queue.take_outcomes().iter().map(|o| (o.ticket, o.result.is_ok())));
            told.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(told, expected);
            prop_assert!(taken.is_sorted());
            prop_assert!(dropped.iter().all(|ticket| !keep.contains(ticket)));
            let counters = queue.counters();
            let waiting = u64::from(queue.pending.is_some());
            let ended = counters.saved + counters.failed + counters.skipped + counters.replaced;
            prop_assert_eq!(counters.submitted, next);
            prop_assert_eq!(counters.submitted, ended + waiting + u64::from(in_flight.is_some()));
            prop_assert_eq!(taken.len() as u64 + waiting + dropped.len() as u64, next);
        }
    }
}
