//! The desk: what a market maker has in its hands and the bundle leaves out, because an exchange would know it.
//!
//! Here the exchange is simulated in the same process and dies with it, so its part is a section of its own beside the bundle's.

use serde::{Deserialize, Serialize};

use super::market::{Market, Side};
use super::toxicity::Signals;

/// Contracts that may be held, either way.
pub(crate) const INVENTORY_MAX: f64 = 10.0;

/// Position, cash, and what waits for its outcome.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Desk {
    /// Step of the market at which this run began.
    pub(crate) began: u64,
    /// The next step.
    pub(crate) step: u64,
    /// Contracts held; sold, if negative.
    pub(crate) inventory: f64,
    /// In index points.
    pub(crate) cash: f64,
    /// Worth of cash and inventory when the UTC day began.
    pub(crate) worth_at_dawn: f64,
    /// The day, counted from 1970.
    pub(crate) day: i64,
    /// Fills since the run began.
    pub(crate) fills: u64,
    /// Who trades more, buyers (1) or sellers (-1), as a moving average.
    pub(crate) flow: f64,
    /// The mid price of the step before.
    pub(crate) last_mid: Option<f64>,
    /// What the agent decided at the step before.
    pub(crate) decision: Option<Decision>,
    /// Fills whose outcome is not known yet.
    pub(crate) waiting: Vec<Waiting>,
}

/// What the agent decided, where, and what the desk was worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) state: u32,
    pub(crate) action: u32,
    pub(crate) worth: f64,
}

/// A fill that waits to be seen in hindsight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) due: u64,
    pub(crate) mid: f64,
    pub(crate) is_bought: bool,
    pub(crate) depth_bps: f64,
    pub(crate) signals: Signals,
    pub(crate) predicted: f64,
}

const MILLIS_A_DAY: i64 = 86_400_000;

impl Desk {
    /// A flat desk at a step of the market, with what the account made earlier on that day.
    pub(crate) fn open(market: &Market, step: u64, earlier_today: f64) -> Self {
        let day = market.time(step).millis().div_euclid(MILLIS_A_DAY);
        Self { began: step, step, day, worth_at_dawn: -earlier_today, ..Self::default() }
    }

    /// Steps of this run.
    pub(crate) fn steps(&self) -> u64 {
        self.step - self.began
    }

    /// What it is worth at that mid price, in index points.
    pub(crate) fn worth(&self, mid: f64) -> f64 {
        self.cash + self.inventory * mid
    }

    /// Profit or loss of the day; another day begins anew.
    pub(crate) fn day_pnl(&mut self, market: &Market) -> f64 {
        let day = market.time(self.step).millis().div_euclid(MILLIS_A_DAY);
        let worth = self.worth(market.mid(self.step));
        if day != self.day {
            (self.day, self.worth_at_dawn) = (day, worth);
        }
        worth - self.worth_at_dawn
    }

    /// Whether a quote on the side that such an order would hit may stand.
    pub(crate) fn may_be_hit_by(&self, side: Side) -> bool {
        match side {
            Side::Buy => self.inventory > -INVENTORY_MAX,
            Side::Sell => self.inventory < INVENTORY_MAX,
        }
    }

    /// A fill of that size at a distance from mid.
    pub(crate) fn filled(&mut self, side: Side, size: f64, mid: f64, distance: f64) {
        let (bought, price) = match side {
            Side::Buy => (-size, mid * (1.0 + distance)),
            Side::Sell => (size, mid * (1.0 - distance)),
        };
        self.inventory += bought;
        self.cash -= bought * price;
        self.fills += 1;
    }
}
