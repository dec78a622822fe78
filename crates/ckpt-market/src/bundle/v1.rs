//! Version 1 of the kinds that have a second version, as they were, and the bundle that was made of them. Frozen.

mod learned;

use ckpt_format::{Bundle, BundleReader, BundleWriter, EncodeError};
use serde::{Deserialize, Serialize};

pub use self::learned::{BayesianParamV1, LearnedParamsV1};
use super::names;
use crate::component::enhanced::Enhanced;
use crate::component::ensemble::EnsembleWeights;
use crate::component::fill_rate::FillRate;
use crate::component::informed_flow::InformedFlow;
use crate::component::kelly::KellyTracker;
use crate::component::momentum::Momentum;
use crate::component::readiness::PriorVerdict;
use crate::component::regime::RegimeHmm;
use crate::component::vol_filter::VolFilter;
use crate::component::{REGIME_PRIOR, first_version};

/// The bundle of version 1: 17 components, in the order of its origin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MarketBundleV1 {
    /// Version, time, asset, duration.
    pub metadata: MarketMetadataV1,
    /// Learned parameters.
    pub learned_params: LearnedParamsV1,
    /// Classifier before a fill.
    pub pre_fill: PreFillV1,
    /// Classifier with ten features.
    pub enhanced: Enhanced,
    /// Volatility.
    pub vol_filter: VolFilter,
    /// Regime.
    pub regime_hmm: RegimeHmm,
    /// Flow.
    pub informed_flow: InformedFlow,
    /// Fill rate.
    pub fill_rate: FillRate,
    /// Kappa of own fills.
    pub kappa_own: KappaV1,
    /// Kappa of bids.
    pub kappa_bid: KappaV1,
    /// Kappa of asks.
    pub kappa_ask: KappaV1,
    /// Momentum.
    pub momentum: Momentum,
    /// Kelly sizing.
    pub kelly_tracker: KellyTracker,
    /// Ensemble.
    pub ensemble_weights: EnsembleWeights,
    /// Q-table.
    pub rl_q_table: RlTableV1,
    /// Kill switch.
    pub kill_switch: KillSwitchV1,
    /// Readiness.
    pub readiness: ReadinessV1,
}

impl Bundle for MarketBundleV1 {
    fn write(&self, writer: &mut BundleWriter) -> Result<(), EncodeError> {
        writer.put(names::METADATA, &self.metadata)?;
        writer.put(names::LEARNED_PARAMS, &self.learned_params)?;
        writer.put(names::PRE_FILL, &self.pre_fill)?;
        writer.put(names::ENHANCED, &self.enhanced)?;
        writer.put(names::VOL_FILTER, &self.vol_filter)?;
        writer.put(names::REGIME_HMM, &self.regime_hmm)?;
        writer.put(names::INFORMED_FLOW, &self.informed_flow)?;
        writer.put(names::FILL_RATE, &self.fill_rate)?;
        writer.put(names::KAPPA_OWN, &self.kappa_own)?;
        writer.put(names::KAPPA_BID, &self.kappa_bid)?;
        writer.put(names::KAPPA_ASK, &self.kappa_ask)?;
        writer.put(names::MOMENTUM, &self.momentum)?;
        writer.put(names::KELLY_TRACKER, &self.kelly_tracker)?;
        writer.put(names::ENSEMBLE_WEIGHTS, &self.ensemble_weights)?;
        writer.put(names::RL_Q_TABLE, &self.rl_q_table)?;
        writer.put(names::KILL_SWITCH, &self.kill_switch)?;
        writer.put(names::READINESS, &self.readiness)
    }

    fn read(reader: &mut BundleReader<'_>) -> Self {
        Self {
            metadata: reader.take(names::METADATA),
            learned_params: reader.take(names::LEARNED_PARAMS),
            pre_fill: reader.take(names::PRE_FILL),
            enhanced: reader.take(names::ENHANCED),
            vol_filter: reader.take(names::VOL_FILTER),
            regime_hmm: reader.take(names::REGIME_HMM),
            informed_flow: reader.take(names::INFORMED_FLOW),
            fill_rate: reader.take(names::FILL_RATE),
            kappa_own: reader.take(names::KAPPA_OWN),
            kappa_bid: reader.take(names::KAPPA_BID),
            kappa_ask: reader.take(names::KAPPA_ASK),
            momentum: reader.take(names::MOMENTUM),
            kelly_tracker: reader.take(names::KELLY_TRACKER),
            ensemble_weights: reader.take(names::ENSEMBLE_WEIGHTS),
            rl_q_table: reader.take(names::RL_Q_TABLE),
            kill_switch: reader.take(names::KILL_SWITCH),
            readiness: reader.take(names::READINESS),
        }
    }
}

