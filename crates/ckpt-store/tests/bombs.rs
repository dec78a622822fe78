//! What declares more than it holds is an answer: in bounded memory, in bounded time, with every digest right.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ckpt_format::{
    Codec, EncodedSection, FirstVersion, Metadata, MigrateError, Selector, State, Stored as StoredType,
    Timestamp, json,
};
use ckpt_store::storage::{Memory, Storage};
use ckpt_store::{Error, LogLine, Run, RunOptions, RunReader, Section};
use rustix::process::{Resource, Rlimit, setrlimit};

use self::bomb::Bomb;
use self::child::Child;
use self::put::put;
use self::scene::{create, save};

#[path = "rig/bomb.rs"]
mod bomb;
#[path = "rig/child.rs"]
#[expect(dead_code, reason = "nothing is signalled here")]
mod child;
#[path = "../../ckpt-format/tests/rig/forge.rs"]
mod forge;
#[path = "rig/put.rs"]
mod put;
#[path = "rig/scene.rs"]
#[expect(dead_code, reason = "no bit is flipped here")]
mod scene;

/// What a bomb may take: room to work in, and itself once more.
const MEMORY_KIB: u64 = 64 << 10;
/// What metadata may take: at its limit of 4 MiB it may be two million values, each many times as long as its text.
const METADATA_KIB: u64 = (64 * 4 + 32) << 10;
/// Room for addresses that a child has: stacks and arenas of threads, and what may be tried and refused.
const ADDRESSES: u64 = 768 << 20;
/// What one bomb may take. Most take a millisecond.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the child says of a bomb that was an answer.
const DONE: &str = "done";
const NAME: &str = "00000002.ckpt";

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn options() -> RunOptions {
    RunOptions { reserve: false, ..RunOptions::new(clock) }
}

#[test]
fn every_bomb_is_an_answer_in_bounded_time_and_memory() {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (status, reports) = Child::spawn("child_that_meets_bombs", root.path(), &[]).end();
    let last = reports.last().cloned().unwrap_or_default();
    assert!(status.success() && last == "all", "{status}, its last words were: {last}");
    let (done, rest): (Vec<&String>, Vec<&String>) = reports
        .iter()
        .filter(|report| !report.starts_with("meets ") && *report != "all")
        .partition(|report| report.starts_with(DONE));
    assert!(rest.is_empty(), "{rest:#?}");
    // The peaks, for who looks: `--nocapture`.
    for report in &done {
        let _ = writeln!(std::io::stderr(), "{report}");
    }
    assert!(done.len() >= 100, "{} bombs were met", done.len());
}

/// In a process of its own, under a limit: who allocates what a bomb asks for ends here.
#[test]
fn child_that_meets_bombs() {
    let Some(directory) = child::directory() else { return };
    let now = kib("VmSize:") << 10;
    setrlimit(Resource::As, Rlimit { current: Some(now + ADDRESSES), maximum: None }).unwrap();
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    save(&run, b"the one before");
    let run_id = run.reader().identity().run_id.clone();
    for Bomb { name, file, state } in bomb::all(&run_id) {
        put(&storage, NAME, &file);
        met(&name, || meet(run.reader(), state));
    }
    storage.unlink(NAME).unwrap();
    for (name, bytes) in texts() {
        met(name, || refuse_text(&bytes));
    }
    for (name, file_name) in names() {
        met(name, || meet_name(&file_name));
    }
    for (name, log) in logs() {
        met(name, || meet_log(&log));
    }
    for (name, bytes) in identities() {
        met(name, || meet_identity(&bytes));
    }
    for (name, path, length, end) in SPARSE {
        let directory = directory.join(name.replace(' ', "_"));
        met(name, || meet_sparse(&directory, path, length, end));
    }
    child::report("all");
}

/// Does it, and reports how it went. One that goes wrong does not hide the next; one that ends the process is named by the
/// last report.
fn met(name: &str, meet: impl FnOnce()) {
    child::report(&format!("meets {name}"));
    // The peak is that since this was written: see proc(5).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, started) = (kib("VmRSS:"), Instant::now());
    let answered = catch_unwind(AssertUnwindSafe(meet)).is_ok();
    let (grown, took) = (kib("VmHWM:").saturating_sub(before), started.elapsed());
    let most = if name.starts_with("metadata") { METADATA_KIB } else { MEMORY_KIB };
    let word = if answered && grown <= most && took <= PATIENCE { DONE } else { "FAILED" };
    child::report(&format!("{word} {name}: {grown} KiB, {} ms", took.as_millis()));
}

