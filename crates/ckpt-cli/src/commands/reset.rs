//! `ckpt reset`: the newest state again, with one component at its cold start.

use ckpt::{Bundle as _, BundleMode, Checkpoint, EncodedSection, Run, RunReader, Selector};
use ckpt_market::{StampedBundle, import, names, preset, readiness};
use serde::Serialize;

use crate::args::ResetArgs;
use crate::failure::{Failure, NOT_FOUND, UNSUPPORTED};
use crate::human;
use crate::market::{Kind, with_causes};
use crate::output::Output;
use crate::rewrite::{self, SavedRow};
use crate::source;

/// What was done, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    run: String,
    component: &'a str,
    sequence: u64,
    name: &'a str,
    /// What the gate thinks of the rest; none if the state has no readiness.
    verdict: Option<&'static str>,
    saved: Option<SavedRow>,
}

/// What a checkpoint needs: nothing if the component is at its default already.
enum Plan {
    Nothing,
    Change { sections: Vec<EncodedSection>, verdict: Option<&'static str> },
}

pub(crate) fn run(args: &ResetArgs, output: &Output) -> anyhow::Result<()> {
    let component = args.component.as_str();
    let reader = RunReader::open(&args.run)?;
    // What is refused is refused before the run is locked.
    let from = newest(&reader, Some(output))?;
    let (from, sections, verdict, run) = match plan(&from, component)? {
        Plan::Nothing => (from, Vec::new(), None, None),
        Plan::Change { .. } => {
            let run = Run::open(&args.run, rewrite::options())?;
            // Planned once more as the writer: nothing newer can come in between now.
            let from = newest(run.reader(), None)?;
            match plan(&from, component)? {
                Plan::Nothing => (from, Vec::new(), None, None),
                Plan::Change { sections, verdict } => (from, sections, verdict, Some(run)),
            }
        }
    };
    let sequence = from.metadata().sequence;
    let saved = match &run {
        None => None,
        Some(run) => {
            let reason = format!("{component} of checkpoint {sequence} was reset to its default");
            let mut metadata = rewrite::successor(&from, reason);
            // They were measured with what is gone.
            metadata.metrics.values.clear();
            Some(rewrite::save(run, &from, sections, metadata, output)?.into())
        }
    };
    let run = reader.path().display().to_string();
    let answer = Answer { run, component, sequence, name: from.file_name(), verdict, saved };
    output.answer(&answer, || words(&answer))
}

fn words(answer: &Answer<'_>) -> String {
    let (component, sequence) = (human::shown(answer.component), answer.sequence);
    let Some(saved) = &answer.saved else {
        return format!(
            "{component} of checkpoint {sequence} is at its default already: nothing was saved\n"
        );
    };
    let judged = answer.verdict.map(|verdict| format!("; the gate's verdict on the rest is {verdict}"));
    let (name, new) = (human::shown(&saved.name), saved.sequence);
    format!(
        "reset {component} of checkpoint {sequence}: saved {name} (sequence {new}){}\n",
        judged.unwrap_or_default()
    )
}

/// The newest good checkpoint, of which every byte was read. What is passed over is told to whom it is to be told.
fn newest(run: &RunReader, output: Option<&Output>) -> anyhow::Result<Checkpoint> {
    let found = source::load(run, &Selector::Latest, Checkpoint::verify)?;
    if let Some(output) = output {
        source::tell_skipped(&found, output);
    }
    Ok(run.open_checkpoint(&found.entry.file_name)?)
}

fn plan(from: &Checkpoint, component: &str) -> anyhow::Result<Plan> {
    let (kind, codec) = known(from, component)?;
    let cold = kind.cold(component, codec).map_err(|error| anyhow::anyhow!(with_causes(&error)))?;
    let now = from.read_encoded(component)?;
    if now == cold {
        return Ok(Plan::Nothing);
    }
    let mut changed = vec![cold];
    let verdict = restamp(from, &mut changed)?;
    Ok(Plan::Change { sections: changed, verdict })
}

/// The kind of a component that has a default.
fn known(from: &Checkpoint, component: &str) -> anyhow::Result<(&'static Kind, ckpt::Codec)> {
    let sequence = from.metadata().sequence;
    let sections = from.sections()?;
    let Some(entry) = sections.iter().find(|entry| entry.name == component) else {
        let there: Vec<&str> = sections.iter().map(|entry| entry.name.as_str()).collect();
        let message =
            format!("checkpoint {sequence} has no component {component:?}; it has {}", there.join(", "));
        let is_text = import::is_text(there.iter().copied());
        let hint = if is_text {
            "`ckpt migrate RUN` makes components of the parts of it"
        } else {
            "name one of those"
        };
        return Err(Failure::new("not_found", NOT_FOUND, message).hint(hint).into());
    };
    if [names::METADATA, names::READINESS].contains(&component) {
        let message = format!("{component} says what the state is, it was not learned: reset a component");
        return Err(Failure::usage(message).into());
    }
    Kind::named(&entry.kind).map(|kind| (kind, entry.codec)).ok_or_else(|| {
        let kind =
            if entry.kind.is_empty() { "no kind".to_owned() } else { format!("kind {:?}", entry.kind) };
        let message = format!("{component} is of {kind}, whose default this program does not know");
        let known = format!("it knows those of {}", Kind::names().join(", "));
        Failure::new("unsupported", UNSUPPORTED, message).hint(known).into()
    })
}

/// Judges what is left, by the thresholds of the save, so that the stamp does not speak of what is gone. A component that can't be
/// decoded counts for nothing: it may be the next one to be reset.
fn restamp(from: &Checkpoint, changed: &mut Vec<EncodedSection>) -> anyhow::Result<Option<&'static str>> {
    let is_stamped = from.sections()?.iter().any(|entry| entry.name == names::READINESS);
    if !is_stamped {
        return Ok(None);
    }
    let mut sections = changed.clone();
    for entry in from.sections()? {
        let is_part = names::ALL.contains(&entry.name.as_str());
        if is_part && !changed.iter().any(|section| section.name == entry.name) {
            sections.push(from.read_encoded(&entry.name)?);
        }
    }
    let incompatible =
        |reason: String| ckpt::Error::Incompatible { file: from.file_name().to_owned(), reason };
    let loaded = StampedBundle::from_sections(&sections, BundleMode::Lenient)
        .map_err(|error| incompatible(with_causes(&error)))?
        .value;
    let thresholds = readiness::thresholds_at_save(loaded.readiness()).unwrap_or_else(|| preset().gate);
    let stamped = loaded.into_bundle().stamp(&thresholds);
    let encoded = EncodedSection::encode(names::READINESS, stamped.readiness());
    changed.push(encoded.map_err(|error| incompatible(with_causes(&error)))?);
    Ok(Some(readiness::verdict_at_save(stamped.readiness()).as_str()))
}
