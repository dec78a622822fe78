//! One open checkpoint: its front and end are checked when it is opened, its sections when they are read.

use std::io::{Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use ckpt_format::{
    CommitRecord, Details, Digest, EncodedSection, FormatError, Header, Index, Metadata, PAGE_LENGTH, Part,
    SectionEntry,
};

use crate::decode::{Blocks, read_exact_at};
use crate::error::{Error, Result};
use crate::storage::{Local, Storage, StorageFile};

/// One open checkpoint. Nothing but its front and its last page has been read; a section is verified as it is read.
///
/// The file stays readable while this is held, even if somebody deletes it.
#[derive(Debug)]
pub struct Checkpoint {
    file: Box<dyn StorageFile>,
    file_name: String,
    header: Header,
    metadata: Metadata,
    record: CommitRecord,
    /// What was read of the file: its front and its end, or all of it.
    ends: Vec<u8>,
    /// Where in `ends` the end begins: often it holds both tables.
    tail_at: usize,
    sections: OnceLock<Vec<SectionEntry>>,
    index: OnceLock<Index>,
}

impl Checkpoint {
    /// Opens a file that lies anywhere: an exported checkpoint.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Damaged`], [`Error::Unsupported`], [`Error::Incompatible`], [`Error::Io`].
    pub fn open_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let shown = path.display().to_string();
        // The user's own path may hold links; what it leads to must be a regular file.
        let file = path.canonicalize().and_then(|real| {
            let dir = real.parent().unwrap_or(Path::new("/"));
            let name = real.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            Local::open(dir)?.open_sized(name)
        });
        match file {
            Ok(file) => Self::read_ends(file, shown, Vec::new()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::NotFound { wanted: format!("the file {shown}"), present: Vec::new() })
            }
            Err(source) => Err(Error::io("opening", shown, source)),
        }
    }

    pub(crate) fn open(storage: &dyn Storage, file_name: &str) -> Result<Self> {
        Self::open_in(storage, file_name, Vec::new())
    }

    /// As [`Checkpoint::open`], with the room that an earlier one leaves behind: see [`Checkpoint::into_details`].
    pub(crate) fn open_in(storage: &dyn Storage, file_name: &str, room: Vec<u8>) -> Result<Self> {
        let file = storage.open_sized(file_name).map_err(|source| Error::io("opening", file_name, source))?;
        Self::read_ends(file, file_name.to_owned(), room)
    }

    /// Reads header, metadata and the last page, and checks them. A file of two pages is read at once.
    pub(crate) fn read_ends(
        (file, length): (Box<dyn StorageFile>, u64),
        file_name: String,
        mut ends: Vec<u8>,
    ) -> Result<Self> {
        const SMALL: u64 = 2 * PAGE_LENGTH;
        let bad = |error| Error::format(&file_name, error);
        let is_small = length <= SMALL;
        let first = if is_small { length } else { PAGE_LENGTH };
        ends.resize(first as usize, 0);
        read_exact_at(file.as_ref(), &file_name, 0, &mut ends, || Part::Header)?;
        let header = Header::decode(&ends).map_err(bad)?;
        let metadata_end = Header::LENGTH + header.metadata_length as usize;
        if metadata_end as u64 > length {
            let error =
                FormatError::Truncated { part: Part::Metadata, needed: metadata_end as u64, found: length };
            return Err(bad(error));
        }
        let read = ends.len();
        if metadata_end > read {
            ends.resize(metadata_end, 0);
            read_exact_at(file.as_ref(), &file_name, read as u64, &mut ends[read..], || Part::Metadata)?;
        }
        let metadata_digest = header.check_metadata(&ends[Header::LENGTH..metadata_end]).map_err(bad)?;
        let tail_at = if is_small { 0 } else { ends.len() };
        if !is_small {
            ends.resize(tail_at + PAGE_LENGTH as usize, 0);
            let tail = &mut ends[tail_at..];
            read_exact_at(file.as_ref(), &file_name, length - PAGE_LENGTH, tail, || Part::CommitRecord)?;
        }
        let record = CommitRecord::decode(&ends[tail_at..], length, &header).map_err(bad)?;
        if metadata_digest != record.metadata_digest {
            let reason = "its digest does not match".to_owned();
            return Err(bad(FormatError::Damaged { part: Part::Metadata, reason }));
        }
        let metadata = Metadata::decode(&ends[Header::LENGTH..metadata_end]).map_err(bad)?;
        let (sections, index) = (OnceLock::new(), OnceLock::new());
        Ok(Self { file, file_name, header, metadata, record, ends, tail_at, sections, index })
    }

    /// What it says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Its file name in the run.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// Bytes of the file.
    pub fn file_bytes(&self) -> u64 {
        self.record.file_length
    }

    /// Identity of the file.
    pub fn index_digest(&self) -> Digest {
        self.record.index_digest
    }

    /// Identity of the state.
    pub fn content_digest(&self) -> Digest {
        self.record.content_digest
    }

    /// Bytes of all sections.
    pub fn raw_bytes(&self) -> u64 {
        self.record.raw_bytes
    }

    /// What a listing says of it.
    pub fn details(&self) -> Details {
        Details::new(
            self.metadata.clone(),
            self.record.raw_bytes,
            self.record.content_digest,
            self.record.index_digest,
        )
    }

    /// As [`Checkpoint::details`], without a copy, and the room to open the next one in.
    pub(crate) fn into_details(self) -> (Details, Vec<u8>) {
        let Self { metadata, record, ends, .. } = self;
        (Details::new(metadata, record.raw_bytes, record.content_digest, record.index_digest), ends)
    }

    /// Its sections, in the order they were saved. Reads neither payload nor block table.
    ///
    /// # Errors
    /// [`Error::Damaged`] or [`Error::Unsupported`] if their table is not good.
    pub fn sections(&self) -> Result<&[SectionEntry]> {
        if let Some(sections) = self.sections.get() {
            return Ok(sections);
        }
        let record = &self.record;
        let table =
            self.table(record.section_table_offset, record.section_table_length, Part::SectionTable)?;
        let sections = SectionEntry::decode_table(record, &table)
            .map_err(|error| Error::format(&self.file_name, error))?;
        Ok(self.sections.get_or_init(|| sections))
    }

    /// The bytes of a section, verified. Touches only its blocks.
    ///
    /// # Errors
    /// [`Error::NotFound`] listing the sections there are; [`Error::Damaged`] naming section and block.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        let section = self.section(name)?;
        let length = usize::try_from(section.raw_length).ok().filter(|length| has_room(*length));
        let Some(length) = length else {
            let raw_length = section.raw_length;
            let reason = format!(
                "section {name:?} has {raw_length} bytes, more than fit in memory: restore it to a file"
            );
            return Err(Error::Invalid { reason });
        };
        let mut bytes = vec![0; length];
        self.blocks(section)?.read_into(&mut bytes)?;
        Ok(bytes)
    }

    /// The bytes of a section into the front of `out`, verified; returns how many. If this fails, what is in `out` is
    /// worthless.
    ///
    /// # Errors
    /// As [`Checkpoint::read`], and [`Error::Invalid`] if `out` is too short.
    pub fn read_into(&self, name: &str, out: &mut [u8]) -> Result<usize> {
        let section = self.section(name)?;
        let room = out.len();
        let fits = usize::try_from(section.raw_length).ok().and_then(|length| out.get_mut(..length));
        let Some(out) = fits else {
            let needed = section.raw_length;
            let reason = format!("section {name:?} has {needed} bytes, the buffer has room for {room}");
            return Err(Error::Invalid { reason });
        };
        self.blocks(section)?.read_into(out)?;
        Ok(out.len())
    }

    /// Writes the bytes of a section to `out`, block after block, holding one at a time; returns how many. Each block is
    /// verified before it is written; if this fails, what was written before is worthless.
    ///
    /// # Errors
    /// As [`Checkpoint::read`], and [`Error::Io`] from `out`.
    pub fn copy_to(&self, name: &str, out: &mut dyn Write) -> Result<u64> {
        let section = self.section(name)?;
        self.blocks(section)?.copy_to(|bytes| {
            out.write_all(bytes).map_err(|source| Error::io("writing section", name, source))
        })?;
        Ok(section.raw_length)
    }

    /// A stream of a section's bytes, each block verified before it is handed out. Damage is an error of kind
    /// [`InvalidData`](std::io::ErrorKind::InvalidData).
    ///
    /// # Errors
    /// [`Error::NotFound`] listing the sections there are.
    pub fn stream(&self, name: &str) -> Result<impl Read + Send + '_> {
        self.blocks(self.section(name)?).map(Blocks::stream)
    }

    /// A section with what is needed to decode it.
    ///
    /// # Errors
    /// As [`Checkpoint::read`].
    pub fn read_encoded(&self, name: &str) -> Result<EncodedSection> {
        let section = self.section(name)?;
        Ok(EncodedSection {
            name: section.name.clone(),
            kind: section.kind.clone(),
            version: section.version,
            codec: section.codec,
            bytes: self.read(name)?,
        })
    }

    /// Reads every byte and checks it.
    ///
    /// # Errors
    /// [`Error::Damaged`] naming the place; [`Error::Io`] if it cannot be read.
    pub fn verify(&self) -> Result<()> {
        for section in self.sections()? {
            self.blocks(section)?.verify()?;
        }
        let metadata_end = (Header::LENGTH + self.header.metadata_length as usize) as u64;
        for gap in self.index()?.gaps(metadata_end, &self.record) {
            self.check_zero(gap)?;
        }
        Ok(())
    }

    /// The whole file, byte for byte, to `out`. Verify it before.
    pub(crate) fn export_to(&self, out: &mut dyn Write) -> Result<()> {
        let mut offset = 0;
        let mut chunk = vec![0; 1 << 20];
        while offset < self.record.file_length {
            let count = (self.record.file_length - offset).min(chunk.len() as u64) as usize;
            let part = || Part::CommitRecord;
            read_exact_at(self.file.as_ref(), &self.file_name, offset, &mut chunk[..count], part)?;
            out.write_all(&chunk[..count])
                .map_err(|source| Error::io("exporting", &self.file_name, source))?;
            offset += count as u64;
        }
        Ok(())
    }

    pub(crate) fn index(&self) -> Result<&Index> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let record = &self.record;
        let blocks = self.table(record.block_table_offset, record.block_table_length(), Part::BlockTable)?;
        let sections =
            self.table(record.section_table_offset, record.section_table_length, Part::SectionTable)?;
        let index = Index::decode(record, &blocks, &sections)
            .map_err(|error| Error::format(&self.file_name, error))?;
        Ok(self.index.get_or_init(|| index))
    }

    /// A table, from the page that was read already if it lies there. The commit record was checked, so its length is
    /// less than the file's.
    fn table(&self, offset: u64, length: u64, part: Part) -> Result<std::borrow::Cow<'_, [u8]>> {
        let tail = &self.ends[self.tail_at..];
        let tail_start = self.record.file_length - tail.len() as u64;
        if let Some(start) = offset.checked_sub(tail_start) {
            let range = start as usize..(start + length) as usize;
            if let Some(table) = tail.get(range) {
                return Ok(table.into());
            }
        }
        let room = usize::try_from(length).ok().filter(|length| has_room(*length));
        let room = room.ok_or_else(|| Error::Invalid {
            reason: format!("{part} of {} has {length} bytes, more than fit in memory", self.file_name),
        })?;
        let mut bytes = vec![0; room];
        read_exact_at(self.file.as_ref(), &self.file_name, offset, &mut bytes, || part.clone())?;
        Ok(bytes.into())
    }

    fn section(&self, name: &str) -> Result<&SectionEntry> {
        let index = self.index()?;
        index.section(name).ok_or_else(|| Error::NotFound {
            wanted: format!("section {name:?} of {}", self.file_name),
            present: index.sections.iter().map(|section| section.name.clone()).collect(),
        })
    }

    fn blocks<'a>(&'a self, section: &'a SectionEntry) -> Result<Blocks<'a>> {
        Ok(Blocks {
            file: self.file.as_ref(),
            file_name: &self.file_name,
            section,
            entries: self.index()?.blocks_of(section),
        })
    }

    fn check_zero(&self, gap: Range<u64>) -> Result<()> {
        let mut bytes = vec![0; (gap.end - gap.start) as usize];
        let part = |offset| Part::Padding { offset };
        read_exact_at(self.file.as_ref(), &self.file_name, gap.start, &mut bytes, || part(gap.start))?;
        let Some(first) = bytes.iter().position(|byte| *byte != 0) else { return Ok(()) };
        let (part, reason) = (part(gap.start + first as u64), "it is not zero".to_owned());
        Err(Error::format(&self.file_name, FormatError::Damaged { part, reason }))
    }
}

/// Whether that many bytes can be had at all: asking for too many would end the process, not fail.
fn has_room(length: usize) -> bool {
    Vec::<u8>::new().try_reserve_exact(length).is_ok()
}
