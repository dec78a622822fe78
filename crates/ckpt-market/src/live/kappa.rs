//! Kappa over a rolling window, and what a restore does without that window.
//!
//! The window itself is not stored. What it held is carried apart from the new window and fades evenly over the length of a
//! window: were it counted as if it were in there, the first expiry would take away what is not there.
//!
//! Of what is carried nobody knows when it happened, so each restart takes it for spread evenly over a window. Where fills come
//! steadily it is. Where they stop, what is left after a time `t` in which the process restarts over and over is at most
//! `exp(-t / window)` of it rather than nothing from a window on, provided that each save looks at the clock first
//! ([`expire`](KappaEstimator::expire)) and that each restart says when that was
//! ([`carried_since`](KappaEstimator::carried_since)): what a save holds is what counted when the clock was looked at last.

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

    /// Forgets fills that left the window, and as much of what was carried as would have left it. A save has no clock: call it right
    /// before one, or what was over since the last fill is saved as if it counted.
    pub fn expire(&mut self, now_ms: u64) {
        let window_ms = self.window_ms;
        while self.window.pop_front_if(|(at, _)| now_ms.saturating_sub(*at) > window_ms).is_some() {}
        // A time in the future counts as now.
        let since = self.carried.since_ms.map_or(now_ms, |since| since.min(now_ms));
        self.carried.since_ms = Some(since);
        let left = 1.0 - (now_ms.saturating_sub(since) as f64 / window_ms as f64).min(1.0);
        let whole = self.carried.whole;
        // A clock that is set back brings nothing back.
        let count = ((whole.count as f64 * left).floor() as u64).min(self.carried.now.count);
        // The distances that stay are as large on average as they were.
        let share = if whole.count == 0 { 0.0 } else { count as f64 / whole.count as f64 };
        let (distances, squares) = (whole.distances * share, whole.squares * share);
        self.carried.now = Sums { count, distances, squares };
    }

    /// What was restored was saved at that time, and fades from then on: `metadata.timestamp_ms` of its bundle. Without it the fading
    /// begins with the first fill or expiry after the restore, as if no time had passed in between; a process that dies each time
    /// before there is a second one would carry its window for ever.
    ///
    /// ```
    /// use ckpt_market::component::kappa::Kappa;
    /// use ckpt_market::live::{LiveComponent as _, kappa::KappaEstimator};
    ///
    /// let saved = Kappa { observation_count: 40, sum_distances: 0.08, ..Kappa::default() };
    /// let mut kappa = KappaEstimator::new(60_000);
    /// kappa.restore_checkpoint(&saved);
    /// kappa.carried_since(1_000_000);
    /// kappa.expire(1_030_000);
    /// assert_eq!(kappa.observations(), 20);
    /// ```
    pub fn carried_since(&mut self, saved_at_ms: u64) {
        self.carried.since_ms = Some(saved_at_ms);
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
