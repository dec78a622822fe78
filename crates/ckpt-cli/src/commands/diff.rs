//! `ckpt diff`: what changed from one checkpoint to another.

mod metadata;
mod paths;
mod sections;

use std::path::Path;

use ckpt::{Checkpoint, Digest, Entry, Selector};
use serde::Serialize;

use self::metadata::{FieldChange, MetricChange};
use self::sections::SectionChange;
use crate::args::DiffArgs;
use crate::failure::Failure;
use crate::human;
use crate::output::Output;
use crate::source::Source;
use crate::table::{Cell, Table};

/// What changed, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    a: Side<'a>,
    b: Side<'a>,
    identical: bool,
    metadata: Vec<FieldChange>,
    metrics: Vec<MetricChange>,
    sections: Vec<SectionChange>,
}

/// One of the two, in JSON.
#[derive(Serialize)]
struct Side<'a> {
    sequence: u64,
    epoch: u64,
    name: &'a str,
    content_digest: Digest,
    index_digest: Digest,
}

pub(crate) fn run(args: &DiffArgs, output: &Output) -> anyhow::Result<()> {
    let (a, b) = open(args, output)?;
    let identical = a.1.content_digest() == b.1.content_digest();
    let answer = Answer {
        a: side(&a),
        b: side(&b),
        identical,
        metadata: metadata::fields(a.1.metadata(), b.1.metadata())?,
        metrics: metadata::metrics(a.1.metadata(), b.1.metadata()),
        sections: if identical { Vec::new() } else { sections::compare(&a.1, &b.1)? },
    };
    output.answer(&answer, || text(&answer))
}

fn open(args: &DiffArgs, output: &Output) -> anyhow::Result<((Entry, Checkpoint), (Entry, Checkpoint))> {
    let find = |source: &Source, selector: Option<&Selector>| {
        let (found, checkpoint) = source.find(selector, output)?;
        anyhow::Ok((found.entry, checkpoint))
    };
    let source = Source::open(&args.run)?;
    match (&source, &args.b) {
        (Source::File(_), None) if Path::new(&args.a).is_file() => {
            Ok((find(&source, None)?, find(&Source::open(Path::new(&args.a))?, None)?))
        }
        (Source::File(path), _) => {
            let message = format!("{} is one checkpoint: compare it with another FILE", path.display());
            Err(Failure::usage(message).into())
        }
        (Source::Run(_), None) => Err(Failure::usage("two selectors are needed: ckpt diff RUN A B").into()),
        (Source::Run(_), Some(b)) => {
            let a: Selector = args
                .a
                .to_string_lossy()
                .parse()
                .map_err(|error: ckpt::SelectorError| Failure::usage(error.to_string()))?;
            Ok((find(&source, Some(&a))?, find(&source, Some(b))?))
        }
    }
}

fn side((entry, checkpoint): &(Entry, Checkpoint)) -> Side<'_> {
    Side {
        sequence: entry.sequence,
        epoch: entry.epoch,
        name: &entry.file_name,
        content_digest: checkpoint.content_digest(),
        index_digest: checkpoint.index_digest(),
    }
}

fn text(answer: &Answer<'_>) -> String {
    let (a, b) = (human::shown(answer.a.name), human::shown(answer.b.name));
    let mut text = format!("a  {a}\nb  {b}\n");
    let mut block = |title: &str, lines: String| {
        if !lines.is_empty() {
            let head = human::HEAD;
            text.push_str(&format!("\n{head}{title}{head:#}\n{lines}"));
        }
    };
    let mut fields = Table::default().left("").left("").left("").left("");
    for FieldChange { field, a, b } in &answer.metadata {
        let value = |value: &Option<serde_json::Value>| Cell::new(paths::short(value.as_ref()));
        fields.row([Cell::new(field), value(a), Cell::new("->"), value(b)]);
    }
    block("metadata", fields.render(2));
    let mut metrics = Table::default().left("").right("").left("").right("").right("");
    for change in &answer.metrics {
        metrics.row(change.cells());
    }
    block("metrics", metrics.render(2));
    block("sections", answer.sections.iter().map(SectionChange::lines).collect());
    if answer.identical {
        let good = human::GOOD;
        text.push_str(&format!("\n{good}identical{good:#}: all sections are the same, byte for byte\n"));
    }
    text
}
