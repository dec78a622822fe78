//! A section to be saved: a name, what it holds, and where its bytes come from.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

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
    Bytes(Cow<'a, [u8]>),
    Reader(Box<dyn Read + Send + 'a>),
}

impl<'a> Section<'a> {
    /// Bytes as they are; nothing is copied.
    pub fn raw(name: impl Into<String>, bytes: &'a [u8]) -> Self {
        Self::new(name.into(), Codec::Raw, Source::Bytes(Cow::Borrowed(bytes)))
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
        Ok(Self::new(name, Codec::Json, Source::Bytes(Cow::Owned(bytes))))
    }

    /// A JSON text of the user's own, checked and then stored byte for byte (codec `json_text`).
    ///
    /// # Errors
    /// [`Error::Refused`] with line and column if it is not JSON.
    pub fn json_text(name: impl Into<String>, text: impl Into<Cow<'a, [u8]>>) -> Result<Self> {
        let (name, text) = (name.into(), text.into());
        json::check(&text)
            .map_err(|error| Error::Refused { section: name.clone(), reason: error.to_string() })?;
        Ok(Self::new(name, Codec::JsonText, Source::Bytes(text)))
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
        Self::new(name, codec, Source::Bytes(Cow::Owned(bytes))).of_kind(kind, version)
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
