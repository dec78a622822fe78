//! The market: the S&P 500 from close to close, and the orders that come to whoever quotes it.
//!
//! Between two closes the mid price goes over a bridge of steps of five seconds. Orders come at random, more of them on the side
//! of those who know where the price will be in half a minute. Everything is a function of seed and step, so that a step that
//! is lived again after a crash is the same.

use ckpt::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;
use rand_distr::{Distribution as _, StandardNormal};

use super::Result;
use super::closes;
use super::random::uniform;

/// Seconds of a step.
pub(crate) const STEP_SECONDS: f64 = 5.0;
/// Steps of a trading day, six and a half hours.
pub(crate) const DAY_STEPS: u64 = 4_680;
/// How far ahead those see who are informed.
pub(crate) const HORIZON_STEPS: u64 = 6;

/// Volatility of a normal quarter of an hour, a fraction per square root of a second: 1.1 % a day.
const SIGMA: f64 = 7e-5;
/// What a quarter of an hour multiplies it by.
const BLOCKS: [f64; 4] = [0.8, 1.0, 1.0, 1.2];
const BLOCK_STEPS: u64 = 180;
/// Days before the last close at which the replay begins.
const DAYS_BACK: usize = 60;

/// Whose orders meet the quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Venue {
    /// Simulated for paper trading: it knows no queue, so it fills too easily.
    Paper,
    /// The market itself, here simulated too.
    Live,
}

/// Which way an order goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// It buys at the ask.
    Buy,
    /// It sells at the bid.
    Sell,
}

/// An order of somebody else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Order {
    /// Seconds since the step began.
    pub(crate) at_seconds: f64,
    /// How far from mid it reaches, a fraction of price.
    pub(crate) reach: f64,
}

/// The orders of one step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Flow {
    /// Those that buy, in the order in which they come.
    pub(crate) buys: Vec<Order>,
    /// Those that sell.
    pub(crate) sells: Vec<Order>,
}

/// Mid prices of some days, and who trades.
#[derive(Debug, Clone)]
pub(crate) struct Market {
    seed: u64,
    opens: Vec<Timestamp>,
    mids: Vec<f64>,
}

impl Venue {
    /// Orders a second on each side.
    fn rate(self) -> f64 {
        match self {
            Self::Paper => 0.15,
            Self::Live => 0.12,
        }
    }

    /// How fast orders thin out with their reach, per unit of distance.
    fn kappa(self) -> f64 {
        match self {
            Self::Paper => 1_000.0,
            Self::Live => 1_150.0,
        }
    }

    /// Share of the orders that are informed when a move is certain.
    fn informed(self) -> f64 {
        match self {
            Self::Paper => 0.25,
            Self::Live => 0.35,
        }
    }

    /// Name of the streams of random numbers, which differ.
    fn stream(self, step: u64) -> u64 {
        2 * step + u64::from(self == Self::Live)
    }
}

impl Market {
    /// The market of that many days.
    ///
    /// # Errors
    /// If there are not as many closes.
    pub(crate) fn new(seed: u64, days: usize) -> Result<Self> {
        let closes = closes::sp500();
        let first = closes.len().saturating_sub(DAYS_BACK);
        let replayed = closes.get(first..first + days + 1).ok_or("there are 59 days to replay")?;
        let (mut opens, mut mids) = (Vec::new(), Vec::new());
        for (day, pair) in replayed.windows(2).enumerate() {
            opens.push(format!("{}T14:30:00Z", pair[1].date).parse()?);
            mids.extend(bridge(seed, day as u64, pair[0].level, pair[1].level));
        }
        mids.extend(replayed.last().map(|close| close.level));
        Ok(Self { seed, opens, mids })
    }

    /// The mid price at which a step begins; after the last day, its close.
    pub(crate) fn mid(&self, step: u64) -> f64 {
        let last = self.mids.len().saturating_sub(1);
        self.mids[usize::try_from(step).unwrap_or(last).min(last)]
    }

