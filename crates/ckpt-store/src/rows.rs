//! Rows of a listing: the front and the end of each file, on all cores when there are many.

use std::collections::BTreeSet;

use ckpt_format::{Entry, State};

use crate::checkpoint::Checkpoint;
use crate::crew;
use crate::names::Named;
use crate::reader::{RunReader, error_reason, is_gone, state_of};
use crate::storage::Access;

/// Below this many files, threads cost more than they gain.
const PARALLEL_FROM: usize = 128;

/// A file in a listing.
pub(crate) struct Row {
    pub(crate) entry: Entry,
    /// Whether it is proved to be this run's at this place, good or not: then it tells what it had overtaken.
    pub(crate) counts: bool,
}

impl RunReader {
    /// The rows of these files, in their order; nothing in the place of one that was deleted since its name was read. What
    /// another attempt had overtaken is not told.
    pub(crate) fn rows(&self, named: &[Named], pins: &BTreeSet<u64>) -> Vec<Option<Row>> {
        crew::map(named, PARALLEL_FROM, |named, room| self.row(named, pins.contains(&named.order.1), room))
    }

    /// The row of a file; nothing if it was deleted since its name was read. `room` is used again by the next one.
    pub(crate) fn row(&self, named: &Named, pinned: bool, room: &mut Vec<u8>) -> Option<Row> {
        let fault = |(state, reason): (State, String), counts| {
            let row = named.unopened(self.length(&named.file_name), pinned);
            Some(Row { entry: Entry { state, reason: Some(reason), ..row }, counts })
        };
        if let Some(foreign) = named.fault.clone().filter(|(state, _)| *state == State::Foreign) {
            return fault(foreign, false);
        }
        let opened = Checkpoint::open_in(self.storage().as_ref(), &named.file_name, std::mem::take(room));
        let checkpoint = match opened {
            Err(error) if is_gone(&error) => return None,
            Err(error) => return fault((state_of(&error), error_reason(&error)), false),
            Ok(checkpoint) => checkpoint,
        };
        if let Some(reason) = self.disagreement(named, &checkpoint) {
            return fault((State::Foreign, reason), false);
        }
        if let Err(error) = checkpoint.sections() {
            return fault((state_of(&error), error_reason(&error)), true);
        }
        let row = named.unopened(checkpoint.file_bytes(), pinned);
        let (details, left) = checkpoint.into_details();
        *room = left;
        let mut entry = Entry { details: Some(details), ..row };
        if let Some((state, reason)) = named.fault.clone() {
            (entry.state, entry.reason) = (state, Some(reason));
        }
        Some(Row { entry, counts: true })
    }

    fn length(&self, file_name: &str) -> u64 {
        let file = self.storage().open(file_name, Access::Read);
        file.and_then(|file| file.length()).unwrap_or(0)
    }
}
