//! The medium itself: directories of names, and the files that the names stand for.

use std::collections::BTreeMap;
use std::io;

use crate::storage::{DirEntry, EntryKind, Space, split};

/// Everything there is. Directories and files are never forgotten, so an id stays good; a file that nobody can reach
/// any more is empty and takes no room.
#[derive(Debug, Clone)]
pub(super) struct Medium {
    capacity: u64,
    used: u64,
    directories: Vec<Directory>,
    inodes: Vec<Inode>,
}

/// Which directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DirectoryId(usize);

/// Which file, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InodeId(usize);

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    File(InodeId),
    Directory(DirectoryId),
}

#[derive(Debug, Clone, Default)]
struct Directory {
    names: BTreeMap<String, Node>,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    bytes: Vec<u8>,
    named: bool,
    handles: usize,
    locked: bool,
}

/// What file systems allow in one name.
const NAME_BYTES_MAX: usize = 255;

/// Directories: names and what they stand for.
impl Medium {
    /// The directory that is there from the start.
    pub(super) const ROOT: DirectoryId = DirectoryId(0);

    pub(super) fn new(capacity: u64) -> Self {
        Medium { capacity, used: 0, directories: vec![Directory::default()], inodes: Vec::new() }
    }

    /// The directory at `path` from `from`, which is `from` itself if the path is empty.
    pub(super) fn directory(&self, from: DirectoryId, path: &str) -> io::Result<DirectoryId> {
        if path.is_empty() {
            return Ok(from);
        }
        let (dir, name) = self.parent(from, path)?;
        match self.lookup(dir, name)? {
            Some(Node::Directory(id)) => Ok(id),
            Some(Node::File(_)) => Err(fault(io::ErrorKind::NotADirectory, path)),
            None => Err(fault(io::ErrorKind::NotFound, path)),
        }
    }

    pub(super) fn list(&self, from: DirectoryId, dir: &str) -> io::Result<Vec<DirEntry>> {
        let dir = self.directory(from, dir)?;
        let entry = |(name, node): (&String, &Node)| DirEntry {
            name: name.clone(),
            kind: match node {
                Node::File(_) => EntryKind::File,
                Node::Directory(_) => EntryKind::Directory,
            },
        };
        Ok(self.directories[dir.0].names.iter().map(entry).collect())
    }

    pub(super) fn create_dir(&mut self, from: DirectoryId, path: &str) -> io::Result<()> {
        let (dir, name) = self.vacancy(from, path)?;
        let id = DirectoryId(self.directories.len());
        self.directories.push(Directory::default());
        self.directories[dir.0].names.insert(name.to_owned(), Node::Directory(id));
        Ok(())
    }

    /// Makes a file and counts a handle on it.
    pub(super) fn create(&mut self, from: DirectoryId, path: &str) -> io::Result<InodeId> {
        let (dir, name) = self.vacancy(from, path)?;
        let id = InodeId(self.inodes.len());
        self.inodes.push(Inode { named: true, handles: 1, ..Inode::default() });
        self.directories[dir.0].names.insert(name.to_owned(), Node::File(id));
        Ok(id)
    }

    /// Finds a file and counts a handle on it.
    pub(super) fn open(&mut self, from: DirectoryId, path: &str) -> io::Result<InodeId> {
        let (_, _, id) = self.file(from, path)?;
        self.inodes[id.0].handles += 1;
        Ok(id)
    }

    pub(super) fn rename(&mut self, from: DirectoryId, old: &str, new: &str) -> io::Result<()> {
        // Both paths are checked before anything is looked for, and both directories found before either name.
        split(new)?;
        let (old_dir, old_name) = self.parent(from, old)?;
        self.parent(from, new)?;
        let node = self.lookup(old_dir, old_name)?.ok_or_else(|| fault(io::ErrorKind::NotFound, old))?;
        let (new_dir, new_name) = self.vacancy(from, new)?;
        if node == Node::Directory(new_dir) {
            return Err(fault(io::ErrorKind::InvalidInput, new));
        }
        self.directories[old_dir.0].names.remove(old_name);
        self.directories[new_dir.0].names.insert(new_name.to_owned(), node);
        Ok(())
    }

    pub(super) fn unlink(&mut self, from: DirectoryId, path: &str) -> io::Result<()> {
        let (dir, name, id) = self.file(from, path)?;
        self.directories[dir.0].names.remove(name);
        self.inodes[id.0].named = false;
        self.forget_unreachable(id);
        Ok(())
    }

    /// Locks the file at `path`, making it if it is missing, and counts a handle on it; nothing if it is locked.
    pub(super) fn try_lock(&mut self, from: DirectoryId, path: &str) -> io::Result<Option<InodeId>> {
        let id = match self.open(from, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.create(from, path)?,
            found => found?,
        };
        if self.inodes[id.0].locked {
            self.release(id);
            return Ok(None);
        }
        self.inodes[id.0].locked = true;
        Ok(Some(id))
    }

