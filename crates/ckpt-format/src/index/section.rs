//! One entry of the section table: `docs/FORMAT.md`, section 5.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use super::BlockEntry;
use crate::bytes::{Cursor, Short};
use crate::codec::Codec;
use crate::commit::CommitRecord;
use crate::digest::Digest;
use crate::error::{FormatError, Part};
use crate::ident::{KindName, SectionName};
use crate::limits::{BLOCK_RAW_LENGTH, KIND_LENGTH_MAX, SECTION_NAME_LENGTH_MAX, SECTIONS_MAX};

/// Value of [`SectionEntry::sample_permille`] when no sample was taken.
pub const SAMPLE_NONE: u16 = u16::MAX;

/// Why a section was compressed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Choice {
    /// Compression is switched off.
    Off,
    /// Too small for compression to save a page.
    TooSmall,
    /// A sample shrank enough: compressed.
    SampleShrank,
    /// A sample did not shrink enough: stored as it is.
    SampleDidNotShrink,
    /// The disk is filling up, so a little is worth it: compressed.
    DiskFilling,
    /// The caller asked for it: compressed.
    AskedFor,
    /// A code of a later version.
    Other(u8),
}

impl Choice {
    const fn code(self) -> u8 {
        match self {
            Self::Off => 0,
            Self::TooSmall => 1,
            Self::SampleShrank => 2,
            Self::SampleDidNotShrink => 3,
            Self::DiskFilling => 4,
            Self::AskedFor => 5,
            Self::Other(code) => code,
        }
    }

    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Off,
            1 => Self::TooSmall,
            2 => Self::SampleShrank,
            3 => Self::SampleDidNotShrink,
            4 => Self::DiskFilling,
            5 => Self::AskedFor,
            other => Self::Other(other),
        }
    }
}

/// A section: what it is, where its blocks are, what its bytes should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionEntry {
    /// Unique in the file.
    pub name: String,
    /// Schema name of the stored type; empty if it has none.
    pub kind: String,
    /// Schema version of the stored type; 0 if it has none.
    pub version: u32,
    /// How values became bytes.
    pub codec: Codec,
    /// Bytes of the section.
    pub raw_length: u64,
    /// Bytes of its blocks in the file.
    pub stored_length: u64,
    /// Index of its first block in the block table.
    pub first_block: u64,
    /// How many blocks it has.
    pub block_count: u32,
    /// Why it was compressed or not.
    pub choice: Choice,
    /// Thousandths to which a sample shrank, or [`SAMPLE_NONE`].
    pub sample_permille: u16,
    /// Digest of the raw bytes: see [`SectionDigest`](crate::SectionDigest).
    pub digest: Digest,
}

impl SectionEntry {
    const FIXED_LENGTH: usize = 96;
    /// Bytes of the longest entry.
    pub(crate) const LENGTH_MAX: u64 =
        (Self::FIXED_LENGTH + SECTION_NAME_LENGTH_MAX + KIND_LENGTH_MAX).next_multiple_of(8) as u64;

    /// Its blocks, as a range of the block table's entries.
    pub fn block_range(&self) -> Range<usize> {
        let first = usize::try_from(self.first_block).unwrap_or(usize::MAX);
        first..first.saturating_add(self.block_count as usize)
    }

    /// Its blocks, as a range of the block table's bytes.
    pub fn block_table_range(&self) -> Range<usize> {
        let Range { start, end } = self.block_range();
        start.saturating_mul(BlockEntry::LENGTH)..end.saturating_mul(BlockEntry::LENGTH)
    }

    pub(crate) fn encode(&self, table: &mut Vec<u8>) {
        table.extend_from_slice(&self.raw_length.to_le_bytes());
        table.extend_from_slice(&self.stored_length.to_le_bytes());
        table.extend_from_slice(&self.first_block.to_le_bytes());
        table.extend_from_slice(&self.block_count.to_le_bytes());
        table.extend_from_slice(&self.version.to_le_bytes());
        table.extend_from_slice(&[self.codec.code(), 0, self.choice.code(), 0]);
        table.extend_from_slice(&self.sample_permille.to_le_bytes());
        table.extend_from_slice(&(self.name.len() as u16).to_le_bytes());
        table.extend_from_slice(&(self.kind.len() as u16).to_le_bytes());
        table.extend_from_slice(&[0; 22]);
        table.extend_from_slice(self.digest.as_bytes());
        table.extend_from_slice(self.name.as_bytes());
        table.extend_from_slice(self.kind.as_bytes());
        table.resize(table.len().next_multiple_of(8), 0);
    }