/// Metadata of version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct MarketMetadataV1 {
    /// Always 1.
    pub version: u32,
    /// When the state was taken, in milliseconds since the start of 1970 in UTC; 0 is not said.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "ms since 1970 UTC")))]
    pub timestamp_ms: u64,
    /// The asset.
    pub asset: String,
    /// How long this session has run, in seconds; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "s"), range(min = 0)))]
    pub session_duration_s: f64,
}

impl Default for MarketMetadataV1 {
    fn default() -> Self {
        Self { version: 1, timestamp_ms: 0, asset: String::new(), session_duration_s: 0.0 }
    }
}

first_version!(MarketMetadataV1, "market_metadata");

/// Classifier before a fill, version 1: without the sixth signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PreFillV1 {
    /// Weights of imbalance, flow, regime, funding, changepoint; each 0 to 1.
    pub learned_weights: [f64; 5],
    /// Sums of signal times outcome.
    pub signal_outcome_sum: [f64; 5],
    /// Sums of squared signals; at least 0.
    pub signal_sq_sum: [f64; 5],
    /// Labelled fills learned from, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub learning_samples: u64,
    /// Probabilities of the regimes low, normal, high, extreme; each 0 to 1, 1 together.
    pub regime_probs: [f64; 4],
    /// Running mean of the imbalance signal.
    pub imbalance_ewma_mean: f64,
    /// Running variance of it; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub imbalance_ewma_var: f64,
    /// Running mean of the flow signal.
    pub flow_ewma_mean: f64,
    /// Running variance of it; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub flow_ewma_var: f64,
    /// Running mean of the funding signal.
    pub funding_ewma_mean: f64,
    /// Running variance of it; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub funding_ewma_var: f64,
    /// Trust in the regime at the last update, 0 to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub regime_trust_prev: f64,
    /// Running mean of the regime signal.
    pub regime_ewma_mean: f64,
    /// Running variance of it; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub regime_ewma_var: f64,
    /// Running mean of the changepoint signal.
    pub changepoint_ewma_mean: f64,
    /// Running variance of it; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub changepoint_ewma_var: f64,
    /// Observations behind the running moments, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub normalizer_obs_count: u64,
    /// Predicted less realised adverse selection, in basis points.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "bps")))]
    pub bias_correction_bps: f64,
    /// Fills behind the bias, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub bias_observation_count: u64,
}

impl Default for PreFillV1 {
    fn default() -> Self {
        Self {
            learned_weights: [0.30, 0.25, 0.25, 0.10, 0.10],
            signal_outcome_sum: [0.0; 5],
            signal_sq_sum: [0.0; 5],
            learning_samples: 0,
            regime_probs: REGIME_PRIOR,
            imbalance_ewma_mean: 0.0,
            imbalance_ewma_var: 1.0,
            flow_ewma_mean: 0.0,
            flow_ewma_var: 1.0,
            funding_ewma_mean: 0.0,
            funding_ewma_var: 1.0,
            regime_trust_prev: 1.0,
            regime_ewma_mean: 0.0,
            regime_ewma_var: 1.0,
            changepoint_ewma_mean: 0.0,
            changepoint_ewma_var: 1.0,
            normalizer_obs_count: 0,
            bias_correction_bps: 0.0,
            bias_observation_count: 0,
        }
    }
}

first_version!(PreFillV1, "pre_fill");

