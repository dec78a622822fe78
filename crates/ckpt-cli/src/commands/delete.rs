//! `ckpt delete`: one checkpoint, after asking.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use ckpt::{Deletion, Entry, Epoch, Run, RunOptions, RunReader};
use serde::Serialize;

use crate::args::DeleteArgs;
use crate::failure::{FAILED, Failure};
use crate::output::Output;
use crate::{human, source};

/// What was deleted, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    deleted: Vec<&'a str>,
    freed_bytes: u64,
}

pub(crate) fn run(args: &DeleteArgs, output: &Output) -> anyhow::Result<()> {
    let may_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !args.yes && !may_ask {
        return Err(
            Failure::usage("deleting needs a yes, and there is no terminal to ask at: give --yes").into()
        );
    }
    let reader = RunReader::open(&args.run)?;
    let found = source::load(&reader, &args.selector, |checkpoint| checkpoint.sections().map(|_| ()))?;
    source::tell_skipped(&found, output);
    let entry = found.entry;
    if entry.pinned {
        return Err(ckpt::Error::Pinned { sequence: entry.sequence }.into());
    }
    let options = RunOptions::new(ckpt::now).epoch(Epoch::Current);
    let reason = format!("asked for at a shell: {}", args.selector);
    let deletions = [Deletion { file_name: entry.file_name.clone(), reason }];
    // Nobody is asked for what would be refused. Asked before the run is locked: a prompt may wait for long.
    reader.check_deletions(&deletions, &options)?;
    if !args.yes && !ask(&entry)? {
        return Err(Failure::new("declined", FAILED, "nothing was deleted").into());
    }
    let run = Run::open(&args.run, options)?;
    let deleted = run.delete(&deletions)?;
    for notice in run.take_notices() {
        output.warn(&notice);
    }
    // Pinned since it was looked at.
    if !deleted.kept.is_empty() {
        return Err(ckpt::Error::Pinned { sequence: entry.sequence }.into());
    }
    let answer = Answer {
        deleted: deleted.file_names.iter().map(String::as_str).collect(),
        freed_bytes: deleted.freed_bytes,
    };
    output.answer(&answer, || {
        let (name, size) = (human::shown(&entry.file_name), human::size(answer.freed_bytes));
        format!("deleted {name} (sequence {}, {size})\n", entry.sequence)
    })
}

fn ask(entry: &Entry) -> anyhow::Result<bool> {
    let age = entry.created_at().map(|then| human::age(ckpt::now(), then)).unwrap_or_default();
    let (name, size) = (human::shown(&entry.file_name), human::size(entry.stored_bytes));
    write!(anstream::stderr(), "delete {name} ({size}, {age})? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
