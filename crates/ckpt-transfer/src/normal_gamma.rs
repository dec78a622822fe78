//! A normal-gamma posterior of the value of an action: `docs/TRANSFER.md`, section 3.

use serde::{Deserialize, Serialize};

use crate::blend::Cell;
use crate::config::Weight;

/// The variance while the posterior has none.
const VARIANCE_UNKNOWN: f64 = 100.0;

/// What is believed of a mean reward, and how surely. The default knows nothing.
///
/// The conjugate prior of a normal distribution of which neither mean nor precision is known: K. P. Murphy, "Conjugate Bayesian
/// analysis of the Gaussian distribution", 2007, section 3.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NormalGamma {
    /// The mean. Default: 0.
    pub mean: f64,
    /// Observations that the mean is worth. Default: 0.01.
    pub kappa: f64,
    /// Shape of the precision; at least 1. Default: 1.
    pub alpha: f64,
    /// Rate of the precision, in squared units of the reward. Default: 1.
    pub beta: f64,
    /// Own observations. Default: 0.
    pub n: u64,
}

impl NormalGamma {
    /// Learns from a reward.
    pub fn observe(&mut self, reward: f64) {
        let kappa = self.kappa + 1.0;
        let distance = reward - self.mean;
        self.beta += distance * distance * self.kappa / (2.0 * kappa);
        self.mean = (self.kappa * self.mean + reward) / kappa;
        self.alpha += 0.5;
        self.kappa = kappa;
        self.n += 1;
    }

    /// The variance of the mean: `beta / ((alpha - 1) kappa)`, and 100 while alpha is not above 1.
    pub fn variance(&self) -> f64 {
        if self.alpha > 1.0 { self.beta / ((self.alpha - 1.0) * self.kappa) } else { VARIANCE_UNKNOWN }
    }
}

impl Default for NormalGamma {
    fn default() -> Self {
        Self { mean: 0.0, kappa: 0.01, alpha: 1.0, beta: 1.0, n: 0 }
    }
}

impl Cell for NormalGamma {
    fn observations(&self) -> u64 {
        self.n
    }

    fn discounted(&self, weight: Weight) -> Self {
        let weight = weight.get();
        Self {
            mean: self.mean,
            kappa: weight * self.kappa,
            alpha: 1.0 + weight * (self.alpha - 1.0),
            beta: weight * self.beta,
            n: 0,
        }
    }

    fn is_usable(&self) -> bool {
        let is_positive = |number: f64| number.is_finite() && number > 0.0;
        self.mean.is_finite()
            && is_positive(self.kappa)
            && is_positive(self.beta)
            && self.alpha.is_finite()
            && self.alpha >= 1.0
    }
}
