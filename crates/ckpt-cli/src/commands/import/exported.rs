//! The answer about one checkpoint that was exported before: it has an origin of our own kind.

use ckpt::Digest;
use serde::Serialize;

use super::Part;
use super::answer::Outcome;
use crate::human;
use crate::output::Output;

/// What was taken in, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    run: String,
    created: bool,
    sequence: u64,
    epoch: u64,
    name: &'a str,
    stored_bytes: u64,
    raw_bytes: u64,
    content_digest: Digest,
    index_digest: Digest,
    origin: Origin<'a>,
}

/// What it was before, in JSON.
#[derive(Serialize)]
struct Origin<'a> {
    run_id: &'a str,
    kind: &'a str,
    name: &'a str,
    epoch: u64,
    sequence: u64,
    index_digest: Digest,
}

pub(super) fn tell(parts: &[Part], outcomes: &[Vec<Outcome>], output: &Output) -> anyhow::Result<()> {
    // One file is one checkpoint of one run, and it is always saved.
    let (Some(part), Some(outcomes)) = (parts.first(), outcomes.first()) else { return Ok(()) };
    let saved = outcomes.first().and_then(Outcome::saved);
    let (Some(found), Some(saved)) = (part.plan.found.first(), saved) else { return Ok(()) };
    let from = &found.metadata;
    let origin = Origin {
        run_id: &from.run_id,
        kind: &from.kind,
        name: &from.name,
        epoch: from.epoch,
        sequence: from.sequence,
        index_digest: found.digest,
    };
    let answer = Answer {
        run: part.path.display().to_string(),
        created: !part.is_run,
        sequence: saved.sequence,
        epoch: saved.epoch,
        name: &saved.file_name,
        stored_bytes: saved.stored_bytes,
        raw_bytes: saved.raw_bytes,
        content_digest: saved.content_digest,
        index_digest: saved.index_digest,
        origin,
    };
    output.answer(&answer, || {
        let was = human::shown(&format!("{}/{} {}", from.kind, from.name, from.sequence));
        let (name, size) = (&saved.file_name, human::size(saved.stored_bytes));
        format!("imported {was} as {name} (sequence {}, {size})\n", saved.sequence)
    })
}
