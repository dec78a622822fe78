//! The storage backends: both keep the contract, both do the same, and the system's cannot be led astray.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use ckpt_store::storage::{Access, DirEntry, EntryKind, Local, Memory, Storage};
use ckpt_store::testing::{Fault, Injector, Observed, conformance};
use proptest::prelude::*;
use tempfile::TempDir;

#[test]
fn memory_conforms() {
    conformance::run(&|| Arc::new(Memory::new()));
    conformance::run(&|| Arc::new(Memory::journaled()));
}

/// What stands between a test and a storage keeps the contract, too, while it lets everything pass.
#[test]
fn an_observed_storage_and_one_with_a_fault_that_never_comes_conform() {
    let never = || Arc::new(Injector::new(Fault::Io, u64::MAX, false));
    conformance::run(&|| Arc::new(Observed::new(Arc::new(Memory::journaled()), never())));
    let dirs = Mutex::new(Vec::new());
    conformance::run(&|| {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let local = Arc::new(Local::open(dir.path()).unwrap());
        dirs.lock().unwrap().push(dir);
        Arc::new(Observed::new(local, never()))
    });
}

/// Beside the build, which is a disk's file system, and where there is one in memory, which takes what a disk refuses.
#[test]
fn local_conforms() {
    for place in [env!("CARGO_TARGET_TMPDIR").into(), std::env::temp_dir(), PathBuf::from("/dev/shm")] {
        if tempfile::tempdir_in(&place).is_err() {
            continue;
        }
        let dirs = Mutex::new(Vec::new());
        conformance::run(&|| {
            let dir = tempfile::tempdir_in(&place).unwrap();
            let local = Arc::new(Local::open(dir.path()).unwrap());
            dirs.lock().unwrap().push(dir);
            local
        });
    }
}

#[test]
fn links_are_followed_up_to_the_directory_and_no_further() {
    let scene = Scene::new();
    let local = Local::open(&scene.0.path().join("link to inside")).unwrap();
    assert_eq!(local.list("").unwrap().len(), 9);
}

