//! Learned parameters: 26 Bayesian posteriors that the quoting goes by.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::first_version;

/// A parameter that is learned: its prior, its posterior, what it was learned from.
///
/// What the two posterior parameters are goes by the family: Beta `(a, b)`, Gamma `(shape, rate)`, Normal `(mean, variance)`,
/// InverseGamma `(shape, scale)`, LogNormal `(mean, variance)` of the logarithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct BayesianParam {
    /// Name of the parameter.
    pub name: String,
    /// Family of prior and posterior.
    pub family: Family,
    /// Mean of the prior, in the parameter's unit.
    pub prior_mean: f64,
    /// Weight of the prior, in observations; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub prior_strength: f64,
    /// First parameter of the posterior.
    pub posterior_param1: f64,
    /// Second parameter of the posterior; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub posterior_param2: f64,
    /// Observations so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub n_observations: u64,
    /// Sum of the observations, in the parameter's unit (of their logarithms for LogNormal).
    pub sum_x: f64,
    /// Sum of their squares; at least 0.
    #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
    pub sum_x2: f64,
}

/// A family of distributions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Family {
    /// Of a fraction from 0 to 1.
    Beta,
    /// Of a rate.
    Gamma,
    /// Of any number.
    #[default]
    Normal,
    /// Of a variance.
    InverseGamma,
    /// Of a multiplier.
    LogNormal,
}

impl BayesianParam {
    /// Of a fraction; the mean is brought into 0.001 to 0.999.
    pub fn beta(name: &str, mean: f64, strength: f64) -> Self {
        let mean = mean.clamp(0.001, 0.999);
        Self::new(name, Family::Beta, mean, strength, (mean * strength, (1.0 - mean) * strength))
    }

    /// Of a rate; the mean is at least 0.001.
    pub fn gamma(name: &str, mean: f64, strength: f64) -> Self {
        let mean = mean.max(0.001);
        Self::new(name, Family::Gamma, mean, strength, (strength, strength / mean))
    }

    /// Of any number; the variance is at least 1e-10.
    pub fn normal(name: &str, mean: f64, variance: f64) -> Self {
        let variance = variance.max(1e-10);
        Self::new(name, Family::Normal, mean, 1.0 / variance, (mean, variance))
    }

    /// Of a variance; the shape is half the strength, at least 2.
    pub fn inverse_gamma(name: &str, mean: f64, strength: f64) -> Self {
        let shape = (strength / 2.0).max(2.0);
        Self::new(name, Family::InverseGamma, mean, strength, (shape, mean * (shape - 1.0)))
    }

    /// Of a multiplier, by its mean and its coefficient of variation.
    pub fn log_normal(name: &str, mean: f64, variation: f64) -> Self {
        let variance = (variation * variation).ln_1p();
        let posterior = (mean.ln() - variance / 2.0, variance);
        Self::new(name, Family::LogNormal, mean, 1.0 / variance.sqrt(), posterior)
    }

    fn new(name: &str, family: Family, prior_mean: f64, prior_strength: f64, posterior: (f64, f64)) -> Self {
        let (posterior_param1, posterior_param2) = posterior;
        Self {
            name: name.to_owned(),
            family,
            prior_mean,
            prior_strength,
            posterior_param1,
            posterior_param2,
            n_observations: 0,
            sum_x: 0.0,
            sum_x2: 0.0,
        }
    }

    /// The posterior's mean, in the parameter's unit.
    pub fn estimate(&self) -> f64 {
        let (first, second) = (self.posterior_param1, self.posterior_param2);
        match self.family {
            Family::Beta => first / (first + second),
            Family::Gamma => first / second.max(1e-10),
            Family::Normal => first,
            Family::InverseGamma if first > 1.0 => second / (first - 1.0),
            Family::InverseGamma => self.prior_mean,
            Family::LogNormal => (first + second / 2.0).exp(),
        }
    }

    /// Share of the data in the estimate, 0 to 1.
    pub fn data_weight(&self) -> f64 {
        let observations = self.n_observations as f64;
        observations / (observations + self.prior_strength)
    }