    /// Whether `path` is a name of this file.
    pub(super) fn names(&self, from: DirectoryId, path: &str, id: InodeId) -> io::Result<bool> {
        let (dir, name) = self.parent(from, path)?;
        Ok(self.lookup(dir, name)? == Some(Node::File(id)))
    }

    fn parent<'p>(&self, from: DirectoryId, path: &'p str) -> io::Result<(DirectoryId, &'p str)> {
        let (dir, name) = split(path)?;
        if dir.is_empty() {
            return Ok((from, name));
        }
        match self.lookup(from, dir)? {
            Some(Node::Directory(id)) => Ok((id, name)),
            Some(Node::File(_)) => Err(fault(io::ErrorKind::NotADirectory, path)),
            None => Err(fault(io::ErrorKind::NotFound, path)),
        }
    }

    fn lookup(&self, dir: DirectoryId, name: &str) -> io::Result<Option<Node>> {
        if name.len() > NAME_BYTES_MAX {
            return Err(fault(io::ErrorKind::InvalidFilename, name));
        }
        Ok(self.directories[dir.0].names.get(name).copied())
    }

    /// A file that is there, with the place of its name.
    fn file<'p>(&self, from: DirectoryId, path: &'p str) -> io::Result<(DirectoryId, &'p str, InodeId)> {
        let (dir, name) = self.parent(from, path)?;
        match self.lookup(dir, name)? {
            Some(Node::File(id)) => Ok((dir, name, id)),
            Some(Node::Directory(_)) => Err(fault(io::ErrorKind::IsADirectory, path)),
            None => Err(fault(io::ErrorKind::NotFound, path)),
        }
    }

    /// A place where no name is yet.
    fn vacancy<'p>(&self, from: DirectoryId, path: &'p str) -> io::Result<(DirectoryId, &'p str)> {
        let (dir, name) = self.parent(from, path)?;
        match self.lookup(dir, name)? {
            Some(_) => Err(fault(io::ErrorKind::AlreadyExists, path)),
            None => Ok((dir, name)),
        }
    }
}

/// Files: bytes, room, handles.
impl Medium {
    pub(super) fn space(&self) -> Space {
        Space { total: self.capacity, available: self.capacity - self.used }
    }

    pub(super) fn length(&self, id: InodeId) -> u64 {
        self.inodes[id.0].bytes.len() as u64
    }

    pub(super) fn read(&self, id: InodeId, offset: u64, bytes: &mut [u8]) -> usize {
        let content = &self.inodes[id.0].bytes;
        let rest = usize::try_from(offset).ok().and_then(|start| content.get(start..)).unwrap_or_default();
        let count = rest.len().min(bytes.len());
        bytes[..count].copy_from_slice(&rest[..count]);
        count
    }

    /// Writes what there is room for; an error only if that is nothing.
    pub(super) fn write(&mut self, id: InodeId, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let wanted = offset.checked_add(bytes.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        let end = wanted.min(self.length(id).saturating_add(self.space().available));
        if end <= offset {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if end > self.length(id) {
            self.set_length(id, end)?;
        }
        // Both fit: the content reaches at least to `end`, and `end` is beyond `offset`.
        let (start, end) = (offset as usize, end as usize);
        let count = end - start;
        self.inodes[id.0].bytes[start..end].copy_from_slice(&bytes[..count]);
        Ok(count)
    }

    pub(super) fn set_length(&mut self, id: InodeId, length: u64) -> io::Result<()> {
        let old = self.length(id);
        let used = self.used - old;
        if length > self.capacity - used {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let content = &mut self.inodes[id.0].bytes;
        let target = usize::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge)?;
        content.try_reserve(target.saturating_sub(content.len())).map_err(|_| io::ErrorKind::FileTooLarge)?;
        content.resize(target, 0);
        self.used = used + length;
        Ok(())
    }

    pub(super) fn unlock(&mut self, id: InodeId) {
        self.inodes[id.0].locked = false;
    }

    /// Counts a handle less.
    pub(super) fn release(&mut self, id: InodeId) {
        self.inodes[id.0].handles -= 1;
        self.forget_unreachable(id);
    }

    fn forget_unreachable(&mut self, id: InodeId) {
        let inode = &mut self.inodes[id.0];
        if !inode.named && inode.handles == 0 {
            self.used -= inode.bytes.len() as u64;
            inode.bytes = Vec::new();
        }
    }
}

fn fault(kind: io::ErrorKind, path: &str) -> io::Error {
    io::Error::new(kind, format!("{path:?} in memory: {kind}"))
}
