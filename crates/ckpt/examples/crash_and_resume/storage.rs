//! All that the example needs of `ckpt`: open, resume, save, and what the parent reads beside the child.

use std::io::Read;
use std::path::Path;

use ckpt::{
    Checkpoint, Deletion, Direction, Event, Metadata, Position, Program, Run, RunOptions, Section, Selector,
    Skipped, Status, json,
};

use crate::Result;
use crate::state::{FILTER_SECTION, LearnerState, PARTICLES_SECTION};

/// Older checkpoints than this many are deleted: two would do, to step back once.
const KEPT: usize = 3;

/// A run that is opened for writing.
pub(crate) struct Checkpoints {
    run: Run,
    days: u64,
}

/// What was loaded.
pub(crate) struct Found {
    pub(crate) sequence: u64,
    /// Why this one, in one line.
    pub(crate) why: String,
    pub(crate) state: LearnerState,
    pub(crate) particles: Vec<u8>,
}

impl Checkpoints {
    /// `days` is how many there are in all.
    pub(crate) fn open_or_create(directory: &Path, days: u64) -> Result<Checkpoints> {
        let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default().parse()?;
        let run = Run::open_or_create(directory, &"volatility".parse()?, &name, RunOptions::new(ckpt::now))?;
        Ok(Checkpoints { run, days })
    }

    /// The newest good checkpoint; nothing only if the run holds none.
    pub(crate) fn resume(&mut self) -> Result<Option<Found>> {
        if self.run.reader().list()?.is_empty() {
            return Ok(None);
        }
        let loaded = self.run.load_with(&Selector::Latest, take_sections)?;
        let (state, particles) = decode(loaded.value)?;
        let why = explain(&loaded.why, &loaded.skipped);
        Ok(Some(Found { sequence: loaded.entry.sequence, why, state, particles }))
    }

    /// Saves and returns the number of the checkpoint, once it is durable.
    pub(crate) fn save(&mut self, state: &LearnerState, particles: &mut (dyn Read + Send)) -> Result<u64> {
        let done = state.day == self.days;
        let event = if done { Event::PhaseEnd } else { Event::Periodic };
        let reason = if done { "the data ended" } else { "a period ended" };
        let mut metadata = Metadata {
            status: if done { Status::Completed } else { Status::InProgress },
            program: Some(Program {
                name: "crash_and_resume".into(),
                version: env!("CARGO_PKG_VERSION").into(),
            }),
            created_at: ckpt::now(),
            ..Metadata::default()
        }
        .because(event, reason)
        .at(Position::at(state.day).of(self.days).unit("days"));
        if let Some((stochastic, constant)) = state.score.per_day() {
            metadata.metrics.set("log_likelihood_per_day", stochastic);
            metadata.metrics.set("log_likelihood_per_day_constant", constant);
            metadata.metrics.declare("log_likelihood_per_day", Direction::Max);
        }
        let sections =
            vec![Section::json(FILTER_SECTION, state)?, Section::reader(PARTICLES_SECTION, particles)];
        let saved = self.run.save(metadata, sections)?;
        self.delete_old()?;
        Ok(saved.sequence)
    }

    fn delete_old(&self) -> Result<()> {
        let entries = self.run.reader().list()?;
        let reason = format!("only the newest {KEPT} are kept");
        let old: Vec<Deletion> = entries
            .iter()
            .rev()
            .filter(|entry| entry.is_committed())
            .skip(KEPT)
            .map(|entry| Deletion { file_name: entry.file_name.clone(), reason: reason.clone() })
            .collect();
        if !old.is_empty() {
            self.run.delete(&old)?;
        }
        Ok(())
    }
}

/// The newest good checkpoint, read beside whoever writes.
pub(crate) fn read_latest(directory: &Path) -> Result<Found> {
    let loaded = Run::open_read_only(directory)?.load_with(&Selector::Latest, take_sections)?;
    let (state, particles) = decode(loaded.value)?;
    let why = explain(&loaded.why, &loaded.skipped);
    Ok(Found { sequence: loaded.entry.sequence, why, state, particles })
}

/// Names of files that a save left unfinished.
pub(crate) fn staging_leftovers(directory: &Path) -> Result<Vec<String>> {
    let Ok(entries) = std::fs::read_dir(directory.join(".staging")) else { return Ok(Vec::new()) };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn take_sections(checkpoint: &Checkpoint) -> ckpt::Result<(Vec<u8>, Vec<u8>)> {
    Ok((checkpoint.read(FILTER_SECTION)?, checkpoint.read(PARTICLES_SECTION)?))
}

fn decode((state, particles): (Vec<u8>, Vec<u8>)) -> Result<(LearnerState, Vec<u8>)> {
    let (state, _) = json::from_slice(&state)?;
    Ok((state, particles))
}

fn explain(why: &str, skipped: &[Skipped]) -> String {
    match skipped {
        [] => format!("{why}, nothing skipped"),
        skipped => {
            let each: Vec<String> = skipped.iter().map(ToString::to_string).collect();
            format!("{why}; skipped: {}", each.join("; "))
        }
    }
}
