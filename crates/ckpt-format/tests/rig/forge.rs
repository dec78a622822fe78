//! A container made field by field from `docs/FORMAT.md` alone: every digest is right, whatever the fields say.

use ckpt_format::Digest;

/// Bytes of the record at the end of a file.
const RECORD: u64 = 256;
/// What everything on disk is padded to.
const PAGE: u64 = 4_096;
/// Raw bytes of every block of a section but the last.
pub(crate) const BLOCK: usize = 262_144;

/// The fields of a file. [`Forge::settle`] makes them honest, [`Forge::seal`] makes the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forge {
    pub(crate) header: Header,
    pub(crate) metadata: Vec<u8>,
    /// What lies between the metadata and the block table.
    pub(crate) payload: Vec<u8>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) sections: Vec<Section>,
    pub(crate) record: Record,
}

/// Bytes 8 to 32 of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Header {
    pub(crate) major: u16,
    pub(crate) minor: u16,
    pub(crate) metadata_length: u32,
    pub(crate) required: u64,
    pub(crate) compatible: u64,
}

/// An entry of the block table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    pub(crate) location: u64,
    pub(crate) offset: u64,
    pub(crate) stored_length: u32,
    pub(crate) raw_length: u32,
    pub(crate) compression: u8,
    pub(crate) zero: u8,
    pub(crate) digest: [u8; 32],
}

/// An entry of the section table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Section {
    pub(crate) raw_length: u64,
    pub(crate) stored_length: u64,
    pub(crate) first_block: u64,
    pub(crate) block_count: u32,
    pub(crate) version: u32,
    /// Codec, filter, choice, zero.
    pub(crate) codes: [u8; 4],
    pub(crate) sample: u16,
    pub(crate) name_length: u16,
    pub(crate) kind_length: u16,
    pub(crate) digest: [u8; 32],
    pub(crate) name: Vec<u8>,
    pub(crate) kind: Vec<u8>,
}

/// The fields of the commit record that are not digests.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Record {
    pub(crate) file_length: u64,
    pub(crate) payload_offset: u64,
    pub(crate) block_table_offset: u64,
    pub(crate) section_table_offset: u64,
    pub(crate) section_table_length: u64,
    pub(crate) block_count: u32,
    pub(crate) section_count: u32,
    pub(crate) raw_bytes: u64,
    pub(crate) stored_bytes: u64,
}

/// A block as it is stored: its bytes, how they are compressed, and what they stand for.
#[derive(Debug, Clone)]
pub(crate) struct Stored<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) compression: u8,
    pub(crate) raw: &'a [u8],
}

impl Forge {
    /// A file with this metadata and no sections, honest once it is settled.
    pub(crate) fn new(metadata: &[u8]) -> Self {
        let mut forge = Self { metadata: metadata.to_vec(), ..Self::default() };
        forge.header = Header { major: 1, metadata_length: metadata.len() as u32, ..Header::default() };
        forge.payload.resize((forge.payload_offset() - 64 - metadata.len() as u64) as usize, 0);
        forge
    }

    /// Adds a section whose blocks are stored as they are.
    pub(crate) fn plain(&mut self, name: &str, codec: u8, bytes: &[u8]) {
        let stored = bytes.chunks(BLOCK).map(|bytes| Stored { bytes, compression: 0, raw: bytes });
        self.section(name, codec, &stored.collect::<Vec<_>>());
    }

