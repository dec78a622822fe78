//! The Q-learning agent: it draws from what it believes of each action and takes the best draw.

use std::collections::BTreeMap;

use ckpt::transfer::NormalGamma;
use ckpt_market::component::rl::{QCell, RlTable};
use ckpt_market::live::LiveComponent;
use ckpt_market::restore::rl::{ACTIONS, AgentShape};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

/// What an action multiplies the half spread by.
const SPREADS: [f64; 5] = [0.8, 0.9, 1.0, 1.15, 1.3];
/// What it multiplies the skew by.
const SKEWS: [f64; 5] = [0.0, 0.5, 1.0, 1.5, 2.0];
/// The action that changes nothing.
const NEUTRAL: u32 = 12;
/// How much better than that a draw must be, so that an agent that knows nothing leaves the quotes alone.
const MARGIN: f64 = 0.5;
/// One step in so many tries an action at random.
const TRIES: f64 = 0.1;

/// A table of values by state and action.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Agent {
    shape: AgentShape,
    cells: BTreeMap<(u32, u32), QCell>,
    episodes: u64,
    total_reward: f64,
}

impl Agent {
    /// The compact state: five buckets of inventory (of its limit), three of volatility, three of imbalance.
    pub(crate) fn state(inventory: f64, volatile: f64, imbalance: f64) -> u32 {
        let inventory = bucket(inventory, &[-0.6, -0.2, 0.2, 0.6]);
        let volatility = bucket(volatile, &[0.2, 0.6]);
        let imbalance = bucket(imbalance, &[-0.3, 0.3]);
        (inventory * 3 + volatility) * 3 + imbalance
    }

    /// What an action multiplies half spread and skew by.
    pub(crate) fn factors(action: u32) -> (f64, f64) {
        let of = |table: &[f64; 5], at: u32| table[(at % 5) as usize];
        (of(&SPREADS, action / 5), of(&SKEWS, action))
    }

    /// Chooses an action.
    pub(crate) fn choose(&self, state: u32, random: &mut ChaCha8Rng) -> u32 {
        if super::random::uniform(random) < TRIES {
            return (super::random::uniform(random) * f64::from(ACTIONS)) as u32;
        }
        let mut best = (NEUTRAL, f64::NEG_INFINITY);
        for action in 0..ACTIONS {
            let normal: f64 = StandardNormal.sample(random);
            let draw = match self.cells.get(&(state, action)) {
                Some(cell) => {
                    let value = value(cell);
                    value.mean + normal * value.variance().sqrt().min(1.0)
                }
                None => 0.0,
            };
            let draw = if action == NEUTRAL { draw + MARGIN } else { draw };
            if draw > best.1 {
                best = (action, draw);
            }
        }
        best.0
    }

    /// Learns what an action led to: its reward, and the state after it.
    pub(crate) fn learn(&mut self, (state, action): (u32, u32), reward: f64, next: u32) {
        let later = (0..ACTIONS).filter_map(|action| self.cells.get(&(next, action))).map(|cell| cell.mu_n);
        let later = later.fold(0.0, f64::max);
        let cell = self.cells.entry((state, action)).or_insert_with(|| QCell::fresh(state, action));
        let mut value = value(cell);
        value.observe(reward + self.shape.reward.gamma * later);
        *cell = QCell {
            mu_n: value.mean,
            kappa_n: value.kappa,
            alpha: value.alpha,
            beta: value.beta,
            n: value.n,
            ..cell.clone()
        };
        self.total_reward += reward;
    }

    /// An episode, a day of trading, began.
    pub(crate) fn begin(&mut self) {
        self.episodes += 1;
    }

    /// What a reward is made of: the edge in basis points, and the inventory as a share of its limit.
    pub(crate) fn reward(&self, edge_bps: f64, inventory: f64) -> f64 {
        let weights = &self.shape.reward;
        weights.edge_weight * edge_bps - weights.inventory_penalty_weight * inventory.abs()
    }
}

impl LiveComponent for Agent {
    type Checkpoint = RlTable;

    fn to_checkpoint(&self) -> RlTable {
        let known: Vec<QCell> = self.cells.values().filter(|cell| cell.is_known()).cloned().collect();
        let mut table = RlTable {
            total_observations: known.iter().map(|cell| cell.n).sum(),
            q_entries: known,
            episodes: self.episodes,
            total_reward: self.total_reward,
            ..RlTable::default()
        };
        // A table that says nothing does not say what its indices mean either: it is the default.
        if table != RlTable::default() {
            self.shape.mark(&mut table);
        }
        table
    }

    fn restore_checkpoint(&mut self, checkpoint: &RlTable) {
        self.cells = checkpoint.q_entries.iter().map(|cell| (cell.index(), cell.clone())).collect();
        self.episodes = checkpoint.episodes;
        self.total_reward = checkpoint.total_reward;
    }
}

fn value(cell: &QCell) -> NormalGamma {
    NormalGamma { mean: cell.mu_n, kappa: cell.kappa_n, alpha: cell.alpha, beta: cell.beta, n: cell.n }
}

fn bucket(value: f64, ends: &[f64]) -> u32 {
    ends.iter().map(|end| u32::from(value >= *end)).sum()
}