/// A file as the newest checkpoint: listed, verified, opened, streamed, loaded.
fn meet(reader: &RunReader, state: State) {
    let listed = reader.list().unwrap().last().unwrap().clone();
    assert!(
        listed.state == state || listed.state == State::Committed,
        "{:?}: {:?}",
        listed.state,
        listed.reason
    );
    let verified = reader.verify(Some(&Selector::Sequence(2))).unwrap().remove(0);
    assert_eq!(verified.state, state, "{:?}", verified.reason);
    assert!(verified.reason.is_none_or(|reason| reason.len() < 4_096), "an endless message");
    if let Ok(checkpoint) = reader.open_checkpoint(NAME) {
        let names: Vec<String> =
            checkpoint.sections().into_iter().flatten().map(|section| section.name.clone()).collect();
        for name in names {
            let _ = checkpoint.copy_to(&name, &mut std::io::sink());
        }
    }
    match (state, reader.load(&Selector::Latest)) {
        (State::Committed, Ok(loaded)) => assert_eq!(loaded.entry.sequence, 2),
        // Good, and more than fits.
        (State::Committed, Err(Error::Invalid { reason })) => {
            assert!(reason.contains("more than fit in memory"), "{reason}");
        }
        (State::Damaged, Ok(loaded)) => assert_eq!((loaded.entry.sequence, loaded.skipped.len()), (1, 1)),
        (State::Unsupported, Err(Error::Unsupported { .. } | Error::Incompatible { .. })) => {}
        (state, loaded) => {
            panic!("{state}, and loading says {:?}", loaded.map(|loaded| loaded.entry.sequence))
        }
    }
}

/// Sections of which only their reader will find out.
fn texts() -> Vec<(&'static str, EncodedSection)> {
    let section = |codec, bytes: Vec<u8>| {
        let kind = if codec == Codec::Bincode { "many" } else { "" };
        let version = u32::from(codec == Codec::Bincode);
        EncodedSection { name: "state".into(), kind: kind.into(), version, codec, bytes }
    };
    let text = |text: String| section(Codec::Json, text.into_bytes());
    let most = |length: u64| section(Codec::Bincode, [&length.to_le_bytes()[..], &[0; 64]].concat());
    const DEEP: usize = 100_000;
    vec![
        ("JSON: arrays 100,000 deep", text("[".repeat(DEEP) + &"]".repeat(DEEP))),
        ("JSON: objects 100,000 deep", text("{\"a\":".repeat(DEEP) + "1" + &"}".repeat(DEEP))),
        ("JSON: a number of 16 MB that is none", text("9".repeat(16 << 20) + "x")),
        ("JSON: a number beyond f64", text("1e99999".to_owned())),
        ("JSON: a text without end", text("\"".to_owned() + &"x".repeat(16 << 20))),
        ("JSON: a mark that is none", text("\"~f64:7ff0\"".to_owned())),
        ("bincode: 2^64 numbers", most(u64::MAX)),
        ("bincode: 2^60 numbers", most(1 << 60)),
        ("bincode: 2^32 numbers", most(1 << 32)),
        ("bincode: nine numbers of eight", most(9)),
    ]
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Many(Vec<u64>);

impl StoredType for Many {
    const KIND: &'static str = "many";
    const VERSION: u32 = 1;
    const CODEC: Codec = Codec::Bincode;
    type Previous = FirstVersion;
    fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
        match previous {}
    }
}

fn refuse_text(section: &EncodedSection) {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    run.save(Metadata::default(), vec![Section::encoded(section.clone())]).unwrap();
    let section = run.load_section(&Selector::Latest, "state").unwrap().value;
    if section.codec == Codec::Bincode {
        section.load::<Many>().unwrap_err();
    } else {
        json::from_slice::<serde_json::Value>(&section.bytes).unwrap_err();
    }
}

/// Names of files that are there, whatever they hold.
fn names() -> Vec<(&'static str, String)> {
    let long = |front: &str, end: &str| format!("{front}{}{end}", "x".repeat(255 - front.len() - end.len()));
    vec![
        ("a checkpoint's name of 255 bytes", long("00000002_", ".ckpt")),
        ("a pin's name of 255 bytes", long("", ".pin")),
        ("a pin of 251 digits", format!("{}.pin", "9".repeat(251))),
        ("an epoch of 246 digits", format!("e{}-00000001.ckpt", "9".repeat(240))),
        ("a marker of 240 digits", format!(".epoch-{}", "9".repeat(240))),
        ("a log of the highest number", format!("log.{}.jsonl", u64::MAX)),
        ("a log of 240 digits", format!("log.{}.jsonl", "9".repeat(240))),
        ("a staged file of the highest number", format!(".staging/{0}-{0}-x.part", u64::MAX)),
        ("a name in quarantine of 255 bytes", long(".quarantine/", "")),
    ]
}

fn meet_name(file_name: &str) {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    let run = create(&storage, options());
    save(&run, b"1");
    drop(run);
    let _ = storage.create_dir(".staging");
    let _ = storage.create_dir(".quarantine");
    put(&storage, file_name, b"");
    let run = Run::open_on(Arc::clone(&storage), "run", options()).unwrap();
    let _ = run.reader().list().unwrap();
    let _ = run.reader().unknown_names().unwrap();
    let _ = run.reader().log().unwrap();
    match run.save(Metadata::default(), vec![Section::raw("state", b"2")]) {
        Ok(saved) => assert_eq!(run.load(&Selector::Latest).unwrap().entry.sequence, saved.sequence),
        Err(Error::Invalid { reason }) => assert!(reason.contains("highest sequence"), "{reason}"),
        Err(error) => panic!("{error}"),
    }
}

