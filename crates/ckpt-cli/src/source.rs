//! What reading commands read: a checkpoint of a run, or one bare file.

use std::path::{Path, PathBuf};

use ckpt::{Checkpoint, Entry, RunReader, Selector, Skipped, State};

use crate::failure::{Failure, USAGE};
use crate::output::Output;

/// What a reading command was pointed at.
#[derive(Debug)]
pub(crate) enum Source {
    /// A run.
    Run(RunReader),
    /// One checkpoint in a file that may lie anywhere.
    File(PathBuf),
}

/// What was taken from a checkpoint, from which one, and why from that one.
#[derive(Debug)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) entry: Entry,
    pub(crate) why: String,
    /// What was passed over, newest first.
    pub(crate) skipped: Vec<Skipped>,
}

impl Source {
    /// A path to a file is a checkpoint, any other the directory of a run.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if path.is_file() { Ok(Self::File(path.to_owned())) } else { Ok(Self::Run(RunReader::open(path)?)) }
    }

    /// Loads what `read` takes from the checkpoint that is meant; without a selector from the latest. Only that one steps
    /// back, and says so.
    pub(crate) fn load_with<T>(
        &self,
        selector: Option<&Selector>,
        output: &Output,
        read: impl FnMut(&Checkpoint) -> ckpt::Result<T>,
    ) -> anyhow::Result<Found<T>> {
        let loaded = match self {
            Self::Run(run) => load(run, selector.unwrap_or(&Selector::Latest), read)?,
            Self::File(path) => load_file(path, selector, read)?,
        };
        tell_skipped(&loaded, output);
        Ok(loaded)
    }

    /// The row of the checkpoint that is meant, and the checkpoint itself.
    pub(crate) fn find(
        &self,
        selector: Option<&Selector>,
        output: &Output,
    ) -> anyhow::Result<(Found<()>, Checkpoint)> {
        let loaded = self.load_with(selector, output, |checkpoint| checkpoint.sections().map(|_| ()))?;
        let checkpoint = self.open_found(&loaded.entry)?;
        Ok((loaded, checkpoint))
    }

    /// The checkpoint of a row that was found here.
    pub(crate) fn open_found(&self, entry: &Entry) -> ckpt::Result<Checkpoint> {
        match self {
            Self::Run(run) => run.open_checkpoint(&entry.file_name),
            Self::File(path) => open_file(path),
        }
    }
}

/// As [`RunReader::load_with`]; a selector that leaves open which way is better is a matter of usage.
pub(crate) fn load<T>(
    run: &RunReader,
    selector: &Selector,
    read: impl FnMut(&Checkpoint) -> ckpt::Result<T>,
) -> anyhow::Result<Found<T>> {
    let loaded = run.load_with(selector, read).map_err(|error| match (selector, &error) {
        (Selector::Best { direction: None, .. }, ckpt::Error::Invalid { reason }) => {
            Failure::new("usage", USAGE, reason).into()
        }
        _ => anyhow::Error::from(error),
    })?;
    Ok(Found { value: loaded.value, entry: loaded.entry, why: loaded.why, skipped: loaded.skipped })
}

/// Says what was passed over, and the way out.
pub(crate) fn tell_skipped<T>(loaded: &Found<T>, output: &Output) {
    for skipped in &loaded.skipped {
        let (sequence, reason, instead) = (skipped.sequence, &skipped.reason, loaded.entry.sequence);
        output.warn(&format!("checkpoint {sequence} was passed over: {reason}; took {instead} instead"));
    }
    if !loaded.skipped.is_empty() {
        output.note("      files stay where they are until a writer opens the run; `ckpt verify RUN` checks all of them");
    }
}

/// Opens a checkpoint in a bare file. Its user named it, so a link is followed, which in a run none is.
pub(crate) fn open_file(path: &Path) -> ckpt::Result<Checkpoint> {
    let resolved = path.canonicalize();
    Checkpoint::open_file(resolved.as_deref().unwrap_or(path))
}

/// The row of a checkpoint in a bare file.
pub(crate) fn row_of_file(path: &Path, checkpoint: &Checkpoint) -> Entry {
    let metadata = checkpoint.metadata();
    Entry {
        epoch: metadata.epoch,
        sequence: metadata.sequence,
        file_name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        state: State::Committed,
        reason: None,
        details: Some(checkpoint.details()),
        stored_bytes: checkpoint.file_bytes(),
        pinned: false,
    }
}

fn load_file<T>(
    path: &Path,
    selector: Option<&Selector>,
    mut read: impl FnMut(&Checkpoint) -> ckpt::Result<T>,
) -> anyhow::Result<Found<T>> {
    if let Some(selector) = selector {
        let path = path.display();
        let reason = format!("{path} is one checkpoint, not a run: leave the selector {selector} out");
        return Err(Failure::usage(reason).into());
    }
    let checkpoint = open_file(path)?;
    let value = read(&checkpoint)?;
    let entry = row_of_file(path, &checkpoint);
    Ok(Found { value, entry, why: "it is the file that was named".to_owned(), skipped: Vec::new() })
}
