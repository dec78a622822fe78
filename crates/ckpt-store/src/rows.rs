//! Rows of a listing: the front and the end of each file, on all cores when there are many.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::thread;

use ckpt_format::{Entry, State};

use crate::checkpoint::Checkpoint;
use crate::error::Result;
use crate::names::Named;
use crate::reader::{RunReader, error_reason, is_gone, state_of};
use crate::storage::Access;

/// Below this many files, threads cost more than they gain.
const PARALLEL_FROM: usize = 128;
/// Files a thread takes at a time.
const PIECE: usize = 64;
/// More threads than this only wait for the system.
const THREADS_MAX: usize = 4;

/// Why a file was not opened for a listing.
enum Unopened {
    Fault(State, String),
    Gone,
}

impl RunReader {
    /// The rows of these files, in their order; nothing in the place of one that was deleted since its name was read. What
    /// another attempt had overtaken is not told.
    pub(crate) fn rows(&self, named: &[Named], pins: &BTreeSet<u64>) -> Vec<Option<Entry>> {
        let mut rows = vec![None; named.len()];
        let work = Mutex::new(named.chunks(PIECE).zip(rows.chunks_mut(PIECE)));
        let run = || {
            let mut room = Vec::new();
            loop {
                let next = work.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((named, rows)) = next else { break };
                for (named, row) in named.iter().zip(rows) {
                    *row = self.row(named, pins.contains(&named.order.1), &mut room);
                }
            }
        };
        let threads = if named.len() < PARALLEL_FROM {
            1
        } else {
            thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX)
        };
        thread::scope(|scope| {
            for _ in 1..threads {
                // With fewer than hoped for, this thread does more.
                let _ = thread::Builder::new().spawn_scoped(scope, &run);
            }
            run();
        });
        rows
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
