//! What a listing as a whole says about each of its entries: places, the newest, the completed one. The rules are read off it.

use std::time::Duration;

use ckpt_format::{Direction, Entry, Event, EventClass, Selectable, Status, Timestamp};

use super::plan::{Planned, Verdict};
use super::policy::{RetentionPolicy, Top};
use super::reason::{Reason, until_completed};

/// The entries, oldest first, and the places they have; an entry is named by its index.
pub(super) struct Standing<'a> {
    policy: &'a RetentionPolicy,
    now: Timestamp,
    entries: Vec<&'a Entry>,
    newest: Option<usize>,
    /// Of the newest that is completed.
    completed: Option<(u64, u64)>,
    periodic: Ranks,
    tops: Vec<(&'a Top, Ranks)>,
}

/// The place of each entry, from 1, if it has one.
type Ranks = Vec<Option<u64>>;

impl<'a> Standing<'a> {
    pub(super) fn of(policy: &'a RetentionPolicy, entries: &'a [Entry], now: Timestamp) -> Self {
        let mut entries: Vec<&Entry> = entries.iter().collect();
        // No two committed ones have one order; names decide only the order of what is reported and left.
        entries.sort_unstable_by_key(|entry| (entry.order(), entry.file_name.as_str()));
        let newest = entries.iter().rposition(|entry| entry.is_committed());
        let completed = entries
            .iter()
            .rev()
            .find(|entry| entry.is_committed() && entry.status() == Some(Status::Completed))
            .map(|entry| entry.order());
        let periodic = (0..entries.len())
            .rev()
            .filter(|&index| is_judged(entries[index]) && entries[index].events().contains(&Event::Periodic));
        let periodic = ranks(entries.len(), periodic);
        let tops = policy.tops().map(|top| (top, best_first(&entries, &top.metric, top.direction)));
        let tops = tops.map(|(top, best)| (top, ranks(entries.len(), best))).collect();
        Self { policy, now, newest, completed, periodic, tops, entries }
    }

    pub(super) fn committed(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.is_committed()).count() as u64
    }

    /// Whether budgets and limits speak of it.
    pub(super) fn is_judged(&self, index: usize) -> bool {
        is_judged(self.entries[index])
    }

    /// What all rules but the limit on bytes say of it.
    pub(super) fn judge(&self, index: usize) -> Planned {
        let (verdict, reasons) = self.verdict(index);
        let entry = self.entries[index];
        Planned {
            epoch: entry.epoch,
            sequence: entry.sequence,
            file_name: entry.file_name.clone(),
            verdict,
            reasons,
            stored_bytes: entry.stored_bytes,
            pinned: entry.pinned,
        }
    }

    fn verdict(&self, index: usize) -> (Verdict, Vec<Reason>) {
        let mut reasons = self.protections(index);
        let protected = reasons.iter().any(Reason::keeps);
        if self.is_judged(index) {
            self.budgets(index, &mut reasons);
        }
        if !reasons.iter().any(Reason::keeps) {
            return (Verdict::Delete, reasons);
        }
        if !protected && let Some(too_old) = self.too_old(index) {
            return (Verdict::Delete, vec![too_old]);
        }
        reasons.retain(Reason::keeps);
        (Verdict::Keep, reasons)
    }

    /// What no limit can overrule, and what once was so.
    fn protections(&self, index: usize) -> Vec<Reason> {
        let entry = self.entries[index];
        let mut reasons = Vec::with_capacity(4);
        if self.newest == Some(index) {
            reasons.push(Reason::Newest);
        }
        if entry.pinned {
            reasons.push(Reason::Pinned);
        }
        if !entry.is_committed() {
            reasons.push(Reason::NotOursToJudge { state: entry.state });
            return reasons;
        }
        for class in EventClass::ALL.into_iter().rev() {
            if self.policy.preserve.contains(&class)
                && entry.events().iter().any(|event| event.class() == class)
            {
                reasons.push(self.preserved(class, entry));
            }
        }
        reasons
    }

    fn preserved(&self, class: EventClass, entry: &Entry) -> Reason {
        match self.completed {
            Some(completed) if until_completed(class) && entry.order() < completed => {
                Reason::Outlived { class, completed: completed.1 }
            }
            _ => Reason::Preserved { class },
        }
    }

    /// What each budget that is on says of it.
    fn budgets(&self, index: usize, reasons: &mut Vec<Reason>) {
        let policy = self.policy;
        if !policy.has_budget() {
            reasons.push(Reason::NoRule);
        }
        if policy.keep_last > 0 {
            reasons.push(Reason::LastPeriodic { rank: self.periodic[index], limit: policy.keep_last });
        }
        for (top, ranks) in &self.tops {
            reasons.push(Reason::Top { metric: top.metric.clone(), rank: ranks[index], limit: top.count });
        }
        if policy.every > 0 {
            reasons.push(Reason::Every { sequence: self.entries[index].sequence, limit: policy.every });
        }
    }

    fn too_old(&self, index: usize) -> Option<Reason> {
        let limit = self.policy.age_limit()?;
        // A moment that was not said is the first of all.
        let created_at = self.entries[index].created_at().filter(|&at| at != Timestamp::default())?;
        let millis = self.now.millis().saturating_sub(created_at.millis());
        let age = Duration::from_millis(u64::try_from(millis).ok()?);
        (age > limit).then_some(Reason::MaxAge { age, limit })
    }
}

/// Pins count in no budget, and what is not committed is not ours to judge.
fn is_judged(entry: &Entry) -> bool {
    entry.is_committed() && !entry.pinned
}

/// Those with a finite value, best first, of equals the newer first.
fn best_first(entries: &[&Entry], metric: &str, direction: Direction) -> impl Iterator<Item = usize> + use<> {
    let value = |entry: &Entry| entry.metrics()?.get(metric).filter(|value| value.is_finite());
    let judged = entries.iter().enumerate().filter(|(_, entry)| is_judged(entry));
    let mut ranked: Vec<(f64, usize)> =
        judged.filter_map(|(index, entry)| Some((value(entry)?, index))).collect();
    ranked.sort_unstable_by(|(left, older), (right, newer)| {
        let by_value = direction.compare(*right, *left);
        by_value.unwrap_or(std::cmp::Ordering::Equal).then(newer.cmp(older))
    });
    ranked.into_iter().map(|(_, index)| index)
}

fn ranks(length: usize, in_order: impl Iterator<Item = usize>) -> Ranks {
    let mut ranks = vec![None; length];
    for (rank, index) in (1..).zip(in_order) {
        ranks[index] = Some(rank);
    }
    ranks
}
