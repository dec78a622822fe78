//! Links, FIFOs, sockets, devices, directories, second names and unreadable files at every name of a run: each call gives
//! an answer and waits for nothing, nothing outside the run changes, and what is good still loads.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use ckpt_format::{Event, RunName, Selector, State, Timestamp};
use ckpt_store::{Checkpoint, Deletion, Epoch, Error, Pins, Run, RunOptions, RunReader, find_runs, is_run};
use rustix::fs::{CWD, FileType, Mode};

use self::content::Content;

#[path = "rig/content.rs"]
mod content;

/// Longer than all calls on one run take, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Runs at a time.
const LANES: usize = 4;
/// Tells the child that it has not the right to read whatever it likes.
const PLAIN: &str = "CKPT_TEST_WITHOUT_RIGHTS";
/// Checkpoints of the run, each of the step that is its number.
const STEPS: u64 = 3;
const NEWEST: &str = "00000003_ts-0000003_evt-periodic.ckpt";

/// Every name that a run has or may have.
const NAMES: [&str; 17] = [
    "run.json",
    "log.jsonl",
    "log.000001.jsonl",
    ".lock",
    ".mutate",
    ".reserve",
    ".staging",
    ".staging/000000-00000009-dead0000.part",
    ".staging/small-0011223344556677.part",
    ".quarantine",
    ".quarantine/000000000000001_00000008_x.ckpt",
    ".epoch-000001",
    ".blocks",
    NEWEST,
    "00000009_x.ckpt",
    "00000002.pin",
    "00000001.pin",
];

/// What may stand at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hostile {
    LinkToFile,
    LinkToDirectory,
    LinkToNothing,
    LinkToItself,
    Fifo,
    Socket,
    /// Bytes without end.
    Zeros,
    /// Takes no byte.
    Full,
    SecondName,
    Directory,
    DirectoryWithFile,
    /// What stands there otherwise, and nobody may read it.
    Unreadable,
}

const ALL: [Hostile; 12] = [
    Hostile::LinkToFile,
    Hostile::LinkToDirectory,
    Hostile::LinkToNothing,
    Hostile::LinkToItself,
    Hostile::Fifo,
    Hostile::Socket,
    Hostile::Zeros,
    Hostile::Full,
    Hostile::SecondName,
    Hostile::Directory,
    Hostile::DirectoryWithFile,
    Hostile::Unreadable,
];

#[test]
fn whatever_stands_at_a_name_every_call_answers_and_nothing_else_is_touched() {
    let scene = Scene::new();
    let (can, cannot): (Vec<Hostile>, Vec<Hostile>) = ALL
        .into_iter()
        .filter(|hostile| *hostile != Hostile::Unreadable)
        .partition(|hostile| scene.can_be_made(*hostile));
    if !cannot.is_empty() {
        let _ = writeln!(io::stderr(), "paths: NOT SHOWN: {cannot:?}, which only root may make");
    }
    let places: Vec<(Hostile, &str)> =
        can.into_iter().flat_map(|hostile| NAMES.map(|name| (hostile, name))).collect();
    // Most of the time is spent waiting for syncs.
    let answers = Mutex::new(BTreeMap::new());
    let meet_all = |places: &[(Hostile, &str)]| {
        let scene = Scene::new();
        for (hostile, name) in places {
            scene.meet(*hostile, name, &answers);
        }
    };
    let meet_all = &meet_all;
    thread::scope(|scope| {
        for places in places.chunks(places.len().div_ceil(LANES)) {
            scope.spawn(move || meet_all(places));
        }
    });
    let answers = answers.into_inner().unwrap();
    let _ = writeln!(io::stderr(), "paths: {} hostile places, answers {answers:?}", places.len());
}

/// Whoever may read everything reads what is marked as unreadable, so the child gives up that right and keeps its name.
#[test]
fn what_nobody_may_read_is_said_to_be_so() {
    const CAP_DAC_OVERRIDE: u32 = 1;
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap().trim();
    let mighty = u64::from_str_radix(effective, 16).unwrap() >> CAP_DAC_OVERRIDE & 1 == 1;
    let program = std::env::current_exe().unwrap();
    let mut child = if mighty {
        let mut setpriv = Command::new("setpriv");
        setpriv.arg("--bounding-set=-dac_override,-dac_read_search").arg(program);
        setpriv
    } else {
        Command::new(program)
    };
    let child = child
        .args(["child_meets_what_it_may_not_read", "--exact", "--nocapture", "--test-threads=1"])
        .env(PLAIN, "1")
        .output()
        .expect("setpriv is part of util-linux: install it");
    let text = String::from_utf8_lossy(&[child.stdout, child.stderr].concat()).into_owned();
    assert!(child.status.success() && text.contains("child: met"), "{text}");
}

