//! The run that is killed five times: what each death left behind, and what each restart found.

use crate::Result;
use crate::data::Day;
use crate::kills::Kill;
use crate::life::{Life, OpenSave, Work, live};
use crate::protocol::Event;
use crate::screen::Screen;
use crate::storage::staging_leftovers;

/// A death, and the restart that followed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Death {
    /// The last day that was learned before it.
    pub(crate) day: u64,
    /// The save in which it struck, if it did.
    pub(crate) open_save: Option<OpenSave>,
    /// The checkpoint from which the restart went on: sequence and day; `None` if it began anew.
    pub(crate) resumed: Option<(u64, u64)>,
    /// Unfinished files that the death left and the restart removed.
    pub(crate) swept: usize,
    /// The last save, sequence and day, that the store had acknowledged before.
    acknowledged: Option<(u64, u64)>,
    /// Names of the unfinished files that the death left.
    leftovers: Vec<String>,
}

/// Runs the child to its end through all `kills` and prints each death and restart.
///
/// # Errors
/// As [`live`].
pub(crate) fn run(work: &Work, kills: &[Kill], days: &[Day], screen: &Screen) -> Result<Vec<Death>> {
    let mut deaths: Vec<Death> = Vec::new();
    let mut acknowledged = None;
    for kill in kills.iter().copied().map(Some).chain([None]) {
        let life = live(work, kill, |event| watch(event, deaths.last_mut(), work, screen))?;
        acknowledged = life.acknowledged.or(acknowledged);
        if kill.is_some() {
            let death = Death::new(&life, acknowledged, staging_leftovers(&work.directory)?);
            screen.line(format!("  killed at {} {}", place(days, death.day), death.doing()))?;
            deaths.push(death);
        }
    }
    Ok(deaths)
}

fn watch(event: &Event, death: Option<&mut Death>, work: &Work, screen: &Screen) -> Result<()> {
    match (event, death) {
        (Event::Day(day), _) => screen.day(*day),
        (Event::Fresh, Some(death)) => {
            death.sweep(&staging_leftovers(&work.directory)?);
            screen.line(format!("    began anew: no checkpoint found; {} days repeated", death.day))?;
        }
        (Event::Resumed { sequence, day, why }, Some(death)) => {
            death.resumed = Some((*sequence, *day));
            death.sweep(&staging_leftovers(&work.directory)?);
            let swept =
                if death.swept == 0 { String::new() } else { format!("; {} swept", files(death.swept)) };
            screen.line(format!(
                "    resumed at day {day}, {} days repeated; loaded checkpoint {sequence}: {why}{swept}",
                death.repeated()
            ))?;
        }
        _ => {}
    }
    Ok(())
}

impl Death {
    fn new(life: &Life, acknowledged: Option<(u64, u64)>, leftovers: Vec<String>) -> Death {
        Death {
            day: life.last_day,
            open_save: life.open_save,
            resumed: None,
            swept: 0,
            acknowledged,
            leftovers,
        }
    }

    /// Days learned before the death that had to be learned again.
    pub(crate) fn repeated(&self) -> u64 {
        self.day.saturating_sub(self.resumed.map_or(0, |(_, day)| day))
    }

    /// What the child was doing.
    pub(crate) fn doing(&self) -> &'static str {
        match self.open_save {
            None => "while learning",
            Some(OpenSave::Begun) => "in a save, near its begin or end",
            Some(OpenSave::HalfWay) => "in a save, past its middle",
            Some(OpenSave::Held) => "inside a save, exactly half-way",
        }
    }

    /// What the restart should not have found, or not have missed, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        let (resumed, resumed_day) = self.resumed.unwrap_or((0, 0));
        if self.open_save == Some(OpenSave::Held) && resumed_day >= self.day {
            return Some(format!("the save of day {} was cut in half, but the restart loaded it", self.day));
        }
        let (sequence, day) = self.acknowledged?;
        let found = if resumed == 0 { "nothing".to_owned() } else { format!("checkpoint {resumed}") };
        (resumed < sequence).then(|| {
            format!("checkpoint {sequence} of day {day} was acknowledged, but the restart found {found}")
        })
    }

    fn sweep(&mut self, now: &[String]) {
        self.swept = self.leftovers.iter().filter(|name| !now.contains(name)).count();
    }
}

/// A day by its number and its date.
pub(crate) fn place(days: &[Day], day: u64) -> String {
    let learned = usize::try_from(day).ok().and_then(|day| days.get(day.checked_sub(1)?));
    learned.map_or_else(|| format!("day {day}"), |found| format!("day {day} ({})", found.date))
}

fn files(count: usize) -> String {
    if count == 1 { "1 unfinished file".to_owned() } else { format!("{count} unfinished files") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn death(acknowledged: Option<(u64, u64)>, resumed: Option<(u64, u64)>) -> Death {
        let life = Life { last_day: 130, ..Life::default() };
        Death { resumed, ..Death::new(&life, acknowledged, vec!["a".into(), "b".into()]) }
    }

    #[test]
    fn an_acknowledged_save_that_is_not_found_is_a_fault() {
        assert_eq!(death(None, None).fault(), None);
        assert_eq!(death(Some((2, 100)), Some((2, 100))).fault(), None);
        // Published, and killed before it could be acknowledged: newer is no fault.
        assert_eq!(death(Some((2, 100)), Some((3, 130))).fault(), None);
        assert!(death(Some((2, 100)), Some((1, 50))).fault().is_some());
        assert!(death(Some((2, 100)), None).fault().is_some());
    }

    #[test]
    fn half_a_save_that_is_found_is_a_fault() {
        let held =
            |resumed| Death { open_save: Some(OpenSave::Held), ..death(Some((2, 100)), Some(resumed)) };
        assert_eq!(held((2, 100)).fault(), None);
        assert!(held((3, 130)).fault().is_some());
    }

    #[test]
    fn days_and_files_are_counted() {
        let mut death = death(Some((2, 100)), Some((2, 100)));
        death.sweep(&["b".into()]);
        assert_eq!((death.repeated(), death.swept), (30, 1));
    }
}
