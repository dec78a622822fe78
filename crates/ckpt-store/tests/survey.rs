//! What lies beside the checkpoints of a run, looked at and left as it is.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use ckpt_format::{Metadata, Selector, Timestamp};
use ckpt_store::{Epoch, Error, Run, RunOptions, Section, Stops, Survey, may_write_in};

fn options() -> RunOptions {
    RunOptions::new(|| Timestamp::from_millis(1_763_210_096_789))
}

/// A run with two checkpoints, and the files of both.
fn run(root: &Path) -> (PathBuf, Run, Vec<PathBuf>) {
    let path = root.join("training/demo");
    let run = Run::create(&path, &"training".parse().unwrap(), &"demo".parse().unwrap(), options()).unwrap();
    let mut files = Vec::new();
    for content in [1_u8, 2] {
        let saved = run.save(Metadata::default(), vec![Section::raw("w", &[content; 9_000])]).unwrap();
        files.push(path.join(saved.file_name));
    }
    (path, run, files)
}

#[test]
fn a_lock_is_seen_while_it_is_held_and_its_holder_named_afterwards() {
    let root = tempfile::tempdir().unwrap();
    let (path, run, _) = run(root.path());
    let survey = Survey::of(&path).unwrap();
    assert_eq!((survey.writer.is_held, survey.writer.pid), (Some(true), Some(std::process::id())));
    assert_eq!((survey.mutation.is_held, survey.writer.is_stopped), (Some(false), false));
    // Looking takes no lock: the next change of this writer does not wait.
    run.save(Metadata::default(), vec![Section::raw("w", &[3])]).unwrap();
    drop(run);
    let writer = Survey::of(&path).unwrap().writer;
    let holder = writer.holder.unwrap();
    assert_eq!((writer.is_held, holder.pid, holder.is_here), (Some(false), std::process::id(), true));
    drop(Run::open(&path, options().epoch(Epoch::Begin(7))).unwrap());
    assert_eq!(Survey::of(&path).unwrap().epoch, 7);
}

/// The system's table moved while it was read bit by bit, and a run that was being written looked abandoned.
#[test]
fn a_lock_is_seen_also_while_others_come_and_go() {
    let root = tempfile::tempdir().unwrap();
    let (path, _run, _) = run(root.path());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (name, is_over) = (root.path().join(format!("other-{number}")), &is_over);
            scope.spawn(move || {
                let file = fs::File::create(name).unwrap();
                while !is_over.load(Ordering::Relaxed) {
                    file.lock().unwrap();
                    file.unlock().unwrap();
                }
            });
        }
        let unseen = (0..500).filter(|_| Survey::of(&path).unwrap().writer.is_held != Some(true)).count();
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(unseen, 0, "of 500 looks");
    });
}

#[test]
fn what_is_unfinished_and_what_was_set_aside_is_listed() {
    let root = tempfile::tempdir().unwrap();
    let (path, run, files) = run(root.path());
    let mut bytes = fs::read(&files[1]).unwrap();
    bytes[4_100] ^= 1;
    fs::write(&files[1], bytes).unwrap();
    drop(run);
    let run = Run::open(&path, options()).unwrap();
    run.load(&Selector::Latest).unwrap();
    for name in ["000000-00000009-0a1b.part", "small-0a1b.part", "notes.txt"] {
        fs::write(path.join(".staging").join(name), "12345").unwrap();
    }
    let survey = Survey::of(&path).unwrap();
    let staged: Vec<_> =
        survey.staged.iter().map(|file| (&*file.name, file.order, file.bytes, file.is_swept)).collect();
    let expected = [
        ("000000-00000009-0a1b.part", Some((0, 9)), 5, true),
        ("notes.txt", None, 5, false),
        ("small-0a1b.part", None, 5, true),
    ];
    assert_eq!(staged, expected);
    let original = survey.set_aside[0].original.clone().unwrap();
    assert_eq!(Some(original.0.as_str()), files[1].file_name().and_then(|name| name.to_str()));
    assert_eq!(original.1, Timestamp::from_millis(1_763_210_096_789));
    assert!(survey.space.unwrap().total > 0);
}

#[test]
fn what_stands_in_the_way_is_named_with_what_it_stops() {
    let root = tempfile::tempdir().unwrap();
    let (path, run, _) = run(root.path());
    drop(run);
    fs::remove_file(path.join(".mutate")).unwrap();
    std::os::unix::fs::symlink("elsewhere", path.join(".mutate")).unwrap();
    fs::remove_file(path.join("run.json")).unwrap();
    fs::create_dir(path.join("run.json")).unwrap();
    let obstacles = Survey::of(&path).unwrap().obstacles;
    let named: Vec<_> = obstacles.iter().map(|obstacle| (&*obstacle.name, obstacle.stops)).collect();
    assert_eq!(named, [("run.json", Stops::Reading), (".mutate", Stops::Writing)]);
    assert!(obstacles[1].reason.contains("a link"), "{obstacles:?}");
}

#[test]
fn without_a_directory_there_is_nothing_to_look_at() {
    let root = tempfile::tempdir().unwrap();
    assert!(matches!(Survey::of(root.path().join("none")), Err(Error::RunNotFound { .. })));
    fs::write(root.path().join("file"), "").unwrap();
    assert!(matches!(Survey::of(root.path().join("file")), Err(Error::RunNotFound { .. })));
    may_write_in(root.path()).unwrap();
    assert!(may_write_in(root.path().join("none")).is_err());
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing was made to find out");
}
