//! A storage that asks before each operation whether it may happen, and how much of a write may.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use ckpt_store::storage::{Access, DirEntry, Space, Storage, StorageFile, StorageLock};

/// Who is asked.
pub(crate) trait Watch: Debug + Send + Sync {
    /// Called before each operation that may change something or decides about a change. An error takes its place.
    fn before(&self, operation: &str) -> io::Result<()>;

    /// How many of so many bytes a write says that it wrote, from 1 to all of them.
    fn said_to_be_written(&self, bytes: usize) -> usize {
        bytes
    }
}

/// The storage; what it opens is watched, too.
#[derive(Debug)]
pub(crate) struct Watched {
    inner: Arc<dyn Storage>,
    watch: Arc<dyn Watch>,
}

impl Watched {
    pub(crate) fn new(inner: Arc<dyn Storage>, watch: Arc<dyn Watch>) -> Self {
        Self { inner, watch }
    }

    fn file(&self, inner: Box<dyn StorageFile>) -> Box<dyn StorageFile> {
        Box::new(WatchedFile { inner, direct: false, watch: Arc::clone(&self.watch) })
    }
}

impl Storage for Watched {
    fn list(&self, dir: &str) -> io::Result<Vec<DirEntry>> {
        self.watch.before("list")?;
        self.inner.list(dir)
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.watch.before("create_dir")?;
        self.inner.create_dir(path)
    }

    fn descend(&self, path: &str) -> io::Result<Arc<dyn Storage>> {
        let inner = self.inner.descend(path)?;
        Ok(Arc::new(Watched::new(inner, Arc::clone(&self.watch))))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn StorageFile>> {
        self.watch.before("create")?;
        Ok(self.file(self.inner.create(path)?))
    }

    fn open(&self, path: &str, access: Access) -> io::Result<Box<dyn StorageFile>> {
        self.watch.before("open")?;
        Ok(self.file(self.inner.open(path, access)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.watch.before("rename")?;
        self.inner.rename(from, to)
    }

    fn unlink(&self, path: &str) -> io::Result<()> {
        self.watch.before("unlink")?;
        self.inner.unlink(path)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.watch.before("sync_dir")?;
        self.inner.sync_dir(dir)
    }

    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn StorageLock>>> {
        self.watch.before("try_lock")?;
        let Some(inner) = self.inner.try_lock(path)? else { return Ok(None) };
        Ok(Some(Box::new(WatchedLock { inner, watch: Arc::clone(&self.watch) })))
    }

    fn space(&self) -> io::Result<Space> {
        self.inner.space()
    }
}

#[derive(Debug)]
struct WatchedFile {
    inner: Box<dyn StorageFile>,
    direct: bool,
    watch: Arc<dyn Watch>,
}

impl StorageFile for WatchedFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.watch.before("write_at")?;
        let said = self.watch.said_to_be_written(bytes.len());
        // A direct write is of whole pages. Of the last one nothing is there, though a part of it is said to be: who goes
        // on must not rely on it.
        let whole = if self.direct { said - said % 4_096 } else { said };
        let written = if whole == 0 { 0 } else { self.inner.write_at(offset, &bytes[..whole])? };
        Ok(if written < whole { written } else { said })
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        self.inner.read_at(offset, bytes)
    }

    fn length(&self) -> io::Result<u64> {
        self.inner.length()
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        self.watch.before("set_length")?;
        self.inner.set_length(length)
    }

    fn allocate(&mut self, length: u64) -> io::Result<()> {
        self.watch.before("allocate")?;
        self.inner.allocate(length)
    }

    fn set_direct(&mut self, direct: bool) -> bool {
        self.direct = self.inner.set_direct(direct);
        self.direct
    }

    fn reveal(&mut self) -> io::Result<()> {
        self.watch.before("reveal")?;
        self.inner.reveal()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.watch.before("sync")?;
        self.inner.sync()
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        self.watch.before("close")?;
        self.inner.close()
    }
}

#[derive(Debug)]
struct WatchedLock {
    inner: Box<dyn StorageLock>,
    watch: Arc<dyn Watch>,
}

impl StorageLock for WatchedLock {
    fn note(&mut self, text: &str) -> io::Result<()> {
        self.watch.before("note")?;
        self.inner.note(text)
    }

    fn is_current(&self) -> io::Result<bool> {
        self.watch.before("is_current")?;
        self.inner.is_current()
    }
}
