//! `ckpt export`: a checkpoint as a file of its own.

use ckpt::RunReader;
use serde::Serialize;

use crate::args::ExportArgs;
use crate::json::{self, SkippedRow};
use crate::output::Output;
use crate::progress::Progress;
use crate::settle::{self, StagedFile};
use crate::source::{self, Found};
use crate::{human, interrupt};

/// What was exported, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    sequence: u64,
    epoch: u64,
    name: &'a str,
    why: &'a str,
    skipped: Vec<SkippedRow<'a>>,
    path: String,
    bytes: u64,
    index_digest: Option<ckpt::Digest>,
}

pub(crate) fn run(args: &ExportArgs, output: &Output) -> anyhow::Result<()> {
    settle::check_file_free(&args.file)?;
    interrupt::watch()?;
    let run = RunReader::open(&args.run)?;
    // Chosen and verified first, so that the copy has a length and a file is made only for something good.
    let found = source::load(&run, &args.selector, |checkpoint| {
        checkpoint.verify()?;
        Ok(checkpoint.file_bytes())
    })?;
    source::tell_skipped(&found, output);
    let Found { value: bytes, entry, why, skipped } = found;
    let staged = StagedFile::create(&args.file)?;
    let progress = Progress::new("exporting", bytes);
    let selector = ckpt::Selector::File(entry.file_name.clone());
    run.export(&selector, &mut progress.writing(staged.file()))?;
    staged.publish()?;
    drop(progress);
    let answer = Answer {
        sequence: entry.sequence,
        epoch: entry.epoch,
        name: &entry.file_name,
        why: &why,
        skipped: json::skipped(&skipped),
        path: args.file.display().to_string(),
        bytes,
        index_digest: entry.details.as_ref().map(|details| details.index_digest),
    };
    output.answer(&answer, || {
        let path = human::shown(&answer.path);
        format!("exported checkpoint {} ({why}) to {path} ({})\n", entry.sequence, human::size(bytes))
    })
}
