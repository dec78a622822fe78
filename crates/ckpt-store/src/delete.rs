//! Deleting: what may go, what must stay, and the order in which it is said, done and made durable.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ckpt_format::{Entry, State};

use crate::crew;
use crate::error::{Error, Result};
use crate::lock::{Mutation, Purpose};
use crate::log::{LogEvent, Victim};
use crate::names::{Fence, Newest};
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

/// The row of what is to be deleted, and why it is.
type Doomed<'a> = (Entry, &'a str);

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
        let (newest, pins) = self.reader.newest()?;
        let victims = self.find_victims(&newest, &pins, deletions)?;
        self.check_what_stays(newest, &pins, &victims, &mut progress)?;
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

    /// What is to be deleted, each provably this run's own and not pinned. Of the others only the names are known.
    fn find_victims<'a>(
        &self,
        newest: &Newest,
        pins: &BTreeSet<u64>,
        deletions: &'a [Deletion],
    ) -> Result<Vec<Doomed<'a>>> {
        let mut wanted: HashMap<&str, &Deletion> = HashMap::with_capacity(deletions.len());
        for deletion in deletions {
            wanted.entry(&deletion.file_name).or_insert(deletion);
        }
        let named = newest.named(|name| wanted.contains_key(name));
        let rows = self.reader.rows(&named, pins).into_iter().flatten();
        let mut rows: HashMap<String, Entry> =
            rows.map(|row| (row.entry.file_name.clone(), row.entry)).collect();
        let mut victims = Vec::with_capacity(wanted.len());
        for deletion in deletions {
            let file_name = &deletion.file_name;
            if wanted.remove(file_name.as_str()).is_none() {
                continue;
            }
            // Without a row it was deleted since the names were read.
            let mut entry = rows.remove(file_name).ok_or_else(|| {
                let present = newest.clone().into_oldest_first();
                Error::NotFound {
                    wanted: format!("file:{file_name}"),
                    present: present.into_iter().map(|named| named.file_name).collect(),
                }
            })?;
            if entry.pinned {
                return Err(Error::Pinned { sequence: entry.sequence });
            }
            if entry.state == State::Unreadable {
                // The system's own error says more than the row; without one it can be read by now.
                self.reader.open_checkpoint(file_name)?;
                let again = newest.named(|name| name == file_name);
                let again =
                    again.first().and_then(|named| self.reader.row(named, entry.pinned, &mut Vec::new()));
                entry = again.map_or(entry, |row| row.entry);
            }
            let own = matches!(entry.state, State::Committed | State::Duplicate) && entry.details.is_some();
            if !own {
                let why = entry.reason.as_deref().unwrap_or("it cannot be read");
                let reason =
                    format!("{file_name} is {}, so it cannot be proved to be this run's: {why}", entry.state);
                return Err(Error::Invalid { reason });
            }
            victims.push((entry, deletion.reason.as_str()));
        }
        Ok(victims)
    }

    /// The newest verified checkpoint stays, and so does the newest that is also known to be durable: nothing is deleted
    /// in reliance on a file that a power loss may take. Reads no further back than that.
    fn check_what_stays(
        &self,
        newest: Newest,
        pins: &BTreeSet<u64>,
        victims: &[Doomed<'_>],
        progress: &mut Progress,
    ) -> Result<()> {
        let doomed: BTreeSet<&str> = victims.iter().map(|(entry, _)| entry.file_name.as_str()).collect();
        let stays = |entry: &Entry, reason: &str| {
            if doomed.contains(entry.file_name.as_str()) {
                return Err(Error::LastVerified { sequence: entry.sequence, reason: reason.to_owned() });
            }
            Ok(())
        };
        let mut verified_one = false;
        let mut fence = Fence::default();
        let mut room = Vec::new();
        let mut last = 0;
        for named in newest {
            last = last.max(named.order.1);
            let Some(row) = self.reader.row(&named, pins.contains(&named.order.1), &mut room) else {
                continue;
            };
            let fenced = row.counts && fence.pass(row.entry.order()).is_some();
            let entry = row.entry;
            if fenced || !entry.is_committed() || !self.verify_once(&entry, progress)? {
                continue;
            }
            if !verified_one {
                stays(&entry, "it is the newest good one")?;
                verified_one = true;
            }
            if self.is_durable(&entry, progress) {
                return stays(&entry, "it is the newest that is known to survive a power loss");
            }
        }
        let reason = "no checkpoint is known to survive a power loss: who wrote them did not live to say so. Save once \
                      more, then delete";
        Err(Error::LastVerified { sequence: last, reason: reason.to_owned() })
    }

    fn verify_once(&self, entry: &Entry, progress: &mut Progress) -> Result<bool> {
        if progress.verified.contains(&entry.order()) {
            return Ok(true);
        }
        match self.reader.open_checkpoint(&entry.file_name).and_then(|checkpoint| checkpoint.verify()) {
            Ok(()) => {
                progress.verified.insert(entry.order());
                Ok(true)
            }
            Err(Error::Damaged { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Acknowledged, as far as this process or the log knows; or the machine has started anew since, so that what was read
    /// back comes from the medium.
    fn is_durable(&self, entry: &Entry, progress: &Progress) -> bool {
        let here = &self.locker.writer;
        let restarted =
            entry.metadata().and_then(|metadata| metadata.writer.as_ref()).is_some_and(|writer| {
                // Not known is not another.
                let known = !writer.boot_id.is_empty() && !here.boot_id.is_empty();
                known && writer.host == here.host && writer.boot_id != here.boot_id
            });
        restarted || progress.durable.contains(&entry.order())
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
