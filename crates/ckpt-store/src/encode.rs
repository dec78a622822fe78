//! Turns metadata and sections into the bytes of a file: blocks are compressed and digested while others are written.
//!
//! Small checkpoints take one thread. For the rest, the caller's thread cuts sections into batches of blocks, workers
//! encode them in aligned buffers, and one thread writes them in order. Every queue is bounded, so memory is, too.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ckpt_format::{
    BLOCK_RAW_LENGTH, CommitRecord, Compression, Digest, FormatError, IdentError, IndexBuilder, KindName,
    SectionStart, front,
};

use crate::buffer::{Buffer, Pool};
use crate::compress::{self, Compress, Compressor, Compressors, Known};
use crate::error::{Error, Result};
use crate::section::{Head, Section, Source};
use crate::sink::Sink;
use crate::storage::StorageFile;

/// Bytes that travel together: sixteen blocks. Between two direct writes the disk is idle, so they should be few.
const BATCH: usize = 16 * BLOCK_RAW_LENGTH;
/// Batches that may wait in a queue.
const DEPTH: usize = 2;
/// Up to this many known bytes, a fast disk has them before they could be compressed, and a slow one does not feel them.
const SMALL_MAX: u64 = 128 << 10;
/// Up to this many known bytes, threads cost more than they gain.
const SERIAL_MAX: u64 = 2 << 20;

/// Memory that one save after another uses.
#[derive(Debug)]
pub(crate) struct Workshop {
    /// Encoded batches, and what the sink gathers.
    encoded: Pool,
    /// What was read from streams.
    read: Pool,
    /// What the sink of a small checkpoint gathers.
    small: Pool,
    compressors: Compressors,
    workers: usize,
}

/// How to encode.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode {
    pub(crate) compress: Compress,
    /// Whether bytes count more than time now.
    pub(crate) filling: bool,
}

/// What became of a batch.
struct Encoded {
    buffer: Buffer,
    blocks: Vec<Block>,
}

struct Block {
    stored_length: u32,
    raw_length: u32,
    compression: Compression,
    stored: Digest,
    raw: Digest,
}

/// Bytes to encode.
enum Raw<'a> {
    Slice(&'a [u8]),
    Read(Buffer),
}

struct Job<'a> {
    raw: Raw<'a>,
    compress: bool,
    done: SyncSender<io::Result<Encoded>>,
}

/// What the writing thread is told, in order.
enum Step {
    Begin(SectionStart),
    Batch(Receiver<io::Result<Encoded>>),
    End,
    Finish,
}

/// Why feeding stopped.
enum Stop {
    Error(Error),
    /// The other side is gone; its own error says why.
    WriterGone,
}

/// Writing failed: by the system, or by the format's limits.
enum WriteError {
    Io(io::Error),
    Format(FormatError),
}

impl Workshop {
    pub(crate) fn new() -> Self {
        let workers = thread::available_parallelism().map_or(1, usize::from).clamp(1, 4);
        Self {
            // At most DEPTH + 2 batches are under way on either side: 2 x 4 x 4 MiB and the sink's.
            encoded: Pool::new(BATCH, DEPTH + 3),
            read: Pool::new(BATCH, DEPTH + 3),
            small: Pool::new(256 << 10, 1),
            compressors: Compressors::default(),
            workers,
        }
    }

