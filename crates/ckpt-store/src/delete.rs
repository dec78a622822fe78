//! Deleting: what may go, what must stay, and the order in which it is said, done and made durable.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ckpt_format::Entry;

use crate::crew;
use crate::deletable::{Doomed, Knowledge};
use crate::error::{Error, Result};
use crate::lock::{Mutation, Purpose};
use crate::log::{LogEvent, Victim};
use crate::open::unlink_if_there;
use crate::pin::is_pinned;
use crate::store::{Progress, Run};

/// Victims per line of the log: the end of the log stays readable in one piece.
const PER_LINE: usize = 100;
/// Victims per mutation lock: pinning and publishing do not wait for all of them.
const PER_LOCK: usize = 256;
/// How long others may take it between two batches.
const BETWEEN_BATCHES: Duration = Duration::from_millis(2);
/// Below this many, threads cost more than they gain.
const PARALLEL_FROM: usize = 32;

/// A checkpoint to delete, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// Its file.
    pub file_name: String,
    /// Why: stands in the log before it is deleted.
    pub reason: String,
}

/// What was deleted and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deleted {
    /// Files that are gone.
    pub file_names: Vec<String>,
    /// Files that were pinned meanwhile, and stay.
    pub kept: Vec<String>,
    /// Bytes of the files that are gone.
    pub freed_bytes: u64,
}

impl Run {
    /// Deletes checkpoints of this run. The decision is in the log, synced, before the first is gone.
    ///
    /// Refused as a whole if any of them is pinned, cannot be proved to be this run's, or must stay: the newest verified
    /// one, and the newest that is also known to be durable. A crash in between leaves some of them, whole.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Pinned`], [`Error::LastVerified`], [`Error::Invalid`], [`Error::Fenced`].
    pub fn delete(&self, deletions: &[Deletion]) -> Result<Deleted> {
        let mut progress = self.progress();
        progress.check()?;
        let storage = self.reader.storage().as_ref();
        self.ownership.check(storage)?;
        let victims = self.knowledge(&mut progress).victims(deletions)?;
        self.tell_or_make_room(&victims, &mut progress)?;
        let mut deleted = Deleted::default();
        let mut carry_out = || {
            for (index, batch) in victims.chunks(PER_LOCK).enumerate() {
                if index > 0 {
                    // Who waits for the lock looks again each millisecond: without this it would hardly ever find it free.
                    std::thread::sleep(BETWEEN_BATCHES);
                }
                let held = self.locker.mutate(self.epoch(), Purpose::Delete)?;
                for (gone, (entry, _)) in self.unlink_all(batch, &held)?.into_iter().zip(batch) {
                    if gone {
                        deleted.freed_bytes += entry.stored_bytes;
                        deleted.file_names.push(entry.file_name.clone());
                    } else {
                        deleted.kept.push(entry.file_name.clone());
                    }
                }
            }
            Ok(())
        };
        let carried_out: Result<()> = carry_out();
        if matches!(carried_out, Err(Error::Fenced { .. })) {
            // Who was overtaken changes nothing, the log neither.
            return carried_out.map(|()| deleted);
        }
        // Also after an error half-way: some are gone.
        if let Err(source) = storage.sync_dir("") {
            return Err(progress.poison(Error::DurabilityUnknown { path: ".".to_owned(), source }));
        }
        let count = deleted.file_names.len() as u64;
        self.tell(LogEvent::Deleted { count, freed_bytes: deleted.freed_bytes });
        carried_out.map(|()| deleted)
    }

    /// Whether [`Run::delete`] would refuse these. Changes nothing; what it reads back whole is not read again by a deletion that
    /// follows.
    ///
    /// # Errors
    /// As [`Run::delete`], but for what happens meanwhile.
    pub fn check_deletions(&self, deletions: &[Deletion]) -> Result<()> {
        let mut progress = self.progress();
        progress.check()?;
        self.ownership.check(self.reader.storage().as_ref())?;
        self.knowledge(&mut progress).victims(deletions).map(drop)
    }

    fn knowledge<'a>(&'a self, progress: &'a mut Progress) -> Knowledge<'a> {
        let Progress { durable, verified, .. } = progress;
        Knowledge { reader: &self.reader, writer: &self.locker.writer, durable, verified }
    }

    /// Removes each unless it is pinned; whether it did. Most of it is waiting for the medium, so several threads do it: each
    /// asks before each of its own whether the run and the lock are still ours.
    fn unlink_all(&self, batch: &[Doomed<'_>], held: &Mutation) -> Result<Vec<bool>> {
        let storage = self.reader.storage().as_ref();
        let failed = AtomicBool::new(false);
        let unlink = |entry: &Entry| {
            self.ownership.check(storage)?;
            if is_pinned(storage, entry.sequence, held)? {
                return Ok(false);
            }
            held.check()?;
            unlink_if_there(storage, &entry.file_name).map(|()| true)
        };
        let outcomes = crew::map(batch, PARALLEL_FROM, |(entry, _), ()| {
            // Where one fails the others would: nothing more is begun.
            if failed.load(Ordering::Relaxed) {
                return Ok(false);
            }
            unlink(entry).inspect_err(|_| failed.store(true, Ordering::Relaxed))
        });
        outcomes.into_iter().collect()
    }

    /// Deleting makes room, so it must not fail for want of the little that the log needs: the reserve has it.
    fn tell_or_make_room(&self, victims: &[Doomed<'_>], progress: &mut Progress) -> Result<()> {
        match self.tell_deleting(victims) {
            Err(Error::NoSpace { .. }) if self.release_reserve(progress) => self.tell_deleting(victims),
            told => told.map_err(|error| progress.poison(error)),
        }
    }

    /// The decision is durable before it is carried out.
    fn tell_deleting(&self, victims: &[Doomed<'_>]) -> Result<()> {
        let lines = victims.chunks(PER_LINE);
        let last = lines.len().saturating_sub(1);
        for (index, chunk) in lines.enumerate() {
            let victims = chunk
                .iter()
                .map(|(entry, reason)| Victim {
                    epoch: entry.epoch,
                    sequence: entry.sequence,
                    file_name: entry.file_name.clone(),
                    reason: (*reason).to_owned(),
                })
                .collect();
            self.log.append(&self.log_entry(LogEvent::Deleting { victims }), index == last)?;
        }
        Ok(())
    }
}
