//! What was set aside is pruned, but never what is all there is, pinned, or good after all; and no number is used twice.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::cell::Cell;
use std::sync::Arc;

use ckpt_format::{Selector, Timestamp};
use ckpt_store::storage::{Access, Memory, Storage};
use ckpt_store::{Deletion, Error, LogEvent, LogLine, Run, RunOptions};

use self::scene::{PAYLOAD, create, flip, save};

#[path = "rig/scene.rs"]
mod scene;

/// Longer than what was set aside is kept, in milliseconds.
const LONG: i64 = 40 * 24 * 3_600 * 1_000;

thread_local! {
    /// Each test has a thread, and so a time, of its own.
    static NOW: Cell<i64> = const { Cell::new(1_700_000_000_000) };
}

/// Goes on by a millisecond whenever it is asked.
fn clock() -> Timestamp {
    wait(1);
    Timestamp::from_millis(NOW.get())
}

fn wait(millis: i64) {
    NOW.set(NOW.get() + millis);
}

fn open(storage: &Arc<dyn Storage>) -> Run {
    Run::open_on(Arc::clone(storage), "run", RunOptions::new(clock)).unwrap()
}

fn damage(storage: &Arc<dyn Storage>, sequence: u64) {
    flip(storage, &format!("{sequence:08}.ckpt"), PAYLOAD);
}

/// The paths of what is set aside.
fn quarantined(storage: &Arc<dyn Storage>) -> Vec<String> {
    let names = storage.list(".quarantine").unwrap_or_default();
    names.into_iter().map(|entry| format!(".quarantine/{}", entry.name)).collect()
}

/// A run of three, the last of which was damaged, set aside and, much later, pruned.
fn run_with_one_pruned(storage: &Arc<dyn Storage>) -> Run {
    let run = create(storage, RunOptions::new(clock));
    for number in 1..=3 {
        save(&run, &[number; 10]);
    }
    damage(storage, 3);
    assert_eq!(run.load(&Selector::Latest).unwrap().entry.sequence, 2);
    drop(run);
    assert_eq!(quarantined(storage).len(), 1);
    wait(LONG);
    let run = open(storage);
    assert_eq!(quarantined(storage), Vec::<String>::new());
    run
}

/// A fault of the memory or of a cable makes every checkpoint look damaged, and all are set aside; the restart that should
/// have mended it pruned all but the newest, for good.
#[test]
fn nothing_is_pruned_while_no_checkpoint_is_left() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, RunOptions::new(clock));
    for number in 1..=5 {
        save(&run, &[number; 100]);
        damage(&storage, number.into());
    }
    assert!(matches!(run.load(&Selector::Latest), Err(Error::NothingGood { skipped }) if skipped.len() == 5));
    drop(run);
    wait(LONG);
    drop(open(&storage));
    assert_eq!(quarantined(&storage).len(), 5);
}

/// The same fault, but work went on: what reads back whole once the fault is over is no evidence of damage.
#[test]
fn what_reads_back_whole_is_not_pruned() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, RunOptions::new(clock));
    for number in 1..=3 {
        save(&run, &[number; 100]);
        damage(&storage, number.into());
    }
    assert!(run.load(&Selector::Latest).is_err());
    save(&run, b"work goes on");
    drop(run);
    let aside = quarantined(&storage);
    for path in &aside[..2] {
        flip(&storage, path, PAYLOAD);
    }
    wait(LONG);
    drop(open(&storage));
    assert_eq!(quarantined(&storage), aside[..2]);
}

/// A pinned checkpoint that is damaged is set aside like any other; there its pin was forgotten.
#[test]
fn what_is_pinned_is_not_pruned() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, RunOptions::new(clock));
    save(&run, &[1; 100]);
    run.pin(1, Some("keep it for ever")).unwrap();
    damage(&storage, 1);
    assert!(run.load(&Selector::Latest).is_err());
    for number in 2..=4 {
        save(&run, &[number; 100]);
    }
    damage(&storage, 4);
    damage(&storage, 3);
    assert_eq!(run.load(&Selector::Latest).unwrap().entry.sequence, 2);
    drop(run);
    assert_eq!(quarantined(&storage).len(), 3);
    wait(LONG);
    drop(open(&storage));
    let left = quarantined(&storage);
    assert!(left.len() == 1 && left[0].ends_with("00000001.ckpt"), "{left:?}");
}

#[test]
fn pruning_is_in_the_log() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = run_with_one_pruned(&storage);
    let pruned = run.reader().log().unwrap().into_iter().find_map(|line| match line {
        LogLine::Good(entry) => match entry.event {
            LogEvent::QuarantinePruned { file_names } => Some(file_names),
            _ => None,
        },
        LogLine::Bad(_) => None,
    });
    let file_names = pruned.unwrap();
    assert!(file_names.len() == 1 && file_names[0].ends_with("00000003.ckpt"), "{file_names:?}");
}

/// Once its file is gone a number is known from the log alone. Of that only the last 64 KiB were read, which other lines
/// may fill: then the number was used a second time, for other content.
#[test]
fn the_number_of_what_was_pruned_is_not_used_again_after_many_other_lines() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = run_with_one_pruned(&storage);
    for _ in 0..200 {
        run.pin(1, Some("an ordinary reason")).unwrap();
        run.unpin(1).unwrap();
    }
    drop(run);
    assert!(storage.open("log.jsonl", Access::Read).unwrap().length().unwrap() > 64 << 10);
    assert_eq!(save(&open(&storage), b"next").sequence, 4);
}

/// As before, when the log is so full that it starts anew: the first opening after that finds an empty one.
#[test]
fn the_number_of_what_was_pruned_is_not_used_again_after_the_log_was_rotated() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    drop(run_with_one_pruned(&storage));
    let mut log = storage.open("log.jsonl", Access::Append).unwrap();
    let mut line = vec![b'x'; 64 << 10];
    line.push(b'\n');
    for _ in 0..=16 << 20 >> 16 {
        assert_eq!(log.write_at(0, &line).unwrap(), line.len());
    }
    log.close().unwrap();
    let run = open(&storage);
    assert!(storage.open("log.000001.jsonl", Access::Read).is_ok(), "the log was not rotated");
    assert_eq!(save(&run, b"next").sequence, 4);
}

/// What is durable stands in the log, so a line longer than what was read of it made every checkpoint one of which nobody
/// knows whether it survives a power loss, and nothing could be deleted.
#[test]
fn a_long_reason_hides_nothing_that_the_log_said_before() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, RunOptions::new(clock));
    let first = save(&run, b"1").file_name;
    save(&run, b"2");
    run.pin(1, Some(&"why ".repeat(20_000))).unwrap();
    run.unpin(1).unwrap();
    drop(run);
    let deletion = Deletion { file_name: first.clone(), reason: "a test".into() };
    assert_eq!(open(&storage).delete(&[deletion]).unwrap().file_names, [first]);
}
