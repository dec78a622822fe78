//! The numbers of runs, for people.

use std::collections::BTreeMap;

use ckpt::{RunReader, State, Timestamp};

use super::metric::{MetricStats, Place};
use super::{Answer, RunStats};
use crate::commands::list;
use crate::human;
use crate::table::{Cell, Table};

pub(super) fn words(answer: &Answer, runs: &[RunReader]) -> String {
    let now = ckpt::now();
    let blocks = answer.runs.iter().zip(runs).map(|(stats, run)| {
        let metrics =
            if stats.metrics.is_empty() { String::new() } else { metrics(&stats.metrics).render(2) };
        format!("{}{}{metrics}", list::heading(run), facts(stats, now).render(2))
    });
    let mut text = blocks.collect::<Vec<_>>().join("\n");
    let total = &answer.total;
    if total.runs > 1 {
        let (runs, checkpoints) =
            (human::plural(total.runs, "run"), human::plural(total.checkpoints, "checkpoint"));
        text.push_str(&format!("\n{runs}, {checkpoints}, {} on disk\n", human::size(total.stored_bytes)));
    }
    text
}

fn facts(stats: &RunStats, now: Timestamp) -> Table {
    let mut facts = Table::default().left("").left("");
    let mut fact = |what: &str, text: String| {
        if !text.is_empty() {
            facts.row([Cell::styled(what, human::DIM), Cell::new(text)]);
        }
    };
    fact("checkpoints", checkpoints(stats));
    fact("saved for", counts(&stats.events));
    let (stored, raw) = (human::size(stats.stored_bytes), human::size(stats.raw_bytes));
    fact("size", format!("{stored} on disk, {raw} of state"));
    if let (Some(oldest), Some(newest)) = (stats.oldest_at, stats.newest_at) {
        fact("ages", format!("{} to {}", human::age(now, oldest), human::age(now, newest)));
    }
    if let Some(steps) = stats.steps {
        let unit = stats.unit.as_deref().unwrap_or("steps");
        fact("range", format!("{} to {} {unit}", human::count(steps.min), human::count(steps.max)));
    }
    fact("status", stats.status.map(|status| status.to_string()).unwrap_or_default());
    fact("markets", stats.markets.iter().cloned().collect::<Vec<_>>().join(", "));
    fact("seeds", stats.seeds.iter().map(i64::to_string).collect::<Vec<_>>().join(", "));
    facts
}

/// `12, 1 of them pinned, 2 not good (damaged 2)`.
fn checkpoints(stats: &RunStats) -> String {
    let mut text = human::count(stats.checkpoints as u64);
    if stats.pinned > 0 {
        text.push_str(&format!(", {} of them pinned", human::count(stats.pinned as u64)));
    }
    if stats.bad() > 0 {
        let mut states = stats.states.clone();
        states.remove(State::Committed.as_str());
        text.push_str(&format!(", {} not good ({})", human::count(stats.bad() as u64), counts(&states)));
    }
    text
}

/// `periodic 90, best 10`, the most first.
fn counts<K: ToString>(counts: &BTreeMap<K, usize>) -> String {
    let mut pairs: Vec<(String, usize)> =
        counts.iter().map(|(what, count)| (what.to_string(), *count)).collect();
    pairs.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let words = pairs.iter().map(|(what, count)| format!("{what} {}", human::count(*count as u64)));
    words.collect::<Vec<_>>().join(", ")
}

fn metrics(metrics: &[MetricStats]) -> Table {
    let mut table = Table::default()
        .left("metric")
        .right("values")
        .right("best")
        .left("")
        .right("lowest")
        .left("")
        .right("highest")
        .left("");
    for stats in metrics {
        let [best, best_in] = cells(stats.best.as_ref());
        let [min, min_in] = cells(stats.min.as_ref());
        let [max, max_in] = cells(stats.max.as_ref());
        let count = Cell::new(human::count(stats.count as u64));
        table.row([Cell::styled(&stats.metric, human::HEAD), count, best, best_in, min, min_in, max, max_in]);
    }
    table
}

/// A value and where it is.
fn cells(place: Option<&Place>) -> [Cell; 2] {
    let Some(place) = place else { return [Cell::default(), Cell::default()] };
    [Cell::new(human::number(place.value)), Cell::styled(format!("in {}", place.sequence), human::DIM)]
}
