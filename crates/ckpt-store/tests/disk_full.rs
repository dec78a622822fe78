//! The disk fills up: an error that says so, the old set intact, nothing half-done left, and saving comes back with room.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use ckpt_format::{Event, RunName, Selector, State, Timestamp};
use ckpt_store::storage::{Access, Local, Memory, Storage, StorageFile};
use ckpt_store::testing::{Observed, Observer, Operation};
use ckpt_store::{Deletion, Error, LogEvent, LogLine, Run, RunOptions, Saved};

use self::content::Content;
use self::dice::Dice;
use self::ledger::Ledger;
use self::promises::{Subject, examine};

#[path = "rig/content.rs"]
mod content;
#[path = "rig/dice.rs"]
mod dice;
#[path = "rig/ledger.rs"]
mod ledger;
#[path = "rig/promises.rs"]
mod promises;

/// Where the child mounts its disk. Without it the child's test returns at once.
const DISK: &str = "CKPT_TEST_DISK";
/// The disk's file system: `tmpfs`, or `ext4` in a file.
const KIND: &str = "CKPT_TEST_DISK_KIND";
/// What a line of the child's begins with.
const CHILD: &str = "child: ";
/// Says that the disk is there: from then on every failure is the store's.
const MOUNTED: &str = "the disk is mounted";
const DISK_BYTES: u64 = 12 << 20;
/// Room for a journal, too.
const IMAGE_BYTES: u64 = 32 << 20;
/// What a file system gives away at a time.
const BLOCK: usize = 4_096;
/// Where the run lies.
const RUN: &str = "run";
/// Steps of the save that finds no room: one that goes through the page cache, one that goes around it from its first byte, and one
/// of which a part comes from a stream.
const BUFFERED: u64 = 10_000;
const DIRECT: u64 = 10_001;
const STREAMED: u64 = 10_002;

#[test]
fn a_small_disk_in_memory_that_fills_up_keeps_what_it_has() {
    fill_a_disk_of("tmpfs");
}

#[test]
fn a_small_ext4_that_fills_up_keeps_what_it_has() {
    fill_a_disk_of("ext4");
}

/// A disk of its own, in a name space of mounts that ends with the child, so that nothing stays mounted.
fn fill_a_disk_of(kind: &str) {
    // What the image lies on does not matter; in memory its syncs are quick.
    let in_memory = Path::new("/dev/shm");
    let directory = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    let directory = directory.unwrap();
    let may_mount = may_mount();
    let child = Command::new("unshare")
        .arg(if may_mount { "-m" } else { "-rm" })
        .arg(std::env::current_exe().unwrap())
        .args(["child_fills_a_small_disk", "--exact", "--nocapture", "--test-threads=1"])
        .env(DISK, directory.path())
        .env(KIND, kind)
        .output();
    let (text, success) = match &child {
        Ok(output) => {
            let streams = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
            (String::from_utf8_lossy(&streams).into_owned(), output.status.success())
        }
        Err(error) => (format!("unshare: {error}"), false),
    };
    let mounted = text.contains(MOUNTED);
    if mounted {
        assert!(success, "{text}");
        for told in text.lines().filter_map(|line| line.strip_prefix(CHILD)) {
            let _ = writeln!(io::stderr(), "full disk: {kind}: {told}");
        }
        return;
    }
    // Who may mount, and has what is needed for it, must show it.
    let can_mount = may_mount && (kind == "tmpfs" || Path::new("/dev/loop-control").exists());
    assert!(
        !can_mount,
        "no {kind} could be mounted: install mount, unshare and mkfs.ext4 (util-linux, e2fsprogs): {text}"
    );
    let _ = writeln!(
        io::stderr(),
        "full disk: NOT SHOWN on {kind}, because nothing can be mounted here (only in memory): run it as root: {text}"
    );
}

