//! `log.jsonl`: what happened in a run, and why. One checksummed line an event.
//!
//! A line is `{"sum":"<16 hex>","entry":{...}}`; the sum is the first 8 bytes of the BLAKE3 of the entry's text. The log
//! explains and proves, it is never needed to load: a line that cannot be read is reported and passed over.

mod note;

use std::sync::Arc;

use ckpt_format::{Digest, Event, Timestamp, Writer};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::layout;
use crate::publish;
use crate::storage::{Access, Storage, StorageFile};

pub use self::note::{FinalState, Note};

const HEAD: &str = "{\"sum\":\"";
const MIDDLE: &str = "\",\"entry\":";
const SUM_DIGITS: usize = 16;
/// The log starts anew beyond this, so that no open ever has to read much.
const ROTATE_BYTES: u64 = 16 << 20;
/// What an open reads of the end of the log: some hundred lines.
const TAIL_BYTES: u64 = 64 << 10;
/// What is read of one file as a whole. A full one is longer than [`ROTATE_BYTES`], by as much as was said since somebody
/// looked; one that is longer than this is none of ours: without content it costs its maker nothing.
const FILE_BYTES_MAX: u64 = 16 * ROTATE_BYTES;
/// The most an open reads, or cuts, to find a line that it can use: a whole file of ours, or a number would be used twice whose
/// line stands at its front.
const TAIL_BYTES_MAX: u64 = FILE_BYTES_MAX;
/// The most that is read at once on the way back.
const PIECE_BYTES_MAX: u64 = 4 << 20;
/// No line is longer: the longest tells of a hundred deletions.
const LINE_BYTES_MAX: usize = 4 << 20;

/// An event in a run, when, and by which process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When, in UTC.
    pub at: Timestamp,
    /// Which process.
    pub by: Writer,
    /// What.
    #[serde(flatten)]
    pub event: LogEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogEvent {
    /// A writer opened the run.
    Opened {
        /// Its epoch.
        epoch: u64,
        /// Staging files of dead or fenced writers that it removed.
        swept: Vec<String>,
        /// The highest sequence used so far.
        highest_sequence: u64,
    },
    /// A checkpoint is durable.
    Saved {
        /// Its epoch.
        epoch: u64,
        /// Its number.
        sequence: u64,
        /// Its file.
        file_name: String,
        /// Why.
        events: Vec<Event>,
        /// Bytes of the file.
        stored_bytes: u64,
        /// Bytes of all sections.
        raw_bytes: u64,
        /// What it cost.
        costs: Costs,
    },
    /// A load passed over a checkpoint.
    SteppedBack {
        /// Its epoch.
        epoch: u64,
        /// Its number.
        sequence: u64,
        /// Its file.
        file_name: String,
        /// Why.
        reason: String,
        /// Where it is now, if it was set aside.
        set_aside: Option<String>,
    },
    /// Checkpoints are about to be deleted. Synced before the first is.
    Deleting {
        /// Which, and why each.
        victims: Vec<Victim>,
    },
    /// They are deleted.
    Deleted {
        /// How many.
        count: u64,
        /// Bytes of their files.
        freed_bytes: u64,
    },
    /// Files that were set aside are removed for good.
    QuarantinePruned {
        /// Which.
        file_names: Vec<String>,
    },
    /// A checkpoint is protected from now on.
    Pinned {
        /// Its number.
        sequence: u64,
        /// Why.
        reason: Option<String>,
    },
    /// A checkpoint is no longer protected.
    Unpinned {
        /// Its number.
        sequence: u64,
    },
    /// What was decided about the run outside of the store.
    #[serde(untagged)]
    Noted(Note),
}

/// What a save cost, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Costs {
    /// Taking the state, while the application waited, as the caller says. 0 if it was saved from where it lies.
    pub snapshot_us: u64,
    /// Compressing, samples included, summed over the threads that did it: it may be more than the time in which they did.
    pub compress_us: u64,
    /// From the first byte to the last: compressing, digesting and writing, overlapped.
    pub write_us: u64,
    /// Syncing the file.
    pub sync_us: u64,
    /// Waiting for the mutation lock, renaming, syncing the directory.
    pub publish_us: u64,
}

/// A checkpoint that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Victim {
    /// Its epoch.
    pub epoch: u64,
    /// Its number.
    pub sequence: u64,
    /// Its file.
    pub file_name: String,
    /// Why.
    pub reason: String,
}

/// A line of the log, read.
#[derive(Debug, Clone, PartialEq)]
pub enum LogLine {
    /// A good one.
    Good(Box<LogEntry>),
    /// One whose sum or shape is wrong; the text as it is.
    Bad(String),
}

/// The log of a run.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    storage: Arc<dyn Storage>,
}

