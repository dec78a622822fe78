//! `ckpt stats`: what each run beneath a directory holds, in numbers.

mod metric;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use ckpt::{Entry, RunReader, State, Status, Timestamp};
use serde::Serialize;

use crate::args::StatsArgs;
use crate::commands::list::Found;
use crate::json;
use crate::output::Output;

use metric::MetricStats;

/// All runs and their sum, in JSON.
#[derive(Serialize)]
struct Answer {
    runs: Vec<RunStats>,
    total: Total,
}

/// All runs together.
#[derive(Serialize)]
struct Total {
    runs: usize,
    checkpoints: usize,
    stored_bytes: u64,
    raw_bytes: u64,
}

/// A run in numbers. What checkpoints say of themselves is of the good ones only.
#[derive(Serialize)]
struct RunStats {
    path: String,
    kind: String,
    name: String,
    run_id: String,
    /// All of them, good or not.
    checkpoints: usize,
    states: BTreeMap<&'static str, usize>,
    pinned: usize,
    events: BTreeMap<String, usize>,
    stored_bytes: u64,
    raw_bytes: u64,
    oldest_at: Option<Timestamp>,
    newest_at: Option<Timestamp>,
    status: Option<Status>,
    steps: Option<Steps>,
    unit: Option<String>,
    markets: BTreeSet<String>,
    seeds: BTreeSet<i64>,
    metrics: Vec<MetricStats>,
}

/// The lowest and the highest step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Steps {
    min: u64,
    max: u64,
}

pub(crate) fn run(args: &StatsArgs, output: &Output) -> anyhow::Result<()> {
    let found = Found::beneath(&args.path)?;
    let mut runs = Vec::new();
    for run in &found.runs {
        runs.push(RunStats::of(run, run.list()?));
    }
    let sum = |of: fn(&RunStats) -> u64| runs.iter().map(of).fold(0, u64::saturating_add);
    let total = Total {
        runs: runs.len(),
        checkpoints: runs.iter().map(|run| run.checkpoints).sum(),
        stored_bytes: sum(|run| run.stored_bytes),
        raw_bytes: sum(|run| run.raw_bytes),
    };
    let answer = Answer { runs, total };
    output.answer(&answer, || text::words(&answer, &found.runs))?;
    found.conclude(output)
}

impl RunStats {
    fn of(run: &RunReader, entries: Vec<Entry>) -> Self {
        let identity = run.identity();
        let mut states = BTreeMap::new();
        for entry in &entries {
            *states.entry(entry.state.as_str()).or_default() += 1;
        }
        let checkpoints = entries.len();
        let pinned = entries.iter().filter(|entry| entry.pinned).count();
        let stored_bytes = entries.iter().map(|entry| entry.stored_bytes).fold(0, u64::saturating_add);
        let good: Vec<Entry> = entries.into_iter().filter(Entry::is_committed).collect();
        let metadata = || good.iter().filter_map(Entry::metadata);
        let mut events = BTreeMap::new();
        for event in metadata().flat_map(json::events) {
            *events.entry(event.to_string()).or_default() += 1;
        }
        // A moment that was not said is the first of all.
        let moments = || metadata().map(|said| said.created_at).filter(|at| *at != Timestamp::default());
        let steps = || metadata().filter_map(|said| said.position.step);
        let raw_bytes = |entry: &Entry| entry.details.as_ref().map_or(0, |details| details.raw_bytes);
        Self {
            path: run.path().display().to_string(),
            kind: identity.kind.to_string(),
            name: identity.name.to_string(),
            run_id: identity.run_id.clone(),
            checkpoints,
            states,
            pinned,
            events,
            stored_bytes,
            raw_bytes: good.iter().map(raw_bytes).fold(0, u64::saturating_add),
            oldest_at: moments().min(),
            newest_at: moments().max(),
            status: good.last().and_then(Entry::status),
            steps: steps().min().zip(steps().max()).map(|(min, max)| Steps { min, max }),
            unit: metadata().filter_map(|said| said.position.unit.clone()).next_back(),
            markets: metadata().filter_map(|said| said.market.clone()).collect(),
            seeds: metadata().filter_map(|said| said.seed).collect(),
            metrics: MetricStats::of_all(&good),
        }
    }

    /// How many are not good.
    fn bad(&self) -> usize {
        self.checkpoints - self.states.get(State::Committed.as_str()).copied().unwrap_or(0)
    }
}