#[test]
fn a_link_at_the_name_is_never_followed() {
    let scene = Scene::new();
    let local = scene.local();
    for link in ["link", "absolute", "dangling", "loop", "good link", "link to a file"] {
        for access in [Access::Read, Access::Append, Access::Write] {
            assert_in_the_way(&local.open(link, access));
        }
        assert_in_the_way(&local.try_lock(link));
        assert_in_the_way(&local.list(link));
        assert_in_the_way(&local.descend(link));
        assert_in_the_way(&local.sync_dir(link));
        assert_eq!(local.create(link).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(local.create_dir(link).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(local.rename("file", link).unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
    scene.assert_untouched();
}

#[test]
fn a_link_in_place_of_a_directory_is_never_followed() {
    let scene = Scene::new();
    let local = scene.local();
    for path in ["link/secret", "absolute/secret", "dangling/secret", "loop/secret", "link to real/inner"] {
        for access in [Access::Read, Access::Append, Access::Write] {
            assert_in_the_way(&local.open(path, access));
        }
        assert_in_the_way(&local.create(path));
        assert_in_the_way(&local.create_dir(path));
        assert_in_the_way(&local.unlink(path));
        assert_in_the_way(&local.rename(path, "stolen"));
        assert_in_the_way(&local.rename("file", path));
        assert_in_the_way(&local.try_lock(path));
        assert_in_the_way(&local.list(path));
        assert_in_the_way(&local.descend(path));
        assert_in_the_way(&local.sync_dir(path));
    }
    scene.assert_untouched();
}

#[test]
fn unlinking_a_link_removes_the_link_alone() {
    let scene = Scene::new();
    scene.local().unlink("good link").unwrap();
    assert_eq!(fs::read(scene.inside().join("file")).unwrap(), b"inside");
    scene.assert_untouched();
}

#[test]
fn a_lock_is_not_current_when_its_name_became_a_link_to_it() {
    let scene = Scene::new();
    let local = scene.local();
    let lock = local.try_lock("lock").unwrap().unwrap();
    move_aside(&scene.inside().join("lock"), &scene.inside().join("elsewhere"));
    symlink("elsewhere", scene.inside().join("lock")).unwrap();
    assert!(!lock.is_current().unwrap());
}

#[test]
fn what_is_not_a_regular_file_is_refused_at_once() {
    let scene = Scene::new();
    let local = scene.local();
    let fifo = scene.inside().join("fifo");
    let status = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(status.success() && fs::metadata(&fifo).unwrap().file_type().is_fifo());
    let _socket = std::os::unix::net::UnixListener::bind(scene.inside().join("socket")).unwrap();
    fs::create_dir(scene.inside().join("dir")).unwrap();
    for path in ["fifo", "socket", "dir"] {
        for access in [Access::Read, Access::Append, Access::Write] {
            assert_in_the_way(&local.open(path, access));
        }
        assert_in_the_way(&local.try_lock(path));
    }
    let message = local.open("fifo", Access::Read).unwrap_err().to_string();
    assert_eq!(message, r#""fifo" is not a regular file but a FIFO"#);
    let entries = local.list("").unwrap();
    let kind = |name: &str| entries.iter().find(|entry| entry.name == name).unwrap().kind;
    assert_eq!(["fifo", "socket", "link"].map(kind), [EntryKind::Other; 3]);
}

#[test]
fn a_name_that_is_not_utf8_is_listed() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"bad\xff")), "").unwrap();
    let entries = Local::open(dir.path()).unwrap().list("").unwrap();
    assert_eq!(entries, [DirEntry { name: "bad\u{fffd}".into(), kind: EntryKind::File }]);
}

#[test]
fn a_file_is_its_owners_until_it_is_revealed() {
    let dir = tempfile::tempdir().unwrap();
    let local = Local::open(dir.path()).unwrap();
    // What everyone else's files get here: 0666 less the umask.
    fs::write(dir.path().join("usual"), "").unwrap();
    let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o7777;
    let mut file = local.create("file").unwrap();
    assert_eq!(mode("file"), 0o600);
    file.write_at(0, b"content").unwrap();
    assert_eq!(mode("file"), 0o600);
    file.reveal().unwrap();
    assert_eq!(mode("file"), mode("usual"));
    drop(local.try_lock("lock").unwrap());
    assert_eq!(mode("lock"), mode("usual"));
}

#[test]
fn the_directory_stays_the_same_when_its_path_becomes_another() {
    let scene = Scene::new();
    let local = scene.local();
    move_aside(&scene.inside(), &scene.0.path().join("moved"));
    symlink("outside", scene.inside()).unwrap();
    local.create("new").unwrap();
    assert!(scene.0.path().join("moved/new").exists());
    scene.assert_untouched();
}

#[test]
fn allocated_room_is_taken_from_the_medium() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let local = Local::open(dir.path()).unwrap();
    local.create("file").unwrap().allocate(1 << 20).unwrap();
    let blocks = fs::metadata(dir.path().join("file")).unwrap().blocks();
    assert!(blocks * 512 >= 1 << 20, "{blocks} blocks");
}

#[test]
fn opening_needs_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let kind = |name: &str| Local::open(&dir.path().join(name)).unwrap_err().kind();
    assert_eq!(kind("none"), ErrorKind::NotFound);
    assert_eq!(kind("file"), ErrorKind::NotADirectory);
}

