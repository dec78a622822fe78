//! A new checkpoint from one that is there: some sections changed, all others byte for byte.

use ckpt::{
    Checkpoint, Digest, EncodedSection, Epoch, Event, Metadata, Parent, Program, Run, RunOptions, Saved,
    Section,
};
use ckpt_market::import;
use serde::Serialize;

use crate::output::Output;

/// What was saved, in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct SavedRow {
    pub(crate) sequence: u64,
    epoch: u64,
    pub(crate) name: String,
    stored_bytes: u64,
    raw_bytes: u64,
    content_digest: Digest,
}

impl From<Saved> for SavedRow {
    fn from(saved: Saved) -> Self {
        let Saved { sequence, epoch, stored_bytes, raw_bytes, content_digest, .. } = saved;
        Self { sequence, epoch, name: saved.file_name, stored_bytes, raw_bytes, content_digest }
    }
}

/// Opens a run to save one more checkpoint in the attempt that is the current one.
pub(crate) fn options() -> RunOptions {
    RunOptions::new(ckpt::now).epoch(Epoch::Current)
}

/// The metadata of a checkpoint that is made from this one, by hand: it is its parent.
pub(crate) fn successor(from: &Checkpoint, reason: impl Into<String>) -> Metadata {
    let old = from.metadata();
    let metadata =
        Metadata { events: Vec::new(), parent: Some(place(from)), origin: None, ..by_hand(old.clone()) };
    metadata.because(Event::Manual, reason)
}

/// The metadata without what the origin of an imported `checkpoint.json` thought of its state: it gets a stamp of its own.
pub(crate) fn restamped(from: &Checkpoint, mut metadata: Metadata) -> ckpt::Result<Metadata> {
    if import::is_text(from.sections()?.iter().map(|entry| entry.name.as_str())) {
        metadata.labels.remove("readiness");
    }
    Ok(metadata)
}

/// Metadata that this program writes now.
pub(crate) fn by_hand(metadata: Metadata) -> Metadata {
    let program = Program { name: "ckpt".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    Metadata { program: Some(program), created_at: ckpt::now(), ..metadata }
}

/// Where a checkpoint is.
pub(crate) fn place(checkpoint: &Checkpoint) -> Parent {
    let metadata = checkpoint.metadata();
    Parent { run_id: metadata.run_id.clone(), epoch: metadata.epoch, sequence: metadata.sequence }
}

/// Saves the sections of `from` in their order, each that is in `changed` as it is there, the others byte for byte; what is
/// new in `changed` comes last.
pub(crate) fn save(
    run: &Run,
    from: &Checkpoint,
    changed: Vec<EncodedSection>,
    metadata: Metadata,
    output: &Output,
) -> ckpt::Result<Saved> {
    let mut changed = changed;
    let mut sections = Vec::new();
    for entry in from.sections()? {
        if let Some(place) = changed.iter().position(|section| section.name == entry.name) {
            sections.push(Section::encoded(changed.remove(place)));
            continue;
        }
        let copy = Section::reader(&entry.name, from.stream(&entry.name)?);
        sections.push(copy.of_kind(&entry.kind, entry.version).in_codec(entry.codec));
    }
    sections.extend(changed.into_iter().map(Section::encoded));
    let saved = run.save(metadata, sections);
    tell_notices(run, output);
    saved
}

/// Says what went wrong on the side.
pub(crate) fn tell_notices(run: &Run, output: &Output) {
    for notice in run.take_notices() {
        output.warn(&notice);
    }
}
