//! A process that learns for seconds, is killed five times with SIGKILL, and loses nothing but the days since its
//! last checkpoint.
//!
//! ```text
//! cargo run --release -p ckpt --example crash_and_resume
//! ```
//!
//! A particle filter learns a stochastic-volatility model with four hidden regimes, online, from twenty years of
//! daily closes of the S&P 500. It runs as a child process that saves a checkpoint every 50 days. First it runs
//! undisturbed. Then it runs again and is killed at five random points, one of them inside a save, and restarted
//! each time. In the end parameters, belief, every particle and the random generator of both runs must be identical
//! bit for bit.
//!
//! Where to look: `child.rs` is what an application does to survive, `storage.rs` how it opens its session,
//! `state.rs` what it saves. The model is in `parameters.rs`, `filter.rs` and `kernel.rs`; the rest kills, watches
//! and compares.

mod child;
mod constant;
mod crash;
mod data;
mod filter;
mod kernel;
mod kills;
mod learner;
mod life;
mod options;
mod parameters;
mod protocol;
mod random;
mod report;
mod screen;
mod state;
mod storage;

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use crate::data::Day;
use crate::learner::Learner;
use crate::life::Work;
use crate::options::{HELP, Options};
use crate::protocol::Event;
use crate::screen::Screen;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell if standard error is closed too.
            _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let options = Options::parse(std::env::args().skip(1))?;
    if options.help {
        write!(io::stdout(), "{HELP}")?;
        return Ok(true);
    }
    if options.child {
        let directory = options.directory.as_deref().ok_or("child needs --directory")?;
        let seed = options.seed.ok_or("child needs --seed")?;
        return child::run(directory, seed, &options).map(|()| true);
    }
    let seed = options.seed.map_or_else(random_seed, Ok)?;
    let Some(directory) = &options.directory else {
        let temporary = tempfile::Builder::new().prefix("crash_and_resume-").tempdir()?;
        let equal = demonstrate(temporary.path(), seed, &options)?;
        if !equal {
            let kept = temporary.keep();
            writeln!(io::stdout(), "Both runs are kept in {}", kept.display())?;
        }
        return Ok(equal);
    };
    demonstrate(directory, seed, &options)
}

/// Both runs and their comparison, in `root`; whether they ended equal and nothing saved was lost.
fn demonstrate(root: &Path, seed: u64, options: &Options) -> Result<bool> {
    let days = data::sp500()?;
    let days = &days[..options.days_of(days.len())?];
    let mut screen = Screen::new();
    screen.line(format!(
        "seed {seed}: {} particles, {} days, a checkpoint every {} days",
        options.particles,
        days.len(),
        options.every
    ))?;
    let work = |name: &str| -> Result<Work> {
        Ok(Work {
            directory: fresh_run(root, name)?,
            seed,
            particles: options.particles,
            days: days.len(),
            every: options.every,
        })
    };
    let (undisturbed, killed) = (work("undisturbed")?, work("killed")?);
    let reference = run_undisturbed(&undisturbed, &mut screen)?;
    let deaths = run_killed(&killed, days, &mut screen)?;
    report::deaths(&deaths, days, &screen)?;

    let crashed = final_learner(&killed)?;
    report::learned(&crashed, days, &screen)?;
    let equal = report::compare(&reference, &crashed, &screen)?;
    let faults: Vec<String> = deaths.iter().filter_map(crash::Death::fault).collect();
    for fault in &faults {
        screen.line(format!("  FAULT: {fault}"))?;
    }
    let good = equal && faults.is_empty();
    screen.line(if good {
        "\nNothing that was saved was lost, and both runs ended identical."
    } else {
        "\nFAILED: see the lines in capitals above."
    })?;
    Ok(good)
}

fn run_undisturbed(work: &Work, screen: &mut Screen) -> Result<Learner> {
    let begun = Instant::now();
    screen.begin("undisturbed", work.days as u64)?;
    let mut cost = String::new();
    let result = life::live(work, None, |event| {
        match event {
            Event::Day(day) => screen.day(*day),
            Event::Finished { saving, .. } => cost.clone_from(saving),
            _ => {}
        }
        Ok(())
    });
    screen.end();
    result?;
    screen.line(format!("\nUndisturbed run: {:.1} s", begun.elapsed().as_secs_f64()))?;
    screen.line(format!("  what saving took: {cost}"))?;
    final_learner(work)
}

fn run_killed(work: &Work, days: &[Day], screen: &mut Screen) -> Result<Vec<crash::Death>> {
    let begun = Instant::now();
    let kills = kills::plan(work.seed, work.days as u64, work.every);
    screen.line(format!("\nThe same run, killed {} times with SIGKILL", kills.len()))?;
    screen.begin("killed", work.days as u64)?;
    let result = crash::run(work, &kills, days, screen);
    screen.end();
    let deaths = result?;
    screen.line(format!("  finished in {:.1} s", begun.elapsed().as_secs_f64()))?;
    Ok(deaths)
}

/// The learner as it is in the newest checkpoint, which must be that of the last day.
fn final_learner(work: &Work) -> Result<Learner> {
    let learner = storage::read_latest(&work.directory)?;
    if learner.day != work.days as u64 {
        return Err(format!(
            "the newest checkpoint in {} is of day {}, not of the last day {}",
            work.directory.display(),
            learner.day,
            work.days
        )
        .into());
    }
    Ok(learner)
}

/// A directory for a run that must not exist yet: an old run would be resumed instead of compared.
fn fresh_run(root: &Path, name: &str) -> Result<PathBuf> {
    let directory = root.join("volatility").join(name);
    if directory.exists() {
        return Err(format!("{} exists: choose another --directory", directory.display()).into());
    }
    Ok(directory)
}

/// Short enough to be typed again.
fn random_seed() -> Result<u64> {
    Ok(u64::from(getrandom::u32()?))
}
