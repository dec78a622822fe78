//! The first 64 bytes of a file; mirrors `docs/FORMAT.md`, section 2, line by line.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::bytes::{Cursor, Short};
use crate::digest::Digest;
use crate::error::{FormatError, Part};
use crate::limits::{METADATA_LENGTH_MAX, PAGE_LENGTH};
use crate::version::ContainerVersion;

/// The first 8 bytes of every checkpoint.
pub const MAGIC: [u8; 8] = [0x89, b'C', b'K', b'P', b'T', 0x0D, 0x0A, 0x1A];

/// Required feature bits that this library knows: none in 1.0.
const REQUIRED_KNOWN: u64 = 0;

/// What the first 64 bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Version of the container.
    pub version: ContainerVersion,
    /// Bits a reader must know.
    pub required: u64,
    /// Bits a reader may ignore.
    pub compatible: u64,
    /// Bytes of metadata after the header.
    pub metadata_length: u32,
    metadata_check: [u8; 16],
}

impl Header {
    /// Bytes of the header.
    pub const LENGTH: usize = 64;
    const CHECKED: usize = 48;

    /// The header of a new file with this metadata.
    ///
    /// # Errors
    /// [`FormatError::Limit`] if the metadata is too long.
    pub fn new(metadata: &[u8]) -> Result<Self, FormatError> {
        let limit = || FormatError::Limit {
            what: "the metadata's length",
            found: metadata.len() as u64,
            max: METADATA_LENGTH_MAX as u64,
        };
        if metadata.len() > METADATA_LENGTH_MAX {
            return Err(limit());
        }
        Ok(Self {
            version: ContainerVersion::CURRENT,
            required: 0,
            compatible: 0,
            metadata_length: u32::try_from(metadata.len()).map_err(|_| limit())?,
            metadata_check: Digest::of(metadata).short(),
        })
    }

    /// Where the payload begins: after the metadata, at a multiple of 4096.
    pub fn payload_offset(&self) -> u64 {
        (Self::LENGTH as u64).saturating_add(u64::from(self.metadata_length)).next_multiple_of(PAGE_LENGTH)
    }

    /// The 64 bytes.
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut bytes = Vec::with_capacity(Self::LENGTH);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.version.major.to_le_bytes());
        bytes.extend_from_slice(&self.version.minor.to_le_bytes());
        bytes.extend_from_slice(&self.metadata_length.to_le_bytes());
        bytes.extend_from_slice(&self.required.to_le_bytes());
        bytes.extend_from_slice(&self.compatible.to_le_bytes());
        bytes.extend_from_slice(&self.metadata_check);
        let check = Digest::of(&bytes).short();
        bytes.extend_from_slice(&check);
        bytes.try_into().expect("the fields above are 64 bytes in all")
    }

    /// Reads the first 64 bytes of `bytes`, in the order that keeps damage and newer versions apart.
    ///
    /// # Errors
    /// [`FormatError::Truncated`], [`FormatError::WrongMagic`], [`FormatError::Damaged`],
    /// [`FormatError::UnsupportedVersion`], [`FormatError::UnsupportedFeature`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let short = |_: Short| FormatError::Truncated {
            part: Part::Header,
            needed: Self::LENGTH as u64,
            found: bytes.len() as u64,
        };
        let mut cursor = Cursor::new(bytes);
        let checked = cursor.clone().take(Self::CHECKED).map_err(short)?;
        let magic: [u8; 8] = cursor.array().map_err(short)?;
        let version =
            ContainerVersion { major: cursor.u16().map_err(short)?, minor: cursor.u16().map_err(short)? };
        let metadata_length = cursor.u32().map_err(short)?;
        let required = cursor.u64().map_err(short)?;
        let compatible = cursor.u64().map_err(short)?;
        let metadata_check = cursor.array().map_err(short)?;
        let check: [u8; 16] = cursor.array().map_err(short)?;

        if magic != MAGIC {
            return Err(FormatError::WrongMagic { found: magic });
        }
        if check != Digest::of(checked).short() {
            return Err(FormatError::damaged(Part::Header, "its check does not match"));
        }
        version.check_readable()?;
        let unknown = required & !REQUIRED_KNOWN;
        if unknown != 0 {
            return Err(FormatError::UnsupportedFeature { bit: unknown.trailing_zeros() });
        }
        if !(2..=METADATA_LENGTH_MAX).contains(&(metadata_length as usize)) {
            return Err(FormatError::damaged(Part::Header, format!("metadata of {metadata_length} bytes")));
        }
        Ok(Self { version, required, compatible, metadata_length, metadata_check })
    }

    /// Checks the metadata that follows the header; returns its digest, which the commit record states in full.
    ///
    /// # Errors
    /// [`FormatError::Damaged`] if it is not what the header was made for.
    pub fn check_metadata(&self, metadata: &[u8]) -> Result<Digest, FormatError> {
        let digest = Digest::of(metadata);
        if metadata.len() == self.metadata_length as usize && digest.short() == self.metadata_check {
            Ok(digest)
        } else {
            Err(FormatError::damaged(Part::Metadata, "its check does not match"))
        }
    }
}
