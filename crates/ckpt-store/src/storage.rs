//! The seam between the store's protocols and the medium: a small trait, the system behind it, and one in memory.
//!
//! The protocols of this crate (publish, set aside, delete, lock) are written against [`Storage`] alone, so that a crash
//! model or a fault injector can stand in for the system and see every operation that matters for durability.

mod local;
#[cfg(any(test, feature = "testing"))]
mod memory;

pub use local::Local;
#[cfg(any(test, feature = "testing"))]
pub use memory::{CrashPoint, Memory, PLANTED, Planted, Survivor};

use std::fmt;
use std::io;
use std::sync::Arc;

/// A directory that is held open, and what a store does in it.
///
/// Paths are relative to that directory: one or two components joined by `/`, UTF-8, none of them empty, `.` or `..`;
/// the empty path is the directory itself where a directory is asked for. An implementation refuses other paths with
/// [`io::ErrorKind::InvalidInput`], and never follows a symbolic link: where one stands in the way, the error is of
/// another kind than [`io::ErrorKind::NotFound`].
///
/// Nothing here is durable until it is synced: bytes by [`StorageFile::sync`], names by [`Storage::sync_dir`] of the
/// directory that holds them.
pub trait Storage: fmt::Debug + Send + Sync {
    /// The names in a directory, in no order, without `.` and `..`.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such directory.
    fn list(&self, dir: &str) -> io::Result<Vec<DirEntry>>;

    /// Makes a directory (mode 0777 less the umask).
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the name is taken by anything.
    fn create_dir(&self, path: &str) -> io::Result<()>;

    /// The directory at `path` as a storage of its own; locks and files are shared with this one.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], [`io::ErrorKind::NotADirectory`].
    fn descend(&self, path: &str) -> io::Result<Arc<dyn Storage>>;

    /// Makes a file that did not exist, for reading and writing, readable by its owner only (mode 0600).
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the name is taken by anything.
    fn create(&self, path: &str) -> io::Result<Box<dyn StorageFile>>;

    /// Opens a regular file. Never blocks, whatever stands at the path: a FIFO, device or directory is an error
    /// ([`io::ErrorKind::InvalidInput`] or the system's own), and so is, but for reading, a file with a second name.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none.
    fn open(&self, path: &str, access: Access) -> io::Result<Box<dyn StorageFile>>;

    /// Opens a regular file for reading, and says how long it is: [`Storage::open`] and [`StorageFile::length`], for which a
    /// storage may know a quicker way.
    ///
    /// # Errors
    /// Those of the two.
    fn open_sized(&self, path: &str) -> io::Result<(Box<dyn StorageFile>, u64)> {
        let file = self.open(path, Access::Read)?;
        let length = file.length()?;
        Ok((file, length))
    }

    /// Renames a file in one step. Never replaces.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if `to` is taken, [`io::ErrorKind::NotFound`] if `from` is not there.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file's name. Whoever has it open keeps reading it.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if it is not there.
    fn unlink(&self, path: &str) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// After an error the names' durability is unknown, and a second sync that succeeds proves nothing.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;

    /// Tries to take the exclusive advisory lock on the file at `path`, making the file (mode 0666 less the umask) if it
    /// is missing. Nothing is returned if another handle has it. The lock ends when the handle is dropped or its
    /// process dies. A returned lock is on the file that has this name now: an implementation that finds the name
    /// removed or replaced in between tries again.
    ///
    /// # Errors
    /// Those of opening a file.
    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn StorageLock>>>;

    /// Room on the medium.
    ///
    /// # Errors
    /// Those of the system.
    fn space(&self) -> io::Result<Space>;
}

/// An open file. Offsets and lengths count bytes.
pub trait StorageFile: fmt::Debug + Send + Sync {
    /// Writes some of `bytes` at `offset`; returns how many. Fewer than asked is not an error: a full disk writes short
    /// first. In a file opened for [`Access::Append`] the offset is ignored and the bytes go to the end, in one step.
    ///
    /// # Errors
    /// Those of the system.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Reads some bytes at `offset`; 0 at the end of the file.
    ///
    /// # Errors
    /// Those of the system.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// Length of the file.
    ///
    /// # Errors
    /// Those of the system.
    fn length(&self) -> io::Result<u64>;

    /// Cuts the file, or extends it with zeros.
    ///
    /// # Errors
    /// Those of the system.
    fn set_length(&mut self, length: u64) -> io::Result<()>;

    /// Takes room on the medium for `length` bytes, and makes a shorter file that long; a longer one stays as it is. Where
    /// the medium cannot take room in advance, only the length is set. After an error the length is anything between.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] if there is none.
    fn allocate(&mut self, length: u64) -> io::Result<()>;

    /// Asks that writes go around the page cache, or no longer. Returns whether they do. While they do, offset, length
    /// and the address of the bytes must be multiples of 4096, or writing and reading is refused with
    /// [`io::ErrorKind::InvalidInput`]. A file opened for [`Access::Append`] never goes direct.
    fn set_direct(&mut self, direct: bool) -> bool;

    /// Gives the file the mode it would have been created with by default: 0666 less the umask. Only the handle that made
    /// the file can.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] from a handle that opened the file; those of the system.
    fn reveal(&mut self) -> io::Result<()>;

    /// Makes bytes and length durable.
    ///
    /// # Errors
    /// After an error the bytes are lost or not, and a second sync that succeeds proves nothing.
    fn sync(&mut self) -> io::Result<()>;

    /// Closes the file and says what the system said to it. Dropping closes, too, and says nothing.
    ///
    /// # Errors
    /// Those of the system.
    fn close(self: Box<Self>) -> io::Result<()>;
}

/// A held lock; dropping it lets go.
pub trait StorageLock: fmt::Debug + Send + Sync {
    /// Replaces what is written in the locked file: for people and for who finds it locked, not durable. Refused for a
    /// file with a second name.
    ///
    /// # Errors
    /// Those of the system.
    fn note(&mut self, text: &str) -> io::Result<()>;

    /// Whether the locked file still has the name under which it was locked. It no longer has when somebody removed
    /// the name to take the lock away.
    ///
    /// # Errors
    /// Those of the system.
    fn is_current(&self) -> io::Result<bool>;
}

/// What an existing file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading, and writing at the end.
    Append,
    /// Reading, and writing anywhere.
    Write,
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// The name; bytes that are not UTF-8 are replaced, and such a file cannot be opened.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What a name in a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A link, FIFO, socket or device.
    Other,
}

/// Room on the medium, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// In all.
    pub total: u64,
    /// What this user may still write.
    pub available: u64,
}

/// Splits a path of [`Storage`] into directory (empty for the storage itself) and name.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if the path is not of that form.
pub(crate) fn split(path: &str) -> io::Result<(&str, &str)> {
    let good = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['/', '\0']);
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    if good(name) && (dir.is_empty() && !path.starts_with('/') || good(dir)) {
        Ok((dir, name))
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{path:?} is not a path of one or two names"),
        ))
    }
}
