//! One learned parameter: a Bayesian posterior with its prior.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A parameter that is learned: its prior, its posterior, what it was learned from.
///
/// What the two posterior parameters are goes by the family: Beta `(a, b)`, Gamma `(shape, rate)`, Normal `(mean, variance)`,
/// InverseGamma `(shape, scale)`, LogNormal `(mean, variance)` of the logarithm.
///
/// It has no default of its own, each of the 26 has one: what a document lacks of a parameter is that of its place in
/// `LearnedParams`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = nothing_required))]
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
        let variance = libm::log1p(variation * variation);
        let posterior = (libm::log(mean) - variance / 2.0, variance);
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

impl fmt::Display for BayesianParam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} ({:?}, n = {})", self.name, self.estimate(), self.family, self.n_observations)
    }
}

/// A parameter as a document may have it, without some of its fields.
#[derive(Default, Deserialize)]
#[serde(default, rename = "BayesianParam")]
pub(super) struct StoredParam {
    #[serde(deserialize_with = "some")]
    name: Option<String>,
    #[serde(deserialize_with = "some")]
    family: Option<Family>,
    #[serde(deserialize_with = "some")]
    prior_mean: Option<f64>,
    #[serde(deserialize_with = "some")]
    prior_strength: Option<f64>,
    #[serde(deserialize_with = "some")]
    posterior_param1: Option<f64>,
    #[serde(deserialize_with = "some")]
    posterior_param2: Option<f64>,
    #[serde(deserialize_with = "some")]
    n_observations: Option<u64>,
    #[serde(deserialize_with = "some")]
    sum_x: Option<f64>,
    #[serde(deserialize_with = "some")]
    sum_x2: Option<f64>,
}

impl StoredParam {
    /// With what it lacks taken from the default of its place.
    pub(super) fn or(self, own: BayesianParam) -> BayesianParam {
        BayesianParam {
            name: self.name.unwrap_or(own.name),
            family: self.family.unwrap_or(own.family),
            prior_mean: self.prior_mean.unwrap_or(own.prior_mean),
            prior_strength: self.prior_strength.unwrap_or(own.prior_strength),
            posterior_param1: self.posterior_param1.unwrap_or(own.posterior_param1),
            posterior_param2: self.posterior_param2.unwrap_or(own.posterior_param2),
            n_observations: self.n_observations.unwrap_or(own.n_observations),
            sum_x: self.sum_x.unwrap_or(own.sum_x),
            sum_x2: self.sum_x2.unwrap_or(own.sum_x2),
        }
    }
}

/// A value that is there is one of its type: a `null` is none.
fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Each field may be absent, and its default is in that of the whole parameter, where the schema refers to this one.
#[cfg(feature = "schema")]
fn nothing_required(schema: &mut schemars::Schema) {
    schema.remove("required");
}

#[cfg(test)]
mod tests {
    use super::*;

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