/// Kappa of version 1: only the count of the window, which falls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct KappaV1 {
    /// Shape of the prior, a number of fills; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub prior_alpha: f64,
    /// Rate of the prior, the sum of their distances as a fraction of price; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "fraction of price"), extend("exclusiveMinimum" = 0)))]
    pub prior_beta: f64,
    /// Fills in the window, a count that falls as they expire.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub observation_count: u64,
    /// Sum of the distances in the window, as a fraction of price; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "fraction of price"), range(min = 0)))]
    pub sum_distances: f64,
    /// Sum of their squares; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "(fraction of price)^2"), range(min = 0)))]
    pub sum_sq_distances: f64,
    /// Posterior mean of kappa, per unit of distance; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "1/fraction of price"), extend("exclusiveMinimum" = 0)))]
    pub kappa_posterior_mean: f64,
}

impl Default for KappaV1 {
    fn default() -> Self {
        Self {
            prior_alpha: 10.0,
            prior_beta: 0.02,
            observation_count: 0,
            sum_distances: 0.0,
            sum_sq_distances: 0.0,
            kappa_posterior_mean: 500.0,
        }
    }
}

first_version!(KappaV1, "kappa");

/// Q-table of version 1: in no order, only cells with observations, and a hash that differs between compilers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RlTableV1 {
    /// The cells that were observed.
    pub q_entries: Vec<QCellV1>,
    /// Episodes so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub episodes: u64,
    /// Rewards so far, summed, in the reward's unit.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "reward")))]
    pub total_reward: f64,
    /// Updates so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub total_observations: u64,
    /// What the action indices mean: 1 differences in basis points, 2 parameters; 0 is unknown.
    pub action_space_version: u32,
    /// Whether the state is the compact one; the oldest documents do not say.
    pub use_compact_state: Option<bool>,
    /// Hash of the reward's configuration, as the compiler of the day made it; 0 is unknown.
    pub reward_config_hash: u64,
    /// Whether the state has a bucket of drift; the oldest documents do not say.
    pub use_drift_bucket: Option<bool>,
}

/// One cell of version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct QCellV1 {
    /// The state, from 0.
    pub state_index: u64,
    /// The action, from 0.
    pub action_index: u64,
    /// Mean of the value, in the reward's unit.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "reward")))]
    pub mu_n: f64,
    /// Observations that the mean is worth; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub kappa_n: f64,
    /// Shape of the precision; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0)))]
    pub alpha: f64,
    /// Rate of the precision, in squared units of the reward; more than 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "reward^2"), extend("exclusiveMinimum" = 0)))]
    pub beta: f64,
    /// Observations, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub n: u64,
}

impl Default for QCellV1 {
    fn default() -> Self {
        Self { state_index: 0, action_index: 0, mu_n: 0.0, kappa_n: 0.01, alpha: 1.0, beta: 1.0, n: 0 }
    }
}

first_version!(RlTableV1, "rl_q_table");

/// Kill switch of version 1: reasons as text, and the time of the save in place of the trigger's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct KillSwitchV1 {
    /// Whether it is triggered.
    pub triggered: bool,
    /// Why, as it was shown.
    pub trigger_reasons: Vec<String>,
    /// Profit or loss of the day, in the quote currency.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "quote currency")))]
    pub daily_pnl: f64,
    /// Highest profit of the day, in the quote currency.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "quote currency")))]
    pub peak_pnl: f64,
    /// When it was saved, in milliseconds since the start of 1970 in UTC; 0 if it is not triggered.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "ms since 1970 UTC")))]
    pub triggered_at_ms: u64,
}

first_version!(KillSwitchV1, "kill_switch");

/// Readiness of version 1: without the thresholds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ReadinessV1 {
    /// The verdict.
    pub verdict: PriorVerdict,
    /// Observations of the volatility filter, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub vol_observations: u64,
    /// Own fills in the window of kappa, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub kappa_observations: u64,
    /// Labelled fills of the classifier before a fill, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub as_learning_samples: u64,
    /// Observations of the regime model, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub regime_observations: u64,
    /// Fill events of the fill rate, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub fill_rate_observations: u64,
    /// Wins and losses of the Kelly sizing, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub kelly_fills: u64,
    /// How long the session had run, in seconds; at least 0.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "s"), range(min = 0)))]
    pub session_duration_s: f64,
    /// Core estimators that met their threshold, 0 to 5.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 5)))]
    pub estimators_ready: u8,
}

first_version!(ReadinessV1, "readiness");
