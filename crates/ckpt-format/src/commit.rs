//! The last 256 bytes: without them a file is not a checkpoint. Mirrors `docs/FORMAT.md`, section 6.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::bytes::{Cursor, Short};
use crate::digest::Digest;
use crate::error::{FormatError, Part};
use crate::header::Header;
use crate::index::{BlockEntry, SectionEntry};
use crate::limits::{BLOCKS_MAX, PAGE_LENGTH, SECTIONS_MAX};

const MAGIC: [u8; 8] = [0x89, b'C', b'K', b'P', b'T', b'E', b'N', b'D'];

/// Where everything is, how much, and the digests that make the file what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRecord {
    /// Length of the file: a multiple of 4096.
    pub file_length: u64,
    /// Where the payload begins.
    pub payload_offset: u64,
    /// Where the block table begins.
    pub block_table_offset: u64,
    /// Where the section table begins.
    pub section_table_offset: u64,
    /// Bytes of the section table.
    pub section_table_length: u64,
    /// Entries of the block table.
    pub block_count: u32,
    /// Entries of the section table.
    pub section_count: u32,
    /// Bytes of all sections.
    pub raw_bytes: u64,
    /// Bytes of all blocks in the file.
    pub stored_bytes: u64,
    /// Digest of the metadata.
    pub metadata_digest: Digest,
    /// Digest of the block table.
    pub block_table_digest: Digest,
    /// Digest of the section table.
    pub section_table_digest: Digest,
    /// Identity of the state.
    pub content_digest: Digest,
    /// Identity of the file.
    pub index_digest: Digest,
}

impl CommitRecord {
    /// Bytes of the record.
    pub const LENGTH: usize = 256;
    const COVERED: usize = 224;

    /// Bytes of the block table.
    pub fn block_table_length(&self) -> u64 {
        u64::from(self.block_count).saturating_mul(BlockEntry::LENGTH as u64)
    }

    /// The 256 bytes. Computes the index digest: the field of that name is not read.
    pub(crate) fn encode(&self, header: &Header) -> [u8; Self::LENGTH] {
        let mut bytes = Vec::with_capacity(Self::LENGTH);
        bytes.extend_from_slice(&MAGIC);
        for field in [
            self.file_length,
            self.payload_offset,
            self.block_table_offset,
            self.section_table_offset,
            self.section_table_length,
        ] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&self.block_count.to_le_bytes());
        bytes.extend_from_slice(&self.section_count.to_le_bytes());
        bytes.extend_from_slice(&self.raw_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.stored_bytes.to_le_bytes());
        bytes.extend_from_slice(&[0; 24]);
        for digest in
            [self.metadata_digest, self.block_table_digest, self.section_table_digest, self.content_digest]
        {
            bytes.extend_from_slice(digest.as_bytes());
        }
        let index_digest = index_digest(header, &bytes);
        bytes.extend_from_slice(index_digest.as_bytes());
        bytes.try_into().expect("the fields above are 256 bytes in all")
    }

    /// Reads the last bytes of a file of `file_length` bytes that begins with `header`. `tail` may be longer than the
    /// record; only its last 256 bytes are read.
    ///
    /// # Errors
    /// [`FormatError::Truncated`] or [`FormatError::Damaged`].
    pub fn decode(tail: &[u8], file_length: u64, header: &Header) -> Result<Self, FormatError> {
        let start = tail.len().checked_sub(Self::LENGTH).ok_or(FormatError::Truncated {
            part: Part::CommitRecord,
            needed: (Header::LENGTH as u64).saturating_add(Self::LENGTH as u64),
            found: file_length,
        })?;
        let broken = |reason: &str| FormatError::damaged(Part::CommitRecord, reason);
        let bytes = tail.get(start..).ok_or_else(|| broken("cut off"))?;
        let mut cursor = Cursor::new(bytes);
        let (record, zero) =
            Self::decode_fields(&mut cursor).map_err(|_| broken("cut off"))?.ok_or_else(|| {
                broken("its magic bytes are not there: the file was never finished, or its end is lost")
            })?;
        let covered = bytes.get(..Self::COVERED).ok_or_else(|| broken("cut off"))?;
        if index_digest(header, covered) != record.index_digest {
            return Err(broken("the index digest does not match"));
        }
        if record.file_length < file_length {
            return Err(broken("it is that of a shorter file: something was appended"));
        }
        if record.file_length != file_length {
            return Err(FormatError::Truncated {
                part: Part::CommitRecord,
                needed: record.file_length,
                found: file_length,
            });
        }
        if !zero || !record.geometry_holds(header) {
            return Err(broken("its offsets or counts break the format"));
        }
        Ok(record)
    }

    fn decode_fields(cursor: &mut Cursor<'_>) -> Result<Option<(Self, bool)>, Short> {
        if cursor.array::<8>()? != MAGIC {
            return Ok(None);
        }
        let file_length = cursor.u64()?;
        let payload_offset = cursor.u64()?;
        let block_table_offset = cursor.u64()?;
        let section_table_offset = cursor.u64()?;
        let section_table_length = cursor.u64()?;
        let block_count = cursor.u32()?;
        let section_count = cursor.u32()?;
        let raw_bytes = cursor.u64()?;
        let stored_bytes = cursor.u64()?;
        let zero = cursor.zeros(24)?;
        let record = Self {
            file_length,
            payload_offset,
            block_table_offset,
            section_table_offset,
            section_table_length,
            block_count,
            section_count,
            raw_bytes,
            stored_bytes,
            metadata_digest: cursor.digest()?,
            block_table_digest: cursor.digest()?,
            section_table_digest: cursor.digest()?,
            content_digest: cursor.digest()?,
            index_digest: cursor.digest()?,
        };
        Ok(Some((record, zero)))
    }

    /// The places follow from one another, so a table can never be longer than the file.
    fn geometry_holds(&self, header: &Header) -> bool {
        let tables_end = self.section_table_offset.checked_add(self.section_table_length);
        self.block_count <= BLOCKS_MAX
            && self.section_count <= SECTIONS_MAX
            && self.section_table_length
                <= u64::from(self.section_count).saturating_mul(SectionEntry::LENGTH_MAX)
            && self.payload_offset == header.payload_offset()
            && self.block_table_offset >= self.payload_offset
            && self.block_table_offset.checked_add(self.block_table_length())
                == Some(self.section_table_offset)
            && tables_end.and_then(file_length) == Some(self.file_length)
    }
}

/// Length of a file whose section table ends at `tables_end`; nothing if it does not fit 64 bits.
pub(crate) fn file_length(tables_end: u64) -> Option<u64> {
    tables_end.checked_add(CommitRecord::LENGTH as u64)?.checked_next_multiple_of(PAGE_LENGTH)
}

fn index_digest(header: &Header, covered: &[u8]) -> Digest {
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(covered);
    Digest::of(&bytes)
}
