//! Deleting: what may go, what must stay, and the order in which it is said, done and made durable.

use std::collections::{BTreeMap, BTreeSet};

use ckpt_format::{Entry, State};

use crate::error::{Error, Result};
use crate::lock::Purpose;
use crate::log::{LogEvent, Victim};
use crate::open::unlink_if_there;
use crate::pin::is_pinned;
use crate::store::{Progress, Run};

/// Victims per line of the log: the end of the log stays readable in one piece.
const PER_LINE: usize = 100;
/// Victims per mutation lock: pinning and publishing do not wait for all of them.
const PER_LOCK: usize = 64;

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
        let entries = self.reader.list()?;
        let victims = find_victims(&entries, deletions)?;
        self.check_what_stays(&entries, &victims, &mut progress)?;
        self.tell_or_make_room(&victims, &mut progress)?;
        let mut deleted = Deleted::default();
        for batch in victims.chunks(PER_LOCK) {
            let held = self.locker.mutate(self.epoch(), Purpose::Delete)?;
            for (entry, _) in batch {
                self.ownership.check(storage)?;
                if is_pinned(storage, entry.sequence, &held)? {
                    deleted.kept.push(entry.file_name.clone());
                    continue;
                }
                held.check()?;
                unlink_if_there(storage, &entry.file_name)?;
                deleted.freed_bytes += entry.stored_bytes;
                deleted.file_names.push(entry.file_name.clone());
            }
        }
        if let Err(source) = storage.sync_dir("") {
            return Err(progress.poison(Error::DurabilityUnknown { path: ".".to_owned(), source }));
        }
        let count = deleted.file_names.len() as u64;
        self.tell(LogEvent::Deleted { count, freed_bytes: deleted.freed_bytes }, &mut progress);
        Ok(deleted)
    }

    /// The newest verified checkpoint stays, and so does the newest that is also known to be durable: nothing is deleted
    /// in reliance on a file that a power loss may take.
    fn check_what_stays(
        &self,
        entries: &[Entry],
        victims: &[(&Entry, &str)],
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
        for entry in entries.iter().rev().filter(|entry| entry.is_committed()) {
            if !self.verify_once(entry, progress)? {
                continue;
            }
            if !verified_one {
                stays(entry, "it is the newest good one")?;
                verified_one = true;
            }
            if self.is_durable(entry, progress) {
                return stays(entry, "it is the newest that is known to survive a power loss");
            }
        }
        let newest = entries.last().map_or(0, |entry| entry.sequence);
        let reason = "no checkpoint is known to survive a power loss: who wrote them did not live to say so. Save once \
                      more, then delete";
        Err(Error::LastVerified { sequence: newest, reason: reason.to_owned() })
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
    fn tell_or_make_room(&self, victims: &[(&Entry, &str)], progress: &mut Progress) -> Result<()> {
        match self.tell_deleting(victims) {
            Err(Error::NoSpace { .. }) if self.release_reserve(progress) => self.tell_deleting(victims),
            told => told.map_err(|error| progress.poison(error)),
        }
    }

    /// The decision is durable before it is carried out.
    fn tell_deleting(&self, victims: &[(&Entry, &str)]) -> Result<()> {
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

/// The rows of what is to be deleted, each provably this run's own and not pinned.
fn find_victims<'a>(entries: &'a [Entry], deletions: &'a [Deletion]) -> Result<Vec<(&'a Entry, &'a str)>> {
    let by_name: BTreeMap<&str, &Entry> =
        entries.iter().map(|entry| (entry.file_name.as_str(), entry)).collect();
    let mut victims = Vec::with_capacity(deletions.len());
    let mut seen = BTreeSet::new();
    for deletion in deletions.iter().filter(|deletion| seen.insert(&deletion.file_name)) {
        let file_name = &deletion.file_name;
        let entry = by_name.get(file_name.as_str()).ok_or_else(|| Error::NotFound {
            wanted: format!("file:{file_name}"),
            present: entries.iter().map(|entry| entry.file_name.clone()).collect(),
        })?;
        if entry.pinned {
            return Err(Error::Pinned { sequence: entry.sequence });
        }
        let own = matches!(entry.state, State::Committed | State::Fenced | State::Duplicate)
            && entry.details.is_some();
        if !own {
            let why = entry.reason.as_deref().unwrap_or("it cannot be read");
            let reason =
                format!("{file_name} is {}, so it cannot be proved to be this run's: {why}", entry.state);
            return Err(Error::Invalid { reason });
        }
        victims.push((*entry, deletion.reason.as_str()));
    }
    Ok(victims)
}
