//! Training with trials and a best so far: saved every 100 trials and whenever one improves on the best, the best kept apart.
//!
//! ```text
//! cargo run --release -p ckpt --example trials [DIRECTORY [TRIALS]]
//! ```
//!
//! Each trial draws a learning rate, a shrinkage and three half-lives, and trains a model that foretells how far the S&P 500
//! moves tomorrow. Stop it with Ctrl-C, or kill it with `kill -9`, and run the same line again: it goes on with the trial after
//! the last checkpoint and finds what it would have found anyway, for the random generator is part of what is saved.
//!
//! What it shows: any serde value as state ([`Json`]), borrowed at each step; a monitored metric; retention that keeps the last
//! five and, beside them, the best, which is loaded by `best:r_squared` in the end.
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::path::Path;

use ckpt::{Direction, Json, Monitor, Run, Selector, Session, SessionOptions, SignalOptions, Status, Stop};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;
use serde::{Deserialize, Serialize};

use self::random::uniform;
use self::rig::Result;

#[path = "shared/closes.rs"]
mod closes;
#[path = "shared/random.rs"]
mod random;
#[path = "shared/rig.rs"]
mod rig;

fn main() -> Result<()> {
    let (root, trials) = rig::arguments(10_000)?;
    run(&root, trials)
}

pub(crate) fn run(root: &Path, trials: u64) -> Result<()> {
    let moves = moves();
    let options = SessionOptions::default()
        .save_every(100)
        // Any gain counts, not only one of 2 %, so that the best checkpoint is that of the best trial.
        .monitor(Monitor::new("r_squared", Direction::Max).with_least_gain(0.0, 0.0)?)
        .keep_last(5)
        .unit("trials")
        .total(trials)
        .stop(Stop::on_signals(&SignalOptions::default())?);
    let mut session = Session::open(root, "training", "trials", options)?;
    let (Json(mut study), resumed) = session.resume_or_else(|| Json(Study::new(42)))?;
    rig::begun(&resumed);
    while !session.should_stop() {
        let score = study.trial(&moves);
        rig::told(&session.step_with(study.trials, &[("r_squared", score)], &Json(&study))?);
    }
    let finished = session.finish(&Json(&study))?;
    rig::ended(&finished);
    if finished.status == Status::Completed {
        let run = Run::open_read_only(root.join("training/trials"))?;
        let best: Selector = "best:r_squared".parse()?;
        let kept = run.load_with(&best, |checkpoint| checkpoint.read_json::<Study>("state"))?;
        println!("the best is kept in {}", kept.entry.file_name);
        println!("result: {:?}", kept.value.0.best);
    }
    Ok(())
}

/// Everything that the next trial depends on.
#[derive(Serialize, Deserialize)]
struct Study {
    trials: u64,
    random: ChaCha8Rng,
    best: Option<Trial>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Trial {
    number: u64,
    setting: Setting,
    weights: [f64; 4],
    r_squared: f64,
}

/// What a trial chooses.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Setting {
    learning_rate: f64,
    shrinkage: f64,
    half_lives: [f64; 3],
}

impl Study {
    fn new(seed: u64) -> Self {
        Self { trials: 0, random: ChaCha8Rng::seed_from_u64(seed), best: None }
    }

    /// One trial; its score.
    fn trial(&mut self, moves: &[f64]) -> f64 {
        let setting = self.choose();
        let (weights, r_squared) = setting.train(moves);
        self.trials += 1;
        if r_squared.is_finite() && self.best.as_ref().is_none_or(|best| r_squared > best.r_squared) {
            self.best = Some(Trial { number: self.trials, setting, weights, r_squared });
        }
        r_squared
    }

    /// Near the best so far in half of the trials, anywhere in the others.
    fn choose(&mut self) -> Setting {
        let mut draw = |low: f64, high: f64| low * (high / low).powf(uniform(&mut self.random));
        let anywhere = Setting {
            learning_rate: draw(1e-5, 1e-2),
            shrinkage: draw(1e-6, 1e-2),
            half_lives: [draw(1.0, 5.0), draw(5.0, 30.0), draw(30.0, 250.0)],
        };
        match &self.best {
            Some(best) if draw(1.0, 4.0) < 2.0 => Setting {
                learning_rate: best.setting.learning_rate * draw(0.8, 1.25),
                shrinkage: best.setting.shrinkage * draw(0.8, 1.25),
                half_lives: best.setting.half_lives.map(|days| days * draw(0.8, 1.25)),
            },
            _ => anywhere,
        }
    }
}

impl Setting {
    /// Weights of a constant and three averages, by stochastic gradient descent over the first four fifths of the days; and the
    /// share of the variance that they explain in the last fifth.
    fn train(&self, moves: &[f64]) -> ([f64; 4], f64) {
        let days = self.days(moves);
        let (training, test) = days.split_at(days.len() * 4 / 5);
        let mut weights = [0.0; 4];
        for _ in 0..10 {
            for (features, moved) in training {
                let error = moved - foretell(&weights, features);
                for (weight, feature) in weights.iter_mut().zip(features) {
                    *weight += self.learning_rate * (error * feature - self.shrinkage * *weight);
                }
            }
        }
        let mean = test.iter().map(|(_, moved)| moved).sum::<f64>() / test.len() as f64;
        let missed: f64 =
            test.iter().map(|(features, moved)| (moved - foretell(&weights, features)).powi(2)).sum();
        let varied: f64 = test.iter().map(|(_, moved)| (moved - mean).powi(2)).sum();
        (weights, 1.0 - missed / varied)
    }

    /// What is known at the end of each day, and how far the next one moved.
    fn days(&self, moves: &[f64]) -> Vec<([f64; 4], f64)> {
        let mut averages = [1.0; 3];
        let known = moves.windows(2).map(|pair| {
            for (average, half_life) in averages.iter_mut().zip(self.half_lives) {
                *average += (1.0 - 0.5_f64.powf(1.0 / half_life)) * (pair[0] - *average);
            }
            ([1.0, averages[0], averages[1], averages[2]], pair[1])
        });
        known.collect()
    }
}

fn foretell(weights: &[f64; 4], features: &[f64; 4]) -> f64 {
    weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum()
}

/// How far the index moved each day, in per cent.
fn moves() -> Vec<f64> {
    let closes = closes::sp500();
    closes.windows(2).map(|pair| 100.0 * (pair[1].level / pair[0].level).ln().abs()).collect()
}
