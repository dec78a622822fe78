//! `ckpt bench`: what this machine's disk can do, and what saving and loading get out of it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ckpt::storage::{Local, Storage as _};
use ckpt::{Metadata, Run, RunOptions, Section, Selector};
use ckpt_measure::{Against, Error, Noise, Report, Rounds, Row, Spread, raw, timed};
use serde::Serialize;

use crate::args::BenchArgs;
use crate::failure::{FAILED, Failure};
use crate::output::Output;
use crate::table::{Cell, Table};
use crate::{human, interrupt};

/// The state of a small process: what counts then is how long the disk takes to say that it has it.
const SMALL_BYTES: usize = 100_000;
/// Files of that size that may be there at a time, with what a file system needs to keep them.
const FILES: u64 = 3;
const SEED: u64 = 1;

const SMALL_RAW: &str = "small write";
const SMALL_SAVE: &str = "small save";
const DIRECT: &str = "direct write";
const BUFFERED: &str = "buffered write";
const SAVE: &str = "save";
const READ: &str = "read";
const LOAD: &str = "load";

/// What was timed, in JSON.
#[derive(Serialize)]
struct Answer {
    dir: String,
    size_bytes: u64,
    rounds: u32,
    direct: bool,
    results: Vec<Timed>,
}

/// A line of it.
#[derive(Serialize)]
struct Timed {
    name: String,
    bytes: u64,
    seconds: Numbers,
    bytes_per_second: f64,
    against: Option<String>,
    ratio: Option<Numbers>,
}

#[derive(Serialize)]
struct Numbers {
    median: f64,
    min: f64,
    max: f64,
}

pub(crate) fn run(args: &BenchArgs, output: &Output) -> anyhow::Result<()> {
    let space = Local::open(&args.dir).and_then(|local| local.space());
    let space = space.map_err(|error| Failure::io("looking into", &args.dir, &error))?;
    check_room(&args.dir, args.size, space.available)?;
    // A signal ends the round at hand, and what was made is removed.
    interrupt::watch()?;
    let scratch = Scratch::inside(&args.dir)?;
    let direct = takes_direct(scratch.path())?;
    let report = measure(&scratch, args, direct).map_err(anyhow::Error::from_boxed)?;
    scratch.remove()?;
    let results = report.rows.iter().map(|row| Timed::of(row, args.size)).collect();
    let (dir, rounds) = (args.dir.display().to_string(), report.rounds);
    let answer = Answer { dir, size_bytes: args.size, rounds, direct, results };
    output.answer(&answer, || text(&answer))
}

fn measure(scratch: &Scratch, args: &BenchArgs, direct: bool) -> Result<Report, Error> {
    let length = usize::try_from(args.size)?;
    let noise = Noise::new(length, SEED);
    let small = numbers_as_text(&noise, SMALL_BYTES);
    let dir = scratch.path();
    let (saving, loading) = (new_run(dir, "saving")?, new_run(dir, "loading")?);
    let kept = save(&loading, noise.unaligned())?;

    let against = |limit: &str| Against { limit: limit.to_owned(), at_most: None };
    let mut rounds = Rounds::new();
    rounds.limit(SMALL_RAW, |_| written(dir, |name| raw::write_durably(dir, name, &small)));
    rounds.case(SMALL_SAVE, against(SMALL_RAW), |_| saved(&saving, &small));
    if direct {
        rounds.limit(DIRECT, |_| written(dir, |name| raw::write_directly(dir, name, noise.aligned())));
    }
    rounds.limit(BUFFERED, |_| written(dir, |name| raw::write_durably(dir, name, noise.aligned())));
    let limit = if direct { DIRECT } else { BUFFERED };
    rounds.case(SAVE, against(limit), |_| saved(&saving, noise.unaligned()));
    rounds.limit(READ, |_| timed(|| Ok(raw::read(loading.path(), &kept)?)));
    rounds.case(LOAD, against(READ), |_| timed(|| Ok(loading.load_section(&Selector::Latest, "state")?)));
    rounds.run(args.rounds, |_| {
        interrupt::check()?;
        Ok(raw::settle(dir)?)
    })
}

/// Times writing a file, and removes it.
fn written(dir: &Path, write: impl FnOnce(&str) -> io::Result<()>) -> Result<Duration, Error> {
    const NAME: &str = "raw";
    let time = timed(|| Ok(write(NAME)?))?;
    fs::remove_file(dir.join(NAME))?;
    Ok(time)
}

/// Times saving a checkpoint, and removes its file: the run would keep the newest.
fn saved(run: &Run, bytes: &[u8]) -> Result<Duration, Error> {
    let mut file_name = String::new();
    let time = timed(|| {
        file_name = save(run, bytes)?;
        Ok(())
    })?;
    fs::remove_file(run.path().join(file_name))?;
    Ok(time)
}

