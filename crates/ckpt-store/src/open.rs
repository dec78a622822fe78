//! Opening a run to write: make it or find it, take the locks, begin or join an epoch, sweep what the dead left.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use ckpt_format::{RunName, Timestamp, Writer};

use crate::compress::Compress;
use crate::encode::Workshop;
use crate::error::{Error, Result};
use crate::host;
use crate::identity::RunIdentity;
use crate::layout;
use crate::lock::{Locker, Mutation, Ownership, Purpose, highest_marker};
use crate::log::{Log, LogEntry, LogEvent, LogLine};
use crate::publish::{self, Staged};
use crate::quarantine;
use crate::reader::{RunReader, not_a_run};
use crate::storage::{EntryKind, Local, Storage};
use crate::store::{Progress, Run};

/// Which attempt opens a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Epoch {
    /// No operations: epoch 0. Refused in a run whose epochs were begun.
    #[default]
    None,
    /// A new attempt: leaves a durable marker, fences every lower epoch. A marker that exists is a conflict.
    Begin(u64),
    /// An attempt that was begun, by this process or its parent; begins it if it was not.
    Join(u64),
    /// Whatever is the highest: for a person at a shell who tidies up.
    Current,
}

/// How a run is opened for writing.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Tells the time, in UTC: for people and for what ages, never for order.
    pub clock: fn() -> Timestamp,
    /// Which attempt this is. Default: none.
    pub epoch: Epoch,
    /// Whether sections are compressed. Default: each by a sample.
    pub compress: Compress,
    /// How long to wait for the mutation lock. Default: 5 s.
    pub lock_wait: Duration,
    /// Whether to keep room for an urgent save, as much as the last one took. Default: yes.
    pub reserve: bool,
    /// Which process this is, where the system should not be asked.
    pub writer: Option<Writer>,
}

impl RunOptions {
    /// The defaults, with a clock.
    pub fn new(clock: fn() -> Timestamp) -> Self {
        Self {
            clock,
            epoch: Epoch::default(),
            compress: Compress::default(),
            lock_wait: Duration::from_secs(5),
            reserve: true,
            writer: None,
        }
    }

    /// As this attempt.
    #[must_use]
    pub fn epoch(mut self, epoch: Epoch) -> Self {
        self.epoch = epoch;
        self
    }

    /// Which process this is.
    pub(crate) fn writer(&self) -> Writer {
        self.writer.clone().unwrap_or_else(host::this_process)
    }

    pub(crate) fn locker(&self, storage: &Arc<dyn Storage>) -> Locker {
        Locker {
            storage: Arc::clone(storage),
            writer: self.writer(),
            clock: self.clock,
            wait: self.lock_wait,
        }
    }
}

