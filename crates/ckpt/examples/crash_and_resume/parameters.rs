//! What is learned: the parameters of a stochastic-volatility model whose level follows a hidden Markov chain.
//!
//! With `r` the log return of day `t` in percent, `h` its log variance and `s` the regime, one of four:
//!
//! ```text
//! s[t]  stays with probability stay[s[t-1]], else moves, sooner to a near level than to a far one
//! h[t]  =  levels[s[t]] + persistence * (h[t-1] - levels[s[t-1]]) + shock * standard normal
//! r[t]  =  drift + exp(h[t] / 2) * standard normal
//! ```
//!
//! Stochastic volatility with a switching level is due to M. K. P. So, K. Lam and W. K. Li, "A Stochastic
//! Volatility Model with Markov Switching", Journal of Business & Economic Statistics 16(2), 1998.

use crate::random::Generator;

/// How many states the hidden Markov chain has.
pub(crate) const REGIMES: usize = 4;

/// What people call the regimes, by rising level of volatility.
pub(crate) const REGIME_NAMES: [&str; REGIMES] = ["calm", "normal", "stressed", "crisis"];

/// How many numbers are learned.
pub(crate) const LEARNED: usize = 3 + 2 * REGIMES;

/// Trading days a year, to show a daily volatility as an annual one.
const DAYS_PER_YEAR: f64 = 252.0;

/// Where a regime leads when it ends: twice as likely for each step that the two levels are nearer.
const EXITS: [[f64; REGIMES]; REGIMES] = [
    [0.0, 4.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0],
    [0.4, 0.0, 0.4, 0.2],
    [0.2, 0.4, 0.0, 0.4],
    [1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0, 0.0],
];

/// One set of parameters. Each particle has its own; learning is that the sets which explain the days survive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Parameters {
    /// Mean log return, percent a day.
    pub(crate) drift: f64,
    /// How much of yesterday's distance from the level stays, in (-1, 1).
    pub(crate) persistence: f64,
    /// Standard deviation of the daily shock to the log variance, above 0.
    pub(crate) shock: f64,
    /// The log variance around which each regime moves, rising strictly: that is what tells the regimes apart.
    pub(crate) levels: [f64; REGIMES],
    /// The probability that a regime lasts another day, in (0, 1).
    pub(crate) stay: [f64; REGIMES],
}

/// The parameters on coordinates where every real number is valid, so that they can be averaged and shaken:
/// drift, log odds of (1 + persistence) / 2, log shock, lowest level, logs of the three steps up, log odds to stay.
pub(crate) type Free = [f64; LEARNED];

impl Parameters {
    /// Tomorrow's regime when today's is `from`, for a number uniform on [0, 1).
    pub(crate) fn next_regime(&self, from: usize, uniform: f64) -> usize {
        let stay = self.stay[from];
        if uniform < stay {
            return from;
        }
        let mut left = (uniform - stay) / (1.0 - stay);
        for (to, share) in EXITS[from].iter().enumerate() {
            left -= share;
            if left < 0.0 {
                return to;
            }
        }
        // Rounding can leave a hair; any neighbour will do.
        if from == 0 { 1 } else { from - 1 }
    }

    /// The volatility around which a regime moves, percent a year.
    pub(crate) fn annual_volatility(&self, regime: usize) -> f64 {
        (DAYS_PER_YEAR * self.levels[regime].exp()).sqrt()
    }

    /// Standard deviation of the log variance around its level.
    pub(crate) fn spread(&self) -> f64 {
        self.shock / (1.0 - self.persistence * self.persistence).sqrt()
    }

    /// Every number: drift, persistence, shock, levels, stay.
    pub(crate) fn values(&self) -> [f64; LEARNED] {
        let mut values = [0.0; LEARNED];
        values[..3].copy_from_slice(&[self.drift, self.persistence, self.shock]);
        values[3..3 + REGIMES].copy_from_slice(&self.levels);
        values[3 + REGIMES..].copy_from_slice(&self.stay);
        values
    }

