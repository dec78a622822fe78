//! Errors on purpose: at one operation of a storage, or from there on.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::io::Errno;

use super::observed::{Observer, Operation, Verb};

/// What an operation is to fail with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The device failed.
    Io,
    /// The medium is full.
    NoSpace,
    /// The user's share of it is.
    Quota,
    /// It is forbidden.
    Permission,
    /// The medium takes no changes.
    ReadOnly,
    /// The process has too many open files.
    TooManyFiles,
    /// A signal came.
    Interrupted,
    /// No error: a write takes a part of what it is given.
    ShortWrite,
}

/// All of them.
pub const FAULTS: [Fault; 8] = [
    Fault::Io,
    Fault::NoSpace,
    Fault::Quota,
    Fault::Permission,
    Fault::ReadOnly,
    Fault::TooManyFiles,
    Fault::Interrupted,
    Fault::ShortWrite,
];

impl Fault {
    /// Whether the operation can have it.
    pub fn befalls(self, verb: Verb) -> bool {
        use Verb::{
            Allocate, Close, Create, CreateDir, Descend, Length, List, Note, Open, ReadAt, Rename, SetLength,
            Space, Sync, SyncDir, TryLock, Unlink, WriteAt,
        };
        match self {
            Self::Io => true,
            Self::NoSpace | Self::Quota => {
                matches!(
                    verb,
                    Allocate
                        | Close
                        | Create
                        | CreateDir
                        | Note
                        | Rename
                        | Sync
                        | SyncDir
                        | TryLock
                        | WriteAt
                )
            }
            Self::Permission => {
                matches!(verb, Create | CreateDir | Descend | List | Open | Rename | TryLock | Unlink)
            }
            Self::ReadOnly => {
                matches!(
                    verb,
                    Allocate | Create | CreateDir | Rename | SetLength | TryLock | Unlink | WriteAt
                )
            }
            Self::TooManyFiles => matches!(verb, Create | Descend | List | Open | SyncDir | TryLock),
            Self::Interrupted => {
                matches!(
                    verb,
                    Close | Create | Length | List | Open | ReadAt | Space | Sync | SyncDir | WriteAt
                )
            }
            Self::ShortWrite => verb == WriteAt,
        }
    }

    fn errno(self) -> Option<Errno> {
        Some(match self {
            Self::Io => Errno::IO,
            Self::NoSpace => Errno::NOSPC,
            Self::Quota => Errno::DQUOT,
            Self::Permission => Errno::ACCESS,
            Self::ReadOnly => Errno::ROFS,
            Self::TooManyFiles => Errno::MFILE,
            Self::Interrupted => Errno::INTR,
            Self::ShortWrite => return None,
        })
    }
}

/// An observer that lets one operation fail, or every one from there on.
///
/// Operations are counted from 0, those that the fault cannot befall are not.
#[derive(Debug)]
pub struct Injector {
    fault: Fault,
    at: u64,
    and_on: bool,
    count: AtomicU64,
    fired: AtomicU64,
}

impl Injector {
    /// Lets the operation of that number fail, and if `and_on` all that follow.
    pub fn new(fault: Fault, at: u64, and_on: bool) -> Self {
        Self { fault, at, and_on, count: AtomicU64::new(0), fired: AtomicU64::new(0) }
    }

    /// How many operations were made to fail.
    pub fn fired(&self) -> u64 {
        self.fired.load(Ordering::Relaxed)
    }

    fn fires(&self) -> bool {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let fires = number == self.at || self.and_on && number > self.at;
        if fires {
            self.fired.fetch_add(1, Ordering::Relaxed);
        }
        fires
    }
}

impl Observer for Injector {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        match self.fault.errno() {
            Some(errno) if self.fault.befalls(operation.verb) && self.fires() => Err(errno.into()),
            _ => Ok(()),
        }
    }

    fn said_to_be_written(&self, bytes: usize) -> usize {
        if self.fault == Fault::ShortWrite && bytes > 1 && self.fires() { bytes / 2 } else { bytes }
    }
}
