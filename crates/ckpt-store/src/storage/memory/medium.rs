//! The medium itself: directories of names, and the files that the names stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use super::journal::{Content, Effect, Image, Journal};
use super::planted::Planted;
use crate::layout;
use crate::storage::{DirEntry, EntryKind, Space, split};

/// Everything there is. Directories and files are never forgotten, so an id stays good; a file that nobody can reach
/// any more is empty and takes no room.
#[derive(Debug, Clone)]
pub(super) struct Medium {
    capacity: u64,
    used: u64,
    directories: Vec<Directory>,
    inodes: Vec<Inode>,
    /// What is durable, where a model of power loss wants to know.
    journal: Option<Journal>,
    faults: Faults,
    pub(super) planted: Option<Planted>,
    /// Syncs that a planted bug put off.
    pub(super) put_off: PutOff,
}

/// Which syncs and closes are to fail, counted from the first.
#[derive(Debug, Clone, Default)]
struct Faults {
    syncs: u64,
    failing_syncs: BTreeSet<u64>,
    closes: u64,
    failing_closes: BTreeSet<u64>,
}

/// Files and directories that a planted bug claimed to have synced.
#[derive(Debug, Clone, Default)]
pub(super) struct PutOff {
    pub(super) files: Vec<InodeId>,
    pub(super) directory: Option<DirectoryId>,
}

/// Which directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DirectoryId(pub(super) usize);