#[test]
fn the_nearest_directory_and_what_remains() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("a")).unwrap();
    fs::write(dir.path().join("a/seen"), "").unwrap();
    let nearest = |path: &str| Local::nearest(&dir.path().join(path));
    for (path, remaining) in
        [("a", vec![]), ("a/b", vec!["b"]), ("a/b/c", vec!["b", "c"]), ("a/../a/./b//c/", vec!["b", "c"])]
    {
        let (local, names) = nearest(path).unwrap();
        assert_eq!(names, remaining, "{path}");
        assert_eq!(local.list("").unwrap()[0].name, "seen", "{path}");
    }
    let kind = |path: &str| nearest(path).unwrap_err().kind();
    assert_eq!(kind("a/b/../c"), ErrorKind::InvalidInput);
    assert_eq!(kind("a/b/.."), ErrorKind::InvalidInput);
    assert_eq!(kind("a/seen/b"), ErrorKind::NotADirectory);
    assert_eq!(kind("a/b\0"), ErrorKind::InvalidInput);
    symlink("nothing", dir.path().join("dangling")).unwrap();
    let (local, names) = nearest("dangling/b").unwrap();
    assert_eq!(names, ["dangling", "b"]);
    assert_eq!(local.create_dir("dangling").unwrap_err().kind(), ErrorKind::AlreadyExists);
    // Relative paths start at the current directory, which is this crate's.
    assert_eq!(Local::nearest(Path::new("none/b")).unwrap().1, ["none", "b"]);
    assert_eq!(Local::nearest(Path::new("./none")).unwrap().1, ["none"]);
    assert!(Local::nearest(Path::new("tests")).unwrap().0.open("storage.rs", Access::Read).is_ok());
    assert!(Local::nearest(Path::new("")).unwrap().0.open("Cargo.toml", Access::Read).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// What tests find out in memory holds on the system: any sequence of operations has the same outcomes on both. What the
    /// model of power loss puts together again from what is durable and what is not yet is the same, too.
    #[test]
    fn memory_and_local_do_the_same(steps in proptest::collection::vec(step(), 1..40)) {
        // In memory where there is such a place: ten thousand sequences sync often.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let local = Local::open(dir.path()).unwrap();
        let memory = Memory::journaled();
        for step in &steps {
            let (on_local, in_memory) = (step.take(&local), step.take(&memory));
            prop_assert_eq!(on_local, in_memory, "at {:?}", step);
        }
        let restarted = memory.crash_point().survivor_of_a_kill().restart();
        for step in looks() {
            prop_assert_eq!(step.take(&local), step.take(&restarted), "after a kill, {:?}", step);
        }
    }
}

/// A directory was synced, and the other one, where a name had come and gone before, was not: what came and went does not come
/// after what is durable.
#[test]
fn a_kill_takes_no_name_that_was_moved_to_where_another_had_gone() {
    let path = str::to_owned;
    let moved_over_one_that_went = [
        Step::CreateDir(path("c")),
        Step::Lock(path("c/a")),
        Step::Unlink(path("c/a")),
        Step::CreateDir(path("b")),
        Step::Rename(path("b"), path("c/a")),
        Step::SyncDir(String::new()),
    ];
    let moved_there_and_back = [
        Step::CreateDir(path("c")),
        Step::Create(path("c/a"), b"kept".to_vec()),
        Step::SyncDir(path("c")),
        Step::Rename(path("c/a"), path("b")),
        Step::Rename(path("b"), path("c/a")),
        Step::SyncDir(String::new()),
    ];
    for steps in [moved_over_one_that_went, moved_there_and_back] {
        let dir = tempfile::tempdir().unwrap();
        let local = Local::open(dir.path()).unwrap();
        let memory = Memory::journaled();
        for step in &steps {
            assert_eq!(step.take(&local), step.take(&memory), "at {step:?}");
        }
        let restarted = memory.crash_point().survivor_of_a_kill().restart();
        for step in looks() {
            assert_eq!(step.take(&local), step.take(&restarted), "after a kill of {steps:?}, {step:?}");
        }
    }
}

/// Looks at all that steps can make.
fn looks() -> Vec<Step> {
    let mut looks = Vec::new();
    for dir in ["", "a", "b", "c"] {
        looks.extend([Step::List(dir.to_owned()), Step::Lock("d".to_owned())]);
        for name in ["a", "b", "c"] {
            looks.push(Step::Read(if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }));
        }
    }
    looks
}

#[derive(Debug, Clone)]
enum Step {
    List(String),
    CreateDir(String),
    Create(String, Vec<u8>),
    Read(String),
    Write(String, Access, u64, Vec<u8>),
    SetLength(String, u64),
    Rename(String, String),
    Unlink(String),
    Lock(String),
    Sync(String),
    SyncDir(String),
}

