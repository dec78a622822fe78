//! Many checkpoints: what opening, listing, saving and deleting cost in a run of ten or a hundred thousand.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ckpt::{Deletion, Run, RunOptions, RunReader, Section, Selector};
use ckpt_measure::{Against, Error, Rounds, timed};
use rustix::fs::{AtFlags, Mode, OFlags};

use crate::fill::{FIRST, fill, filled, metadata, state};
use crate::place::Place;
use crate::table;

const MANY: u64 = 10_000;
const VERY_MANY: u64 = 100_000;
const DELETED: u64 = 10_000;
const WARM_ROUNDS: u32 = 101;
const COLD_ROUNDS: u32 = 15;
const LARGE_ROUNDS: u32 = 9;
const SAVES_A_ROUND: usize = 10;
const PAGE: usize = 4_096;

pub(crate) fn run(place: &Place) -> Result<(), Error> {
    ten_thousand(place)?;
    hundred_thousand(place)
}

fn ten_thousand(place: &Place) -> Result<(), Error> {
    let many = filled(place, "many", MANY)?;
    let path = many.path().to_owned();
    saves(place, &many)?;
    drop(many);
    opening(place, &path, "A run of 10,000, warm", WARM_ROUNDS, || Ok(()))?;
    match forget() {
        Ok(()) => opening(place, &path, "A run of 10,000, cold", COLD_ROUNDS, forget),
        Err(error) => {
            table::say(&format!("### A run of 10,000, cold\n\nnot measured: {error}; it needs root\n"));
            Ok(())
        }
    }
}

/// `before` is called before each case, untimed.
fn opening(
    place: &Place,
    path: &Path,
    title: &str,
    count: u32,
    before: impl Fn() -> Result<(), Error>,
) -> Result<(), Error> {
    let mut rounds = Rounds::new();
    let limit = "reading the names";
    rounds.limit(limit, |_| {
        before()?;
        timed(|| names(path))
    });
    let against = |at_most| Against { limit: limit.to_owned(), at_most };
    rounds.case("opening to read, finding latest", against(Some(1.5)), |_| {
        before()?;
        timed(|| Ok(RunReader::open(path)?.find(&Selector::Latest)?))
    });
    rounds.case("opening to write", against(None), |_| {
        before()?;
        timed(|| Ok(Run::open(path, RunOptions::new(ckpt::now))?))
    });
    table::print(title, &rounds.run(count, |_| place.settle())?);
    Ok(())
}

fn saves(place: &Place, many: &Run) -> Result<(), Error> {
    let empty = place.run("empty")?;
    let mut rounds = Rounds::new();
    rounds.limit("10 saves into an empty run", |round| save_some(&empty, round));
    let against = Against { limit: "10 saves into an empty run".to_owned(), at_most: Some(1.1) };
    rounds.case("10 saves into a run of 10,000", against, |round| save_some(many, round));
    table::print("Saving beside many", &rounds.run(WARM_ROUNDS, |_| place.settle())?);
    Ok(())
}

/// Saves, and removes what was saved, so that the run is as long in each round.
fn save_some(run: &Run, round: u32) -> Result<Duration, Error> {
    let mut saved = Vec::with_capacity(SAVES_A_ROUND);
    let time = timed(|| {
        for step in 0..SAVES_A_ROUND {
            let metadata = metadata(u64::from(round) * 100 + step as u64);
            saved.push(run.save(metadata, vec![Section::raw("state", &state())])?.file_name);
        }
        Ok(())
    })?;
    for name in saved {
        std::fs::remove_file(run.path().join(name))?;
    }
    Ok(time)
}

fn hundred_thousand(place: &Place) -> Result<(), Error> {
    let run = filled(place, "very-many", VERY_MANY)?;
    place.settle()?;
    listing(place, run.path())?;
    let plain = place.dir("plain")?;
    fill(&plain, run.reader().identity(), FIRST, VERY_MANY)?;
    deleting(place, &run, &plain)
}

fn listing(place: &Place, path: &Path) -> Result<(), Error> {
    let program = program()?;
    let names = names(path)?;
    let checkpoints: Vec<&String> = names.iter().filter(|name| name.ends_with(".ckpt")).collect();
    let limit = "header and footer of each file";
    let mut rounds = Rounds::new();
    rounds.limit(limit, |_| timed(|| read_ends(path, &checkpoints)));
    rounds.case("ckpt list --json", Against { limit: limit.to_owned(), at_most: Some(3.0) }, |_| {
        timed(|| {
            let status =
                Command::new(&program).args(["list", "--json"]).arg(path).stdout(Stdio::null()).status()?;
            if status.success() { Ok(()) } else { Err(format!("{}: {status}", program.display()).into()) }
        })
    });
    table::print("Listing 100,000", &rounds.run(LARGE_ROUNDS, |_| place.settle())?);
    Ok(())
}

/// Each round's victims are written before it, so that both directories stay as long.
fn deleting(place: &Place, run: &Run, plain: &Path) -> Result<(), Error> {
    let limit = "unlinking 10,000, one sync";
    let mut rounds = Rounds::new();
    rounds.limit(limit, |round| {
        let names = victims(place, plain, run, round)?;
        timed(|| {
            let dir = File::open(plain)?;
            for name in &names {
                rustix::fs::unlinkat(&dir, name.as_str(), AtFlags::empty())?;
            }
            Ok(dir.sync_all()?)
        })
    });
    rounds.case("deleting 10,000", Against { limit: limit.to_owned(), at_most: Some(1.3) }, |round| {
        let names = victims(place, run.path(), run, round)?;
        let reason = || "not among those that are kept".to_owned();
        let deletions: Vec<Deletion> =
            names.into_iter().map(|file_name| Deletion { file_name, reason: reason() }).collect();
        timed(|| {
            let deleted = run.delete(&deletions)?;
            if deleted.file_names.len() as u64 == DELETED { Ok(()) } else { Err("some were kept".into()) }
        })
    });
    table::print("Deleting 10,000 of 110,000", &rounds.run(LARGE_ROUNDS, |_| place.settle())?);
    Ok(())
}

fn victims(place: &Place, dir: &Path, run: &Run, round: u32) -> Result<Vec<String>, Error> {
    let names = fill(dir, run.reader().identity(), u64::from(round) * DELETED + 1, DELETED)?;
    place.settle()?;
    Ok(names)
}

fn names(path: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)? {
        names.push(entry?.file_name().into_string().map_err(|name| format!("{name:?} is not UTF-8"))?);
    }
    Ok(names)
}

/// The first and the last page of each file, one after another.
fn read_ends(path: &Path, names: &[&String]) -> Result<(), Error> {
    let dir = File::open(path)?;
    let mut page = [0; PAGE];
    for name in names {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&dir, name.as_str(), flags, Mode::empty())?);
        file.read_exact_at(&mut page, 0)?;
        // All have two pages, so that the length need not be asked for.
        file.read_exact_at(&mut page, PAGE as u64)?;
    }
    Ok(())
}

/// The program beside this one.
fn program() -> Result<PathBuf, Error> {
    let program = std::env::current_exe()?.with_file_name("ckpt");
    if program.is_file() {
        return Ok(program);
    }
    Err(format!("{} is not there: `cargo build --release -p ckpt-cli` first", program.display()).into())
}

/// Makes the system forget what it has read.
fn forget() -> Result<(), Error> {
    rustix::fs::sync();
    Ok(std::fs::write("/proc/sys/vm/drop_caches", "3")?)
}