impl Run {
    /// Makes a run and opens it for writing. Directories that are missing are made, each durable before the next.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is a run, or anything that is not a directory; others as [`Run::open`].
    pub fn create(
        path: impl AsRef<Path>,
        kind: &RunName,
        name: &RunName,
        options: RunOptions,
    ) -> Result<Self> {
        let path = path.as_ref();
        let io = |source| Error::io("creating", path.display().to_string(), source);
        let not_a_directory = |what: &str| Error::Exists {
            path: path.to_owned(),
            reason: format!("{what} is there and not a directory"),
        };
        let (base, missing) = Local::nearest(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotADirectory => not_a_directory("something on the way"),
            _ => io(error),
        })?;
        let base: Arc<dyn Storage> = Arc::new(base);
        let storage = make_way(base, &missing).map_err(|(at, error)| match error.kind() {
            std::io::ErrorKind::NotADirectory => not_a_directory(&at),
            _ => io(error),
        })?;
        Self::create_on(storage, path, kind, name, options)
    }

    /// Makes a run in a directory beneath a storage of your own and opens it. Directories that are missing are made, each durable
    /// before the next: `names` are those on the way, outermost first.
    ///
    /// # Errors
    /// As [`Run::create`].
    pub fn create_beneath(
        base: Arc<dyn Storage>,
        names: &[String],
        kind: &RunName,
        name: &RunName,
        options: RunOptions,
    ) -> Result<Self> {
        let storage = make_way(base, names).map_err(|(at, source)| Error::io("creating", at, source))?;
        Self::create_on(storage, names.join("/"), kind, name, options)
    }

    /// Opens a run for writing.
    ///
    /// # Errors
    /// [`Error::RunNotFound`]; [`Error::Locked`] naming the writer that has it; [`Error::Fenced`] or [`Error::Conflict`]
    /// about its epoch; [`Error::Incompatible`] for a newer layout.
    pub fn open(path: impl AsRef<Path>, options: RunOptions) -> Result<Self> {
        let path = path.as_ref();
        let storage = Local::open(path).map_err(|source| not_a_run(path, source))?;
        Self::open_on(Arc::new(storage), path, options)
    }

    /// Opens a run for writing; makes it if there is none.
    ///
    /// # Errors
    /// As [`Run::open`] and [`Run::create`].
    pub fn open_or_create(
        path: impl AsRef<Path>,
        kind: &RunName,
        name: &RunName,
        options: RunOptions,
    ) -> Result<Self> {
        let path = path.as_ref();
        match Self::open(path, options.clone()) {
            Err(Error::RunNotFound { .. }) => {}
            other => return other,
        }
        match Self::create(path, kind, name, options.clone()) {
            // Somebody else made it in between.
            Err(Error::Exists { .. }) if RunReader::open(path).is_ok() => Self::open(path, options),
            other => other,
        }
    }

    /// Opens a run to read it: takes no lock, creates nothing, repairs nothing.
    ///
    /// # Errors
    /// As [`RunReader::open`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<RunReader> {
        RunReader::open(path)
    }

    /// Makes a run on a storage of your own and opens it. `path` is for messages.
    ///
    /// # Errors
    /// As [`Run::create`].
    pub fn create_on(
        storage: Arc<dyn Storage>,
        path: impl Into<PathBuf>,
        kind: &RunName,
        name: &RunName,
        options: RunOptions,
    ) -> Result<Self> {
        let path = path.into();
        publish::make_dir(storage.as_ref(), layout::STAGING)?;
        let locker = options.locker(&storage);
        let held = locker.mutate(0, Purpose::Open)?;
        let (has_identity, orphaned) = look_for_leftovers(storage.as_ref())?;
        if orphaned && !has_identity {
            let reason =
                "it holds checkpoints but no run.json: put that back from a copy, or take another directory";
            return Err(Error::Exists { path, reason: reason.to_owned() });
        }
        let run_id = host::random_hex(16)
            .map_err(|source| Error::io("making an identity for", layout::RUN, source))?;
        let identity = RunIdentity::new(run_id, kind.clone(), name.clone(), (options.clock)());
        match publish_small(&storage, layout::RUN, &identity.encode()?, &held) {
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {
                let reason = "there is a run already: open it".to_owned();
                return Err(Error::Exists { path, reason });
            }
            other => other?,
        }
        drop(held);
        Self::open_on(storage, path, options)
    }

    /// Opens a run on a storage of your own for writing. `path` is for messages.
    ///
    /// # Errors
    /// As [`Run::open`].
    pub fn open_on(storage: Arc<dyn Storage>, path: impl Into<PathBuf>, options: RunOptions) -> Result<Self> {
        let reader = RunReader::on(Arc::clone(&storage), path)?;
        let locker = options.locker(&storage);
        let log = Log::new(Arc::clone(&storage));
        let (ownership, held) = take_over(&locker, options.epoch)?;
        let swept = sweep(storage.as_ref(), ownership.epoch(), &held)?;
        let mut tolerated = Vec::new();
        // The log explains; that it cannot be mended or written must not keep anybody from their state.
        let mut tolerate = |result: Result<()>| {
            tolerated.extend(result.err());
        };
        // Before mending, which may start a new and empty log. Without it a number might be used twice.
        let tail = log.tail()?;
        tolerate(log.mend());
        let highest = highest_sequence(&reader, &swept, &tail)?;
        let opened =
            LogEvent::Opened { epoch: ownership.epoch(), swept: swept.names, highest_sequence: highest };
        let entry = LogEntry { at: (options.clock)(), by: locker.writer.clone(), event: opened };
        tolerate(log.append(&entry, false));
        tolerate(quarantine::prune(&reader, &log, &entry, &held));
        drop(held);
        let (progress, asides) = Progress::new(highest, &tail, &locker.writer, tolerated);
        let (workshop, progress) = (Workshop::new(), Mutex::new(progress));
        let run = Self { reader, locker, log, ownership, options, workshop, progress, asides };
        run.keep_least_reserve();
        Ok(run)
    }
}

