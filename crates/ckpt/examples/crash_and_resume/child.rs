//! The process that learns, saves as it goes, and may be killed at any instant.

use std::io::{self, Read, Write};
use std::path::Path;

use ckpt::{Session, Step};

use crate::data::Day;
use crate::learner::Learner;
use crate::options::Options;
use crate::protocol::Event;
use crate::storage::Moment;
use crate::{Result, data, storage};

/// Learns every day that the newest checkpoint in `directory` has not seen, and tells each step on standard output.
///
/// # Errors
/// What the session reports; a run of another seed or size; a parent that is gone.
pub(crate) fn run(directory: &Path, seed: u64, options: &Options) -> Result<()> {
    let days = data::sp500()?;
    let days = &days[..options.days_of(days.len())?];
    let mut session = storage::open(directory, seed, options.every, days.len() as u64)?;
    let mut learner = resume_or_begin(&mut session, seed, options)?;
    let mut hold_save_at = options.hold_save_at;
    while let Some(day) = next_day(days, &learner).filter(|_| !session.should_stop()) {
        learner.observe(day.log_return);
        tell(&Event::Day(learner.day))?;
        let mut told = Ok(());
        // The closure runs only if this is a day to save.
        let step = session.step(learner.day, &scores(&learner), || {
            told = tell(&Event::Saving(learner.day));
            Moment::of(&learner, hold_save_at.take_if(|at| learner.day >= *at).is_some())
        })?;
        told?;
        if let Step::Saved { saved, .. } = step {
            tell(&Event::Saved { sequence: saved.sequence, day: learner.day })?;
        }
    }
    tell(&Event::Saving(learner.day))?;
    let finished = session.finish(&Moment::of(&learner, false))?;
    if let Some(saved) = finished.saved {
        tell(&Event::Saved { sequence: saved.sequence, day: learner.day })?;
    }
    tell(&Event::Finished { day: learner.day, saving: finished.summary.to_string() })
}

fn resume_or_begin(session: &mut Session, seed: u64, options: &Options) -> Result<Learner> {
    let (learner, resumed) = session.resume_or_else(|| Learner::new(seed, options.particles))?;
    let particles = learner.filter.particles.len();
    if (learner.seed, particles) != (seed, options.particles) {
        return Err(format!(
            "this run has seed {} and {particles} particles: give it these, or another directory",
            learner.seed
        )
        .into());
    }
    tell(&match &resumed.from {
        None => Event::Fresh,
        Some(entry) => {
            let why = format!("{}, {} skipped", resumed.why, resumed.skipped.len());
            Event::Resumed { sequence: entry.sequence, day: learner.day, why }
        }
    })?;
    Ok(learner)
}

fn next_day<'a>(days: &'a [Day], learner: &Learner) -> Option<&'a Day> {
    days.get(usize::try_from(learner.day).ok()?)
}

/// How well both models foresaw so far, for whoever lists the checkpoints.
fn scores(learner: &Learner) -> Vec<(&'static str, f64)> {
    let Some((stochastic, constant)) = learner.score.per_day() else { return Vec::new() };
    vec![("log_likelihood_per_day", stochastic), ("log_likelihood_per_day_constant", constant)]
}

/// Called in the middle of a save. With `hold` it waits there, so that the parent's kill can't come too late.
pub(crate) fn half_way(day: u64, hold: bool) -> io::Result<()> {
    write_line(&Event::Inside(day))?;
    if hold { wait_for_death(day) } else { Ok(()) }
}

/// Standard input is a pipe to which the parent never writes: it ends only when the parent does.
fn wait_for_death(day: u64) -> io::Result<()> {
    write_line(&Event::Held(day))?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Err(io::Error::other("the parent is gone and left this process waiting inside a save"))
}

fn tell(event: &Event) -> Result<()> {
    Ok(write_line(event)?)
}

/// One write a line: a kill leaves whole lines.
fn write_line(event: &Event) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(format!("{event}\n").as_bytes())?;
    stdout.flush()
}
