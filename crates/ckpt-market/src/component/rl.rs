//! The learning agent's table of values.

use serde::{Deserialize, Serialize};

/// The cells of the Q-table that know something, with what is needed to tell whether they fit an agent.
///
/// In a checkpoint the cells are sorted by state and action, each once.
///
/// Left out: cells that say nothing, recent rewards, actions whose outcome is not known yet. Such cells are fresh; the rest comes
/// with the next actions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RlTable {
    /// The cells that were observed or seeded.
    pub q_entries: Vec<QCell>,
    /// Episodes so far, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub episodes: u64,
    /// Rewards so far, summed, in the reward's unit.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "reward")))]
    pub total_reward: f64,
    /// Updates so far: the sum of all `n`, a count.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub total_observations: u64,
    /// What the action indices mean: 1 differences in basis points, 2 parameters; 0 is unknown.
    pub action_space_version: u32,
    /// What the state indices mean: compact (45 states) or full; unknown if it is not said.
    pub use_compact_state: Option<bool>,
    /// Hash of the reward's configuration; 0 is unknown.
    pub reward_config_hash: u64,
    /// Whether the state has a bucket of drift; unknown if it is not said.
    pub use_drift_bucket: Option<bool>,
}

/// One cell: a normal-gamma posterior of the value of an action in a state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct QCell {
    /// The state, from 0: below 45 if it is compact, else below 2025.
    pub state_index: u32,
    /// The action, from 0: below 25.
    pub action_index: u32,
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
    /// Own observations, a count; 0 in a cell that was only seeded.
    #[cfg_attr(feature = "schema", schemars(extend("x-unit" = "count")))]
    pub n: u64,
    /// Whether its prior came from another system.
    pub seeded: bool,
}

impl RlTable {
    /// Sorts the cells by state and action. Of several with one index the last stays last.
    pub fn sort(&mut self) {
        self.q_entries.sort_by_key(QCell::index);
    }

    /// Whether they are sorted, each once.
    pub fn is_sorted(&self) -> bool {
        self.q_entries.is_sorted_by(|one, next| one.index() < next.index())
    }
}

impl QCell {
    /// A cell of which nothing is known.
    pub fn fresh(state_index: u32, action_index: u32) -> Self {
        Self { state_index, action_index, ..Self::default() }
    }

    /// State and action.
    pub fn index(&self) -> (u32, u32) {
        (self.state_index, self.action_index)
    }

    /// Whether it says more than a fresh one: it was observed or seeded. Only such cells are kept.
    pub fn is_known(&self) -> bool {
        self.n > 0 || self.seeded
    }

    /// Whether its numbers are a posterior: finite, and all but the mean above 0.
    pub fn is_usable(&self) -> bool {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        self.mu_n.is_finite() && positive(self.kappa_n) && positive(self.alpha) && positive(self.beta)
    }
}

impl Default for QCell {
    fn default() -> Self {
        Self {
            state_index: 0,
            action_index: 0,
            mu_n: 0.0,
            kappa_n: 0.01,
            alpha: 1.0,
            beta: 1.0,
            n: 0,
            seeded: false,
        }
    }
}
