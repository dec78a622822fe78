//! The system's directories and files as [`Storage`].
//!
//! A directory is held open, and everything is reached from its descriptor: a parent that is renamed or replaced while
//! the store works cannot send it elsewhere. Below the descriptor no link is followed, neither at the last name nor on
//! the way to it.

mod directory;
mod file;
mod lock;

use std::fs::File;
use std::io;
use std::path::{Component, Path};
use std::sync::Arc;

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, RawDirEntry, RenameFlags, Stat};
use rustix::io::Errno;

use self::directory::Directory;
use self::file::LocalFile;
use self::lock::LocalLock;
use super::{Access, DirEntry, EntryKind, Space, Storage, StorageFile, StorageLock, split};

/// A directory of the system, held open for the life of this value. Clones share the descriptor.
#[derive(Debug, Clone)]
pub struct Local {
    root: Directory,
}

/// How often a name may be taken away while it is being locked. People never get there; a file system that makes up a new
/// number for a file each time it is asked does, and would keep us for ever.
const LOCK_TRIES_MAX: usize = 1000;

/// Room for one answer of the system about the names in a directory: some hundred of them.
const LIST_BYTES: usize = 64 << 10;

impl Local {
    /// Opens an existing directory. Links in `dir` are followed, since it is the user's own path; beneath it none is.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], [`io::ErrorKind::NotADirectory`], or the system's own.
    pub fn open(dir: &Path) -> io::Result<Self> {
        Ok(Local { root: Directory::open(dir)? })
    }

    /// Opens the deepest existing ancestor of `path` (itself, if it exists), and returns the names that remain to be
    /// made beneath it, outermost first. A relative path starts at the current directory.
    ///
    /// A name that is a link to nothing does not exist here, but it is taken: making it fails.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if what remains has `..` in it or is not UTF-8;
    /// [`io::ErrorKind::NotADirectory`] if a file stands in the way; or the system's own.
    pub fn nearest(path: &Path) -> io::Result<(Self, Vec<String>)> {
        for ancestor in path.ancestors() {
            // The last ancestor of a relative path is empty: the current directory.
            let opened = Local::open(if ancestor.as_os_str().is_empty() { Path::new(".") } else { ancestor });
            match opened {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
                Ok(local) => return Ok((local, remaining(path, ancestor)?)),
            }
        }
        let text = format!("no directory on the way to {} exists", path.display());
        Err(io::Error::new(io::ErrorKind::NotFound, text))
    }

    /// What stands at `path` now, itself and not what it may point to.
    fn stat(&self, path: &str) -> io::Result<Stat> {
        let (dir, name) = split(path)?;
        let parent = self.root.reach(dir)?;
        Ok(rustix::fs::statat(parent.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW)?)
    }
}

impl Storage for Local {
    fn list(&self, dir: &str) -> io::Result<Vec<DirEntry>> {
        let opened = self.root.open_to_list(dir)?;
        // Names are borrowed from the system's answer and copied once: std and rustix's `Dir` copy each twice.
        let mut answer = Vec::with_capacity(LIST_BYTES);
        let mut listing = RawDir::new(&opened, answer.spare_capacity_mut());
        let mut entries = Vec::new();
        while let Some(entry) = listing.next() {
            let entry = match entry {
                // Nothing was taken from the directory: the same question again.
                Err(Errno::INTR) => continue,
                // The directory itself was removed: nothing is in it.
                Err(Errno::NOENT) => break,
                other => other?,
            };
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let Some(kind) = entry_kind(opened.as_fd(), &entry)? else { continue };
            entries.push(DirEntry { name: name.to_string_lossy().into_owned(), kind });
        }
        Ok(entries)
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        let (dir, name) = split(path)?;
        let parent = self.root.reach(dir)?;
        Ok(rustix::fs::mkdirat(parent.as_fd(), name, Mode::from_raw_mode(0o777))?)
    }

    fn descend(&self, path: &str) -> io::Result<Arc<dyn Storage>> {
        Ok(Arc::new(Local { root: self.root.descend(path)? }))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn StorageFile>> {
        let (dir, name) = split(path)?;
        let parent = self.root.reach(dir)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let descriptor = parent.open_name(name, flags, Mode::from_raw_mode(0o666))?;
        match LocalFile::created(File::from(descriptor)) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => {
                // The name is ours and nobody was told of it. If it stays, the error that is returned says more than
                // the one of removing it.
                let _ = rustix::fs::unlinkat(parent.as_fd(), name, AtFlags::empty());
                Err(error)
            }
        }
    }

    fn open(&self, path: &str, access: Access) -> io::Result<Box<dyn StorageFile>> {
        let flags = match access {
            Access::Read => OFlags::RDONLY,
            Access::Append => OFlags::RDWR | OFlags::APPEND,
            Access::Write => OFlags::RDWR,
        };
        let (file, _) = self.open_regular(path, flags, Mode::empty())?;
        if access != Access::Read {
            check_only_name(&file, path)?;
        }
        Ok(Box::new(LocalFile::opened(file, access)))
    }

