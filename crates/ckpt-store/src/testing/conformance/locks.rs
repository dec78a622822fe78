//! Cases on locks.

use std::io::ErrorKind;
use std::sync::Arc;

use super::{Broken, Case, content, equal, fails, held, hold, write_all};
use crate::storage::{Access, Storage};

/// The cases, named by what they demand.
pub(super) const CASES: &[Case] = &[
    ("a lock excludes every other handle until it is dropped", lock),
    ("locking makes the file and leaves what was in it", lock_file),
    ("a lock is shared with the directory descended into", lock_shared),
    ("a lock whose name was taken away is no longer current", lock_current),
    ("a lock that is had is on the file of that name, however it is fought for", lock_contended),
    ("the note of a lock replaces the last", note),
];

fn lock(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let first = held(&*storage, ".lock")?;
    hold(first.is_current()?, || "a fresh lock is not current".into())?;
    hold(storage.try_lock(".lock")?.is_none(), || "a second handle got it, too".into())?;
    let other = held(&*storage, ".other")?;
    drop(first);
    let again = held(&*storage, ".lock")?;
    hold(storage.try_lock(".lock")?.is_none(), || "once let go, it no longer excludes".into())?;
    drop((again, other));
    // A handle that only reads or writes the file neither holds the lock nor is kept out by it.
    let mut file = storage.open(".lock", Access::Write)?;
    let _lock = held(&*storage, ".lock")?;
    write_all(&mut *file, 0, b"content")
}

fn lock_file(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    drop(held(&*storage, "dir/lock")?);
    equal("an empty file is made", content(&*storage, "dir/lock")?, vec![])?;
    write_all(&mut *storage.open("dir/lock", Access::Write)?, 0, b"holder")?;
    drop(held(&*storage, "dir/lock")?);
    equal("what was in it", content(&*storage, "dir/lock")?, b"holder".to_vec())?;
    fails("in a missing directory", storage.try_lock("none/lock"), ErrorKind::NotFound)?;
    hold(storage.try_lock("dir").is_err(), || "a directory was locked".into())
}

fn lock_shared(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    let dir = storage.descend("dir")?;
    let below = held(&*dir, "lock")?;
    hold(storage.try_lock("dir/lock")?.is_none(), || "it is free from above".into())?;
    drop(below);
    let _above = held(&*storage, "dir/lock")?;
    hold(dir.try_lock("lock")?.is_none(), || "it is free from below".into())
}

fn lock_current(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let old = held(&*storage, ".lock")?;
    storage.unlink(".lock")?;
    hold(!old.is_current()?, || "it is current without a name".into())?;
    let new = held(&*storage, ".lock")?;
    hold(!old.is_current()?, || "it is current under a name that is another file's".into())?;
    hold(new.is_current()?, || "the new one is not current".into())?;
    hold(storage.try_lock(".lock")?.is_none(), || "the new file is not locked".into())?;
    drop(old);
    hold(storage.try_lock(".lock")?.is_none(), || "dropping the old lock let go of the new one".into())?;
    storage.rename(".lock", "moved")?;
    hold(!new.is_current()?, || "it is current under another name".into())
}

/// Whoever has the lock may take the name away. Somebody who opened the file before and locks it after would hold a lock
/// that keeps nobody out.
fn lock_contended(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let fight = || -> Result<(), Broken> {
        for _ in 0..500 {
            let Some(lock) = storage.try_lock(".lock")? else { continue };
            hold(lock.is_current()?, || "it is on a file that has lost the name".into())?;
            storage.unlink(".lock")?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let fighters = [(); 4].map(|()| scope.spawn(fight));
        fighters.into_iter().try_for_each(|fighter| {
            fighter.join().unwrap_or_else(|_| Err(Broken("a fighter panicked".into())))
        })
    })
}

fn note(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let mut lock = held(&*storage, ".lock")?;
    for text in ["first", "a longer one", "short", ""] {
        lock.note(text)?;
        equal("the file", content(&*storage, ".lock")?, text.as_bytes().to_vec())?;
    }
    lock.note("stays")?;
    drop(lock);
    equal("the file, unlocked", content(&*storage, ".lock")?, b"stays".to_vec())
}
