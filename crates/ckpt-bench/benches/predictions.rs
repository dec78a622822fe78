//! Reading a prediction log: the reader beside a bare loop of serde_json over the same bytes.
//!
//! Both run in turn, round after round; what counts is the ratio within each round. Nothing here fails by the clock: it
//! reports what it was and what it should be at most.

#[path = "../../ckpt-market/tests/rig/records.rs"]
mod records;

use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};

use ckpt_market::prediction_log::{PredictionRecord, read_all};
use ckpt_measure::{Against, Rounds, timed};

const RECORDS: u64 = 4_000;
const ROUNDS: u32 = 15;
const AT_MOST: f64 = 1.3;

fn main() {
    let mut text = Vec::new();
    for cycle in 0..RECORDS {
        text.extend_from_slice(records::line(&records::record(cycle, cycle % 3 != 0)).as_bytes());
        text.push(b'\n');
    }
    let (for_bare, for_reader) = (text.clone(), text);
    let mut rounds = Rounds::new();
    rounds.limit("bare loop of serde_json", move |_| {
        timed(|| {
            for line in BufReader::with_capacity(1 << 16, &for_bare[..]).lines() {
                let record: PredictionRecord = serde_json::from_str(&line?)?;
                black_box(record);
            }
            Ok(())
        })
    });
    let against = Against { limit: "bare loop of serde_json".to_owned(), at_most: Some(AT_MOST) };
    rounds.case("read_all", against, move |_| {
        timed(|| {
            for record in read_all(BufReader::with_capacity(1 << 16, &for_reader[..])) {
                black_box(record.map_err(|error| error.source)?);
            }
            Ok(())
        })
    });
    // `cargo test` runs benchmarks once, to see that they do.
    let rounds_count = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    let report = rounds.run(rounds_count, |_| Ok(())).expect("both read every record");
    let mut out = std::io::stdout().lock();
    for row in &report.rows {
        let per_record = row.seconds.median / RECORDS as f64 * 1e6;
        let ratio = row
            .ratio
            .as_ref()
            .map(|ratio| format!(", {:.2} x the bare loop (at most {AT_MOST})", ratio.median));
        let line = format!("{}: {per_record:.2} us a record{}", row.name, ratio.unwrap_or_default());
        writeln!(out, "{line}").expect("standard output takes it");
    }
}
