//! The files of another system: opened without following links, read piece by piece.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_format::{Codec, Digest, SectionEntry, json};

use crate::error::{Error, Result};
use crate::storage::{DirEntry, Local, Storage, StorageFile};

/// A JSON text that is looked into is held in memory twice, as it is and with its `NaN` quoted, so it may be that long.
const TEXT_BYTES_MAX: u64 = 32 << 20;

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 20;

/// A directory of another system. Links in it are not followed.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    storage: Arc<dyn Storage>,
    path: PathBuf,
}

/// What becomes a section: a file, or a section of an exported checkpoint.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Name of the section.
    pub section: String,
    /// The file.
    pub path: PathBuf,
    /// `raw`, or `json_text` for a file that is JSON: the bytes are the file's in both. In an exported checkpoint, that of
    /// the section.
    pub codec: Codec,
    /// Bytes of it.
    pub bytes: u64,
    /// BLAKE3 of the file; in an exported checkpoint, the digest of the section.
    pub digest: Digest,
    folder: Folder,
    name: String,
}

impl Folder {
    /// Opens a directory by a path of the user's, whose links are followed. `shown` is how he wrote it.
    pub(super) fn open(path: &Path, shown: &Path) -> Result<Self> {
        let storage = Local::open(path).map_err(|source| io_error("opening", shown, source))?;
        Ok(Self { storage: Arc::new(storage), path: shown.to_owned() })
    }

    /// Its path, with a name in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What is in it, or in a directory of it, sorted by name.
    pub(super) fn list(&self, dir: &str) -> Result<Vec<DirEntry>> {
        let listed = self.storage.list(dir);
        let mut entries = listed.map_err(|source| io_error("listing", &self.path(dir), source))?;
        entries.sort();
        Ok(entries)
    }

    /// Whether there is a regular file of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.storage.open_sized(name).is_ok()
    }

    /// A file as a section of bytes, read once for its digest.
    pub(super) fn piece(&self, section: &str, name: &str) -> Result<Piece> {
        let (file, bytes) = self.open_file(name)?;
        let mut stream = Stream { file, offset: 0 };
        let digest = hash(&mut stream, &self.path(name))?;
        if stream.offset != bytes {
            return Err(io_error("reading", &self.path(name), changed()));
        }
        Ok(Piece {
            section: section.to_owned(),
            path: self.path(name),
            codec: Codec::Raw,
            bytes,
            digest,
            folder: self.clone(),
            name: name.to_owned(),
        })
    }

    /// A file that should be JSON, as a section, and its text. One that is not JSON stays bytes; one that is too long to be
    /// looked into, too, and has no text here.
    pub(super) fn json_piece(&self, section: &str, name: &str) -> Result<(Piece, Option<Vec<u8>>)> {
        let mut piece = self.piece(section, name)?;
        if piece.bytes > TEXT_BYTES_MAX {
            return Ok((piece, None));
        }
        let mut text = Vec::new();
        let read = piece.open().and_then(|mut stream| stream.read_to_end(&mut text));
        read.map_err(|source| io_error("reading", &piece.path, source))?;
        if json::check(&text).is_ok() {
            piece.codec = Codec::JsonText;
        }
        Ok((piece, Some(text)))
    }

    /// A section within a file of this library.
    pub(super) fn section_within(&self, name: &str, section: &SectionEntry) -> Piece {
        Piece {
            section: section.name.clone(),
            path: self.path(name),
            codec: section.codec,
            bytes: section.raw_length,
            digest: section.digest,
            folder: self.clone(),
            name: name.to_owned(),
        }
    }

    /// The first bytes of a file.
    pub(super) fn first_bytes(&self, name: &str) -> Result<[u8; 8]> {
        let (file, _) = self.open_file(name)?;
        let mut first = [0; 8];
        let read = Stream { file, offset: 0 }.take(8).read_exact(&mut first);
        match read {
            // A shorter file begins with something else.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok([0; 8]),
            read => read.map(|()| first).map_err(|source| io_error("reading", &self.path(name), source)),
        }
    }

    fn open_file(&self, name: &str) -> Result<(Box<dyn StorageFile>, u64)> {
        self.storage.open_sized(name).map_err(|source| io_error("opening", &self.path(name), source))
    }
}

impl Piece {
    /// Its bytes, from the beginning. At their end it is an error if they are not those the digest was made of.
    pub(super) fn open(&self) -> io::Result<impl Read + Send + use<>> {
        let (file, _) = self.folder.storage.open_sized(&self.name)?;
        let hasher = Box::new(blake3::Hasher::new());
        Ok(Checked {
            stream: Stream { file, offset: 0 },
            hasher,
            digest: self.digest,
            path: self.path.clone(),
        })
    }
}

/// A file from front to back.
struct Stream {
    file: Box<dyn StorageFile>,
    offset: u64,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(self.offset, buffer)?;
        self.offset = self.offset.saturating_add(read as u64);
        Ok(read)
    }
}

/// A file that must still be what it was.
struct Checked {
    stream: Stream,
    hasher: Box<blake3::Hasher>,
    digest: Digest,
    path: PathBuf,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        let at_end = read == 0 && !buffer.is_empty();
        if at_end && self.hasher.finalize().as_bytes() != self.digest.as_bytes() {
            return Err(io::Error::other(format!("{}: {}", self.path.display(), changed())));
        }
        Ok(read)
    }
}

fn hash(stream: &mut Stream, path: &Path) -> Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        match stream.read(&mut buffer).map_err(|source| io_error("reading", path, source))? {
            0 => return Ok(Digest::from_bytes(hasher.finalize().into())),
            read => drop(hasher.update(buffer.get(..read).unwrap_or_default())),
        }
    }
}

fn changed() -> io::Error {
    io::Error::other("it changed while it was read: import it when nobody writes it")
}

pub(super) fn io_error(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::io(action, path.display().to_string(), source)
}
