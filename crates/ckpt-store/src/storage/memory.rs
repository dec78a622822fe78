//! A medium in memory as [`Storage`]: for tests, and the ground under models of what a medium may do.
//!
//! Nothing here outlives the process. A *journaled* medium keeps account of what is durable: it tells what a power loss may leave
//! at any moment ([`CrashPoint`]), can be told to fail, and to have bugs ([`Planted`]). Everything that changes
//! the medium is one method of `Medium`, which is a plain value.

mod crash;
mod journal;
mod medium;
mod planted;

pub use crash::{CrashPoint, Survivor};
pub use planted::{PLANTED, Planted};

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::medium::{DirectoryId, InodeId, Medium};
use super::local::check_direct;
use super::{Access, DirEntry, Space, Storage, StorageFile, StorageLock};

/// A directory in memory. Clones are the same directory.
///
/// Room is what the lengths of all files add up to, the gaps in them included. A file takes it until its name is gone
/// and its last handle is dropped. Once room runs out, a write is short first, and the next one fails.
#[derive(Debug, Clone)]
pub struct Memory {
    medium: Shared,
    dir: DirectoryId,
}

/// The room of a medium that was not given another: memory does not hold it either.
const CAPACITY: u64 = 1 << 40;

impl Memory {
    /// An empty directory with a tebibyte of room.
    pub fn new() -> Self {
        Memory::with_capacity(CAPACITY)
    }

    /// An empty directory with room for so many bytes.
    pub fn with_capacity(bytes: u64) -> Self {
        Memory { medium: Shared(Arc::new(Mutex::new(Medium::new(bytes)))), dir: Medium::ROOT }
    }

    /// An empty directory on a medium that knows what of it is durable.
    pub fn journaled() -> Self {
        let memory = Memory::new();
        memory.medium.get().keep_journal();
        memory
    }

    /// Makes everything durable, as time does, but for what a failed sync has lost.
    pub fn settle(&self) {
        self.medium.get().keep_journal();
    }

    /// What is durable now and what is not.
    ///
    /// # Panics
    /// If the medium is not journaled.
    pub fn crash_point(&self) -> CrashPoint {
        let medium = self.medium.get();
        let journal = medium.journal().expect("only a journaled medium knows what is durable");
        CrashPoint::new(journal.clone())
    }

    /// Lets a sync of a file or directory fail: the one after so many others from now on. What was to become durable may be lost,
    /// each change by itself, whatever is synced later; it can be read until the power fails.
    pub fn fail_sync(&self, after: u64) {
        self.medium.get().fail_sync(after);
    }

    /// Lets closing a file fail that was open for writing: the one after so many others from now on. What the file held is
    /// lost, as on a file system that writes late.
    pub fn fail_close(&self, after: u64) {
        self.medium.get().fail_close(after);
    }

    /// Takes back what was to fail and has not yet.
    pub fn heal(&self) {
        self.medium.get().heal();
    }

    /// Sets the room there is, to less than is used too.
    pub fn set_capacity(&self, bytes: u64) {
        self.medium.get().set_capacity(bytes);
    }

    /// Gives the medium a bug, or takes it away.
    pub fn plant(&self, bug: Option<Planted>) {
        self.medium.get().planted = bug;
    }
}

impl Default for Memory {
    fn default() -> Self {
        Memory::new()
    }
}

impl Storage for Memory {
    fn list(&self, dir: &str) -> io::Result<Vec<DirEntry>> {
        let medium = self.medium.get();
        if medium.overlooks(dir) {
            return Ok(Vec::new());
        }
        medium.list(self.dir, dir)
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.medium.get().create_dir(self.dir, path)
    }

