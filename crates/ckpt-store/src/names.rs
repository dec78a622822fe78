//! What the names in a run's directory say, before any file is opened: order, and what cannot be.

use std::collections::BinaryHeap;

use ckpt_format::{Entry, State};

use crate::checkpoint::Checkpoint;
use crate::error::Skipped;
use crate::layout;
use crate::storage::{DirEntry, EntryKind};

/// Name, epoch and sequence of a file: all that is known before it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) order: (u64, u64),
    pub(crate) file_name: String,
    /// What the names alone say against it.
    pub(crate) fault: Option<(State, String)>,
}

/// The checkpoints of a directory from the newest on: by (epoch, sequence). Those that nobody asks for are not sorted, since
/// the newest is nearly always the answer.
#[derive(Debug, Clone)]
pub(crate) struct Newest {
    rest: BinaryHeap<Place>,
    before: Option<(u64, u64)>,
}

/// Order first: what stands here is compared from the front.
type Place = ((u64, u64), String, EntryKind);

impl Newest {
    /// The checkpoints among `names`.
    pub(crate) fn among(names: Vec<DirEntry>) -> Self {
        let place = |entry: DirEntry| Some((layout::checkpoint_order(&entry.name)?, entry.name, entry.kind));
        Self { rest: names.into_iter().filter_map(place).collect(), before: None }
    }

    /// Those of the names that `is_meant` takes, in no order. That another file has the place of one is not told.
    pub(crate) fn named(&self, is_meant: impl Fn(&str) -> bool) -> Vec<Named> {
        let meant = self.rest.iter().filter(|(_, name, _)| is_meant(name));
        meant.map(|place| Named::of(place.clone(), false)).collect()
    }

    /// All of them, oldest first.
    pub(crate) fn into_oldest_first(self) -> Vec<Named> {
        let mut places = self.rest.into_vec();
        places.sort_unstable();
        let orders: Vec<(u64, u64)> = places.iter().map(|(order, ..)| *order).collect();
        let same = |order, other: Option<usize>| other.and_then(|index| orders.get(index)) == Some(&order);
        let named = places.into_iter().enumerate().map(|(index, place)| {
            let order = place.0;
            let shared = same(order, index.checked_sub(1)) || same(order, index.checked_add(1));
            Named::of(place, shared)
        });
        named.collect()
    }
}

impl Iterator for Newest {
    type Item = Named;

    fn next(&mut self) -> Option<Named> {
        let place = self.rest.pop()?;
        let order = place.0;
        let shared = self.before == Some(order) || self.rest.peek().is_some_and(|(next, ..)| *next == order);
        self.before = Some(order);
        Some(Named::of(place, shared))
    }
}

impl Named {
    /// Two files with one place are both reported and never latest: `shared` says that there is another.
    fn of((order, file_name, kind): Place, shared: bool) -> Self {
        let (epoch, sequence) = order;
        let fault = if kind != EntryKind::File {
            Some((State::Foreign, "it is not a regular file".to_owned()))
        } else if shared {
            Some((State::Duplicate, format!("another file claims epoch {epoch}, sequence {sequence}")))
        } else {
            None
        };
        Self { order, file_name, fault }
    }

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
        let newest = Newest::among(entries.collect());
        let sorted = newest.clone().into_oldest_first();
        let mut walked: Vec<Named> = newest.collect();
        walked.reverse();
        assert_eq!(walked, sorted, "walking and sorting say the same");
        let state = |named: Named| (named.order.0, named.order.1, named.fault.map(|(state, _)| state));
        sorted.into_iter().map(state).collect()
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
        let of_three = ["00000002_b.ckpt", "00000002_a.ckpt", "00000002_c.ckpt", "00000001.ckpt"];
        assert_eq!(states(&of_three).iter().filter(|(_, _, state)| state.is_some()).count(), 3);
    }

    #[test]
    fn what_an_overtaken_attempt_wrote_is_fenced() {
        let mut fence = Fence::default();
        let orders = [(3, 6), (3, 4), (1, 5), (1, 2), (0, 9), (0, 1)];
        assert_eq!(orders.map(|order| fence.pass(order).is_some()), [false, false, true, false, true, false]);
    }
}
