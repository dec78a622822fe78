//! What may be wrong with a container, told apart by what the reader should do about it.

use std::fmt;

use crate::version::ContainerVersion;

/// A part of the file, so that damage can be located.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// Bytes 0..64.
    Header,
    /// The JSON after the header.
    Metadata,
    /// A byte between the other parts, which must be zero.
    Padding {
        /// Where the first byte is that is not.
        offset: u64,
    },
    /// A block of a section.
    Block {
        /// The section's name.
        section: String,
        /// Index of the block in its section, from 0.
        block: u32,
    },
    /// A section as a whole: its blocks are good, their sum is not.
    Section {
        /// The section's name.
        section: String,
    },
    /// The table of blocks.
    BlockTable,
    /// The table of sections.
    SectionTable,
    /// The last 256 bytes.
    CommitRecord,
}

impl Part {
    /// The section it lies in, if it lies in one.
    pub fn section(&self) -> Option<&str> {
        match self {
            Self::Block { section, .. } | Self::Section { section } => Some(section),
            _ => None,
        }
    }

    /// The block it is, if it is one.
    pub fn block(&self) -> Option<u32> {
        match self {
            Self::Block { block, .. } => Some(*block),
            _ => None,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("the header"),
            Self::Metadata => f.write_str("the metadata"),
            Self::Padding { offset } => write!(f, "the padding at offset {offset}"),
            Self::Block { section, block } => write!(f, "section {section:?}, block {block}"),
            Self::Section { section } => write!(f, "section {section:?}"),
            Self::BlockTable => f.write_str("the block table"),
            Self::SectionTable => f.write_str("the section table"),
            Self::CommitRecord => f.write_str("the commit record"),
        }
    }
}

/// What is wrong with a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The file does not begin as a checkpoint does.
    #[error("not a checkpoint: it begins with {found:02x?} instead of the magic bytes")]
    WrongMagic {
        /// The first bytes.
        found: [u8; 8],
    },
    /// Shorter than it must be.
    #[error("truncated: {part} needs {needed} bytes, {found} are there")]
    Truncated {
        /// What was being read.
        part: Part,
        /// Bytes it needs.
        needed: u64,
        /// Bytes there are.
        found: u64,
    },
    /// A digest or a rule of the format fails.
    #[error("damaged: {part}: {reason}")]
    Damaged {
        /// Where.
        part: Part,
        /// What does not hold.
        reason: String,
    },
    /// An intact file of a version that this library does not know.
    #[error(
        "container version {found} is not readable by this program, which reads {readable}: use a newer ckpt"
    )]
    UnsupportedVersion {
        /// Version of the file.
        found: ContainerVersion,
        /// Version of this library.
        readable: ContainerVersion,
    },
    /// An intact file that needs a feature this library does not have.
    #[error("the file requires feature bit {bit}, which this program does not know: use a newer ckpt")]
    UnsupportedFeature {
        /// Number of the lowest unknown bit.
        bit: u32,
    },
    /// An intact section or block that needs something this library does not have.
    #[error("section {section:?} uses {what} {code}, which this program does not know: use a newer ckpt")]
    UnsupportedCode {
        /// The section's name.
        section: String,
        /// Which field: codec, filter, compression or location.
        what: &'static str,
        /// Its value.
        code: u64,
    },
    /// Intact metadata that this library cannot decode.
    #[error("the metadata is intact but cannot be decoded: {reason}")]
    IncompatibleMetadata {
        /// Why.
        reason: String,
    },
    /// Something to be written exceeds a limit of the format.
    #[error("{what} is {found}, the format allows at most {max}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        found: u64,
        /// How large it may be.
        max: u64,
    },
    /// A section's name or kind is not one.
    #[error("{reason}")]
    Name {
        /// What is wrong with it.
        reason: String,
    },
    /// Two sections of one checkpoint have the same name.
    #[error("section {name:?} is there twice: names are unique in a checkpoint")]
    DuplicateSection {
        /// The name.
        name: String,
    },
}

/// What a [`FormatError`] means for a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The bytes are not what was written: an older checkpoint may be taken.
    Damaged,
    /// Intact, but newer than this program.
    Unsupported,
    /// Intact and known, but not decodable.
    Incompatible,
    /// The caller asked for something the format cannot hold.
    Refused,
}

impl FormatError {
    /// Damage at `part`.
    pub(crate) fn damaged(part: Part, reason: impl Into<String>) -> Self {
        Self::Damaged { part, reason: reason.into() }
    }

    /// What it means for a reader.
    pub fn fault(&self) -> Fault {
        match self {
            Self::WrongMagic { .. } | Self::Truncated { .. } | Self::Damaged { .. } => Fault::Damaged,
            Self::UnsupportedVersion { .. }
            | Self::UnsupportedFeature { .. }
            | Self::UnsupportedCode { .. } => Fault::Unsupported,
            Self::IncompatibleMetadata { .. } => Fault::Incompatible,
            Self::Limit { .. } | Self::Name { .. } | Self::DuplicateSection { .. } => Fault::Refused,
        }
    }

    /// The damaged part, where it is known.
    pub fn part(&self) -> Option<&Part> {
        match self {
            Self::Truncated { part, .. } | Self::Damaged { part, .. } => Some(part),
            Self::WrongMagic { .. } => Some(&Part::Header),
            _ => None,
        }
    }
}