    fn descend(&self, path: &str) -> io::Result<Arc<dyn Storage>> {
        let dir = self.medium.get().directory(self.dir, path)?;
        Ok(Arc::new(Memory { medium: self.medium.clone(), dir }))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn StorageFile>> {
        let mut medium = self.medium.get();
        let path = medium.bent(path);
        medium.clear_the_way(self.dir, path);
        let inode = medium.create(self.dir, path)?;
        Ok(self.file(&medium, inode, path, Access::Write, true))
    }

    fn open(&self, path: &str, access: Access) -> io::Result<Box<dyn StorageFile>> {
        let mut medium = self.medium.get();
        if access == Access::Read && medium.overlooks(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inode = medium.open(self.dir, path)?;
        Ok(self.file(&medium, inode, path, access, false))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut medium = self.medium.get();
        let from = medium.bent(from);
        medium.clear_the_way(self.dir, to);
        if medium.has(Planted::InPlaceWrite) && planted::is_staged(from) {
            return medium.write_in_place(self.dir, from, to);
        }
        medium.rename(self.dir, from, to)
    }

    fn unlink(&self, path: &str) -> io::Result<()> {
        let mut medium = self.medium.get();
        let path = medium.bent(path);
        medium.unlink(self.dir, path)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let mut medium = self.medium.get();
        let dir = medium.directory(self.dir, dir)?;
        if medium.skips_sync_of(dir) {
            return Ok(());
        }
        medium.catch_up()?;
        match medium.sync_dir(dir) {
            Err(_) if medium.has(Planted::SyncRetried) => medium.sync_dir(dir),
            synced => synced,
        }
    }

    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn StorageLock>>> {
        let mut medium = self.medium.get();
        if medium.has(Planted::StagingSweptByAge) && path == crate::layout::WRITER_LOCK {
            medium.sweep_staging(self.dir);
        }
        let Some(inode) = medium.try_lock(self.dir, path)? else { return Ok(None) };
        Ok(Some(Box::new(MemoryLock {
            medium: self.medium.clone(),
            inode,
            dir: self.dir,
            path: path.to_owned(),
        })))
    }

    fn space(&self) -> io::Result<Space> {
        Ok(self.medium.get().space())
    }
}

impl Memory {
    fn file(
        &self,
        medium: &Medium,
        inode: InodeId,
        path: &str,
        access: Access,
        created: bool,
    ) -> Box<dyn StorageFile> {
        let length_at_open = medium.length(inode);
        let (medium, path) = (self.medium.clone(), path.to_owned());
        Box::new(MemoryFile { medium, inode, path, length_at_open, access, created, direct: false })
    }
}

/// An open file in memory.
#[derive(Debug)]
struct MemoryFile {
    medium: Shared,
    inode: InodeId,
    /// As it was opened.
    path: String,
    length_at_open: u64,
    access: Access,
    created: bool,
    direct: bool,
}

impl MemoryFile {
    fn writable(&self) -> io::Result<()> {
        match self.access {
            Access::Append | Access::Write => Ok(()),
            Access::Read => {
                let text = "the file was opened for reading only";
                Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
            }
        }
    }
}

impl StorageFile for MemoryFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.writable()?;
        if self.direct {
            check_direct(offset, bytes)?;
        }
        let mut medium = self.medium.get();
        let offset = if self.access == Access::Append { medium.length(self.inode) } else { offset };
        match medium.write(self.inode, offset, bytes) {
            Ok(_) if medium.has(Planted::ShortWriteIgnored) => Ok(bytes.len()),
            written => written,
        }
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        if self.direct {
            check_direct(offset, bytes)?;
        }
        Ok(self.medium.get().read(self.inode, offset, bytes))
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.medium.get().length(self.inode))
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        self.writable()?;
        self.medium.get().set_length(self.inode, length)
    }

    fn allocate(&mut self, length: u64) -> io::Result<()> {
        self.writable()?;
        let mut medium = self.medium.get();
        let length = length.max(medium.length(self.inode));
        medium.set_length(self.inode, length)
    }

    /// Nothing is cached here, but what a disk would refuse is refused, so that the mistake shows.
    fn set_direct(&mut self, direct: bool) -> bool {
        self.direct = direct && self.access != Access::Append;
        self.direct
    }

    fn reveal(&mut self) -> io::Result<()> {
        if self.created {
            return Ok(());
        }
        let text = "only the handle that made a file knows the mode to reveal it with";
        Err(io::Error::new(io::ErrorKind::Unsupported, text))
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut medium = self.medium.get();
        match medium.planted {
            Some(Planted::NoFileSync) => return Ok(()),
            Some(Planted::LogNotSynced) if self.path == crate::layout::LOG => return Ok(()),
            Some(Planted::RenameBeforeSync) if planted::is_staged(&self.path) => {
                medium.put_off.files.push(self.inode);
                return Ok(());
            }
            _ => {}
        }
        match medium.sync(self.inode) {
            Err(_) if medium.has(Planted::SyncRetried) => medium.sync(self.inode),
            synced => synced,
        }
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        if self.access == Access::Read {
            return Ok(());
        }
        let mut medium = self.medium.get();
        let closed = medium.close(self.inode, self.length_at_open);
        if medium.has(Planted::CloseErrorIgnored) { Ok(()) } else { closed }
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        self.medium.get().release(self.inode);
    }
}

