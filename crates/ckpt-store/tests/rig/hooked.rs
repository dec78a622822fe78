//! A storage that tells a hook what is about to happen to which path: the hook may refuse it, or do something first.

use std::fmt;
use std::io;
use std::sync::Arc;

use ckpt_store::storage::{Access, DirEntry, Space, Storage, StorageFile, StorageLock};

/// Called with the operation and the path (for `note`: the text); an error takes the operation's place. `listed` comes
/// after a directory was read and before the names are handed out.
type Hook = dyn Fn(&str, &str) -> io::Result<()> + Send + Sync;

/// The storage; the notes in its locks go by the hook, too.
#[derive(Clone)]
pub(crate) struct Hooked {
    inner: Arc<dyn Storage>,
    hook: Arc<Hook>,
}

impl Hooked {
    pub(crate) fn over(
        inner: &Arc<dyn Storage>,
        hook: impl Fn(&str, &str) -> io::Result<()> + Send + Sync + 'static,
    ) -> Arc<dyn Storage> {
        Arc::new(Self { inner: Arc::clone(inner), hook: Arc::new(hook) })
    }
}

impl fmt::Debug for Hooked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooked").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Storage for Hooked {
    fn list(&self, dir: &str) -> io::Result<Vec<DirEntry>> {
        let listed = self.inner.list(dir)?;
        (self.hook)("listed", dir)?;
        Ok(listed)
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        (self.hook)("create_dir", path)?;
        self.inner.create_dir(path)
    }

    fn descend(&self, path: &str) -> io::Result<Arc<dyn Storage>> {
        self.inner.descend(path)
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn StorageFile>> {
        (self.hook)("create", path)?;
        self.inner.create(path)
    }

    fn open(&self, path: &str, access: Access) -> io::Result<Box<dyn StorageFile>> {
        (self.hook)("open", path)?;
        self.inner.open(path, access)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        (self.hook)("rename", to)?;
        self.inner.rename(from, to)
    }

    fn unlink(&self, path: &str) -> io::Result<()> {
        (self.hook)("unlink", path)?;
        self.inner.unlink(path)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        (self.hook)("sync_dir", dir)?;
        self.inner.sync_dir(dir)
    }

    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn StorageLock>>> {
        (self.hook)("try_lock", path)?;
        let Some(inner) = self.inner.try_lock(path)? else { return Ok(None) };
        Ok(Some(Box::new(HookedLock { inner, of: self.clone() })))
    }

    fn space(&self) -> io::Result<Space> {
        self.inner.space()
    }
}

#[derive(Debug)]
struct HookedLock {
    inner: Box<dyn StorageLock>,
    of: Hooked,
}

impl StorageLock for HookedLock {
    fn note(&mut self, text: &str) -> io::Result<()> {
        (self.of.hook)("note", text)?;
        self.inner.note(text)
    }

    fn is_current(&self) -> io::Result<bool> {
        self.inner.is_current()
    }
}
