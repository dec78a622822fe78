//! `ckpt import`: a checkpoint from a file into a run.

use ckpt::{Digest, Epoch, RunOptions};
use serde::Serialize;

use crate::args::ImportArgs;
use crate::commands::save;
use crate::human;
use crate::output::Output;
use crate::source;

/// What was taken in, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    run: &'a str,
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

pub(crate) fn run(args: &ImportArgs, output: &Output) -> anyhow::Result<()> {
    let checkpoint = source::open_file(&args.file)?;
    if !ckpt::is_run(&args.run) {
        // No run is made for something that is not good.
        checkpoint.verify()?;
    }
    let options = RunOptions::new(ckpt::now).epoch(Epoch::Current);
    let (run, created) = save::open_or_create(&args.run, None, None, options)?;
    let saved = run.import(&checkpoint, args.as_latest).map_err(|error| match error {
        ckpt::Error::Exists { path, reason: _ } => ckpt::Error::Exists {
            path,
            reason: "it has checkpoints, and an import becomes the latest; mean it with --as-latest"
                .to_owned(),
        },
        other => other,
    })?;
    for notice in run.take_notices() {
        output.warn(&notice);
    }
    let from = checkpoint.metadata();
    let origin = Origin {
        run_id: &from.run_id,
        kind: &from.kind,
        name: &from.name,
        epoch: from.epoch,
        sequence: from.sequence,
        index_digest: checkpoint.index_digest(),
    };
    let answer = Answer {
        run: &run.path().display().to_string(),
        created,
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