impl Log {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }

    /// Appends a line, in one write. It is durable only if `sync` is set.
    pub(crate) fn append(&self, entry: &LogEntry, sync: bool) -> Result<()> {
        let fail = |source| Error::io("appending to", layout::LOG, source);
        let unknown = |source| Error::DurabilityUnknown { path: layout::LOG.to_owned(), source };
        let mut line = encode(entry)?;
        let mut file = match self.storage.open(layout::LOG, Access::Append) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut file = self.storage.create(layout::LOG).map_err(fail)?;
                file.reveal().map_err(fail)?;
                file.close().map_err(fail)?;
                self.storage.open(layout::LOG, Access::Append).map_err(fail)?
            }
            other => other.map_err(fail)?,
        };
        // A line that found no room was cut short; this one must not continue it.
        if !ends_a_line(file.as_ref()).map_err(fail)? {
            line.insert(0, b'\n');
        }
        let mut rest = line.as_slice();
        while !rest.is_empty() {
            match file.write_at(0, rest).map_err(fail)? {
                0 => return Err(fail(std::io::ErrorKind::WriteZero.into())),
                written => rest = rest.get(written..).unwrap_or_default(),
            }
        }
        if sync {
            file.sync().map_err(unknown)?;
        }
        file.close().map_err(fail)?;
        if sync {
            // The name, too: who made the file may not have needed it to last.
            self.storage.sync_dir("").map_err(unknown)?;
        }
        Ok(())
    }

    /// Cuts a last line that has no end, and starts a new file when this one is full. Only under both locks. A line that is
    /// longer than all that is cut becomes a bad one: the next is not glued to it.
    pub(crate) fn mend(&self) -> Result<()> {
        let cut = self.cut_torn_line();
        // Also if it cannot be cut: where a rename takes two steps, one that died between them left the file with two names,
        // and so not to be written to; the next one ends that.
        self.rotate_if_full().and(cut)
    }

    fn cut_torn_line(&self) -> Result<()> {
        let fail = |source| Error::io("mending", layout::LOG, source);
        for _ in 0..TAIL_BYTES_MAX / TAIL_BYTES {
            let Some((mut file, tail, length)) = self.open_end(layout::LOG, Access::Write, TAIL_BYTES)?
            else {
                break;
            };
            let torn = tail.iter().rev().take_while(|byte| **byte != b'\n').count() as u64;
            if torn > 0 {
                file.set_length(length.saturating_sub(torn)).map_err(fail)?;
            }
            file.close().map_err(fail)?;
            // A torn line that is longer than what was read is cut piece by piece.
            if torn == 0 || torn < tail.len() as u64 {
                break;
            }
        }
        Ok(())
    }

    /// Starts a new file when this one is full. Only by the writer: who appends meanwhile still finds the old one.
    pub(crate) fn rotate_if_full(&self) -> Result<()> {
        let fail = |source| Error::io("rotating", layout::LOG, source);
        let length = match self.storage.open(layout::LOG, Access::Read) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            file => file.and_then(|file| file.length()).map_err(fail)?,
        };
        if length <= ROTATE_BYTES {
            return Ok(());
        }
        let names = self.storage.list("").map_err(fail)?;
        let last = names.iter().filter_map(|entry| rotated_number(&entry.name)).max().unwrap_or(0);
        publish::rotate(self.storage.as_ref(), layout::LOG, &rotated(last.saturating_add(1)))
    }

    /// The last lines, oldest first: back to a save, which says the highest sequence used by then and what is durable.
    pub(crate) fn tail(&self) -> Result<Vec<LogLine>> {
        let names = self.storage.list("").map_err(|source| Error::io("listing", ".", source))?;
        let last = names.iter().filter_map(|entry| rotated_number(&entry.name)).max().map(rotated);
        let mut lines = Vec::new();
        for path in [Some(layout::LOG.to_owned()), last].into_iter().flatten() {
            let older = self.tail_of(&path)?;
            lines.splice(0..0, older);
            if lines.iter().any(is_saved) {
                break;
            }
        }
        Ok(lines)
    }

    /// The good lines of one file from its last save on, oldest first. Read from the end, piece by piece: however long the file
    /// is, a few pieces are in memory.
    fn tail_of(&self, path: &str) -> Result<Vec<LogLine>> {
        let fail = |source| Error::io("reading", path, source);
        let file = match self.storage.open(path, Access::Read) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(fail)?,
        };
        let mut end = file.length().map_err(fail)?;
        let floor = end.saturating_sub(TAIL_BYTES_MAX);
        let mut window = TAIL_BYTES;
        // The end of a line whose beginning is not read yet.
        let mut rest = Vec::new();
        let mut pieces = Vec::new();
        while end > floor {
            let start = end.saturating_sub(window).max(floor);
            let mut bytes = read_range(file.as_ref(), start, end).map_err(fail)?;
            bytes.append(&mut rest);
            let whole = match bytes.iter().position(|byte| *byte == b'\n') {
                _ if start == 0 => 0,
                Some(newline) => newline.saturating_add(1),
                None => bytes.len(),
            };
            let (cut, lines) = bytes.split_at(whole);
            if cut.len() <= LINE_BYTES_MAX {
                rest = cut.to_vec();
            }
            let found: Vec<LogLine> = lines.split(|byte| *byte == b'\n').filter_map(decode_good).collect();
            let done = found.iter().any(is_saved);
            pieces.push(found);
            if done {
                break;
            }
            end = start;
            window = window.saturating_mul(4).min(PIECE_BYTES_MAX);
        }
        Ok(pieces.into_iter().rev().flatten().collect())
    }

    /// All lines, oldest first, rotated files included. One that is longer than a log can be is an error.
    pub(crate) fn lines(&self) -> Result<Vec<LogLine>> {
        let names = self.storage.list("").map_err(|source| Error::io("listing", ".", source))?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|entry| rotated_number(&entry.name)).collect();
        numbers.sort_unstable();
        let mut lines = Vec::new();
        let paths = numbers.into_iter().map(rotated).chain([layout::LOG.to_owned()]);
        for path in paths {
            match self.storage.open(&path, Access::Read) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::io("opening", &path, source)),
                Ok(file) => {
                    let fail = |source| Error::io("reading", &path, source);
                    let length = file.length().map_err(fail)?;
                    if length > FILE_BYTES_MAX {
                        let reason = format!("{path} has {length} bytes, no log is that long: move it away");
                        return Err(Error::Invalid { reason });
                    }
                    lines.extend(decode_lines(&read_from(file.as_ref(), 0).map_err(fail)?));
                }
            }
        }
        Ok(lines)
    }

    #[expect(clippy::type_complexity, reason = "three values for two callers in this file")]
    fn open_end(
        &self,
        path: &str,
        access: Access,
        window: u64,
    ) -> Result<Option<(Box<dyn StorageFile>, Vec<u8>, u64)>> {
        let fail = |source| Error::io("reading", path, source);
        let file = match self.storage.open(path, access) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(fail)?,
        };
        let length = file.length().map_err(fail)?;
        let tail = read_from(file.as_ref(), length.saturating_sub(window)).map_err(fail)?;
        Ok(Some((file, tail, length)))
    }
}

