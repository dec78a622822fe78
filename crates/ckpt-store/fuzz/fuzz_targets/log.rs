//! Any log, some lines with a right sum: it is read, a writer opens the run and its own lines are good.
#![no_main]

use arbitrary::Arbitrary;
use ckpt_format::Metadata;
use ckpt_store::{Error, LogLine, Run, RunReader, Section};
use libfuzzer_sys::fuzz_target;

#[path = "../scene.rs"]
mod scene;

#[derive(Debug, Arbitrary)]
struct Input {
    lines: Vec<Line>,
    rotated: Option<Vec<u8>>,
    torn: Vec<u8>,
}

#[derive(Debug, Arbitrary)]
enum Line {
    Bytes(Vec<u8>),
    /// The text of an entry, under its sum.
    Entry(String),
    /// An entry of the right shape.
    Saved {
        epoch: u64,
        sequence: u64,
        file_name: String,
        stored_bytes: u64,
    },
    Opened {
        epoch: u64,
        highest_sequence: u64,
    },
}

fuzz_target!(|input: Input| {
    let storage = scene::run_with_one(b"good");
    let mut log: Vec<u8> = input.lines.iter().flat_map(|line| [&text(line)[..], b"\n"].concat()).collect();
    log.extend_from_slice(&input.torn);
    scene::put(&storage, "log.jsonl", &log);
    if let Some(bytes) = &input.rotated {
        scene::put(&storage, "log.000001.jsonl", bytes);
    }
    let before =
        RunReader::on(storage.clone(), "run").and_then(|reader| reader.log()).expect("a log is read");
    let good = |lines: &[LogLine]| lines.iter().filter(|line| matches!(line, LogLine::Good(_))).count();
    let run = Run::open_on(storage, "run", scene::options()).expect("no log keeps a run from opening");
    let saved = run.save(Metadata::default(), vec![Section::raw("state", b"next")]);
    let lines = match &saved {
        Ok(saved) => {
            assert!(saved.sequence > 1);
            2
        }
        // The highest number there is was said to be used.
        Err(Error::Invalid { .. }) => 1,
        Err(error) => panic!("{error}"),
    };
    let after = run.reader().log().expect("a log is read");
    // Only a last line without its end goes, good or not.
    assert!(good(&after) + 1 >= good(&before) + lines, "{before:?} became {after:?}");
    assert!(after.iter().rev().take(lines).all(|line| matches!(line, LogLine::Good(_))), "{after:?}");
});

fn text(line: &Line) -> Vec<u8> {
    let sealed = |entry: &str| {
        let sum = blake3::hash(entry.as_bytes()).to_hex();
        format!("{{\"sum\":\"{}\",\"entry\":{entry}}}", &sum[..16]).into_bytes()
    };
    let at = r#""at":"2026-01-02T03:04:05.678Z","by":{"host":"host","pid":1,"boot_id":"boot"}"#;
    match line {
        Line::Bytes(bytes) => bytes.clone(),
        Line::Entry(entry) => sealed(entry),
        Line::Saved { epoch, sequence, file_name, stored_bytes } => sealed(&format!(
            r#"{{{at},"event":"saved","epoch":{epoch},"sequence":{sequence},"file_name":{file_name:?},"events":[],"stored_bytes":{stored_bytes},"raw_bytes":1,"costs":{{}}}}"#
        )),
        Line::Opened { epoch, highest_sequence } => sealed(&format!(
            r#"{{{at},"event":"opened","epoch":{epoch},"swept":[],"highest_sequence":{highest_sequence}}}"#
        )),
    }
}
