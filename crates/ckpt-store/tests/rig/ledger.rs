//! What was asked of a run and what it promised, so that whatever is found later can be held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ckpt_format::Entry;

/// Epoch and number of a checkpoint.
pub(crate) type Order = (u64, u64);

/// What was asked and promised so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// Making the run has returned.
    pub(crate) created: bool,
    /// The states that were given to be saved, by their step.
    pub(crate) submitted: BTreeSet<u64>,
    /// The saves that returned success, with their step.
    pub(crate) acknowledged: BTreeMap<Order, u64>,
    /// The steps whose save returned an error that says: it is not there.
    pub(crate) refused: BTreeSet<u64>,
    /// What was to be deleted: it may be there or not.
    pub(crate) doomed: BTreeSet<Order>,
    /// What was said to be deleted.
    pub(crate) gone: BTreeSet<Order>,
    /// What the scene damaged: it may be set aside.
    pub(crate) damaged: BTreeSet<Order>,
    /// Numbers whose pinning has returned, and that nobody was asked to unpin.
    pub(crate) pinned: BTreeSet<u64>,
    /// Numbers whose unpinning has returned, and that nobody was asked to pin.
    pub(crate) unpinned: BTreeSet<u64>,
    /// Rows that were seen: where they are seen again, only the pin may differ.
    pub(crate) seen: Vec<Entry>,
}

impl Ledger {
    /// What must be there.
    pub(crate) fn owed(&self) -> impl Iterator<Item = (&Order, &u64)> {
        self.acknowledged
            .iter()
            .filter(|(order, _)| !self.doomed.contains(order) && !self.damaged.contains(order))
    }

    /// The highest number that a promise was made about.
    pub(crate) fn highest(&self) -> u64 {
        self.acknowledged.keys().map(|(_, sequence)| *sequence).max().unwrap_or(0)
    }

    /// What a save answered: the checkpoint, or the code of its error.
    pub(crate) fn answered(&mut self, step: u64, answer: Result<Order, &str>) {
        match answer {
            Ok(order) => {
                self.acknowledged.insert(order, step);
                self.refused.remove(&step);
            }
            // It may be there and may be gone after the next power loss.
            Err("durability_unknown") => {}
            Err(_) => {
                self.refused.insert(step);
            }
        }
    }
}

/// A promise that was not kept: which, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) promise: &'static str,
    pub(crate) found: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is broken: {}", self.promise, self.found)
    }
}

/// Holds a promise against what was found.
pub(crate) fn hold(holds: bool, promise: &'static str, found: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { promise, found: found() }) }
}

/// The same for a call that has to succeed.
pub(crate) fn works<T, E: fmt::Display>(outcome: Result<T, E>, promise: &'static str) -> Result<T, Broken> {
    outcome.map_err(|error| Broken { promise, found: error.to_string() })
}
