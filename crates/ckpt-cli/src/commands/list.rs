//! `ckpt list`: the checkpoints of a run, or of every run beneath a directory.

use std::path::Path;

use ckpt::{Entry, Event, Metadata, RunReader, State, Timestamp};
use serde::Serialize;

use crate::args::ListArgs;
use crate::failure::Failure;
use crate::json::{self, Rows};
use crate::output::Output;
use crate::table::{Cell, Table};
use crate::{human, source};

/// Metrics that a line shows; JSON has all.
const METRICS_SHOWN: usize = 3;

/// The runs beneath a directory, in JSON.
#[derive(Serialize)]
struct Roots<'a> {
    runs: Vec<RunRows<'a>>,
}

/// A run and its checkpoints.
#[derive(Serialize)]
struct RunRows<'a> {
    path: String,
    kind: &'a str,
    name: &'a str,
    run_id: &'a str,
    checkpoints: Rows<'a>,
}

pub(crate) fn run(args: &ListArgs, output: &Output) -> anyhow::Result<()> {
    let path = args.path.as_path();
    if path.is_file() {
        let checkpoint = source::open_file(path)?;
        let entries = [source::row_of_file(path, &checkpoint)];
        return one(&entries, path, output);
    }
    if ckpt::is_run(path) {
        let entries = RunReader::open(path)?.list()?;
        return one(&entries, path, output);
    }
    many(path, output)
}

/// The runs beneath a directory.
pub(crate) struct Found {
    pub(crate) runs: Vec<RunReader>,
    /// Runs that cannot be opened, or dealt with: they must not hide the others.
    pub(crate) broken: Vec<Failure>,
}

impl Found {
    /// Searches; an error if there are none.
    pub(crate) fn beneath(root: &Path) -> anyhow::Result<Self> {
        let paths = match ckpt::find_runs(root) {
            Ok(paths) if !paths.is_empty() => paths,
            Ok(_) | Err(ckpt::Error::RunNotFound { .. }) => {
                // It fails with an error that names the runs nearby; if somebody makes a run just now, all the better.
                let run = RunReader::open(root)?;
                return Ok(Self { runs: vec![run], broken: Vec::new() });
            }
            Err(error) => return Err(error.into()),
        };
        let mut found = Self { runs: Vec::new(), broken: Vec::new() };
        for path in paths {
            match RunReader::open(&path) {
                Ok(run) => found.runs.push(run),
                Err(error) => found.broken.push(broken_run(&path, error.into())),
            }
        }
        Ok(found)
    }

    /// Fails for the first that could not be opened, after the answer about the others.
    pub(crate) fn conclude(self, output: &Output) -> anyhow::Result<()> {
        let mut broken = self.broken.into_iter();
        let Some(first) = broken.next() else { return Ok(()) };
        broken.for_each(|failure| output.warn(&failure.message));
        Err(first.into())
    }
}

/// Why one of several runs could not be dealt with.
pub(crate) fn broken_run(path: &Path, error: anyhow::Error) -> Failure {
    let failure = Failure::of(&error);
    let message = format!("the run at {}: {}", path.display(), failure.message);
    Failure { message, ..failure }.at(path)
}

/// `kind/name` and where it is.
pub(crate) fn heading(run: &RunReader) -> String {
    let (identity, path) = (run.identity(), run.path().display().to_string());
    let (head, dim) = (human::HEAD, human::DIM);
    let title = format!("{}/{}", identity.kind, identity.name);
    format!("{head}{title}{head:#}  {dim}{}{dim:#}\n", human::shown(&path))
}

fn one(entries: &[Entry], path: &Path, output: &Output) -> anyhow::Result<()> {
    output.answer(&Rows(entries), || table(entries, ckpt::now(), 0))?;
    tell_states(entries, path, output);
    Ok(())
}