/// A held lock in memory.
#[derive(Debug)]
struct MemoryLock {
    medium: Shared,
    inode: InodeId,
    dir: DirectoryId,
    path: String,
}

impl StorageLock for MemoryLock {
    fn note(&mut self, text: &str) -> io::Result<()> {
        let mut medium = self.medium.get();
        let written = medium.write(self.inode, 0, text.as_bytes())?;
        if written < text.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        medium.set_length(self.inode, text.len() as u64)
    }

    fn is_current(&self) -> io::Result<bool> {
        let medium = self.medium.get();
        Ok(medium.has(Planted::LockNotRechecked) || medium.names(self.dir, &self.path, self.inode)?)
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut medium = self.medium.get();
        medium.unlock(self.inode);
        medium.release(self.inode);
    }
}

/// The medium, shared by its directories, files and locks.
#[derive(Debug, Clone)]
struct Shared(Arc<Mutex<Medium>>);

impl Shared {
    /// A thread that panicked here left every count as the last finished operation did, so its poison is ignored.
    fn get(&self) -> MutexGuard<'_, Medium> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_medium_writes_short_first_and_then_not_at_all() {
        let memory = Memory::with_capacity(10);
        let mut file = memory.create("a").unwrap();
        assert_eq!(file.write_at(0, &[1; 6]).unwrap(), 6);
        assert_eq!(file.write_at(6, &[2; 6]).unwrap(), 4);
        assert_eq!(file.write_at(10, &[3; 6]).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(file.write_at(0, &[4; 10]).unwrap(), 10, "what is there can still be overwritten");
        assert_eq!(file.allocate(11).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(memory.space().unwrap(), Space { total: 10, available: 0 });
    }

    #[test]
    fn a_gap_takes_room_too() {
        let memory = Memory::with_capacity(10);
        let mut file = memory.create("a").unwrap();
        assert_eq!(file.write_at(8, &[1; 8]).unwrap(), 2);
        assert_eq!(memory.space().unwrap().available, 0);
        assert_eq!(file.write_at(100, &[1]).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn room_comes_back_when_the_name_and_the_last_handle_are_gone() {
        let memory = Memory::with_capacity(10);
        let mut file = memory.create("a").unwrap();
        file.allocate(10).unwrap();
        let reader = memory.open("a", Access::Read).unwrap();
        drop(file);
        memory.unlink("a").unwrap();
        assert_eq!(memory.space().unwrap().available, 0);
        drop(reader);
        assert_eq!(memory.space().unwrap().available, 10);
    }

    #[test]
    fn a_length_that_no_file_can_have_is_an_error() {
        let memory = Memory::with_capacity(u64::MAX);
        let mut file = memory.create("a").unwrap();
        assert!(file.set_length(u64::MAX).is_err());
        assert!(file.write_at(u64::MAX, &[1, 2]).is_err());
        assert_eq!(file.length().unwrap(), 0);
    }
}
