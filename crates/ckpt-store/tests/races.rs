//! What others do between two of our steps: a reader beside a writer that prunes, attempts that join or begin at once, an
//! error that looks like a file that went away.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ckpt_format::{Metadata, Selector, Timestamp};
use ckpt_store::storage::{Access, Memory, Storage};
use ckpt_store::{Deletion, Epoch, Error, Run, RunOptions, RunReader, Section};

use self::hooked::Hooked;
use self::scene::{PAYLOAD, create, flip, save};

#[path = "rig/hooked.rs"]
mod hooked;
#[path = "rig/scene.rs"]
mod scene;

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn options() -> RunOptions {
    RunOptions { lock_wait: Duration::from_millis(50), ..RunOptions::new(clock) }
}

fn begin(storage: &Arc<dyn Storage>, epoch: u64) -> ckpt_store::Result<Run> {
    Run::open_on(Arc::clone(storage), "run", options().epoch(Epoch::Begin(epoch)))
}

/// As a writer that keeps only its newest checkpoint: saves one, then deletes the one before.
fn save_and_keep_one(run: &Run) {
    let newest = run.reader().list().unwrap().pop().unwrap().file_name;
    save(run, b"newer");
    run.delete(&[Deletion { file_name: newest, reason: "only the newest is kept".into() }]).unwrap();
}

/// A reader of the run whose writer does something just after the reader's first listing.
fn reader_overtaken_by(
    storage: &Arc<dyn Storage>,
    writer: Run,
    meanwhile: impl Fn(&Run) + Send + Sync + 'static,
) -> RunReader {
    let writer = Mutex::new(Some(writer));
    let hooked = Hooked::over(storage, move |operation, path| {
        if (operation, path) == ("listed", "")
            && let Some(writer) = writer.lock().unwrap().take()
        {
            meanwhile(&writer);
        }
        Ok(())
    });
    RunReader::on(hooked, "run").unwrap()
}

/// Somebody copied a file into the directory, under a name of a later epoch. What an epoch had overtaken was once told from
/// names alone, so this cast out every good checkpoint of the run.
#[test]
fn a_stray_file_named_like_a_later_epoch_fences_nothing() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    for number in 0..5 {
        save(&run, &[number]);
    }
    storage.create("e000002-00000001_copied.ckpt").unwrap().close().unwrap();
    assert_eq!(run.load(&Selector::Latest).unwrap().entry.sequence, 5);
}

/// A reader beside a writer that keeps one: between the reader's listing and its opening, the only file it knew of is
/// replaced by the next. That once was "no good checkpoint is left", hence a start from nothing.
#[test]
fn a_reader_whose_only_checkpoint_is_pruned_meanwhile_loads_the_next() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    save(&run, b"1");
    let reader = reader_overtaken_by(&storage, run, save_and_keep_one);
    let loaded = reader.load(&Selector::Latest).unwrap();
    assert_eq!((loaded.entry.sequence, loaded.value.bytes("state").unwrap()), (2, &b"newer"[..]));
    assert_eq!(loaded.skipped, []);
}

/// The same with an old checkpoint that is pinned: what went away must not be stepped over to it.
#[test]
fn a_reader_beside_a_pruning_writer_gets_nothing_older_than_when_it_began() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    save(&run, b"1");
    run.pin(1, None).unwrap();
    save(&run, b"2");
    let reader = reader_overtaken_by(&storage, run, save_and_keep_one);
    let loaded = reader.load(&Selector::Latest).unwrap();
    assert_eq!((loaded.entry.sequence, loaded.skipped), (3, Vec::new()));
}

/// Takes nothing, and says so with the error of a missing file.
struct Gone;

impl io::Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_not_found_of_the_callers_own_output_is_no_reason_to_step_back() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    save(&run, b"1");
    save(&run, b"2");
    let mut tried = Vec::new();
    let loaded = run.load_with(&Selector::Latest, |checkpoint| {
        tried.push(checkpoint.metadata().sequence);
        checkpoint.copy_to("state", &mut Gone)
    });
    assert!(matches!(&loaded, Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound));
    assert_eq!(tried, [2]);
}

/// The caller's closure may read other files, too, say to compare. Their damage once moved the good one that was being
/// loaded into quarantine.
#[test]
fn damage_of_another_run_sets_nothing_of_this_run_aside() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    let saved = save(&run, b"1");
    let elsewhere: Arc<dyn Storage> = Arc::new(Memory::new());
    let other = create(&elsewhere, options());
    save(&other, b"not");
    let damaged = save(&other, b"damaged");
    flip(&elsewhere, &damaged.file_name, PAYLOAD);
    let damaged = other.reader().open_checkpoint(&damaged.file_name).unwrap();
    let loaded = run.load_with(&Selector::Latest, |_| damaged.read("state"));
    assert!(matches!(&loaded, Err(Error::Damaged { .. })), "{loaded:?}");
    assert!(storage.open(&saved.file_name, Access::Read).is_ok(), "an intact checkpoint was set aside");
}

