//! Rows of a listing: the front and the end of each file, on all cores when there are many.

use std::collections::BTreeSet;

use ckpt_format::{Entry, State};

use crate::checkpoint::Checkpoint;
use crate::crew;
use crate::error::Result;
use crate::names::Named;
use crate::reader::{RunReader, error_reason, is_gone, state_of};
use crate::storage::Access;

/// Below this many files, threads cost more than they gain.
const PARALLEL_FROM: usize = 128;

/// Why a file was not opened for a listing.
enum Unopened {
    Fault(State, String),
    Gone,
}

impl RunReader {
    /// The rows of these files, in their order; nothing in the place of one that was deleted since its name was read. What
    /// another attempt had overtaken is not told.
    pub(crate) fn rows(&self, named: &[Named], pins: &BTreeSet<u64>) -> Vec<Option<Entry>> {
        crew::map(named, PARALLEL_FROM, |named, room| self.row(named, pins.contains(&named.order.1), room))
    }

    /// The row of a file; nothing if it was deleted since its name was read. `room` is used again by the next one.
    pub(crate) fn row(&self, named: &Named, pinned: bool, room: &mut Vec<u8>) -> Option<Entry> {
        let (fault, mut entry) = match (self.open_named(named, std::mem::take(room)), named.fault.clone()) {
            (Ok(checkpoint), fault) => {
                let row = named.unopened(checkpoint.file_bytes(), pinned);
                let (details, left) = checkpoint.into_details();
                *room = left;
                (fault, Entry { details: Some(details), ..row })
            }
            (Err(Unopened::Fault(state, reason)), _) => {
                (Some((state, reason)), named.unopened(self.length(&named.file_name), pinned))
            }
            (Err(Unopened::Gone), _) => return None,
        };
        if let Some((state, reason)) = fault {
            (entry.state, entry.reason) = (state, Some(reason));
        }
        Some(entry)
    }

    fn open_named(&self, named: &Named, room: Vec<u8>) -> Result<Checkpoint, Unopened> {
        if let Some((State::Foreign, reason)) = &named.fault {
            return Err(Unopened::Fault(State::Foreign, reason.clone()));
        }
        let checkpoint = Checkpoint::open_in(self.storage().as_ref(), &named.file_name, room)
            .and_then(|checkpoint| checkpoint.sections().map(|_| ()).map(|()| checkpoint))
            .map_err(|error| match is_gone(&error) {
                true => Unopened::Gone,
                false => Unopened::Fault(state_of(&error), error_reason(&error)),
            })?;
        match self.disagreement(named, &checkpoint) {
            Some(reason) => Err(Unopened::Fault(State::Foreign, reason)),
            None => Ok(checkpoint),
        }
    }

    fn length(&self, file_name: &str) -> u64 {
        let file = self.storage().open(file_name, Access::Read);
        file.and_then(|file| file.length()).unwrap_or(0)
    }
}