#[test]
fn child_meets_what_it_may_not_read() {
    if std::env::var_os(PLAIN).is_none() {
        return;
    }
    let scene = Scene::new();
    let secret = scene.root.path().join("secret");
    fs::write(&secret, "").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    assert!(fs::read(&secret).is_err(), "this process may read everything");
    let answers = Mutex::new(BTreeMap::new());
    for name in NAMES {
        scene.meet(Hostile::Unreadable, name, &answers);
    }
    // The newest is there and cannot be read: that is neither damage nor a reason to take an older one.
    let run = scene.copy();
    let file = run.join(NEWEST);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let reader = RunReader::open(&run).unwrap();
    assert_eq!(reader.list().unwrap().last().unwrap().state, State::Unreadable);
    assert!(matches!(reader.load(&Selector::Latest), Err(Error::Permission { .. })));
    let _ = writeln!(io::stdout(), "\nchild: met {} names, answers {answers:?}", NAMES.len());
}

/// A run and what lies beside it.
struct Scene {
    root: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { root: tempfile::tempdir().unwrap() };
        let run = Run::create(scene.root.path().join("good"), &name(), &name(), options()).unwrap();
        for step in 1..=STEPS {
            Content::of(step).save(&run, Event::Periodic).unwrap();
        }
        run.pin(2, None).unwrap();
        let outside = scene.outside();
        fs::create_dir_all(outside.join("directory/deeper")).unwrap();
        fs::write(outside.join("directory/file"), "nobody's business").unwrap();
        fs::write(outside.join("file"), "somebody's file\n").unwrap();
        scene
    }

    fn outside(&self) -> PathBuf {
        self.root.path().join("outside")
    }

    /// A copy of the good run.
    fn copy(&self) -> PathBuf {
        let run = self.root.path().join("runs/run");
        let _ = fs::remove_dir_all(&run);
        copy(&self.root.path().join("good"), &run);
        run
    }

    fn can_be_made(&self, hostile: Hostile) -> bool {
        let path = self.root.path().join("probe");
        self.make(hostile, &path).map(|()| fs::remove_file(&path)).is_ok() || path.is_dir()
    }

    /// Puts something hostile at a name of a run and tries every call.
    fn meet(&self, hostile: Hostile, name: &str, answers: &Mutex<BTreeMap<&'static str, u64>>) {
        let run = self.copy();
        let path = run.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        self.make(hostile, &path).unwrap();
        let before = Outside::of(&self.outside());
        let (sender, receiver) = channel();
        let (called, named) = (run.clone(), name.to_owned());
        thread::spawn(move || {
            // Whoever waits may have given up.
            let _ = sender.send(call_everything(&called, &named));
        });
        let given = receiver.recv_timeout(PATIENCE);
        let given =
            given.unwrap_or_else(|error| panic!("{hostile:?} at {name}: it hangs or panicked: {error}"));
        for answer in given {
            *answers.lock().unwrap().entry(answer).or_default() += 1;
        }
        assert_eq!(Outside::of(&self.outside()), before, "{hostile:?} at {name}");
        self.check_what_is_good(hostile, name);
        // What nobody may read cannot be cleared away either.
        let _ = fs::set_permissions(&path, fs::Permissions::from_mode(0o700));
    }

    /// In a run that nobody has written to since, the good checkpoints load, unless the identity is what is hostile.
    fn check_what_is_good(&self, hostile: Hostile, name: &str) {
        let run = self.copy();
        self.make(hostile, &run.join(name))
            .or_else(|_| {
                fs::create_dir_all(run.join(name).parent().unwrap())?;
                self.make(hostile, &run.join(name))
            })
            .unwrap();
        if name == "run.json" {
            // A second name of something that is no identity is no run either.
            assert!(RunReader::open(&run).is_err(), "{hostile:?} at {name}");
            return;
        }
        let reader = RunReader::open(&run).unwrap();
        for step in 1..=STEPS {
            if name != NEWEST || step < STEPS {
                Content::of(step).check(&reader.load(&Selector::Sequence(step)).unwrap().value);
            }
        }
        let latest = reader.load(&Selector::Latest);
        match (name, hostile) {
            // Whatever cannot be read may be the newest; what is no regular file is none.
            (NEWEST | "00000009_x.ckpt", Hostile::Unreadable) => {
                assert!(matches!(latest, Err(Error::Permission { .. })), "{latest:?}");
            }
            (NEWEST, _) => assert_eq!(latest.unwrap().entry.sequence, STEPS - 1, "{hostile:?} at {name}"),
            _ => assert_eq!(latest.unwrap().entry.sequence, STEPS, "{hostile:?} at {name}"),
        }
    }

    /// Makes it at `path`, in the place of what is there.
    fn make(&self, hostile: Hostile, path: &Path) -> io::Result<()> {
        let special = |file_type, device| {
            rustix::fs::mknodat(CWD, path, file_type, Mode::from_raw_mode(0o666), device)
                .map_err(io::Error::from)
        };
        if hostile == Hostile::Unreadable {
            if !path.exists() {
                fs::write(path, "not for everyone")?;
            }
            return fs::set_permissions(path, fs::Permissions::from_mode(0o000));
        }
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(path)?,
            Ok(_) => fs::remove_file(path)?,
            Err(_) => {}
        }
        match hostile {
            Hostile::LinkToFile => symlink(self.outside().join("file"), path),
            Hostile::LinkToDirectory => symlink(self.outside().join("directory"), path),
            Hostile::LinkToNothing => symlink(self.outside().join("nothing"), path),
            Hostile::LinkToItself => symlink(path.file_name().unwrap(), path),
            Hostile::Fifo => special(FileType::Fifo, 0),
            Hostile::Socket => special(FileType::Socket, 0),
            Hostile::Zeros => special(FileType::CharacterDevice, rustix::fs::makedev(1, 5)),
            Hostile::Full => special(FileType::CharacterDevice, rustix::fs::makedev(1, 7)),
            Hostile::SecondName => fs::hard_link(self.outside().join("file"), path),
            Hostile::Directory | Hostile::Unreadable => fs::create_dir(path),
            Hostile::DirectoryWithFile => {
                fs::create_dir(path)?;
                fs::write(path.join("file"), "inside")
            }
        }
    }
}

