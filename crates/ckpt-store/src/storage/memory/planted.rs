//! Bugs that a medium in memory can be told to have, so that a proof can show that it would find them.
//!
//! The store's own code runs as it is; the medium under it does what it would do if that code had the bug. A proof that lets
//! one of them pass proves nothing.

use std::io;

use super::medium::{DirectoryId, Medium};
use crate::layout;

/// A bug in how checkpoints are published, deleted or locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Planted {
    /// A file is never synced.
    NoFileSync,
    /// A run's directory is never synced.
    NoDirectorySync,
    /// The directories above a run are never synced.
    NoParentSync,
    /// A file is renamed first and synced then.
    RenameBeforeSync,
    /// A file is written under its final name.
    InPlaceWrite,
    /// All files are staged under one name, which is made anew.
    FixedTempName,
    /// Renaming replaces what has the name.
    ReplacingRename,
    /// After a sync that failed another one is believed.
    SyncRetried,
    /// A write that took less than it was given is taken for whole.
    ShortWriteIgnored,
    /// What closing a file says is not heard.
    CloseErrorIgnored,
    /// Whoever asks for a run's lock sweeps what is staged, as if it were old.
    ///
    /// It costs saves and no state: a file is published by renaming the very name it was staged under, so what was swept is never
    /// acknowledged. But who staged it is told of a takeover that never was, and never saves if somebody knocks often enough.
    StagingSweptByAge,
    /// The directory is synced after what the new file replaces was deleted, and not before.
    DeleteBeforeDurable,
    /// The log is not synced before what it tells is done.
    LogNotSynced,
    /// The next number is that after the highest checkpoint, whatever else had one.
    SequenceReused,
    /// Two writers take the same number, since the lock lets both in.
    DuplicateSequence,
    /// Whether a lock is still one's own is not asked again.
    LockNotRechecked,
}

/// All of them.
pub const PLANTED: [Planted; 16] = [
    Planted::NoFileSync,
    Planted::NoDirectorySync,
    Planted::NoParentSync,
    Planted::RenameBeforeSync,
    Planted::InPlaceWrite,
    Planted::FixedTempName,
    Planted::ReplacingRename,
    Planted::SyncRetried,
    Planted::ShortWriteIgnored,
    Planted::CloseErrorIgnored,
    Planted::StagingSweptByAge,
    Planted::DeleteBeforeDurable,
    Planted::LogNotSynced,
    Planted::SequenceReused,
    Planted::DuplicateSequence,
    Planted::LockNotRechecked,
];

const FIXED_NAME: &str = ".staging/small-fixed.part";

impl Medium {
    /// Whether the medium has this bug.
    pub(super) fn has(&self, bug: Planted) -> bool {
        self.planted == Some(bug)
    }

    /// The path that a bug makes of another.
    pub(super) fn bent<'p>(&self, path: &'p str) -> &'p str {
        if self.has(Planted::FixedTempName) && is_staged(path) { FIXED_NAME } else { path }
    }

    /// Makes room at a path, where a bug takes what has the name for nobody's.
    pub(super) fn clear_the_way(&mut self, from: DirectoryId, path: &str) {
        let clears = self.has(Planted::FixedTempName) && path == FIXED_NAME
            || self.has(Planted::ReplacingRename) && !is_staged(path);
        if clears {
            // Nothing there is as good.
            let _ = self.unlink(from, path);
        }
    }

    /// Copies the staged file to its final name and removes it, instead of renaming it.
    pub(super) fn write_in_place(&mut self, from: DirectoryId, old: &str, new: &str) -> io::Result<()> {
        let source = self.open(from, old)?;
        let mut bytes = vec![0; self.length(source) as usize];
        self.read(source, 0, &mut bytes);
        self.release(source);
        let target = self.create(from, new)?;
        self.write(target, 0, &bytes)?;
        self.put_off.files.push(target);
        self.release(target);
        self.unlink(from, old)
    }

    /// Syncs what was put off. Where a deletion is what it was put off for, only once that has happened.
    pub(super) fn catch_up(&mut self) -> io::Result<()> {
        for inode in std::mem::take(&mut self.put_off.files) {
            self.sync(inode)?;
        }
        match self.put_off.directory.take() {
            Some(dir) => self.sync_dir(dir),
            None => Ok(()),
        }
    }

    /// Whether a sync of this directory does not happen: now, or at all.
    pub(super) fn skips_sync_of(&mut self, dir: DirectoryId) -> bool {
        let holds_a_run = self.directory(dir, layout::STAGING).is_ok();
        match self.planted {
            Some(Planted::NoDirectorySync) => holds_a_run,
            Some(Planted::NoParentSync) => !holds_a_run,
            Some(Planted::DeleteBeforeDurable) if holds_a_run && self.put_off.directory.is_none() => {
                self.put_off.directory = Some(dir);
                true
            }
            _ => false,
        }
    }

    /// Removes everything that is staged in a run.
    pub(super) fn sweep_staging(&mut self, run: DirectoryId) {
        for entry in self.list(run, layout::STAGING).unwrap_or_default() {
            let _ = self.unlink(run, &format!("{}/{}", layout::STAGING, entry.name));
        }
    }

    /// Whether a place that tells which numbers were used is overlooked.
    pub(super) fn overlooks(&self, path: &str) -> bool {
        self.has(Planted::SequenceReused)
            && [layout::QUARANTINE, layout::STAGING, layout::LOG].contains(&path)
    }
}

pub(super) fn is_staged(path: &str) -> bool {
    path.strip_prefix(layout::STAGING).is_some_and(|rest| rest.starts_with('/'))
}
