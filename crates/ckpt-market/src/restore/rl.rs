//! Whether a Q-table fits an agent, and which of its cells.

use super::report::{Aspect, Finding, Misfit, RestoreReport};
use crate::bundle::names;
use crate::component::rl::{QCell, RlTable};

/// What the agent's indices and values mean. The default is the default agent's.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentShape {
    /// What the action indices mean: 1 differences in basis points, 2 parameters. Default: 2.
    pub action_space_version: u32,
    /// Whether the state is the compact one. Default: it is.
    pub compact_state: bool,
    /// Whether the state has a bucket of drift. Default: no.
    pub drift_bucket: bool,
    /// What the values are made of.
    pub reward: RewardConfig,
    /// A table that does not say what its indices mean: it would map to wrong actions. Default: refused.
    pub unknown_indices: Unknown,
    /// A table that does not say what its values are made of. Default: accepted, and told.
    pub unknown_reward: Unknown,
}

/// What to do about a table that does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Take it for a table that does not fit.
    Refuse,
    /// Let it pass and tell.
    Accept,
}

/// The weights that a reward is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RewardConfig {
    /// Weight of the realised edge. Default: 1.
    pub edge_weight: f64,
    /// Weight of the penalty of inventory. Default: 0.1.
    pub inventory_penalty_weight: f64,
    /// Weight of the penalty of volatility. Default: 0.05.
    pub volatility_penalty_weight: f64,
    /// Weight of the change of inventory. Default: 0.05.
    pub inventory_change_weight: f64,
    /// Discount of later rewards. Default: 0.95.
    pub gamma: f64,
}

/// Actions of an agent.
pub const ACTIONS: u32 = 25;
/// States of the compact kind: inventory 5, volatility 3, imbalance 3.
pub const COMPACT_STATES: u32 = 45;
/// States of the full kind, with or without drift: without it the index has the middle bucket, so it reaches as far.
pub const FULL_STATES: u32 = 2025;

impl AgentShape {
    /// How many states there are.
    pub fn states(&self) -> u32 {
        if self.compact_state { COMPACT_STATES } else { FULL_STATES }
    }

    /// Writes what the agent's indices and values mean into a table that is saved.
    pub fn mark(&self, table: &mut RlTable) {
        table.action_space_version = self.action_space_version;
        table.use_compact_state = Some(self.compact_state);
        table.use_drift_bucket = Some(self.drift_bucket);
        table.reward_config_hash = self.reward.hash();
    }
}

impl Default for AgentShape {
    fn default() -> Self {
        Self {
            action_space_version: 2,
            compact_state: true,
            drift_bucket: false,
            reward: RewardConfig::default(),
            unknown_indices: Unknown::Refuse,
            unknown_reward: Unknown::Accept,
        }
    }
}

impl RewardConfig {
    /// A hash that every compiler and machine makes the same: FNV-1a with 64 bits over the little-endian bytes of the
    /// five weights, in their order. Never 0, which is unknown.
    ///
    /// ```
    /// assert_eq!(ckpt_market::restore::rl::RewardConfig::default().hash(), 0x4f8c_36d1_81a4_f166);
    /// ```
    pub fn hash(self) -> u64 {
        let weights = [
            self.edge_weight,
            self.inventory_penalty_weight,
            self.volatility_penalty_weight,
            self.inventory_change_weight,
            self.gamma,
        ];
        let bytes = weights.iter().flat_map(|weight| weight.to_bits().to_le_bytes());
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        bytes.fold(0xcbf2_9ce4_8422_2325, step).max(1)
    }
}

impl Default for RewardConfig {
    fn default() -> Self {
        Self {
            edge_weight: 1.0,
            inventory_penalty_weight: 0.1,
            volatility_penalty_weight: 0.05,
            inventory_change_weight: 0.05,
            gamma: 0.95,
        }
    }
}

/// Empties a table that does not fit, and drops the cells that can't be used of one that does. What is left is sorted.
pub fn fit(table: &mut RlTable, shape: &AgentShape, report: &mut RestoreReport) {
    if *table == RlTable::default() {
        return;
    }
    let why = misfits(table, shape, report);
    if !why.is_empty() {
        report.note(names::RL_Q_TABLE, Finding::TableRefused { why, cells: table.q_entries.len() });
        *table = RlTable::default();
        return;
    }
    let mut dropped = [0; 3];
    let in_range = |cell: &QCell| cell.state_index < shape.states() && cell.action_index < ACTIONS;
    table.q_entries.retain(|cell| {
        let keeps = [in_range(cell), cell.is_usable(), cell.is_known()];
        let fault = keeps.iter().position(|keep| !keep);
        if let Some(fault) = fault {
            dropped[fault] += 1;
        }
        fault.is_none()
    });
    table.sort();
    let before = table.q_entries.len();
    // The sort is stable, so of several with one index the last given comes first from behind.
    table.q_entries.reverse();
    table.q_entries.dedup_by_key(|cell| cell.index());
    table.q_entries.reverse();
    let duplicate = before - table.q_entries.len();
    let [out_of_range, unusable, unknown] = dropped;
    if out_of_range + unusable + unknown + duplicate > 0 {
        report.note(names::RL_Q_TABLE, Finding::CellsDropped { out_of_range, unusable, duplicate, unknown });
        table.total_observations = table.q_entries.iter().fold(0, |sum, cell| sum.saturating_add(cell.n));
    }
}

/// What keeps the table from the agent.
fn misfits(table: &RlTable, shape: &AgentShape, report: &mut RestoreReport) -> Vec<Misfit> {
    let known = |number: u64| (number != 0).then(|| number.to_string());
    let flag = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    let rows = [
        (
            Aspect::ActionSpace,
            known(table.action_space_version.into()),
            shape.action_space_version.to_string(),
            shape.unknown_indices,
        ),
        (
            Aspect::CompactState,
            flag(table.use_compact_state),
            shape.compact_state.to_string(),
            shape.unknown_indices,
        ),
        (
            Aspect::DriftBucket,
            flag(table.use_drift_bucket),
            shape.drift_bucket.to_string(),
            shape.unknown_indices,
        ),
        (
            Aspect::RewardConfig,
            known(table.reward_config_hash),
            shape.reward.hash().to_string(),
            shape.unknown_reward,
        ),
    ];
    let mut misfits = Vec::new();
    for (aspect, found, expected, unknown) in rows {
        match &found {
            Some(same) if *same == expected => {}
            None if unknown == Unknown::Accept => {
                report.note(names::RL_Q_TABLE, Finding::TableUnknown { what: aspect });
            }
            _ => misfits.push(Misfit { aspect, found, expected }),
        }
    }
    misfits
}