    /// Writes a whole container to an empty file. `path` is for errors. Also returned: how long was spent compressing, summed
    /// over the threads that did it. One save at a time: what another spends meanwhile would be counted, too.
    pub(crate) fn write(
        &self,
        file: &mut dyn StorageFile,
        path: &str,
        metadata: &[u8],
        sections: Vec<Section<'_>>,
        mode: Mode,
    ) -> Result<(CommitRecord, Duration)> {
        // What a save that failed has spent is none of this one's.
        self.compressors.take_spent();
        let (header, front) = front(metadata).map_err(Error::Format)?;
        let known: Option<u64> = sections
            .iter()
            .map(|section| match &section.source {
                Source::Bytes(bytes) => Some(bytes.len() as u64),
                Source::Reader(_) => None,
            })
            .sum();
        let small = !mode.filling && known.is_some_and(|known| known <= SMALL_MAX);
        let serial = known.is_some_and(|known| known <= SERIAL_MAX);
        let pool = if serial { &self.small } else { &self.encoded };
        let expected = if mode.compress == Compress::Always { 0 } else { known.unwrap_or(0) };
        let sink = Sink::new(file, pool.take(), expected);
        let mut assembly = Assembly { sink, index: IndexBuilder::new(header, metadata), pool: &self.encoded };
        assembly.sink.append(&front).map_err(|error| WriteError::Io(error).at(path))?;
        let (record, tail) = if serial {
            self.write_serially(assembly, path, &sections, mode, small)?
        } else {
            self.write_in_parallel(assembly, path, sections, mode)?
        };
        pool.give(tail);
        Ok((record, self.compressors.take_spent()))
    }