    /// Adds a section of these blocks.
    pub(crate) fn section(&mut self, name: &str, codec: u8, stored: &[Stored<'_>]) {
        let first_block = self.blocks.len() as u64;
        if codec == 0 && !stored.is_empty() {
            let padded = self.end().next_multiple_of(PAGE) - 64 - self.metadata.len() as u64;
            self.payload.resize(padded as usize, 0);
        }
        let (mut raw_length, mut stored_length) = (0, 0);
        let mut digests = Vec::new();
        for Stored { bytes, compression, raw } in stored {
            self.blocks.push(Block {
                offset: self.end(),
                stored_length: bytes.len() as u32,
                raw_length: raw.len() as u32,
                compression: *compression,
                digest: digest(bytes),
                ..Block::default()
            });
            self.payload.extend_from_slice(bytes);
            raw_length += raw.len() as u64;
            stored_length += bytes.len() as u64;
            digests.extend_from_slice(&digest(raw));
        }
        self.sections.push(Section {
            raw_length,
            stored_length,
            first_block,
            block_count: stored.len() as u32,
            codes: [codec, 0, 0, 0],
            sample: u16::MAX,
            name_length: name.len() as u16,
            digest: digest(&[&raw_length.to_le_bytes()[..], &digests].concat()),
            name: name.as_bytes().to_vec(),
            ..Section::default()
        });
    }

    /// Makes the padding before the tables and the record those of an honest writer.
    pub(crate) fn settle(&mut self) {
        let block_table_offset = self.end().next_multiple_of(8);
        self.payload.resize((block_table_offset - 64 - self.metadata.len() as u64) as usize, 0);
        let section_table_offset = block_table_offset + 64 * self.blocks.len() as u64;
        let section_table_length = self.section_table().len() as u64;
        let sum = |length: fn(&Section) -> u64| self.sections.iter().map(length).fold(0, u64::wrapping_add);
        self.record = Record {
            file_length: (section_table_offset + section_table_length + RECORD).next_multiple_of(PAGE),
            payload_offset: self.payload_offset(),
            block_table_offset,
            section_table_offset,
            section_table_length,
            block_count: self.blocks.len() as u32,
            section_count: self.sections.len() as u32,
            raw_bytes: sum(|section| section.raw_length),
            stored_bytes: sum(|section| section.stored_length),
        };
    }

    /// The file: the parts one after the other, its length an honest one, every digest that of what it covers.
    pub(crate) fn seal(&self) -> Vec<u8> {
        let head = self.head();
        let (block_table, section_table) = (self.block_table(), self.section_table());
        let mut file =
            [&head[..], &self.metadata, &self.payload, &block_table[..], &section_table[..]].concat();
        let length = (file.len() as u64 + RECORD).next_multiple_of(PAGE);
        file.resize((length - RECORD) as usize, 0);
        file.extend_from_slice(&self.tail(&head, &block_table, &section_table));
        file
    }

    /// The first 64 bytes.
    pub(crate) fn head(&self) -> Vec<u8> {
        let Header { major, minor, metadata_length, required, compatible } = self.header;
        let mut head = b"\x89CKPT\r\n\x1a".to_vec();
        head.extend_from_slice(&major.to_le_bytes());
        head.extend_from_slice(&minor.to_le_bytes());
        head.extend_from_slice(&metadata_length.to_le_bytes());
        head.extend_from_slice(&required.to_le_bytes());
        head.extend_from_slice(&compatible.to_le_bytes());
        head.extend_from_slice(&digest(&self.metadata)[..16]);
        let check = digest(&head);
        head.extend_from_slice(&check[..16]);
        head
    }

    /// The last 256 bytes of a file with these first 64 and these tables.
    pub(crate) fn tail(&self, head: &[u8], block_table: &[u8], section_table: &[u8]) -> Vec<u8> {
        let record = self.record;
        let mut tail = b"\x89CKPTEND".to_vec();
        for field in [
            record.file_length,
            record.payload_offset,
            record.block_table_offset,
            record.section_table_offset,
            record.section_table_length,
        ] {
            tail.extend_from_slice(&field.to_le_bytes());
        }
        tail.extend_from_slice(&record.block_count.to_le_bytes());
        tail.extend_from_slice(&record.section_count.to_le_bytes());
        tail.extend_from_slice(&record.raw_bytes.to_le_bytes());
        tail.extend_from_slice(&record.stored_bytes.to_le_bytes());
        tail.extend_from_slice(&[0; 24]);
        for digested in [&self.metadata[..], block_table, section_table, &self.content()] {
            tail.extend_from_slice(&digest(digested));
        }
        let index = digest(&[head, &tail].concat());
        tail.extend_from_slice(&index);
        tail
    }

    /// Bytes of the block table.
    pub(crate) fn block_table(&self) -> Vec<u8> {
        let mut table = Vec::new();
        for block in &self.blocks {
            table.extend_from_slice(&block.location.to_le_bytes());
            table.extend_from_slice(&block.offset.to_le_bytes());
            table.extend_from_slice(&block.stored_length.to_le_bytes());
            table.extend_from_slice(&block.raw_length.to_le_bytes());
            table.extend_from_slice(&[block.compression, block.zero, 0, 0, 0, 0, 0, 0]);
            table.extend_from_slice(&block.digest);
        }
        table
    }

    /// Bytes of the section table.
    pub(crate) fn section_table(&self) -> Vec<u8> {
        let mut table = Vec::new();
        for section in &self.sections {
            table.extend_from_slice(&section.raw_length.to_le_bytes());
            table.extend_from_slice(&section.stored_length.to_le_bytes());
            table.extend_from_slice(&section.first_block.to_le_bytes());
            table.extend_from_slice(&section.block_count.to_le_bytes());
            table.extend_from_slice(&section.version.to_le_bytes());
            table.extend_from_slice(&section.codes);
            table.extend_from_slice(&section.sample.to_le_bytes());
            table.extend_from_slice(&section.name_length.to_le_bytes());
            table.extend_from_slice(&section.kind_length.to_le_bytes());
            table.extend_from_slice(&[0; 22]);
            table.extend_from_slice(&section.digest);
            table.extend_from_slice(&section.name);
            table.extend_from_slice(&section.kind);
            table.resize(table.len().next_multiple_of(8), 0);
        }
        table
    }

    /// What the content digest is of.
    fn content(&self) -> Vec<u8> {
        let mut sorted: Vec<&Section> = self.sections.iter().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let mut bytes = (sorted.len() as u32).to_le_bytes().to_vec();
        for section in sorted {
            for text in [&section.name, &section.kind] {
                bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
                bytes.extend_from_slice(text);
            }
            bytes.extend_from_slice(&section.version.to_le_bytes());
            bytes.extend_from_slice(&section.digest);
        }
        bytes
    }

    fn payload_offset(&self) -> u64 {
        (64 + self.metadata.len() as u64).next_multiple_of(PAGE)
    }

    fn end(&self) -> u64 {
        (64 + self.metadata.len() + self.payload.len()) as u64
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    *Digest::of(bytes).as_bytes()
}
