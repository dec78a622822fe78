//! What deciding costs: a retention plan of 100 and of 10,000 checkpoints.

use std::hint::black_box;

use ckpt_format::{Details, Digest, Direction, Entry, Event, Metadata, State, Timestamp};
use ckpt_policy::{RetentionPolicy, plan};
use criterion::{Criterion, criterion_group, criterion_main};

/// Every rule is on, the metrics go up and down, and most are deleted.
fn planning(criterion: &mut Criterion) {
    let policy = RetentionPolicy { every: 1_000, max_bytes: 1 << 40, ..RetentionPolicy::keep_last(8) }
        .with_top("sharpe_ratio", Direction::Max, 3)
        .with_top("val_reward", Direction::Max, 2);
    for count in [100_u64, 10_000] {
        let entries: Vec<Entry> = (1..=count).map(entry).collect();
        criterion.bench_function(&format!("plan of {count}"), |bencher| {
            bencher.iter(|| plan(black_box(&policy), black_box(&entries), Timestamp::default()));
        });
    }
}

fn entry(sequence: u64) -> Entry {
    let mut metadata = Metadata::default().because(Event::Periodic, "every 25,000 steps");
    let angle = sequence as f64;
    metadata.metrics.set("sharpe_ratio", angle.sin());
    metadata.metrics.set("val_reward", angle.cos());
    metadata.metrics.set("win_rate", 0.5);
    Entry {
        epoch: 0,
        sequence,
        file_name: format!("{sequence:08}_NQ_ts-0025000_evt-periodic_sharpe-+1.45_seed-42.ckpt"),
        state: State::Committed,
        reason: None,
        details: Some(Details::new(metadata, 4096, Digest::of(b"state"), Digest::of(b"file"))),
        stored_bytes: 4096,
        pinned: false,
    }
}

criterion_group!(policy, planning);
criterion_main!(policy);
