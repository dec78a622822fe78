//! `ckpt save`: the next checkpoint of a run.

mod inputs;

use std::path::{Path, PathBuf};

use ckpt::{Digest, Epoch, Event, Metadata, Position, Program, Run, RunName, RunOptions, RunReader, Saved};
use serde::Serialize;

use crate::args::SaveArgs;
use crate::failure::{CONFLICT, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::{human, json};

/// What was saved, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    run: &'a str,
    created: bool,
    sequence: u64,
    epoch: u64,
    name: &'a str,
    path: String,
    event: Option<&'a Event>,
    stored_bytes: u64,
    raw_bytes: u64,
    content_digest: Digest,
    index_digest: Digest,
    sections: Vec<&'a str>,
}

pub(crate) fn run(args: &SaveArgs, output: &Output) -> anyhow::Result<()> {
    let metadata = metadata(args)?;
    // All inputs are open before a run is made or a number taken.
    let inputs = inputs::open(&args.sections)?;
    let options = RunOptions::new(ckpt::now).epoch(epoch(args)?);
    let said = Said { kind: args.kind.as_ref(), name: args.name.as_ref() };
    let (run, created) = open_or_create(&args.run, Some(&said), options)?;
    let progress = Progress::new("saving", inputs.total_bytes);
    let sections = inputs.into_sections(&progress)?;
    let saved = run.save(metadata.clone(), sections)?;
    drop(progress);
    for notice in run.take_notices() {
        output.warn(&notice);
    }
    answer(args, &metadata, &run, created, &saved, output)
}

fn answer(
    args: &SaveArgs,
    metadata: &Metadata,
    run: &Run,
    created: bool,
    saved: &Saved,
    output: &Output,
) -> anyhow::Result<()> {
    let events: Vec<&Event> = json::events(metadata).collect();
    let answer = Answer {
        run: &run.path().display().to_string(),
        created,
        sequence: saved.sequence,
        epoch: saved.epoch,
        name: &saved.file_name,
        path: run.path().join(&saved.file_name).display().to_string(),
        event: json::strongest(&events),
        stored_bytes: saved.stored_bytes,
        raw_bytes: saved.raw_bytes,
        content_digest: saved.content_digest,
        index_digest: saved.index_digest,
        sections: args.sections.iter().map(|section| section.name.as_str()).collect(),
    };
    output.answer(&answer, || {
        let Saved { file_name, sequence, stored_bytes, .. } = saved;
        format!("saved {file_name} (sequence {sequence}, {})\n", human::size(*stored_bytes))
    })
}

/// What a command line says of a run that it may make; the rest is told by the path.
pub(crate) struct Said<'a> {
    pub(crate) kind: Option<&'a RunName>,
    pub(crate) name: Option<&'a RunName>,
}

/// Opens a run to write to it, or makes it. Whether it was made is the second value. Of commands without flags for a new run's
/// identity, nothing can be `said`.
pub(crate) fn open_or_create(
    path: &Path,
    said: Option<&Said<'_>>,
    options: RunOptions,
) -> anyhow::Result<(Run, bool)> {
    if !ckpt::is_run(path) {
        let (kind, name) = identity(path, said)?;
        return Ok((Run::open_or_create(path, &kind, &name, options)?, true));
    }
    let run = Run::open(path, options)?;
    let identity = run.reader().identity();
    let other = |wanted: Option<&RunName>, has: &RunName| wanted.is_some_and(|wanted| wanted != has);
    if said.is_some_and(|said| other(said.kind, &identity.kind) || other(said.name, &identity.name)) {
        let is = format!("{}/{}", identity.kind, identity.name);
        let message = format!("the run at {} is {is}: leave --kind and --name out", path.display());
        return Err(Failure::new("conflict", CONFLICT, message).at(path).into());
    }
    Ok((run, false))
}

