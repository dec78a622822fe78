//! Cases in turn, round after round; and what came out of it.

use std::fmt;
use std::time::{Duration, Instant};

/// Whatever a case failed with.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A case failed; why is its source.
#[derive(Debug)]
pub struct Failed {
    case: String,
    source: Error,
}

/// What is timed. It is given the number of the round, from 0, and returns the time that counts: what it prepares and
/// removes does not.
type Run<'a> = Box<dyn FnMut(u32) -> Result<Duration, Error> + 'a>;

/// Cases that run in turn.
#[derive(Default)]
pub struct Rounds<'a> {
    cases: Vec<Case<'a>>,
}

struct Case<'a> {
    name: String,
    against: Option<Against>,
    run: Run<'a>,
}

/// What a case is held against.
#[derive(Debug, Clone, PartialEq)]
pub struct Against {
    /// The name of a case of the same run.
    pub limit: String,
    /// How often the time of that case it may take; nothing if it is only told.
    pub at_most: Option<f64>,
}

/// What came out, a row a case, in the order in which they were added.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Rounds that count.
    pub rounds: u32,
    /// The cases.
    pub rows: Vec<Row>,
}

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was timed.
    pub name: String,
    /// Seconds.
    pub seconds: Spread,
    /// What it is held against.
    pub against: Option<Against>,
    /// How often the time of its limit it took, within each round.
    pub ratio: Option<Spread>,
}

/// The middle and both ends of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The middle one, or the mean of both that are.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

/// How long `work` takes.
///
/// # Errors
/// The work's own.
pub fn timed<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<Duration, Error> {
    let begun = Instant::now();
    // Giving back what came out is part of neither side: a reader that keeps a gigabyte would pay for freeing it.
    let kept = work()?;
    let time = begun.elapsed();
    drop(kept);
    Ok(time)
}

impl<'a> Rounds<'a> {
    /// No cases yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what the machine can do.
    pub fn limit(&mut self, name: impl Into<String>, run: impl FnMut(u32) -> Result<Duration, Error> + 'a) {
        self.cases.push(Case { name: name.into(), against: None, run: Box::new(run) });
    }

    /// Adds what is held against a limit.
    pub fn case(
        &mut self,
        name: impl Into<String>,
        against: Against,
        run: impl FnMut(u32) -> Result<Duration, Error> + 'a,
    ) {
        self.cases.push(Case { name: name.into(), against: Some(against), run: Box::new(run) });
    }

    /// Runs round k of every case before round k + 1, each time beginning with another one; one round more, which does not
    /// count, is run first. `between` is called after each case, untimed: what one left to the system to do must not be
    /// paid by the next.
    ///
    /// # Errors
    /// Of the first case that fails, or of `between`; or when a case names a limit that is not there.
    pub fn run(
        mut self,
        rounds: u32,
        mut between: impl FnMut(u32) -> Result<(), Error>,
    ) -> Result<Report, Error> {
        let mut times = vec![Vec::with_capacity(rounds as usize); self.cases.len()];
        for round in 0..=rounds {
            // Each round begins with another case, so that none always follows the same one.
            let count = self.cases.len();
            for turn in 0..count {
                let place = (round as usize + turn) % count;
                let (case, times) = (&mut self.cases[place], &mut times[place]);
                let time = (case.run)(round).map_err(|source| Failed { case: case.name.clone(), source })?;
                between(round)?;
                if round > 0 {
                    times.push(time.as_secs_f64());
                }
            }
        }
        let mut rows = Vec::with_capacity(self.cases.len());
        for (case, own) in self.cases.iter().zip(&times) {
            let ratio = match &case.against {
                None => None,
                Some(Against { limit, .. }) => {
                    let place = self.cases.iter().position(|other| other.name == *limit);
                    let limits = place.and_then(|place| times.get(place));
                    let limits =
                        limits.ok_or_else(|| format!("{}: no case is called {limit:?}", case.name))?;
                    Spread::of(own.iter().zip(limits).map(|(own, limit)| own / limit))
                }
            };
            let seconds = Spread::of(own.iter().copied()).ok_or("no round counts: ask for one at least")?;
            rows.push(Row { name: case.name.clone(), seconds, against: case.against.clone(), ratio });
        }
        Ok(Report { rounds, rows })
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timing {:?}", self.case)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.source.as_ref())
    }
}

impl Row {
    /// Whether the ratio's median is within what is allowed; nothing if nothing is asked.
    pub fn is_met(&self) -> Option<bool> {
        let at_most = self.against.as_ref()?.at_most?;
        Some(self.ratio?.median <= at_most)
    }
}

impl Spread {
    /// Nothing if there are no numbers.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*numbers.first()?, *numbers.last()?);
        let (low, high) = (numbers.get((numbers.len() - 1) / 2)?, numbers.get(numbers.len() / 2)?);
        Some(Self { median: (low + high) / 2.0, min, max })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn against(limit: &str, at_most: f64) -> Against {
        Against { limit: limit.to_owned(), at_most: Some(at_most) }
    }

    #[test]
    fn cases_run_in_turn_and_the_first_round_does_not_count() {
        let order = RefCell::new(String::new());
        let mut rounds = Rounds::new();
        // The first round takes an hour, so anything that counted it would show.
        let time = |round: u32, millis| {
            if round == 0 { Duration::from_secs(3_600) } else { Duration::from_millis(millis) }
        };
        rounds.limit("raw", |round| {
            order.borrow_mut().push('r');
            Ok(time(round, [0, 10, 20, 10][round as usize]))
        });
        rounds.case("ours", against("raw", 1.3), |round| {
            order.borrow_mut().push('o');
            Ok(time(round, [0, 15, 24, 30][round as usize]))
        });
        let between = |_| {
            order.borrow_mut().push('.');
            Ok(())
        };
        let report = rounds.run(3, between).unwrap();
        assert_eq!(order.into_inner(), "r.o.o.r.r.o.o.r.");
        assert_eq!(report.rounds, 3);
        let [raw, ours] = &report.rows[..] else { panic!("{report:?}") };
        assert_eq!(raw.seconds, Spread { median: 0.01, min: 0.01, max: 0.02 });
        assert_eq!((raw.ratio, raw.is_met()), (None, None));
        // Within the rounds it took 1.5, 1.2 and 3 times as long; the medians' own ratio would be 2.4.
        let ratio = ours.ratio.unwrap();
        assert!((ratio.median - 1.5).abs() < 1e-9 && (ratio.min - 1.2).abs() < 1e-9, "{ratio:?}");
        assert!((ratio.max - 3.0).abs() < 1e-9, "{ratio:?}");
        assert_eq!(ours.is_met(), Some(false));
    }

    #[test]
    fn of_an_even_number_the_median_is_the_mean_of_the_two_in_the_middle() {
        assert_eq!(Spread::of([4.0, 1.0, 3.0, 2.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn what_fails_is_named_and_so_is_a_limit_that_is_not_there() {
        let mut rounds = Rounds::new();
        rounds.limit("raw", |_| Err("the disk is full".into()));
        let error = rounds.run(1, |_| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "timing \"raw\"");
        assert_eq!(error.source().unwrap().to_string(), "the disk is full");
        let mut rounds = Rounds::new();
        rounds.case("ours", against("raw", 1.0), |_| Ok(Duration::from_secs(1)));
        assert_eq!(rounds.run(1, |_| Ok(())).unwrap_err().to_string(), "ours: no case is called \"raw\"");
    }
}
