//! Files and arguments that nobody should have made: each is an answer, never a panic, an abort, a silent loss or a lie.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::fs;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ckpt_format::{
    Bundle, BundleMode, BundleReader, BundleWriter, EncodeError, FirstVersion, Metadata, MigrateError,
    Selector, State, Stored, Timestamp,
};
use ckpt_store::storage::{Access, Memory, Storage};
use ckpt_store::{Deletion, Error, Run, RunOptions, RunReader, Section};
use serde::{Deserialize, Serialize};

use self::scene::{PAYLOAD, create, flip, save};

#[path = "rig/scene.rs"]
mod scene;

/// Bytes of the record at the end of each checkpoint.
const RECORD: u64 = 256;

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn options() -> RunOptions {
    RunOptions::new(clock)
}

fn run_in_a_directory() -> (tempfile::TempDir, Run) {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (kind, name) = ("tests".parse().unwrap(), "run".parse().unwrap());
    let run = Run::create(root.path().join("run"), &kind, &name, options()).unwrap();
    (root, run)
}

/// The next number after the highest was 0 again, or a panic where overflows are checked.
#[test]
fn after_the_highest_number_a_save_is_refused() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    drop(create(&storage, options()));
    storage.create(&format!("{}.ckpt", u64::MAX)).unwrap().close().unwrap();
    let run = Run::open_on(Arc::clone(&storage), "run", options()).unwrap();
    let saved = run.save(Metadata::default(), vec![Section::raw("state", b"1")]);
    assert!(matches!(saved, Err(Error::Invalid { .. })), "{saved:?}");
}

/// A sparse file costs its maker nothing, its digest matches, and its section table is as long as the file: whoever merely
/// listed the directory was aborted for want of so much memory.
#[test]
fn a_table_of_terabytes_is_refused_before_it_is_read() {
    let (root, run) = run_in_a_directory();
    save(&run, b"1");
    make_a_file_that_is_all_table(&root.path().join("run/00000009.ckpt"));
    let entries = run.reader().list().unwrap();
    let states: Vec<(u64, State)> = entries.iter().map(|entry| (entry.sequence, entry.state)).collect();
    assert_eq!(states, [(1, State::Committed), (9, State::Damaged)]);
    assert_eq!(run.load(&Selector::Latest).unwrap().entry.sequence, 1);
}

/// Makes a file of 8 TiB without content, of which all but the front and the record is said to be the section table.
fn make_a_file_that_is_all_table(path: &Path) {
    const LENGTH: u64 = 8 << 40;
    let metadata = Metadata::default().encode().unwrap();
    let (_, front) = ckpt_format::front(&metadata).unwrap();
    let payload = front.len() as u64;
    let mut record = b"\x89CKPTEND".to_vec();
    for field in [LENGTH, payload, payload, payload, LENGTH - RECORD - payload] {
        record.extend_from_slice(&field.to_le_bytes());
    }
    // No blocks, no sections, no bytes; and what is reserved.
    record.extend_from_slice(&[0; 8 + 16 + 24]);
    for digested in [&metadata[..], b"", b"", b""] {
        record.extend_from_slice(blake3::hash(digested).as_bytes());
    }
    let covered = [&front[..64], &record].concat();
    record.extend_from_slice(blake3::hash(&covered).as_bytes());
    assert_eq!(record.len() as u64, RECORD);
    let file = fs::File::create(path).unwrap();
    file.set_len(LENGTH).unwrap();
    file.write_all_at(&front, 0).unwrap();
    file.write_all_at(&record, LENGTH - RECORD).unwrap();
}

/// Sweeping tried to unlink it, failed, and so the run could not be opened any more.
#[test]
fn a_directory_among_the_staged_files_does_not_keep_a_run_from_opening() {
    let (root, run) = run_in_a_directory();
    save(&run, b"1");
    drop(run);
    let path = root.path().join("run");
    fs::create_dir(path.join(".staging/000000-00000001-x.part")).unwrap();
    assert_eq!(save(&Run::open(&path, options()).unwrap(), b"2").sequence, 2);
}

/// The new run had another identity, so that the checkpoints there were none of its own: nothing could be loaded.
#[test]
fn no_run_is_made_over_checkpoints_whose_run_file_is_lost() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    let saved = save(&run, b"1").file_name;
    drop(run);
    storage.unlink("run.json").unwrap();
    let (kind, name) = ("tests".parse().unwrap(), "run".parse().unwrap());
    let created = Run::create_on(Arc::clone(&storage), "run", &kind, &name, options());
    assert!(matches!(&created, Err(Error::Exists { .. })), "{created:?}");
    assert!(storage.open("run.json", Access::Read).is_err());
    assert!(storage.open(&saved, Access::Read).is_ok());
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Volatility {
    sigma: f64,
}

impl Stored for Volatility {
    const KIND: &'static str = "volatility";
    const VERSION: u32 = 1;
    type Previous = FirstVersion;
    fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
        match previous {}
    }
}