    fn write_serially(
        &self,
        mut assembly: Assembly<'_>,
        path: &str,
        sections: &[Section<'_>],
        mode: Mode,
        small: bool,
    ) -> Result<(CommitRecord, Buffer)> {
        let mut compressor = None;
        for section in sections {
            let Source::Bytes(bytes) = &section.source else { continue };
            let known = if small { Known::Small } else { Known::All(bytes) };
            let (start, compress) = start(&section.head, mode, known, &self.compressors)?;
            assembly.begin(start).map_err(|error| error.at(path))?;
            for batch in bytes.chunks(BATCH) {
                let written = if compress {
                    self.compressor(&mut compressor, compress)
                        .and_then(|compressor| encode_batch(batch, compressor, self.encoded.take()))
                        .map_err(WriteError::Io)
                        .and_then(|encoded| assembly.batch(encoded))
                } else {
                    // What stays as it is need not be copied to be digested.
                    assembly.blocks(&batch.chunks(BLOCK_RAW_LENGTH).map(Block::of).collect::<Vec<_>>(), batch)
                };
                written.map_err(|error| error.at(path))?;
            }
            assembly.index.end_section();
        }
        compressor.into_iter().for_each(|compressor| self.compressors.give(compressor));
        assembly.finish().map_err(|error| error.at(path))
    }

    fn write_in_parallel(
        &self,
        assembly: Assembly<'_>,
        path: &str,
        mut sections: Vec<Section<'_>>,
        mode: Mode,
    ) -> Result<(CommitRecord, Buffer)> {
        let (jobs, job_queue) = sync_channel::<Job<'_>>(DEPTH);
        let (steps, step_queue) = sync_channel(DEPTH);
        let job_queue = Mutex::new(job_queue);
        thread::scope(|scope| {
            // A process may be refused another thread: an error of this save, not the end of the process.
            let refused = |source| Error::io("starting a thread for", path, source);
            for _ in 0..self.workers {
                thread::Builder::new().spawn_scoped(scope, || self.work(&job_queue)).map_err(refused)?;
            }
            let writer = thread::Builder::new()
                .spawn_scoped(scope, move || assembly.run(&step_queue))
                .map_err(refused)?;
            let fed = self.feed(&mut sections, mode, &jobs, &steps);
            drop((jobs, steps));
            let written = writer
                .join()
                .map_err(|_| Error::io("writing", path, io::Error::other("the writing thread panicked")))?;
            match (fed, written) {
                (Err(Stop::Error(error)), _) => Err(error),
                (_, Err(error)) => Err(error.at(path)),
                (_, Ok(Some(done))) => Ok(done),
                (_, Ok(None)) => Err(Error::io(
                    "writing",
                    path,
                    io::Error::other("the writing thread was not told to finish"),
                )),
            }
        })
    }

    /// Encodes batches until there are no more.
    fn work(&self, jobs: &Mutex<Receiver<Job<'_>>>) {
        let mut compressor = None;
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Job { raw, compress, done }) = job else { break };
            let encoded = self.compressor(&mut compressor, compress).and_then(|compressor| match &raw {
                Raw::Slice(bytes) => encode_batch(bytes, compressor, self.encoded.take()),
                Raw::Read(buffer) => encode_batch(buffer.filled(), compressor, self.encoded.take()),
            });
            if let Raw::Read(buffer) = raw {
                self.read.give(buffer);
            }
            // The writing thread may have given up; its own error says why.
            let _ = done.send(encoded);
        }
        compressor.into_iter().for_each(|compressor| self.compressors.give(compressor));
    }

    /// The one that is kept, taken when it is needed first; nothing if nothing is compressed.
    fn compressor<'k>(
        &self,
        kept: &'k mut Option<Compressor>,
        compress: bool,
    ) -> io::Result<Option<&'k mut Compressor>> {
        if compress && kept.is_none() {
            *kept = Some(self.compressors.take()?);
        }
        Ok(if compress { kept.as_mut() } else { None })
    }

    /// Cuts the sections into batches, in order.
    fn feed<'b>(
        &self,
        sections: &'b mut [Section<'_>],
        mode: Mode,
        jobs: &SyncSender<Job<'b>>,
        steps: &SyncSender<Step>,
    ) -> Result<(), Stop> {
        let send = |step| steps.send(step).map_err(|_| Stop::WriterGone);
        let batch = |raw, compress| {
            let (done, result) = sync_channel(1);
            jobs.send(Job { raw, compress, done }).map_err(|_| Stop::WriterGone)?;
            send(Step::Batch(result))
        };
        for Section { head, source } in sections {
            match source {
                Source::Bytes(bytes) => {
                    let bytes: &'b [u8] = bytes;
                    let (start, compress) =
                        start(head, mode, Known::All(bytes), &self.compressors).map_err(Stop::Error)?;
                    send(Step::Begin(start))?;
                    for chunk in bytes.chunks(BATCH) {
                        batch(Raw::Slice(chunk), compress)?;
                    }
                }
                Source::Reader(reader) => {
                    let mut read = || self.read_batch(reader.as_mut(), &head.name);
                    let mut buffer = read()?;
                    let known = match buffer.len() < BATCH {
                        true => Known::All(buffer.filled()),
                        false => Known::First(buffer.filled()),
                    };
                    let (start, compress) =
                        start(head, mode, known, &self.compressors).map_err(Stop::Error)?;
                    send(Step::Begin(start))?;
                    while buffer.len() > 0 {
                        let last = buffer.len() < BATCH;
                        batch(Raw::Read(buffer), compress)?;
                        buffer = if last { self.read.take() } else { read()? };
                    }
                    self.read.give(buffer);
                }
            }
            send(Step::End)?;
        }
        send(Step::Finish)
    }

    /// Reads a batch from a section's stream; a short one is the last.
    fn read_batch(&self, reader: &mut dyn Read, section: &str) -> Result<Buffer, Stop> {
        let mut buffer = self.read.take();
        while !buffer.spare().is_empty() {
            match reader.read(buffer.spare()) {
                Ok(0) => break,
                Ok(count) => buffer.advance(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(Stop::Error(Error::Source { section: section.to_owned(), source }));
                }
            }
        }
        Ok(buffer)
    }
}

/// What is written, and the index of it.
struct Assembly<'a> {
    sink: Sink<'a>,
    index: IndexBuilder,
    pool: &'a Pool,
}