fn logs() -> Vec<(&'static str, Vec<u8>)> {
    let sealed = |entry: String| {
        let sum = blake3::hash(entry.as_bytes()).to_hex();
        format!("{{\"sum\":\"{}\",\"entry\":{entry}}}\n", &sum[..16]).into_bytes()
    };
    const DEEP: usize = 100_000;
    vec![
        ("a log line of 8 MiB", [vec![b'x'; 8 << 20], b"\n".to_vec()].concat()),
        ("a log line without end", vec![b'x'; 8 << 20]),
        ("a log of lines without anything", vec![b'\n'; 1 << 20]),
        ("a log that is no text", vec![0xFF; 4 << 20]),
        ("a log entry 100,000 deep", sealed("[".repeat(DEEP) + &"]".repeat(DEEP))),
        ("a log entry of one number", sealed("9".repeat(1 << 20))),
        (
            "a log entry with deep fields",
            sealed(format!("{{\"event\":{}1{}}}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP))),
        ),
        (
            "a log that says the highest number",
            sealed(format!(
                r#"{{"at":"2026-01-02T03:04:05.678Z","by":{{"host":"h","pid":1,"boot_id":"b"}},"event":"opened","epoch":0,"swept":[],"highest_sequence":{}}}"#,
                u64::MAX
            )),
        ),
    ]
}

fn meet_log(log: &[u8]) {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    drop(create(&storage, options()));
    put(&storage, "log.jsonl", log);
    let _ = RunReader::on(Arc::clone(&storage), "run").unwrap().log().unwrap();
    let run = Run::open_on(Arc::clone(&storage), "run", options()).unwrap();
    match run.save(Metadata::default(), vec![Section::raw("state", b"2")]) {
        Ok(_) => {}
        Err(Error::Invalid { reason }) => assert!(reason.contains("highest sequence"), "{reason}"),
        Err(error) => panic!("{error}"),
    }
    assert!(matches!(run.reader().log().unwrap().last(), Some(LogLine::Good(_))));
}

fn identities() -> Vec<(&'static str, Vec<u8>)> {
    const DEEP: usize = 10_000;
    vec![
        ("run.json of 8 MiB", vec![b' '; 8 << 20]),
        ("run.json 10,000 deep", ("[".repeat(DEEP) + &"]".repeat(DEEP)).into_bytes()),
        (
            "run.json with a deep field",
            format!("{{\"x\":{}{}}}", "[".repeat(DEEP), "]".repeat(DEEP)).into_bytes(),
        ),
        ("run.json of the highest layout", br#"{"layout":4294967295}"#.to_vec()),
        ("run.json of a layout beyond that", br#"{"layout":1e300}"#.to_vec()),
        ("run.json without anything", Vec::new()),
    ]
}

fn meet_identity(bytes: &[u8]) {
    let storage: Arc<dyn Storage> = Arc::new(Memory::new());
    drop(create(&storage, options()));
    put(&storage, "run.json", bytes);
    for error in [
        RunReader::on(Arc::clone(&storage), "run").map(drop).unwrap_err(),
        Run::open_on(storage, "run", options()).map(drop).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Invalid { .. } | Error::Incompatible { .. }), "{error}");
        assert!(error.to_string().len() < 4_096, "an endless message");
    }
}

/// Files without content that cost their maker nothing: name of the bomb, path, length, last byte.
const SPARSE: [(&str, &str, u64, u8); 6] = [
    ("a log of 8 TiB with an end", "log.jsonl", 8 << 40, b'\n'),
    ("a log of 8 TiB without one", "log.jsonl", 8 << 40, 0),
    ("an older log of 8 TiB", "log.000001.jsonl", 8 << 40, b'\n'),
    ("run.json of 8 TiB", "run.json", 8 << 40, b' '),
    ("a checkpoint of 8 TiB", "00000002.ckpt", 8 << 40, 0),
    ("a pin of 8 TiB", "00000001.pin", 8 << 40, 0),
];

fn meet_sparse(directory: &Path, path: &str, length: u64, end: u8) {
    let (kind, name) = ("tests".parse().unwrap(), "run".parse().unwrap());
    let run = Run::create(directory, &kind, &name, options()).unwrap();
    let saved = save(&run, b"1");
    drop(run);
    let file =
        fs::File::options().write(true).create(true).truncate(false).open(directory.join(path)).unwrap();
    file.set_len(length).unwrap();
    file.write_all_at(&[end], length - 1).unwrap();
    if path == "run.json" {
        assert!(matches!(Run::open(directory, options()), Err(Error::Invalid { .. })));
        return;
    }
    if let Err(error) = RunReader::open(directory).unwrap().log() {
        assert!(path.starts_with("log") && matches!(error, Error::Invalid { .. }), "{error}");
    }
    let run = Run::open(directory, options()).unwrap();
    let next = save(&run, b"2");
    assert!(next.sequence > saved.sequence);
    assert_eq!(run.load(&Selector::Latest).unwrap().entry.sequence, next.sequence);
}

/// A line of this process's status, in KiB.
fn kib(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
