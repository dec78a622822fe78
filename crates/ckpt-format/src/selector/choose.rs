//! The choice: rows of a listing in, the one that is meant out, or the reason why there is none.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Selector;
use crate::event::Event;
use crate::metrics::{Direction, Metrics};

/// The most items a message lists before it only counts the rest.
const LISTED_MAX: usize = 12;

/// What a selector looks at: one checkpoint, as a listing shows it.
pub trait Selectable {
    /// The attempt that wrote it; 0 without operations.
    fn epoch(&self) -> u64;
    /// Its number in the run.
    fn sequence(&self) -> u64;
    /// The name of its file, without directory.
    fn file_name(&self) -> &str;
    /// Why it was saved.
    fn events(&self) -> &[Event];
    /// The step it stands at, if it states one.
    fn step(&self) -> Option<u64>;
    /// Its metrics; `None` if they can't be read.
    fn metrics(&self) -> Option<&Metrics>;
    /// Its labels; `None` if they can't be read.
    fn labels(&self) -> Option<&BTreeMap<String, String>>;
}

impl Selector {
    /// The row that is meant. The rows may stand in any order; which of them may be chosen at all (none that
    /// is damaged, say) is for the caller to decide before.
    ///
    /// # Errors
    /// As [`Selector::candidates`].
    pub fn choose<'a, R: Selectable>(&self, rows: &'a [R]) -> Result<&'a R, ChooseError> {
        self.candidates(rows)?.first().copied().ok_or_else(|| self.not_found(rows))
    }

    /// All rows that match, the one that is meant first, then the one that would be meant without it, and so
    /// on. Never empty.
    ///
    /// # Errors
    /// [`ChooseError::NotFound`] if nothing matches; for `best` without a direction,
    /// [`ChooseError::DirectionMissing`] if no row states one and [`ChooseError::DirectionConflict`] if rows
    /// state both.
    pub fn candidates<'a, R: Selectable>(&self, rows: &'a [R]) -> Result<Vec<&'a R>, ChooseError> {
        let mut found: Vec<&R> = rows.iter().filter(|row| self.matches(*row)).collect();
        if found.is_empty() {
            return Err(self.not_found(rows));
        }
        found.sort_by_key(|row| Reverse((row.epoch(), row.sequence())));
        // These sorts are stable, so of equals the newer stays in front.
        match self {
            Self::Best { metric, direction } => {
                let direction = match direction {
                    Some(direction) => *direction,
                    None => stated_direction(rows, metric)?,
                };
                found.sort_by(|left, right| {
                    by_value(direction, number(*right, metric), number(*left, metric))
                });
            }
            Self::StepAtMost(_) => found.sort_by_key(|row| Reverse(row.step())),
            _ => {}
        }
        Ok(found)
    }

    fn matches<R: Selectable>(&self, row: &R) -> bool {
        match self {
            Self::Latest => true,
            Self::Best { metric, .. } => number(row, metric).is_some(),
            Self::Step(step) => row.step() == Some(*step),
            Self::StepAtMost(most) => row.step().is_some_and(|step| step <= *most),
            Self::Sequence(sequence) => row.sequence() == *sequence,
            Self::Event(pattern) => row.events().iter().any(|event| pattern.matches(event)),
            Self::Label { key, value } => row.labels().and_then(|labels| labels.get(key)) == Some(value),
            Self::File(name) => is_file(row.file_name(), name),
        }
    }

    fn not_found<R: Selectable>(&self, rows: &[R]) -> ChooseError {
        let what = match self {
            Self::Latest => "checkpoints",
            Self::Best { .. } => "metrics with a number",
            Self::Step(_) | Self::StepAtMost(_) => "steps",
            Self::Sequence(_) => "sequences",
            Self::Event(_) => "events",
            Self::Label { .. } => "labels",
            Self::File(_) => "files",
        };
        ChooseError::NotFound { selector: self.clone(), present: Present { what, items: self.present(rows) } }
    }

    /// What the rows have of that which the selector looks at: numbers and files newest first, the rest by
    /// name.
    fn present<R: Selectable>(&self, rows: &[R]) -> Vec<String> {
        let mut newest: Vec<&R> = rows.iter().collect();
        newest.sort_by_key(|row| Reverse((row.epoch(), row.sequence())));
        let texts: Vec<String> = match self {
            Self::Step(_) | Self::StepAtMost(_) => {
                newest.iter().filter_map(|row| row.step()).map(|step| step.to_string()).collect()
            }
            Self::Latest | Self::Sequence(_) => newest.iter().map(|row| row.sequence().to_string()).collect(),
            Self::File(_) => newest.iter().map(|row| row.file_name().to_owned()).collect(),
            Self::Best { .. } => sorted(rows.iter().filter_map(Selectable::metrics).flat_map(|metrics| {
                metrics.values.iter().filter(|(_, value)| value.is_finite()).map(|(name, _)| name.clone())
            })),
            Self::Event(_) => sorted(rows.iter().flat_map(|row| row.events().iter().map(Event::to_string))),
            Self::Label { .. } => sorted(
                rows.iter()
                    .filter_map(Selectable::labels)
                    .flat_map(|labels| labels.iter().map(|(key, value)| format!("{key}={value}"))),
            ),
        };
        let mut seen = BTreeSet::new();
        texts.into_iter().filter(|text| seen.insert(text.clone())).collect()
    }
}