#[derive(Debug, Default, PartialEq)]
struct Learned {
    fast: Volatility,
    slow: Volatility,
}

impl Bundle for Learned {
    fn write(&self, writer: &mut BundleWriter) -> Result<(), EncodeError> {
        writer.put("fast", &self.fast)?;
        writer.put("slow", &self.slow)
    }

    fn read(reader: &mut BundleReader<'_>) -> Self {
        Self { fast: reader.take("fast"), slow: reader.take("slow") }
    }
}

/// A lenient load takes defaults for components that are damaged. When the block table was, that were all of them: a start
/// from nothing, although the checkpoint before was whole.
#[test]
fn a_lenient_load_steps_back_when_the_block_table_is_damaged() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    let learned = |sigma| Learned { fast: Volatility { sigma }, slow: Volatility { sigma } };
    let save = |sigma| {
        let sections = learned(sigma).to_sections().unwrap().into_iter().map(Section::encoded).collect();
        run.save(Metadata::default(), sections).unwrap().file_name
    };
    save(1.0);
    let newest = save(2.0);
    flip(&storage, &newest, block_table_offset(&storage, &newest) + 40);
    let loaded = run.load_bundle::<Learned>(&Selector::Latest, BundleMode::Lenient).unwrap();
    assert_eq!((loaded.entry.sequence, &loaded.value.value), (1, &learned(1.0)));
    assert_eq!(loaded.skipped.iter().map(|skipped| skipped.sequence).collect::<Vec<_>>(), [2]);
}

/// The totals were compared when the block table was read, and who loads no section reads none: the file was loaded, listed with
/// bytes that it has not, and only verifying said that it is damaged.
#[test]
fn totals_are_compared_though_there_is_no_section() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    save(&run, b"1");
    let empty = run.save(Metadata::default(), Vec::new()).unwrap();
    assert_eq!(run.load(&Selector::Latest).unwrap().entry.sequence, 2);
    let mut file = storage.open(&empty.file_name, Access::Write).unwrap();
    let (mut front, mut record) = ([0; 64], [0; RECORD as usize]);
    file.read_at(0, &mut front).unwrap();
    file.read_at(empty.stored_bytes - RECORD, &mut record).unwrap();
    record[56] = 5;
    let digest = blake3::hash(&[&front[..], &record[..224]].concat());
    record[224..].copy_from_slice(digest.as_bytes());
    file.write_at(empty.stored_bytes - RECORD, &record).unwrap();
    assert_eq!(run.reader().list().unwrap()[1].state, State::Damaged);
    assert_eq!(run.reader().load(&Selector::Latest).unwrap().entry.sequence, 1);
}

/// A log without content costs its maker nothing and was read into memory, as a whole, by whoever opened the run or asked for
/// its log: at some terabytes that ended the process.
#[test]
fn a_log_that_is_too_long_to_be_one_is_not_read_into_memory() {
    const LENGTH: u64 = 300 << 20;
    let (root, run) = run_in_a_directory();
    save(&run, b"1");
    drop(run);
    let path = root.path().join("run");
    fs::File::options().write(true).open(path.join("log.jsonl")).unwrap().set_len(LENGTH).unwrap();
    let log = RunReader::open(&path).unwrap().log();
    assert!(matches!(&log, Err(Error::Invalid { reason }) if reason.contains("log.jsonl")), "{log:?}");
    let run = Run::open(&path, options()).unwrap();
    assert_eq!(save(&run, b"2").sequence, 2);
}

fn block_table_offset(storage: &Arc<dyn Storage>, path: &str) -> u64 {
    let file = storage.open(path, Access::Read).unwrap();
    let mut field = [0; 8];
    assert_eq!(file.read_at(file.length().unwrap() - RECORD + 24, &mut field).unwrap(), 8);
    u64::from_le_bytes(field)
}

/// Who reads on after an error was given the bytes of the damaged block.
#[test]
fn a_stream_gives_out_nothing_after_its_error() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    let saved = save(&run, &[7; 100]);
    flip(&storage, &saved.file_name, PAYLOAD);
    let checkpoint = run.reader().open_checkpoint(&saved.file_name).unwrap();
    let mut stream = checkpoint.stream("state").unwrap();
    let mut out = [0; 100];
    for _ in 0..3 {
        assert!(stream.read(&mut out).is_err());
        assert_eq!(out, [0; 100]);
    }
}

#[test]
fn whoever_waits_for_ever_may_say_so() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, RunOptions { lock_wait: Duration::MAX, ..options() });
    assert_eq!(save(&run, b"1").sequence, 1);
}

#[test]
fn a_file_that_is_named_twice_is_deleted_and_counted_once() {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    let first = save(&run, b"1");
    save(&run, b"2");
    let deletion = Deletion { file_name: first.file_name.clone(), reason: "a test".into() };
    let deleted = run.delete(&[deletion.clone(), deletion]).unwrap();
    assert_eq!((deleted.file_names, deleted.freed_bytes), (vec![first.file_name], first.stored_bytes));
}
