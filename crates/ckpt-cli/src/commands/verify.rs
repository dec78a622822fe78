//! `ckpt verify`: every byte read and checked.

use std::time::Instant;

use ckpt::{Entry, RunReader, Selector, State};
use serde::Serialize;

use crate::args::VerifyArgs;
use crate::commands::list;
use crate::failure::{DAMAGED, FAILED, Failure, UNSUPPORTED};
use crate::human;
use crate::output::Output;
use crate::progress::Progress;
use crate::source;
use crate::table::{Cell, Table};

/// What verifying one file found out, in JSON.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Verified {
    pub(super) sequence: u64,
    pub(super) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) section: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) block: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip)]
    pub(super) name: String,
    #[serde(skip)]
    bytes: u64,
}

/// The runs beneath a directory, in JSON.
#[derive(Serialize)]
struct Roots<'a> {
    runs: Vec<RunFindings<'a>>,
}

/// A run and what was found in it.
#[derive(Serialize)]
struct RunFindings<'a> {
    path: String,
    kind: &'a str,
    name: &'a str,
    run_id: &'a str,
    checkpoints: &'a [Verified],
}

pub(crate) fn run(args: &VerifyArgs, output: &Output) -> anyhow::Result<u8> {
    let path = args.path.as_path();
    let started = Instant::now();
    if path.is_file() {
        if args.selector.is_some() {
            let message = format!("{} is one checkpoint, not a run: leave the selector out", path.display());
            return Err(Failure::usage(message).into());
        }
        return report(&[verify_file(args)?], started, output);
    }
    if ckpt::is_run(path) || args.selector.is_some() {
        let run = RunReader::open(path)?;
        let findings = verify_run(&run, args.selector.as_ref())?;
        tell_unknown(&run, output);
        return report(&findings, started, output);
    }
    let mut verified = Vec::new();
    let found = list::Found::beneath(path)?;
    for run in &found.runs {
        let findings = verify_run(run, None)?;
        tell_unknown(run, output);
        verified.push((run, findings));
    }
    let status = report_runs(&verified, started, output)?;
    match found.conclude(output) {
        // Damage is the worse news.
        Err(_) if status == DAMAGED => Ok(status),
        concluded => concluded.map(|()| status),
    }
}

fn report(findings: &[Verified], started: Instant, output: &Output) -> anyhow::Result<u8> {
    output
        .answer(findings, || format!("{}{}", table(findings).render(0), summary(findings.iter(), started)))?;
    Ok(status(findings.iter()))
}

fn report_runs(
    verified: &[(&RunReader, Vec<Verified>)],
    started: Instant,
    output: &Output,
) -> anyhow::Result<u8> {
    let runs = verified.iter().map(|(run, findings)| RunFindings {
        path: run.path().display().to_string(),
        kind: run.identity().kind.as_str(),
        name: run.identity().name.as_str(),
        run_id: &run.identity().run_id,
        checkpoints: findings,
    });
    let all = || verified.iter().flat_map(|(_, findings)| findings);
    output.answer(&Roots { runs: runs.collect() }, || {
        let blocks =
            verified.iter().map(|(run, findings)| list::heading(run) + &table(findings).render(2) + "\n");
        blocks.collect::<String>() + &summary(all(), started)
    })?;
    Ok(status(all()))
}

/// Damage counts most, then what needs another program, then what is in disorder.
fn status<'a>(findings: impl Iterator<Item = &'a Verified> + Clone) -> u8 {
    let any = |states: &[State]| findings.clone().any(|finding| states.contains(&finding.state));
    if any(&[State::Damaged]) {
        DAMAGED
    } else if any(&[State::Unsupported]) {
        UNSUPPORTED
    } else if any(&[State::Unreadable, State::Foreign, State::Duplicate]) {
        FAILED
    } else {
        0
    }
}

fn verify_run(run: &RunReader, selector: Option<&Selector>) -> anyhow::Result<Vec<Verified>> {
    if let Some(selector) = selector {
        let found = run.verify(Some(selector))?;
        return Ok(found
            .into_iter()
            .map(|found| Verified {
                sequence: found.entry.sequence,
                state: found.state,
                section: found.section,
                block: found.block,
                reason: found.reason,
                name: found.entry.file_name,
                bytes: found.entry.stored_bytes,
            })
            .collect());
    }
    Ok(verify_all(run, &run.list()?))
}