impl Assembly<'_> {
    /// Does what it is told, until it is told to finish. Nothing is returned if that never happens.
    fn run(mut self, steps: &Receiver<Step>) -> Result<Option<(CommitRecord, Buffer)>, WriteError> {
        for step in steps {
            match step {
                Step::Begin(start) => self.begin(start)?,
                Step::Batch(result) => {
                    let encoded = result.recv().map_err(|_| io::Error::other("an encoding thread panicked"));
                    self.batch(encoded.and_then(|encoded| encoded).map_err(WriteError::Io)?)?;
                }
                Step::End => self.index.end_section(),
                Step::Finish => return self.finish().map(Some),
            }
        }
        Ok(None)
    }

    fn begin(&mut self, start: SectionStart) -> Result<(), WriteError> {
        self.index.begin(start).map(|_| ()).map_err(WriteError::Format)
    }

    fn batch(&mut self, encoded: Encoded) -> Result<(), WriteError> {
        let Encoded { buffer, blocks } = encoded;
        self.blocks(&blocks, buffer.filled())?;
        self.pool.give(buffer);
        Ok(())
    }

    /// Writes blocks that lie one after another in `bytes`.
    fn blocks(&mut self, blocks: &[Block], bytes: &[u8]) -> Result<(), WriteError> {
        let mut padding = None;
        for block in blocks {
            let end = self.index.end();
            self.index
                .block(block.stored_length, block.raw_length, block.compression, block.stored, &block.raw)
                .map_err(WriteError::Format)?;
            // Only the first block of a section is ever preceded by a gap.
            padding.get_or_insert(self.index.end() - u64::from(block.stored_length) - end);
        }
        self.sink.pad(padding.unwrap_or(0)).map_err(WriteError::Io)?;
        self.sink.append(bytes).map_err(WriteError::Io)
    }

    fn finish(mut self) -> Result<(CommitRecord, Buffer), WriteError> {
        let (end, record) = self.index.finish().map_err(WriteError::Format)?;
        self.sink.append(&end).map_err(WriteError::Io)?;
        Ok((record, self.sink.finish().map_err(WriteError::Io)?))
    }
}

impl Block {
    /// One that is stored as it is.
    fn of(bytes: &[u8]) -> Self {
        let (length, digest) = (bytes.len() as u32, Digest::of(bytes));
        let compression = Compression::None;
        Self { stored_length: length, raw_length: length, compression, stored: digest, raw: digest }
    }
}

impl WriteError {
    fn at(self, path: &str) -> Error {
        match self {
            Self::Io(source) => Error::io("writing", path, source),
            Self::Format(source) => Error::Format(source),
        }
    }
}

/// What is known of a section before its bytes are written, and whether they are compressed.
fn start(
    head: &Head,
    mode: Mode,
    known: Known<'_>,
    compressors: &Compressors,
) -> Result<(SectionStart, bool)> {
    let refused =
        |error: IdentError| Error::Refused { section: head.name.clone(), reason: error.to_string() };
    let name = head.name.parse().map_err(refused)?;
    let kind = KindName::parse_optional(&head.kind).map_err(refused)?;
    let asked = head.compress.unwrap_or(mode.compress);
    let decision = compress::decide(asked, known, mode.filling, compressors)
        .map_err(|source| Error::io("compressing a sample of", &head.name, source))?;
    let start = SectionStart {
        name,
        kind,
        version: head.version,
        codec: head.codec,
        choice: decision.choice,
        sample_permille: decision.sample_permille,
    };
    Ok((start, decision.compress))
}

/// Compresses (or copies) and digests block after block. The buffer has room for all of them as they are.
fn encode_batch(
    raw: &[u8],
    mut compressor: Option<&mut Compressor>,
    mut buffer: Buffer,
) -> io::Result<Encoded> {
    let mut blocks = Vec::with_capacity(raw.len().div_ceil(BLOCK_RAW_LENGTH));
    for block in raw.chunks(BLOCK_RAW_LENGTH) {
        let before = buffer.len();
        let compressed = match &mut compressor {
            Some(compressor) => compressor.compress(block, buffer.spare())?,
            None => None,
        };
        match compressed {
            Some(length) => buffer.advance(length),
            None => {
                buffer.fill(block);
            }
        }
        let stored = Block::of(&buffer.filled()[before..]);
        blocks.push(match compressed {
            None => stored,
            Some(_) => Block {
                raw_length: block.len() as u32,
                compression: Compression::Zstd,
                raw: Digest::of(block),
                ..stored
            },
        });
    }
    Ok(Encoded { buffer, blocks })
}
