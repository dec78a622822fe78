//! Layout `pickles`: `checkpoint_step_{n}_{time}.pkl[.gz]`, `best_trial_{n}.pkl[.gz]`, `best_episode_{n}.pkl[.gz]`.
//!
//! Loading a pickle runs what is in it, so none is: all that is known comes from the name.

use ckpt_format::{NameForm, ParsedName, Timestamp};

use super::detect::{Source, named};
use super::said::Said;
use super::{Found, Layout, Order, Reading, Told};
use crate::error::Result;

pub(super) fn read(source: &Source) -> Result<Reading> {
    let mut reading = Reading::default();
    for entry in source.entries()? {
        match named(&entry, Layout::Pickles) {
            Ok(parsed) => reading.found.push(one(source, &entry.name, &parsed)?),
            Err(reason) => reading.left.push(source.left(&entry.name, reason)),
        }
    }
    Ok(reading)
}

fn one(source: &Source, name: &str, parsed: &ParsedName) -> Result<Found> {
    let mut said = Said::default();
    let unit = match parsed.form {
        NameForm::BestTrial => "trials",
        NameForm::BestEpisode => "episodes",
        _ => "",
    };
    said.name(&parsed.form, &parsed.label, unit);
    if let NameForm::StepAt { time } = &parsed.form {
        match moment(time) {
            Some(moment) => {
                said.metadata.created_at = moment;
                said.told.insert("created_at".to_owned(), Told::Name);
                said.note("its name states a local time without a zone: it was read as UTC");
            }
            None => said.note(format!("its name states the time {time}, which is none")),
        }
    }
    let section = if name.ends_with(".gz") { "state.pkl.gz" } else { "state.pkl" };
    let piece = source.folder.piece(section, name)?;
    let time = match parsed.form {
        NameForm::StepAt { .. } => said.metadata.created_at.millis(),
        // The best of a step is written after the periodic one of it.
        _ => i64::MAX,
    };
    let step = parsed.label.step.unwrap_or_default();
    let order = Order { step, time, name: name.to_owned(), ..Order::default() };
    Ok(Found::new(Layout::Pickles, name, source.folder.path(name), said, vec![piece], order))
}

/// `YYYYMMDD_HHMMSS` as a moment in UTC.
fn moment(time: &str) -> Option<Timestamp> {
    let part = |from: usize, to: usize| time.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(9, 11)?, part(11, 13)?, part(13, 15)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_is_a_moment_if_there_is_such_a_day() {
        let shown = |time| moment(time).map(|moment| moment.to_string());
        assert_eq!(shown("20250127_120000").as_deref(), Some("2025-01-27T12:00:00.000Z"));
        assert_eq!((shown("20250230_120000"), shown("20250127_250000")), (None, None));
    }
}