/// Whether this process may mount in the machine's own name space of users.
fn may_mount() -> bool {
    const CAP_SYS_ADMIN: u32 = 21;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective
        .and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
        .is_some_and(|set| set >> CAP_SYS_ADMIN & 1 == 1)
}

/// The child: mounts the disk and fills it.
#[test]
fn child_fills_a_small_disk() {
    let Some(directory) = std::env::var_os(DISK) else { return };
    let kind = std::env::var_os(KIND).unwrap();
    let root = Path::new(&directory).join("disk");
    std::fs::create_dir(&root).unwrap();
    if !mount(&kind.to_string_lossy(), Path::new(&directory), &root) {
        return;
    }
    let ext4 = kind == "ext4";
    let direct = Local::open(&root).unwrap().create("probe").unwrap().set_direct(true);
    let _ = writeln!(io::stdout(), "\n{CHILD}{MOUNTED}; it takes writes around the page cache: {direct}");
    assert!(direct || !ext4, "ext4 takes direct writes");
    let count = Mutex::new(0);
    let next = || {
        let mut count = count.lock().unwrap();
        *count += 1;
        let path = root.join(count.to_string());
        // What the one before filled makes room.
        let _ = std::fs::remove_dir_all(root.join((*count - 1).to_string()));
        std::fs::create_dir(&path).unwrap();
        Arc::new(Local::open(&path).unwrap())
    };
    fill_every_way(&|| next());
    let unmounted = Command::new("umount").arg(&root).status();
    assert!(unmounted.is_ok_and(|status| status.success()), "what was mounted can be unmounted");
}

/// Mounts a new file system at `root`, which lies in `directory`. Returns whether it is there.
fn mount(kind: &str, directory: &Path, root: &Path) -> bool {
    let device = || std::os::unix::fs::MetadataExt::dev(&std::fs::metadata(root).unwrap());
    let before = device();
    let ran = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    let mut mount = Command::new("mount");
    if kind == "tmpfs" {
        mount.args(["-t", "tmpfs", "-o", &format!("size={DISK_BYTES}"), "ckpt"]);
    } else {
        let image = directory.join("image");
        std::fs::File::create(&image).and_then(|file| file.set_len(IMAGE_BYTES)).unwrap();
        // Nothing is kept for root, who runs this: what is free is free for all.
        if !ran(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0", "-b", "4096"]).arg(&image)) {
            return false;
        }
        mount.args(["-t", "ext4", "-o", "loop"]).arg(image);
    }
    // Only a directory that lies on another device now is filled.
    ran(mount.arg(root)) && device() != before
}

#[test]
fn a_medium_that_fills_up_anywhere_within_a_save_keeps_what_it_has() {
    fill_in_steps(Arc::new(Memory::with_capacity(DISK_BYTES)), BUFFERED, 509);
    fill_in_steps(Arc::new(Memory::with_capacity(DISK_BYTES)), STREAMED, 60_013);
}

#[test]
fn in_memory_an_urgent_save_uses_the_reserve() {
    an_urgent_save_uses_the_reserve(Arc::new(Memory::with_capacity(DISK_BYTES)));
}

#[test]
fn in_memory_room_is_made_by_deleting() {
    room_is_made_by_deleting(Arc::new(Memory::with_capacity(DISK_BYTES)));
}

#[test]
fn in_memory_the_log_goes_on_after_it_was_cut_short() {
    the_log_goes_on_after_it_was_cut_short(
        Arc::new(Memory::with_capacity(DISK_BYTES)),
        (0..1_200).step_by(7),
    );
}

/// Everything that is to hold on a full disk: a block more room each time, over the whole length of a save.
fn fill_every_way(disk: &dyn Fn() -> Arc<dyn Storage>) {
    for step in [BUFFERED, DIRECT] {
        let failed = fill_in_steps(disk(), step, BLOCK);
        let bytes = bytes_of(step);
        let _ = writeln!(io::stdout(), "{CHILD}{failed} saves of {bytes} bytes found no room");
    }
    an_urgent_save_uses_the_reserve(disk());
    room_is_made_by_deleting(disk());
    the_log_goes_on_after_it_was_cut_short(disk(), (0..8 * BLOCK as u64).step_by(BLOCK));
}

