//! `ckpt show`: what a checkpoint says about itself, or the bytes of one section.

mod sections;

use ckpt::{Checkpoint, Digest, Entry, Metadata, State};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use self::sections::SectionRow;
use crate::args::ShowArgs;
use crate::failure::Failure;
use crate::json::{self, SkippedRow};
use crate::output::{self, Output};
use crate::source::{self, Found, Source};
use crate::table::{Cell, Table};
use crate::{commands::list, human};

/// A checkpoint, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    sequence: u64,
    epoch: u64,
    name: &'a str,
    state: State,
    pinned: bool,
    why: &'a str,
    skipped: Vec<SkippedRow<'a>>,
    stored_bytes: u64,
    raw_bytes: u64,
    content_digest: Digest,
    index_digest: Digest,
    metadata: Value,
    sections: Vec<SectionRow<'a>>,
}

/// One section of it, in JSON.
#[derive(Serialize)]
struct SectionAnswer<'a> {
    sequence: u64,
    epoch: u64,
    name: &'a str,
    why: &'a str,
    skipped: Vec<SkippedRow<'a>>,
    section: SectionRow<'a>,
    value: &'a RawValue,
}

pub(crate) fn run(args: &ShowArgs, output: &Output) -> anyhow::Result<()> {
    let source = Source::open(&args.run)?;
    if let Some(section) = &args.section {
        return show_section(args, &source, section.as_str(), output);
    }
    let (loaded, checkpoint) = source.find(args.selector.as_ref(), output)?;
    let Found { entry, why, skipped, .. } = &loaded;
    let sections: Vec<SectionRow<'_>> = checkpoint.sections()?.iter().map(SectionRow::of).collect();
    let answer = Answer {
        sequence: entry.sequence,
        epoch: entry.epoch,
        name: &entry.file_name,
        state: entry.state,
        pinned: entry.pinned,
        why,
        skipped: json::skipped(skipped),
        stored_bytes: checkpoint.file_bytes(),
        raw_bytes: checkpoint.raw_bytes(),
        content_digest: checkpoint.content_digest(),
        index_digest: checkpoint.index_digest(),
        metadata: json::metadata(checkpoint.metadata())?,
        sections,
    };
    output.answer(&answer, || text(entry, &checkpoint, why, &answer.sections))
}

fn text(entry: &Entry, checkpoint: &Checkpoint, why: &str, sections: &[SectionRow<'_>]) -> String {
    let (head, dim) = (human::HEAD, human::DIM);
    let mut facts = Table::default().left("").left("");
    let mut fact = |what: &str, text: String| {
        if !text.is_empty() {
            facts.row([Cell::styled(what, human::DIM), Cell::new(text)]);
        }
    };
    about(checkpoint.metadata(), &mut fact);
    let (stored, raw) = (human::size(checkpoint.file_bytes()), human::size(checkpoint.raw_bytes()));
    fact("size", format!("{stored} in the file, {raw} of state"));
    fact("state", checkpoint.content_digest().to_string());
    fact("file", checkpoint.index_digest().to_string());
    fact("pinned", if entry.pinned { "yes".to_owned() } else { String::new() });
    let name = human::shown(&entry.file_name);
    format!(
        "{head}{name}{head:#}  {dim}{}{dim:#}\n{}\n{}",
        human::shown(why),
        facts.render(2),
        sections::table(sections).render(2)
    )
}

/// What the metadata says, a line a fact.
fn about(metadata: &Metadata, fact: &mut impl FnMut(&str, String)) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    fact("run", format!("{}/{} ({})", metadata.kind, metadata.name, metadata.run_id));
    let epoch = if metadata.epoch > 0 { format!(", epoch {}", metadata.epoch) } else { String::new() };
    fact("sequence", format!("{}{epoch}", metadata.sequence));
    let age = human::age(ckpt::now(), metadata.created_at);
    fact("created", format!("{} ({age})", metadata.created_at));
    for cause in &metadata.events {
        let reason = cause.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        fact("event", format!("{}{reason}", cause.event));
    }
    fact("status", metadata.status.to_string());
    fact("step", list::progress(metadata));
    fact("cursor", text(&metadata.position.cursor));
    fact("market", text(&metadata.market));
    fact("phase", text(&metadata.phase));
    fact("seed", metadata.seed.map(|seed| seed.to_string()).unwrap_or_default());
    for (name, value) in &metadata.metrics.values {
        let metrics = &metadata.metrics;
        let direction = metrics.direction(name).map(|direction| format!(", {direction}")).unwrap_or_default();
        let best = metrics.best(name);
        let best = best.map(|best| format!(", best {} in {}", human::number(best.value), best.sequence));
        fact("metric", format!("{name} = {}{direction}{}", human::number(*value), best.unwrap_or_default()));
    }
    for (key, value) in &metadata.labels {
        fact("label", format!("{key} = {value}"));
    }
    if let Some(seconds) = metadata.cumulative_seconds.or(metadata.elapsed_seconds) {
        fact("learned for", human::span(seconds));
    }
    if let Some(parent) = &metadata.parent {
        fact("resumed from", format!("checkpoint {} of run {}", parent.sequence, parent.run_id));
    }
    if let Some(origin) = &metadata.origin {
        fact("imported from", format!("checkpoint {} of {}/{}", origin.sequence, origin.kind, origin.name));
    }
    if let Some(program) = &metadata.program {
        fact("program", format!("{} {}", program.name, program.version));
    }
    if let Some(writer) = &metadata.writer {
        fact("written by", format!("process {} on {}", writer.pid, writer.host));
    }
    if !metadata.extra.is_empty() {
        fact("extra", Value::Object(metadata.extra.clone()).to_string());
    }
}

