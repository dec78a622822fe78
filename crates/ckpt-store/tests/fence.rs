//! What an overtaken attempt wrote is told by what a later one wrote, in a listing and in a load alike.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::sync::Arc;

use ckpt_format::{Selector, State, Timestamp};
use ckpt_store::storage::{Access, Memory, Storage};
use ckpt_store::{Epoch, Run, RunOptions, RunReader};

use self::put::put;
use self::scene::{PAYLOAD, create, flip, save};

#[path = "rig/put.rs"]
mod put;
#[path = "rig/scene.rs"]
mod scene;

/// The last of an attempt that had been overtaken, and the only one of the attempt that overtook it.
const STALE: &str = "e000001-00000007.ckpt";
const TAKER: &str = "e000002-00000005.ckpt";

/// Epoch 1 wrote 1 to 4, epoch 2 took over and wrote 5, and then there is a 7 of epoch 1.
fn overtaken() -> Arc<dyn Storage> {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options(Epoch::Begin(1)));
    for number in 1..=7 {
        save(&run, &[number]);
    }
    drop(run);
    let stale = read(&storage, STALE);
    for sequence in 5..=7 {
        storage.unlink(&format!("e000001-{sequence:08}.ckpt")).unwrap();
    }
    storage.unlink("log.jsonl").unwrap();
    let run = Run::open_on(Arc::clone(&storage), "run", options(Epoch::Begin(2))).unwrap();
    assert_eq!(save(&run, &[5]).file_name, TAKER);
    put(&storage, STALE, &stale);
    storage
}

fn options(epoch: Epoch) -> RunOptions {
    RunOptions::new(|| Timestamp::from_millis(1_700_000_000_000)).epoch(epoch)
}

fn read(storage: &Arc<dyn Storage>, path: &str) -> Vec<u8> {
    let file = storage.open(path, Access::Read).unwrap();
    let mut bytes = vec![0; file.length().unwrap() as usize];
    assert_eq!(file.read_at(0, &mut bytes).unwrap(), bytes.len());
    bytes
}

/// The stale one is fenced in the listing, and latest is the newest that the listing calls good.
#[track_caller]
fn assert_fenced(storage: &Arc<dyn Storage>, latest: &str) {
    let reader = RunReader::on(Arc::clone(storage), "run").unwrap();
    let rows = reader.list().unwrap();
    let stale = rows.iter().find(|row| row.file_name == STALE).unwrap();
    assert_eq!(stale.state, State::Fenced, "{:?}", stale.reason);
    let good = rows.iter().rfind(|row| row.is_committed()).unwrap();
    assert_eq!(good.file_name, latest);
    assert_eq!(reader.load(&Selector::Latest).unwrap().entry.file_name, latest);
}

#[test]
fn what_was_written_after_a_takeover_is_never_latest() {
    assert_fenced(&overtaken(), TAKER);
}

/// A load did not ask a duplicate what it had overtaken, and took the state of the attempt that was.
#[test]
fn two_files_of_one_place_still_tell_what_they_overtook() {
    let storage = overtaken();
    put(&storage, "e000002-00000005_x.ckpt", &read(&storage, TAKER));
    assert_fenced(&storage, "e000001-00000004.ckpt");
}

/// A listing did not ask a file whose section table was damaged, and called the stale one good; a deletion then relied on it.
#[test]
fn a_damaged_section_table_still_tells_what_it_overtook() {
    let storage = overtaken();
    let reader = RunReader::on(Arc::clone(&storage), "run").unwrap();
    let length = read(&storage, TAKER).len() as u64;
    let in_the_table = |at: &u64| {
        flip(&storage, TAKER, *at);
        let found = reader.open_checkpoint(TAKER).is_ok_and(|checkpoint| checkpoint.sections().is_err());
        if !found {
            flip(&storage, TAKER, *at);
        }
        found
    };
    assert!((PAYLOAD..length).any(|at| in_the_table(&at)), "no bit of the table was found");
    assert_fenced(&storage, "e000001-00000004.ckpt");
}