    fn open_sized(&self, path: &str) -> io::Result<(Box<dyn StorageFile>, u64)> {
        let (file, length) = self.open_regular(path, OFlags::RDONLY, Mode::empty())?;
        Ok((Box::new(LocalFile::opened(file, Access::Read)), length))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from_dir, from_name) = split(from)?;
        let (to_dir, to_name) = split(to)?;
        let (from_parent, to_parent) = (self.root.reach(from_dir)?, self.root.reach(to_dir)?);
        rename_exclusive((from_parent.as_fd(), from_name), (to_parent.as_fd(), to_name))
    }

    fn unlink(&self, path: &str) -> io::Result<()> {
        let (dir, name) = split(path)?;
        let parent = self.root.reach(dir)?;
        Ok(rustix::fs::unlinkat(parent.as_fd(), name, AtFlags::empty())?)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        // Not repeated when interrupted: what an interrupted sync left behind is not documented.
        Ok(rustix::fs::fsync(self.root.descend(dir)?.as_fd())?)
    }

    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn StorageLock>>> {
        for _ in 0..LOCK_TRIES_MAX {
            let flags = OFlags::RDWR | OFlags::CREATE;
            let (file, _) = self.open_regular(path, flags, Mode::from_raw_mode(0o666))?;
            let Some(lock) = LocalLock::take(self.clone(), path, file)? else { return Ok(None) };
            if lock.is_current()? {
                return Ok(Some(Box::new(lock)));
            }
            // Somebody removed the name between opening and locking: the lock is on a file that nobody else can find.
        }
        Err(io::Error::other(format!(
            "{path:?} was another file each of {LOCK_TRIES_MAX} times it was locked: \
             use a file system whose file numbers stay the same"
        )))
    }

    fn space(&self) -> io::Result<Space> {
        let stat = rustix::fs::fstatvfs(self.root.as_fd())?;
        Ok(Space {
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            available: stat.f_bavail.saturating_mul(stat.f_frsize),
        })
    }
}

impl Local {
    /// Opens or makes what must be a regular file; returns its length, too. `NONBLOCK` keeps a FIFO from waiting for its other end, `NOCTTY` a
    /// terminal from becoming ours; on regular files both do nothing.
    fn open_regular(&self, path: &str, flags: OFlags, mode: Mode) -> io::Result<(File, u64)> {
        let (dir, name) = split(path)?;
        let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY;
        let descriptor = self.root.reach(dir)?.open_name(name, flags, mode)?;
        let stat = rustix::fs::fstat(&descriptor)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok((File::from(descriptor), stat.st_size.try_into().unwrap_or(0))),
            other => {
                let text = format!("{path:?} is not a regular file but a {}", file_type_name(other));
                Err(io::Error::new(io::ErrorKind::InvalidInput, text))
            }
        }
    }
}

/// Refuses to change a file that has a second name, which may lie anywhere: whoever made a hard link here would have
/// another file of theirs changed.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if it has.
pub(super) fn check_only_name(file: &File, path: &str) -> io::Result<()> {
    match rustix::fs::fstat(file)?.st_nlink {
        0 | 1 => Ok(()),
        _ => {
            let text = format!(
                "{path:?} has a second name, under which it would change, too: put a copy in its place"
            );
            Err(io::Error::new(io::ErrorKind::InvalidInput, text))
        }
    }
}

/// Refuses what direct I/O cannot take on some file system, so that it is refused on all: tmpfs, for one, takes
/// anything, and the mistake would show on a disk only.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if offset, length or address is not a multiple of 4096.
pub(super) fn check_direct(offset: u64, bytes: &[u8]) -> io::Result<()> {
    let aligned = offset.is_multiple_of(4096) && bytes.len().is_multiple_of(4096);
    if aligned && bytes.as_ptr().align_offset(4096) == 0 {
        return Ok(());
    }
    let text = format!("{} bytes at {offset} are not aligned to 4096, as direct I/O needs", bytes.len());
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

/// The names of `path` below `ancestor`, which is one of its ancestors.
fn remaining(path: &Path, ancestor: &Path) -> io::Result<Vec<String>> {
    let refuse = |what: &str| {
        let text = format!("{} does not exist, and {what}: give its plain path", path.display());
        io::Error::new(io::ErrorKind::InvalidInput, text)
    };
    let rest = path.strip_prefix(ancestor).map_err(|_| refuse("its ancestors are not its own"))?;
    let mut names = Vec::new();
    for component in rest.components() {
        match component {
            Component::Normal(name) => {
                names.push(name.to_str().ok_or_else(|| refuse("it is not UTF-8"))?.to_owned());
            }
            Component::CurDir => {}
            _ => return Err(refuse("`..` stands in the part to be made")),
        }
    }
    Ok(names)
}

/// What an entry is; nothing if it is gone by now.
fn entry_kind(dir: BorrowedFd<'_>, entry: &RawDirEntry<'_>) -> io::Result<Option<EntryKind>> {
    let file_type = match entry.file_type() {
        // Some file systems do not say it in the listing.
        FileType::Unknown => match rustix::fs::statat(dir, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => FileType::from_raw_mode(stat.st_mode),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        },
        known => known,
    };
    Ok(Some(match file_type {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        _ => EntryKind::Other,
    }))
}

fn file_type_name(file_type: FileType) -> &'static str {
    match file_type {
        FileType::Directory => "directory",
        FileType::Fifo => "FIFO",
        FileType::Socket => "socket",
        FileType::CharacterDevice | FileType::BlockDevice => "device",
        FileType::Symlink => "symbolic link",
        _ => "special file",
    }
}