/// The file name of a new checkpoint.
fn save(run: &Run, bytes: &[u8]) -> Result<String, ckpt::Error> {
    Ok(run.save(Metadata::default(), vec![Section::raw("state", bytes)])?.file_name)
}

fn new_run(dir: &Path, name: &str) -> Result<Run, Error> {
    let mut options = RunOptions::new(ckpt::now);
    // Room for an urgent save is nothing that is timed.
    options.reserve = false;
    Ok(Run::create(dir.join(name), &"bench".parse()?, &name.parse()?, options)?)
}

/// Numbers in decimal, as learned state often is.
fn numbers_as_text(noise: &Noise, length: usize) -> Vec<u8> {
    let mut text = String::from("[0");
    for number in noise.aligned().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)) {
        if text.len() >= length {
            break;
        }
        text.push_str(&format!(",{number}"));
    }
    text.push(']');
    text.into_bytes()
}

/// Refuses to fill the disk.
fn check_room(dir: &Path, size: u64, available: u64) -> Result<(), Failure> {
    let needed = size.saturating_mul(FILES);
    if available >= needed {
        return Ok(());
    }
    let (needed, free) = (human::size(needed), human::size(available));
    let message = format!("{} has {free} free and this needs {needed}: nothing was written", dir.display());
    Err(Failure::new("no_space", FAILED, message).at(dir).hint("give a smaller --size, or another directory"))
}

/// Whether files there can be written around the page cache.
fn takes_direct(dir: &Path) -> anyhow::Result<bool> {
    let noise = Noise::new(raw::ALIGNMENT, SEED);
    match raw::write_directly(dir, "direct", noise.aligned()) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(false),
        Err(error) => Err(Failure::io("writing into", dir, &error).into()),
    }
}

impl Timed {
    fn of(row: &Row, size: u64) -> Self {
        let small = row.name == SMALL_RAW || row.name == SMALL_SAVE;
        let bytes = if small { SMALL_BYTES as u64 } else { size };
        Self {
            name: row.name.clone(),
            bytes,
            seconds: Numbers::of(row.seconds),
            bytes_per_second: bytes as f64 / row.seconds.median,
            against: row.against.as_ref().map(|against| against.limit.clone()),
            ratio: row.ratio.map(Numbers::of),
        }
    }
}

impl Numbers {
    fn of(spread: Spread) -> Self {
        Self { median: spread.median, min: spread.min, max: spread.max }
    }
}

fn text(answer: &Answer) -> String {
    let mut table = Table::default().left("").right("bytes").right("median").right("min").right("max");
    table = table.right("per second").left("against").right("ratio").right("min").right("max");
    let cells = |numbers: &Numbers, shown: fn(f64) -> String| {
        [numbers.median, numbers.min, numbers.max].map(|number| Cell::new(shown(number)))
    };
    for row in &answer.results {
        let mut line = vec![Cell::new(&row.name), Cell::new(human::size(row.bytes))];
        line.extend(cells(&row.seconds, human::time));
        line.push(Cell::new(human::size(row.bytes_per_second as u64)));
        if let (Some(against), Some(ratio)) = (&row.against, &row.ratio) {
            line.push(Cell::new(against));
            line.extend(cells(ratio, |ratio| format!("{ratio:.2}")));
        }
        table.row(line);
    }
    let mut text =
        format!("{}, {}\n\n", human::shown(&answer.dir), human::plural(answer.rounds as usize, "round"));
    text.push_str(&table.render(2));
    text.push_str("\nwrites and saves are durable: file and directory are synced; reads and loads find the file in memory\n");
    if !answer.direct {
        text.push_str("files there cannot be written around the page cache, so there is no direct write\n");
    }
    text
}

/// A directory of its own, removed when it is dropped.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn inside(dir: &Path) -> Result<Self, Failure> {
        // Two at a time are told apart by their process; what a killed one left is in nobody's way.
        let name = |number: u32| dir.join(format!(".ckpt-bench-{}-{number}", std::process::id()));
        let mut number = 0;
        loop {
            let path = name(number);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 100 => number += 1,
                Err(error) => return Err(Failure::io("making a directory in", dir, &error)),
            }
        }
    }

    fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, and says if it cannot.
    fn remove(mut self) -> Result<(), Failure> {
        let path = std::mem::take(&mut self.path);
        fs::remove_dir_all(&path).map_err(|error| Failure::io("removing", &path, &error))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // There is an error already, which says more than the one of removing it.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_not_filled() {
        let dir = Path::new("there");
        assert_eq!(check_room(dir, 1 << 20, 3 << 20), Ok(()));
        let failure = check_room(dir, 1 << 20, (3 << 20) - 1).unwrap_err();
        assert_eq!((failure.code, failure.status), ("no_space", FAILED));
        assert_eq!(failure.message, "there has 3.1 MB free and this needs 3.1 MB: nothing was written");
    }
}
