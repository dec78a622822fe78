//! Whether a metric improved enough for a checkpoint: `docs/POLICY.md`, section 2.

use ckpt_format::Direction;
use serde::Serialize;

/// A metric that is watched, and what counts as an improvement of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Monitor {
    /// Its name.
    pub metric: String,
    /// Which way it gets better.
    pub direction: Direction,
    /// The least gain as a share of the best value's magnitude. Default: 0.02.
    pub least_gain_relative: f64,
    /// The least gain in the metric's own unit. Default: 0.
    pub least_gain_absolute: f64,
}

impl Monitor {
    /// Watches this metric with the default gains.
    pub fn new(metric: impl Into<String>, direction: Direction) -> Self {
        Self { metric: metric.into(), direction, least_gain_relative: 0.02, least_gain_absolute: 0.0 }
    }
}