    /// Whether the posterior is one of its family: finite, with shapes, rates and variances above 0.
    pub fn is_usable(&self) -> bool {
        let numbers = [self.prior_mean, self.prior_strength, self.posterior_param1, self.sum_x, self.sum_x2];
        let positive_first = !matches!(self.family, Family::Normal | Family::LogNormal);
        let second = self.posterior_param2;
        numbers.iter().all(|number| number.is_finite())
            && second.is_finite()
            && second > 0.0
            && (!positive_first || self.posterior_param1 > 0.0)
            && self.estimate().is_finite()
    }
}

/// No parameter in particular: a standard normal without a name. The 26 have defaults of their own in [`LearnedParams`]; one
/// that came back with fields missing no longer has its family, and restoring puts its own default in its place.
impl Default for BayesianParam {
    fn default() -> Self {
        Self::normal("", 0.0, 1.0)
    }
}

impl fmt::Display for BayesianParam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} ({:?}, n = {})", self.name, self.estimate(), self.family, self.n_observations)
    }
}

macro_rules! learned_params {
    ($($(#[doc = $doc:literal])+ $name:ident [$unit:literal]: $family:ident($mean:literal, $second:literal);)*) => {
        /// The parameters, each with the prior that is its default.
        ///
        /// Left out: the time of the last calibration. The next one sets it.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(default)]
        pub struct LearnedParams {
            $(
                $(#[doc = $doc])+
                #[cfg_attr(feature = "schema", schemars(extend("x-unit" = $unit)))]
                pub $name: BayesianParam,
            )*
            /// Fills that any of them learned from, a count. The warm-up is complete from 100 on.
            pub total_fills_observed: u64,
        }

        impl Default for LearnedParams {
            fn default() -> Self {
                Self {
                    $($name: BayesianParam::$family(stringify!($name), $mean, $second),)*
                    total_fills_observed: 0,
                }
            }
        }

        impl LearnedParams {
            /// Every parameter with the name of its field.
            pub fn each(&self) -> Vec<(&'static str, &BayesianParam)> {
                vec![$((stringify!($name), &self.$name),)*]
            }

            /// The same, to change them.
            pub fn each_mut(&mut self) -> Vec<(&'static str, &mut BayesianParam)> {
                vec![$((stringify!($name), &mut self.$name),)*]
            }
        }
    };
}

// The second number: strength of Beta, Gamma and InverseGamma, variance of Normal, coefficient of variation of LogNormal.
learned_params! {
    /// Probability that a fill at the touch is informed, 0 to 1.
    alpha_touch ["fraction"]: beta(0.25, 8.0);
    /// Base risk aversion; at least 0.1.
    gamma_base ["risk aversion"]: gamma(0.15, 3.0);
    /// Least spread, in basis points; at least 0.
    spread_floor_bps ["bps"]: normal(5.0, 4.0);
    /// Skew for each unit of momentum, in basis points.
    proactive_skew_sensitivity ["bps"]: normal(2.0, 0.25);
    /// Edge below which no quote is made, as a fraction, 0 to 1.
    quote_gate_edge_threshold ["fraction"]: beta(0.15, 100.0);
    /// Multiplier of risk aversion in toxic hours; more than 0.
    toxic_hour_gamma_mult ["ratio"]: log_normal(2.0, 0.3);
    /// Moves of sigma by which a changepoint shifts the quotes.
    predictive_bias_sensitivity ["sigma"]: normal(2.0, 1.0);
    /// Greatest loss in a day, as a fraction of capital, 0 to 1.
    max_daily_loss_fraction ["fraction"]: beta(0.02, 50.0);
    /// Greatest drawdown, as a fraction of the peak, 0 to 1.
    max_drawdown ["fraction"]: beta(0.05, 20.0);
    /// Drop of open interest that means a cascade, as a fraction, 0 to 1.
    cascade_oi_threshold ["fraction"]: beta(0.02, 100.0);
    /// Hazard of a changepoint, per observation; more than 0.
    bocpd_hazard_rate ["1/observation"]: gamma(0.004, 1.0);
    /// Probability from which a changepoint counts, 0 to 1.
    bocpd_threshold ["fraction"]: beta(0.7, 10.0);
    /// Move below which quotes stay, in basis points.
    quote_latch_threshold_bps ["bps"]: normal(2.5, 1.0);
    /// Fill intensity, per unit of distance; at least 1.
    kappa ["1/fraction of price"]: gamma(2000.0, 4.0);
    /// Base intensity of the Hawkes process, per second; more than 0.
    hawkes_mu ["1/s"]: gamma(0.5, 5.0);
    /// Excitation of the Hawkes process, a fraction, 0 to 1.
    hawkes_alpha ["fraction"]: beta(0.3, 10.0);
    /// Decay of the Hawkes process, per second; more than 0.
    hawkes_beta ["1/s"]: gamma(0.1, 1.0);
    /// Weight of the past in the average of kappa, 0 to 1.
    kappa_ewma_alpha ["fraction"]: beta(0.9, 100.0);
    /// Weight of the past in the Kelly averages, 0 to 1.
    kelly_tracker_decay ["fraction"]: beta(0.99, 100.0);
    /// Probability that a regime stays, 0 to 1.
    regime_sticky_diagonal ["fraction"]: beta(0.95, 100.0);
    /// Process noise of the Kalman filter, a variance of relative price; more than 0.
    kalman_q ["squared fraction of price"]: inverse_gamma(1e-8, 20.0);
    /// Measurement noise of the Kalman filter, a variance of relative price; more than 0.
    kalman_r ["squared fraction of price"]: inverse_gamma(2.5e-9, 20.0);
    /// Momentum that counts as one, in basis points; more than 0.
    momentum_normalizer_bps ["bps"]: gamma(20.0, 4.0);
    /// Ratio of the depths of neighbouring levels; more than 0.
    depth_spacing_ratio ["ratio"]: log_normal(1.5, 0.2);
    /// Depth over which the probability of a fill falls, in basis points.
    fill_probability_width_bps ["bps"]: normal(2.0, 0.25);
    /// Weight of the past in the microprice, 0 to 1.
    microprice_decay ["fraction"]: beta(0.999, 1000.0);
}

impl LearnedParams {
    /// For a liquid market.
    pub fn liquid() -> Self {
        Self {
            alpha_touch: BayesianParam::beta("alpha_touch", 0.20, 10.0),
            kappa: BayesianParam::gamma("kappa", 3000.0, 5.0),
            spread_floor_bps: BayesianParam::normal("spread_floor_bps", 4.0, 1.0),
            ..Self::default()
        }
    }

    /// For a thin market of a decentralised exchange.
    pub fn thin() -> Self {
        Self {
            alpha_touch: BayesianParam::beta("alpha_touch", 0.30, 6.0),
            kappa: BayesianParam::gamma("kappa", 1000.0, 3.0),
            spread_floor_bps: BayesianParam::normal("spread_floor_bps", 8.0, 4.0),
            regime_sticky_diagonal: BayesianParam::beta("regime_sticky_diagonal", 0.98, 100.0),
            ..Self::default()
        }
    }
}

first_version!(LearnedParams, "learned_params");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_default_estimates_its_prior_mean_and_is_usable() {
        let params = LearnedParams::default();
        assert_eq!(params.each().len(), 26);
        for (name, param) in params.each() {
            assert_eq!(param.name, name);
            assert!(param.is_usable(), "{param}");
            let error = (param.estimate() / param.prior_mean - 1.0).abs();
            assert!(error < 1e-12, "{param} has a prior mean of {}", param.prior_mean);
        }
    }

    #[test]
    fn a_posterior_that_is_none_of_its_family_is_not_usable() {
        let beta = BayesianParam::beta("a", 0.5, 2.0);
        for (first, second) in [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            let param = BayesianParam { posterior_param1: first, posterior_param2: second, ..beta.clone() };
            assert!(!param.is_usable(), "{first}, {second}");
        }
        assert!(BayesianParam::normal("a", -3.0, 1.0).is_usable());
    }
}