/// Leaves more and more room, from none to as much as a save takes, and tries to save each time. Returns how often it failed.
fn fill_in_steps(disk: Arc<dyn Storage>, large: u64, by: usize) -> u64 {
    let mut run = make_run(&disk, false);
    let ledger = Mutex::new(Ledger { created: true, ..Ledger::default() });
    let save = |run: &Run, step: u64| {
        let saved = content(step).save(run, Event::Periodic);
        let mut ledger = ledger.lock().unwrap();
        ledger.submitted.insert(step);
        ledger.answered(step, saved.as_ref().map(|saved| (saved.epoch, saved.sequence)).map_err(Error::code));
        saved
    };
    let mut newest = 2;
    for step in 1..=newest {
        save(&run, step).unwrap();
    }
    for left in (0..).step_by(by) {
        let before = run.reader().list().unwrap();
        let ballast = Ballast::leaving(&disk, left);
        let saved = save(&run, large);
        let fits = saved.is_ok();
        match saved {
            Ok(_) => assert!(ballast.left > bytes_of(large), "{} were enough", ballast.left),
            Err(error @ Error::NoSpace { .. }) => {
                let text = error.to_string();
                assert!(text.contains("no space left") && text.contains("intact"), "{text}");
                assert_eq!(run.reader().list().unwrap(), before, "with {left} bytes left");
                content(newest).check(&run.load(&Selector::Latest).unwrap().value);
            }
            Err(error) => panic!("with {left} bytes left: {error:?}"),
        }
        assert_eq!(staged(&disk), [""; 0], "with {left} bytes left");
        assert!(left < 2 * bytes_of(large) + (1 << 20), "{left} bytes are enough");
        ballast.remove(&disk);
        // Not each time: there are more than a thousand.
        if fits || left.is_multiple_of(16 * by as u64) {
            newest += 1;
            drop(run);
            examine(&disk, &subject(newest), &ledger)
                .unwrap_or_else(|broken| panic!("with {left} bytes left: {broken}"));
            if fits {
                return left / by as u64;
            }
            run = Run::open_on(disk.descend(RUN).unwrap(), RUN, options(false)).unwrap();
        }
    }
    unreachable!("room grows until it is enough")
}

/// The next writer, with room again: the machine is the same, and has not started anew.
fn subject(new_step: u64) -> Subject {
    Subject {
        run: RUN,
        options: options(false),
        save: |run, step| content(step).save(run, Event::Periodic),
        step_of: |loaded| {
            let step = loaded.entry.position().and_then(|position| position.step).ok_or("it has no step")?;
            content(step).check(&loaded.value);
            Ok(step)
        },
        new_step,
        restarted: false,
    }
}

fn content(step: u64) -> Content {
    let (noise, stream) = sizes(step);
    Content::sized(step, noise, stream)
}

fn bytes_of(step: u64) -> u64 {
    let (noise, stream) = sizes(step);
    noise + stream
}

/// How long the noise and the stream of a step are.
fn sizes(step: u64) -> (u64, u64) {
    match step {
        BUFFERED => (60_000, 40_000),
        DIRECT => (4 << 20, 0),
        STREAMED => (3 << 20, 1 << 20),
        _ => (50_000, 50_000),
    }
}

