//! Runs with so many checkpoints that several threads share the work; and how much of them is read.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ckpt_format::{Selector, State, Timestamp};
use ckpt_store::storage::{Memory, Storage};
use ckpt_store::{Deletion, Error, Pins, Run, RunOptions, RunReader};

use self::hooked::Hooked;
use self::scene::{PAYLOAD, create, flip, save};

#[path = "rig/hooked.rs"]
mod hooked;
#[path = "rig/scene.rs"]
mod scene;

/// More than one piece for each thread, and more than one batch of a deletion.
const COUNT: u64 = 700;

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

/// Fills a run, then opens it with `hook` in the way.
fn many(
    hook: impl Fn(&Arc<dyn Storage>, &str, &str) -> io::Result<()> + Send + Sync + 'static,
) -> (Arc<dyn Storage>, Run) {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, RunOptions::new(clock));
    for number in 0..COUNT {
        save(&run, &number.to_le_bytes());
    }
    drop(run);
    let base = Arc::clone(&storage);
    let hooked = Hooked::over(&storage, move |operation, path| hook(&base, operation, path));
    (storage, Run::open_on(hooked, "run", RunOptions::new(clock)).unwrap())
}

fn name(sequence: u64) -> String {
    format!("{sequence:08}.ckpt")
}

fn deletions(sequences: impl Iterator<Item = u64>) -> Vec<Deletion> {
    sequences.map(|sequence| Deletion { file_name: name(sequence), reason: "a test".into() }).collect()
}

fn sequences(run: &RunReader) -> Vec<u64> {
    run.list().unwrap().iter().map(|entry| entry.sequence).collect()
}

#[test]
fn each_row_stands_in_its_place_and_tells_of_its_own_file() {
    let (storage, run) = many(|_, _, _| Ok(()));
    let damaged = |sequence: u64| sequence.is_multiple_of(7);
    for sequence in (1..=COUNT).filter(|sequence| damaged(*sequence)) {
        flip(&storage, &name(sequence), 70);
    }
    for sequence in [12, 300, COUNT - 1] {
        storage.create(&format!("{sequence:08}_copy.ckpt")).unwrap().close().unwrap();
    }
    let rows = run.reader().list().unwrap();
    assert_eq!(rows.len() as u64, COUNT + 3);
    assert!(rows.is_sorted_by_key(|row| (row.sequence, row.file_name.clone())));
    for row in rows {
        let expected = match row.sequence {
            _ if row.file_name.ends_with("_copy.ckpt") => State::Damaged,
            12 | 300 => State::Duplicate,
            sequence if sequence == COUNT - 1 => State::Duplicate,
            sequence if damaged(sequence) => State::Damaged,
            _ => State::Committed,
        };
        assert_eq!(row.state, expected, "{}", row.file_name);
        let inside = row.metadata().map(|metadata| metadata.sequence);
        assert_eq!(inside, (row.state != State::Damaged).then_some(row.sequence));
    }
}

/// However many there are: `latest` reads one file, and a deletion its victims and the newest, down to one that is good.
#[test]
fn no_more_files_are_opened_than_the_answer_needs() {
    let opened = Arc::new(Mutex::new(BTreeSet::new()));
    let (storage, run) = {
        let opened = Arc::clone(&opened);
        many(move |_, operation, path| {
            if operation == "open" && path.ends_with(".ckpt") {
                opened.lock().unwrap().insert(path.to_owned());
            }
            Ok(())
        })
    };
    let opened = || std::mem::take(&mut *opened.lock().unwrap());
    assert_eq!(opened(), BTreeSet::new(), "opening a run reads names only");
    assert_eq!(run.reader().find(&Selector::Latest).unwrap().sequence, COUNT);
    assert_eq!(opened(), BTreeSet::from([name(COUNT)]));
    flip(&storage, &name(COUNT), PAYLOAD);
    run.delete(&deletions(3..=4)).unwrap();
    assert_eq!(opened(), BTreeSet::from([name(3), name(4), name(COUNT - 1), name(COUNT)]));
    flip(&storage, &name(COUNT), PAYLOAD);
    run.delete(&deletions(5..=6)).unwrap();
    assert_eq!(opened(), BTreeSet::from([name(5), name(6), name(COUNT)]));
}

