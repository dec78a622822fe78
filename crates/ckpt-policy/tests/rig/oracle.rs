//! Section 3 of `docs/POLICY.md` once more, slow and sentence by sentence. It uses nothing of the planner but the policy's fields.

use std::collections::BTreeSet;

use ckpt_format::{Direction, Entry, EventClass, State, Status, Timestamp};
use ckpt_policy::{RetentionPolicy, Top};

/// What the page says of one entry: whether it is kept, and by which rules, or not kept by which. A metric stands behind `top`.
pub(crate) type Said = (bool, BTreeSet<String>);

/// What the page says of each entry, in the order of the entries.
pub(crate) fn say(policy: &RetentionPolicy, entries: &[Entry], now: Timestamp) -> Vec<Said> {
    let page = Page { policy, entries, now };
    let mut said: Vec<Said> = entries.iter().map(|entry| page.before_bytes(entry)).collect();
    if policy.max_bytes > 0 {
        while let Some(index) = page.next_to_go(&said) {
            said[index] = (false, BTreeSet::from(["max_bytes".to_owned()]));
        }
    }
    said
}

struct Page<'a> {
    policy: &'a RetentionPolicy,
    entries: &'a [Entry],
    now: Timestamp,
}

impl Page<'_> {
    fn before_bytes(&self, entry: &Entry) -> Said {
        let rules = [self.first_four(entry), self.budgets(entry)].concat();
        if !rules.iter().any(|(keeps, _)| *keeps) {
            return (false, rules.into_iter().map(|(_, rule)| rule).collect());
        }
        if !self.is_protected(entry) && self.is_too_old(entry) {
            return (false, BTreeSet::from(["max_age".to_owned()]));
        }
        (true, rules.into_iter().filter(|(keeps, _)| *keeps).map(|(_, rule)| rule).collect())
    }

    fn is_protected(&self, entry: &Entry) -> bool {
        self.first_four(entry).iter().any(|(keeps, _)| *keeps)
    }

    /// `newest`, `pinned`, `not_ours_to_judge`, `preserved`.
    fn first_four(&self, entry: &Entry) -> Vec<(bool, String)> {
        let mut rules = Vec::new();
        if committed(entry) && !self.entries.iter().any(|other| committed(other) && newer(other, entry)) {
            rules.push((true, "newest".to_owned()));
        }
        if entry.pinned {
            rules.push((true, "pinned".to_owned()));
        }
        if !committed(entry) {
            rules.push((true, "not_ours_to_judge".to_owned()));
            return rules;
        }
        let completed_later = self.entries.iter().any(|other| {
            committed(other)
                && newer(other, entry)
                && other.details.as_ref().is_some_and(|said| said.metadata.status == Status::Completed)
        });
        for class in classes(entry) {
            if self.policy.preserve.contains(&class) {
                let for_ever = match class {
                    EventClass::Interrupt | EventClass::Cancellation | EventClass::Shutdown => false,
                    EventClass::Periodic
                    | EventClass::Best
                    | EventClass::Manual
                    | EventClass::PhaseBoundary
                    | EventClass::PhaseEnd
                    | EventClass::Failure => true,
                    unknown => panic!("the page does not know {unknown}"),
                };
                rules.push((for_ever || !completed_later, "preserved".to_owned()));
            }
        }
        // One that keeps hides one that does not: the set of rules has no room for both.
        if rules.contains(&(true, "preserved".to_owned())) {
            rules.retain(|rule| *rule != (false, "preserved".to_owned()));
        }
        rules
    }

    /// `last_periodic`, `top`, `every`, `no_rule`.
    fn budgets(&self, entry: &Entry) -> Vec<(bool, String)> {
        let mut rules = Vec::new();
        if !committed(entry) || entry.pinned {
            return rules;
        }
        let counted = || self.entries.iter().filter(|other| committed(other) && !other.pinned);
        if self.policy.keep_last > 0 {
            let before = counted().filter(|other| periodic(other) && newer(other, entry)).count();
            let keeps = periodic(entry) && (before as u64) < self.policy.keep_last;
            rules.push((keeps, "last_periodic".to_owned()));
        }
        for top in self.policy.top.iter().filter(|top| top.count > 0) {
            let before = counted().filter(|other| ranks_before(top, other, entry)).count();
            let keeps = finite(top, entry).is_some() && (before as u64) < top.count;
            rules.push((keeps, format!("top {}", top.metric)));
        }
        if self.policy.every > 0 {
            rules.push((entry.sequence.is_multiple_of(self.policy.every), "every".to_owned()));
        }
        if rules.is_empty() {
            rules.push((true, "no_rule".to_owned()));
        }
        rules
    }

    fn is_too_old(&self, entry: &Entry) -> bool {
        let Some(limit) = self.policy.max_age else { return false };
        let Some(said) = &entry.details else { return false };
        let created_at = i128::from(said.metadata.created_at.millis());
        let age = i128::from(self.now.millis()) - created_at;
        !limit.is_zero() && created_at != 0 && age > 0 && age as u128 * 1_000_000 > limit.as_nanos()
    }

    /// The next that the limit on bytes takes, if what is left is too much.
    fn next_to_go(&self, said: &[Said]) -> Option<usize> {
        let kept = |index: &usize| said[*index].0;
        let left: u128 = (0..self.entries.len())
            .filter(kept)
            .map(|index| &self.entries[index])
            .filter(|entry| committed(entry) && !entry.pinned)
            .map(|entry| u128::from(entry.stored_bytes))
            .sum();
        if left <= u128::from(self.policy.max_bytes) {
            return None;
        }
        let is_by = |index: usize, rule: &str| said[index].1.iter().any(|has| has.starts_with(rule));
        let may_go: Vec<usize> = (0..self.entries.len())
            .filter(kept)
            .filter(|&index| !self.is_protected(&self.entries[index]))
            .collect();
        let stages: [&dyn Fn(usize) -> bool; 4] = [
            &|index| is_by(index, "no_rule"),
            &|index| is_by(index, "last_periodic") && !is_by(index, "every") && !is_by(index, "top"),
            &|index| is_by(index, "every") && !is_by(index, "top"),
            &|index| is_by(index, "top"),
        ];
        for stage in stages {
            let here: Vec<usize> = may_go.iter().copied().filter(|&index| stage(index)).collect();
            for &one in &here {
                if here.iter().all(|&other| other == one || newer(&self.entries[other], &self.entries[one])) {
                    return Some(one);
                }
            }
        }
        None
    }
}

fn committed(entry: &Entry) -> bool {
    entry.state == State::Committed
}

fn newer(one: &Entry, other: &Entry) -> bool {
    one.epoch > other.epoch || (one.epoch == other.epoch && one.sequence > other.sequence)
}

fn classes(entry: &Entry) -> Vec<EventClass> {
    let Some(said) = &entry.details else { return Vec::new() };
    said.metadata.events.iter().map(|cause| cause.event.class()).collect()
}

fn periodic(entry: &Entry) -> bool {
    classes(entry).contains(&EventClass::Periodic)
}

fn finite(top: &Top, entry: &Entry) -> Option<f64> {
    let value = *entry.details.as_ref()?.metadata.metrics.values.get(&top.metric)?;
    (!value.is_nan() && !value.is_infinite()).then_some(value)
}

fn ranks_before(top: &Top, one: &Entry, other: &Entry) -> bool {
    match (finite(top, one), finite(top, other)) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(a), Some(b)) if a == b => newer(one, other),
        (Some(a), Some(b)) => match top.direction {
            Direction::Max => a > b,
            Direction::Min => a < b,
        },
    }
}