fn show_section(args: &ShowArgs, source: &Source, name: &str, output: &Output) -> anyhow::Result<()> {
    let selector = args.selector.as_ref();
    // Verified whole before the first byte is printed.
    let loaded = source.load_with(selector, output, |checkpoint| {
        let section = section_of(checkpoint, name)?;
        let bytes = if section.codec.is_json() {
            Some(checkpoint.read(name)?)
        } else {
            checkpoint.copy_to(name, &mut std::io::sink())?;
            None
        };
        Ok((section, bytes))
    })?;
    let Found { value: (section, bytes), entry, why, skipped } = &loaded;
    match bytes {
        Some(bytes) if output.is_json() => {
            let answer = SectionAnswer {
                sequence: entry.sequence,
                epoch: entry.epoch,
                name: &entry.file_name,
                why,
                skipped: json::skipped(skipped),
                section: SectionRow::of(section),
                value: serde_json::from_slice(bytes)?,
            };
            output.answer(&answer, String::new)
        }
        Some(bytes) if output::is_terminal() => {
            let value: Value = serde_json::from_slice(bytes)?;
            let text = serde_json::to_string_pretty(&value)?;
            output::write_bytes(format!("{}\n", human::shown(&text)).as_bytes())
        }
        Some(bytes) => output::write_bytes(bytes),
        None => print_bytes(source, entry, section, output),
    }
}

/// Bytes that are no text go where they do no harm.
fn print_bytes(
    source: &Source,
    entry: &Entry,
    section: &ckpt::SectionEntry,
    output: &Output,
) -> anyhow::Result<()> {
    let name = &section.name;
    if output.is_json() || output::is_terminal() {
        let (codec, size) = (section.codec, human::size(section.raw_length));
        let message = format!("section {name:?} is {codec} ({size}): it can't be shown as text");
        let hint = format!(
            "`ckpt restore ... --output DIR --section {name}` writes it to a file; a pipe takes it too"
        );
        return Err(Failure::usage(message).hint(hint).into());
    }
    let checkpoint = match source {
        Source::Run(run) => run.open_checkpoint(&entry.file_name)?,
        Source::File(path) => source::open_file(path)?,
    };
    let mut closed = false;
    let copied = checkpoint.copy_to(name, &mut output::Raw::new(&mut closed));
    if closed {
        return Err(output::Closed.into());
    }
    copied.map(|_| ()).map_err(Into::into)
}

fn section_of(checkpoint: &Checkpoint, name: &str) -> ckpt::Result<ckpt::SectionEntry> {
    let sections = checkpoint.sections()?;
    sections.iter().find(|section| section.name == name).cloned().ok_or_else(|| ckpt::Error::NotFound {
        wanted: format!("section {name:?} of {}", checkpoint.file_name()),
        present: sections.iter().map(|section| section.name.clone()).collect(),
    })
}