#[test]
fn a_pin_that_is_set_between_two_batches_protects() {
    let batches = AtomicUsize::new(0);
    let deleting = Arc::new(AtomicBool::new(false));
    let (_storage, run) = {
        let deleting = Arc::clone(&deleting);
        many(move |base, operation, path| {
            // Whoever pins has the lock between two batches: this stands for all that happens until it is let go.
            if deleting.load(Ordering::SeqCst)
                && (operation, path) == ("try_lock", ".mutate")
                && batches.fetch_add(1, Ordering::SeqCst) == 1
            {
                for sequence in [5, 650] {
                    base.create(&format!("{sequence:08}.pin"))?.close()?;
                }
            }
            Ok(())
        })
    };
    deleting.store(true, Ordering::SeqCst);
    let deleted = run.delete(&deletions(1..COUNT)).unwrap();
    assert_eq!(deleted.kept, [name(650)], "the fifth was gone before it was pinned");
    assert_eq!(deleted.file_names.len() as u64, COUNT - 2);
    assert!(deleted.file_names.is_sorted());
    assert_eq!(sequences(run.reader()), [650, COUNT]);
}

/// Each thread asks before each of its own deletions, so that at most one a thread is under way when the lock is lost.
#[test]
fn when_the_lock_is_lost_no_thread_begins_another_deletion() {
    const THREADS_MAX: usize = 4;
    let lost = AtomicBool::new(false);
    let after = Arc::new(AtomicUsize::new(0));
    let (_storage, run) = {
        let after = Arc::clone(&after);
        many(move |base, operation, path| {
            if operation == "open" && path == "00000100.pin" {
                base.unlink(".mutate")?;
                lost.store(true, Ordering::SeqCst);
            }
            if operation == "unlink" && path.ends_with(".ckpt") && lost.load(Ordering::SeqCst) {
                after.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        })
    };
    assert!(matches!(run.delete(&deletions(1..COUNT)), Err(Error::Locked { .. })));
    assert!(after.load(Ordering::SeqCst) < THREADS_MAX, "{after:?} began later");
    let left = sequences(run.reader());
    assert!(left.contains(&100) && left.len() as u64 > COUNT - 256, "{} left", left.len());
}

#[test]
fn an_error_in_one_thread_stops_the_others_and_what_is_left_is_whole() {
    let failed = AtomicBool::new(false);
    let after = Arc::new(AtomicUsize::new(0));
    let (_storage, run) = {
        let after = Arc::clone(&after);
        many(move |_, operation, path| {
            if (operation, path) == ("unlink", "00000030.ckpt") {
                failed.store(true, Ordering::SeqCst);
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            if operation == "unlink" && failed.load(Ordering::SeqCst) {
                after.fetch_add(1, Ordering::SeqCst);
                // Time for the one that failed to say so, since this storage is quick.
                thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        })
    };
    assert!(matches!(run.delete(&deletions(1..COUNT)), Err(Error::Permission { .. })));
    assert!(after.load(Ordering::SeqCst) < 100, "{after:?} of the batch's 256 were begun later");
    let rows = run.reader().list().unwrap();
    assert!(rows.iter().all(|row| row.state == State::Committed) && rows.len() as u64 > COUNT - 256);
    assert!(rows.iter().any(|row| row.sequence == 30));
}

/// Between two batches the lock was free for microseconds only, and who waited for it looked once a millisecond: a pin failed
/// after five seconds, or came when all was over.
#[test]
fn a_pin_finds_its_turn_while_much_is_deleted() {
    // On a busy machine whoever waits may sleep through both turns.
    const TRIES: usize = 8;
    assert!((0..TRIES).any(|_| a_pin_comes_in_time()), "in none of {TRIES} deletions");
}

/// Whether a pin that is asked for while the first batch is deleted protects one of the last.
fn a_pin_comes_in_time() -> bool {
    let begun = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&begun);
    let (storage, run) = many(move |_, operation, path| {
        if operation == "unlink" && path.ends_with(".ckpt") {
            seen.store(true, Ordering::Relaxed);
            thread::sleep(Duration::from_micros(300));
        }
        Ok(())
    });
    let pins = Pins::on(storage, "run", &RunOptions::new(clock)).unwrap();
    let last = COUNT - 1;
    let pinner = thread::spawn(move || {
        while !begun.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        pins.pin(last, None)
    });
    let deleted = run.delete(&deletions(1..COUNT)).unwrap();
    match pinner.join().unwrap() {
        Ok(new) => {
            assert!(new && deleted.kept == [name(last)], "{deleted:?}");
            true
        }
        Err(error) => {
            assert!(matches!(error, Error::NotFound { .. }), "{error}");
            false
        }
    }
}
