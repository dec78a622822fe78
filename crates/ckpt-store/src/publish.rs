//! The only place that renames: stage, sync, close, rename, sync the directory; and set aside.
//!
//! The order is a matter of types: only a sealed file can be published, and only syncing the directory turns what was
//! published into an acknowledgement.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::layout;
use crate::lock::Mutation;
use crate::storage::{Storage, StorageFile};

/// A file that is being written under a name of its own; dropping it removes it.
#[derive(Debug)]
pub(crate) struct Staged {
    storage: Arc<dyn Storage>,
    path: String,
    file: Option<Box<dyn StorageFile>>,
}

/// A file whose bytes are durable, still under the name it was staged with; dropping it removes it.
#[derive(Debug)]
pub(crate) struct Sealed {
    staged: Staged,
}

/// A file that has its final name, but maybe not after a power loss.
#[must_use = "only `acknowledge` makes the name durable"]
#[derive(Debug)]
pub(crate) struct Published {
    storage: Arc<dyn Storage>,
    name: String,
}

/// A file that has its final name, durably.
#[derive(Debug)]
pub(crate) struct Acknowledged(());

impl Staged {
    /// Makes a file that did not exist.
    pub(crate) fn create(storage: &Arc<dyn Storage>, path: String) -> Result<Self> {
        let file = match storage.create(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                make_dir(storage.as_ref(), layout::STAGING)?;
                storage.create(&path)
            }
            other => other,
        };
        let file = file.map_err(|source| Error::io("creating", &path, source))?;
        Ok(Self { storage: Arc::clone(storage), path, file: Some(file) })
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The file to write to.
    ///
    /// # Panics
    /// Never: the file is taken out only by `seal` and `drop`, which consume `self`.
    pub(crate) fn file(&mut self) -> &mut dyn StorageFile {
        self.file.as_deref_mut().expect("a staged file is open until it is sealed")
    }

    /// Makes the bytes durable. After an error the file is removed and never synced again: the system may have dropped
    /// its pages and would say "ok" the next time.
    pub(crate) fn seal(mut self) -> Result<Sealed> {
        let mut file = self.file.take().expect("a staged file is open until it is sealed");
        file.reveal().map_err(|source| Error::io("setting the mode of", &self.path, source))?;
        file.sync().map_err(|source| Error::io("syncing", &self.path, source))?;
        file.close().map_err(|source| Error::io("closing", &self.path, source))?;
        Ok(Sealed { staged: self })
    }
}

impl Drop for Staged {
    /// Nothing half-done stays behind; what cannot be removed now is swept at the next open.
    fn drop(&mut self) {
        self.file = None;
        if !self.path.is_empty() {
            let _ = self.storage.unlink(&self.path);
        }
    }
}

impl Sealed {
    /// Gives the file its final name, which must be free. The caller holds the mutation lock and has rechecked its
    /// epoch under it.
    pub(crate) fn publish(mut self, name: &str, _held: &Mutation) -> std::io::Result<Published> {
        self.staged.storage.rename(&self.staged.path, name)?;
        self.staged.path.clear();
        Ok(Published { storage: Arc::clone(&self.staged.storage), name: name.to_owned() })
    }
}

impl Published {
    /// Makes the name durable. An error means that nobody knows whether it is, and nothing can find out.
    pub(crate) fn acknowledge(self) -> Result<Acknowledged> {
        match self.storage.sync_dir("") {
            Ok(()) => Ok(Acknowledged(())),
            Err(source) => Err(Error::DurabilityUnknown { path: self.name, source }),
        }
    }
}

/// Makes a directory of the run, durably, unless it is there.
pub(crate) fn make_dir(storage: &dyn Storage, name: &str) -> Result<()> {
    match storage.create_dir(name) {
        Ok(()) => {
            storage.sync_dir("").map_err(|source| Error::DurabilityUnknown { path: name.to_owned(), source })
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(Error::io("creating", name, source)),
    }
}

/// Moves a damaged file out of the way. Both directories are synced; a crash in between leaves it in one of them.
pub(crate) fn set_aside(
    storage: &dyn Storage,
    name: &str,
    millis: i64,
    _held: &Mutation,
) -> Result<(String, Result<()>)> {
    make_dir(storage, layout::QUARANTINE)?;
    let to = layout::quarantine(millis, name);
    storage.rename(name, &to).map_err(|source| Error::io("setting aside", name, source))?;
    let synced = storage
        .sync_dir(layout::QUARANTINE)
        .and_then(|()| storage.sync_dir(""))
        .map_err(|source| Error::DurabilityUnknown { path: to.clone(), source });
    Ok((to, synced))
}

/// Starts a log of its own when the current one is full.
pub(crate) fn rotate(storage: &dyn Storage, from: &str, to: &str) -> Result<()> {
    storage.rename(from, to).map_err(|source| Error::io("rotating", from, source))?;
    storage.sync_dir("").map_err(|source| Error::io("syncing the directory of", to, source))
}
