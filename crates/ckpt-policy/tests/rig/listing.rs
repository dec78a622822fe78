//! Drawn listings and policies: small numbers, so that ties, limits and exceptions meet.

use std::time::Duration;

use ckpt_format::{Direction, Entry, EventClass, State, Status, Timestamp};
use ckpt_policy::{RetentionPolicy, Top};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::row::Row;

/// The metrics of drawn rows; no row has the last.
pub(crate) const METRICS: [&str; 3] = ["reward", "loss", "absent"];

const EVENTS: [&str; 10] = [
    "periodic",
    "best",
    "manual",
    "phase_boundary_night",
    "phase_boundary_day",
    "phase_end",
    "cancellation",
    "shutdown",
    "interrupt",
    "failure",
];
const BROKEN: [State; 6] =
    [State::Damaged, State::Unreadable, State::Unsupported, State::Foreign, State::Fenced, State::Duplicate];

/// A run's listing, in no order: every sequence once, or several times as duplicates.
pub(crate) fn listing() -> impl Strategy<Value = Vec<Entry>> {
    let rows = prop::collection::btree_map(1..60_u64, (drawn_row(), 0..12_u8), 0..24);
    let entries = rows.prop_map(|rows| {
        let mut entries = Vec::new();
        for (sequence, (mut entry, twin)) in rows {
            entry.sequence = sequence;
            entry.file_name = format!("{sequence:08}.ckpt");
            if twin == 0 {
                entry.state = State::Duplicate;
                entries.push(Entry { file_name: format!("{sequence:08}_twin.ckpt"), ..entry.clone() });
            }
            entries.push(entry);
        }
        entries
    });
    entries.prop_shuffle()
}

fn drawn_row() -> impl Strategy<Value = Entry> {
    let events = prop_oneof![
        4 => Just(vec!["periodic"]),
        2 => Just(vec!["best"]),
        3 => subsequence(EVENTS.to_vec(), 0..=3),
    ];
    let state = prop_oneof![8 => Just(State::Committed), 1 => select(BROKEN.to_vec())];
    let status = prop_oneof![
        8 => Just(Status::InProgress),
        1 => Just(Status::Completed),
        1 => Just(Status::Interrupted),
    ];
    let bytes = prop_oneof![12 => 0..100_u64, 1 => Just(u64::MAX)];
    let metrics = (metric(), metric());
    let flags = (prop::bool::weighted(0.12), prop::bool::weighted(0.05));
    (0..3_u64, events, state, status, moment(), bytes, metrics, flags, 0..40_u64).prop_map(
        |(epoch, events, state, status, created_at, bytes, (reward, loss), (pinned, mute), step)| {
            let row = Row::new(0, &events).epoch(epoch).state(state).status(status).step(step);
            let mut row = row.created_at(created_at).bytes(bytes);
            for (metric, value) in METRICS.into_iter().zip([reward, loss]) {
                row = if let Some(value) = value { row.metric(metric, value) } else { row };
            }
            let mut entry = if pinned { row.pinned() } else { row }.entry();
            entry.details = entry.details.filter(|_| !mute);
            entry
        },
    )
}

fn metric() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        6 => (-2..3_i8).prop_map(|value| Some(f64::from(value))),
        1 => (-1e9..1e9_f64).prop_map(Some),
        1 => select(vec![Some(-0.0), Some(f64::MAX), Some(f64::MIN), Some(5e-324)]),
        1 => select(vec![Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)]),
        1 => Just(None),
    ]
}

/// Around the drawn `now`; 0 is what a row has that does not say when it was made.
fn moment() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 1..40_i64, 1 => Just(0), 1 => -10..0_i64, 1 => select(vec![i64::MIN, i64::MAX])]
}

/// A `now` among the moments of the rows.
pub(crate) fn now() -> impl Strategy<Value = Timestamp> {
    prop_oneof![8 => 0..50_i64, 1 => select(vec![i64::MIN, i64::MAX])].prop_map(Timestamp::from_millis)
}

/// Any policy; each rule is off in part of them.
pub(crate) fn policy() -> impl Strategy<Value = RetentionPolicy> {
    let max_age = prop_oneof![
        3 => Just(None),
        1 => Just(Some(Duration::ZERO)),
        4 => (1..30_u64).prop_map(|millis| Some(Duration::from_millis(millis))),
        1 => Just(Some(Duration::from_micros(500))),
        1 => Just(Some(Duration::MAX)),
    ];
    let max_bytes = prop_oneof![3 => Just(0), 4 => 1..600_u64, 1 => Just(u64::MAX)];
    let classes = subsequence(EventClass::ALL.to_vec(), 0..=EventClass::ALL.len());
    (0..5_u64, tops(), 0..5_u64, classes, max_age, max_bytes).prop_map(
        |(keep_last, top, every, preserve, max_age, max_bytes)| RetentionPolicy {
            keep_last,
            top,
            every,
            preserve: preserve.into_iter().collect(),
            max_age,
            max_bytes,
            prune_every: 10,
        },
    )
}

/// Any policy without a limit on bytes.
pub(crate) fn policy_without_bytes() -> impl Strategy<Value = RetentionPolicy> {
    policy().prop_map(|policy| RetentionPolicy { max_bytes: 0, ..policy })
}

fn tops() -> impl Strategy<Value = Vec<Top>> {
    let counts = prop::collection::vec((0..4_u64, select(vec![Direction::Min, Direction::Max])), 3);
    (subsequence(METRICS.to_vec(), 0..=3), counts).prop_map(|(metrics, counts)| {
        let top = |(metric, (count, direction)): (&str, (u64, Direction))| Top {
            metric: metric.to_owned(),
            direction,
            count,
        };
        metrics.into_iter().zip(counts).map(top).collect()
    })
}