/// Every call there is, on a run that may be anything. Returns how each ended.
fn call_everything(run: &Path, name: &str) -> Vec<&'static str> {
    let mut answers = Vec::new();
    let mut take = |answer: Result<(), Error>| answers.push(answer.err().map_or("ok", |error| error.code()));
    is_run(run);
    take(find_runs(run.parent().unwrap()).map(drop));
    take(find_runs(run).map(drop));
    take(Checkpoint::open_file(run.join(name)).map(drop));
    let read = |take: &mut dyn FnMut(Result<(), Error>)| {
        let reader = match RunReader::open(run) {
            Ok(reader) => reader,
            Err(error) => return take(Err(error)),
        };
        take(reader.list().map(drop));
        take(reader.load(&Selector::Latest).map(drop));
        take(reader.load(&Selector::Sequence(1)).map(drop));
        take(reader.load(&Selector::Sequence(9)).map(drop));
        take(reader.verify(None).map(drop));
        take(reader.log().map(drop));
        take(reader.unknown_names().map(drop));
        take(reader.export(&Selector::Latest, &mut io::sink()).map(drop));
    };
    read(&mut take);
    take(Run::create(run, &crate::name(), &crate::name(), options()).map(drop));
    take(Pins::open(run, &options()).and_then(|pins| pins.pin(1, None)).map(drop));
    for epoch in [Epoch::Current, Epoch::Begin(7)] {
        match Run::open(run, options().epoch(epoch)) {
            Err(error) => take(Err(error)),
            Ok(run) => {
                take(Content::of(10).save(&run, Event::Shutdown).map(drop));
                take(run.load(&Selector::Latest).map(drop));
                take(run.pin(1, None).map(drop));
                take(run.unpin(1).map(drop));
                take(run.unpin(2).map(drop));
                let entries = run.reader().list().unwrap_or_default();
                for entry in &entries {
                    let deletion =
                        Deletion { file_name: entry.file_name.clone(), reason: "a test".to_owned() };
                    take(run.delete(&[deletion]).map(drop));
                }
            }
        }
    }
    read(&mut take);
    answers
}

