//! What may be deleted, what must stay, and that the log said so before.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::fs;
use std::path::PathBuf;

use ckpt_format::{Event, Metadata, Selector, Timestamp, Writer};
use ckpt_store::{Deletion, Error, LogEvent, LogLine, Pins, Run, RunOptions, RunReader, Section};

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn on_boot(boot_id: &str) -> RunOptions {
    let writer = Writer { host: "here".into(), pid: 1, boot_id: boot_id.into() };
    RunOptions { writer: Some(writer), ..RunOptions::new(clock) }
}

fn run_with(count: u8) -> (tempfile::TempDir, PathBuf, Run) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("tests/run");
    let run = Run::create(&path, &"tests".parse().unwrap(), &"run".parse().unwrap(), on_boot("one")).unwrap();
    for number in 1..=count {
        let metadata = Metadata::default().because(Event::Periodic, "a test");
        run.save(metadata, vec![Section::raw("state", &[number; 10])]).unwrap();
    }
    (root, path, run)
}

fn deletions(run: &Run, sequences: &[u64]) -> Vec<Deletion> {
    let entries = run.reader().list().unwrap();
    let files = entries.iter().filter(|entry| sequences.contains(&entry.sequence));
    files.map(|entry| Deletion { file_name: entry.file_name.clone(), reason: "a test".into() }).collect()
}

fn left(run: &Run) -> Vec<u64> {
    run.reader().list().unwrap().iter().map(|entry| entry.sequence).collect()
}

#[test]
fn what_is_deleted_is_gone_and_was_logged_before() {
    let (_root, path, run) = run_with(5);
    let deleted = run.delete(&deletions(&run, &[1, 2, 4])).unwrap();
    assert_eq!((deleted.file_names.len(), deleted.freed_bytes > 3 * 4_096), (3, true));
    assert_eq!(left(&run), [3, 5]);
    let events: Vec<LogEvent> = run
        .reader()
        .log()
        .unwrap()
        .into_iter()
        .filter_map(|line| if let LogLine::Good(entry) = line { Some(entry.event) } else { None })
        .collect();
    let deleting = events.iter().position(
        |event| matches!(event, LogEvent::Deleting { victims } if victims.iter().map(|v| v.sequence).eq([1, 2, 4])),
    );
    let done = events.iter().position(|event| matches!(event, LogEvent::Deleted { count: 3, .. }));
    assert!(deleting.unwrap() < done.unwrap());
    drop(run);
    // Numbers are never used again, though nothing of that number is there any more.
    let run = Run::open(&path, on_boot("one")).unwrap();
    assert_eq!(run.save(Metadata::default(), Vec::new()).unwrap().sequence, 6);
}

#[test]
fn the_newest_good_one_and_pinned_ones_stay() {
    let (_root, path, run) = run_with(4);
    assert!(matches!(run.delete(&deletions(&run, &[4])), Err(Error::LastVerified { sequence: 4, .. })));
    assert!(matches!(run.delete(&deletions(&run, &[1, 2, 3, 4])), Err(Error::LastVerified { .. })));
    assert_eq!(left(&run), [1, 2, 3, 4], "refused as a whole");
    let pins = Pins::open(&path, &on_boot("one")).unwrap();
    assert!(pins.pin(2, Some("the paper's figure")).unwrap(), "works beside the writer");
    assert!(!pins.pin(2, None).unwrap());
    assert!(matches!(pins.pin(9, None), Err(Error::NotFound { .. })));
    assert!(matches!(run.delete(&deletions(&run, &[1, 2])), Err(Error::Pinned { sequence: 2 })));
    assert_eq!(left(&run), [1, 2, 3, 4]);
    assert!(run.unpin(2).unwrap() && !run.unpin(2).unwrap());
    run.delete(&deletions(&run, &[1, 2])).unwrap();
    assert_eq!(left(&run), [3, 4]);
}

#[test]
fn the_newest_good_one_is_found_behind_damage() {
    let (_root, path, run) = run_with(3);
    drop(run);
    let run = Run::open(&path, on_boot("one")).unwrap();
    let newest = path.join(&run.reader().list().unwrap()[2].file_name);
    let mut bytes = fs::read(&newest).unwrap();
    bytes[4_096] ^= 1;
    fs::write(&newest, bytes).unwrap();
    assert!(matches!(run.delete(&deletions(&run, &[2])), Err(Error::LastVerified { sequence: 2, .. })));
    run.delete(&deletions(&run, &[1])).unwrap();
    assert_eq!(run.load(&Selector::Latest).unwrap().entry.sequence, 2);
}

/// A save whose acknowledgement nobody recorded may be in memory only: what it replaces is not deleted, until the machine
/// has started anew and it is still there, or another save is acknowledged.
#[test]
fn nothing_is_deleted_in_reliance_on_a_save_that_nobody_confirmed() {
    let (_root, path, run) = run_with(3);
    drop(run);
    let log = path.join("log.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    let confirmed: Vec<&str> = text.lines().filter(|line| !line.contains("\"sequence\":3")).collect();
    fs::write(&log, confirmed.join("\n") + "\n").unwrap();

    let run = Run::open(&path, on_boot("one")).unwrap();
    run.delete(&deletions(&run, &[1])).unwrap();
    let error = run.delete(&deletions(&run, &[2])).unwrap_err();
    assert!(matches!(error, Error::LastVerified { sequence: 2, .. }), "{error}");
    drop(run);

    let run = Run::open(&path, on_boot("two")).unwrap();
    run.delete(&deletions(&run, &[2])).unwrap();
    assert_eq!(left(&run), [3]);
    drop(run);

    fs::remove_file(&log).unwrap();
    let other_host = RunOptions {
        writer: Some(Writer { host: "there".into(), pid: 1, boot_id: "x".into() }),
        ..RunOptions::new(clock)
    };
    let run = Run::open(&path, other_host).unwrap();
    run.save(Metadata::default(), Vec::new()).unwrap();
    run.delete(&deletions(&run, &[3])).unwrap();
    assert_eq!(left(&run), [4]);
}