/// Whether there is an identity, and whether there are checkpoints.
fn look_for_leftovers(storage: &dyn Storage) -> Result<(bool, bool)> {
    let names = storage.list("").map_err(|source| Error::io("listing", ".", source))?;
    let has_identity = names.iter().any(|entry| entry.name == layout::RUN);
    Ok((has_identity, names.iter().any(|entry| layout::checkpoint_order(&entry.name).is_some())))
}

/// Staging files that were removed, and the highest sequence among them.
struct Swept {
    names: Vec<String>,
    highest: u64,
}

/// The directory that `names` lead to, each made durably if it is missing; an error with the name it is about.
fn make_way(
    base: Arc<dyn Storage>,
    names: &[String],
) -> std::result::Result<Arc<dyn Storage>, (String, std::io::Error)> {
    names
        .iter()
        .try_fold(base, |storage, name| create_child(&storage, name).map_err(|error| (name.clone(), error)))
}

/// A directory in `storage`, made durably if it is missing.
fn create_child(storage: &Arc<dyn Storage>, name: &str) -> std::io::Result<Arc<dyn Storage>> {
    match storage.create_dir(name) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        // Also if it was there: who made it may not have synced it yet.
        _ => storage.sync_dir("")?,
    }
    storage.descend(name)
}

/// Publishes a small file that is not a checkpoint: identity, pin.
pub(crate) fn publish_small(
    storage: &Arc<dyn Storage>,
    name: &str,
    bytes: &[u8],
    held: &Mutation,
) -> Result<()> {
    let random =
        host::random_hex(8).map_err(|source| Error::io("naming a staging file for", name, source))?;
    let mut staged = Staged::create(storage, layout::staging_small(&random))?;
    let mut done = 0;
    while done < bytes.len() {
        let written = staged.file().write_at(done as u64, &bytes[done..]);
        match written.map_err(|source| Error::io("writing", name, source))? {
            0 => return Err(Error::io("writing", name, std::io::ErrorKind::WriteZero.into())),
            count => done += count,
        }
    }
    let published =
        staged.seal()?.publish(name, held).map_err(|source| Error::io("publishing", name, source))?;
    published.acknowledge().map(|_| ())
}

/// Takes the writer's lock for the epoch that is asked for, beginning it if need be. The mutation lock is still held.
fn take_over(locker: &Locker, epoch: Epoch) -> Result<(Ownership, Mutation)> {
    let storage = locker.storage.as_ref();
    let highest = highest_marker(storage)?;
    let joins = matches!(epoch, Epoch::Join(_));
    let (epoch, begin) = resolve(epoch, highest)?;
    if begin {
        return begin_epoch(locker, epoch, joins);
    }
    let ownership = locker.own(epoch)?;
    let held = locker.mutate(epoch, Purpose::Open)?;
    // Somebody may have begun a higher epoch before the lock was taken: nothing is touched then.
    ownership.check(storage)?;
    match highest_marker(storage)? {
        now if now > epoch => Err(Error::Fenced { epoch, by: Some(now) }),
        _ => Ok((ownership, held)),
    }
}

/// The epoch that is meant, and whether it has to be begun.
fn resolve(epoch: Epoch, highest: u64) -> Result<(u64, bool)> {
    let (wanted, begin) = match epoch {
        Epoch::None => (0, false),
        Epoch::Current => (highest, false),
        Epoch::Begin(epoch) if epoch == highest && epoch > 0 => return Err(Error::Conflict { epoch }),
        Epoch::Begin(epoch) => (epoch, epoch > 0),
        Epoch::Join(epoch) => (epoch, epoch > highest),
    };
    if wanted < highest {
        return Err(Error::Fenced { epoch: wanted, by: Some(highest) });
    }
    Ok((wanted, begin))
}

