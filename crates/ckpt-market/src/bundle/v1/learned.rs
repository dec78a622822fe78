//! Version 1 of the learned parameters, as they were. Frozen.

use serde::{Deserialize, Serialize};

use crate::component::first_version;
use crate::component::learned::{BayesianParam, Family, LearnedParams};

/// A parameter that is learned, version 1: what a document lacks of it is that of no parameter in particular.
///
/// What the two posterior parameters are goes by the family: Beta `(a, b)`, Gamma `(shape, rate)`, Normal `(mean, variance)`,
/// InverseGamma `(shape, scale)`, LogNormal `(mean, variance)` of the logarithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct BayesianParamV1 {
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

/// A standard normal without a name.
impl Default for BayesianParamV1 {
    fn default() -> Self {
        BayesianParam::normal("", 0.0, 1.0).into()
    }
}

/// From one version to the other, both ways: the fields are the same.
macro_rules! same_fields {
    ($one:ident, $other:ident: $($field:ident),*) => {
        impl From<$one> for $other {
            fn from(one: $one) -> Self {
                Self { $($field: one.$field.into(),)* }
            }
        }

        impl From<$other> for $one {
            fn from(other: $other) -> Self {
                Self { $($field: other.$field.into(),)* }
            }
        }
    };
}
same_fields!(
    BayesianParam,
    BayesianParamV1: name,
    family,
    prior_mean,
    prior_strength,
    posterior_param1,
    posterior_param2,
    n_observations,
    sum_x,
    sum_x2
);

macro_rules! learned_params {
    ($($(#[doc = $doc:literal])+ $name:ident [$unit:literal]: $family:ident($mean:literal, $second:literal);)*) => {
        /// The parameters of version 1, each with the prior that is its default.
        ///
        /// Left out: the time of the last calibration. The next one sets it.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(default)]
        pub struct LearnedParamsV1 {
            $(
                $(#[doc = $doc])+
                #[cfg_attr(feature = "schema", schemars(extend("x-unit" = $unit)))]
                pub $name: BayesianParamV1,
            )*
            /// Fills that any of them learned from, a count. The warm-up is complete from 100 on.
            pub total_fills_observed: u64,
        }

        impl Default for LearnedParamsV1 {
            fn default() -> Self {
                Self {
                    $($name: BayesianParam::$family(stringify!($name), $mean, $second).into(),)*
                    total_fills_observed: 0,
                }
            }
        }

        same_fields!(LearnedParams, LearnedParamsV1: $($name,)* total_fills_observed);
    };
}

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

first_version!(LearnedParamsV1, "learned_params");
