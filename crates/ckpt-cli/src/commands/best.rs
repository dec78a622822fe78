//! `ckpt best`: checkpoints ranked by a metric, across runs and markets.

use std::collections::BTreeSet;

use ckpt::{Direction, Entry, Metadata, RunReader, Selectable as _};
use serde::Serialize;

use crate::args::{BestArgs, ByArg};
use crate::commands::list::{self, Found};
use crate::failure::{Failure, NOT_FOUND};
use crate::human;
use crate::json::{Number, Row};
use crate::output::Output;
use crate::retention;
use crate::table::{Cell, Table};

/// The ranking, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    metric: &'a str,
    direction: Direction,
    ranked: usize,
    unranked: usize,
    checkpoints: Vec<RankedRow<'a>>,
    markets: Vec<MarketRow<'a>>,
}

/// A place in the ranking and the checkpoint that has it.
#[derive(Serialize)]
struct RankedRow<'a> {
    rank: usize,
    value: Number,
    run: String,
    #[serde(flatten)]
    row: Row<'a>,
}

/// The best of a market, and how many of it are ranked.
#[derive(Serialize)]
struct MarketRow<'a> {
    market: Option<&'a str>,
    value: Number,
    rank: usize,
    run: String,
    sequence: u64,
    ranked: u64,
}

/// A good checkpoint whose metric is a finite number.
struct Candidate<'a> {
    value: f64,
    run: &'a RunReader,
    entry: &'a Entry,
}

/// All that have a rank, the best first.
struct Ranking<'a> {
    direction: Direction,
    candidates: Vec<Candidate<'a>>,
    unranked: usize,
}

/// The best of a market.
struct Market<'a> {
    name: Option<&'a str>,
    /// Place in the ranking, from 0.
    place: usize,
    ranked: u64,
}

pub(crate) fn run(args: &BestArgs, output: &Output) -> anyhow::Result<()> {
    let found = Found::beneath(&args.path)?;
    let mut listed = Vec::new();
    for run in &found.runs {
        let mut entries = run.list()?;
        entries.retain(Entry::is_committed);
        listed.push((run, entries));
    }
    // A metric that nobody has gets better neither way.
    let is_ranked = |entry: &Entry| value(entry, &args.by.metric).is_some();
    if !listed.iter().flat_map(|(_, entries)| entries).any(is_ranked) {
        return Err(nothing_ranked(args, &listed).into());
    }
    let ranking = Ranking::of(&args.by.metric, direction(&args.by, &listed)?, &listed);
    answer(args, &ranking, output)?;
    found.conclude(output)
}

fn answer(args: &BestArgs, ranking: &Ranking<'_>, output: &Output) -> anyhow::Result<()> {
    let shown = ranking.candidates.iter().take(shown(args));
    let markets = ranking.markets();
    let answer = Answer {
        metric: &args.by.metric,
        direction: ranking.direction,
        ranked: ranking.candidates.len(),
        unranked: ranking.unranked,
        checkpoints: (1..)
            .zip(shown)
            .map(|(rank, candidate)| RankedRow {
                rank,
                value: Number(candidate.value),
                run: candidate.run.path().display().to_string(),
                row: Row::of(candidate.entry),
            })
            .collect(),
        markets: markets.iter().map(|market| MarketRow::of(market, ranking)).collect(),
    };
    output.answer(&answer, || words(args, ranking, &markets))
}

fn words(args: &BestArgs, ranking: &Ranking<'_>, markets: &[Market<'_>]) -> String {
    let mut table = Table::default()
        .right("rank")
        .right("value")
        .left("run")
        .left("market")
        .right("seq")
        .left("step")
        .left("event")
        .left("status")
        .right("age")
        .left("");
    let now = ckpt::now();
    let shown = ranking.candidates.iter().take(shown(args));
    for (rank, Candidate { value, run, entry }) in (1_u64..).zip(shown) {
        let metadata = entry.metadata();
        let text = |of: fn(&Metadata) -> String| Cell::new(metadata.map(of).unwrap_or_default());
        table.row([
            Cell::new(human::count(rank)),
            Cell::styled(human::number(*value), human::HEAD),
            Cell::new(run.path().display().to_string()),
            text(|metadata| metadata.market.clone().unwrap_or_default()),
            Cell::new(entry.sequence.to_string()),
            text(list::progress),
            text(list::events),
            text(|metadata| metadata.status.to_string()),
            Cell::new(entry.created_at().map(|then| human::age(now, then)).unwrap_or_default()),
            Cell::styled(if entry.pinned { "pinned" } else { "" }, human::GOOD),
        ]);
    }
    let (metric, better) = (
        human::shown(&args.by.metric),
        match ranking.direction {
            Direction::Min => "lower is better",
            Direction::Max => "higher is better",
        },
    );
    let count = human::plural(ranking.candidates.len(), "checkpoint");
    let without = match ranking.unranked {
        0 => String::new(),
        unranked => format!(", {} without a finite value", human::count(unranked as u64)),
    };
    let mut text = format!("{metric} ({better}): {count} ranked{without}\n{}", table.render(2));
    if markets.len() > 1 {
        text.push_str(&format!("\nthe best of each market\n{}", market_table(ranking, markets).render(2)));
    }
    text
}

