//! One life of the child: started by the parent, watched through a pipe, and perhaps killed.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::Result;
use crate::kills::{Kill, Place};
use crate::protocol::Event;

/// The number of the signal that can't be caught.
const SIGKILL: i32 = 9;

/// How to start the child.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// The run's directory.
    pub(crate) directory: PathBuf,
    /// Seed of the model.
    pub(crate) seed: u64,
    /// Particles of the filter.
    pub(crate) particles: usize,
    /// Days to learn.
    pub(crate) days: usize,
    /// Days from one checkpoint to the next.
    pub(crate) every: u64,
}

/// What is known of a life when it is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Life {
    /// The last day that was learned.
    pub(crate) last_day: u64,
    /// The sequence and day of the last save that the store acknowledged, if there was one.
    pub(crate) acknowledged: Option<(u64, u64)>,
    /// The save that had begun and was not acknowledged.
    pub(crate) open_save: Option<OpenSave>,
}

/// How far a save had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenSave {
    /// It had begun.
    Begun,
    /// It had taken half of the particles.
    HalfWay,
    /// It had taken half of the particles and was held there until the kill: it can't have been published.
    Held,
}

/// Starts the child, calls `watch` for each thing it tells, strikes as `kill` says, and waits for its end.
///
/// # Errors
/// A child that can't be started, says what is no event, fails, or ends although it was to be killed; and what
/// `watch` returns. The child does not outlive an error.
pub(crate) fn live(
    work: &Work,
    kill: Option<Kill>,
    mut watch: impl FnMut(&Event) -> Result<()>,
) -> Result<Life> {
    let mut child = Leashed(command(work, kill)?.spawn()?);
    let pipe = child.0.stdout.take().ok_or("the child has no standard output")?;
    let mut life = Life::default();
    let mut to_come = kill;
    // What the child said before it died is read to the end, also after the kill.
    for line in BufReader::new(pipe).lines() {
        let event = line?.parse()?;
        life.note(&event);
        watch(&event)?;
        if let Some(kill) = to_come.take_if(|kill| strikes(kill, &event)) {
            if let Place::Anywhere(delay) = kill.place {
                thread::sleep(delay);
            }
            child.0.kill()?;
        }
    }
    let status = child.0.wait()?;
    match kill {
        Some(_) if status.signal() == Some(SIGKILL) => Ok(life),
        Some(kill) => {
            Err(format!("the child was to be killed near day {} but ended: {status}", kill.day).into())
        }
        None if status.success() => Ok(life),
        None => Err(format!("the child failed after day {}: {status}", life.last_day).into()),
    }
}

fn command(work: &Work, kill: Option<Kill>) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("child").arg("--directory").arg(&work.directory);
    command.arg("--seed").arg(work.seed.to_string());
    command.arg("--particles").arg(work.particles.to_string());
    command.arg("--days").arg(work.days.to_string());
    command.arg("--every").arg(work.every.to_string());
    if let Some(Kill { day, place: Place::InsideSave }) = kill {
        command.arg("--hold-save-at").arg(day.to_string());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    Ok(command)
}

fn strikes(kill: &Kill, event: &Event) -> bool {
    match (kill.place, event) {
        (Place::Anywhere(_), Event::Day(day)) | (Place::InsideSave, Event::Held(day)) => *day >= kill.day,
        _ => false,
    }
}

impl Life {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Fresh | Event::Finished { .. } => {}
            Event::Resumed { day, .. } | Event::Day(day) => self.last_day = *day,
            Event::Saving(_) => self.open_save = Some(OpenSave::Begun),
            Event::Inside(_) => self.open_save = Some(OpenSave::HalfWay),
            Event::Held(_) => self.open_save = Some(OpenSave::Held),
            Event::Saved { sequence, day } => {
                self.open_save = None;
                self.acknowledged = Some((*sequence, *day));
            }
        }
    }
}

/// A child that dies with its owner.
struct Leashed(Child);

impl Drop for Leashed {
    fn drop(&mut self) {
        // Both fail harmlessly when the child is gone already, which is the rule.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_save_is_open_until_it_is_acknowledged() {
        let mut life = Life::default();
        let saves = [
            (Event::Day(50), None),
            (Event::Saving(50), Some(OpenSave::Begun)),
            (Event::Inside(50), Some(OpenSave::HalfWay)),
            (Event::Held(50), Some(OpenSave::Held)),
            (Event::Saved { sequence: 1, day: 50 }, None),
        ];
        for (event, open_save) in saves {
            life.note(&event);
            assert_eq!(life.open_save, open_save, "after {event}");
        }
        assert_eq!((life.last_day, life.acknowledged), (50, Some((1, 50))));
    }

    #[test]
    fn a_kill_strikes_in_its_place_from_its_day_on() {
        let anywhere = Kill { day: 70, place: Place::Anywhere(Duration::ZERO) };
        assert!(!strikes(&anywhere, &Event::Day(69)) && strikes(&anywhere, &Event::Day(71)));
        assert!(!strikes(&anywhere, &Event::Inside(100)));
        let inside = Kill { day: 100, place: Place::InsideSave };
        assert!(!strikes(&inside, &Event::Day(100)) && !strikes(&inside, &Event::Inside(100)));
        assert!(!strikes(&inside, &Event::Held(50)) && strikes(&inside, &Event::Held(100)));
    }
}