/// Why no row can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChooseError {
    /// No row matches.
    #[error("no checkpoint matches {selector}: {present}")]
    NotFound {
        /// What was looked for.
        selector: Selector,
        /// What there is instead.
        present: Present,
    },
    /// `best` without a direction, in a run that states none either.
    #[error(
        "best:{metric} is undecided: the run does not say which way {metric} gets better; write \
         best:{metric}:min or best:{metric}:max"
    )]
    DirectionMissing {
        /// The metric.
        metric: String,
    },
    /// `best` without a direction, in a run that has stated both.
    #[error(
        "best:{metric} is undecided: the run says min in sequence {min_sequence} and max in sequence \
         {max_sequence}; write best:{metric}:min or best:{metric}:max"
    )]
    DirectionConflict {
        /// The metric.
        metric: String,
        /// A checkpoint that says that lower is better.
        min_sequence: u64,
        /// A checkpoint that says that higher is better.
        max_sequence: u64,
    },
}

/// What a run has where something else was looked for. As text it is cut after a dozen items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// What is listed: `steps`, `events`, `files` and so on.
    pub what: &'static str,
    /// All of them, each once.
    pub items: Vec<String>,
}

impl fmt::Display for Present {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.items.is_empty() {
            return write!(f, "there are no {}", self.what);
        }
        write!(f, "{} present: ", self.what)?;
        for (place, item) in self.items.iter().take(LISTED_MAX).enumerate() {
            write!(f, "{}{item}", if place == 0 { "" } else { ", " })?;
        }
        match self.items.len().saturating_sub(LISTED_MAX) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// The metric of a row if it has a rank: NaN has none, and an infinity is the mark of a run that diverged.
fn number<R: Selectable>(row: &R, metric: &str) -> Option<f64> {
    row.metrics()?.get(metric).filter(|value| value.is_finite())
}

fn by_value(direction: Direction, left: Option<f64>, right: Option<f64>) -> Ordering {
    left.zip(right).and_then(|(left, right)| direction.compare(left, right)).unwrap_or(Ordering::Equal)
}

/// Which way a metric gets better, as the rows state it.
///
/// # Errors
/// [`ChooseError::DirectionMissing`] if no row states it, [`ChooseError::DirectionConflict`] if rows state both.
pub fn stated_direction<R: Selectable>(rows: &[R], metric: &str) -> Result<Direction, ChooseError> {
    let saying = |wanted| {
        let states = |row: &&R| row.metrics().and_then(|metrics| metrics.direction(metric)) == Some(wanted);
        rows.iter().filter(states).map(Selectable::sequence).max()
    };
    match (saying(Direction::Min), saying(Direction::Max)) {
        (Some(_), None) => Ok(Direction::Min),
        (None, Some(_)) => Ok(Direction::Max),
        (None, None) => Err(ChooseError::DirectionMissing { metric: metric.to_owned() }),
        (Some(min_sequence), Some(max_sequence)) => {
            Err(ChooseError::DirectionConflict { metric: metric.to_owned(), min_sequence, max_sequence })
        }
    }
}

fn is_file(file_name: &str, wanted: &str) -> bool {
    file_name == wanted || file_name.strip_suffix(crate::name::EXTENSION) == Some(wanted)
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Row {
        epoch: u64,
        sequence: u64,
        file_name: String,
        events: Vec<Event>,
        step: Option<u64>,
        metrics: Metrics,
        labels: BTreeMap<String, String>,
    }

    impl Selectable for Row {
        fn epoch(&self) -> u64 {
            self.epoch
        }
        fn sequence(&self) -> u64 {
            self.sequence
        }
        fn file_name(&self) -> &str {
            &self.file_name
        }
        fn events(&self) -> &[Event] {
            &self.events
        }
        fn step(&self) -> Option<u64> {
            self.step
        }
        fn metrics(&self) -> Option<&Metrics> {
            Some(&self.metrics)
        }
        fn labels(&self) -> Option<&BTreeMap<String, String>> {
            Some(&self.labels)
        }
    }

    fn row(sequence: u64, step: u64, events: &str, loss: f64) -> Row {
        let mut row = Row {
            sequence,
            file_name: format!("{sequence:08}_x.ckpt"),
            events: events.split(' ').map(|event| event.parse().expect("an event")).collect(),
            step: Some(step),
            ..Row::default()
        };
        row.metrics.set("loss", loss);
        row.labels
            .insert("host".to_owned(), if sequence.is_multiple_of(2) { "even" } else { "odd" }.to_owned());
        row
    }

    /// Out of order on purpose; step goes back once, as after a restart from scratch.
    fn rows() -> Vec<Row> {
        vec![
            row(3, 30, "phase_boundary_night best", 0.5),
            row(1, 10, "periodic", 0.9),
            row(5, 20, "periodic", f64::NAN),
            row(2, 20, "periodic best", 0.5),
            row(4, 10, "failure", 0.7),
        ]
    }

    fn choose(rows: &[Row], selector: &str) -> Result<u64, String> {
        let selector: Selector = selector.parse().expect("a selector");
        selector.choose(rows).map(Selectable::sequence).map_err(|error| error.to_string())
    }

    #[test]
    fn each_selector_finds_the_newest_of_those_that_match() {
        for (selector, sequence) in [
            ("latest", 5),
            ("best:loss:min", 3),
            ("best:loss:max", 1),
            ("step:20", 5),
            ("step:10", 4),
            ("step<=29", 5),
            ("step<=19", 4),
            ("step<=1000", 3),
            ("seq:2", 2),
            ("event:periodic", 5),
            ("event:best", 3),
            ("event:phase_boundary", 3),
            ("event:phase_boundary_night", 3),
            ("label:host=even", 4),
            ("file:00000002_x.ckpt", 2),
            ("file:00000002_x", 2),
        ] {
            assert_eq!(choose(&rows(), selector), Ok(sequence), "{selector}");
        }
    }

    #[test]
    fn a_higher_epoch_is_newer_whatever_the_sequence() {
        let mut rows = rows();
        rows.push(Row { epoch: 1, sequence: 4, step: Some(1), ..Row::default() });
        assert_eq!(choose(&rows, "latest"), Ok(4));
        assert_eq!(
            "latest".parse::<Selector>().expect("a selector").choose(&rows).map(Selectable::epoch),
            Ok(1)
        );
    }

    #[test]
    fn no_match_lists_what_there_is() {
        for (selector, part) in [
            ("step:7", "no checkpoint matches step:7: steps present: 20, 10, 30"),
            ("step<=7", "steps present: 20, 10, 30"),
            ("seq:9", "sequences present: 5, 4, 3, 2, 1"),
            ("event:manual", "events present: best, failure, periodic, phase_boundary_night"),
            ("event:phase_boundary_day", "events present: best"),
            ("label:host=none", "labels present: host=even, host=odd"),
            ("file:x.ckpt", "files present: 00000005_x.ckpt, 00000004_x.ckpt"),
            ("best:reward:max", "metrics with a number present: loss"),
        ] {
            let error = choose(&rows(), selector).unwrap_err();
            assert!(error.contains(part), "{selector}: {error}");
        }
        assert_eq!(
            choose(&[], "latest"),
            Err("no checkpoint matches latest: there are no checkpoints".to_owned())
        );
        let many: Vec<Row> = (1..=100_000).map(|sequence| row(sequence, sequence, "periodic", 0.0)).collect();
        let error = choose(&many, "step:0").unwrap_err();
        assert!(error.ends_with("99989 and 99988 more"), "{error}");
    }

    #[test]
    fn best_takes_its_direction_from_the_run_or_asks_for_it() {
        let mut rows = rows();
        assert_eq!(
            choose(&rows, "best:loss").unwrap_err(),
            "best:loss is undecided: the run does not say which way loss gets better; write best:loss:min or \
             best:loss:max"
        );
        // One row is enough, even one whose own value is missing.
        let states = |row: &mut Row, direction| row.metrics.declare("loss", direction);
        rows.push(Row { sequence: 6, ..Row::default() });
        rows.last_mut().into_iter().for_each(|row| states(row, Direction::Min));
        assert_eq!(choose(&rows, "best:loss"), Ok(3));
        assert_eq!(
            choose(&rows, "best:loss:max"),
            Ok(1),
            "what is spelled out goes before what the run states"
        );
        rows.first_mut().into_iter().for_each(|row| states(row, Direction::Max));
        let error = choose(&rows, "best:loss").unwrap_err();
        assert!(error.contains("says min in sequence 6 and max in sequence 3"), "{error}");
    }

    #[test]
    fn best_never_chooses_nan_infinite_or_missing_and_breaks_ties_by_age() {
        let nan = [row(1, 1, "periodic", f64::NAN), Row { sequence: 2, ..Row::default() }];
        assert!(choose(&nan, "best:loss:min").unwrap_err().contains("there are no metrics with a number"));
        let zeros = [row(2, 1, "periodic", -0.0), row(3, 1, "periodic", 0.0), row(1, 1, "periodic", 0.0)];
        assert_eq!(choose(&zeros, "best:loss:min"), Ok(3));
        assert_eq!(choose(&zeros, "best:loss:max"), Ok(3));
    }

    /// A reward that had diverged to infinity was the best for a selector, while retention and `ckpt best` gave it no rank: what
    /// they kept and ranked was not what was loaded.
    #[test]
    fn what_diverged_to_infinity_is_never_best() {
        for infinite in [f64::NEG_INFINITY, f64::INFINITY] {
            let rows = [
                row(1, 1, "periodic", infinite),
                row(2, 1, "periodic", 0.5),
                row(3, 1, "periodic", infinite),
            ];
            for selector in ["best:loss:min", "best:loss:max"] {
                assert_eq!(choose(&rows, selector), Ok(2), "{infinite} {selector}");
            }
            let error = choose(&rows[..1], "best:loss:max").unwrap_err();
            assert!(error.contains("there are no metrics with a number"), "{error}");
        }
    }

    #[test]
    fn candidates_go_on_with_the_next_in_line() {
        let order = |selector: &str| {
            let rows = rows();
            let selector: Selector = selector.parse().expect("a selector");
            let found = selector.candidates(&rows).expect("some match");
            found.into_iter().map(Selectable::sequence).collect::<Vec<_>>()
        };
        assert_eq!(order("latest"), [5, 4, 3, 2, 1]);
        assert_eq!(order("best:loss:min"), [3, 2, 4, 1]);
        assert_eq!(order("step<=20"), [5, 2, 4, 1]);
        assert_eq!(order("event:periodic"), [5, 2, 1]);
    }

    proptest! {
        #[test]
        fn best_and_step_agree_with_an_exhaustive_search(
            values in proptest::collection::vec(
                (0..3u64, 0..6u64, prop_oneof![Just(f64::NAN), Just(f64::NEG_INFINITY), -2.0..2.0f64, Just(0.5)]),
                1..30,
            ),
            most in 0..6u64,
        ) {
            let rows: Vec<Row> = (1..).zip(&values).map(|(sequence, &(epoch, step, loss))| {
                Row { epoch, ..row(sequence, step, "periodic", loss) }
            }).collect();
            let beats = |one: &Row, other: &Row| (one.epoch, one.sequence) > (other.epoch, other.sequence);

            let mut best: Option<&Row> = None;
            let mut step: Option<&Row> = None;
            for row in &rows {
                let value = |row: &Row| row.metrics.get("loss").expect("each row has it");
                let tie = |than: &Row| value(row) == value(than) && beats(row, than);
                let better = |than: &Row| value(row) < value(than) || tie(than);
                if value(row).is_finite() && best.is_none_or(better) {
                    best = Some(row);
                }
                let higher = |than: &Row| row.step > than.step || (row.step == than.step && beats(row, than));
                if row.step <= Some(most) && step.is_none_or(higher) {
                    step = Some(row);
                }
            }
            prop_assert_eq!(choose(&rows, "best:loss:min").ok(), best.map(|row| row.sequence));
            prop_assert_eq!(choose(&rows, &format!("step<={most}")).ok(), step.map(|row| row.sequence));
        }
    }
}
