//! Whether checkpoints may be deleted: which they are, and what must stay. Reads, and changes nothing: the same answer before a
//! deletion and instead of one.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ckpt_format::{Entry, State, Writer};

use crate::delete::Deletion;
use crate::error::{Error, Result};
use crate::log::{Log, LogEvent, LogLine};
use crate::names::{Fence, Newest};
use crate::open::RunOptions;
use crate::reader::RunReader;

/// The row of what is to be deleted, and why it is.
pub(crate) type Doomed<'a> = (Entry, &'a str);

/// What a process knows of the checkpoints of a run.
pub(crate) struct Knowledge<'a> {
    pub(crate) reader: &'a RunReader,
    /// Which process.
    pub(crate) writer: &'a Writer,
    /// Known to be durable, though maybe not read back.
    pub(crate) durable: &'a BTreeSet<(u64, u64)>,
    /// Acknowledged to it, or read back whole by it.
    pub(crate) verified: &'a mut BTreeSet<(u64, u64)>,
}

impl RunReader {
    /// Whether a writer that opened the run now, with these options, would be refused these deletions: what a dry run has to say.
    /// Takes no lock and changes nothing. Reads the newest good checkpoint whole.
    ///
    /// ```
    /// use ckpt_format::{Metadata, Writer};
    /// use ckpt_store::{Deletion, Error, Run, RunOptions, Section};
    ///
    /// # let root = tempfile::tempdir()?;
    /// # let path = root.path().join("training/agent");
    /// let on = |host: &str| Writer { host: host.to_owned(), pid: 7, boot_id: "a1".to_owned() };
    /// let there = RunOptions { writer: Some(on("there")), ..RunOptions::new(|| ckpt_format::Timestamp::from_millis(0)) };
    /// let run = Run::create(&path, &"training".parse()?, &"agent".parse()?, there.clone())?;
    /// for number in 1..=2 {
    ///     run.save(Metadata::default(), vec![Section::raw("weights", &[number])])?;
    /// }
    /// let file_name = run.reader().list()?[0].file_name.clone();
    /// let deletions = [Deletion { file_name, reason: "an example".to_owned() }];
    /// assert!(run.reader().check_deletions(&deletions, &there).is_ok());
    ///
    /// // The log's word that a save is durable counts on the machine whose word it is.
    /// let here = RunOptions { writer: Some(on("here")), ..there };
    /// let refused = run.reader().check_deletions(&deletions, &here).unwrap_err();
    /// assert!(matches!(refused, Error::LastVerified { .. }) && refused.to_string().contains("there"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Run::delete`](crate::Run::delete), but for locks, epochs and what happens meanwhile.
    pub fn check_deletions(&self, deletions: &[Deletion], options: &RunOptions) -> Result<()> {
        let writer = options.writer();
        let tail = Log::new(Arc::clone(self.storage())).tail()?;
        let durable = durable_here(&tail, &writer);
        let verified = &mut BTreeSet::new();
        let mut knowledge = Knowledge { reader: self, writer: &writer, durable: &durable, verified };
        knowledge.victims(deletions).map(drop)
    }
}

/// What was acknowledged to a writer on this start of this machine, as the end of the log has it. The line was written after the
/// directory was synced; on the same start that it can be read proves that it was written.
pub(crate) fn durable_here(tail: &[LogLine], writer: &Writer) -> BTreeSet<(u64, u64)> {
    let saved = tail.iter().filter_map(|line| match line {
        LogLine::Good(entry) => match entry.event {
            LogEvent::Saved { epoch, sequence, .. }
                if entry.by.host == writer.host && entry.by.boot_id == writer.boot_id =>
            {
                Some((epoch, sequence))
            }
            _ => None,
        },
        LogLine::Bad(_) => None,
    });
    saved.collect()
}

impl Knowledge<'_> {
    /// What is to be deleted, if all of it may be.
    pub(crate) fn victims<'d>(&mut self, deletions: &'d [Deletion]) -> Result<Vec<Doomed<'d>>> {
        let (newest, pins) = self.reader.newest()?;
        let victims = self.find(&newest, &pins, deletions)?;
        self.check_what_stays(newest, &pins, &victims)?;
        Ok(victims)
    }

    /// What is to be deleted, each provably this run's own and not pinned. Of the others only the names are known.
    fn find<'d>(
        &self,
        newest: &Newest,
        pins: &BTreeSet<u64>,
        deletions: &'d [Deletion],
    ) -> Result<Vec<Doomed<'d>>> {
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
        &mut self,
        newest: Newest,
        pins: &BTreeSet<u64>,
        victims: &[Doomed<'_>],
    ) -> Result<()> {
        let doomed: BTreeSet<&str> = victims.iter().map(|(entry, _)| entry.file_name.as_str()).collect();
        let stays = |entry: &Entry, reason: &str| {
            if doomed.contains(entry.file_name.as_str()) {
                return Err(Error::LastVerified { sequence: entry.sequence, reason: reason.to_owned() });
            }
            Ok(())
        };
        // The newest good one: what is said when none is known to be durable goes by who wrote it.
        let mut newest_good = None;
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
            if fenced || !entry.is_committed() || !self.verify_once(&entry)? {
                continue;
            }
            if newest_good.is_none() {
                stays(&entry, "it is the newest good one")?;
            }
            if self.is_durable(&entry) {
                return stays(&entry, "it is the newest that is known to survive a power loss");
            }
            newest_good.get_or_insert(entry);
        }
        let written_by = newest_good.as_ref().and_then(|entry| entry.metadata()?.writer.as_ref());
        let reason = match written_by {
            Some(other) if other.host != self.writer.host => format!(
                "no checkpoint is known on this host, {}, to survive a power loss: the newest good one was written on {}, and only \
                 there it is known to have been. Delete there, or save once from here, then delete",
                self.writer.host, other.host
            ),
            _ => "no checkpoint is known to survive a power loss: who wrote them did not live to say so. Save once more, then \
                  delete"
                .to_owned(),
        };
        Err(Error::LastVerified { sequence: last, reason })
    }

    fn verify_once(&mut self, entry: &Entry) -> Result<bool> {
        if self.verified.contains(&entry.order()) {
            return Ok(true);
        }
        match self.reader.open_checkpoint(&entry.file_name).and_then(|checkpoint| checkpoint.verify()) {
            Ok(()) => {
                self.verified.insert(entry.order());
                Ok(true)
            }
            Err(Error::Damaged { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Acknowledged, as far as this process or the log knows; or the machine has started anew since, so that what was read
    /// back comes from the medium.
    fn is_durable(&self, entry: &Entry) -> bool {
        let here = self.writer;
        let restarted =
            entry.metadata().and_then(|metadata| metadata.writer.as_ref()).is_some_and(|writer| {
                // Not known is not another.
                let known = !writer.boot_id.is_empty() && !here.boot_id.is_empty();
                known && writer.host == here.host && writer.boot_id != here.boot_id
            });
        restarted || self.durable.contains(&entry.order())
    }
}
