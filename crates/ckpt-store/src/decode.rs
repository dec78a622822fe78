//! Reads blocks: stored bytes, digest, decompress, digest again. On all cores when there is enough to do.

use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ckpt_format::{
    BLOCK_RAW_LENGTH, BlockEntry, Compression, Digest, FormatError, Part, SectionDigest, SectionEntry,
};

use crate::compress::Decompressor;
use crate::error::{Error, Result};
use crate::storage::StorageFile;

/// Below this many blocks, threads cost more than they gain.
const PARALLEL_FROM: usize = 8;

/// An open file and its name, for errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocks<'a> {
    pub(crate) file: &'a dyn StorageFile,
    pub(crate) file_name: &'a str,
    pub(crate) section: &'a SectionEntry,
    pub(crate) entries: &'a [BlockEntry],
}

/// Room for one block's stored and raw bytes, and what decompresses it.
struct Scratch {
    stored: Vec<u8>,
    raw: Vec<u8>,
    decompressor: Option<Decompressor>,
}

impl<'a> Blocks<'a> {
    /// The section's bytes as a stream.
    pub(crate) fn stream(self) -> Stream<'a> {
        Stream { walk: Walk::new(self), given: 0 }
    }

    /// Reads the whole section into `out`, which has exactly its raw length.
    pub(crate) fn read_into(&self, out: &mut [u8]) -> Result<()> {
        let rooms = out.chunks_mut(BLOCK_RAW_LENGTH).map(Some);
        self.decode(self.entries.iter().zip(rooms).enumerate())
    }

    /// Reads the whole section and keeps nothing.
    pub(crate) fn verify(&self) -> Result<()> {
        self.decode(self.entries.iter().map(|entry| (entry, None)).enumerate())
    }

    /// Hands the section's bytes out, block after block, each verified before. The section's own digest is known to be
    /// good only when this returns.
    pub(crate) fn copy_to(&self, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut walk = Walk::new(*self);
        while let Some(bytes) = walk.next()? {
            take(bytes)?;
        }
        Ok(())
    }

    fn decode<'r>(
        &self,
        work: impl ExactSizeIterator<Item = (usize, (&'r BlockEntry, Option<&'r mut [u8]>))> + Send,
    ) -> Result<()> {
        let threads = if work.len() < PARALLEL_FROM {
            1
        } else {
            thread::available_parallelism().map_or(1, usize::from).clamp(1, 4)
        };
        let work = Mutex::new(work);
        let stop = AtomicBool::new(false);
        let run = || self.run(&work, &stop);
        let mut results = Vec::new();
        if threads == 1 {
            results.push(run());
        } else {
            thread::scope(|scope| {
                // Fewer threads than hoped for do it, too; with none, this one does.
                let spawned = (0..threads).map(|_| thread::Builder::new().spawn_scoped(scope, run));
                let handles: Vec<_> = spawned.filter_map(|handle| handle.ok()).collect();
                if handles.is_empty() {
                    results.push(run());
                }
                for handle in handles {
                    results.push(handle.join().unwrap_or_else(|_| {
                        let panicked = std::io::Error::other("a decoding thread panicked");
                        Err((usize::MAX, Error::io("reading", self.file_name, panicked)))
                    }));
                }
            });
        }
        let mut digests = Vec::with_capacity(self.entries.len());
        let mut failed: Option<(usize, Error)> = None;
        for result in results {
            match result {
                Ok(some) => digests.extend(some),
                // The first damaged block is named, whichever thread found one first.
                Err((number, error)) => {
                    if failed.as_ref().is_none_or(|(first, _)| number < *first) {
                        failed = Some((number, error));
                    }
                }
            }
        }
        if let Some((_, error)) = failed {
            return Err(error);
        }
        digests.sort_unstable_by_key(|(number, _)| *number);
        let mut digest = SectionDigest::new();
        for ((_, raw_digest), entry) in digests.iter().zip(self.entries) {
            digest.push(raw_digest, entry.raw_length);
        }
        self.check_digest(&digest)
    }

    /// Takes blocks until there are none, or one fails.
    fn run<'r>(
        &self,
        work: &Mutex<impl Iterator<Item = (usize, (&'r BlockEntry, Option<&'r mut [u8]>))>>,
        stop: &AtomicBool,
    ) -> Result<Vec<(usize, Digest)>, (usize, Error)> {
        let mut scratch = Scratch::new();
        let mut digests = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let next = work.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((number, (entry, room))) = next else { break };
            let digest = match room {
                Some(room) => self.block(number, entry, room, &mut scratch),
                None => {
                    let mut raw = std::mem::take(&mut scratch.raw);
                    raw.resize(entry.raw_length as usize, 0);
                    let digest = self.block(number, entry, &mut raw, &mut scratch);
                    scratch.raw = raw;
                    digest
                }
            };
            match digest {
                Ok(digest) => digests.push((number, digest)),
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    return Err((number, error));
                }
            }
        }
        Ok(digests)
    }

    /// One block into `raw`, which has exactly its raw length; returns the digest of the raw bytes.
    fn block(
        &self,
        number: usize,
        entry: &BlockEntry,
        raw: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<Digest> {
        let number = number as u32;
        let part = || Part::Block { section: self.section.name.clone(), block: number };
        let bad = |error| Error::format(self.file_name, error);
        if entry.compression == Compression::None {
            self.read_at(entry.offset, raw, part)?;
            entry.check(raw, &self.section.name, number).map_err(bad)?;
            return Ok(entry.digest);
        }
        scratch.stored.resize(entry.stored_length as usize, 0);
        self.read_at(entry.offset, &mut scratch.stored, part)?;
        entry.check(&scratch.stored, &self.section.name, number).map_err(bad)?;
        let decompressor = match &mut scratch.decompressor {
            Some(decompressor) => decompressor,
            none => none.insert(
                Decompressor::new().map_err(|source| Error::io("decompressing", self.file_name, source))?,
            ),
        };
        decompressor
            .decompress(&scratch.stored, raw)
            .map_err(|reason| bad(FormatError::Damaged { part: part(), reason }))?;
        Ok(Digest::of(raw))
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8], part: impl Fn() -> Part) -> Result<()> {
        read_exact_at(self.file, self.file_name, offset, bytes, part)
    }

    fn check_digest(&self, digest: &SectionDigest) -> Result<()> {
        if digest.finish() == self.section.digest {
            return Ok(());
        }
        let part = Part::Section { section: self.section.name.clone() };
        let reason = "its digest does not match".to_owned();
        Err(Error::format(self.file_name, FormatError::Damaged { part, reason }))
    }
}