#[test]
fn a_path_that_is_a_link_leads_to_the_run() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("real")).unwrap();
    symlink("real", root.path().join("link")).unwrap();
    let path = root.path().join("link/run");
    let run = Run::create(&path, &name(), &name(), options()).unwrap();
    Content::of(1).save(&run, Event::Periodic).unwrap();
    drop(run);
    symlink("real/run", root.path().join("shortcut")).unwrap();
    for path in [path, root.path().join("real/run"), root.path().join("shortcut")] {
        let run = Run::open(&path, options()).unwrap();
        Content::of(1).check(&run.load(&Selector::Latest).unwrap().value);
    }
    assert_eq!(find_runs(root.path().join("link")).unwrap().len(), 1);
}

/// A handle holds its directory, not the path to it.
#[test]
fn a_run_that_is_swapped_while_it_is_open_goes_on_where_it_is() {
    let root = tempfile::tempdir().unwrap();
    let (path, moved) = (root.path().join("run"), root.path().join("moved"));
    let run = Run::create(&path, &name(), &name(), options()).unwrap();
    Content::of(1).save(&run, Event::Periodic).unwrap();
    swap(&path, &moved);
    let other = Run::create(&path, &name(), &name(), options()).unwrap();
    Content::of(7).save(&other, Event::Periodic).unwrap();
    drop(other);
    let before = Outside::of(&path);
    let saved = Content::of(2).save(&run, Event::Periodic).unwrap();
    Content::of(2).check(&run.load(&Selector::Latest).unwrap().value);
    run.pin(2, None).unwrap();
    let oldest = run.reader().list().unwrap()[0].file_name.clone();
    run.delete(&[Deletion { file_name: oldest, reason: "a test".to_owned() }]).unwrap();
    assert_eq!(Outside::of(&path), before, "it wrote to another run");
    assert!(moved.join(&saved.file_name).is_file());

    // Nor does it follow a link that takes the directory's place.
    fs::remove_dir_all(&path).unwrap();
    fs::create_dir(root.path().join("elsewhere")).unwrap();
    symlink("elsewhere", &path).unwrap();
    Content::of(3).save(&run, Event::Periodic).unwrap();
    assert_eq!(fs::read_dir(root.path().join("elsewhere")).unwrap().count(), 0);
}

#[test]
fn a_directory_of_the_run_that_becomes_a_link_leads_nowhere() {
    let root = tempfile::tempdir().unwrap();
    let (path, outside) = (root.path().join("run"), root.path().join("outside"));
    fs::create_dir(&outside).unwrap();
    let run = Run::create(&path, &name(), &name(), options()).unwrap();
    Content::of(1).save(&run, Event::Periodic).unwrap();
    Content::of(2).save(&run, Event::Periodic).unwrap();
    let before = Outside::of(&outside);

    swap(&path.join(".staging"), &root.path().join("staging"));
    symlink("../outside", path.join(".staging")).unwrap();
    let error = Content::of(3).save(&run, Event::Periodic).unwrap_err();
    assert_eq!(error.code(), "io", "{error}");
    assert!(run.pin(1, None).is_err());
    fs::remove_file(path.join(".staging")).unwrap();
    Content::of(3).save(&run, Event::Periodic).unwrap();

    // What is damaged cannot be set aside; it is passed over, and stays.
    symlink("../outside", path.join(".quarantine")).unwrap();
    let newest = run.reader().list().unwrap().pop().unwrap().file_name;
    let mut bytes = fs::read(path.join(&newest)).unwrap();
    bytes[4_096 + 50] ^= 1;
    fs::write(path.join(&newest), bytes).unwrap();
    let loaded = run.load(&Selector::Latest).unwrap();
    assert_eq!((loaded.entry.sequence, loaded.skipped[0].set_aside.clone()), (2, None));
    assert!(path.join(&newest).is_file());
    assert!(run.take_notices().iter().any(|notice| notice.contains("could not be set aside")));
    assert_eq!(Outside::of(&outside), before);
}

