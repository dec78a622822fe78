//! An open directory, and opening what lies beneath it without following a link.

use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::storage::split;

/// An open directory. Clones share the descriptor.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    descriptor: Arc<OwnedFd>,
    walk: Walk,
}

/// Who makes sure that no link is followed and the directory is not left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// The kernel, in one call (`openat2`).
    Kernel,
    /// We: name by name, each opened so that a link is an error. For kernels and sandboxes that refuse `openat2`.
    Stepwise,
}

/// For listing and syncing; needs permission to read the directory.
const LIST: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);
/// For reaching what is in it.
const SEARCH: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);
const BENEATH: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

impl Directory {
    /// Opens a directory by a path of the user's, whose links are followed.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = LIST | OFlags::CLOEXEC;
        let descriptor = retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?;
        let walk = Walk::of_this_process(descriptor.as_fd())?;
        Ok(Directory { descriptor: Arc::new(descriptor), walk })
    }

    /// The directory at `path` (empty for this one), for listing and syncing.
    pub(super) fn descend(&self, path: &str) -> io::Result<Self> {
        self.directory(path, LIST)
    }

    /// The directory at `path` (empty for this one) through a descriptor of its own, whose position no other listing moves.
    pub(super) fn open_to_list(&self, path: &str) -> io::Result<OwnedFd> {
        let dir = self.reach(path)?;
        // Never a link, and it leads nowhere else: no walk is needed, whatever refuses `openat2`.
        Ok(open_step(dir.as_fd(), ".", LIST, Mode::empty())?)
    }

    /// The directory at `path` (empty for this one), for reaching a name in it.
    pub(super) fn reach(&self, path: &str) -> io::Result<Self> {
        self.directory(path, SEARCH)
    }

    /// Opens one name in this directory; `mode` is empty unless `flags` create.
    pub(super) fn open_name(&self, name: &str, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        Ok(match self.walk {
            Walk::Kernel => open_beneath(self.as_fd(), name, flags, mode)?,
            Walk::Stepwise => open_step(self.as_fd(), name, flags, mode)?,
        })
    }

    fn directory(&self, path: &str, flags: OFlags) -> io::Result<Self> {
        if path.is_empty() {
            return Ok(self.clone());
        }
        let (dir, name) = split(path)?;
        let descriptor = match self.walk {
            Walk::Kernel => open_beneath(self.as_fd(), path, flags, Mode::empty())?,
            Walk::Stepwise if dir.is_empty() => open_step(self.as_fd(), name, flags, Mode::empty())?,
            Walk::Stepwise => {
                let parent = open_step(self.as_fd(), dir, SEARCH, Mode::empty())?;
                open_step(parent.as_fd(), name, flags, Mode::empty())?
            }
        };
        Ok(Directory { descriptor: Arc::new(descriptor), walk: self.walk })
    }

    #[cfg(test)]
    pub(super) fn stepwise(self) -> Self {
        Directory { walk: Walk::Stepwise, ..self }
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Walk {
    /// Asks once. The question is put to a directory that is open already, so that the only reason to refuse it is the
    /// call itself: `ENOSYS` from an old kernel, `EPERM` from a sandbox that does not know it.
    fn of_this_process(dir: BorrowedFd<'_>) -> io::Result<Self> {
        static ANSWER: OnceLock<Walk> = OnceLock::new();
        if let Some(walk) = ANSWER.get() {
            return Ok(*walk);
        }
        let walk = match open_beneath(dir, ".", SEARCH, Mode::empty()) {
            Ok(_) => Walk::Kernel,
            Err(Errno::NOSYS | Errno::PERM) => Walk::Stepwise,
            Err(error) => return Err(error.into()),
        };
        Ok(*ANSWER.get_or_init(|| walk))
    }
}

fn open_beneath(dir: BorrowedFd<'_>, path: &str, flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat2(dir, path, flags, mode, BENEATH))
}

/// Opens a single name, which is not `..` and holds no `/`: so it cannot lead out of `dir`.
fn open_step(dir: BorrowedFd<'_>, name: &str, flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat(dir, name, flags, mode))
}
