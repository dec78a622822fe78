//! A storage that tells a hook what is about to happen to which path: the hook may refuse it, or do something first.

use std::io;
use std::sync::Arc;

use ckpt_store::storage::Storage;
use ckpt_store::testing::{Observed, Observer, Operation, Verb};

/// An observer that is one closure, called with the operation and the path (for `rename`: the new one; for `note`: the text); an
/// error takes the operation's place. `listed` comes after a directory was read and before the names are handed out.
pub(crate) struct Hooked<F>(F);

impl<F: Fn(&str, &str) -> io::Result<()> + Send + Sync + 'static> Hooked<F> {
    pub(crate) fn over(inner: &Arc<dyn Storage>, hook: F) -> Arc<dyn Storage> {
        Arc::new(Observed::new(Arc::clone(inner), Arc::new(Self(hook))))
    }
}

impl<F: Fn(&str, &str) -> io::Result<()> + Send + Sync> Observer for Hooked<F> {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let (name, path) = match operation.verb {
            Verb::CreateDir => ("create_dir", operation.path),
            Verb::Create => ("create", operation.path),
            Verb::Open => ("open", operation.path),
            Verb::Rename => ("rename", operation.detail),
            Verb::Unlink => ("unlink", operation.path),
            Verb::SyncDir => ("sync_dir", operation.path),
            Verb::TryLock => ("try_lock", operation.path),
            Verb::Note => ("note", operation.detail),
            _ => return Ok(()),
        };
        (self.0)(name, path)
    }

    fn after(&self, operation: &Operation<'_>) {
        if operation.verb == Verb::List {
            (self.0)("listed", operation.path).expect("what was listed cannot be refused any more");
        }
    }
}