/// Renames in one step where the file system can do so without replacing (`EINVAL`: it cannot), by a second name
/// elsewhere.
#[expect(clippy::disallowed_methods, reason = "the one rename: with NOREPLACE, behind the storage trait")]
fn rename_exclusive(from: (BorrowedFd<'_>, &str), to: (BorrowedFd<'_>, &str)) -> io::Result<()> {
    match rustix::fs::renameat_with(from.0, from.1, to.0, to.1, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::INVAL | Errno::NOSYS) => rename_by_link(from, to),
        Err(error) => Err(error.into()),
    }
}

/// Gives the file a second name, which never replaces either, and takes the first one away. A crash in between leaves
/// both names on one file, and so does a directory that lets no name go any more. A directory cannot be renamed so.
fn rename_by_link(from: (BorrowedFd<'_>, &str), to: (BorrowedFd<'_>, &str)) -> io::Result<()> {
    rustix::fs::linkat(from.0, from.1, to.0, to.1, AtFlags::empty())?;
    let Err(error) = rustix::fs::unlinkat(from.0, from.1, AtFlags::empty()) else { return Ok(()) };
    // An error says that nothing was renamed, so the new name goes again. If it stays, the file has it: that is no error.
    match rustix::fs::unlinkat(to.0, to.1, AtFlags::empty()) {
        Ok(()) => Err(error.into()),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::testing::conformance;

    fn stepwise(dir: &Path) -> Local {
        Local { root: Directory::open(dir).unwrap().stepwise() }
    }

    #[test]
    fn without_the_kernels_walk_the_contract_holds_too() {
        let dirs = Mutex::new(Vec::new());
        conformance::run(&|| {
            let dir = tempfile::tempdir().unwrap();
            let local = Arc::new(stepwise(dir.path()));
            dirs.lock().unwrap().push(dir);
            local
        });
    }

    #[test]
    fn without_the_kernels_walk_no_link_is_followed_either() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("inside/dir")).unwrap();
        std::fs::create_dir_all(dir.path().join("outside/deep")).unwrap();
        std::fs::write(dir.path().join("outside/secret"), "").unwrap();
        std::os::unix::fs::symlink("../outside", dir.path().join("inside/link")).unwrap();
        std::os::unix::fs::symlink("../../outside", dir.path().join("inside/dir/link")).unwrap();
        std::os::unix::fs::symlink("../outside/secret", dir.path().join("inside/file")).unwrap();
        let local = stepwise(&dir.path().join("inside"));
        let errors = [
            local.open("link/secret", Access::Read).err(),
            local.open("file", Access::Write).err(),
            local.create("link/new").err(),
            local.unlink("link/secret").err(),
            local.list("link").err(),
            local.list("dir/link").err(),
            local.descend("link/deep").err(),
            local.try_lock("file").err(),
        ];
        for (index, error) in errors.into_iter().enumerate() {
            let kind = error.map(|error| error.kind());
            assert!(kind.is_some_and(|kind| kind != io::ErrorKind::NotFound), "operation {index}: {kind:?}");
        }
        assert_eq!(std::fs::read_dir(dir.path().join("outside")).unwrap().count(), 2);
    }

    #[test]
    fn renaming_by_a_second_name_never_replaces() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        let local = Local::open(dir.path()).unwrap();
        let rename = |from: &'static str, to: &'static str| {
            rename_by_link((local.root.as_fd(), from), (local.root.as_fd(), to)).map_err(|error| error.kind())
        };
        assert_eq!(rename("a", "b"), Err(io::ErrorKind::AlreadyExists));
        assert_eq!(rename("none", "c"), Err(io::ErrorKind::NotFound));
        assert_eq!(rename("a", "c"), Ok(()));
        assert_eq!(std::fs::read(dir.path().join("b")).unwrap(), b"b");
        assert_eq!(std::fs::read(dir.path().join("c")).unwrap(), b"a");
        assert!(!dir.path().join("a").exists());
    }
}
