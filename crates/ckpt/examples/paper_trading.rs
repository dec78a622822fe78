//! Paper trading: the portfolio is saved after every trade, so no crash can lose one, or make it twice.
//!
//! ```text
//! cargo run --release -p ckpt --example paper_trading [DIRECTORY [DAYS]]
//! ```
//!
//! A trader buys the S&P 500 when it closes well below its average of five days, and sells above it. A trading day lasts a
//! millisecond here. Stop it with Ctrl-C, or kill it with `kill -9`, and run the same line again: it goes on with the cash, the
//! shares and the trades it had after the last trade, looks at the days since then once more, and decides about them as before.
//! With a real broker the number of the trade would go with the order, so that one sent just before a crash is not sent again.
//!
//! What it shows: a step is what matters to the application, here a trade; `save_every(1)`, which is durable when
//! [`Session::step`] returns; the cursor of a position, which says how far the data were read.
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::path::Path;
use std::thread;
use std::time::Duration;

use ckpt::{Json, Position, Session, SessionOptions, SignalOptions, Status, Stop};
use serde::{Deserialize, Serialize};

use self::closes::Close;
use self::rig::Result;

#[path = "shared/closes.rs"]
mod closes;
#[path = "shared/rig.rs"]
mod rig;

/// How many closes the average is taken over.
const AVERAGE: usize = 5;

fn main() -> Result<()> {
    let (root, days) = rig::arguments(5_031)?;
    run(&root, days)
}

pub(crate) fn run(root: &Path, days: u64) -> Result<()> {
    let mut closes = closes::sp500();
    closes.truncate(usize::try_from(days)?);
    let stop = Stop::on_signals(&SignalOptions::default())?;
    let options = SessionOptions::default().save_every(1).keep_last(10).unit("trades").stop(stop);
    let mut session = Session::open(root, "trading", "paper_trading", options)?;
    let (Json(mut portfolio), resumed) = session.resume_or_else(|| Json(Portfolio::with_cash(10_000.0)))?;
    rig::begun(&resumed);
    while let Some(known) = closes.get(..=portfolio.days).filter(|_| !session.should_stop()) {
        thread::sleep(Duration::from_millis(1)); // The market makes its next close.
        if portfolio.trade(known) {
            let value = portfolio.value(known);
            let date = known.last().map(|close| close.date.to_owned());
            let position = Position { cursor: date, ..Position::at(portfolio.trades.len() as u64) };
            rig::told(&session.step_with(position, &[("value", value)], &Json(&portfolio))?);
        }
    }
    let finished = session.finish(&Json(&portfolio))?;
    rig::ended(&finished);
    if finished.status == Status::Completed {
        let (trades, value) = (portfolio.trades.len(), portfolio.value(&closes));
        println!("result: {trades} trades, {value:.2} of 10,000.00");
    }
    Ok(())
}

#[derive(Debug, Serialize, Deserialize)]
struct Portfolio {
    /// Closes that were looked at.
    days: usize,
    cash: f64,
    shares: f64,
    trades: Vec<Trade>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Trade {
    date: String,
    /// Sold, if negative.
    shares: f64,
    price: f64,
}

impl Portfolio {
    fn with_cash(cash: f64) -> Self {
        Self { days: 0, cash, shares: 0.0, trades: Vec::new() }
    }

    /// Looks at the newest close; whether that led to a trade.
    fn trade(&mut self, known: &[Close]) -> bool {
        self.days += 1;
        let [.., today] = known else { return false };
        let Some(recent) = known.len().checked_sub(AVERAGE).and_then(|first| known.get(first..)) else {
            return false;
        };
        let average = recent.iter().map(|close| close.level).sum::<f64>() / AVERAGE as f64;
        let shares = if self.shares > 0.0 && today.level > average {
            -self.shares
        } else if self.shares == 0.0 && today.level < 0.99 * average {
            (self.cash / today.level).floor()
        } else {
            return false;
        };
        self.cash -= shares * today.level;
        self.shares += shares;
        self.trades.push(Trade { date: today.date.to_owned(), shares, price: today.level });
        true
    }

    fn value(&self, known: &[Close]) -> f64 {
        self.cash + self.shares * known.last().map_or(0.0, |close| close.level)
    }
}