/// Numbers only go up, so the last save says the highest of its time.
fn is_saved(line: &LogLine) -> bool {
    matches!(line, LogLine::Good(entry) if matches!(entry.event, LogEvent::Saved { .. }))
}

fn ends_a_line(file: &dyn StorageFile) -> std::io::Result<bool> {
    let Some(last) = file.length()?.checked_sub(1) else { return Ok(true) };
    let mut byte = [b'\n'];
    file.read_at(last, &mut byte)?;
    Ok(byte == *b"\n")
}

fn rotated(number: u64) -> String {
    format!("log.{number:06}.jsonl")
}

fn rotated_number(name: &str) -> Option<u64> {
    let number = name.strip_prefix("log.")?.strip_suffix(".jsonl")?.parse().ok()?;
    (rotated(number) == name).then_some(number)
}

fn read_from(file: &dyn StorageFile, start: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let offset = start.saturating_add(bytes.len() as u64);
        match file.read_at(offset, &mut chunk)? {
            0 => return Ok(bytes),
            length => bytes.extend_from_slice(chunk.get(..length).unwrap_or_default()),
        }
    }
}

/// What lies there, or as much of it as the file has.
fn read_range(file: &dyn StorageFile, start: u64, end: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or(0)];
    let mut done = 0;
    while let Some(room) = bytes.get_mut(done..).filter(|room| !room.is_empty()) {
        match file.read_at(start.saturating_add(done as u64), room)? {
            0 => break,
            count => done = done.saturating_add(count),
        }
    }
    bytes.truncate(done);
    Ok(bytes)
}

fn sum(entry: &[u8]) -> String {
    Digest::of(entry).to_string().chars().take(SUM_DIGITS).collect()
}

fn encode(entry: &LogEntry) -> Result<Vec<u8>> {
    let entry = serde_json::to_string(entry)
        .map_err(|source| Error::io("encoding a line of", layout::LOG, source.into()))?;
    Ok(format!("{HEAD}{}{MIDDLE}{entry}}}\n", sum(entry.as_bytes())).into_bytes())
}

fn decode_lines(bytes: &[u8]) -> Vec<LogLine> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().filter(|line| !line.is_empty()).map(decode).collect()
}

fn decode(line: &str) -> LogLine {
    decode_good(line.as_bytes()).unwrap_or_else(|| LogLine::Bad(line.to_owned()))
}

/// The line, if its sum and shape are right.
fn decode_good(line: &[u8]) -> Option<LogLine> {
    let line = line.strip_prefix(HEAD.as_bytes())?.strip_suffix(b"}")?;
    let (found, entry) = std::str::from_utf8(line).ok()?.split_once(MIDDLE)?;
    let entry = (found == sum(entry.as_bytes())).then(|| serde_json::from_str(entry).ok()).flatten()?;
    Some(LogLine::Good(Box::new(entry)))
}
