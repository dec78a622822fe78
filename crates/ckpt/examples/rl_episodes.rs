//! A Q-learning agent on a frozen lake: saved every 50,000 episodes and whenever an evaluation improves on the best.
//!
//! ```text
//! cargo run --release -p ckpt --example rl_episodes [DIRECTORY [EPISODES]]
//! ```
//!
//! The lake is the 8 by 8 one of Gymnasium: the agent goes from S to G, falls into holes H, and slips to a side two times out of
//! three. Stop it with Ctrl-C, or kill it with `kill -9`, and run the same line again: table, episode and random generator are
//! sections of each checkpoint, so it learns exactly what it would have learned.
//!
//! What it shows: a type that says its own sections ([`Save`]) and is made from them ([`Restore`]); metrics that are there only at
//! steps with an evaluation; saving in the background, where the agent waits for a copy of its state and not for the disk.
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::path::Path;

use ckpt::{
    BundleMode, BundleReport, Checkpoint, Direction, Monitor, Restore, Save, Section, Session,
    SessionOptions, SignalOptions, Status, Stop, WhenBusy,
};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

use self::random::uniform;
use self::rig::Result;

#[path = "shared/random.rs"]
mod random;
#[path = "shared/rig.rs"]
mod rig;

const EVALUATE_EVERY: u64 = 20_000;

fn main() -> Result<()> {
    let (root, episodes) = rig::arguments(2_000_000)?;
    run(&root, episodes)
}

pub(crate) fn run(root: &Path, episodes: u64) -> Result<()> {
    let options = SessionOptions::default()
        .save_every(50_000)
        .monitor(Monitor::new("success_rate", Direction::Max))
        .keep_last(5)
        .unit("episodes")
        .total(episodes)
        .background(WhenBusy::Wait)
        .stop(Stop::on_signals(&SignalOptions::default())?);
    let mut session = Session::open(root, "training", "frozen_lake", options)?;
    let (mut agent, resumed) = session.resume_or_else(|| Agent::new(42))?;
    rig::begun(&resumed);
    while !session.should_stop() {
        agent.learn();
        let step = if agent.episodes.is_multiple_of(EVALUATE_EVERY) {
            session.step_with(agent.episodes, &[("success_rate", agent.evaluate())], &agent)?
        } else {
            session.step_with(agent.episodes, &[], &agent)?
        };
        rig::told(&step);
    }
    let finished = session.finish(&agent)?;
    rig::ended(&finished);
    if finished.status == Status::Completed {
        let success = agent.success(10_000);
        println!("result: after {} episodes it arrives in {success:.4} of 10,000", agent.episodes);
    }
    Ok(())
}

struct Agent {
    episodes: u64,
    /// What an action is worth in each place.
    table: Vec<[f64; 4]>,
    random: ChaCha8Rng,
}

impl Save for Agent {
    fn sections(&self) -> ckpt::Result<Vec<Section<'_>>> {
        Ok(vec![
            Section::json("episodes", &self.episodes)?,
            Section::json("q_table", &self.table)?,
            Section::json("random", &self.random)?,
        ])
    }
}

impl Restore for Agent {
    fn restore(checkpoint: &Checkpoint, _mode: BundleMode) -> ckpt::Result<(Self, BundleReport)> {
        let (episodes, _) = checkpoint.read_json("episodes")?;
        let (table, _) = checkpoint.read_json("q_table")?;
        let (random, _) = checkpoint.read_json("random")?;
        Ok((Self { episodes, table, random }, BundleReport::default()))
    }
}

impl Agent {
    fn new(seed: u64) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        // Hopeful: what was never tried is worth a try.
        Self { episodes: 0, table: vec![[0.5; 4]; lake::PLACES], random }
    }

    /// One episode of Q-learning.
    fn learn(&mut self) {
        let explore = 20_000.0 / (20_000.0 + self.episodes as f64);
        let rate = 0.2 * 100_000.0 / (100_000.0 + self.episodes as f64);
        let mut place = lake::START;
        for _ in 0..lake::STEPS {
            let exploring = uniform(&mut self.random) < explore;
            let action =
                if exploring { (4.0 * uniform(&mut self.random)) as usize } else { best(&self.table[place]) };
            let (next, reward, over) = lake::step(place, action, &mut self.random);
            let after = &self.table[next];
            let worth = if over { reward } else { 0.999 * after[best(after)] };
            self.table[place][action] += rate * (worth - self.table[place][action]);
            if over {
                break;
            }
            place = next;
        }
        self.episodes += 1;
    }

    /// The share of a thousand episodes in which it arrives if it does what it thinks best. The dice are the agent's own, so an
    /// evaluation is part of what a resume repeats.
    fn evaluate(&mut self) -> f64 {
        self.success(1_000)
    }

    fn success(&mut self, episodes: u32) -> f64 {
        let arrived = (0..episodes).filter(|_| self.arrives()).count();
        arrived as f64 / f64::from(episodes)
    }

    fn arrives(&mut self) -> bool {
        let mut place = lake::START;
        for _ in 0..lake::STEPS {
            let (next, reward, over) = lake::step(place, best(&self.table[place]), &mut self.random);
            if over {
                return reward > 0.0;
            }
            place = next;
        }
        false
    }
}

fn best(worth: &[f64; 4]) -> usize {
    (1..4).fold(0, |best, action| if worth[action] > worth[best] { action } else { best })
}

/// The environment.
mod lake {
    use rand_chacha::ChaCha8Rng;

    use super::random::uniform;

    pub(super) const PLACES: usize = 64;
    pub(super) const START: usize = 0;
    /// An episode is over after so many.
    pub(super) const STEPS: usize = 200;

    const MAP: &[u8; PLACES] = b"SFFFFFFFFFFFFFFFFFFHFFFFFFFFFHFFFFFHFFFFFHHFFFHFFHFFHFHFFFFHFFFG";

    /// The next place, the reward, and whether the episode is over. Actions are left, down, right, up; two times out of three the
    /// agent slips to a side of where it wanted to go.
    pub(super) fn step(place: usize, action: usize, random: &mut ChaCha8Rng) -> (usize, f64, bool) {
        let (row, column) = (place / 8, place % 8);
        let slip = (3.0 * uniform(random)) as usize;
        let next = match (action + 3 + slip) % 4 {
            0 => 8 * row + column.saturating_sub(1),
            1 => 8 * (row + 1).min(7) + column,
            2 => 8 * row + (column + 1).min(7),
            _ => 8 * row.saturating_sub(1) + column,
        };
        match MAP[next] {
            b'G' => (next, 1.0, true),
            b'H' => (next, 0.0, true),
            _ => (next, 0.0, false),
        }
    }
}
