//! The order of what reaches the medium, and what follows when the medium refuses: seen through a storage that tells and
//! fails.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::io;
use std::sync::{Arc, Mutex};

use ckpt_format::{Event, Metadata, Selector, Timestamp};
use ckpt_store::storage::{Memory, Storage};
use ckpt_store::testing::{Observed, Observer, Operation, Verb};
use ckpt_store::{Deletion, Error, Run, RunOptions, Section};

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

/// What was asked of the medium, in order; and which call is to fail.
#[derive(Debug, Default)]
struct Script {
    told: Vec<String>,
    fail: Option<(String, io::ErrorKind)>,
}

/// A medium that tells what is asked of it, and fails when it is told to.
#[derive(Debug, Clone)]
struct Telling {
    inner: Arc<dyn Storage>,
    script: Arc<Mutex<Script>>,
}

impl Telling {
    fn new() -> Self {
        Self { inner: Arc::new(Memory::new()), script: Arc::default() }
    }

    fn observed(&self) -> Arc<dyn Storage> {
        Arc::new(Observed::new(Arc::clone(&self.inner), Arc::new(self.clone())))
    }

    /// Notes the call; an error if it is the one that is to fail. Random parts of names are left out.
    fn call(&self, what: &str, path: &str) -> io::Result<()> {
        let path = if path.starts_with(".staging/") { ".staging/*" } else { path };
        let call = format!("{what} {path}");
        let mut script = self.script.lock().unwrap();
        let failing = script.fail.take_if(|(which, _)| *which == call);
        script.told.push(call);
        failing.map_or(Ok(()), |(_, kind)| Err(kind.into()))
    }

    fn fail(&self, call: &str, kind: io::ErrorKind) {
        self.script.lock().unwrap().fail = Some((call.to_owned(), kind));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.script.lock().unwrap().told)
    }
}

impl Observer for Telling {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let (what, path) = match operation.verb {
            Verb::CreateDir => ("create_dir", operation.path),
            Verb::Create => ("create", operation.path),
            Verb::Rename => ("rename to", operation.detail),
            Verb::Unlink => ("unlink", operation.path),
            Verb::SyncDir => ("sync_dir", if operation.path.is_empty() { "." } else { operation.path }),
            Verb::TryLock => ("lock", operation.path),
            Verb::WriteAt => ("write", operation.path),
            Verb::Reveal => ("reveal", operation.path),
            Verb::Sync => ("sync", operation.path),
            Verb::Close => ("close", operation.path),
            _ => return Ok(()),
        };
        self.call(what, path)
    }
}

fn options() -> RunOptions {
    RunOptions { reserve: false, ..RunOptions::new(clock) }
}

fn new_run() -> (Telling, Run) {
    let storage = Telling::new();
    let kind = "tests".parse().unwrap();
    let run = Run::create_on(storage.observed(), "run", &kind, &"run".parse().unwrap(), options()).unwrap();
    storage.take();
    (storage, run)
}

fn save(run: &Run) -> Result<ckpt_store::Saved, Error> {
    let metadata = Metadata::default().because(Event::Periodic, "a test");
    run.save(metadata, vec![Section::raw("state", &[1; 5_000])])
}

fn count(run: &Run) -> usize {
    run.reader().list().unwrap().iter().filter(|entry| entry.is_committed()).count()
}

#[test]
fn a_save_stages_syncs_closes_renames_and_syncs_the_directory_in_this_order() {
    let (storage, run) = new_run();
    save(&run).unwrap();
    assert_eq!(
        storage.take(),
        [
            "create .staging/*",
            "write .staging/*",
            "reveal .staging/*",
            "sync .staging/*",
            "close .staging/*",
            "lock .mutate",
            "rename to 00000001_evt-periodic.ckpt",
            "sync_dir .",
            "write log.jsonl",
            "close log.jsonl",
        ]
    );
}

#[test]
fn a_deletion_is_in_the_synced_log_before_the_first_unlink() {
    let (storage, run) = new_run();
    for _ in 0..3 {
        save(&run).unwrap();
    }
    storage.take();
    let entries = run.reader().list().unwrap();
    let victims: Vec<Deletion> = entries[..2]
        .iter()
        .map(|entry| Deletion { file_name: entry.file_name.clone(), reason: "a test".into() })
        .collect();
    run.delete(&victims).unwrap();
    assert_eq!(
        storage.take(),
        [
            "write log.jsonl",
            "sync log.jsonl",
            "close log.jsonl",
            "sync_dir .",
            "lock .mutate",
            "unlink 00000001_evt-periodic.ckpt",
            "unlink 00000002_evt-periodic.ckpt",
            "sync_dir .",
            "write log.jsonl",
            "close log.jsonl",
        ]
    );
}

