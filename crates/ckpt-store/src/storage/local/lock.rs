//! An advisory lock on a file of the system.

use std::fs::File;
use std::io;

use rustix::fs::{FlockOperation, Stat};
use rustix::io::{Errno, retry_on_intr};

use super::{Local, check_only_name};
use crate::storage::StorageLock;

/// A held `flock`. It belongs to the open file, not to the process: a second handle in the same process is shut out,
/// too.
#[derive(Debug)]
pub(super) struct LocalLock {
    storage: Local,
    path: String,
    file: File,
    /// Device and number of the file: those of an open file are not given to another one.
    identity: (u64, u64),
}

impl LocalLock {
    /// Locks `file`, which was opened at `path`; nothing if another handle has it locked.
    pub(super) fn take(storage: Local, path: &str, file: File) -> io::Result<Option<Self>> {
        match retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => {
                let identity = identity(&rustix::fs::fstat(&file)?);
                Ok(Some(LocalLock { storage, path: path.to_owned(), file, identity }))
            }
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl StorageLock for LocalLock {
    fn note(&mut self, text: &str) -> io::Result<()> {
        check_only_name(&self.file, &self.path)?;
        // Written first and cut then: replacing a note by one no longer needs no room on a full disk.
        let mut written = 0;
        while written < text.len() {
            let rest = &text.as_bytes()[written..];
            written += match retry_on_intr(|| rustix::io::pwrite(&self.file, rest, written as u64))? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => count,
            };
        }
        self.file.set_len(written as u64)
    }

    fn is_current(&self) -> io::Result<bool> {
        match self.storage.stat(&self.path) {
            Ok(named) => Ok(identity(&named) == self.identity),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Drop for LocalLock {
    fn drop(&mut self) {
        // Closing would let go, too, but not while a child that was just forked still has a copy of the descriptor.
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}
