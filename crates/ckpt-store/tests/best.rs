//! The best of each metric travels in every checkpoint's metadata.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use ckpt_format::{Direction, Metadata, Metrics, Timestamp};
use ckpt_store::{Checkpoint, Run, RunOptions, Section};

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn run(root: &std::path::Path, name: &str) -> Run {
    let kind = "tests".parse().unwrap();
    Run::create(root.join(name), &kind, &name.parse().unwrap(), RunOptions::new(clock)).unwrap()
}

fn losing(values: &[f64]) -> Vec<Metadata> {
    let metadata = |loss: &f64| {
        let mut metadata = Metadata::default();
        metadata.metrics.set("loss", *loss);
        metadata
    };
    values.iter().map(metadata).collect()
}

fn best_of(run: &Run) -> Vec<Option<(f64, u64)>> {
    let entries = run.reader().list().unwrap();
    let best = entries.iter().map(|entry| entry.metadata().unwrap().metrics.best("loss").copied());
    best.map(|best| best.map(|best| (best.value, best.sequence))).collect()
}

fn falling() -> Metrics {
    let mut metrics = Metrics::default();
    metrics.declare("loss", Direction::Min);
    metrics
}

#[test]
fn each_checkpoint_knows_the_best_so_far_itself_included() {
    let root = tempfile::tempdir().unwrap();
    let run = run(root.path(), "one");
    run.carry(falling());
    for metadata in losing(&[3.0, f64::NAN, 2.0, 2.5, f64::NEG_INFINITY]) {
        run.save(metadata, vec![Section::raw("state", &[1])]).unwrap();
    }
    let best = best_of(&run);
    assert_eq!(best[..4], [Some((3.0, 1)), Some((3.0, 1)), Some((2.0, 3)), Some((2.0, 3))]);
}

#[test]
fn without_a_direction_nobody_knows_what_is_best() {
    let root = tempfile::tempdir().unwrap();
    let run = run(root.path(), "one");
    for metadata in losing(&[3.0, 2.0]) {
        run.save(metadata, vec![Section::raw("state", &[1])]).unwrap();
    }
    assert_eq!(best_of(&run), [None, None]);
}

#[test]
fn what_was_best_in_another_run_is_not_best_here() {
    let root = tempfile::tempdir().unwrap();
    let (from, to) = (run(root.path(), "from"), run(root.path(), "to"));
    from.carry(falling());
    for metadata in losing(&[9.0, 8.0, 1.0, 7.0]) {
        from.save(metadata, vec![Section::raw("state", &[1])]).unwrap();
    }
    let entry = from.reader().list().unwrap().pop().unwrap();
    let checkpoint = Checkpoint::open_file(from.path().join(&entry.file_name)).unwrap();
    to.import(&checkpoint, false).unwrap();
    assert_eq!(best_of(&to), [Some((7.0, 1))], "its sequence 3 is not there");
}
