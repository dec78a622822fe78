//! The model to beat: returns that are normal with one mean and one variance for ever.

use serde::{Deserialize, Serialize};

/// Mean and variance of all days so far (Welford's recursion), which are the maximum-likelihood estimates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Constant {
    /// Days seen.
    days: u64,
    /// Mean log return, percent.
    mean: f64,
    /// Sum of the squared deviations from the mean.
    squares: f64,
}

impl Constant {
    /// The logarithm of the density that the days so far give to this return: flat at 0 until there are two.
    pub(crate) fn log_density(&self, log_return: f64) -> f64 {
        if self.days < 2 || self.squares <= 0.0 {
            return 0.0;
        }
        let variance = self.squares / self.days as f64;
        let surprise = log_return - self.mean;
        -0.5 * ((std::f64::consts::TAU * variance).ln() + surprise * surprise / variance)
    }

    /// Takes one more day in.
    pub(crate) fn observe(&mut self, log_return: f64) {
        self.days += 1;
        let surprise = log_return - self.mean;
        self.mean += surprise / self.days as f64;
        self.squares += surprise * (log_return - self.mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recursion_gives_mean_and_variance() {
        let mut constant = Constant::default();
        assert_eq!(constant.log_density(1.0), 0.0);
        [1.0, 2.0, 4.0, 5.0].into_iter().for_each(|log_return| constant.observe(log_return));
        // Mean 3, variance 2.5: at the mean the density is 1 / sqrt(tau * 2.5).
        let expected = -0.5 * (std::f64::consts::TAU * 2.5).ln();
        assert!((constant.log_density(3.0) - expected).abs() < 1e-12);
        assert!((constant.log_density(4.0) - (expected - 0.2)).abs() < 1e-12);
    }
}
