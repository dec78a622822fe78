//! One entry of the block table: `docs/FORMAT.md`, section 4.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::SectionEntry;
use crate::bytes::{Cursor, Short};
use crate::digest::Digest;
use crate::error::{FormatError, Part};
use crate::limits::BLOCK_RAW_LENGTH;

/// How the bytes of a block are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// As they are.
    None,
    /// One zstd frame without a dictionary.
    Zstd,
}

impl Compression {
    /// The byte of the block table.
    pub const fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Zstd => 1,
        }
    }
}

/// Where a block is, how long, how compressed, and the digest of its stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockEntry {
    /// Offset of the stored bytes in the file.
    pub offset: u64,
    /// Bytes in the file: 1 to 262,144.
    pub stored_length: u32,
    /// Bytes after decompression: 262,144 for all but the last block of a section.
    pub raw_length: u32,
    /// How the stored bytes become raw bytes.
    pub compression: Compression,
    /// Digest of the stored bytes.
    pub digest: Digest,
}

impl BlockEntry {
    /// Bytes of an entry.
    pub const LENGTH: usize = 64;

    pub(crate) fn encode(&self, table: &mut Vec<u8>) {
        table.extend_from_slice(&0_u64.to_le_bytes());
        table.extend_from_slice(&self.offset.to_le_bytes());
        table.extend_from_slice(&self.stored_length.to_le_bytes());
        table.extend_from_slice(&self.raw_length.to_le_bytes());
        table.push(self.compression.code());
        table.extend_from_slice(&[0; 7]);
        table.extend_from_slice(self.digest.as_bytes());
    }

    /// Reads an entry whose bytes were already checked by the table's digest, and what this library does not know of it.
    pub(super) fn decode(
        bytes: &[u8],
        section: &SectionEntry,
    ) -> Result<(Self, Option<FormatError>), FormatError> {
        let short = |_: Short| FormatError::damaged(Part::BlockTable, "an entry is cut off");
        let unsupported =
            |what, code| FormatError::UnsupportedCode { section: section.name.clone(), what, code };
        let mut cursor = Cursor::new(bytes);
        let location = cursor.u64().map_err(short)?;
        let offset = cursor.u64().map_err(short)?;
        let stored_length = cursor.u32().map_err(short)?;
        let raw_length = cursor.u32().map_err(short)?;
        let compression = cursor.u8().map_err(short)?;
        let zero = cursor.zeros(7).map_err(short)?;
        let digest = cursor.digest().map_err(short)?;
        let (compression, unknown) = match compression {
            0 => (Compression::None, None),
            1 => (Compression::Zstd, None),
            code => (Compression::Zstd, Some(unsupported("compression", u64::from(code)))),
        };
        let unknown = if location == 0 { unknown } else { Some(unsupported("location", location)) };
        let allowed = 1..=BLOCK_RAW_LENGTH as u32;
        let stored_as_is = compression == Compression::None && stored_length != raw_length;
        if !zero || !allowed.contains(&stored_length) || !allowed.contains(&raw_length) || stored_as_is {
            return Err(FormatError::damaged(Part::BlockTable, "an entry breaks the format"));
        }
        Ok((Self { offset, stored_length, raw_length, compression, digest }, unknown))
    }

    /// Checks the stored bytes of this block, number `block` of the section `section`.
    ///
    /// # Errors
    /// [`FormatError::Damaged`] naming section and block.
    pub fn check(&self, stored: &[u8], section: &str, block: u32) -> Result<(), FormatError> {
        if stored.len() == self.stored_length as usize && Digest::of(stored) == self.digest {
            Ok(())
        } else {
            let part = Part::Block { section: section.to_owned(), block };
            Err(FormatError::damaged(part, "its digest does not match"))
        }
    }
}