    /// The inverse of [`Parameters::values`].
    pub(crate) fn from_values(values: [f64; LEARNED]) -> Parameters {
        Parameters {
            drift: values[0],
            persistence: values[1],
            shock: values[2],
            levels: std::array::from_fn(|regime| values[3 + regime]),
            stay: std::array::from_fn(|regime| values[3 + REGIMES + regime]),
        }
    }

    /// The same parameters on free coordinates.
    pub(crate) fn to_free(self) -> Free {
        let mut free = self.values();
        free[1] = 2.0 * self.persistence.atanh();
        free[2] = self.shock.ln();
        for regime in 1..REGIMES {
            free[3 + regime] = (self.levels[regime] - self.levels[regime - 1]).ln();
        }
        for regime in 0..REGIMES {
            free[3 + REGIMES + regime] = (self.stay[regime] / (1.0 - self.stay[regime])).ln();
        }
        free
    }

    /// The inverse of [`Parameters::to_free`], up to rounding.
    pub(crate) fn from_free(free: &Free) -> Parameters {
        let mut values = *free;
        values[1] = (0.5 * free[1]).tanh();
        values[2] = free[2].exp();
        for regime in 1..REGIMES {
            values[3 + regime] = values[3 + regime - 1] + free[3 + regime].exp();
        }
        for value in &mut values[3 + REGIMES..] {
            *value = 1.0 / (1.0 + (-*value).exp());
        }
        Parameters::from_values(values)
    }

    /// A draw from the prior: independent normals on the free coordinates, wide enough for any stock index.
    pub(crate) fn draw_prior(random: &mut Generator) -> Parameters {
        let mut free = prior_centre().to_free();
        for (value, spread) in free.iter_mut().zip(PRIOR_SPREAD) {
            *value += spread * random.normal();
        }
        Parameters::from_free(&free)
    }
}

/// Standard deviations of the prior on the free coordinates.
const PRIOR_SPREAD: Free = [0.05, 0.8, 0.5, 0.4, 0.3, 0.3, 0.3, 0.7, 0.7, 0.7, 0.7];

/// The median of the prior: daily volatilities of half a percent to three and a half, regimes of fifty days.
pub(crate) fn prior_centre() -> Parameters {
    const DAILY_VOLATILITY: [f64; REGIMES] = [0.5, 0.9, 1.7, 3.5];
    Parameters {
        drift: 0.02,
        persistence: 0.9,
        shock: 0.25,
        levels: DAILY_VOLATILITY.map(|daily| 2.0 * daily.ln()),
        stay: [0.98; REGIMES],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn free_coordinates_and_values_go_there_and_back(seed: u64) {
            let drawn = Parameters::draw_prior(&mut Generator::new(seed));
            prop_assert_eq!(Parameters::from_values(drawn.values()), drawn);
            let back = Parameters::from_free(&drawn.to_free());
            for (back, drawn) in back.values().iter().zip(drawn.values()) {
                prop_assert!((back - drawn).abs() < 1e-9, "{} is not {}", back, drawn);
            }
        }

        #[test]
        fn every_draw_of_the_prior_is_valid(seed: u64) {
            let drawn = Parameters::draw_prior(&mut Generator::new(seed));
            prop_assert!(drawn.persistence.abs() < 1.0 && drawn.shock > 0.0);
            prop_assert!(drawn.levels.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(drawn.stay.iter().all(|&stay| stay > 0.0 && stay < 1.0));
        }
    }

    #[test]
    fn regimes_stay_and_leave_as_often_as_the_chain_says() {
        let mut random = Generator::new(3);
        let world = Parameters { stay: [0.6; REGIMES], ..prior_centre() };
        for (from, exits) in EXITS.iter().enumerate() {
            let mut counts = [0.0; REGIMES];
            for _ in 0..100_000 {
                counts[world.next_regime(from, random.uniform())] += 1.0 / 100_000.0;
            }
            for to in 0..REGIMES {
                let expected = if to == from { 0.6 } else { 0.4 * exits[to] };
                let found: f64 = counts[to];
                assert!((found - expected).abs() < 0.01, "{from} to {to}: {found}, not {expected}");
            }
        }
    }
}