    /// When a step begins.
    pub(crate) fn time(&self, step: u64) -> Timestamp {
        let last = self.opens.len().saturating_sub(1);
        let day = usize::try_from(step / DAY_STEPS).unwrap_or(last).min(last);
        let into_day = (step - DAY_STEPS * day as u64) as f64 * STEP_SECONDS;
        Timestamp::from_millis(self.opens[day].millis() + (1e3 * into_day) as i64)
    }

    /// How surely the informed know that the price will rise, from -1 to 1.
    fn known(&self, step: u64) -> f64 {
        let deviation = SIGMA * (STEP_SECONDS * HORIZON_STEPS as f64).sqrt();
        ((self.mid(step + HORIZON_STEPS) / self.mid(step)).ln() / (2.0 * deviation)).clamp(-1.0, 1.0)
    }

    /// What of it shows in the order book: between -1 and 1, and mostly noise.
    pub(crate) fn imbalance(&self, venue: Venue, step: u64) -> f64 {
        let mut random = self.random(venue, step, 1);
        let noise: f64 = StandardNormal.sample(&mut random);
        (0.5 * self.known(step) + 0.4 * noise).clamp(-1.0, 1.0)
    }

    /// The orders of a step.
    pub(crate) fn flow(&self, venue: Venue, step: u64) -> Flow {
        let tilt = venue.informed() * self.known(step);
        let mut random = self.random(venue, step, 2);
        let mut orders = |rate: f64| {
            let mut orders = Vec::new();
            let mut at_seconds = exponential(&mut random, rate);
            while at_seconds < STEP_SECONDS {
                orders.push(Order { at_seconds, reach: exponential(&mut random, venue.kappa()) });
                at_seconds += exponential(&mut random, rate);
            }
            orders
        };
        let buys = orders(venue.rate() * (1.0 + tilt));
        let sells = orders(venue.rate() * (1.0 - tilt));
        Flow { buys, sells }
    }

    /// Random numbers of this step for one purpose.
    pub(crate) fn random(&self, venue: Venue, step: u64, purpose: u64) -> ChaCha8Rng {
        stream(self.seed, (venue.stream(step) << 2) | purpose)
    }
}

/// Exponential with that rate.
fn exponential(random: &mut ChaCha8Rng, rate: f64) -> f64 {
    -(1.0 - uniform(random)).ln() / rate
}

fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    random
}

/// A day of mid prices that begins at one close and would end at the next.
fn bridge(seed: u64, day: u64, from: f64, to: f64) -> Vec<f64> {
    let mut random = stream(seed, (1 << 62) | day);
    let mut walked = vec![(0.0, 0.0)];
    let (mut place, mut variance, mut block) = (0.0, 0.0, 1.0);
    for step in 0..DAY_STEPS {
        if step % BLOCK_STEPS == 0 {
            let drawn = (uniform(&mut random) * BLOCKS.len() as f64) as usize;
            block = BLOCKS[drawn.min(BLOCKS.len() - 1)];
        }
        let deviation = SIGMA * block * STEP_SECONDS.sqrt();
        let normal: f64 = StandardNormal.sample(&mut random);
        place += deviation * normal;
        variance += deviation * deviation;
        walked.push((place, variance));
    }
    // The walk is led to its end in proportion to the variance that it had.
    let missing = (to / from).ln() - place;
    walked.pop();
    walked.into_iter().map(|(at, so_far)| from * (at + missing * so_far / variance).exp()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_one_close_and_goes_on_at_the_next() {
        let market = Market::new(1, 2).unwrap();
        let closes = closes::sp500();
        let first = closes.len() - DAYS_BACK;
        for day in 0..3 {
            let mid = market.mid(DAY_STEPS * day as u64);
            assert!((mid / closes[first + day].level - 1.0).abs() < 1e-12, "day {day}");
        }
        assert_eq!(market.time(DAY_STEPS + 12).seconds_since(market.time(DAY_STEPS)), 60.0);
    }

    #[test]
    fn a_step_that_is_lived_again_is_the_same() {
        let market = Market::new(7, 1).unwrap();
        let flows = |venue| (0..50).map(|step| market.flow(venue, step)).collect::<Vec<_>>();
        assert_eq!(flows(Venue::Live), flows(Venue::Live));
        assert_ne!(flows(Venue::Live), flows(Venue::Paper));
    }
}
