//! Who may change a run: the writer's lock for a handle's life, the mutation lock around each change, and fencing.
//!
//! A lock never proves that a paused owner is gone. So who begins a higher epoch takes the writer's lock file away *before*
//! it leaves its marker: wherever a marker stands, every owner of a lower epoch has lost its lock file. Every change first asks
//! whether its own still has its name, which costs the same however many checkpoints there are.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ckpt_format::{Timestamp, Writer};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::layout;
use crate::storage::{Access, Storage, StorageLock};

/// What the mutation lock is held for; says whether it may be taken away from a fenced holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// Opening a run for writing.
    Open,
    /// Giving a staged file its name: fails by itself once the staged file was swept.
    Publish,
    /// Setting a damaged file aside.
    SetAside,
    /// Removing checkpoints.
    Delete,
    /// Pinning or unpinning.
    Pin,
}

/// What stands in a lock file: for people, and for who wants to take over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) host: String,
    pub(crate) pid: u32,
    pub(crate) since: Timestamp,
    pub(crate) epoch: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<Purpose>,
}

/// The right to write to a run, at an epoch.
#[derive(Debug)]
pub(crate) struct Ownership {
    epoch: u64,
    lock: Box<dyn StorageLock>,
}

/// The right to change something now.
#[derive(Debug)]
pub(crate) struct Mutation {
    lock: Box<dyn StorageLock>,
}

/// Who asks for locks, and how long for the mutation lock.
#[derive(Debug, Clone)]
pub(crate) struct Locker {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) writer: Writer,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) wait: Duration,
}

impl Locker {
    /// Takes the writer's lock.
    pub(crate) fn own(&self, epoch: u64) -> Result<Ownership> {
        self.try_own(epoch)?.ok_or_else(|| {
            let way_out = "wait for it, stop it, or write to another run";
            let note = read_note(self.storage.as_ref(), layout::WRITER_LOCK);
            Error::Locked { what: "the run".to_owned(), holder: holder(note.as_ref(), way_out) }
        })
    }

    /// Takes the writer's lock from owners of lower epochs, and from those that wait for it to see that they are fenced. Only
    /// under the mutation lock, by who begins `epoch`.
    pub(crate) fn own_anew(&self, epoch: u64) -> Result<Ownership> {
        const ATTEMPTS: usize = 100;
        for _ in 0..ATTEMPTS {
            if let Some(ownership) = self.try_own(epoch)? {
                return Ok(ownership);
            }
            self.take_away(layout::WRITER_LOCK)?;
        }
        self.own(epoch)
    }

    /// Takes a lock file away: who holds it holds nothing any more.
    pub(crate) fn take_away(&self, path: &str) -> Result<()> {
        match self.storage.unlink(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(|source| Error::io("removing", path, source)),
        }
    }

    fn try_own(&self, epoch: u64) -> Result<Option<Ownership>> {
        let path = layout::WRITER_LOCK;
        let lock = self.storage.try_lock(path).map_err(|source| Error::io("locking", path, source))?;
        Ok(lock.map(|mut lock| {
            self.write_note(lock.as_mut(), epoch, None);
            Ownership { epoch, lock }
        }))
    }

    /// Takes the mutation lock, waiting for it a while.
    pub(crate) fn mutate(&self, epoch: u64, purpose: Purpose) -> Result<Mutation> {
        match self.try_mutate(epoch, purpose, self.wait)? {
            Some(mutation) => Ok(mutation),
            None => Err(self.mutation_locked()),
        }
    }

    /// Takes the mutation lock to begin an epoch; a lower epoch that was stopped while publishing loses it, since what
    /// it staged is swept before this returns to the caller and so cannot be published any more.
    pub(crate) fn mutate_to_begin(&self, epoch: u64) -> Result<Mutation> {
        if let Some(mutation) = self.try_mutate(epoch, Purpose::Open, self.wait)? {
            return Ok(mutation);
        }
        let note = read_note(self.storage.as_ref(), layout::MUTATION_LOCK);
        let stale = note.is_some_and(|note| note.epoch < epoch && note.purpose == Some(Purpose::Publish));
        if !stale {
            return Err(self.mutation_locked());
        }
        self.take_away(layout::MUTATION_LOCK)?;
        self.try_mutate(epoch, Purpose::Open, self.wait)?.ok_or_else(|| self.mutation_locked())
    }

