//! The prediction log: what is read, what is counted, what is never held.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "rig/records.rs"]
mod records;

use std::io::{self, BufReader, Read};

use ckpt_market::prediction_log::{
    LineFault, NumberedRecord, PredictionReader, ReadLimits, ReadReport, read_all, read_resolved,
};
use proptest::prelude::*;
use records::{line, record};

fn all(text: &[u8]) -> (Vec<NumberedRecord>, ReadReport) {
    let mut reader = read_all(text);
    let records = reader.by_ref().map(Result::unwrap).collect();
    (records, reader.report().clone())
}

#[test]
fn records_come_back_as_they_were_written_with_their_line() {
    let text = format!("{}\n\n  \n{}", line(&record(1, true)), line(&record(2, false)));
    let (records, report) = all(text.as_bytes());
    let expected = [(1, record(1, true)), (4, record(2, false))];
    let expected = expected.map(|(line, record)| NumberedRecord { line, record });
    assert_eq!(records, expected);
    let counts = (report.lines, report.blank, report.resolved, report.unresolved, report.malformed);
    assert_eq!(counts, (4, 2, 1, 1, 0));
}

#[test]
fn resolved_ones_are_told_by_their_outcomes_null_or_absent() {
    let mut unresolved: serde_json::Value = serde_json::from_str(&line(&record(1, false))).unwrap();
    assert!(unresolved["outcomes"].is_null());
    let null = unresolved.to_string();
    unresolved.as_object_mut().unwrap().remove("outcomes");
    let text = format!("{null}\n{unresolved}\n{}\n", line(&record(3, true)));
    let mut reader = read_resolved(text.as_bytes());
    let cycles: Vec<u64> = reader.by_ref().map(|record| record.unwrap().record.quote_cycle_id).collect();
    assert_eq!(cycles, [3]);
    assert_eq!((reader.report().unresolved, reader.report().resolved), (2, 1));
}

#[test]
fn malformed_lines_are_counted_with_number_and_reason_and_the_rest_is_read() {
    let mut text = line(&record(1, true)).into_bytes();
    text.extend_from_slice(b"\nnonsense\n{\"timestamp_ns\": \xff}\n{\"timestamp_ns\": 1}\n");
    text.extend_from_slice(
        line(&record(1, true)).replace("\"microprice\":", "\"microprice\":1e400,\"x\":").as_bytes(),
    );
    text.push(b'\n');
    text.extend_from_slice(line(&record(2, true)).as_bytes());
    let (records, report) = all(&text);
    assert_eq!(records.iter().map(|record| record.line).collect::<Vec<_>>(), [1, 6]);
    assert_eq!(report.malformed, 4);
    let lines: Vec<u64> = report.faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
    assert_eq!(report.faults[0].reason, "expected ident, column 2");
    assert_eq!(report.faults[1].reason, "it is not UTF-8 from byte 18 on");
    assert!(report.faults[2].reason.contains("missing field"), "{:?}", report.faults);
    assert!(report.faults[3].reason.contains("out of range"), "{:?}", report.faults);
}

#[test]
fn a_null_in_place_of_a_number_is_malformed_and_says_so() {
    let text = line(&record(1, true)).replace("\"price_60s_later\":103.0", "\"price_60s_later\":null");
    let (records, report) = all(text.as_bytes());
    assert!(records.is_empty());
    assert!(report.faults[0].reason.contains("invalid type: null, expected f64"), "{report:?}");
}

#[test]
fn reasons_are_kept_up_to_a_limit_and_all_are_counted() {
    let text = "x\n".repeat(1_000);
    let limits = ReadLimits { faults_max: 3, ..ReadLimits::default() };
    let mut reader = PredictionReader::new(text.as_bytes(), false, limits);
    assert!(reader.next().is_none());
    assert_eq!((reader.report().malformed, reader.report().faults.len()), (1_000, 3));
}

/// A reason quotes what it can't read. Lines of a megabyte made a hundred reasons of as much.
#[test]
fn a_reason_is_short_however_much_of_the_line_it_quotes() {
    let text = line(&record(1, true)).replace("\"Active\"", &format!("\"{}\"", "ü".repeat(100_000)));
    let (records, report) = all(text.as_bytes());
    assert!(records.is_empty());
    let reason = &report.faults[0].reason;
    assert!(reason.starts_with("unknown variant `üüü") && reason.contains("`Cascade`, column "), "{reason}");
    assert!(reason.len() < 600, "{} bytes", reason.len());
}