/// With less room than a save takes, an urgent one gets the room that was kept for it; another one does not.
fn an_urgent_save_uses_the_reserve(disk: Arc<dyn Storage>) {
    let run = make_run(&disk, true);
    let size = 2 << 20;
    Content::sized(1, size, 0).save(&run, Event::Periodic).unwrap();
    let reserved = || disk.open("run/.reserve", Access::Read).and_then(|file| file.length()).ok();
    assert!(reserved().is_some_and(|bytes| bytes >= size), "{:?}: {:?}", reserved(), run.take_notices());
    // First with next to no room beside the reserve, then with room for all but a larger save than the last one.
    for (step, left, larger) in [(2, 100 << 10, 0), (4, size + size / 2, size)] {
        let ballast = Ballast::leaving(&disk, left);
        let content = Content::sized(step, size + larger, 0);
        let periodic = content.save(&run, Event::Periodic);
        assert!(matches!(periodic, Err(Error::NoSpace { .. })), "{periodic:?}");
        assert!(reserved().is_some_and(|bytes| bytes >= size), "only an urgent save may use the reserve");
        content.save(&run, Event::Shutdown).unwrap();
        content.check(&run.load(&Selector::Latest).unwrap().value);
        ballast.remove(&disk);
        delete(&run, 0).unwrap();
        Content::sized(step + 1, size, 0).save(&run, Event::Periodic).unwrap();
        delete(&run, 0).unwrap();
        assert!(reserved().is_some_and(|bytes| bytes >= size), "the reserve comes back with room");
    }
}

/// On a disk with no byte left checkpoints can be deleted, whatever the log needs for it: the reserve has it.
fn room_is_made_by_deleting(disk: Arc<dyn Storage>) {
    let run = make_run(&disk, true);
    Content::sized(0, 20_000, 0).save(&run, Event::Periodic).unwrap();
    // Often enough that the log, too, comes to the end of what it has.
    for step in 1..=40 {
        let content = Content::sized(step, 20_000, 0);
        content.save(&run, Event::Periodic).unwrap();
        let ballast = Ballast::leaving(&disk, 0);
        assert!(matches!(Content::sized(0, 20_000, 0).save(&run, Event::Best), Err(Error::NoSpace { .. })));
        delete(&run, 0).unwrap_or_else(|error| panic!("step {step}: {error}"));
        content.check(&run.load(&Selector::Latest).unwrap().value);
        ballast.remove(&disk);
    }
}

/// A line of the log that found no room does not take the next one with it.
fn the_log_goes_on_after_it_was_cut_short(disk: Arc<dyn Storage>, room: impl Iterator<Item = u64>) {
    let run = make_run(&disk, false);
    let mut newest = Content::sized(1, 100, 0).save(&run, Event::Periodic).unwrap().sequence;
    for left in room {
        let ballast = Ballast::leaving(&disk, left);
        // Pinning says a line; whether there was room for it, or for the pin itself, does not matter here.
        let _ = (run.pin(newest, None), run.unpin(newest));
        ballast.remove(&disk);
        let saved = Content::sized(2, 100, 0).save(&run, Event::Periodic).unwrap();
        let log = run.reader().log().unwrap();
        let is_told = |line: &LogLine| {
            matches!(line, LogLine::Good(entry)
                if matches!(entry.event, LogEvent::Saved { sequence, .. } if sequence == saved.sequence))
        };
        assert!(log.iter().any(is_told), "with {left} bytes left before, the log ends {:?}", log.last());
        delete(&run, 0).unwrap();
        newest = saved.sequence;
    }
}

