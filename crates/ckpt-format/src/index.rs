//! The tables at the end of a file: which sections, in which blocks. Mirrors `docs/FORMAT.md`, sections 4 and 5.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod block;
mod section;

pub use block::{BlockEntry, Compression};
pub use section::{Choice, SAMPLE_NONE, SectionEntry};

use std::collections::BTreeSet;
use std::ops::Range;

use crate::codec::Codec;
use crate::commit::CommitRecord;
use crate::digest::Digest;
use crate::error::{FormatError, Part};
use crate::limits::{BLOCK_RAW_LENGTH, PAGE_LENGTH};

/// Sections and blocks of one file, checked against its commit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Sections in the order of the file.
    pub sections: Vec<SectionEntry>,
    /// Blocks in the order of the file.
    pub blocks: Vec<BlockEntry>,
}

impl Index {
    /// Reads both tables.
    ///
    /// # Errors
    /// [`FormatError::Damaged`] if a digest or a rule fails, [`FormatError::UnsupportedCode`] for an intact table
    /// with a code that this library does not know.
    pub fn decode(
        record: &CommitRecord,
        block_table: &[u8],
        section_table: &[u8],
    ) -> Result<Self, FormatError> {
        let sections = SectionEntry::decode_table(record, section_table)?;
        if Digest::of(block_table) != record.block_table_digest {
            return Err(FormatError::damaged(Part::BlockTable, "its digest does not match"));
        }
        let mut blocks = Vec::with_capacity(block_table.len() / BlockEntry::LENGTH);
        let mut unknown = None;
        for section in &sections {
            let bytes = block_table
                .get(section.block_table_range())
                .ok_or_else(|| FormatError::damaged(Part::BlockTable, "shorter than its sections say"))?;
            for chunk in bytes.chunks_exact(BlockEntry::LENGTH) {
                let (block, unknown_code) = BlockEntry::decode(chunk, section)?;
                unknown = unknown.or(unknown_code);
                blocks.push(block);
            }
        }
        let index = Self { sections, blocks };
        // A block that lies elsewhere has no place in this file.
        if !matches!(unknown, Some(FormatError::UnsupportedCode { what: "location", .. })) {
            index.check_geometry(record)?;
        }
        unknown.map_or(Ok(index), Err)
    }

    /// The section of that name.
    pub fn section(&self, name: &str) -> Option<&SectionEntry> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The blocks of a section of this index.
    pub fn blocks_of(&self, section: &SectionEntry) -> &[BlockEntry] {
        self.blocks.get(section.block_range()).unwrap_or_default()
    }

    /// The bytes of the file that must be zero, apart from those inside entries.
    pub fn gaps(&self, metadata_end: u64, record: &CommitRecord) -> Vec<Range<u64>> {
        let mut gaps = Vec::new();
        let mut gap = |from: u64, to: u64| {
            if from < to {
                gaps.push(from..to);
            }
        };
        gap(metadata_end, record.payload_offset);
        let mut end = record.payload_offset;
        for block in &self.blocks {
            gap(end, block.offset);
            end = block.offset.saturating_add(u64::from(block.stored_length));
        }
        gap(end, record.block_table_offset);
        let tables_end = record.section_table_offset.saturating_add(record.section_table_length);
        gap(tables_end, record.file_length.saturating_sub(CommitRecord::LENGTH as u64));
        gaps
    }

    /// Offsets, lengths and sums obey sections 1, 4 and 5 of the format.
    fn check_geometry(&self, record: &CommitRecord) -> Result<(), FormatError> {
        let mut end = record.payload_offset;
        for section in &self.sections {
            let blocks = self.blocks_of(section);
            let (mut raw, mut stored) = (0_u64, 0_u64);
            for (index, block) in blocks.iter().enumerate() {
                let expected = if index == 0 { section.codec.first_block_offset(end) } else { end };
                let last = index.saturating_add(1) == blocks.len();
                if block.offset != expected || (!last && block.raw_length as usize != BLOCK_RAW_LENGTH) {
                    let part = Part::Block { section: section.name.clone(), block: index as u32 };
                    return Err(FormatError::damaged(part, "its place or length breaks the format"));
                }
                end = block.offset.saturating_add(u64::from(block.stored_length));
                raw = raw.saturating_add(u64::from(block.raw_length));
                stored = stored.saturating_add(u64::from(block.stored_length));
            }
            if raw != section.raw_length || stored != section.stored_length {
                let part = Part::Section { section: section.name.clone() };
                return Err(FormatError::damaged(part, "its length is not the sum of its blocks"));
            }
        }
        if end.checked_next_multiple_of(8) != Some(record.block_table_offset) {
            return Err(FormatError::damaged(
                Part::CommitRecord,
                "its block table does not follow the payload",
            ));
        }
        Ok(())
    }
}

impl Codec {
    /// Where the first block of a section may begin, if the payload so far ends at `end`.
    ///
    /// Raw sections are aligned, so that they can be written and mapped by pages. At the end of 64 bits, where no file ends,
    /// it is the last offset there is.
    pub fn first_block_offset(self, end: u64) -> u64 {
        match self {
            Self::Raw => end.checked_next_multiple_of(PAGE_LENGTH).unwrap_or(u64::MAX),
            _ => end,
        }
    }
}

/// Identity of a state: name, kind and digest of each section, whatever the order and the compression.
pub fn content_digest(sections: &[SectionEntry]) -> Digest {
    let mut sorted: Vec<&SectionEntry> = sections.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut bytes = (sorted.len() as u32).to_le_bytes().to_vec();
    for section in sorted {
        for text in [&section.name, &section.kind] {
            bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(&section.version.to_le_bytes());
        bytes.extend_from_slice(section.digest.as_bytes());
    }
    Digest::of(&bytes)
}

/// The first name that is there twice.
fn duplicate_name(sections: &[SectionEntry]) -> Option<&str> {
    let mut seen = BTreeSet::new();
    sections.iter().map(|section| section.name.as_str()).find(|name| !seen.insert(*name))
}
