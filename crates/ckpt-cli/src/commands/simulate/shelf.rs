//! What a run would hold meanwhile: filled save by save, pruned as a session prunes.

use ckpt::{Details, Digest, Entry, Event, Metadata, RetentionPolicy, State, Status, Timestamp, Verdict};

use super::Save;

/// So many may be there before pruning is worth its while.
const ROOM_LEAST: usize = 1_024;

/// The checkpoints of a run that is only imagined.
#[derive(Debug)]
pub(super) struct Shelf {
    entries: Vec<Entry>,
    peak: u64,
}

impl Shelf {
    /// After all of these saves, each of so many bytes: pruned at every so many of them as the policy says, and once at the end.
    /// Its first plan is not withheld, because the policy is in force from the first checkpoint on.
    ///
    /// Each plan is over all that are kept, so making each would take time with the square of them, and only the last ones are
    /// made where they are due. That comes to the same, because saves of the schedule differ in nothing but their age: what a
    /// plan deletes every later one would delete, so pruning may wait; and no later plan leaves fewer, so there are most at
    /// once just before the last or at the end.
    pub(super) fn filled(policy: &RetentionPolicy, saves: &[Save], bytes: u64) -> Self {
        let every = usize::try_from(policy.prune_every).unwrap_or(usize::MAX);
        let last = saves.len().checked_div(every).map_or(0, |prunings| prunings * every);
        let (older, newer) = saves.split_at(last);
        let (long_before, before) = older.split_at(last.saturating_sub(every));

        let mut shelf = Self { entries: Vec::new(), peak: 0 };
        let mut room = ROOM_LEAST;
        for save in long_before {
            shelf.entries.push(entry(save, bytes));
            if shelf.entries.len() >= room {
                shelf.prune(policy);
                room = ROOM_LEAST.max(shelf.entries.len().saturating_mul(2));
            }
        }
        shelf.prune(policy);
        for saves in [before, newer] {
            shelf.entries.extend(saves.iter().map(|save| entry(save, bytes)));
            shelf.peak = shelf.peak.max(shelf.entries.len() as u64);
            shelf.prune(policy);
        }
        shelf
    }

    /// The numbers of those that are left.
    pub(super) fn kept(&self) -> Vec<u64> {
        self.entries.iter().map(|entry| entry.sequence).collect()
    }

    /// The most that there were at once.
    pub(super) fn peak(&self) -> u64 {
        self.peak
    }

    fn prune(&mut self, policy: &RetentionPolicy) {
        if policy.is_empty() {
            return;
        }
        // Without moments nothing is old: a simulated step takes no time.
        let plan = ckpt::plan(policy, &self.entries, Timestamp::default());
        let mut verdicts = plan.entries().iter().map(|planned| planned.verdict);
        self.entries.retain(|_| verdicts.next() != Some(Verdict::Delete));
    }
}

fn entry(save: &Save, bytes: u64) -> Entry {
    let at_the_end = save.event == Event::PhaseEnd;
    let status = if at_the_end { Status::Completed } else { Status::InProgress };
    let metadata = Metadata { status, ..Metadata::default() }.because(save.event.clone(), "simulated");
    let digest = Digest::of(&[]);
    Entry {
        epoch: 0,
        sequence: save.sequence,
        file_name: String::new(),
        state: State::Committed,
        reason: None,
        details: Some(Details::new(metadata, bytes, digest, digest)),
        stored_bytes: bytes,
        pinned: false,
    }
}

#[cfg(test)]
mod tests {
    use ckpt::EventClass;
    use proptest::prelude::*;

    use super::*;

    /// As a session does it: a plan at each pruning that is due.
    fn step_by_step(policy: &RetentionPolicy, saves: &[Save], bytes: u64) -> (Vec<u64>, u64) {
        let mut shelf = Shelf { entries: Vec::new(), peak: 0 };
        let mut since = 0;
        for save in saves {
            shelf.entries.push(entry(save, bytes));
            shelf.peak = shelf.peak.max(shelf.entries.len() as u64);
            since += 1;
            if policy.is_due_after(since) {
                shelf.prune(policy);
                since = 0;
            }
        }
        shelf.prune(policy);
        (shelf.kept(), shelf.peak())
    }

    fn saves(count: u64, with_end: bool) -> Vec<Save> {
        let event = |sequence| match with_end && sequence == count {
            true => Event::PhaseEnd,
            false => Event::Periodic,
        };
        let save = |sequence| Save {
            sequence,
            step: sequence,
            interval: 1,
            event: event(sequence),
            reasons: Vec::new(),
        };
        (1..=count).map(save).collect()
    }

    fn policy() -> impl Strategy<Value = RetentionPolicy> {
        let rules = (0..30_u64, 0..7_u64, prop_oneof![Just(0), 1..4_000_u64], 0..13_u64);
        let preserve = proptest::sample::subsequence(vec![EventClass::Periodic, EventClass::PhaseEnd], 0..=2);
        (rules, preserve).prop_map(|((keep_last, every, max_bytes, prune_every), preserve)| RetentionPolicy {
            keep_last,
            every,
            max_bytes,
            prune_every,
            preserve: preserve.into_iter().collect(),
            ..RetentionPolicy::default()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// Every plan was over all that were kept: a forecast of a million saves, all kept, would have taken hours.
        #[test]
        fn pruning_late_comes_to_the_same_as_pruning_when_it_is_due(
            policy in policy(), count in 0..200_u64, with_end in any::<bool>(), bytes in 0..100_u64
        ) {
            let saves = saves(count, with_end);
            let shelf = Shelf::filled(&policy, &saves, bytes);
            prop_assert_eq!((shelf.kept(), shelf.peak()), step_by_step(&policy, &saves, bytes));
        }
    }

    #[test]
    fn a_room_that_fills_many_times_comes_to_the_same() {
        let keep = RetentionPolicy { every: 3, prune_every: 7, ..RetentionPolicy::keep_last(40) };
        let saves = saves(4 * ROOM_LEAST as u64 + 5, true);
        let shelf = Shelf::filled(&keep, &saves, 1);
        assert_eq!((shelf.kept(), shelf.peak()), step_by_step(&keep, &saves, 1));
    }
}
