//! The prediction log: one JSON record a line, read as a stream.
//!
//! A line that is no record is counted and passed over, with the reason of the first of them; only a source that fails ends
//! the reading. Memory is that of the longest line, which has a limit. Lines are in the order in which outcomes came in,
//! not in that of the quotes.

mod record;

use std::io::{self, BufRead, BufReader, Read};

pub use record::{
    FillOutcome, LevelPrediction, MarketRegime, MarketState, ModelPredictions, ObservedOutcomes,
    PredictionRecord, Side,
};

/// Limits of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Bytes of a line at most; a longer one is malformed, and is not held in memory. Default: 1 MiB.
    pub line_bytes_max: usize,
    /// Malformed lines whose number and reason are kept; all of them are counted. Default: 100.
    pub faults_max: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { line_bytes_max: 1 << 20, faults_max: 100 }
    }
}

/// What was read so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadReport {
    /// Lines, blank ones included.
    pub lines: u64,
    /// Blank lines.
    pub blank: u64,
    /// Records with outcomes.
    pub resolved: u64,
    /// Records without.
    pub unresolved: u64,
    /// Lines that are no record.
    pub malformed: u64,
    /// The first of those, up to the limit.
    pub faults: Vec<LineFault>,
}

/// A line that is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// Its number, from 1.
    pub line: u64,
    /// Why; what it quotes of the line is cut, so that the reasons need no more room than lines do.
    pub reason: String,
}

/// A record and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedRecord {
    /// Number of its line, from 1.
    pub line: u64,
    /// The record.
    pub record: PredictionRecord,
}

/// The source failed.
#[derive(Debug, thiserror::Error)]
#[error("line {line} can't be read: the source failed")]
pub struct ReadError {
    /// Number of the line, from 1.
    pub line: u64,
    /// How it failed.
    pub source: io::Error,
}

/// Reads the records that have outcomes: what a model can be trained with.
///
/// ```
/// use ckpt_market::prediction_log::read_resolved;
///
/// let log = b"\n{\"timestamp_ns\": 1}\n";
/// let mut records = read_resolved(&log[..]);
/// assert!(records.next().is_none());
/// let report = records.report();
/// assert_eq!((report.lines, report.blank, report.malformed), (2, 1, 1));
/// assert_eq!(report.faults[0].line, 2);
/// assert!(report.faults[0].reason.contains("missing field"));
/// ```
pub fn read_resolved<R: BufRead>(source: R) -> PredictionReader<R> {
    PredictionReader::new(source, true, ReadLimits::default())
}

/// Reads all records, those without outcomes too.
pub fn read_all<R: BufRead>(source: R) -> PredictionReader<R> {
    PredictionReader::new(source, false, ReadLimits::default())
}

/// An iterator over the records of a log. After an error it ends.
#[derive(Debug)]
pub struct PredictionReader<R> {
    source: R,
    resolved_only: bool,
    limits: ReadLimits,
    report: ReadReport,
    line: Vec<u8>,
    ended: bool,
}

impl<R: Read> PredictionReader<BufReader<R>> {
    /// From a source without a buffer of its own.
    pub fn buffered(source: R, resolved_only: bool, limits: ReadLimits) -> Self {
        Self::new(BufReader::with_capacity(1 << 16, source), resolved_only, limits)
    }
}

impl<R: BufRead> PredictionReader<R> {
    /// With limits of its own.
    pub fn new(source: R, resolved_only: bool, limits: ReadLimits) -> Self {
        let report = ReadReport::default();
        Self { source, resolved_only, limits, report, line: Vec::new(), ended: false }
    }

    /// What was read so far; complete once the iterator has ended.
    pub fn report(&self) -> &ReadReport {
        &self.report
    }

    /// The next record, whether it is wanted or not; none at the end.
    fn advance(&mut self) -> Result<Option<PredictionRecord>, ReadError> {
        loop {
            self.line.clear();
            let limit = self.limits.line_bytes_max as u64;
            // One byte more than is allowed tells a line that is too long from one that just fits; one for its end.
            let mut bounded = self.source.by_ref().take(limit.saturating_add(2));
            let read = bounded.read_until(b'\n', &mut self.line);
            if read.map_err(|source| ReadError { line: self.report.lines + 1, source })? == 0 {
                return Ok(None);
            }
            self.report.lines += 1;
            let is_ended = self.line.ends_with(b"\n");
            // Beyond the limit there may be nothing but blanks.
            let is_cut = !is_ended && self.line.len() as u64 == limit.saturating_add(2);
            let text = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
            let text = text.trim_ascii();
            if is_cut || text.len() > self.limits.line_bytes_max {
                self.fault(format!("it is longer than {limit} bytes"));
                if !is_ended {
                    let line = self.report.lines;
                    skip_line(&mut self.source).map_err(|source| ReadError { line, source })?;
                }
            } else if text.is_empty() {
                self.report.blank += 1;
            } else {
                // UTF-8 is checked once for the line; read from bytes, every single name in it would be.
                let text = std::str::from_utf8(text);
                let read = text.map(serde_json::from_str::<PredictionRecord>);
                match read {
                    Ok(Ok(record)) => {
                        let resolved = record.outcomes.is_some();
                        *(if resolved { &mut self.report.resolved } else { &mut self.report.unresolved }) +=
                            1;
                        return Ok(Some(record));
                    }
                    Ok(Err(error)) => self.fault(reason(&error)),
                    Err(error) => {
                        self.fault(format!("it is not UTF-8 from byte {} on", error.valid_up_to() + 1))
                    }
                }
            }
        }
    }

    fn fault(&mut self, reason: String) {
        self.report.malformed += 1;
        if self.report.faults.len() < self.limits.faults_max {
            self.report.faults.push(LineFault { line: self.report.lines, reason });
        }
    }
}

impl<R: BufRead> Iterator for PredictionReader<R> {
    type Item = Result<NumberedRecord, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.advance() {
                Ok(Some(record)) if self.resolved_only && record.outcomes.is_none() => {}
                Ok(Some(record)) => return Some(Ok(NumberedRecord { line: self.report.lines, record })),
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Passes over the rest of a line without holding it.
fn skip_line(source: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = match source.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            buffer => buffer?,
        };
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (used, done) = end.map_or((buffer.len(), buffer.is_empty()), |end| (end + 1, true));
        source.consume(used);
        if done {
            return Ok(());
        }
    }
}

/// Without the line, which is always 1 there.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let at = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&at) {
        Some(text) => format!("{}, column {}", cut(text), error.column()),
        None => cut(&text),
    }
}

/// The beginning and the end of a text that quotes the line, and so may be as long as that.
fn cut(text: &str) -> String {
    let count = text.chars().count();
    if count <= REASON_HEAD + REASON_TAIL {
        return text.to_owned();
    }
    let head: String = text.chars().take(REASON_HEAD).collect();
    let tail: String = text.chars().skip(count - REASON_TAIL).collect();
    format!("{head} ... {tail}")
}

const REASON_HEAD: usize = 120;
const REASON_TAIL: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_for_a_line_stays_near_the_limit_however_long_it_is() {
        let long = io::repeat(b'7').take(64 << 20).chain(&b"\n"[..]);
        let limits = ReadLimits { line_bytes_max: 4_096, ..ReadLimits::default() };
        let mut reader = PredictionReader::buffered(long, false, limits);
        assert!(reader.next().is_none());
        assert_eq!(reader.report().malformed, 1);
        assert!(reader.line.capacity() <= 4 * 4_096, "{} bytes", reader.line.capacity());
    }
}
