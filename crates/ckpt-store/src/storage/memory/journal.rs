//! What of a medium in memory is durable, and what is not yet: the difference is what a power loss may take.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::medium::{DirectoryId, InodeId, Node};

/// What is on the medium for sure.
///
/// Directories and files have the numbers that they have in the medium. What no name leads to is as good as gone.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) directories: Vec<Arc<BTreeMap<String, Node>>>,
    pub(super) inodes: Vec<Arc<Content>>,
}

/// What a file holds, and its digest once it was asked for: most files are the same in most states.
#[derive(Debug, Default)]
pub(super) struct Content {
    bytes: Vec<u8>,
    digest: OnceLock<[u8; 32]>,
}

/// A change that is not durable yet.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    Write {
        inode: InodeId,
        offset: u64,
        bytes: Arc<[u8]>,
    },
    Length {
        inode: InodeId,
        length: u64,
    },
    Enter {
        dir: DirectoryId,
        name: String,
        node: Node,
    },
    Leave {
        dir: DirectoryId,
        name: String,
        node: Node,
    },
    /// The new name never comes after the old one has gone: a file that is renamed is not lost. Both may be there.
    Move {
        from: (DirectoryId, String),
        to: (DirectoryId, String),
        node: Node,
    },
}

/// What became of an effect in a power loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It never reached the medium.
    Absent,
    /// It did.
    Done,
    /// Of a write: only so many of its first bytes.
    Cut(usize),
    /// Of a write: the file is as long as it made it, with zeros where it made it longer.
    Zeros,
    /// Of a move: the file has both names.
    Both,
}

/// How a change that is not in the durable image stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is durable once it is synced.
    Unsynced,
    /// A sync of it failed: the system may have dropped it or not, takes it for clean, and no later sync helps.
    Lost,
    /// It is durable, as far as its fate says, on top of a lost one: it wins, whatever became of that one.
    Durable(Fate),
}

/// A change, and how it stands.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) effect: Effect,
    pub(super) standing: Standing,
}

/// What is durable, and what was done since, in order.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    pub(super) durable: Image,
    pub(super) pending: Vec<Pending>,
}

impl Content {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, digest: OnceLock::new() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn digest(&self) -> &[u8; 32] {
        self.digest.get_or_init(|| {
            // Room that was merely taken is all zeros, and would cost most of the time.
            const ZEROS: [u8; 4_096] = [0; 4_096];
            let is_zero = |chunk: &&[u8]| **chunk == ZEROS[..chunk.len()];
            let zeros: usize = self.bytes.rchunks(ZEROS.len()).take_while(is_zero).map(<[u8]>::len).sum();
            let length = self.bytes.len();
            let mut hasher = blake3::Hasher::new();
            hasher.update(&(length as u64).to_le_bytes()).update(&self.bytes[..length - zeros]);
            hasher.finalize().into()
        })
    }

    fn change(&mut self) -> &mut Vec<u8> {
        self.digest.take();
        &mut self.bytes
    }
}

/// A clone is made to be changed, so it has no digest yet.
impl Clone for Content {
    fn clone(&self) -> Self {
        Self::new(self.bytes.clone())
    }
}

impl Image {
    pub(super) fn empty() -> Self {
        Self { directories: vec![Arc::default()], inodes: Vec::new() }
    }

    /// Lets an effect happen, as far as its fate says. An effect on what is not there does nothing.
    pub(super) fn apply(&mut self, effect: &Effect, fate: Fate) {
        match (effect, fate) {
            (_, Fate::Absent) => {}
            (Effect::Write { inode, offset, bytes }, fate) => {
                let content = self.content(*inode);
                let start = *offset as usize;
                let reaches = start + bytes.len();
                let kept = match fate {
                    Fate::Cut(count) => count.min(bytes.len()),
                    Fate::Zeros => {
                        content.resize(content.len().max(reaches), 0);
                        0
                    }
                    _ => bytes.len(),
                };
                if kept > 0 {
                    content.resize(content.len().max(start + kept), 0);
                    content[start..start + kept].copy_from_slice(&bytes[..kept]);
                }
            }
            (Effect::Length { inode, length }, _) => self.content(*inode).resize(*length as usize, 0),
            (Effect::Enter { dir, name, node }, _) => self.enter(*dir, name, *node),
            (Effect::Leave { dir, name, node }, _) => self.leave(*dir, name, *node),
            (Effect::Move { from, to, node }, fate) => {
                self.enter(to.0, &to.1, *node);
                if fate != Fate::Both {
                    self.leave(from.0, &from.1, *node);
                }
            }
        }
    }

    fn content(&mut self, inode: InodeId) -> &mut Vec<u8> {
        if self.inodes.len() <= inode.0 {
            self.inodes.resize_with(inode.0 + 1, Arc::default);
        }
        Arc::make_mut(&mut self.inodes[inode.0]).change()
    }

    fn names(&mut self, dir: DirectoryId) -> &mut BTreeMap<String, Node> {
        if self.directories.len() <= dir.0 {
            self.directories.resize_with(dir.0 + 1, Arc::default);
        }
        Arc::make_mut(&mut self.directories[dir.0])
    }

    fn enter(&mut self, dir: DirectoryId, name: &str, node: Node) {
        self.names(dir).insert(name.to_owned(), node);
    }

