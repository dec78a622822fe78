//! The process that learns, saves as it goes, and may be killed at any instant.

use std::io::{self, Read, Write};
use std::path::Path;

use crate::data::Day;
use crate::learner::Learner;
use crate::options::Options;
use crate::protocol::Event;
use crate::state::{HalfWay, put_together, take_apart};
use crate::storage::Checkpoints;
use crate::{Result, data};

/// Learns every day that the newest checkpoint in `directory` has not seen, and tells each step on standard output.
///
/// # Errors
/// What the store reports; a run of another seed or size; a parent that is gone.
pub(crate) fn run(directory: &Path, seed: u64, options: &Options) -> Result<()> {
    let days = data::sp500()?;
    let days = &days[..options.days_of(days.len())?];
    let mut checkpoints = Checkpoints::open_or_create(directory, days.len() as u64)?;
    let mut learner = resume_or_begin(&mut checkpoints, seed, options)?;
    let mut hold_save_at = options.hold_save_at;
    while let Some(day) = next_day(days, &learner) {
        learner.observe(day.log_return);
        tell(&Event::Day(learner.day))?;
        if learner.day % options.every == 0 || learner.day == days.len() as u64 {
            let hold = hold_save_at.take_if(|at| learner.day >= *at).is_some();
            save(&mut checkpoints, &learner, hold)?;
        }
    }
    tell(&Event::Finished(learner.day))
}

fn resume_or_begin(checkpoints: &mut Checkpoints, seed: u64, options: &Options) -> Result<Learner> {
    let Some(found) = checkpoints.resume()? else {
        tell(&Event::Fresh)?;
        return Ok(Learner::new(seed, options.particles));
    };
    let learner = put_together(&found.state, &found.particles)?;
    let particles = learner.filter.particles.len();
    if (learner.seed, particles) != (seed, options.particles) {
        return Err(format!(
            "this run has seed {} and {particles} particles: give it these, or another directory",
            learner.seed
        )
        .into());
    }
    tell(&Event::Resumed { sequence: found.sequence, day: learner.day, why: found.why })?;
    Ok(learner)
}

fn next_day<'a>(days: &'a [Day], learner: &Learner) -> Option<&'a Day> {
    days.get(usize::try_from(learner.day).ok()?)
}

/// Saves; the store reads the particles through a reader that tells when it is half-way, and with `hold` waits
/// there, so that the parent's kill can't come too late.
fn save(checkpoints: &mut Checkpoints, learner: &Learner, hold: bool) -> Result<()> {
    let (state, particles) = take_apart(learner);
    tell(&Event::Saving(learner.day))?;
    let mut reader = HalfWay::new(&particles, || {
        write_line(&Event::Inside(learner.day))?;
        if hold { wait_for_death(learner.day) } else { Ok(()) }
    });
    let sequence = checkpoints.save(&state, &mut reader)?;
    tell(&Event::Saved { sequence, day: learner.day })
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
