//! Pins: a user's mark that a checkpoint must stay. A file beside the checkpoints, so that no checkpoint is rewritten.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::layout;
use crate::lock::{Locker, Mutation, Purpose};
use crate::log::{Log, LogEntry, LogEvent};
use crate::open::{RunOptions, publish_small};
use crate::reader::RunReader;
use crate::storage::{Access, Storage};

/// The pins of a run. Needs the mutation lock only, so it works beside a running writer.
#[derive(Debug)]
pub struct Pins {
    reader: RunReader,
    locker: Locker,
    log: Log,
}

/// What stands in a pin: for people; that the file is there is what counts.
#[derive(Serialize)]
struct Mark<'a> {
    reason: Option<&'a str>,
    at: ckpt_format::Timestamp,
    by: &'a ckpt_format::Writer,
}

impl Pins {
    /// Opens the pins of a run.
    ///
    /// # Errors
    /// As [`RunReader::open`].
    pub fn open(path: impl AsRef<Path>, options: &RunOptions) -> Result<Self> {
        Ok(Self::of(RunReader::open(path)?, options))
    }

    /// Opens the pins of a run on a storage of your own. `path` is for messages.
    ///
    /// # Errors
    /// As [`RunReader::open`].
    pub fn on(
        storage: Arc<dyn Storage>,
        path: impl Into<std::path::PathBuf>,
        options: &RunOptions,
    ) -> Result<Self> {
        Ok(Self::of(RunReader::on(storage, path)?, options))
    }

    pub(crate) fn of(reader: RunReader, options: &RunOptions) -> Self {
        let locker = options.locker(reader.storage());
        let log = Log::new(Arc::clone(reader.storage()));
        Self { reader, locker, log }
    }

    /// Protects a checkpoint from every policy and from [`Run::delete`](crate::Run::delete), durably, until it is unpinned.
    /// Returns whether it was not pinned before; the reason of a pin that is there stays.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such checkpoint.
    pub fn pin(&self, sequence: u64, reason: Option<&str>) -> Result<bool> {
        let held = self.locker.mutate(0, Purpose::Pin)?;
        let (named, pins) = self.reader.names()?;
        if !named.iter().any(|named| named.order.1 == sequence) {
            let present = named.iter().map(|named| named.order.1.to_string()).collect();
            return Err(Error::NotFound { wanted: format!("sequence {sequence}"), present });
        }
        if pins.contains(&sequence) {
            // Who put it there may have died before it was durable.
            sync_names(self.reader.storage().as_ref(), layout::pin(sequence))?;
            return Ok(false);
        }
        let at = (self.locker.clock)();
        let mut mark = serde_json::to_vec(&Mark { reason, at, by: &self.locker.writer })
            .map_err(|source| Error::io("encoding the pin of", sequence.to_string(), source.into()))?;
        mark.push(b'\n');
        publish_small(self.reader.storage(), &layout::pin(sequence), &mark, &held)?;
        // It is done, durably; the line only explains.
        let _ = self.log(LogEvent::Pinned { sequence, reason: reason.map(str::to_owned) });
        Ok(true)
    }

    /// Takes the protection away, durably. Returns whether there was one.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Permission`], [`Error::Locked`].
    pub fn unpin(&self, sequence: u64) -> Result<bool> {
        let _held = self.locker.mutate(0, Purpose::Pin)?;
        let path = layout::pin(sequence);
        let storage = self.reader.storage();
        match storage.unlink(&path) {
            // Also then: who removed it may have died before that was durable.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                sync_names(storage.as_ref(), path)?;
                return Ok(false);
            }
            other => other.map_err(|source| Error::io("removing", &path, source))?,
        }
        sync_names(storage.as_ref(), path)?;
        let _ = self.log(LogEvent::Unpinned { sequence });
        Ok(true)
    }

    fn log(&self, event: LogEvent) -> Result<()> {
        let entry = LogEntry { at: (self.locker.clock)(), by: self.locker.writer.clone(), event };
        self.log.append(&entry, false)
    }
}

fn sync_names(storage: &dyn Storage, path: String) -> Result<()> {
    storage.sync_dir("").map_err(|source| Error::DurabilityUnknown { path, source })
}

/// Whether a checkpoint is pinned now. Under the mutation lock the answer stays true.
pub(crate) fn is_pinned(storage: &dyn Storage, sequence: u64, _held: &Mutation) -> Result<bool> {
    let path = layout::pin(sequence);
    match storage.open(&path, Access::Read) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        // Something has the name; whatever it is, it was put there to protect.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Ok(true),
        Err(source) => Err(Error::io("looking at", &path, source)),
    }
}
