//! Kappa over a rolling window, and what a restore does without that window.
//!
//! The window itself is not stored. What it held is carried apart from the new window and fades evenly over the length of a
//! window: were it counted as if it were in there, the first expiry would take away what is not there.

use std::collections::VecDeque;

use super::LiveComponent;
use crate::component::kappa::Kappa;

/// A Gamma posterior of the fill intensity.
#[derive(Debug, Clone, PartialEq)]
pub struct KappaEstimator {
    prior: (f64, f64),
    window_ms: u64,
    window: VecDeque<(u64, f64)>,
    carried: Carried,
    total: u64,
}

/// What the window of the process before held, and what of it counts now.
#[derive(Debug, Clone, PartialEq, Default)]
struct Carried {
    whole: Sums,
    now: Sums,
    since_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Sums {
    count: u64,
    distances: f64,
    squares: f64,
}

impl KappaEstimator {
    /// A cold estimator with a window of that many milliseconds.
    pub fn new(window_ms: u64) -> Self {
        let Kappa { prior_alpha, prior_beta, .. } = Kappa::default();
        Self {
            prior: (prior_alpha, prior_beta),
            window_ms: window_ms.max(1),
            window: VecDeque::new(),
            carried: Carried::default(),
            total: 0,
        }
    }

    /// Takes in a fill at that distance from mid, a fraction of price. What is no distance is passed over.
    pub fn fill(&mut self, now_ms: u64, distance: f64) {
        if distance.is_finite() && distance >= 0.0 {
            self.window.push_back((now_ms, distance));
            self.total = self.total.saturating_add(1);
        }
        self.expire(now_ms);
    }

    /// Forgets fills that left the window, and as much of what was carried as would have left it.
    pub fn expire(&mut self, now_ms: u64) {
        let window_ms = self.window_ms;
        while self.window.pop_front_if(|(at, _)| now_ms.saturating_sub(*at) > window_ms).is_some() {}
        let since = *self.carried.since_ms.get_or_insert(now_ms);
        let left = 1.0 - (now_ms.saturating_sub(since) as f64 / window_ms as f64).min(1.0);
        let whole = self.carried.whole;
        let count = (whole.count as f64 * left).floor();
        // The distances that stay are as large on average as they were.
        let share = if whole.count == 0 { 0.0 } else { count / whole.count as f64 };
        let (distances, squares) = (whole.distances * share, whole.squares * share);
        self.carried.now = Sums { count: count as u64, distances, squares };
    }

    /// The posterior mean.
    pub fn kappa(&self) -> f64 {
        self.to_checkpoint().kappa_posterior_mean
    }

    /// Fills that count now.
    pub fn observations(&self) -> u64 {
        self.to_checkpoint().observation_count
    }
}

impl LiveComponent for KappaEstimator {
    type Checkpoint = Kappa;

    fn to_checkpoint(&self) -> Kappa {
        let mut sums = self.carried.now;
        for (_, distance) in &self.window {
            sums.count = sums.count.saturating_add(1);
            sums.distances += distance;
            sums.squares += distance * distance;
        }
        let mut kappa = Kappa {
            prior_alpha: self.prior.0,
            prior_beta: self.prior.1,
            observation_count: sums.count,
            sum_distances: sums.distances,
            sum_sq_distances: sums.squares,
            kappa_posterior_mean: 0.0,
            total_observations: self.total,
        };
        let (alpha, beta) = kappa.posterior();
        kappa.kappa_posterior_mean = alpha / beta;
        kappa
    }

    fn restore_checkpoint(&mut self, checkpoint: &Kappa) {
        let whole = Sums {
            count: checkpoint.observation_count,
            distances: checkpoint.sum_distances,
            squares: checkpoint.sum_sq_distances,
        };
        self.prior = (checkpoint.prior_alpha, checkpoint.prior_beta);
        self.window.clear();
        self.carried = Carried { whole, now: whole, since_ms: None };
        self.total = checkpoint.total_observations;
    }
}
