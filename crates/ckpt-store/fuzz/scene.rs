//! A run in memory that holds one checkpoint, and what the fuzzer puts beside it.

use std::sync::Arc;

use ckpt_format::{Metadata, Timestamp, Writer};
use ckpt_store::storage::{Memory, Storage};
use ckpt_store::{Run, RunOptions, Section};

/// Makes the run, saves `good`, and lets go of it.
pub fn run_with_one(good: &[u8]) -> Arc<dyn Storage> {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let (kind, name) = ("tests".parse().expect("a name"), "run".parse().expect("a name"));
    let run = Run::create_on(Arc::clone(&storage), "run", &kind, &name, options()).expect("a run in memory");
    run.save(Metadata::default(), vec![Section::raw("state", good)]).expect("a save in memory");
    storage
}

/// Puts `bytes` at `path`, in place of what was there.
pub fn put(storage: &Arc<dyn Storage>, path: &str, bytes: &[u8]) {
    let _ = storage.unlink(path);
    let mut file = storage.create(path).expect("a file in memory");
    let mut done = 0;
    while done < bytes.len() {
        done += file.write_at(done as u64, &bytes[done..]).expect("room in memory");
    }
    file.close().expect("closing in memory");
}

/// Options that ask nothing of the system.
pub fn options() -> RunOptions {
    let writer = Writer { host: "host".into(), pid: 1, boot_id: "boot".into() };
    RunOptions { writer: Some(writer), reserve: false, ..RunOptions::new(clock) }
}

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}
