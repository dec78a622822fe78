//! `ckpt migrate`: the newest state again, at the versions that this program writes.

use ckpt::{
    Bundle as _, BundleMode, Checkpoint, EncodedSection, Entry, Outcome as Loaded, Run, RunReader, Selector,
};
use ckpt_market::{StampedBundle, import, names, preset};
use serde::Serialize;

use crate::args::MigrateArgs;
use crate::commands::list;
use crate::market::{Kind, with_causes};
use crate::output::Output;
use crate::rewrite::{self, SavedRow};
use crate::source::{self, Found};
use crate::table::{Cell, Table};
use crate::{human, json};

/// What was done, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    run: String,
    sequence: u64,
    name: &'a str,
    dry_run: bool,
    sections: &'a [Step],
    saved: Option<&'a SavedRow>,
    skipped: Vec<json::SkippedRow<'a>>,
}

/// What becomes of a section.
#[derive(Debug, Serialize)]
struct Step {
    name: String,
    kind: String,
    outcome: Outcome,
    /// Versions it goes through: one of them if nothing is done.
    path: Vec<u32>,
    text: String,
    #[serde(skip)]
    section: Option<EncodedSection>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// It is taken to the current version.
    Migrated,
    /// It has the current version.
    Current,
    /// Its kind is not known here: it is copied as it is.
    Unknown,
}

pub(crate) fn run(args: &MigrateArgs, output: &Output) -> anyhow::Result<()> {
    let reader = RunReader::open(&args.run)?;
    let found = plan(&reader)?;
    if args.dry_run || !is_needed(&found.value) {
        return answer(&reader, &found, None, args, output);
    }
    // Planned once more as the writer: nothing newer can come in between now.
    let run = Run::open(&args.run, rewrite::options())?;
    let mut found = plan(run.reader())?;
    let changed = found.value.iter_mut().filter_map(|step| step.section.take()).collect();
    let from = run.reader().open_checkpoint(&found.entry.file_name)?;
    let reason = format!("migrated from checkpoint {}", found.entry.sequence);
    let metadata = rewrite::restamped(&from, rewrite::successor(&from, reason))?;
    let saved = rewrite::save(&run, &from, changed, metadata, output)?;
    answer(run.reader(), &found, Some(saved.into()), args, output)
}

/// What becomes of each section of the newest good checkpoint, of which every byte is read.
fn plan(run: &RunReader) -> anyhow::Result<Found<Vec<Step>>> {
    source::load(run, &Selector::Latest, |checkpoint| {
        checkpoint.verify()?;
        let sections = checkpoint.sections()?;
        let mut steps: Vec<Step> =
            sections.iter().map(|entry| step(checkpoint, entry)).collect::<ckpt::Result<_>>()?;
        if import::is_text(sections.iter().map(|entry| entry.name.as_str())) {
            steps.extend(parts(checkpoint)?);
        }
        Ok(steps)
    })
}

/// What becomes of the parts of an imported `checkpoint.json`, each a section from now on; judged anew, for what its origin stamped
/// says nothing after an orderly shutdown.
fn parts(checkpoint: &Checkpoint) -> ckpt::Result<Vec<Step>> {
    let loaded = checkpoint.read_bundle::<StampedBundle>(BundleMode::Strict)?;
    let stamped = loaded.value.into_bundle().stamp(&preset().gate);
    let sections = stamped.to_sections().map_err(|error| ckpt::Error::Incompatible {
        file: checkpoint.file_name().to_owned(),
        reason: with_causes(&error),
    })?;
    let part = |section: EncodedSection| {
        let (name, kind) = (section.name.clone(), section.kind.clone());
        let component = loaded.report.component(&name);
        let path = match component.map(|component| &component.outcome) {
            Some(Loaded::Migrated { path }) => path.clone(),
            _ => vec![section.version],
        };
        let said = component.map(ToString::to_string).unwrap_or_default();
        let said = said.strip_prefix(&format!("{name}: ")).unwrap_or(&said);
        let text = if name == names::READINESS { "judged anew" } else { said };
        let text = format!("from {}: {text}", import::SECTION);
        Step { name, kind, outcome: Outcome::Migrated, path, text, section: Some(section) }
    };
    Ok(sections.into_iter().map(part).collect())
}

fn step(checkpoint: &Checkpoint, entry: &ckpt::SectionEntry) -> ckpt::Result<Step> {
    let (name, kind, version) = (entry.name.clone(), entry.kind.clone(), entry.version);
    let as_it_is = |outcome, text: String| Step {
        name: name.clone(),
        kind: kind.clone(),
        outcome,
        path: vec![version],
        text,
        section: None,
    };
    Ok(match Kind::named(&kind) {
        None => as_it_is(Outcome::Unknown, "copied byte for byte, its kind is not known here".to_owned()),
        Some(known) if known.version == version => as_it_is(Outcome::Current, format!("v{version}, current")),
        Some(known) => {
            let upgraded = known.upgrade(checkpoint, &name)?;
            let (path, text) = (upgraded.path, upgraded.words);
            Step { name, kind, outcome: Outcome::Migrated, path, text, section: Some(upgraded.section) }
        }
    })
}

fn is_needed(steps: &[Step]) -> bool {
    steps.iter().any(|step| step.outcome == Outcome::Migrated)
}

fn answer(
    run: &RunReader,
    found: &Found<Vec<Step>>,
    saved: Option<SavedRow>,
    args: &MigrateArgs,
    output: &Output,
) -> anyhow::Result<()> {
    source::tell_skipped(found, output);
    let Entry { sequence, file_name, .. } = &found.entry;
    let answer = Answer {
        run: run.path().display().to_string(),
        sequence: *sequence,
        name: file_name,
        dry_run: args.dry_run,
        sections: &found.value,
        saved: saved.as_ref(),
        skipped: json::skipped(&found.skipped),
    };
    output.answer(&answer, || {
        let table = table(&found.value).render(2);
        format!("{}{table}{}\n", list::heading(run), summary(&answer))
    })
}

fn table(steps: &[Step]) -> Table {
    let mut table = Table::default().left("section").left("kind").left("versions");
    for step in steps {
        let style = match step.outcome {
            Outcome::Migrated => human::GOOD,
            Outcome::Current | Outcome::Unknown => human::DIM,
        };
        table.row([Cell::new(&step.name), Cell::new(&step.kind), Cell::styled(&step.text, style)]);
    }
    table
}

fn summary(answer: &Answer<'_>) -> String {
    let migrated = answer.sections.iter().filter(|step| step.outcome == Outcome::Migrated).count();
    let (sections, sequence) = (human::plural(migrated, "section"), answer.sequence);
    match answer.saved {
        Some(saved) => format!(
            "migrated {sections} of checkpoint {sequence} to {} (sequence {}); the old one stays",
            human::shown(&saved.name),
            saved.sequence
        ),
        None if migrated == 0 => {
            format!("nothing to migrate: what is known of checkpoint {sequence} is current")
        }
        None => {
            format!("would migrate {sections} of checkpoint {sequence}; this is a dry run, nothing was saved")
        }
    }
}
