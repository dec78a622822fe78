//! `ckpt restore`: the sections of a checkpoint as files, all or none.

use ckpt::{Checkpoint, SectionName, Selector};
use serde::Serialize;

use crate::args::RestoreArgs;
use crate::failure::Failure;
use crate::json::{self, SkippedRow};
use crate::output::Output;
use crate::progress::Progress;
use crate::settle::{self, StagedDir};
use crate::source::{Found, Source};
use crate::{human, interrupt};

/// What was restored, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    sequence: u64,
    name: &'a str,
    why: &'a str,
    skipped: Vec<SkippedRow<'a>>,
    sections: Vec<Restored>,
}

/// A section that is a file now.
#[derive(Debug, Clone, Serialize)]
struct Restored {
    name: String,
    bytes: u64,
    path: String,
}

/// The directory is written, but does not have its name yet.
struct Written {
    dir: StagedDir,
    sections: Vec<Restored>,
}

pub(crate) fn run(args: &RestoreArgs, output: &Output) -> anyhow::Result<()> {
    settle::check_dir_free(&args.output)?;
    interrupt::watch()?;
    let source = Source::open(&args.run)?;
    let progress = Progress::new("restoring", 0);
    let loaded = write(&source, args.selector.as_ref(), args, &progress, output)?;
    let Found { value, entry, why, skipped } = loaded;
    // What went wrong on our side is not the checkpoint's fault: no older one was tried.
    let Written { dir, sections } = value?;
    let destination = dir.destination().to_owned();
    dir.publish()?;
    drop(progress);
    let answer = Answer {
        sequence: entry.sequence,
        name: &entry.file_name,
        why: &why,
        skipped: json::skipped(&skipped),
        sections,
    };
    output.answer(&answer, || {
        let bytes = answer.sections.iter().map(|section| section.bytes).sum();
        let count = human::plural(answer.sections.len(), "section");
        let dir = human::shown(&destination.display().to_string());
        format!("restored checkpoint {} ({why}): {count}, {} to {dir}\n", entry.sequence, human::size(bytes))
    })
}

fn write(
    source: &Source,
    selector: Option<&Selector>,
    args: &RestoreArgs,
    progress: &Progress,
    output: &Output,
) -> anyhow::Result<Found<Result<Written, Failure>>> {
    source.load_with(selector, output, |checkpoint| match write_checkpoint(checkpoint, args, progress) {
        Ok(written) => Ok(Ok(written)),
        Err(Stopped::Here(failure)) => Ok(Err(failure)),
        Err(Stopped::Store(error)) => Err(error),
    })
}

/// Why writing stopped: for the store to judge, or not.
enum Stopped {
    Here(Failure),
    Store(ckpt::Error),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Here(failure)
    }
}

impl From<ckpt::Error> for Stopped {
    fn from(error: ckpt::Error) -> Self {
        Self::Store(error)
    }
}

fn write_checkpoint(
    checkpoint: &Checkpoint,
    args: &RestoreArgs,
    progress: &Progress,
) -> Result<Written, Stopped> {
    let all = checkpoint.sections()?;
    let names: Vec<&str> = if args.sections.is_empty() {
        all.iter().map(|section| section.name.as_str()).collect()
    } else {
        chosen(&args.sections)
    };
    let is_chosen = |name: &str| names.contains(&name);
    progress.restart(
        all.iter().filter(|section| is_chosen(&section.name)).map(|section| section.raw_length).sum(),
    );
    let dir = StagedDir::create(&args.output)?;
    let mut sections = Vec::new();
    for name in names {
        let path = dir.destination().join(name);
        let fail = |error| Failure::io("writing", &path, &error);
        let mut file = progress.writing(dir.create_file(name)?);
        let bytes = checkpoint.copy_to(name, &mut file)?;
        file.into_inner().sync_all().map_err(fail)?;
        sections.push(Restored { name: name.to_owned(), bytes, path: path.display().to_string() });
    }
    Ok(Written { dir, sections })
}

/// The names that were asked for, each once.
fn chosen(sections: &[SectionName]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for section in sections {
        if !names.contains(&section.as_str()) {
            names.push(section.as_str());
        }
    }
    names
}