    /// Reads the whole section table and checks it against the commit record.
    ///
    /// # Errors
    /// [`FormatError::Damaged`] if its digest or a rule fails, [`FormatError::UnsupportedCode`] for an unknown codec
    /// or filter in an intact table.
    pub fn decode_table(record: &CommitRecord, table: &[u8]) -> Result<Vec<Self>, FormatError> {
        if Digest::of(table) != record.section_table_digest {
            return Err(FormatError::damaged(Part::SectionTable, "its digest does not match"));
        }
        let broken = |reason: &str| FormatError::damaged(Part::SectionTable, reason);
        if record.section_count > SECTIONS_MAX {
            return Err(broken("more sections than the format allows"));
        }
        let mut cursor = Cursor::new(table);
        let mut sections = Vec::new();
        let mut first_block = 0_u64;
        // What is damaged matters more than what is unknown: that is said only once all rules hold.
        let mut unknown = None;
        for _ in 0..record.section_count {
            let (section, unknown_code) = Self::decode(&mut cursor)?;
            unknown = unknown.or(unknown_code);
            if section.first_block != first_block {
                return Err(broken("its sections do not follow one another"));
            }
            first_block = first_block.saturating_add(u64::from(section.block_count));
            sections.push(section);
        }
        if !cursor.is_empty() || first_block != u64::from(record.block_count) {
            return Err(broken("it does not hold what the commit record says"));
        }
        if super::duplicate_name(&sections).is_some() {
            return Err(broken("a name is there twice"));
        }
        let sum = |length: fn(&Self) -> u64| sections.iter().map(length).fold(0, u64::saturating_add);
        if sum(|section| section.raw_length) != record.raw_bytes
            || sum(|section| section.stored_length) != record.stored_bytes
        {
            return Err(FormatError::damaged(
                Part::CommitRecord,
                "its totals are not the sums of the sections",
            ));
        }
        if super::content_digest(&sections) != record.content_digest {
            return Err(FormatError::damaged(
                Part::CommitRecord,
                "the content digest is not that of the sections",
            ));
        }
        unknown.map_or(Ok(sections), Err)
    }

    /// One entry, and what this library does not know of it: then its codec stands for any.
    fn decode(cursor: &mut Cursor<'_>) -> Result<(Self, Option<FormatError>), FormatError> {
        let broken = || FormatError::damaged(Part::SectionTable, "an entry breaks the format");
        let short = |_: Short| FormatError::damaged(Part::SectionTable, "an entry is cut off");
        let raw_length = cursor.u64().map_err(short)?;
        let stored_length = cursor.u64().map_err(short)?;
        let first_block = cursor.u64().map_err(short)?;
        let block_count = cursor.u32().map_err(short)?;
        let version = cursor.u32().map_err(short)?;
        let codec = cursor.u8().map_err(short)?;
        let filter = cursor.u8().map_err(short)?;
        let choice = Choice::from_code(cursor.u8().map_err(short)?);
        let zero_before = cursor.zeros(1).map_err(short)?;
        let sample_permille = cursor.u16().map_err(short)?;
        let name_length = usize::from(cursor.u16().map_err(short)?);
        let kind_length = usize::from(cursor.u16().map_err(short)?);
        let zero_after = cursor.zeros(22).map_err(short)?;
        let digest = cursor.digest().map_err(short)?;
        let name = cursor.take(name_length).map_err(short)?;
        let kind = cursor.take(kind_length).map_err(short)?;
        let length = Self::FIXED_LENGTH.saturating_add(name_length).saturating_add(kind_length);
        let padding = length.next_multiple_of(8).saturating_sub(length);
        let zero_last = cursor.zeros(padding).map_err(short)?;

        let name: SectionName =
            std::str::from_utf8(name).ok().and_then(|n| n.parse().ok()).ok_or_else(broken)?;
        let kind = std::str::from_utf8(kind).map_err(|_| broken())?;
        KindName::parse_optional(kind).map_err(|_| broken())?;
        let name = name.to_string();
        let unsupported = |what, code: u8| FormatError::UnsupportedCode {
            section: name.clone(),
            what,
            code: u64::from(code),
        };
        let known = Codec::from_code(codec);
        let unknown = match known {
            None => Some(unsupported("codec", codec)),
            Some(_) => (filter != 0).then(|| unsupported("filter", filter)),
        };
        let blocks_needed = raw_length.div_ceil(BLOCK_RAW_LENGTH as u64);
        if !(zero_before && zero_after && zero_last) || u64::from(block_count) != blocks_needed {
            return Err(broken());
        }
        let section = Self {
            kind: kind.to_owned(),
            name,
            version,
            codec: known.unwrap_or(Codec::Raw),
            raw_length,
            stored_length,
            first_block,
            block_count,
            choice,
            sample_permille,
            digest,
        };
        Ok((section, unknown))
    }
}