fn many(root: &Path, output: &Output) -> anyhow::Result<()> {
    let found = Found::beneath(root)?;
    let mut listed = Vec::new();
    for run in &found.runs {
        let entries = run.list()?;
        listed.push((run, entries));
    }
    let runs = listed.iter().map(|(run, entries)| RunRows {
        path: run.path().display().to_string(),
        kind: run.identity().kind.as_str(),
        name: run.identity().name.as_str(),
        run_id: &run.identity().run_id,
        checkpoints: Rows(entries),
    });
    output.answer(&Roots { runs: runs.collect() }, || {
        let now = ckpt::now();
        let blocks = listed.iter().map(|(run, entries)| heading(run) + &table(entries, now, 2));
        blocks.collect::<Vec<_>>().join("\n")
    })?;
    for (run, entries) in &listed {
        tell_states(entries, run.path(), output);
    }
    found.conclude(output)
}

/// The way out of what is not good.
fn tell_states(entries: &[Entry], path: &Path, output: &Output) {
    let bad = entries.iter().filter(|entry| !matches!(entry.state, State::Committed | State::Fenced)).count();
    if bad > 0 {
        let path = path.display();
        let what = human::plural(bad, "checkpoint");
        output.warn(&format!("{what} cannot be loaded: `ckpt verify {path}` says what is wrong with each"));
    }
}

fn table(entries: &[Entry], now: Timestamp, indent: usize) -> String {
    if entries.is_empty() {
        return format!("{}no checkpoints yet\n", " ".repeat(indent));
    }
    let mut table = Table::default()
        .right("seq")
        .right("epoch")
        .right("age")
        .left("event")
        .right("step")
        .left("status")
        .left("metrics")
        .right("size")
        .left("")
        .left("state");
    for entry in entries {
        table.row(row(entry, now));
    }
    table.render(indent)
}

fn row(entry: &Entry, now: Timestamp) -> [Cell; 10] {
    let metadata = entry.metadata();
    let text = |of: fn(&Metadata) -> String| Cell::new(metadata.map(of).unwrap_or_default());
    let state = match entry.state {
        State::Committed => Cell::default(),
        State::Damaged => Cell::styled(entry.state.as_str(), human::BAD),
        other => Cell::styled(other.as_str(), human::WARN),
    };
    [
        Cell::styled(entry.sequence.to_string(), human::HEAD),
        Cell::new(if entry.epoch > 0 { entry.epoch.to_string() } else { String::new() }),
        Cell::new(entry.created_at().map(|then| human::age(now, then)).unwrap_or_default()),
        text(events),
        text(progress),
        text(|metadata| metadata.status.to_string()),
        text(metrics),
        Cell::new(human::size(entry.stored_bytes)),
        Cell::styled(if entry.pinned { "pinned" } else { "" }, human::GOOD),
        state,
    ]
}

/// The strongest event, and how many more there are.
pub(crate) fn events(metadata: &Metadata) -> String {
    let events: Vec<&Event> = json::events(metadata).collect();
    let strongest = json::strongest(&events).map(ToString::to_string).unwrap_or_default();
    if events.len() > 1 { format!("{strongest} +{}", events.len() - 1) } else { strongest }
}

/// How far a checkpoint is, as [`far`] has it.
pub(crate) fn progress(metadata: &Metadata) -> String {
    let position = &metadata.position;
    far(position.step, position.total, position.unit.as_deref(), position.progress_pct())
}

/// `25,000 / 2,000,000 steps (1 %)`.
pub(crate) fn far(step: Option<u64>, total: Option<u64>, unit: Option<&str>, pct: Option<f64>) -> String {
    let Some(step) = step else { return String::new() };
    let mut text = human::count(step);
    if let Some(total) = total {
        text.push_str(&format!(" / {}", human::count(total)));
    }
    if let Some(unit) = unit {
        text.push_str(&format!(" {unit}"));
    }
    if let Some(pct) = pct {
        text.push_str(&format!(" ({pct:.0} %)"));
    }
    text
}

/// The first metrics, and how many more there are.
pub(crate) fn metrics(metadata: &Metadata) -> String {
    let values = &metadata.metrics.values;
    let mut texts: Vec<String> = values
        .iter()
        .take(METRICS_SHOWN)
        .map(|(name, value)| format!("{name}={}", human::number(*value)))
        .collect();
    if values.len() > METRICS_SHOWN {
        texts.push(format!("+{}", values.len() - METRICS_SHOWN));
    }
    texts.join(" ")
}