#[test]
fn whatever_fails_before_the_rename_leaves_the_old_set_and_nothing_else() {
    let (storage, run) = new_run();
    save(&run).unwrap();
    for call in ["create", "write", "reveal", "sync", "close"] {
        for (kind, code) in [
            (io::ErrorKind::Other, "io"),
            (io::ErrorKind::StorageFull, "no_space"),
            (io::ErrorKind::QuotaExceeded, "no_space"),
            (io::ErrorKind::PermissionDenied, "permission"),
        ] {
            storage.take();
            storage.fail(&format!("{call} .staging/*"), kind);
            let error = save(&run).unwrap_err();
            assert_eq!(error.code(), code, "{call} {kind}: {error}");
            let told = storage.take();
            assert!(told.iter().filter(|told| *told == "sync .staging/*").count() <= 1, "{told:?}");
            assert!(!told.iter().any(|told| told.starts_with("rename")), "{told:?}");
            assert_eq!(storage.inner.list(".staging").unwrap(), [], "{call} {kind}");
            assert_eq!(count(&run), 1);
        }
    }
    storage.fail("lock .mutate", io::ErrorKind::Other);
    assert_eq!(save(&run).unwrap_err().code(), "io");
    storage.fail("rename to 00000023_evt-periodic.ckpt", io::ErrorKind::Other);
    assert_eq!(save(&run).unwrap_err().code(), "io");
    assert_eq!(storage.inner.list(".staging").unwrap(), []);
    assert_eq!(save(&run).unwrap().sequence, 24, "the numbers of failed saves are not used again");
}

#[test]
fn when_the_directory_cannot_be_synced_the_handle_writes_no_more() {
    let (storage, run) = new_run();
    for _ in 0..2 {
        save(&run).unwrap();
    }
    storage.fail("sync_dir .", io::ErrorKind::Other);
    assert!(matches!(save(&run), Err(Error::DurabilityUnknown { .. })));
    storage.take();
    assert!(matches!(save(&run), Err(Error::Poisoned { .. })));
    let first = run.reader().list().unwrap()[0].file_name.clone();
    let deletion = Deletion { file_name: first.clone(), reason: "a test".into() };
    assert!(matches!(run.delete(std::slice::from_ref(&deletion)), Err(Error::Poisoned { .. })));
    assert_eq!(storage.take(), Vec::<String>::new(), "the medium was not touched again");
    assert_eq!(run.load(&Selector::Latest).unwrap().entry.sequence, 3, "it may be read");
    drop(run);
    // Who opens it next does not rely on the one of which nobody knows.
    let run = Run::open_on(storage.observed(), "run", options()).unwrap();
    let second = run.reader().list().unwrap()[1].file_name.clone();
    run.delete(&[deletion]).unwrap();
    let deletion = Deletion { file_name: second, reason: "a test".into() };
    assert!(matches!(
        run.delete(std::slice::from_ref(&deletion)),
        Err(Error::LastVerified { sequence: 2, .. })
    ));
    save(&run).unwrap();
    run.delete(&[deletion]).unwrap();
}

#[test]
fn nothing_is_unlinked_if_the_log_cannot_be_synced() {
    let (storage, run) = new_run();
    for _ in 0..2 {
        save(&run).unwrap();
    }
    let first = run.reader().list().unwrap()[0].file_name.clone();
    storage.fail("sync log.jsonl", io::ErrorKind::StorageFull);
    let error = run.delete(&[Deletion { file_name: first, reason: "a test".into() }]).unwrap_err();
    assert_eq!(error.code(), "durability_unknown");
    assert_eq!(count(&run), 2);
    assert!(matches!(save(&run), Err(Error::Poisoned { .. })), "a second sync would prove nothing");
}

#[test]
fn a_log_that_cannot_be_written_does_not_fail_a_save() {
    let (storage, run) = new_run();
    storage.fail("write log.jsonl", io::ErrorKind::StorageFull);
    assert_eq!(save(&run).unwrap().sequence, 1);
    let notices = run.take_notices();
    assert!(notices.len() == 1 && notices[0].contains("log.jsonl"), "{notices:?}");
    assert_eq!(run.take_notices(), Vec::<String>::new());
}

#[test]
fn a_new_run_is_durable_before_it_is_used() {
    let storage = Telling::new();
    let kind = "tests".parse().unwrap();
    Run::create_on(storage.observed(), "run", &kind, &"run".parse().unwrap(), options()).unwrap();
    let told = storage.take();
    let expected = [
        "create_dir .staging",
        "sync_dir .",
        "lock .mutate",
        "create .staging/*",
        "write .staging/*",
        "reveal .staging/*",
        "sync .staging/*",
        "close .staging/*",
        "rename to run.json",
        "sync_dir .",
    ];
    assert_eq!(told[..expected.len()], expected);
}

/// Also without the reserve of `RunOptions`: a little is always kept for the line in the log.
#[test]
fn on_a_full_disk_something_can_be_deleted() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::with_capacity(1 << 20));
    let kind = "tests".parse().unwrap();
    let run = Run::create_on(Arc::clone(&storage), "run", &kind, &"run".parse().unwrap(), options()).unwrap();
    let noise: Vec<u8> = (0..100_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let save = || run.save(Metadata::default(), vec![Section::raw("state", &noise)]);
    while save().is_ok() {}
    let mut filler = storage.create("filler").unwrap();
    let mut offset = 0;
    while let Ok(written) = filler.write_at(offset, &[1; 100]) {
        offset += written as u64;
    }
    assert_eq!(storage.space().unwrap().available, 0);
    let entries = run.reader().list().unwrap();
    assert!(entries.len() >= 2);
    let oldest = Deletion { file_name: entries[0].file_name.clone(), reason: "the disk is full".into() };
    assert_eq!(run.delete(&[oldest]).unwrap().file_names.len(), 1);
    save().unwrap();
}
