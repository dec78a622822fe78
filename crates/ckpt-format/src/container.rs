//! Builds a file front to back, and reads one that is in memory.
//!
//! A writer takes [`front`] first, then feeds [`IndexBuilder`] with what it writes, then appends
//! [`IndexBuilder::finish`]: header and metadata need nothing that comes later.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::Codec;
use crate::commit::{self, CommitRecord};
use crate::digest::{Digest, SectionDigest};
use crate::error::{FormatError, Part};
use crate::header::Header;
use crate::ident::{IdentError, KindName, SectionName};
use crate::index::{BlockEntry, Choice, Compression, Index, SAMPLE_NONE, SectionEntry, content_digest};
use crate::limits::{BLOCK_RAW_LENGTH, BLOCKS_MAX, SECTIONS_MAX};
use crate::metadata::Metadata;
use crate::section::EncodedSection;

/// Header, metadata and padding: everything before the payload, and the header again for [`IndexBuilder::new`].
///
/// # Errors
/// [`FormatError::Limit`] if the metadata is too long.
pub fn front(metadata: &[u8]) -> Result<(Header, Vec<u8>), FormatError> {
    let header = Header::new(metadata)?;
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(metadata);
    bytes.resize(header.payload_offset() as usize, 0);
    Ok((header, bytes))
}

/// What is known of a section before its bytes are.
#[derive(Debug, Clone)]
pub struct SectionStart {
    /// Unique in the checkpoint.
    pub name: SectionName,
    /// Schema name of the stored type, if it has one.
    pub kind: Option<KindName>,
    /// Schema version of the stored type; 0 if it has none.
    pub version: u32,
    /// How values became bytes.
    pub codec: Codec,
    /// Why it is compressed or not.
    pub choice: Choice,
    /// Thousandths to which a sample shrank, or [`SAMPLE_NONE`].
    pub sample_permille: u16,
}

/// Collects what was written, and makes the end of the file from it.
#[derive(Debug)]
pub struct IndexBuilder {
    header: Header,
    metadata_digest: Digest,
    sections: Vec<SectionEntry>,
    block_table: Vec<u8>,
    block_count: u32,
    digest: SectionDigest,
    end: u64,
}

impl IndexBuilder {
    /// For a file whose front was made by [`front`] from `metadata`.
    pub fn new(header: Header, metadata: &[u8]) -> Self {
        Self {
            end: header.payload_offset(),
            header,
            metadata_digest: Digest::of(metadata),
            sections: Vec::new(),
            block_table: Vec::new(),
            block_count: 0,
            digest: SectionDigest::new(),
        }
    }

    /// Where the payload ends so far: the next block is written here.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Begins the next section; returns how many zero bytes to write before its first block if it has one.
    ///
    /// # Errors
    /// [`FormatError::Limit`] for too many sections, [`FormatError::DuplicateSection`].
    pub fn begin(&mut self, start: SectionStart) -> Result<u64, FormatError> {
        if self.sections.len() >= SECTIONS_MAX as usize {
            let found = (self.sections.len() as u64).saturating_add(1);
            return Err(FormatError::Limit {
                what: "the number of sections",
                found,
                max: u64::from(SECTIONS_MAX),
            });
        }
        if self.sections.iter().any(|section| section.name == start.name.as_ref()) {
            return Err(FormatError::DuplicateSection { name: start.name.to_string() });
        }
        self.digest = SectionDigest::new();
        let codec = start.codec;
        self.sections.push(SectionEntry {
            name: start.name.to_string(),
            kind: start.kind.map(|kind| kind.to_string()).unwrap_or_default(),
            version: start.version,
            codec,
            raw_length: 0,
            stored_length: 0,
            first_block: u64::from(self.block_count),
            block_count: 0,
            choice: start.choice,
            sample_permille: start.sample_permille,
            digest: self.digest.finish(),
        });
        Ok(codec.first_block_offset(self.end).saturating_sub(self.end))
    }

