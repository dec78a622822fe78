//! A section to be saved: a name, what it holds, and where its bytes come from.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;
use std::ops::Deref;
use std::sync::Arc;

use ckpt_format::{Codec, EncodedSection, Stored, json};
use serde::Serialize;

use crate::compress::Compress;
use crate::error::{Error, Result};

/// A section to be saved.
///
/// ```
/// use ckpt_store::Section;
///
/// let weights = vec![0_u8; 1024];
/// let sections = [
///     Section::raw("weights", &weights),                         // bytes as they are, not copied
///     Section::json("counters", &[("fills", 12)])?,              // any serde value, as JSON
///     Section::reader("replay", std::io::Cursor::new(weights.clone())), // a stream, however long
///     Section::owned("table", vec![1, 2, 3]),                    // bytes that are given away
/// ];
/// # drop(sections);
/// # Ok::<(), ckpt_store::Error>(())
/// ```
pub struct Section<'a> {
    pub(crate) head: Head,
    pub(crate) source: Source<'a>,
}

/// What is said about a section, apart from its bytes.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) version: u32,
    pub(crate) codec: Codec,
    pub(crate) compress: Option<Compress>,
}

/// Where the bytes of a section come from.
pub(crate) enum Source<'a> {
    Bytes(Bytes<'a>),
    Reader(Box<dyn Read + Send + 'a>),
}

/// Bytes in memory, and who has them.
pub(crate) enum Bytes<'a> {
    Borrowed(&'a [u8]),
    Owned(Vec<u8>),
    Held(Box<dyn Held>),
}

/// Bytes that stay where they are as long as this lives.
pub(crate) trait Held: Send + Sync {
    fn bytes(&self) -> &[u8];
}

impl<T: AsRef<[u8]> + Send + Sync + ?Sized> Held for Arc<T> {
    fn bytes(&self) -> &[u8] {
        self.as_ref().as_ref()
    }
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
            Self::Held(held) => held.bytes(),
        }
    }
}

impl<'a> From<Cow<'a, [u8]>> for Bytes<'a> {
    fn from(bytes: Cow<'a, [u8]>) -> Self {
        match bytes {
            Cow::Borrowed(bytes) => Self::Borrowed(bytes),
            Cow::Owned(bytes) => Self::Owned(bytes),
        }
    }
}

impl<'a> Section<'a> {
    /// Bytes as they are; nothing is copied.
    pub fn raw(name: impl Into<String>, bytes: &'a [u8]) -> Self {
        Self::new(name.into(), Codec::Raw, Source::Bytes(Bytes::Borrowed(bytes)))
    }

    /// Bytes as they are, given away: nothing is copied, and the section may outlive its maker, as one that is saved in
    /// the background must.
    pub fn owned(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(name.into(), Codec::Raw, Source::Bytes(Bytes::Owned(bytes.into())))
    }

    /// Bytes as they are, shared with whoever else reads them (`Arc<[u8]>`, `Arc<Vec<u8>>`): nothing is copied, and the
    /// section may outlive its maker.
    pub fn shared(
        name: impl Into<String>,
        bytes: Arc<impl AsRef<[u8]> + Send + Sync + ?Sized + 'static>,
    ) -> Self {
        Self::new(name.into(), Codec::Raw, Source::Bytes(Bytes::Held(Box::new(bytes))))
    }

    /// Bytes as they are, as many as the reader yields. They may be more than fit in memory: at most 64 MiB are held at
    /// a time.
    pub fn reader(name: impl Into<String>, reader: impl Read + Send + 'a) -> Self {
        Self::new(name.into(), Codec::Raw, Source::Reader(Box::new(reader)))
    }

    /// Any serde value, as JSON without a schema version. For state that will change its shape one day, see
    /// [`Section::stored`].
    ///
    /// # Errors
    /// [`Error::Refused`] naming the field that JSON cannot carry.
    pub fn json<T: Serialize + ?Sized>(name: impl Into<String>, value: &T) -> Result<Self> {
        let name = name.into();
        let bytes = json::to_vec(value)
            .map_err(|error| Error::Refused { section: name.clone(), reason: error.to_string() })?;
        Ok(Self::new(name, Codec::Json, Source::Bytes(Bytes::Owned(bytes))))
    }

    /// A JSON text of the user's own, checked and then stored byte for byte (codec `json_text`).
    ///
    /// # Errors
    /// [`Error::Refused`] with line and column if it is not JSON.
    pub fn json_text(name: impl Into<String>, text: impl Into<Cow<'a, [u8]>>) -> Result<Self> {
        let (name, text) = (name.into(), text.into());
        json::check(&text)
            .map_err(|error| Error::Refused { section: name.clone(), reason: error.to_string() })?;
        Ok(Self::new(name, Codec::JsonText, Source::Bytes(text.into())))
    }

    /// A value of a stored type, with its kind and version, in its codec. The first of each kind and version in a process
    /// is decoded again and compared.
    ///
    /// # Errors
    /// [`Error::Refused`] naming the field that the codec cannot carry.
    pub fn stored<T: Stored>(name: impl Into<String>, value: &T) -> Result<Self> {
        let name = name.into();
        let encoded = EncodedSection::encode(&name, value)
            .map_err(|error| Error::Refused { section: name.clone(), reason: error.to_string() })?;
        Ok(Self::encoded(encoded))
    }

    /// A section that was encoded before: a component of a bundle, or one that is copied.
    pub fn encoded(section: EncodedSection) -> Self {
        let EncodedSection { name, kind, version, codec, bytes } = section;
        Self::new(name, codec, Source::Bytes(Bytes::Owned(bytes))).of_kind(kind, version)
    }

    /// Gives raw bytes a kind and a version of the application's own.
    #[must_use]
    pub fn of_kind(mut self, kind: impl Into<String>, version: u32) -> Self {
        (self.head.kind, self.head.version) = (kind.into(), version);
        self
    }

    /// Says that the bytes are in this codec. For copies of sections.
    #[must_use]
    pub fn in_codec(mut self, codec: Codec) -> Self {
        self.head.codec = codec;
        self
    }

    /// Whether this section is compressed, whatever [`RunOptions`](crate::RunOptions) says.
    #[must_use]
    pub fn compress(mut self, compress: Compress) -> Self {
        self.head.compress = Some(compress);
        self
    }

    /// Its name, not checked yet.
    pub fn name(&self) -> &str {
        &self.head.name
    }

    /// Bytes it has; nothing if only reading its stream will tell.
    pub(crate) fn known_bytes(&self) -> Option<u64> {
        match &self.source {
            Source::Bytes(bytes) => Some(bytes.len() as u64),
            Source::Reader(_) => None,
        }
    }

    fn new(name: String, codec: Codec, source: Source<'a>) -> Self {
        Self { head: Head { name, kind: String::new(), version: 0, codec, compress: None }, source }
    }
}

impl fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = match &self.source {
            Source::Bytes(bytes) => Some(bytes.len()),
            Source::Reader(_) => None,
        };
        f.debug_struct("Section").field("head", &self.head).field("bytes", &bytes).finish_non_exhaustive()
    }
}
