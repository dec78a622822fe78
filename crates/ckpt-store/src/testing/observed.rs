//! A storage that tells an observer of each operation before it happens: to record, to refuse, or to do something first.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::storage::{Access, DirEntry, Space, Storage, StorageFile, StorageLock};

/// Something that is about to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation<'a> {
    /// What.
    pub verb: Verb,
    /// To which path, from the storage that is observed. For an open file or a lock the path it was opened with.
    pub path: &'a str,
    /// Where a rename leads, or the text of a note.
    pub detail: &'a str,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the method of that name")]
pub enum Verb {
    List,
    CreateDir,
    Descend,
    Create,
    Open,
    Rename,
    Unlink,
    SyncDir,
    TryLock,
    Space,
    WriteAt,
    ReadAt,
    Length,
    SetLength,
    Allocate,
    Reveal,
    Sync,
    Close,
    Note,
    IsCurrent,
}

impl Verb {
    /// Whether the medium may be another afterwards.
    pub fn changes(self) -> bool {
        use Verb::{
            Allocate, Close, Create, CreateDir, Note, Rename, Reveal, SetLength, Sync, SyncDir, TryLock,
            Unlink, WriteAt,
        };
        matches!(
            self,
            CreateDir
                | Create
                | Rename
                | Unlink
                | SyncDir
                | TryLock
                | WriteAt
                | SetLength
                | Allocate
                | Reveal
                | Sync
                | Close
                | Note
        )
    }
}

/// Who is told.
pub trait Observer: Send + Sync {
    /// Called before each operation; an error takes its place.
    ///
    /// # Errors
    /// Whatever the operation is to fail with.
    fn before(&self, operation: &Operation<'_>) -> io::Result<()>;

    /// Called after an operation that succeeded.
    fn after(&self, operation: &Operation<'_>) {
        let _ = operation;
    }

    /// How many of so many bytes a write says that it wrote, from 1 to all of them.
    fn said_to_be_written(&self, bytes: usize) -> usize {
        bytes
    }
}

/// The storage; what it opens, locks and descends to is observed, too.
#[derive(Clone)]
pub struct Observed {
    inner: Arc<dyn Storage>,
    observer: Arc<dyn Observer>,
    /// Empty, or ends in `/`.
    prefix: String,
}

impl Observed {
    /// Lets `observer` see what is done to `inner`.
    pub fn new(inner: Arc<dyn Storage>, observer: Arc<dyn Observer>) -> Self {
        Self { inner, observer, prefix: String::new() }
    }

    fn tell<T>(
        &self,
        verb: Verb,
        path: &str,
        detail: &str,
        operation: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let path = self.path(path);
        let told = Operation { verb, path: &path, detail };
        self.observer.before(&told)?;
        let done = operation()?;
        self.observer.after(&told);
        Ok(done)
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    fn file(&self, path: &str, inner: Box<dyn StorageFile>) -> Box<dyn StorageFile> {
        Box::new(ObservedFile { inner, of: self.clone(), path: path.to_owned(), direct: false })
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Storage for Observed {
    fn list(&self, dir: &str) -> io::Result<Vec<DirEntry>> {
        self.tell(Verb::List, dir, "", || self.inner.list(dir))
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.tell(Verb::CreateDir, path, "", || self.inner.create_dir(path))
    }

    fn descend(&self, path: &str) -> io::Result<Arc<dyn Storage>> {
        let inner = self.tell(Verb::Descend, path, "", || self.inner.descend(path))?;
        let prefix = if path.is_empty() { self.prefix.clone() } else { self.path(path) + "/" };
        Ok(Arc::new(Self { inner, observer: Arc::clone(&self.observer), prefix }))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn StorageFile>> {
        self.tell(Verb::Create, path, "", || self.inner.create(path)).map(|file| self.file(path, file))
    }

    fn open(&self, path: &str, access: Access) -> io::Result<Box<dyn StorageFile>> {
        self.tell(Verb::Open, path, "", || self.inner.open(path, access)).map(|file| self.file(path, file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.tell(Verb::Rename, from, &self.path(to), || self.inner.rename(from, to))
    }

    fn unlink(&self, path: &str) -> io::Result<()> {
        self.tell(Verb::Unlink, path, "", || self.inner.unlink(path))
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        self.tell(Verb::SyncDir, dir, "", || self.inner.sync_dir(dir))
    }

    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn StorageLock>>> {
        let Some(inner) = self.tell(Verb::TryLock, path, "", || self.inner.try_lock(path))? else {
            return Ok(None);
        };
        Ok(Some(Box::new(ObservedLock { inner, of: self.clone(), path: path.to_owned() })))
    }

    fn space(&self) -> io::Result<Space> {
        self.tell(Verb::Space, "", "", || self.inner.space())
    }
}

#[derive(Debug)]
struct ObservedFile {
    inner: Box<dyn StorageFile>,
    of: Observed,
    path: String,
    direct: bool,
}

impl StorageFile for ObservedFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let said = self.of.observer.said_to_be_written(bytes.len());
        // A direct write is of whole pages. Of the last one nothing is there, though a part of it is said to be: who goes
        // on must not rely on it.
        let whole = if self.direct && said < bytes.len() { said - said % 4_096 } else { said };
        let inner = &mut self.inner;
        self.of.tell(Verb::WriteAt, &self.path, "", || {
            let written = if whole == 0 && said > 0 { 0 } else { inner.write_at(offset, &bytes[..whole])? };
            Ok(if written < whole { written } else { said })
        })
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        self.of.tell(Verb::ReadAt, &self.path, "", || self.inner.read_at(offset, bytes))
    }

    fn length(&self) -> io::Result<u64> {
        self.of.tell(Verb::Length, &self.path, "", || self.inner.length())
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        let inner = &mut self.inner;
        self.of.tell(Verb::SetLength, &self.path, "", || inner.set_length(length))
    }

    fn allocate(&mut self, length: u64) -> io::Result<()> {
        let inner = &mut self.inner;
        self.of.tell(Verb::Allocate, &self.path, "", || inner.allocate(length))
    }

    fn set_direct(&mut self, direct: bool) -> bool {
        self.direct = self.inner.set_direct(direct);
        self.direct
    }

    fn reveal(&mut self) -> io::Result<()> {
        let inner = &mut self.inner;
        self.of.tell(Verb::Reveal, &self.path, "", || inner.reveal())
    }

    fn sync(&mut self) -> io::Result<()> {
        let inner = &mut self.inner;
        self.of.tell(Verb::Sync, &self.path, "", || inner.sync())
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        let Self { inner, of, path, .. } = *self;
        of.tell(Verb::Close, &path, "", || inner.close())
    }
}

#[derive(Debug)]
struct ObservedLock {
    inner: Box<dyn StorageLock>,
    of: Observed,
    path: String,
}

impl StorageLock for ObservedLock {
    fn note(&mut self, text: &str) -> io::Result<()> {
        let inner = &mut self.inner;
        self.of.tell(Verb::Note, &self.path, text, || inner.note(text))
    }

    fn is_current(&self) -> io::Result<bool> {
        self.of.tell(Verb::IsCurrent, &self.path, "", || self.inner.is_current())
    }
}