    /// Adds the next block of the section begun last. `stored` is the digest of its stored bytes, `raw` that of its raw
    /// bytes: the same if it is not compressed.
    ///
    /// # Errors
    /// [`FormatError::Limit`] for too many blocks.
    ///
    /// # Panics
    /// If no section was begun, or a length is not between 1 and 262,144.
    pub fn block(
        &mut self,
        stored_length: u32,
        raw_length: u32,
        compression: Compression,
        stored: Digest,
        raw: &Digest,
    ) -> Result<(), FormatError> {
        let allowed = 1..=BLOCK_RAW_LENGTH as u32;
        assert!(
            allowed.contains(&stored_length) && allowed.contains(&raw_length),
            "a block has 1 to 262,144 bytes"
        );
        let section = self.sections.last_mut().expect("a section is begun before its blocks");
        if self.block_count >= BLOCKS_MAX {
            let max = u64::from(BLOCKS_MAX);
            return Err(FormatError::Limit {
                what: "the number of blocks",
                found: max.saturating_add(1),
                max,
            });
        }
        let offset =
            if section.block_count == 0 { section.codec.first_block_offset(self.end) } else { self.end };
        BlockEntry { offset, stored_length, raw_length, compression, digest: stored }
            .encode(&mut self.block_table);
        self.block_count = self.block_count.saturating_add(1);
        self.end = offset.saturating_add(u64::from(stored_length));
        section.block_count = section.block_count.saturating_add(1);
        section.raw_length = section.raw_length.saturating_add(u64::from(raw_length));
        section.stored_length = section.stored_length.saturating_add(u64::from(stored_length));
        self.digest.push(raw, raw_length);
        Ok(())
    }

    /// Ends the section begun last.
    ///
    /// # Panics
    /// If no section was begun.
    pub fn end_section(&mut self) {
        let section = self.sections.last_mut().expect("a section is begun before it is ended");
        section.digest = self.digest.finish();
    }

    /// The bytes from the end of the payload to the end of the file, and the commit record they end with.
    ///
    /// # Errors
    /// [`FormatError::Limit`] if the file would be longer than 64 bits can say.
    pub fn finish(self) -> Result<(Vec<u8>, CommitRecord), FormatError> {
        let block_table_offset = self.end.next_multiple_of(8);
        let section_table_offset = block_table_offset.saturating_add(self.block_table.len() as u64);
        let mut section_table = Vec::new();
        for section in &self.sections {
            section.encode(&mut section_table);
        }
        let tables_end = section_table_offset.saturating_add(section_table.len() as u64);
        let file_length = commit::file_length(tables_end).ok_or(FormatError::Limit {
            what: "the length of the file",
            found: u64::MAX,
            max: u64::MAX,
        })?;
        let sum =
            |length: fn(&SectionEntry) -> u64| self.sections.iter().map(length).fold(0, u64::saturating_add);
        let mut record = CommitRecord {
            file_length,
            payload_offset: self.header.payload_offset(),
            block_table_offset,
            section_table_offset,
            section_table_length: section_table.len() as u64,
            block_count: self.block_count,
            section_count: self.sections.len() as u32,
            raw_bytes: sum(|section| section.raw_length),
            stored_bytes: sum(|section| section.stored_length),
            metadata_digest: self.metadata_digest,
            block_table_digest: Digest::of(&self.block_table),
            section_table_digest: Digest::of(&section_table),
            content_digest: content_digest(&self.sections),
            index_digest: Digest::from_bytes([0; 32]),
        };
        let encoded = record.encode(&self.header);
        let mut digest = [0; Digest::LENGTH];
        digest.copy_from_slice(
            encoded.last_chunk::<{ Digest::LENGTH }>().expect("a record is longer than its digest"),
        );
        record.index_digest = Digest::from_bytes(digest);

        let mut bytes = vec![0; block_table_offset.saturating_sub(self.end) as usize];
        bytes.extend_from_slice(&self.block_table);
        bytes.extend_from_slice(&section_table);
        let record_at = file_length.saturating_sub(self.end).saturating_sub(CommitRecord::LENGTH as u64);
        bytes.resize(record_at as usize, 0);
        bytes.extend_from_slice(&encoded);
        Ok((bytes, record))
    }
}

/// A whole file from sections in memory, nothing compressed.
///
/// ```
/// use ckpt_format::{Codec, Container, EncodedSection, Metadata, encode};
///
/// let metadata = Metadata::default();
/// let section = EncodedSection { name: "weights".into(), kind: String::new(), version: 0, codec: Codec::Raw, bytes: vec![7; 10] };
/// let file = encode(&metadata, &[section])?;
/// let container = Container::decode(&file)?;
/// assert_eq!(container.section(&file, "weights")?, Some(vec![7; 10]));
/// # Ok::<(), ckpt_format::FormatError>(())
/// ```
///
/// # Errors
/// [`FormatError::Limit`], [`FormatError::DuplicateSection`], [`FormatError::Name`].
pub fn encode(metadata: &Metadata, sections: &[EncodedSection]) -> Result<Vec<u8>, FormatError> {
    let metadata = metadata.encode()?;
    let (header, mut file) = front(&metadata)?;
    let mut index = IndexBuilder::new(header, &metadata);
    for section in sections {
        let refused = |error: IdentError| FormatError::Name { reason: error.to_string() };
        let padding = index.begin(SectionStart {
            name: section.name.parse().map_err(refused)?,
            kind: KindName::parse_optional(&section.kind).map_err(refused)?,
            version: section.version,
            codec: section.codec,
            choice: Choice::Off,
            sample_permille: SAMPLE_NONE,
        })?;
        if !section.bytes.is_empty() {
            file.resize(file.len().saturating_add(padding as usize), 0);
        }
        for block in section.bytes.chunks(BLOCK_RAW_LENGTH) {
            let digest = Digest::of(block);
            index.block(block.len() as u32, block.len() as u32, Compression::None, digest, &digest)?;
            file.extend_from_slice(block);
        }
        index.end_section();
    }
    file.extend_from_slice(&index.finish()?.0);
    Ok(file)
}

