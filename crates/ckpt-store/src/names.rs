//! What the names in a run's directory say, before any file is opened: order, and what cannot be.

use ckpt_format::{Entry, State};

use crate::checkpoint::Checkpoint;
use crate::error::Skipped;
use crate::layout;
use crate::storage::{DirEntry, EntryKind};

/// Name, epoch and sequence of a file: all that is known before it is opened.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) order: (u64, u64),
    pub(crate) file_name: String,
    /// What the names alone say against it.
    pub(crate) fault: Option<(State, String)>,
}

/// The checkpoints among `names`, oldest first: by (epoch, sequence).
pub(crate) fn sorted(names: Vec<DirEntry>) -> Vec<Named> {
    let mut named: Vec<Named> = names
        .into_iter()
        .filter_map(|entry| {
            let order = layout::checkpoint_order(&entry.name)?;
            let fault = (entry.kind != EntryKind::File)
                .then(|| (State::Foreign, "it is not a regular file".to_owned()));
            Some(Named { order, file_name: entry.name, fault })
        })
        .collect();
    named.sort_by(|a, b| (a.order, &a.file_name).cmp(&(b.order, &b.file_name)));
    find_duplicates(&mut named);
    named
}

impl Named {
    /// The row of a file that is good.
    pub(crate) fn committed(&self, checkpoint: &Checkpoint, pinned: bool) -> Entry {
        Entry { details: Some(checkpoint.details()), ..self.unopened(checkpoint.file_bytes(), pinned) }
    }

    /// The row of a file that was not opened.
    pub(crate) fn unopened(&self, stored_bytes: u64, pinned: bool) -> Entry {
        let ((epoch, sequence), file_name) = (self.order, self.file_name.clone());
        let (state, reason, details) = (State::Committed, None, None);
        Entry { epoch, sequence, file_name, state, reason, details, stored_bytes, pinned }
    }

    /// What a load says of passing it over.
    pub(crate) fn skipped(&self, reason: String, set_aside: Option<String>) -> Skipped {
        let (epoch, sequence) = self.order;
        Skipped { epoch, sequence, file_name: self.file_name.clone(), reason, set_aside }
    }
}

/// Two files with one place are both reported and never latest. `named` is sorted.
fn find_duplicates(named: &mut [Named]) {
    let orders: Vec<(u64, u64)> = named.iter().map(|named| named.order).collect();
    for (index, named) in named.iter_mut().enumerate() {
        let same = |other: Option<usize>| other.and_then(|i| orders.get(i)) == Some(&named.order);
        if same(index.checked_sub(1)) || same(index.checked_add(1)) {
            let (epoch, sequence) = named.order;
            let reason = format!("another file claims epoch {epoch}, sequence {sequence}");
            named.fault.get_or_insert((State::Duplicate, reason));
        }
    }
}

/// Walks from the newest to the oldest and knows what a later epoch had overtaken: a sequence is never used twice in a run, so
/// one that is higher than a later epoch's was written after that epoch had taken over. Only what is proved to be this run's
/// counts: a stray file must not cast out all that is good.
#[derive(Debug, Default)]
pub(crate) struct Fence {
    /// Epoch and lowest sequence of the epoch that is walked now.
    current: Option<(u64, u64)>,
    /// The same of the later one whose lowest is lowest.
    later: Option<(u64, u64)>,
}

impl Fence {
    /// Why a file of this place is fenced, if it is; then counts it.
    pub(crate) fn pass(&mut self, (epoch, sequence): (u64, u64)) -> Option<String> {
        match self.current {
            Some((of, lowest)) if of == epoch => self.current = Some((of, lowest.min(sequence))),
            before => {
                let lower = before.filter(|(_, low)| self.later.is_none_or(|(_, lowest)| *low < lowest));
                self.later = lower.or(self.later);
                self.current = Some((epoch, sequence));
            }
        }
        let (later, _) = self.later.filter(|(_, lowest)| sequence > *lowest)?;
        Some(format!("it was written after epoch {later} had taken over"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(names: &[&str]) -> Vec<(u64, u64, Option<State>)> {
        let entries = names.iter().map(|name| DirEntry { name: (*name).to_owned(), kind: EntryKind::File });
        sorted(entries.collect())
            .into_iter()
            .map(|named| (named.order.0, named.order.1, named.fault.map(|(state, _)| state)))
            .collect()
    }

    #[test]
    fn order_is_by_epoch_and_then_by_sequence() {
        assert_eq!(
            states(&[
                "e000002-00000004.ckpt",
                "00000003.ckpt",
                "notes.txt",
                "00000001.pin",
                "e000001-00000003_x.ckpt"
            ]),
            [(0, 3, None), (1, 3, None), (2, 4, None)]
        );
    }

    #[test]
    fn two_files_of_one_place_are_both_duplicates() {
        assert_eq!(
            states(&["00000001_b.ckpt", "00000001_a.ckpt", "00000002.ckpt"]),
            [(0, 1, Some(State::Duplicate)), (0, 1, Some(State::Duplicate)), (0, 2, None)]
        );
    }

    #[test]
    fn what_an_overtaken_attempt_wrote_is_fenced() {
        let mut fence = Fence::default();
        let orders = [(3, 6), (3, 4), (1, 5), (1, 2), (0, 9), (0, 1)];
        assert_eq!(orders.map(|order| fence.pass(order).is_some()), [false, false, true, false, true, false]);
    }
}