/// A dry run passed on another host than the writer's, and the real one was refused.
#[test]
fn what_is_foreseen_is_what_a_deletion_then_says() {
    let (_root, path, run) = run_with(3);
    let elsewhere = RunOptions {
        writer: Some(Writer { host: "elsewhere".into(), pid: 1, boot_id: "one".into() }),
        ..RunOptions::new(clock)
    };
    let both = |run: &Run, options: &RunOptions, sequences: &[u64]| {
        let deletions = deletions(run, sequences);
        let foreseen = run.reader().check_deletions(&deletions, options).map_err(|error| error.to_string());
        let checked = run.check_deletions(&deletions).map_err(|error| error.to_string());
        assert_eq!(foreseen, checked);
        assert_eq!(run.delete(&deletions).map(drop).map_err(|error| error.to_string()), foreseen);
        foreseen
    };
    run.pin(1, None).unwrap();
    assert!(both(&run, &on_boot("one"), &[1]).unwrap_err().contains("pinned"));
    run.unpin(1).unwrap();
    assert!(both(&run, &on_boot("one"), &[3]).unwrap_err().contains("newest good one"));
    let oldest = deletions(&run, &[1]);
    drop(run);

    let log = fs::read(path.join("log.jsonl")).unwrap();
    let refused = RunReader::open(&path).unwrap().check_deletions(&oldest, &elsewhere);
    assert!(matches!(refused, Err(Error::LastVerified { sequence: 3, .. })), "{refused:?}");
    assert_eq!(fs::read(path.join("log.jsonl")).unwrap(), log, "nothing is written");

    let run = Run::open(&path, elsewhere.clone()).unwrap();
    let reason = both(&run, &elsewhere, &[1]).unwrap_err();
    assert!(reason.contains("on this host, elsewhere") && reason.contains("written on here"), "{reason}");
    assert_eq!(left(&run), [1, 2, 3]);
    run.save(Metadata::default(), Vec::new()).unwrap();
    assert_eq!(both(&run, &elsewhere, &[1]), Ok(()));
    drop(run);
    // The newest is known there alone: here the one before it has to stay, too.
    let run = Run::open(&path, on_boot("one")).unwrap();
    assert!(both(&run, &on_boot("one"), &[3]).unwrap_err().contains("newest that is known to survive"));
    assert_eq!(both(&run, &on_boot("one"), &[2]), Ok(()));
    assert_eq!(left(&run), [3, 4]);
}

#[test]
fn files_of_others_are_never_deleted() {
    let (_root, path, run) = run_with(2);
    fs::write(path.join("00000009.ckpt"), b"not a checkpoint").unwrap();
    let error = run.delete(&deletions(&run, &[9])).unwrap_err();
    assert!(error.to_string().contains("cannot be proved to be this run's"), "{error}");
    for name in ["notes.txt", "../run.json", "log.jsonl", "run.json"] {
        let unknown = [Deletion { file_name: name.into(), reason: String::new() }];
        assert!(matches!(run.delete(&unknown), Err(Error::NotFound { .. })), "{name}");
    }
}

#[test]
fn an_import_keeps_its_origin_and_must_be_meant() {
    let (_root, path, run) = run_with(2);
    let (_other_root, _, other) = run_with(1);
    let exported = path.with_file_name("exported.ckpt");
    let mut file = fs::File::create(&exported).unwrap();
    run.reader().export(&"seq:1".parse().unwrap(), &mut file).unwrap();
    let checkpoint = ckpt_store::Checkpoint::open_file(&exported).unwrap();
    assert!(matches!(other.import(&checkpoint, false), Err(Error::Exists { .. })));
    let saved = other.import(&checkpoint, true).unwrap();
    assert_eq!(saved.sequence, 2);
    assert_eq!(saved.content_digest, checkpoint.content_digest());
    let loaded = other.load(&Selector::Latest).unwrap();
    let metadata = loaded.entry.metadata().unwrap();
    let origin = metadata.origin.as_ref().unwrap();
    assert_eq!((&origin.run_id, origin.sequence), (&run.reader().identity().run_id, 1));
    assert_eq!(metadata.run_id, other.reader().identity().run_id);
    assert_eq!(loaded.value.bytes("state").unwrap(), [1; 10]);
}

/// Only the last 64 KiB of the log were looked at for who is durable, if they held an opening: after some hundred openings without
/// a save nothing could be deleted any more, "no checkpoint is known to survive".
#[test]
fn what_was_acknowledged_long_ago_in_the_log_is_still_known() {
    let (_root, path, run) = run_with(3);
    drop(run);
    for _ in 0..500 {
        drop(Run::open(&path, on_boot("one")).unwrap());
    }
    let run = Run::open(&path, on_boot("one")).unwrap();
    assert_eq!(run.delete(&deletions(&run, &[1, 2])).unwrap().file_names.len(), 2);
}