/// Two processes of one attempt start at once; the other one begins the epoch, and ends, just before this one would.
#[test]
fn whoever_joins_an_epoch_may_find_it_begun_meanwhile() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    drop(create(&storage, options()));
    let (base, faster) = (Arc::clone(&storage), AtomicBool::new(true));
    let hooked = Hooked::over(&storage, move |operation, path| {
        if (operation, path) == ("try_lock", ".mutate") && faster.swap(false, Ordering::SeqCst) {
            drop(Run::open_on(Arc::clone(&base), "run", options().epoch(Epoch::Join(7))).unwrap());
        }
        Ok(())
    });
    let joined = Run::open_on(hooked, "run", options().epoch(Epoch::Join(7))).unwrap();
    assert_eq!(joined.epoch(), 7);
}

/// A takeover needs a little room for its marker. If there is none it fails, and then it must not have taken the lock file
/// away already: nobody would be left who may write.
#[test]
fn a_takeover_that_fails_on_a_full_disk_leaves_the_writer_its_right_to_write() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    save(&run, b"1");
    let full = Hooked::over(&storage, |operation, path| match operation {
        "create" if path.starts_with(".epoch") || path.starts_with(".staging") => {
            Err(io::ErrorKind::StorageFull.into())
        }
        _ => Ok(()),
    });
    assert!(matches!(begin(&full, 5), Err(Error::NoSpace { .. })));
    assert_eq!(save(&run, b"2").sequence, 2);
}

/// Who takes the mutation lock from a stopped publisher may be a moment late, and then it is a deleter's. It looks before
/// each file, so it stops.
#[test]
fn a_deleter_whose_lock_was_taken_away_deletes_nothing_more() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    drop(create(&storage, options()));
    let base = Arc::clone(&storage);
    let hooked = Hooked::over(&storage, move |operation, path| {
        if operation == "open" && path == "00000002.pin" {
            base.unlink(".mutate")?;
        }
        Ok(())
    });
    let run = Run::open_on(hooked, "run", options()).unwrap();
    let mut victims: Vec<Deletion> = (0..3)
        .map(|_| Deletion { file_name: save(&run, b"state").file_name, reason: "a test".into() })
        .collect();
    victims.pop();
    assert!(matches!(run.delete(&victims), Err(Error::Locked { .. })));
    let left: Vec<u64> = run.reader().list().unwrap().iter().map(|entry| entry.sequence).collect();
    assert_eq!(left, [2, 3], "the first was deleted under the lock, the second was not touched");
}

/// The note in the mutation lock says whether it may be taken from its holder: from one that publishes, yes; from one that
/// deletes, no. On a full disk a deleter could not write its note, the publisher's before it stood on, and so the deleter
/// was robbed of the lock and went on deleting in the new epoch.
#[test]
fn a_deleter_that_could_not_write_its_note_is_not_taken_for_a_publisher() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let full = Arc::new(AtomicBool::new(false));
    let takeover = Arc::new(Mutex::new(None));
    let hooked = {
        let (base, full, takeover) = (Arc::clone(&storage), Arc::clone(&full), Arc::clone(&takeover));
        Hooked::over(&storage, move |operation, text| match operation {
            "note" if !text.is_empty() && full.load(Ordering::SeqCst) => {
                Err(io::ErrorKind::StorageFull.into())
            }
            // The deleter stands still between its last check and the deed.
            "unlink" if text.ends_with(".ckpt") => {
                *takeover.lock().unwrap() = Some(begin(&base, 5).map(drop));
                Ok(())
            }
            _ => Ok(()),
        })
    };
    let run = create(&hooked, options());
    let first = save(&run, b"1").file_name;
    save(&run, b"2");
    full.store(true, Ordering::SeqCst);
    run.delete(&[Deletion { file_name: first, reason: "a test".into() }]).unwrap();
    let takeover = takeover.lock().unwrap().take();
    assert!(matches!(takeover, Some(Err(Error::Locked { .. }))), "{takeover:?}");
}

#[test]
fn a_fenced_handle_loads_but_pins_logs_and_sets_aside_nothing() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let fenced = create(&storage, options());
    save(&fenced, b"1");
    flip(&storage, &save(&fenced, b"2").file_name, PAYLOAD);
    let owner = begin(&storage, 5).unwrap();
    let before = owner.reader().log().unwrap();
    assert!(matches!(fenced.pin(1, None), Err(Error::Fenced { by: Some(5), .. })));
    assert!(matches!(fenced.unpin(1), Err(Error::Fenced { by: Some(5), .. })));
    let loaded = fenced.load(&Selector::Latest).unwrap();
    assert_eq!((loaded.entry.sequence, loaded.skipped.len()), (1, 1));
    assert_eq!(loaded.skipped[0].set_aside, None);
    let saved = fenced.save(Metadata::default(), vec![Section::raw("state", b"3")]);
    assert!(matches!(saved, Err(Error::Fenced { by: Some(5), .. })));
    assert_eq!(owner.reader().log().unwrap(), before);
    assert!(!owner.reader().list().unwrap()[0].pinned);
}
