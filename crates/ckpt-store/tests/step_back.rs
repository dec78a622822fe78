//! Damage is found before anything is decoded, said, set aside by the writer, and stepped over only by `latest`.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::fs;
use std::path::{Path, PathBuf};

use ckpt_format::{Event, Metadata, Position, Selector, State, Timestamp};
use ckpt_store::{Error, LogEvent, LogLine, Run, RunOptions, RunReader, Section};

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

struct Fixture {
    _root: tempfile::TempDir,
    path: PathBuf,
}

impl Fixture {
    /// A run with as many checkpoints, of which each holds its number.
    fn with(count: u8) -> (Self, Run) {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tests/run");
        let kind = "tests".parse().unwrap();
        let run = Run::create(&path, &kind, &"run".parse().unwrap(), RunOptions::new(clock)).unwrap();
        for number in 1..=count {
            let metadata =
                Metadata::default().because(Event::Periodic, "a test").at(Position::at(number.into()));
            run.save(metadata, vec![Section::raw("state", &[number; 10])]).unwrap();
        }
        (Self { _root: root, path }, run)
    }

    fn open(&self) -> Run {
        Run::open(&self.path, RunOptions::new(clock)).unwrap()
    }

    fn file(&self, sequence: u64) -> PathBuf {
        let reader = RunReader::open(&self.path).unwrap();
        let entry = reader.list().unwrap().into_iter().find(|entry| entry.sequence == sequence).unwrap();
        self.path.join(entry.file_name)
    }

