//! A metric over the checkpoints of a run: how often it is there, the best of it, the ends of its range.

use std::collections::BTreeSet;

use ckpt::{Direction, Entry, Selectable as _, stated_direction};
use serde::Serialize;

use crate::commands::best;

/// A metric over the good checkpoints of a run.
#[derive(Debug, Serialize)]
pub(super) struct MetricStats {
    pub(super) metric: String,
    /// Which way is better, if the run says one.
    pub(super) direction: Option<Direction>,
    /// How many have a finite value.
    pub(super) count: usize,
    /// None without a direction or a finite value.
    pub(super) best: Option<Place>,
    pub(super) min: Option<Place>,
    pub(super) max: Option<Place>,
}

/// A value, and the checkpoint that has it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Place {
    pub(super) value: f64,
    pub(super) sequence: u64,
    pub(super) epoch: u64,
    pub(super) step: Option<u64>,
    pub(super) name: String,
}

impl MetricStats {
    /// Every metric of these checkpoints, which are oldest first.
    pub(super) fn of_all(entries: &[Entry]) -> Vec<Self> {
        let metrics = entries.iter().filter_map(|entry| entry.metrics());
        let names: BTreeSet<&String> = metrics.flat_map(|metrics| metrics.values.keys()).collect();
        names.into_iter().map(|name| Self::of(name, entries)).collect()
    }

    fn of(metric: &str, entries: &[Entry]) -> Self {
        // A run that says both has said none.
        let direction = stated_direction(entries, metric).ok();
        let extreme = |direction| extreme(metric, direction, entries);
        Self {
            metric: metric.to_owned(),
            direction,
            count: entries.iter().filter(|entry| best::value(entry, metric).is_some()).count(),
            best: direction.and_then(extreme),
            min: extreme(Direction::Min),
            max: extreme(Direction::Max),
        }
    }
}

/// The best value in this direction; of equals that of the newest.
fn extreme(metric: &str, direction: Direction, entries: &[Entry]) -> Option<Place> {
    let mut found: Option<(f64, &Entry)> = None;
    for entry in entries.iter().rev() {
        let Some(value) = best::value(entry, metric) else { continue };
        if found.is_none_or(|(best, _)| direction.is_better(value, best)) {
            found = Some((value, entry));
        }
    }
    found.map(|(value, entry)| Place {
        value,
        sequence: entry.sequence,
        epoch: entry.epoch,
        step: entry.step(),
        name: entry.file_name.clone(),
    })
}
