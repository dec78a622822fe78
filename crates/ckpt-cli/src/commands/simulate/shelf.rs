//! What a run would hold meanwhile: filled save by save, pruned as a session prunes.

use ckpt::{Details, Digest, Entry, Event, Metadata, RetentionPolicy, State, Status, Timestamp, Verdict};

use super::Save;

/// The checkpoints of a run that is only imagined.
#[derive(Debug)]
pub(super) struct Shelf {
    entries: Vec<Entry>,
    peak: u64,
}

impl Shelf {
    /// After all of these saves, each of so many bytes: pruned at every so many of them as the policy says, and once at the end.
    /// Its first plan is not withheld, because the policy is in force from the first checkpoint on.
    pub(super) fn filled(policy: &RetentionPolicy, saves: &[Save], bytes: u64) -> Self {
        let mut shelf = Self { entries: Vec::new(), peak: 0 };
        let mut since = 0_u64;
        for save in saves {
            shelf.entries.push(entry(save, bytes));
            shelf.peak = shelf.peak.max(shelf.entries.len() as u64);
            since = since.saturating_add(1);
            if policy.is_due_after(since) {
                shelf.prune(policy);
                since = 0;
            }
        }
        shelf.prune(policy);
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
