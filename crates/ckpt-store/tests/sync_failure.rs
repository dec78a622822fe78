//! A sync that failed proves nothing if it succeeds when repeated: wherever it failed, the handle writes no more.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ckpt_format::{Metadata, Selector, Timestamp};
use ckpt_store::storage::{Access, Memory, Storage};
use ckpt_store::{Deletion, Error, Run, RunOptions, Section};

use self::hooked::Hooked;
use self::scene::{PAYLOAD, create, flip, save};

#[path = "rig/hooked.rs"]
mod hooked;
#[path = "rig/scene.rs"]
mod scene;

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

/// A run, and the medium below it, on which one sync of one directory can be made to fail.
struct Fixture {
    medium: Arc<dyn Storage>,
    /// Which sync of `dir` from now on fails, counted from 1. 0: none.
    failing: Arc<AtomicUsize>,
    run: Run,
}

impl Fixture {
    fn of(dir: &'static str) -> Self {
        let medium: Arc<dyn Storage> = Arc::new(Memory::new());
        let failing = Arc::new(AtomicUsize::new(0));
        let countdown = Arc::clone(&failing);
        let hooked = Hooked::over(&medium, move |operation, path| {
            if (operation, path) != ("sync_dir", dir) {
                return Ok(());
            }
            let before = countdown.load(Ordering::SeqCst);
            countdown.store(before.saturating_sub(1), Ordering::SeqCst);
            if before == 1 { Err(io::Error::other("the medium failed")) } else { Ok(()) }
        });
        let run = create(&hooked, RunOptions::new(clock));
        Self { medium, failing, run }
    }

    fn fail(&self, which: usize) {
        self.failing.store(which, Ordering::SeqCst);
    }

    fn quarantined(&self) -> usize {
        self.medium.list(".quarantine").map_or(0, |names| names.len())
    }

    fn try_save(&self) -> ckpt_store::Result<u64> {
        self.run.save(Metadata::default(), vec![Section::raw("state", b"next")]).map(|saved| saved.sequence)
    }

    fn assert_writes_no_more(&self) {
        assert!(matches!(self.try_save(), Err(Error::Poisoned { .. })));
        let newest = self.run.reader().list().unwrap().pop().unwrap().file_name;
        let deletion = Deletion { file_name: newest, reason: "a test".into() };
        assert!(matches!(self.run.delete(&[deletion]), Err(Error::Poisoned { .. })));
    }
}

/// A deletion syncs the directory twice: for the log's name, and once the files are gone. After the second had failed a save
/// was believed, though the very sync that it relies on had just dropped what it could not write.
#[test]
fn a_deletion_that_could_not_be_synced_poisons_the_handle() {
    for which in [1, 2] {
        let fixture = Fixture::of("");
        let first = save(&fixture.run, b"1").file_name;
        save(&fixture.run, b"2");
        fixture.fail(which);
        let deletion = Deletion { file_name: first.clone(), reason: "a test".into() };
        let deleted = fixture.run.delete(&[deletion]);
        assert!(matches!(deleted, Err(Error::DurabilityUnknown { .. })), "{deleted:?}");
        let is_there = fixture.medium.open(&first, Access::Read).is_ok();
        assert_eq!(is_there, which == 1, "it goes only after the log was synced");
        fixture.assert_writes_no_more();
    }
}

/// The file had been moved when the sync failed; once it was said not to have been. The run's own directory is synced a first
/// time for the new name `.quarantine`, when nothing has been moved yet.
#[test]
fn a_setting_aside_that_could_not_be_synced_is_told_as_it_is_and_poisons_the_handle() {
    for (dir, which) in [(".quarantine", 1), ("", 2)] {
        let fixture = Fixture::of(dir);
        save(&fixture.run, b"1");
        flip(&fixture.medium, &save(&fixture.run, b"2").file_name, PAYLOAD);
        fixture.fail(which);
        let loaded = fixture.run.load(&Selector::Latest).unwrap();
        assert_eq!((loaded.entry.sequence, fixture.quarantined()), (1, 1));
        let aside = loaded.skipped[0].set_aside.as_ref().unwrap();
        assert!(fixture.medium.open(aside, Access::Read).is_ok(), "{aside}");
        let notices = fixture.run.take_notices();
        assert!(notices.iter().any(|notice| notice.contains("the medium failed")), "{notices:?}");
        fixture.assert_writes_no_more();
    }
}

#[test]
fn a_pin_that_could_not_be_synced_poisons_the_handle() {
    for unpins in [false, true] {
        let fixture = Fixture::of("");
        let sequence = save(&fixture.run, b"1").sequence;
        if unpins {
            fixture.run.pin(sequence, None).unwrap();
        }
        fixture.fail(1);
        let changed = if unpins { fixture.run.unpin(sequence) } else { fixture.run.pin(sequence, None) };
        assert!(matches!(changed, Err(Error::DurabilityUnknown { .. })), "{changed:?}");
        fixture.assert_writes_no_more();
    }
}

/// The very first time the directory of what is set aside is made: its name could not be synced, and nothing was moved.
#[test]
fn a_quarantine_that_could_not_be_made_durable_poisons_the_handle() {
    let fixture = Fixture::of("");
    save(&fixture.run, b"1");
    flip(&fixture.medium, &save(&fixture.run, b"2").file_name, PAYLOAD);
    fixture.fail(1);
    let loaded = fixture.run.load(&Selector::Latest).unwrap();
    assert_eq!((loaded.entry.sequence, fixture.quarantined()), (1, 0));
    assert_eq!(loaded.skipped[0].set_aside, None);
    fixture.assert_writes_no_more();
}

#[test]
fn a_poisoned_handle_loads_and_sets_nothing_aside() {
    let fixture = Fixture::of("");
    save(&fixture.run, b"1");
    save(&fixture.run, b"2");
    fixture.fail(1);
    assert!(matches!(fixture.try_save(), Err(Error::DurabilityUnknown { .. })));
    flip(&fixture.medium, "00000003.ckpt", PAYLOAD);
    let loaded = fixture.run.load(&Selector::Latest).unwrap();
    assert_eq!((loaded.entry.sequence, fixture.quarantined()), (2, 0));
    assert_eq!(loaded.skipped[0].set_aside, None);
    fixture.assert_writes_no_more();
}