    /// Flips a bit of the payload.
    fn damage(&self, sequence: u64) {
        flip(&self.file(sequence), 4_096);
    }
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

fn states(reader: &RunReader) -> Vec<(u64, State)> {
    reader.list().unwrap().iter().map(|entry| (entry.sequence, entry.state)).collect()
}

#[test]
fn latest_steps_back_over_damage_and_the_writer_sets_it_aside() {
    let (fixture, run) = Fixture::with(4);
    fixture.damage(4);
    flip(&fixture.file(3), 70);
    let loaded = run.load(&Selector::Latest).unwrap();
    assert_eq!((loaded.entry.sequence, loaded.value.bytes("state").unwrap()), (2, &[2; 10][..]));
    assert_eq!(loaded.why, "it is the newest good one; 2 newer were skipped");
    let reasons: Vec<(u64, &str)> = loaded.skipped.iter().map(|s| (s.sequence, s.reason.as_str())).collect();
    assert_eq!(
        reasons,
        [
            (4, "damaged: section \"state\", block 0: its digest does not match"),
            (3, "damaged: the metadata: its check does not match"),
        ]
    );
    for skipped in &loaded.skipped {
        let aside = skipped.set_aside.as_ref().unwrap();
        assert!(fixture.path.join(aside).is_file(), "{aside}");
    }
    assert_eq!(states(run.reader()), [(1, State::Committed), (2, State::Committed)]);
    let told = run.reader().log().unwrap().into_iter().filter(
        |line| matches!(line, LogLine::Good(entry) if matches!(entry.event, LogEvent::SteppedBack { .. })),
    );
    assert_eq!(told.count(), 2);
    // The numbers of what was set aside are not used again, by this writer or the next.
    drop(run);
    assert_eq!(fixture.open().save(Metadata::default(), Vec::new()).unwrap().sequence, 5);
}

#[test]
fn a_reader_skips_damage_and_touches_nothing() {
    let (fixture, run) = Fixture::with(2);
    drop(run);
    fixture.damage(2);
    let before = tree(&fixture.path);
    let reader = RunReader::open(&fixture.path).unwrap();
    let loaded = reader.load(&Selector::Latest).unwrap();
    assert_eq!((loaded.entry.sequence, loaded.skipped[0].set_aside.as_ref()), (1, None));
    assert_eq!(states(&reader), [(1, State::Committed), (2, State::Committed)], "a listing reads no payload");
    let verified = reader.verify(None).unwrap();
    assert_eq!(verified[1].state, State::Damaged);
    assert_eq!((verified[1].section.as_deref(), verified[1].block), (Some("state"), Some(0)));
    assert_eq!(tree(&fixture.path), before);
}

fn tree(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.push((path.clone(), Vec::new()));
            files.extend(tree(&path));
        } else {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn any_other_selector_that_hits_damage_fails() {
    let (fixture, run) = Fixture::with(3);
    fixture.damage(3);
    for selector in ["seq:3", "step:3", "step<=9", "event:periodic"] {
        let error = run.load(&selector.parse().unwrap()).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{selector}: {error}");
    }
    assert_eq!(run.load(&"seq:2".parse().unwrap()).unwrap().entry.sequence, 2);
    assert!(fixture.file(3).is_file(), "nothing was moved");
}

/// Nobody knows whether it would have been meant; so it is said.
#[test]
fn what_cannot_be_read_is_reported_by_the_selectors_that_look_inside() {
    let (fixture, run) = Fixture::with(3);
    flip(&fixture.file(3), 70);
    let loaded = run.load(&"step<=9".parse().unwrap()).unwrap();
    assert_eq!((loaded.entry.sequence, loaded.skipped.len()), (2, 1));
    assert!(loaded.skipped[0].reason.contains("could not be considered"), "{:?}", loaded.skipped);
    assert!(run.load(&"seq:2".parse().unwrap()).unwrap().skipped.is_empty());
}

#[test]
fn a_run_of_damage_only_is_not_an_empty_run() {
    let (fixture, run) = Fixture::with(2);
    fixture.damage(1);
    fixture.damage(2);
    let error = run.load(&Selector::Latest).unwrap_err();
    assert!(matches!(&error, Error::NothingGood { skipped } if skipped.len() == 2), "{error}");
    let (_fixture, empty) = Fixture::with(0);
    assert!(matches!(empty.load(&Selector::Latest), Err(Error::NotFound { .. })));
}

#[test]
fn what_is_newer_than_the_program_stops_the_load_and_is_left_alone() {
    let (fixture, run) = Fixture::with(2);
    let file = fixture.file(2);
    let mut bytes = fs::read(&file).unwrap();
    bytes[8] = 9;
    let check = ckpt_format::Digest::of(&bytes[..48]);
    bytes[48..64].copy_from_slice(&check.as_bytes()[..16]);
    fs::write(&file, &bytes).unwrap();
    let error = run.load(&Selector::Latest).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    assert_eq!(states(run.reader())[1].1, State::Unsupported);
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn renamed_copied_and_foreign_files_are_reported_and_never_latest() {
    let (fixture, run) = Fixture::with(2);
    let (other, other_run) = Fixture::with(9);
    drop(other_run);
    fs::copy(fixture.file(1), fixture.path.join("00000007_renamed.ckpt")).unwrap();
    fs::copy(other.file(9), fixture.path.join("00000009.ckpt")).unwrap();
    fs::copy(fixture.file(1), fixture.path.join("00000001_copy.ckpt")).unwrap();
    fs::write(fixture.path.join("notes.txt"), "mine").unwrap();
    let found: Vec<(u64, State)> = states(run.reader());
    assert_eq!(
        found,
        [
            (1, State::Duplicate),
            (1, State::Duplicate),
            (2, State::Committed),
            (7, State::Foreign),
            (9, State::Foreign),
        ]
    );
    let loaded = run.load(&Selector::Latest).unwrap();
    assert_eq!((loaded.entry.sequence, loaded.skipped.len()), (2, 2));
    assert!(loaded.skipped[0].reason.contains("belongs to the run tests/run"), "{:?}", loaded.skipped);
    assert!(loaded.skipped[1].reason.contains("was renamed"), "{:?}", loaded.skipped);
    assert_eq!(run.reader().unknown_names().unwrap(), ["notes.txt"]);
    assert_eq!(
        run.save(Metadata::default(), Vec::new()).unwrap().sequence,
        3,
        "numbers go on from when it was opened"
    );
}

#[test]
fn a_read_only_opening_creates_nothing() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a/b");
    assert!(matches!(RunReader::open(&path), Err(Error::RunNotFound { .. })));
    assert!(matches!(Run::open(&path, RunOptions::new(clock)), Err(Error::RunNotFound { .. })));
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn an_unknown_run_names_those_nearby() {
    let (fixture, run) = Fixture::with(0);
    drop(run);
    let error = RunReader::open(fixture.path.with_file_name("rum")).unwrap_err().to_string();
    assert!(error.contains("tests/run"), "{error}");
}

#[test]
fn a_torn_line_of_the_log_is_cut_and_the_rest_is_read() {
    let (fixture, run) = Fixture::with(2);
    drop(run);
    let log = fixture.path.join("log.jsonl");
    let mut text = fs::read_to_string(&log).unwrap();
    let lines = text.lines().count();
    text.push_str("{\"sum\":\"0123");
    fs::write(&log, &text).unwrap();
    let run = fixture.open();
    let lines_now = run.reader().log().unwrap();
    assert_eq!(lines_now.len(), lines + 1, "the opening was added, the torn line is gone");
    assert!(lines_now.iter().all(|line| matches!(line, LogLine::Good(_))));
    assert_eq!(run.take_notices(), Vec::<String>::new());
}
