//! Learned parameters: 26 Bayesian posteriors that the quoting goes by.

mod param;

use serde::{Deserialize, Deserializer, Serialize};

use self::param::StoredParam;
pub use self::param::{BayesianParam, Family};

macro_rules! learned_params {
    ($($(#[doc = $doc:literal])+ $name:ident [$unit:literal]: $family:ident($mean:literal, $second:literal);)*) => {
        /// The parameters, each with the prior that is its default.
        ///
        /// Left out: the time of the last calibration. The next one sets it.
        #[derive(Debug, Clone, PartialEq, Serialize)]
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

        // Not derived: what one of the parameters lacks is in the default of its own field.
        impl<'de> Deserialize<'de> for LearnedParams {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                #[derive(Default, Deserialize)]
                #[serde(default, rename = "LearnedParams")]
                struct Stored {
                    $($name: StoredParam,)*
                    total_fills_observed: u64,
                }

                let stored = Stored::deserialize(from)?;
                let own = Self::default();
                Ok(Self {
                    $($name: stored.$name.or(own.$name),)*
                    total_fills_observed: stored.total_fills_observed,
                })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_parameter_lacks_is_its_own_and_a_null_is_no_lack() {
        let read = |text: &str| serde_json::from_str::<LearnedParams>(text);
        let lacking = read(r#"{"kappa": {"n_observations": 7}}"#).unwrap();
        let kappa = BayesianParam { n_observations: 7, ..LearnedParams::default().kappa };
        assert_eq!(lacking, LearnedParams { kappa, ..LearnedParams::default() });
        for text in [r#"{"kappa": {"sum_x": null}}"#, r#"{"kappa": {"name": null}}"#, r#"{"kappa": null}"#] {
            assert!(read(text).unwrap_err().to_string().contains("null"), "{text}");
        }
    }

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
}