    fn try_mutate(&self, epoch: u64, purpose: Purpose, wait: Duration) -> Result<Option<Mutation>> {
        const PAUSE: Duration = Duration::from_millis(1);
        let deadline = Instant::now().checked_add(wait);
        let mut made_anew = false;
        loop {
            let lock = self
                .storage
                .try_lock(layout::MUTATION_LOCK)
                .map_err(|source| Error::io("locking", layout::MUTATION_LOCK, source))?;
            if let Some(mut lock) = lock {
                let noted = self.write_note(lock.as_mut(), epoch, Some(purpose));
                if !noted && !made_anew {
                    // What stands there is another holder's, and might invite somebody to take the lock away from this one.
                    self.take_away(layout::MUTATION_LOCK)?;
                    made_anew = true;
                    continue;
                }
                // Until the note was there, the one before it may have invited somebody to take the lock away.
                let current = lock.is_current();
                if current.map_err(|source| Error::io("looking at", layout::MUTATION_LOCK, source))? {
                    return Ok(Some(Mutation { lock }));
                }
                continue;
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(None);
            }
            thread::sleep(PAUSE);
        }
    }

    fn mutation_locked(&self) -> Error {
        let note = read_note(self.storage.as_ref(), layout::MUTATION_LOCK);
        let way_out = "it is in the middle of a change: let it go on (kill -CONT) or end it, then try again";
        Error::Locked { what: "changing the run".to_owned(), holder: holder(note.as_ref(), way_out) }
    }

    /// A full disk must not keep anybody from locking, so a note that cannot be written is left out. Whether the one of who
    /// held it before is gone at least.
    fn write_note(&self, lock: &mut dyn StorageLock, epoch: u64, purpose: Option<Purpose>) -> bool {
        let Writer { host, pid, .. } = self.writer.clone();
        let note = Note { host, pid, since: (self.clock)(), epoch, purpose };
        // The note of who held it before must not stand for this one; cutting it needs no room.
        serde_json::to_string(&note).is_ok_and(|text| lock.note(&text).is_ok()) || lock.note("").is_ok()
    }
}

impl Ownership {
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Refuses to go on if a later epoch has taken over. Call it under the mutation lock, before each change.
    pub(crate) fn check(&self, storage: &dyn Storage) -> Result<()> {
        let current = self.lock.is_current();
        if current.map_err(|source| Error::io("looking at", layout::WRITER_LOCK, source))? {
            return Ok(());
        }
        Err(self.fenced(storage))
    }

    /// The error of having been overtaken, naming by whom.
    pub(crate) fn fenced(&self, storage: &dyn Storage) -> Error {
        let by = highest_marker(storage).ok().filter(|by| *by > self.epoch);
        Error::Fenced { epoch: self.epoch, by }
    }
}

impl Mutation {
    /// Refuses to go on if the lock was taken away: whoever took it for a stopped publisher's may have been a moment late.
    pub(crate) fn check(&self) -> Result<()> {
        let current = self.lock.is_current();
        if current.map_err(|source| Error::io("looking at", layout::MUTATION_LOCK, source))? {
            return Ok(());
        }
        Err(Error::Locked {
            what: "changing the run".to_owned(),
            holder: "another process, which took the lock away from this one; open the run anew".to_owned(),
        })
    }
}

/// The highest epoch that was begun, 0 if none was.
pub(crate) fn highest_marker(storage: &dyn Storage) -> Result<u64> {
    let names = storage.list("").map_err(|source| Error::io("listing", ".", source))?;
    Ok(names.iter().filter_map(|entry| layout::marker_epoch(&entry.name)).max().unwrap_or(0))
}

/// What stands in a lock file, if it can be read.
pub(crate) fn read_note(storage: &dyn Storage, path: &str) -> Option<Note> {
    const NOTE_LENGTH_MAX: usize = 4_096;
    let file = storage.open(path, Access::Read).ok()?;
    let mut bytes = vec![0; NOTE_LENGTH_MAX];
    let length = file.read_at(0, &mut bytes).ok()?;
    serde_json::from_slice(bytes.get(..length)?).ok()
}

fn holder(note: Option<&Note>, way_out: &str) -> String {
    match note {
        Some(Note { host, pid, since, .. }) => format!("process {pid} on {host} since {since}; {way_out}"),
        None => format!("another process; {way_out}"),
    }
}