/// Which file, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InodeId(pub(super) usize);

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
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
    /// How many names it has: after a power loss a file that was moved may have two.
    names: usize,
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
        Medium {
            capacity,
            used: 0,
            directories: vec![Directory::default()],
            inodes: Vec::new(),
            journal: None,
            faults: Faults::default(),
            planted: None,
            put_off: PutOff::default(),
        }
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
        self.enter(dir, name, Node::Directory(id));
        Ok(())
    }

    /// Makes a file and counts a handle on it.
    pub(super) fn create(&mut self, from: DirectoryId, path: &str) -> io::Result<InodeId> {
        let (dir, name) = self.vacancy(from, path)?;
        let id = InodeId(self.inodes.len());
        self.inodes.push(Inode { names: 1, handles: 1, ..Inode::default() });
        self.enter(dir, name, Node::File(id));
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
        self.record(|| Effect::Move {
            from: (old_dir, old_name.to_owned()),
            to: (new_dir, new_name.to_owned()),
            node,
        });
        Ok(())
    }

    pub(super) fn unlink(&mut self, from: DirectoryId, path: &str) -> io::Result<()> {
        let (dir, name, id) = self.file(from, path)?;
        self.directories[dir.0].names.remove(name);
        self.inodes[id.0].names -= 1;
        self.forget_unreachable(id);
        self.record(|| Effect::Leave { dir, name: name.to_owned(), node: Node::File(id) });
        Ok(())
    }

    /// Locks the file at `path`, making it if it is missing, and counts a handle on it; nothing if it is locked.
    pub(super) fn try_lock(&mut self, from: DirectoryId, path: &str) -> io::Result<Option<InodeId>> {
        let id = match self.open(from, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.create(from, path)?,
            found => found?,
        };
        if self.inodes[id.0].locked && !(self.has(Planted::DuplicateSequence) && path == layout::WRITER_LOCK)
        {
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

    fn enter(&mut self, dir: DirectoryId, name: &str, node: Node) {
        self.directories[dir.0].names.insert(name.to_owned(), node);
        self.record(|| Effect::Enter { dir, name: name.to_owned(), node });
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
        Space { total: self.capacity, available: self.capacity.saturating_sub(self.used) }
    }

    pub(super) fn set_capacity(&mut self, capacity: u64) {
        self.capacity = capacity;
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
            self.resize(id, end)?;
        }
        // Both fit: the content reaches at least to `end`, and `end` is beyond `offset`.
        let (start, end) = (offset as usize, end as usize);
        let count = end - start;
        self.inodes[id.0].bytes[start..end].copy_from_slice(&bytes[..count]);
        self.record(|| Effect::Write { inode: id, offset, bytes: bytes[..count].into() });
        Ok(count)
    }

    pub(super) fn set_length(&mut self, id: InodeId, length: u64) -> io::Result<()> {
        self.resize(id, length)?;
        self.record(|| Effect::Length { inode: id, length });
        Ok(())
    }

    fn resize(&mut self, id: InodeId, length: u64) -> io::Result<()> {
        let old = self.length(id);
        let used = self.used - old;
        if length > old && length > self.capacity.saturating_sub(used) {
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
        if inode.names == 0 && inode.handles == 0 {
            self.used -= inode.bytes.len() as u64;
            inode.bytes = Vec::new();
        }
    }
}

/// What lasts: syncs, what they make durable, and their failures.
impl Medium {
    /// Keeps account from now on of what is durable; so far all of it is that no sync has lost.
    pub(super) fn keep_journal(&mut self) {
        let mut journal = self.journal.take().unwrap_or_else(|| Journal::new(Image::empty()));
        journal.settle(|| self.image());
        self.journal = Some(journal);
    }

    /// What is durable and what is not; nothing if no account is kept.
    pub(super) fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// The medium that a power loss left: all of it durable, account is kept of it.
    pub(super) fn of_image(image: Image, capacity: u64) -> Self {
        let mut medium = Self::new(capacity);
        let directories = image.directories.iter().map(|names| Directory { names: names.as_ref().clone() });
        medium.directories = directories.collect();
        let inode = |content: &Arc<Content>| Inode { bytes: content.bytes().to_vec(), ..Inode::default() };
        medium.inodes = image.inodes.iter().map(inode).collect();
        medium.find_names();
        medium.journal = Some(Journal::new(image));
        medium
    }

    /// Makes bytes and length of a file durable. What a failed sync was to make durable is, or is not, though it can still be
    /// read until the power fails, and the next one says "ok".
    pub(super) fn sync(&mut self, id: InodeId) -> io::Result<()> {
        let failed = self.faults.next_sync_fails();
        match &mut self.journal {
            Some(journal) if failed => journal.lose(id),
            Some(journal) => journal.sync(id),
            None => {}
        }
        if failed { Err(medium_failed()) } else { Ok(()) }
    }

    /// Makes the names in a directory durable; failing is as for a file.
    pub(super) fn sync_dir(&mut self, id: DirectoryId) -> io::Result<()> {
        let failed = self.faults.next_sync_fails();
        match &mut self.journal {
            Some(journal) if failed => journal.lose_dir(id),
            Some(journal) => journal.sync_dir(id),
            None => {}
        }
        if failed { Err(medium_failed()) } else { Ok(()) }
    }

    /// Closes a file that was open for writing since it had this length. Failing is that of a file system which writes late, such
    /// as one on a network: what came in between is gone.
    pub(super) fn close(&mut self, id: InodeId, length: u64) -> io::Result<()> {
        let number = self.faults.closes;
        self.faults.closes += 1;
        if !self.faults.failing_closes.contains(&number) {
            return Ok(());
        }
        self.set_length(id, length)?;
        if let Some(journal) = &mut self.journal {
            journal.sync(id);
        }
        Err(medium_failed())
    }

    pub(super) fn fail_sync(&mut self, after: u64) {
        self.faults.failing_syncs.insert(self.faults.syncs + after);
    }

    pub(super) fn fail_close(&mut self, after: u64) {
        self.faults.failing_closes.insert(self.faults.closes + after);
    }

    pub(super) fn heal(&mut self) {
        self.faults.failing_syncs.clear();
        self.faults.failing_closes.clear();
    }

    fn record(&mut self, effect: impl FnOnce() -> Effect) {
        if let Some(journal) = &mut self.journal {
            journal.push(effect());
        }
    }

    fn image(&self) -> Image {
        let mut image = Image::empty();
        image.directories = self.directories.iter().map(|dir| Arc::new(dir.names.clone())).collect();
        image.inodes = self.inodes.iter().map(|inode| Arc::new(Content::new(inode.bytes.clone()))).collect();
        image
    }

    /// Counts what can be reached, makes room for what was never written to, and frees the rest.
    fn find_names(&mut self) {
        let nodes: Vec<Node> = self.directories.iter().flat_map(|dir| dir.names.values().copied()).collect();
        for node in nodes {
            match node {
                Node::File(id) => {
                    if self.inodes.len() <= id.0 {
                        self.inodes.resize_with(id.0 + 1, Inode::default);
                    }
                    self.inodes[id.0].names += 1;
                }
                Node::Directory(id) if self.directories.len() <= id.0 => {
                    self.directories.resize_with(id.0 + 1, Directory::default);
                }
                Node::Directory(_) => {}
            }
        }
        for inode in self.inodes.iter_mut().filter(|inode| inode.names == 0) {
            inode.bytes = Vec::new();
        }
        self.used = self.inodes.iter().map(|inode| inode.bytes.len() as u64).sum();
    }
}

impl Faults {
    fn next_sync_fails(&mut self) -> bool {
        let number = self.syncs;
        self.syncs += 1;
        self.failing_syncs.contains(&number)
    }
}

/// The error of a device, as the system has it.
fn medium_failed() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())
}

fn fault(kind: io::ErrorKind, path: &str) -> io::Error {
    io::Error::new(kind, format!("{path:?} in memory: {kind}"))
}