/// A line without an end, from which only so much is ever asked at once.
struct Endless {
    left: u64,
    largest: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.largest = self.largest.max(buffer.len());
        let count = buffer.len().min(usize::try_from(self.left).unwrap());
        buffer[..count].fill(b'7');
        self.left -= count as u64;
        Ok(count)
    }
}

#[test]
fn a_line_beyond_the_limit_is_passed_over_without_being_held() {
    let limits = ReadLimits { line_bytes_max: 4_096, ..ReadLimits::default() };
    let tail = format!("\n{}\n", line(&record(9, true)));
    let mut endless = Endless { left: 1 << 30, largest: 0 };
    let source = BufReader::new(endless.by_ref().chain(tail.as_bytes()));
    let mut reader = PredictionReader::new(source, false, limits);
    let found = reader.next().unwrap().unwrap();
    assert_eq!((found.line, found.record.quote_cycle_id), (2, 9));
    let fault = LineFault { line: 1, reason: "it is longer than 4096 bytes".to_owned() };
    assert_eq!(reader.report().faults, [fault]);
    drop(reader);
    assert!(endless.largest <= 1 << 16, "asked for {} bytes at once", endless.largest);
}

#[test]
fn a_line_of_just_the_limit_is_read_with_and_without_its_end() {
    let text = line(&record(1, true));
    for (less, expected) in [(0, 1), (1, 0)] {
        let limits = ReadLimits { line_bytes_max: text.len() - less, ..ReadLimits::default() };
        for end in ["", "\n", "\r\n", "\n\n"] {
            let text = format!("{text}{end}");
            let mut reader = PredictionReader::new(text.as_bytes(), false, limits);
            assert_eq!(reader.by_ref().count(), expected, "{end:?}");
            assert_eq!(reader.report().malformed, 1 - expected as u64, "{end:?}");
        }
    }
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

#[test]
fn a_source_that_fails_ends_the_reading_with_the_line() {
    let text = format!("{}\n", line(&record(1, true)));
    let mut reader = PredictionReader::buffered(text.as_bytes().chain(Failing), false, ReadLimits::default());
    assert!(reader.next().unwrap().is_ok());
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!((error.line, error.source.to_string()), (2, "the disk is gone".to_owned()));
    assert!(reader.next().is_none());
}

/// It named the line after, and the one that was too long was counted as a line and as nothing else.
#[test]
fn a_source_that_fails_within_a_line_that_is_too_long_names_that_line() {
    let limits = ReadLimits { line_bytes_max: 10, ..ReadLimits::default() };
    let text = b"\n01234567890123456789";
    let mut reader = PredictionReader::buffered(text.chain(Failing), false, limits);
    assert_eq!(reader.next().unwrap().unwrap_err().line, 2);
    assert!(reader.next().is_none());
    let report = reader.report();
    assert_eq!((report.lines, report.blank, report.malformed), (2, 1, 1));
}

proptest! {
    /// Whatever lines there are, each is counted once, and buffers of any size see the same.
    #[test]
    fn every_line_is_counted_once(
        kinds in proptest::collection::vec(0_u8..5, 0..12),
        capacity in 1_usize..300,
        limit in 20_usize..6_000,
    ) {
        let lines: Vec<String> = kinds.iter().enumerate().map(|(at, kind)| match kind {
            0 => String::new(),
            1 => "[1, 2]".to_owned(),
            2 => "z".repeat(at * 700),
            kind => line(&record(at as u64, *kind == 3)),
        }).collect();
        let text = lines.join("\n");
        let limits = ReadLimits { line_bytes_max: limit, faults_max: 100 };
        let source = BufReader::with_capacity(capacity, text.as_bytes());
        let mut reader = PredictionReader::new(source, false, limits);
        let found: Vec<u64> = reader.by_ref().map(|record| record.unwrap().line).collect();
        let expected: Vec<u64> = lines.iter().zip(1..).filter(|(line, _)| line.starts_with('{') && line.len() <= limit)
            .map(|(_, number)| number).collect();
        prop_assert_eq!(&found, &expected);
        let report = reader.report();
        prop_assert_eq!(report.lines, report.blank + report.resolved + report.unresolved + report.malformed);
        let ended = text.lines().count() as u64;
        prop_assert_eq!(report.lines, ended);
    }
}
