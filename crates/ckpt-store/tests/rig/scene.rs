//! A run in memory, and what may befall its files.

use std::sync::Arc;

use ckpt_format::Metadata;
use ckpt_store::storage::{Access, Storage};
use ckpt_store::{Run, RunOptions, Saved, Section};

/// Where the payload of every checkpoint begins that has little metadata.
pub(crate) const PAYLOAD: u64 = 4_096;

pub(crate) fn create(storage: &Arc<dyn Storage>, options: RunOptions) -> Run {
    let (kind, name) = ("tests".parse().unwrap(), "run".parse().unwrap());
    Run::create_on(Arc::clone(storage), "run", &kind, &name, options).unwrap()
}

/// Saves a checkpoint of one section, `state`.
pub(crate) fn save(run: &Run, bytes: &[u8]) -> Saved {
    run.save(Metadata::default(), vec![Section::raw("state", bytes)]).unwrap()
}

/// Flips a bit. Twice is as if nothing had been.
pub(crate) fn flip(storage: &Arc<dyn Storage>, path: &str, at: u64) {
    let mut file = storage.open(path, Access::Write).unwrap();
    let mut byte = [0];
    assert_eq!(file.read_at(at, &mut byte).unwrap(), 1, "{path} is shorter than {at}");
    byte[0] ^= 1;
    file.write_at(at, &byte).unwrap();
}