/// A second name of somebody's file at `log.jsonl`, `.lock` or `.mutate` had the file appended to or overwritten.
#[test]
fn a_file_with_a_second_name_is_not_written_to() {
    let scene = Scene::new();
    for name in ["log.jsonl", ".lock", ".mutate"] {
        let run = scene.copy();
        let before = Outside::of(&scene.outside());
        scene.make(Hostile::SecondName, &run.join(name)).unwrap();
        let run = Run::open(&run, options()).unwrap();
        assert_eq!(Content::of(9).save(&run, Event::Periodic).unwrap().sequence, STEPS + 1, "{name}");
        let notices = run.take_notices().concat();
        assert_eq!(notices.contains("has a second name"), name == "log.jsonl", "{name}: {notices}");
        assert_eq!(Outside::of(&scene.outside()), before, "{name}");
    }
}

/// The note in such a lock stayed that of an earlier holder, perhaps a publisher's, from whom the lock may be taken: so it was taken
/// from a deleter, too, who went on deleting what had been pinned meanwhile.
#[test]
fn a_lock_file_that_cannot_say_who_holds_it_is_made_anew() {
    let scene = Scene::new();
    let run = scene.copy();
    let note =
        "{\"host\":\"h\",\"pid\":7,\"since\":\"2025-01-01T00:00:00Z\",\"epoch\":0,\"purpose\":\"publish\"}";
    fs::write(run.join(".mutate"), note).unwrap();
    fs::hard_link(run.join(".mutate"), run.join("a backup")).unwrap();
    let opened = Run::open(&run, options()).unwrap();
    assert_eq!(fs::metadata(run.join(".mutate")).unwrap().nlink(), 1);
    assert!(fs::read_to_string(run.join(".mutate")).unwrap().contains("\"purpose\":\"open\""));
    assert_eq!(fs::read_to_string(run.join("a backup")).unwrap(), note);
    assert_eq!(Content::of(9).save(&opened, Event::Periodic).unwrap().sequence, STEPS + 1);
}

/// Where a rename takes two steps, a rotation that died between them leaves the log with two names; once it could not be
/// written to for that, it would have stayed so.
#[test]
fn a_rotation_that_died_between_its_two_names_is_ended() {
    let scene = Scene::new();
    let run = scene.copy();
    let mut log = fs::read(run.join("log.jsonl")).unwrap();
    log.extend(b"what fills it up\n".repeat(1 << 20));
    fs::write(run.join("log.jsonl"), log).unwrap();
    fs::hard_link(run.join("log.jsonl"), run.join("log.000001.jsonl")).unwrap();
    drop(Run::open(&run, options()).unwrap());
    let run = Run::open(&run, options()).unwrap();
    assert_eq!(run.take_notices(), [""; 0]);
    assert_eq!(fs::metadata(run.path().join("log.jsonl")).unwrap().nlink(), 1);
    assert_eq!(Content::of(9).save(&run, Event::Periodic).unwrap().sequence, STEPS + 1);
}

/// Everything in a directory: what it is, which file, when it was changed, and what is in it. How many names a file has may
/// change, since taking one away is no change of the file.
#[derive(Debug, PartialEq)]
struct Outside(BTreeMap<PathBuf, (u64, u32, i64, i64, Vec<u8>)>);

impl Outside {
    fn of(directory: &Path) -> Self {
        let mut all = BTreeMap::new();
        let mut open = vec![directory.to_owned()];
        while let Some(path) = open.pop() {
            let found = fs::symlink_metadata(&path).unwrap();
            let mut bytes = Vec::new();
            if found.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                bytes = fs::read(&path).unwrap();
            }
            all.insert(path, (found.ino(), found.mode(), found.mtime(), found.mtime_nsec(), bytes));
        }
        Self(all)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "somebody else moves the directory")]
fn swap(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

fn name() -> RunName {
    "hostile".parse().unwrap()
}

fn options() -> RunOptions {
    let mut options = RunOptions::new(|| Timestamp::from_millis(1_763_210_096_789));
    options.lock_wait = Duration::from_millis(20);
    options
}
