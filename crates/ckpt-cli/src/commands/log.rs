//! `ckpt log`: what happened in a run, in words.

use ckpt::{Costs, FinalState, LogEntry, LogEvent, LogLine, Note, RunReader};
use serde::Serialize;

use crate::args::LogArgs;
use crate::human;
use crate::output::Output;
use crate::retention::logged_in_words;

/// Digits of a digest that tell policies apart.
const DIGEST_SHOWN: usize = 12;

/// A line of the log, in JSON: as it was written, or what cannot be read.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Good(&'a LogEntry),
    Bad { bad: &'a str },
}

pub(crate) fn run(args: &LogArgs, output: &Output) -> anyhow::Result<()> {
    let lines = RunReader::open(&args.run)?.log()?;
    let answer: Vec<Line<'_>> = lines
        .iter()
        .map(|line| match line {
            LogLine::Good(entry) => Line::Good(entry),
            LogLine::Bad(text) => Line::Bad { bad: text },
        })
        .collect();
    output.answer(&answer, || lines.iter().map(line).collect())
}

fn line(line: &LogLine) -> String {
    let (dim, bad) = (human::DIM, human::BAD);
    match line {
        LogLine::Good(entry) => {
            let text = human::shown(&words(&entry.event)).replace('\n', " ");
            format!("{dim}{}  {}{dim:#}  {text}\n", entry.at, human::shown(&process(entry)))
        }
        LogLine::Bad(text) => format!("{bad}a line that cannot be read:{bad:#} {}\n", human::shown(text)),
    }
}

fn process(entry: &LogEntry) -> String {
    format!("{}:{}", entry.by.host, entry.by.pid)
}

/// An event as a sentence.
fn words(event: &LogEvent) -> String {
    match event {
        LogEvent::Opened { epoch, swept, .. } => {
            let epoch = if *epoch > 0 { format!(" at epoch {epoch}") } else { String::new() };
            let swept = match swept.len() {
                0 => String::new(),
                count => format!(", removed {} of dead writers", human::plural(count, "unfinished file")),
            };
            format!("opened to write{epoch}{swept}")
        }
        LogEvent::Saved { sequence, file_name, events, stored_bytes, costs, .. } => {
            let events: Vec<String> = events.iter().map(ToString::to_string).collect();
            let (size, cost) = (human::size(*stored_bytes), costs_in_words(costs));
            format!("saved {sequence} for {}: {file_name} ({size}, {cost})", events.join(", "))
        }
        LogEvent::SteppedBack { sequence, reason, set_aside, .. } => {
            let aside = set_aside.as_ref().map(|path| format!("; set aside as {path}")).unwrap_or_default();
            format!("stepped back over {sequence}: {reason}{aside}")
        }
        LogEvent::Deleting { victims } => {
            let victims = victims.iter().map(|victim| format!("{} ({})", victim.sequence, victim.reason));
            format!("decided to delete {}", victims.collect::<Vec<_>>().join(", "))
        }
        LogEvent::Deleted { count, freed_bytes } => {
            let count = human::plural(usize::try_from(*count).unwrap_or(usize::MAX), "checkpoint");
            format!("deleted {count}, {} freed", human::size(*freed_bytes))
        }
        LogEvent::QuarantinePruned { file_names } => {
            format!("removed for good what was set aside: {}", file_names.join(", "))
        }
        LogEvent::Pinned { sequence, reason } => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("pinned {sequence}{reason}")
        }
        LogEvent::Unpinned { sequence } => format!("unpinned {sequence}"),
        LogEvent::Noted(note) => note_in_words(note),
        // A later library may know more than these words.
        other => format!("{other:?}"),
    }
}

/// A note as a sentence.
pub(crate) fn note_in_words(note: &Note) -> String {
    let checkpoints = |count: u64| human::plural(usize::try_from(count).unwrap_or(usize::MAX), "checkpoint");
    let short = |digest: &ckpt::Digest| digest.to_string().chars().take(DIGEST_SHOWN).collect::<String>();
    match note {
        Note::PolicyInForce { digest, policy, entries } => {
            let (rules, entries) = (logged_in_words(policy), checkpoints(*entries));
            format!("policy {} came into force over {entries}: {rules}", short(digest))
        }
        Note::ScheduleInForce { text, .. } => format!("periodic saves go by this schedule: {text}"),
        Note::PlanWithheld { digest, delete, keep } => {
            let (delete, policy) = (checkpoints(*delete), short(digest));
            format!(
                "withheld a plan of policy {policy} that would delete {delete} and keep {keep}: confirm it first"
            )
        }
        Note::PlanConfirmed { digest } => format!("confirmed the plans of policy {}", short(digest)),
        Note::DiskLevel { from, to, available_bytes, reason } => {
            format!("disk level {from} -> {to} ({} free): {reason}", human::size(*available_bytes))
        }
        Note::Resumed { sequence, skipped, restored, migrated, defaulted, clamped, .. } => {
            let skipped: Vec<String> = skipped.iter().map(ToString::to_string).collect();
            let skipped = match skipped.len() {
                0 => String::new(),
                _ => format!(", skipped {}", skipped.join(", ")),
            };
            let counts = counted(&[
                (*restored, "restored"),
                (*migrated, "migrated"),
                (*defaulted, "at their defaults"),
                (*clamped, "values clamped"),
            ]);
            format!("resumed from {sequence}{skipped}{counts}")
        }
        Note::Injected { identity, prior, injected, seeded, kept_live, skipped, kept_own, clamped } => {
            let from = prior
                .as_ref()
                .map(|prior| format!(" in checkpoint {} of run {}", prior.sequence, prior.run_id));
            let counts = counted(&[
                (*injected, "injected"),
                (*seeded, "cells seeded"),
                (*kept_live, "cells kept live"),
                (*skipped, "skipped"),
                (*kept_own, "kept its own"),
                (*clamped, "values clamped"),
            ]);
            format!("prior injected of {identity}{}{counts}", from.unwrap_or_default())
        }
        Note::Finished { status, final_state, reason } => {
            let state = final_state.map(state_in_words).unwrap_or_default();
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("finished: {status}{state}{reason}")
        }
        other => format!("{other:?}"),
    }
}

/// `: 17 restored, 2 migrated`; what there is none of is left out.
fn counted(counts: &[(u64, &str)]) -> String {
    let some = counts.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = some.map(|(count, what)| format!("{} {what}", human::count(*count))).collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
}

fn state_in_words(state: FinalState) -> &'static str {
    match state {
        FinalState::SavedBefore => ", and a checkpoint before has its final state",
        FinalState::NotSaved => ", and its final state was not saved",
        // That another rank saves it is noted by none, and what is saved stands in the line before.
        _ => "",
    }
}

/// What was measured; a phase that there was none of is left out.
fn costs_in_words(costs: &Costs) -> String {
    let ms = |us: u64| us as f64 / 1e3;
    let some = |name: &str, us: u64| match us {
        0 => String::new(),
        us => format!("{name} {:.1} ms, ", ms(us)),
    };
    let (snapshot, compress) = (some("snapshot", costs.snapshot_us), some("compress", costs.compress_us));
    let (write, sync, publish) = (ms(costs.write_us), ms(costs.sync_us), ms(costs.publish_us));
    format!("{snapshot}{compress}write {write:.1} ms, sync {sync:.1} ms, publish {publish:.1} ms")
}
