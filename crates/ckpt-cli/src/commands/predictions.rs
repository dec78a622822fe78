//! `ckpt predictions`: the records of a prediction log, or what they say together.

mod stats;

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use ckpt::Timestamp;
use ckpt_market::prediction_log::{
    NumberedRecord, PredictionReader, PredictionRecord, ReadError, ReadLimits, ReadReport,
};
use serde::ser::{SerializeSeq as _, SerializeStruct as _};
use serde::{Serialize, Serializer};

use self::stats::Stats;
use crate::args::PredictionsArgs;
use crate::failure::{FAILED, Failure};
use crate::human;
use crate::output::{self, Output};

/// Lines that are no record and are named; all of them are counted.
const FAULTS_MAX: usize = 20;

type Records = PredictionReader<io::BufReader<Box<dyn Read>>>;

/// The records in JSON, each as it is read; the counts stand behind them, where they are known.
struct Streamed {
    records: RefCell<Records>,
    failed: RefCell<Option<ReadError>>,
}

/// What the records say together, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    stats: &'a Stats,
    read: Counts<'a>,
}

/// What was read, in JSON.
#[derive(Serialize)]
struct Counts<'a> {
    lines: u64,
    blank: u64,
    resolved: u64,
    unresolved: u64,
    malformed: u64,
    faults: Vec<Fault<'a>>,
}

/// A line that is no record, in JSON.
#[derive(Serialize)]
struct Fault<'a> {
    line: u64,
    reason: &'a str,
}

/// A record with its line, in JSON.
#[derive(Serialize)]
struct Row<'a> {
    line: u64,
    #[serde(flatten)]
    record: &'a PredictionRecord,
}

pub(crate) fn run(args: &PredictionsArgs, output: &Output) -> anyhow::Result<()> {
    let file = args.file.as_path();
    let limits = ReadLimits { faults_max: FAULTS_MAX, ..ReadLimits::default() };
    let mut records = PredictionReader::buffered(open(file)?, args.resolved, limits);
    if args.stats {
        let mut stats = Stats::default();
        for record in &mut records {
            stats.add(&record.map_err(|error| unreadable(&error, file))?.record);
        }
        stats.conclude();
        conclude(records.report(), file, output)?;
        let answer = Answer { stats: &stats, read: Counts::of(records.report()) };
        return output.answer(&answer, || stats::words(&stats, records.report()));
    }
    if !output.is_json() {
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        for record in &mut records {
            let line = line(&record.map_err(|error| unreadable(&error, file))?);
            output::told(out.write_all(line.as_bytes()))?;
        }
        output::told(out.flush())?;
        return conclude(records.report(), file, output);
    }
    let streamed = Streamed { records: RefCell::new(records), failed: RefCell::new(None) };
    output.answer(&streamed, String::new)?;
    if let Some(error) = streamed.failed.into_inner() {
        return Err(unreadable(&error, file).into());
    }
    conclude(streamed.records.into_inner().report(), file, output)
}

fn open(file: &Path) -> anyhow::Result<Box<dyn Read>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(File::open(file).map_err(|error| Failure::io("opening", file, &error))?))
}

/// Names the lines that are no record, and fails if there is nothing else.
fn conclude(report: &ReadReport, file: &Path, output: &Output) -> anyhow::Result<()> {
    for fault in &report.faults {
        output.warn(&format!("line {} is no record: {}", fault.line, fault.reason));
    }
    let more = report.malformed.saturating_sub(report.faults.len() as u64);
    if more > 0 {
        output.note(&format!("      and {} more lines that are no record", human::count(more)));
    }
    if report.malformed > 0 && report.resolved + report.unresolved == 0 {
        let (path, lines) = (file.display(), human::count(report.malformed));
        let message = format!("{path} holds no prediction record: none of its {lines} lines is one");
        let hint = "a prediction log has one JSON record a line (docs/MARKET.md, section 8); unpack a compressed one first";
        return Err(Failure::new("invalid", FAILED, message).at(file).hint(hint).into());
    }
    Ok(())
}

fn unreadable(error: &ReadError, file: &Path) -> Failure {
    let path = file.display().to_string();
    let what = if path == "-" { "standard input".to_owned() } else { path };
    Failure::io(&format!("reading line {} of", error.line), Path::new(&what), &error.source)
}

/// A record for people.
fn line(numbered: &NumberedRecord) -> String {
    let NumberedRecord { line, record } = numbered;
    let (market, said) = (&record.market_state, &record.predictions);
    let at = Timestamp::from_millis(i64::try_from(record.timestamp_ns / 1_000_000).unwrap_or(i64::MAX));
    let pulled = if said.quotes_pulled { ", quotes pulled" } else { "" };
    let came = match &record.outcomes {
        None => format!("{dim}no outcome yet{dim:#}", dim = human::DIM),
        Some(came) => format!(
            "{} filled, adverse {} of {} bps, pnl {}",
            human::plural(came.fills.len(), "quote"),
            human::number(came.adverse_selection_realized_bps),
            human::number(said.expected_adverse_selection_bps),
            human::number(came.realized_pnl)
        ),
    };
    format!(
        "{line}  {at}  cycle {}  {:?}  mid {}  half spread {} bps{pulled}  {came}\n",
        record.quote_cycle_id,
        market.regime,
        human::number(market.market_mid),
        human::number(said.final_half_spread_bps),
    )
}

impl Counts<'_> {
    fn of(report: &ReadReport) -> Counts<'_> {
        let ReadReport { lines, blank, resolved, unresolved, malformed, .. } = *report;
        let faults = report.faults.iter().map(|fault| Fault { line: fault.line, reason: &fault.reason });
        Counts { lines, blank, resolved, unresolved, malformed, faults: faults.collect() }
    }
}

impl Serialize for Streamed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut answer = serializer.serialize_struct("Streamed", 2)?;
        answer.serialize_field("records", &Rows(self))?;
        answer.serialize_field("read", &Counts::of(self.records.borrow().report()))?;
        answer.end()
    }
}

/// The records, read while they are written.
struct Rows<'a>(&'a Streamed);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(None)?;
        for record in &mut *self.0.records.borrow_mut() {
            match record {
                Ok(NumberedRecord { line, record }) => {
                    rows.serialize_element(&Row { line, record: &record })?
                }
                Err(error) => {
                    self.0.failed.replace(Some(error));
                    break;
                }
            }
        }
        rows.end()
    }
}