/// A large save goes around the page cache on a disk; whatever the system says of how much it wrote, the bytes are good.
#[test]
fn short_writes_do_not_harm_a_large_save_on_a_disk() {
    // Beside the build and not among temporary files: a file system in memory takes direct writes of any shape.
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let local: Arc<dyn Storage> = Arc::new(Local::open(root.path()).unwrap());
    local.create_dir("run").unwrap();
    let watch = Arc::new(Stingy { dice: Mutex::new(Dice::printed("short writes")) });
    let stingy: Arc<dyn Storage> = Arc::new(Observed::new(local.descend("run").unwrap(), watch));
    let run = Run::create_on(stingy, "run", &name(), &name(), options(false)).unwrap();
    let sizes = [(4 << 20, 0), (5_000_001, 3), (7, (6 << 20) + 4_095), (4_194_303, 2 << 20)];
    let sized = (1..).zip(sizes).map(|(step, (noise, stream))| Content::sized(step, noise, stream));
    for (step, content) in (1..).zip(sized.chain([Content::of(12), Content::of(5)])) {
        let saved: Saved = content.save(&run, Event::Periodic).unwrap();
        let reader = Run::open_read_only(root.path().join("run")).unwrap();
        content.check(&reader.load(&Selector::Latest).unwrap().value);
        let mut exported = Vec::new();
        reader.export(&Selector::Latest, &mut exported).unwrap();
        let file = std::fs::read(root.path().join("run").join(&saved.file_name)).unwrap();
        assert!(exported == file, "the copy of save {step} differs");
        assert_eq!((file.len() as u64, file.len() % 4_096), (saved.stored_bytes, 0), "step {step}");
    }
    assert!(run.reader().verify(None).unwrap().iter().all(|verified| verified.state == State::Committed));
}

/// A file beside the run that takes all the room but a little.
struct Ballast {
    file: Box<dyn StorageFile>,
    /// What it left.
    left: u64,
}

impl Ballast {
    /// Leaves `left`, or a few blocks more where the file system wants them to say where the file lies.
    fn leaving(disk: &Arc<dyn Storage>, left: u64) -> Self {
        const BLOCKS_MAX: u64 = 64;
        let mut file = disk.create("ballast").unwrap();
        let available = disk.space().unwrap().available;
        for more in 0..BLOCKS_MAX {
            let wanted = available.saturating_sub(left + more * BLOCK as u64);
            match file.allocate(wanted) {
                Ok(()) => return Self { file, left: disk.space().unwrap().available },
                // Room that was given back is counted at once, and to be had after the next sync.
                Err(error) if error.kind() == io::ErrorKind::StorageFull => file.sync().unwrap(),
                Err(error) => panic!("{wanted} of {available} bytes: {error}"),
            }
        }
        panic!("of {available} bytes not even all but {left} and {BLOCKS_MAX} blocks can be had");
    }

    fn remove(self, disk: &Arc<dyn Storage>) {
        self.file.close().unwrap();
        disk.unlink("ballast").unwrap();
    }
}

/// Says of every other write that only a part of it was written, often a part of a page.
#[derive(Debug)]
struct Stingy {
    dice: Mutex<Dice>,
}

impl Observer for Stingy {
    fn before(&self, _: &Operation<'_>) -> io::Result<()> {
        Ok(())
    }

    fn said_to_be_written(&self, bytes: usize) -> usize {
        let mut dice = self.dice.lock().unwrap();
        if bytes < 2 || dice.up_to(1) == 0 {
            return bytes;
        }
        let most = if dice.up_to(3) == 0 { bytes.min(5_000) } else { bytes };
        1 + usize::try_from(dice.up_to(most as u64 - 1)).unwrap()
    }
}

/// A run in a directory of its own on the disk.
fn make_run(disk: &Arc<dyn Storage>, reserve: bool) -> Run {
    disk.create_dir(RUN).unwrap();
    Run::create_on(disk.descend(RUN).unwrap(), RUN, &name(), &name(), options(reserve)).unwrap()
}

fn delete(run: &Run, index: usize) -> ckpt_store::Result<()> {
    let file_name = run.reader().list()?[index].file_name.clone();
    run.delete(&[Deletion { file_name, reason: "the test makes room".to_owned() }]).map(drop)
}

fn staged(disk: &Arc<dyn Storage>) -> Vec<String> {
    disk.descend("run").unwrap().list(".staging").unwrap().into_iter().map(|entry| entry.name).collect()
}

fn name() -> RunName {
    "full".parse().unwrap()
}

fn options(reserve: bool) -> RunOptions {
    let mut options = RunOptions::new(|| Timestamp::from_millis(1_763_210_096_789));
    options.reserve = reserve;
    options
}
