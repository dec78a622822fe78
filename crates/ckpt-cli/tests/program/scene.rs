//! A directory of its own, the program run in it, and what came out.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ckpt::{Direction, Event, Metadata, Run, RunOptions, Section, Writer};
use serde_json::Value;

/// A directory that goes with the test.
pub(crate) struct Scene {
    dir: tempfile::TempDir,
}

/// What the program said, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file in it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// All names beneath a directory of it, hidden ones too.
    pub(crate) fn names(&self, dir: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(dir))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The program, not yet started, with nothing of the environment that it heeds. A shell without job control starts what runs in the
    /// background with SIGINT ignored, and children inherit that.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new("env");
        command.args(["--default-signal=INT,TERM", env!("CARGO_BIN_EXE_ckpt")]);
        command.args(args).current_dir(self.dir.path());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CKPT_RUN", "CKPT_EPOCH"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end; words are separated by spaces.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.args(line.split_whitespace())
    }

    /// Runs it to its end.
    pub(crate) fn args<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    /// Runs it with something on standard input.
    pub(crate) fn run_with(&self, line: &str, stdin: &[u8]) -> Ran {
        let mut child = self.start(line);
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }

    /// Starts it with standard input open.
    pub(crate) fn start(&self, line: &str) -> Child {
        self.command(line.split_whitespace()).stdin(Stdio::piped()).spawn().unwrap()
    }

    /// A save to `train/ppo` that waits for the rest of its input, with the writer's lock held.
    pub(crate) fn waiting_save(&self) -> Child {
        let child = self.start("save train/ppo in=-");
        let staging = self.path("train/ppo/.staging");
        let has_begun = || fs::read_dir(&staging).is_ok_and(|names| names.count() > 0);
        wait_until("the save did not begin", has_begun);
        child
    }

    /// A run `train/ppo` with that many checkpoints: step 100 each, a loss that goes down, a raw and a JSON section.
    pub(crate) fn with_checkpoints(count: u64) -> Self {
        let scene = Self::new();
        for number in 1..=count {
            scene.write("w.bin", vec![u8::try_from(number).unwrap(); 5_000]);
            scene.write("s.json", format!("{{\n  \"sigma\": 0.{number}, \"n\": {number}\n}}\n"));
            let (step, loss) = (number * 100, 1.0 / number as f64);
            scene
                .run(&format!("save train/ppo --step {step} --metric loss={loss} w=w.bin s:json=s.json"))
                .ok();
        }
        scene
    }

    /// Adds a periodic checkpoint to a run for each of these values of `sharpe_ratio`, 1,000 steps apart.
    pub(crate) fn save_periodic(&self, run: &str, market: &str, values: &[&str]) {
        self.write("w.bin", vec![1; 5_000]);
        for (place, value) in values.iter().enumerate() {
            let step = (place + 1) * 1_000;
            self.run(&format!(
                "save {run} --market {market} --seed 42 --step {step} --total 100000 --event periodic --metric \
                 sharpe_ratio={value} w=w.bin"
            ))
            .ok();
        }
    }

    /// Makes a run with a checkpoint for each of these, through the library: the shell cannot say all of it.
    pub(crate) fn save_as(&self, path: &str, all: impl IntoIterator<Item = Metadata>) {
        self.save_by(RunOptions::new(ckpt::now), path, all);
    }

    /// As [`Self::save_as`], on a host of this name.
    pub(crate) fn save_on(&self, host: &str, path: &str, all: impl IntoIterator<Item = Metadata>) {
        let writer = Writer { host: host.to_owned(), pid: 1, boot_id: "there".to_owned() };
        self.save_by(RunOptions { writer: Some(writer), ..RunOptions::new(ckpt::now) }, path, all);
    }

    fn save_by(&self, options: RunOptions, path: &str, all: impl IntoIterator<Item = Metadata>) {
        let (kind, name) = ("runs".parse().unwrap(), "said".parse().unwrap());
        let run = Run::create(self.path(path), &kind, &name, options).unwrap();
        for metadata in all {
            run.save(metadata, vec![Section::raw("w", &[1; 10])]).unwrap();
        }
    }

    /// As [`Self::save_as`]: periodic ones with these losses, of which the run says which way is better.
    pub(crate) fn save_losses(&self, path: &str, losses: &[f64], direction: Direction) {
        self.save_as(
            path,
            losses.iter().map(|loss| {
                let mut metadata = Metadata::default().because(Event::Periodic, "a test");
                metadata.metrics.set("loss", *loss);
                metadata.metrics.declare("loss", direction);
                metadata
            }),
        );
    }

    /// The numbers that a run has, as it lists them.
    pub(crate) fn sequences(&self, run: &str) -> Vec<u64> {
        let rows = self.run(&format!("list {run} --json")).ok().json();
        rows.as_array().unwrap().iter().map(|row| row["sequence"].as_u64().unwrap()).collect()
    }

    /// The only file of `train/ppo` with that number.
    pub(crate) fn checkpoint(&self, sequence: u64) -> PathBuf {
        let prefix = format!("{sequence:08}_");
        let name = self.names("train/ppo").into_iter().find(|name| name.starts_with(&prefix)).unwrap();
        self.path("train/ppo").join(name)
    }

    /// Damages the payload: turns a bit in the first block, which begins at 4096 here.
    pub(crate) fn damage(&self, sequence: u64) {
        flip(&self.checkpoint(sequence), 4_096 + 17);
    }
}

/// Waits, but not for ever.
pub(crate) fn wait_until(otherwise: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "{otherwise}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Makes a checkpoint one of a later container: its header says so, and its check is good again (`docs/FORMAT.md`, section 2).
pub(crate) fn make_newer(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[8] = 9;
    let check = ckpt::Digest::of(&bytes[..48]);
    bytes[48..64].copy_from_slice(&check.as_bytes()[..16]);
    fs::write(path, bytes).unwrap();
}

/// Turns a bit of a file.
pub(crate) fn flip(path: &Path, offset: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[offset] ^= 1;
    fs::write(path, bytes).unwrap();
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            status: output.status.code(),
            signal: output.status.signal(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            bytes: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It must have ended with 0.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.ends(0)
    }

    /// It must have ended with this status.
    #[track_caller]
    pub(crate) fn ends(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:#?}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// It must have failed with this status and one JSON object on standard error, which is returned.
    #[track_caller]
    pub(crate) fn error(self, status: i32, code: &str) -> Value {
        let ran = self.ends(status);
        let object: Value =
            serde_json::from_str(&ran.stderr).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
        let error = object["error"].clone();
        assert_eq!(error["code"], code, "{ran:#?}");
        assert!(ran.stdout.is_empty(), "{ran:#?}");
        error
    }

    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "no {part:?} in {self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn warns(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "no {part:?} in {self:#?}");
        self
    }
}