/// Reads every byte of these, in their order.
pub(super) fn verify_all(run: &RunReader, entries: &[Entry]) -> Vec<Verified> {
    let progress = Progress::new("verifying", entries.iter().map(|entry| entry.stored_bytes).sum());
    let findings = entries.iter().map(|entry| {
        let outcome = run.open_checkpoint(&entry.file_name).and_then(|checkpoint| checkpoint.verify());
        progress.advance(entry.stored_bytes);
        finding(entry, outcome)
    });
    findings.collect()
}

fn verify_file(args: &VerifyArgs) -> anyhow::Result<Verified> {
    let name = args.path.display().to_string();
    let (entry, outcome) = match source::open_file(&args.path) {
        Ok(checkpoint) => (source::row_of_file(&args.path, &checkpoint), checkpoint.verify()),
        // Without its front nobody knows its number.
        Err(error @ (ckpt::Error::Damaged { .. } | ckpt::Error::Unsupported { .. })) => {
            let entry = Entry {
                epoch: 0,
                sequence: 0,
                file_name: name.clone(),
                state: State::Committed,
                reason: None,
                details: None,
                stored_bytes: std::fs::metadata(&args.path).map_or(0, |found| found.len()),
                pinned: false,
            };
            (entry, Err(error))
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Verified { name, ..finding(&entry, outcome) })
}

/// What a listing says against a file stands, unless its bytes are damaged besides.
fn finding(entry: &Entry, outcome: ckpt::Result<()>) -> Verified {
    let (state, reason) = match &outcome {
        Err(error) if entry.state == State::Committed => (state_of(error), Some(reason_of(error))),
        _ => (entry.state, entry.reason.clone()),
    };
    let part = outcome.as_ref().err().and_then(ckpt::Error::part);
    Verified {
        sequence: entry.sequence,
        state,
        section: part.and_then(|part| part.section()).map(str::to_owned),
        block: part.and_then(|part| part.block()),
        reason,
        name: entry.file_name.clone(),
        bytes: entry.stored_bytes,
    }
}

fn state_of(error: &ckpt::Error) -> State {
    match error {
        ckpt::Error::Damaged { .. } => State::Damaged,
        ckpt::Error::Unsupported { .. } | ckpt::Error::Incompatible { .. } => State::Unsupported,
        _ => State::Unreadable,
    }
}

/// The error without the file's name, which stands beside it.
fn reason_of(error: &ckpt::Error) -> String {
    match error {
        ckpt::Error::Damaged { source, .. } | ckpt::Error::Unsupported { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

fn tell_unknown(run: &RunReader, output: &Output) {
    let Ok(names) = run.unknown_names() else { return };
    if let Some(first) = names.first() {
        let (what, path) = (human::plural(names.len(), "name"), run.path().display());
        output.note(&format!("{path} holds {what} that ckpt does not know and leaves alone: {first} ..."));
    }
}

fn table(findings: &[Verified]) -> Table {
    let mut table =
        Table::default().right("seq").left("state").left("file").right("size").left("what is wrong");
    for finding in findings {
        let style = match finding.state {
            State::Committed => human::GOOD,
            State::Damaged => human::BAD,
            _ => human::WARN,
        };
        let state = if finding.state == State::Committed { "good" } else { finding.state.as_str() };
        table.row([
            Cell::styled(finding.sequence.to_string(), human::HEAD),
            Cell::styled(state, style),
            Cell::new(&finding.name),
            Cell::new(human::size(finding.bytes)),
            Cell::new(finding.reason.clone().unwrap_or_default()),
        ]);
    }
    table
}

fn summary<'a>(findings: impl Iterator<Item = &'a Verified> + Clone, started: Instant) -> String {
    let count = findings.clone().count();
    let bad = findings.clone().filter(|finding| finding.state != State::Committed).count();
    let bytes = findings.map(|finding| finding.bytes).sum();
    let seconds = started.elapsed().as_secs_f64();
    let verdict = match (count, bad) {
        (0, _) => "nothing to verify".to_owned(),
        (1, 0) => "it is good".to_owned(),
        (_, 0) => "all are good".to_owned(),
        (_, bad) => format!(
            "{bad} not good: `latest` steps back over damaged ones, a pin or an export keeps a good one"
        ),
    };
    format!(
        "{} read ({}, {seconds:.1} s): {verdict}\n",
        human::plural(count, "checkpoint"),
        human::size(bytes)
    )
}
