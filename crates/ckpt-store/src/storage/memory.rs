//! A medium in memory as [`Storage`]: for tests, and the ground under models of what a medium may do.
//!
//! Nothing here outlives the process, and syncing does nothing. Everything that changes the medium is one method of
//! `Medium`, which is a plain value, so that a model can keep it, copy it and stand between it and the store.

mod medium;

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

impl Memory {
    /// An empty directory with a tebibyte of room, which memory does not hold either.
    pub fn new() -> Self {
        Memory::with_capacity(1 << 40)
    }

    /// An empty directory with room for so many bytes.
    pub fn with_capacity(bytes: u64) -> Self {
        Memory { medium: Shared(Arc::new(Mutex::new(Medium::new(bytes)))), dir: Medium::ROOT }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Memory::new()
    }
}

impl Storage for Memory {
    fn list(&self, dir: &str) -> io::Result<Vec<DirEntry>> {
        self.medium.get().list(self.dir, dir)
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.medium.get().create_dir(self.dir, path)
    }

    fn descend(&self, path: &str) -> io::Result<Arc<dyn Storage>> {
        let dir = self.medium.get().directory(self.dir, path)?;
        Ok(Arc::new(Memory { medium: self.medium.clone(), dir }))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn StorageFile>> {
        let inode = self.medium.get().create(self.dir, path)?;
        let medium = self.medium.clone();
        Ok(Box::new(MemoryFile { medium, inode, access: Access::Write, created: true, direct: false }))
    }

    fn open(&self, path: &str, access: Access) -> io::Result<Box<dyn StorageFile>> {
        let inode = self.medium.get().open(self.dir, path)?;
        Ok(Box::new(MemoryFile { medium: self.medium.clone(), inode, access, created: false, direct: false }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.medium.get().rename(self.dir, from, to)
    }

    fn unlink(&self, path: &str) -> io::Result<()> {
        self.medium.get().unlink(self.dir, path)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.medium.get().directory(self.dir, dir).map(drop)
    }

    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn StorageLock>>> {
        let Some(inode) = self.medium.get().try_lock(self.dir, path)? else { return Ok(None) };
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

/// An open file in memory.
#[derive(Debug)]
struct MemoryFile {
    medium: Shared,
    inode: InodeId,
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
        medium.write(self.inode, offset, bytes)
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
        Ok(())
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        Ok(())
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
        self.medium.get().names(self.dir, &self.path, self.inode)
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