/// Kind and name of the run that would be made there. A directory above runs would not become one: that one was meant is seldom.
pub(crate) fn identity(path: &Path, said: Option<&Said<'_>>) -> anyhow::Result<(RunName, RunName)> {
    if ckpt::find_runs(path).is_ok_and(|runs| !runs.is_empty()) {
        // It says which there are.
        RunReader::open(path)?;
    }
    let components = last_components(path);
    let part = |place, flag, given: Option<&RunName>| match given {
        Some(given) => Ok(given.clone()),
        None => component(&components, place, said.map(|_| flag), path),
    };
    Ok((part(1, "kind", said.and_then(|said| said.kind))?, part(0, "name", said.and_then(|said| said.name))?))
}

/// A component of the path, counted from its end, as a name of the run.
fn component(
    components: &[String],
    place: usize,
    flag: Option<&str>,
    path: &Path,
) -> anyhow::Result<RunName> {
    let path = path.display();
    let give = flag.map(|flag| format!("give --{flag}, or another path"));
    let way_out = give.unwrap_or_else(|| "give another path, which ends in KIND/NAME".to_owned());
    let Some(text) = components.get(place) else {
        return Err(Failure::usage(format!("{path} is too short to name a run: {way_out}")).into());
    };
    text.parse()
        .map_err(|error| Failure::usage(format!("{path} cannot name the run ({error}): {way_out}")).into())
}

/// The last components of the absolute path, the last first. Links and dots of what exists are resolved.
fn last_components(path: &Path) -> Vec<String> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut missing = Vec::new();
    let mut existing: Option<PathBuf> = None;
    for ancestor in absolute.ancestors() {
        if let Ok(found) = ancestor.canonicalize() {
            existing = Some(found);
            break;
        }
        missing.extend(
            ancestor.components().next_back().map(|last| last.as_os_str().to_string_lossy().into_owned()),
        );
    }
    let existing = existing.unwrap_or_default();
    let resolved = existing.components().rev().filter_map(|component| match component {
        std::path::Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    missing.into_iter().chain(resolved).collect()
}

/// The attempt that saves: as said, or as whoever started this program says for this run.
fn epoch(args: &SaveArgs) -> anyhow::Result<Epoch> {
    if let Some(epoch) = args.epoch {
        return Ok(Epoch::Join(epoch));
    }
    let Some(text) = std::env::var_os("CKPT_EPOCH").filter(|text| !text.is_empty()) else {
        return Ok(Epoch::None);
    };
    let resolved = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if std::env::var_os("CKPT_RUN").is_some_and(|run| resolved(Path::new(&run)) != resolved(&args.run)) {
        return Ok(Epoch::None);
    }
    let epoch = text.to_str().and_then(|text| text.parse().ok());
    epoch.map(Epoch::Join).ok_or_else(|| {
        Failure::usage(format!("CKPT_EPOCH is {text:?}, not a whole number: unset it, or give --epoch"))
            .into()
    })
}

fn metadata(args: &SaveArgs) -> anyhow::Result<Metadata> {
    let mut metadata = Metadata {
        position: Position {
            step: args.step,
            total: args.total,
            unit: args.unit.clone(),
            cursor: args.cursor.clone(),
        },
        status: args.status,
        labels: args.labels.iter().cloned().collect(),
        market: args.market.clone(),
        phase: args.phase.clone(),
        seed: args.seed,
        program: Some(Program { name: "ckpt".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }),
        created_at: ckpt::now(),
        extra: args.extra.as_deref().map(inputs::extra).transpose()?.unwrap_or_default(),
        ..Metadata::default()
    };
    unique("--metric", args.metrics.iter().map(|(name, _)| name))?;
    unique("--label", args.labels.iter().map(|(key, _)| key))?;
    for (name, value) in &args.metrics {
        metadata.metrics.set(name, *value);
    }
    let events = if args.events.is_empty() { &[Event::Manual][..] } else { &args.events };
    for event in events {
        metadata.events.push(ckpt::Cause { event: event.clone(), reason: None });
    }
    Ok(metadata)
}

/// Refuses a name that is given twice: nobody can know which one is meant.
pub(crate) fn unique<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> anyhow::Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Failure::usage(format!("{what} {name} is given twice: give it once")).into());
        }
    }
    Ok(())
}
