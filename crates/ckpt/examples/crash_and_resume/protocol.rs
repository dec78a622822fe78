//! What the child tells the parent: one line an event, on its standard output.

use std::fmt;
use std::str::FromStr;

/// Something that happened in the child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The run holds no checkpoint; learning starts at the first day.
    Fresh,
    /// A checkpoint was loaded.
    Resumed {
        /// Its sequence number.
        sequence: u64,
        /// Days learned when it was written.
        day: u64,
        /// Why this one, and what was skipped.
        why: String,
    },
    /// One more day was learned.
    Day(u64),
    /// A save began.
    Saving(u64),
    /// The save has taken half of the particles and not yet the rest.
    Inside(u64),
    /// The save waits there to be killed, as it was told.
    Held(u64),
    /// The store acknowledged a save.
    Saved {
        /// The sequence number that it got.
        sequence: u64,
        /// Days learned.
        day: u64,
    },
    /// The last day was learned and saved.
    Finished {
        /// Days learned.
        day: u64,
        /// What saving cost.
        saving: String,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Fresh => write!(line, "fresh"),
            Event::Resumed { sequence, day, why } => {
                write!(line, "resumed {sequence} {day} {}", why.replace('\n', " "))
            }
            Event::Day(day) => write!(line, "day {day}"),
            Event::Saving(day) => write!(line, "saving {day}"),
            Event::Inside(day) => write!(line, "inside {day}"),
            Event::Held(day) => write!(line, "held {day}"),
            Event::Saved { sequence, day } => write!(line, "saved {sequence} {day}"),
            Event::Finished { day, saving } => write!(line, "finished {day} {saving}"),
        }
    }
}

impl FromStr for Event {
    type Err = String;

    fn from_str(line: &str) -> Result<Event, String> {
        parse(line).ok_or_else(|| format!("the child said `{line}`, which is no event"))
    }
}

fn parse(line: &str) -> Option<Event> {
    if let Some(rest) = line.strip_prefix("finished ") {
        let (day, saving) = rest.split_once(' ')?;
        return Some(Event::Finished { day: day.parse().ok()?, saving: saving.to_owned() });
    }
    let mut words = line.splitn(4, ' ');
    let verb = words.next()?;
    let mut number = || words.next()?.parse().ok();
    Some(match verb {
        "fresh" => Event::Fresh,
        "day" => Event::Day(number()?),
        "saving" => Event::Saving(number()?),
        "inside" => Event::Inside(number()?),
        "held" => Event::Held(number()?),
        "saved" => Event::Saved { sequence: number()?, day: number()? },
        "resumed" => {
            let (sequence, day) = (number()?, number()?);
            Event::Resumed { sequence, day, why: words.next()?.to_owned() }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_survives_its_line() {
        let events = [
            Event::Fresh,
            Event::Resumed { sequence: 3, day: 150, why: "newest good; nothing skipped".into() },
            Event::Day(7),
            Event::Saving(50),
            Event::Inside(50),
            Event::Held(50),
            Event::Saved { sequence: 1, day: 50 },
            Event::Finished { day: 5030, saving: "101 saves: 0.1 s of 9 s, 1.1 %".into() },
        ];
        for event in events {
            assert_eq!(event.to_string().parse(), Ok(event));
        }
    }

    #[test]
    fn a_torn_line_is_no_event() {
        for line in ["", "da", "day", "day x", "saved 3", "resumed 3 150", "finished 50"] {
            assert!(line.parse::<Event>().is_err(), "{line}");
        }
    }
}