fn step() -> impl Strategy<Value = Step> {
    let path = || prop_oneof![6 => "[abc]", 4 => "[abc]/[abc]", 1 => "|\\.|\\.\\.|a//b|a/b/c|/a"];
    let bytes = || proptest::collection::vec(any::<u8>(), 0..20);
    let access = prop_oneof![Just(Access::Read), Just(Access::Append), Just(Access::Write)];
    prop_oneof![
        path().prop_map(Step::List),
        path().prop_map(Step::CreateDir),
        (path(), bytes()).prop_map(|(path, bytes)| Step::Create(path, bytes)),
        path().prop_map(Step::Read),
        (path(), access, 0..30_u64, bytes())
            .prop_map(|(path, access, at, bytes)| Step::Write(path, access, at, bytes)),
        (path(), 0..30_u64).prop_map(|(path, length)| Step::SetLength(path, length)),
        (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        path().prop_map(Step::Unlink),
        path().prop_map(Step::Lock),
        path().prop_map(Step::Sync),
        path().prop_map(Step::SyncDir),
        Just(Step::SyncDir(String::new())),
    ]
}

impl Step {
    /// What came of it: a rendering of the result, or of the meaning of the error.
    fn take(&self, storage: &dyn Storage) -> Result<String, ErrorKind> {
        self.try_take(storage).map_err(|error| match error.kind() {
            kind @ (ErrorKind::NotFound | ErrorKind::AlreadyExists | ErrorKind::NotADirectory) => kind,
            // A directory in place of a file, and writing what is open for reading, have an error of each system's.
            _ => ErrorKind::Other,
        })
    }

    fn try_take(&self, storage: &dyn Storage) -> io::Result<String> {
        Ok(match self {
            Step::List(dir) => {
                let mut entries = storage.list(dir)?;
                entries.sort();
                format!("{entries:?}")
            }
            Step::CreateDir(path) => format!("{:?}", storage.create_dir(path)?),
            Step::Create(path, bytes) => format!("{:?}", storage.create(path)?.write_at(0, bytes)?),
            Step::Read(path) => {
                let file = storage.open(path, Access::Read)?;
                let mut bytes = vec![0; 100];
                let count = file.read_at(0, &mut bytes)?;
                format!("{} {:?}", file.length()?, &bytes[..count])
            }
            Step::Write(path, access, at, bytes) => {
                format!("{:?}", storage.open(path, *access)?.write_at(*at, bytes)?)
            }
            Step::SetLength(path, length) => {
                format!("{:?}", storage.open(path, Access::Write)?.set_length(*length)?)
            }
            Step::Rename(from, to) => format!("{:?}", storage.rename(from, to)?),
            Step::Sync(path) => {
                let mut file = storage.open(path, Access::Write)?;
                file.sync()?;
                format!("{:?}", file.close()?)
            }
            Step::SyncDir(dir) => format!("{:?}", storage.sync_dir(dir)?),
            Step::Unlink(path) => format!("{:?}", storage.unlink(path)?),
            Step::Lock(path) => {
                let lock = storage.try_lock(path)?;
                let current = lock.as_ref().map(|lock| lock.is_current()).transpose()?;
                format!("{current:?} {}", storage.try_lock(path)?.is_none())
            }
        })
    }
}

/// A directory `inside`, with links that lead out of it to `outside`.
struct Scene(TempDir);

impl Scene {
    fn new() -> Self {
        let scene = Scene(tempfile::tempdir().unwrap());
        let (inside, outside) = (scene.inside(), scene.outside());
        fs::create_dir(&inside).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret"), "outside").unwrap();
        fs::write(inside.join("file"), "inside").unwrap();
        symlink("../outside", inside.join("link")).unwrap();
        symlink(&outside, inside.join("absolute")).unwrap();
        symlink("../outside/none", inside.join("dangling")).unwrap();
        symlink("loop", inside.join("loop")).unwrap();
        symlink("file", inside.join("good link")).unwrap();
        fs::create_dir_all(inside.join("real/inner")).unwrap();
        symlink("real", inside.join("link to real")).unwrap();
        symlink("../outside/secret", inside.join("link to a file")).unwrap();
        symlink("inside", scene.0.path().join("link to inside")).unwrap();
        scene
    }

    fn inside(&self) -> PathBuf {
        self.0.path().join("inside")
    }

    fn outside(&self) -> PathBuf {
        self.0.path().join("outside")
    }

    fn local(&self) -> Local {
        Local::open(&self.inside()).unwrap()
    }

    fn assert_untouched(&self) {
        let names: Vec<_> =
            fs::read_dir(self.outside()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["secret"]);
        assert_eq!(fs::read(self.outside().join("secret")).unwrap(), b"outside");
    }
}

/// By another program: what the store itself may not do.
fn move_aside(from: &Path, to: &Path) {
    let status = Command::new("mv").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

/// Neither did it work nor does it look as if nothing were there.
#[track_caller]
fn assert_in_the_way<T>(outcome: &io::Result<T>) {
    match outcome {
        Ok(_) => panic!("it was followed"),
        Err(error) => assert_ne!(error.kind(), ErrorKind::NotFound, "{error}"),
    }
}