/// One block after another.
struct Walk<'a> {
    blocks: Blocks<'a>,
    number: usize,
    digest: SectionDigest,
    raw: Vec<u8>,
    scratch: Scratch,
}

impl<'a> Walk<'a> {
    fn new(blocks: Blocks<'a>) -> Self {
        Self { blocks, number: 0, digest: SectionDigest::new(), raw: Vec::new(), scratch: Scratch::new() }
    }

    /// The next block, verified; after the last one the section's digest is checked.
    fn next(&mut self) -> Result<Option<&[u8]>> {
        self.raw.clear();
        let Some(entry) = self.blocks.entries.get(self.number) else {
            return self.blocks.check_digest(&self.digest).map(|()| None);
        };
        self.raw.resize(entry.raw_length as usize, 0);
        let raw_digest = self.blocks.block(self.number, entry, &mut self.raw, &mut self.scratch)?;
        self.digest.push(&raw_digest, entry.raw_length);
        self.number += 1;
        Ok(Some(&self.raw))
    }
}

/// A section's bytes as a stream.
pub(crate) struct Stream<'a> {
    walk: Walk<'a>,
    /// How much of the current block was given away.
    given: usize,
}

impl Read for Stream<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.given == self.walk.raw.len() {
            self.given = 0;
            match self.walk.next() {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(0),
                Err(error) => {
                    // What was read is not good: whoever asks again must not be given it.
                    self.walk.raw.clear();
                    return Err(match error {
                        Error::Io { source, .. } | Error::Permission { source, .. } => source,
                        damage => io::Error::new(io::ErrorKind::InvalidData, damage),
                    });
                }
            }
        }
        let rest = &self.walk.raw[self.given..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

impl Scratch {
    fn new() -> Self {
        Self { stored: Vec::new(), raw: Vec::new(), decompressor: None }
    }
}

/// Fills `bytes` from `offset`; a file that ends before is damaged at `part`.
pub(crate) fn read_exact_at(
    file: &dyn StorageFile,
    file_name: &str,
    offset: u64,
    bytes: &mut [u8],
    part: impl Fn() -> Part,
) -> Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        let read = file.read_at(offset + done as u64, &mut bytes[done..]);
        match read.map_err(|source| Error::io("reading", file_name, source))? {
            0 => {
                let needed = offset + bytes.len() as u64;
                let found = offset + done as u64;
                return Err(Error::format(file_name, FormatError::Truncated { part: part(), needed, found }));
            }
            count => done += count,
        }
    }
    Ok(())
}