/// What a file in memory says about itself, everything but the payload checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// The first 64 bytes.
    pub header: Header,
    /// What the checkpoint says about itself.
    pub metadata: Metadata,
    /// The last 256 bytes.
    pub record: CommitRecord,
    /// Sections and blocks.
    pub index: Index,
}

impl Container {
    /// Reads header, metadata, commit record and tables; touches no payload.
    ///
    /// # Errors
    /// As [`FormatError`] says; never panics, and allocates no more than the file is long.
    pub fn decode(file: &[u8]) -> Result<Self, FormatError> {
        let header = Header::decode(file)?;
        let file_length = file.len() as u64;
        let metadata_end = Header::LENGTH.saturating_add(header.metadata_length as usize);
        let truncated = |part: Part, needed: u64| FormatError::Truncated { part, needed, found: file_length };
        let metadata = file
            .get(Header::LENGTH..metadata_end)
            .ok_or_else(|| truncated(Part::Metadata, metadata_end as u64))?;
        let metadata_digest = header.check_metadata(metadata)?;
        let record = CommitRecord::decode(file, file_length, &header)?;
        if metadata_digest != record.metadata_digest {
            return Err(FormatError::damaged(Part::Metadata, "its digest does not match"));
        }
        let slice = |offset: u64, length: u64, part: Part| {
            let end = offset.saturating_add(length);
            file.get(offset as usize..end as usize).ok_or_else(|| truncated(part, end))
        };
        let index = Index::decode(
            &record,
            slice(record.block_table_offset, record.block_table_length(), Part::BlockTable)?,
            slice(record.section_table_offset, record.section_table_length, Part::SectionTable)?,
        )?;
        Ok(Self { header, metadata: Metadata::decode(metadata)?, record, index })
    }

    /// The bytes of a section of the same file, verified; nothing if there is no such section.
    ///
    /// # Errors
    /// [`FormatError::Damaged`] naming section and block; [`FormatError::UnsupportedCode`] for a compressed block, which
    /// is `ckpt-store`'s to read.
    pub fn section(&self, file: &[u8], name: &str) -> Result<Option<Vec<u8>>, FormatError> {
        let Some(section) = self.index.section(name) else { return Ok(None) };
        let mut bytes = Vec::new();
        let mut digest = SectionDigest::new();
        for (number, block) in self.index.blocks_of(section).iter().enumerate() {
            let end = block.offset.saturating_add(u64::from(block.stored_length));
            let stored = file.get(block.offset as usize..end as usize).unwrap_or_default();
            block.check(stored, name, number as u32)?;
            if block.compression != Compression::None {
                let code = u64::from(block.compression.code());
                return Err(FormatError::UnsupportedCode {
                    section: name.to_owned(),
                    what: "compression",
                    code,
                });
            }
            digest.push(&block.digest, block.raw_length);
            bytes.extend_from_slice(stored);
        }
        if digest.finish() != section.digest {
            let part = Part::Section { section: name.to_owned() };
            return Err(FormatError::damaged(part, "its digest does not match"));
        }
        Ok(Some(bytes))
    }

    /// Checks every byte of the same file.
    ///
    /// # Errors
    /// As [`Container::section`], and [`FormatError::Damaged`] for padding that is not zero.
    pub fn verify(&self, file: &[u8]) -> Result<(), FormatError> {
        for section in &self.index.sections {
            self.section(file, &section.name)?;
        }
        let metadata_end = (Header::LENGTH as u64).saturating_add(u64::from(self.header.metadata_length));
        for gap in self.index.gaps(metadata_end, &self.record) {
            let bytes = file.get(gap.start as usize..gap.end as usize).unwrap_or_default();
            if let Some(first) = bytes.iter().position(|byte| *byte != 0) {
                let offset = gap.start.saturating_add(first as u64);
                return Err(FormatError::damaged(Part::Padding { offset }, "it is not zero"));
            }
        }
        Ok(())
    }
}
