//! A backtest that is resumed in the middle: its indicators are recomputed and not stored, and its results are equal.
//!
//! ```text
//! cargo run --release -p ckpt --example backtest [DIRECTORY [DAYS]]
//! ```
//!
//! Every 21 days the pair of moving averages that did best over the last thousand days is chosen out of 3,776, and followed for
//! the next 21. Stop it with Ctrl-C, or kill it with `kill -9`, and run the same line again.
//!
//! What it shows: what is worth saving is what cannot be had again, here a position, an equity and the choices that were made.
//! The averages come from sums over all closes, which every start takes anew. Recomputed values are equal bit for bit only if
//! they depend on the data alone: a sum that is rolled on from day to day would be rounded otherwise after a resume.
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::path::Path;

use ckpt::{Json, Position, Session, SessionOptions, SignalOptions, Status, Stop};
use serde::{Deserialize, Serialize};

use self::closes::Close;
use self::rig::Result;

#[path = "shared/closes.rs"]
mod closes;
#[path = "shared/rig.rs"]
mod rig;

/// Days for which a choice is followed.
const FOLLOWED: usize = 21;
/// Days that a choice looks back on.
const LOOKED_AT: usize = 1_000;
/// The longest average.
const LONGEST: usize = 250;

fn main() -> Result<()> {
    let (root, days) = rig::arguments(5_031)?;
    run(&root, days)
}

pub(crate) fn run(root: &Path, days: u64) -> Result<()> {
    let mut closes = closes::sp500();
    closes.truncate(usize::try_from(days)?);
    let market = Market::of(&closes);
    let options = SessionOptions::default()
        .save_every(4 * FOLLOWED as u64)
        .keep_last(3)
        .unit("days")
        .total(closes.len() as u64)
        .stop(Stop::on_signals(&SignalOptions::default())?);
    let mut session = Session::open(root, "backtests", "averages", options)?;
    let (Json(mut test), resumed) = session.resume_or_else(|| Json(Backtest::begin()))?;
    rig::begun(&resumed);
    while test.day < closes.len() && !session.should_stop() {
        test.follow_the_best(&market);
        let date = closes.get(test.day).map(|close| close.date.to_owned());
        let position = Position { cursor: date, ..Position::at(test.day as u64) };
        rig::told(&session.step_with(position, &[("equity", test.equity)], &Json(&test))?);
    }
    let finished = session.finish(&Json(&test))?;
    rig::ended(&finished);
    if finished.status == Status::Completed {
        println!(
            "result: equity {:.4} after {} choices{}",
            test.equity,
            test.choices.len(),
            test.choices
                .last()
                .map(|Pair { fast, slow }| format!(", the last {fast} and {slow} days"))
                .unwrap_or_default()
        );
    }
    Ok(())
}

/// What cannot be had again without doing the work again.
#[derive(Debug, Serialize, Deserialize)]
struct Backtest {
    /// Days behind it.
    day: usize,
    /// What 1 at the beginning has become.
    equity: f64,
    choices: Vec<Pair>,
}

/// In the market while the fast average is above the slow one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Pair {
    fast: usize,
    slow: usize,
}

/// The data, and what is computed from them at each start.
struct Market {
    /// What the index gained each day.
    gains: Vec<f64>,
    /// Sums of the closes up to each day.
    sums: Vec<f64>,
}

impl Backtest {
    fn begin() -> Self {
        Self { day: LOOKED_AT + LONGEST + 1, equity: 1.0, choices: Vec::new() }
    }

    fn follow_the_best(&mut self, market: &Market) {
        let pairs = (2..=60).flat_map(|fast| (61..=LONGEST).step_by(3).map(move |slow| Pair { fast, slow }));
        let past = self.day - LOOKED_AT..self.day;
        let judged = pairs.map(|pair| (market.gain(pair, past.clone()), pair));
        let Some((_, best)) = judged.max_by(|(one, _), (other, _)| one.total_cmp(other)) else { return };
        let end = (self.day + FOLLOWED).min(market.gains.len());
        self.equity *= market.gain(best, self.day..end);
        self.choices.push(best);
        self.day = end;
    }
}

impl Market {
    fn of(closes: &[Close]) -> Self {
        let before = closes.first().into_iter().chain(closes);
        let gains = before.zip(closes).map(|(before, close)| close.level / before.level).collect();
        let mut sum = 0.0;
        let sums = closes.iter().map(|close| {
            sum += close.level;
            sum
        });
        Self { gains, sums: sums.collect() }
    }

    /// What 1 becomes over these days: each day's position is taken at the close before.
    fn gain(&self, pair: Pair, days: std::ops::Range<usize>) -> f64 {
        let invested = |day: &usize| self.average(day - 1, pair.fast) > self.average(day - 1, pair.slow);
        days.filter(invested).map(|day| self.gains[day]).product()
    }

    fn average(&self, day: usize, days: usize) -> f64 {
        (self.sums[day] - self.sums[day - days]) / days as f64
    }
}
