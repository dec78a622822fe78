//! A save compresses, digests and writes at once, on several threads: when one of them fails the save ends, nothing stays
//! behind, and the handle goes on.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ckpt_format::{Metadata, Timestamp};
use ckpt_store::storage::{Memory, Storage};
use ckpt_store::{Compress, Error, Run, RunOptions, Section};

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn run_on(storage: &Arc<dyn Storage>) -> Run {
    let (kind, name) = ("tests".parse().unwrap(), "run".parse().unwrap());
    Run::create_on(Arc::clone(storage), "run", &kind, &name, RunOptions::new(clock)).unwrap()
}

fn save_a_little(run: &Run) -> u64 {
    run.save(Metadata::default(), vec![Section::raw("state", b"little")]).unwrap().sequence
}

/// Panics after so many bytes.
struct Panicking(usize);

impl Read for Panicking {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        assert!(self.0 > 0, "the section's reader panics, as the test wants it");
        let length = out.len().min(self.0);
        self.0 -= length;
        out[..length].fill(3);
        Ok(length)
    }
}

#[test]
fn a_section_reader_that_panics_midway_ends_the_save_and_leaves_nothing() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = run_on(&storage);
    for length in [0, 1, 30 << 20] {
        let section = Section::reader("state", Panicking(length));
        let save = || run.save(Metadata::default(), vec![section]);
        assert!(catch_unwind(AssertUnwindSafe(save)).is_err());
        assert_eq!(storage.list(".staging").unwrap(), []);
    }
    assert_eq!(save_a_little(&run), 4);
}

/// Whoever feeds must not wait for ever for a writer that has given up: early, in the middle, and late.
#[test]
fn a_disk_that_fills_up_while_sections_are_fed_ends_the_save_and_leaves_nothing() {
    for capacity in [200_000, 3 << 20, 9 << 20] {
        let storage: Arc<dyn Storage> = Arc::new(Memory::with_capacity(capacity));
        let run = run_on(&storage);
        let endless = Section::reader("state", io::repeat(7)).compress(Compress::Never);
        let error = run.save(Metadata::default(), vec![endless]).unwrap_err();
        assert!(matches!(error, Error::NoSpace { .. }), "{capacity}: {error}");
        assert_eq!(storage.list(".staging").unwrap(), []);
        save_a_little(&run);
    }
}
