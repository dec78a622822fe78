//! `ckpt pin` and `ckpt unpin`: a mark that protects a checkpoint from every deletion.

use ckpt::{Pins, RunOptions, RunReader, Selector};
use serde::Serialize;

use crate::args::{PinArgs, UnpinArgs};
use crate::output::Output;
use crate::source;

/// The pin as it is now, in JSON.
#[derive(Serialize)]
struct Answer {
    sequence: u64,
    pinned: bool,
    changed: bool,
}

pub(crate) fn pin(args: &PinArgs, output: &Output) -> anyhow::Result<()> {
    let run = RunReader::open(&args.run)?;
    let sequence = sequence(&run, &args.selector, output)?;
    let changed =
        Pins::open(&args.run, &RunOptions::new(ckpt::now))?.pin(sequence, args.reason.as_deref())?;
    output.answer(&Answer { sequence, pinned: true, changed }, || {
        let text = if changed { "is pinned now" } else { "was pinned before" };
        format!("checkpoint {sequence} {text}\n")
    })
}

pub(crate) fn unpin(args: &UnpinArgs, output: &Output) -> anyhow::Result<()> {
    let run = RunReader::open(&args.run)?;
    let sequence = sequence(&run, &args.selector, output)?;
    let changed = Pins::open(&args.run, &RunOptions::new(ckpt::now))?.unpin(sequence)?;
    output.answer(&Answer { sequence, pinned: false, changed }, || {
        let text = if changed { "is no longer pinned" } else { "was not pinned" };
        format!("checkpoint {sequence} {text}\n")
    })
}

/// The number that is meant. One that is given as a number need not be good, so that its pin can go whatever happened.
fn sequence(run: &RunReader, selector: &Selector, output: &Output) -> anyhow::Result<u64> {
    if let Selector::Sequence(sequence) = selector {
        return Ok(*sequence);
    }
    let found = source::load(run, selector, |checkpoint| checkpoint.sections().map(|_| ()))?;
    source::tell_skipped(&found, output);
    Ok(found.entry.sequence)
}