    fn leave(&mut self, dir: DirectoryId, name: &str, node: Node) {
        let names = self.names(dir);
        if names.get(name) == Some(&node) {
            names.remove(name);
        }
    }
}

impl Journal {
    /// Nothing was done since.
    pub(super) fn new(durable: Image) -> Self {
        Self { durable, pending: Vec::new() }
    }

    /// Something was done.
    pub(super) fn push(&mut self, effect: Effect) {
        self.pending.push(Pending { effect, standing: Standing::Unsynced });
    }

    /// Makes bytes and length of a file durable.
    pub(super) fn sync(&mut self, inode: InodeId) {
        let mut left = Vec::with_capacity(self.pending.len());
        let mut on_lost = false;
        for mut pending in std::mem::take(&mut self.pending) {
            if pending.effect.inode() == Some(inode) {
                match pending.standing {
                    Standing::Unsynced if on_lost => pending.standing = Standing::Durable(Fate::Done),
                    Standing::Unsynced => {
                        self.durable.apply(&pending.effect, Fate::Done);
                        continue;
                    }
                    Standing::Lost | Standing::Durable(_) => on_lost = true,
                }
            }
            left.push(pending);
        }
        self.pending = left;
    }

    /// Makes the names in a directory durable. Of a file that was moved from here to elsewhere both names are dealt with;
    /// of one that was moved here the old name may still be there after a power loss.
    pub(super) fn sync_dir(&mut self, dir: DirectoryId) {
        let mut left = Vec::with_capacity(self.pending.len());
        // Where a lost change, or one on top of it, comes first.
        let mut on_lost: Vec<DirectoryId> = Vec::new();
        // The names in other directories that a change which is not synced here comes first at.
        let mut waiting: Vec<(DirectoryId, String)> = Vec::new();
        for mut pending in std::mem::take(&mut self.pending) {
            let effect = &pending.effect;
            let directories = effect.directories();
            if pending.standing == Standing::Unsynced && directories.contains(&Some(dir)) {
                // The old name of a file that was moved here is another directory's.
                let old_name = match effect {
                    Effect::Move { from, node, .. } if from.0 != dir => {
                        Some(Effect::Leave { dir: from.0, name: from.1.clone(), node: *node })
                    }
                    _ => None,
                };
                let fate = if old_name.is_some() { Fate::Both } else { Fate::Done };
                // On top of what may still be lost, too: else that would come after it when both are put together again.
                let is_after_waiting = matches!(effect, Effect::Move { to, .. } if waiting.contains(to));
                if is_after_waiting || directories.iter().flatten().any(|dir| on_lost.contains(dir)) {
                    on_lost.extend(directories.into_iter().flatten());
                    pending.standing = Standing::Durable(fate);
                    left.push(pending);
                } else {
                    self.durable.apply(effect, fate);
                }
                if let Some(effect) = old_name {
                    waiting.extend(effect.names());
                    left.push(Pending { effect, standing: Standing::Unsynced });
                }
            } else {
                if pending.standing == Standing::Unsynced {
                    waiting.extend(pending.effect.names());
                } else {
                    on_lost.extend(directories.into_iter().flatten());
                }
                left.push(pending);
            }
        }
        self.pending = left;
    }

    /// Makes everything durable, as time does: but for what was lost.
    pub(super) fn settle(&mut self, now: impl FnOnce() -> Image) {
        if self.pending.iter().all(|pending| pending.standing == Standing::Unsynced) {
            *self = Self::new(now());
            return;
        }
        for pending in self.pending.iter_mut().filter(|pending| pending.standing == Standing::Unsynced) {
            pending.standing = Standing::Durable(Fate::Done);
        }
    }

    /// What a failed sync of a file does: the system may have written the changes or not, takes the pages for clean either way,
    /// and says "ok" the next time.
    pub(super) fn lose(&mut self, inode: InodeId) {
        self.lose_all(|effect| effect.inode() == Some(inode));
    }

    /// The same for the names of a directory.
    pub(super) fn lose_dir(&mut self, dir: DirectoryId) {
        self.lose_all(|effect| effect.directories().contains(&Some(dir)));
    }

    fn lose_all(&mut self, is_lost: impl Fn(&Effect) -> bool) {
        for pending in &mut self.pending {
            if pending.standing == Standing::Unsynced && is_lost(&pending.effect) {
                pending.standing = Standing::Lost;
            }
        }
    }
}

impl Effect {
    fn inode(&self) -> Option<InodeId> {
        match self {
            Self::Write { inode, .. } | Self::Length { inode, .. } => Some(*inode),
            _ => None,
        }
    }

    /// Whose names it changes.
    fn directories(&self) -> [Option<DirectoryId>; 2] {
        match self {
            Self::Enter { dir, .. } | Self::Leave { dir, .. } => [Some(*dir), None],
            Self::Move { from, to, .. } => [Some(from.0), Some(to.0)],
            Self::Write { .. } | Self::Length { .. } => [None, None],
        }
    }

    /// The names that it changes.
    fn names(&self) -> Vec<(DirectoryId, String)> {
        match self {
            Self::Enter { dir, name, .. } | Self::Leave { dir, name, .. } => vec![(*dir, name.clone())],
            Self::Move { from, to, .. } => vec![from.clone(), to.clone()],
            Self::Write { .. } | Self::Length { .. } => Vec::new(),
        }
    }
}