/// Takes the writer's lock away from lower epochs, and only then leaves a durable marker: there is no moment at which a marker
/// stands and a lower epoch may still change something, wherever this is interrupted.
fn begin_epoch(locker: &Locker, epoch: u64, joins: bool) -> Result<(Ownership, Mutation)> {
    let storage = locker.storage.as_ref();
    let held = locker.mutate_to_begin(epoch)?;
    match highest_marker(storage)? {
        highest if highest > epoch => return Err(Error::Fenced { epoch, by: Some(highest) }),
        // Another one that joins was faster.
        highest if highest == epoch && joins => return Ok((locker.own(epoch)?, held)),
        highest if highest == epoch => return Err(Error::Conflict { epoch }),
        _ => {}
    }
    let marker = layout::marker(epoch);
    let random = host::random_hex(8).map_err(|source| Error::io("naming", &marker, source))?;
    // Made before anything is taken away: a full disk must not fence the one that writes.
    let sealed = Staged::create(&locker.storage, layout::staging_small(&random))?.seal()?;
    locker.take_away(layout::WRITER_LOCK)?;
    let published = sealed.publish(&marker, &held).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => Error::Conflict { epoch },
        _ => Error::io("publishing", &marker, source),
    })?;
    published.acknowledge()?;
    let ownership = locker.own_anew(epoch)?;
    forget_lower_markers(storage, epoch)?;
    Ok((ownership, held))
}

/// Only the highest marker counts; the others would only make listings longer.
fn forget_lower_markers(storage: &dyn Storage, epoch: u64) -> Result<()> {
    let names = storage.list("").map_err(|source| Error::io("listing", ".", source))?;
    let mut lower =
        names.iter().filter(|entry| layout::marker_epoch(&entry.name).is_some_and(|of| of < epoch));
    lower.try_for_each(|entry| unlink_if_there(storage, &entry.name))
}

/// Removes staging files of this epoch and of lower ones: their writers are dead or fenced. Never by age.
fn sweep(storage: &dyn Storage, epoch: u64, _held: &Mutation) -> Result<Swept> {
    let mut swept = Swept { names: Vec::new(), highest: 0 };
    let names = match storage.list(layout::STAGING) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(swept),
        other => other.map_err(|source| Error::io("listing", layout::STAGING, source))?,
    };
    for entry in names {
        let order = layout::staging_order(&entry.name);
        // Small files are staged and published under the mutation lock, which is held now.
        if entry.kind != EntryKind::File {
            continue;
        }
        if order.is_none_or(|(of, _)| of > epoch) && !layout::is_staging_small(&entry.name) {
            continue;
        }
        unlink_if_there(storage, &format!("{}/{}", layout::STAGING, entry.name))?;
        swept.highest = swept.highest.max(order.map_or(0, |(_, sequence)| sequence));
        swept.names.push(entry.name);
    }
    Ok(swept)
}

pub(crate) fn unlink_if_there(storage: &dyn Storage, path: &str) -> Result<()> {
    match storage.unlink(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(|source| Error::io("removing", path, source)),
    }
}

/// The highest sequence in names, staging, quarantine, pins and the end of the log, whatever its epoch.
fn highest_sequence(reader: &RunReader, swept: &Swept, tail: &[LogLine]) -> Result<u64> {
    let storage = reader.storage().as_ref();
    let (named, pins) = reader.names()?;
    let quarantined = match storage.list(layout::QUARANTINE) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        other => other.map_err(|source| Error::io("listing", layout::QUARANTINE, source))?,
    };
    let staged = match storage.list(layout::STAGING) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        other => other.map_err(|source| Error::io("listing", layout::STAGING, source))?,
    };
    let of_named = named.iter().map(|named| named.order.1);
    let of_quarantined = quarantined
        .iter()
        .filter_map(|entry| layout::checkpoint_order(layout::quarantined(&entry.name)?.1))
        .map(|(_, sequence)| sequence);
    let of_staged =
        staged.iter().filter_map(|entry| layout::staging_order(&entry.name)).map(|(_, sequence)| sequence);
    let of_log = tail.iter().filter_map(|line| match line {
        LogLine::Good(entry) => match &entry.event {
            LogEvent::Opened { highest_sequence, .. } => Some(*highest_sequence),
            LogEvent::Saved { sequence, .. } => Some(*sequence),
            LogEvent::Deleting { victims } => victims.iter().map(|victim| victim.sequence).max(),
            _ => None,
        },
        LogLine::Bad(_) => None,
    });
    let highest = of_named.chain(pins).chain(of_quarantined).chain(of_staged).chain(of_log).max();
    Ok(highest.unwrap_or(0).max(swept.highest))
}