fn market_table(ranking: &Ranking<'_>, markets: &[Market<'_>]) -> Table {
    let mut table =
        Table::default().left("market").right("best").right("rank").left("run").right("seq").right("ranked");
    for market in markets {
        let best = &ranking.candidates[market.place];
        table.row([
            Cell::styled(market.name.unwrap_or("(none)"), human::HEAD),
            Cell::new(human::number(best.value)),
            Cell::new(human::count(market.place as u64 + 1)),
            Cell::new(best.run.path().display().to_string()),
            Cell::new(best.entry.sequence.to_string()),
            Cell::new(human::count(market.ranked)),
        ]);
    }
    table
}

fn shown(args: &BestArgs) -> usize {
    usize::try_from(args.number).unwrap_or(usize::MAX)
}

/// Which way is better: as it was said, or as the runs say it that say it.
fn direction(by: &ByArg, listed: &[(&RunReader, Vec<Entry>)]) -> Result<Direction, Failure> {
    if let Some(direction) = by.direction {
        return Ok(direction);
    }
    let metric = by.metric.as_str();
    let flag = |direction| format!("--by {metric}:{direction}");
    let states = |entry: &Entry| entry.metrics().and_then(|metrics| metrics.direction(metric)).is_some();
    let mut said: Option<(Direction, &RunReader)> = None;
    for (run, entries) in listed {
        if !entries.iter().any(states) {
            continue;
        }
        let direction = retention::direction(metric, entries, run.path(), flag)?;
        if let Some((other, first)) = said
            && other != direction
        {
            let (first, path) = (first.path().display(), run.path().display());
            let (min, max) = (flag(Direction::Min), flag(Direction::Max));
            return Err(Failure::usage(format!(
                "which way does {metric} get better? the run at {first} says {other}, the one at {path} says {direction}: \
                 write {min} or {max}"
            )));
        }
        said = Some((direction, run));
    }
    let unsaid = || {
        let (min, max) = (flag(Direction::Min), flag(Direction::Max));
        Failure::usage(format!("which way does {metric} get better? no run says it: write {min} or {max}"))
    };
    said.map(|(direction, _)| direction).ok_or_else(unsaid)
}

impl<'a> Ranking<'a> {
    /// The best first; of equals the newer of a run.
    fn of(metric: &str, direction: Direction, listed: &'a [(&'a RunReader, Vec<Entry>)]) -> Self {
        let (mut candidates, mut unranked) = (Vec::new(), 0);
        for (run, entries) in listed {
            for entry in entries.iter().rev() {
                match value(entry, metric) {
                    Some(value) => candidates.push(Candidate { value, run, entry }),
                    None => unranked += 1,
                }
            }
        }
        // Stable, so that of equals the newer of a run stays in front. None is NaN.
        candidates.sort_by(|left, right| {
            direction.compare(right.value, left.value).unwrap_or(std::cmp::Ordering::Equal)
        });
        Self { direction, candidates, unranked }
    }

    /// The best of each market, the best market first.
    fn markets(&self) -> Vec<Market<'a>> {
        let mut markets: Vec<Market<'a>> = Vec::new();
        for (place, candidate) in self.candidates.iter().enumerate() {
            let name = candidate.entry.metadata().and_then(|metadata| metadata.market.as_deref());
            match markets.iter_mut().find(|market| market.name == name) {
                Some(market) => market.ranked += 1,
                None => markets.push(Market { name, place, ranked: 1 }),
            }
        }
        markets
    }
}

impl<'a> MarketRow<'a> {
    fn of(market: &Market<'a>, ranking: &Ranking<'a>) -> Self {
        let best = &ranking.candidates[market.place];
        Self {
            market: market.name,
            value: Number(best.value),
            rank: market.place + 1,
            run: best.run.path().display().to_string(),
            sequence: best.entry.sequence,
            ranked: market.ranked,
        }
    }
}

/// The metric of a checkpoint, if it can be ranked by it.
pub(crate) fn value(entry: &Entry, metric: &str) -> Option<f64> {
    entry.metrics()?.get(metric).filter(|value| value.is_finite())
}

fn nothing_ranked(args: &BestArgs, listed: &[(&RunReader, Vec<Entry>)]) -> Failure {
    let entries = || listed.iter().flat_map(|(_, entries)| entries);
    let metrics = entries().filter_map(|entry| entry.metrics()).flat_map(|metrics| metrics.values.keys());
    let names: BTreeSet<&str> = metrics.map(String::as_str).collect();
    let there = if names.is_empty() {
        "none has any metric".to_owned()
    } else {
        format!("metrics there: {}", names.into_iter().collect::<Vec<_>>().join(", "))
    };
    let (path, metric, count) =
        (args.path.display(), &args.by.metric, human::plural(entries().count(), "good checkpoint"));
    let message = format!("none of {count} at {path} has a finite {metric}; {there}");
    Failure::new("not_found", NOT_FOUND, message).at(&args.path)
}
