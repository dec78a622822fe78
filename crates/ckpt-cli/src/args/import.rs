//! `ckpt import`: what is taken in, and where it goes.

use std::path::PathBuf;

use ckpt::legacy::Layout;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};

use super::save::{label, metric};

/// What stands for telling the layout from the names.
const AUTO: &str = "auto";

#[derive(Debug, Args)]
#[command(after_help = "\
Layouts: `ckpt` is a FILE that `ckpt export` wrote. `market-maker` is a DIR with latest/checkpoint.json and \
MILLISECONDS/checkpoint.json, or one such FILE. `rl-trainer` is a DIR of zip files (MARKET_ts-STEP_evt-EVENT_val-X_\
sharpe-Y_seed-S.zip, phaseN_STEPS_steps.zip, phaseN_TITLE_final.zip, best_model.zip), or one of them, each with \
BASE_vecnormalize.pkl and BASE_metadata.json if they are there. `artifacts` is a DIR that is one checkpoint, its state in \
state.json if there is one. `pickles` is a DIR of checkpoint_step_N_DATE_TIME.pkl[.gz], best_trial_N.pkl[.gz] and \
best_episode_N.pkl[.gz], or one of them. Files are kept byte for byte; pickles are never loaded. docs/IMPORT.md has the details.

Each gets the run's next number, the oldest first, so the last becomes the latest: in a run that has other checkpoints only \
with --as-latest. What was imported before is not imported again, so after an interruption the same command goes on. A run \
that does not exist is made, its kind and name are the last two components of RUN.

Examples:
  ckpt import runs/training/ppo2 best.ckpt
  ckpt import runs/training/ppo models/phase1/checkpoints --dry-run
  ckpt import runs/trading models/phase1/checkpoints --by market
  ckpt import runs/training/study checkpoints/best_trial_42.pkl.gz --metric value=0.25")]
pub(crate) struct ImportArgs {
    /// Directory of the run; with --by the directory that holds the runs, one for each market
    pub(crate) run: PathBuf,
    /// What to take in
    #[arg(value_name = "FILE|DIR")]
    pub(crate) path: PathBuf,
    /// How it is laid out
    #[arg(long, default_value = AUTO, value_parser = layouts())]
    pub(crate) layout: LayoutArg,
    /// Make a run for each, RUN/MARKET
    #[arg(long)]
    pub(crate) by: Option<By>,
    /// Only say what would be imported
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Let it become the latest of a run that has checkpoints
    #[arg(long)]
    pub(crate) as_latest: bool,
    /// A number that judges the state, whatever the checkpoint says; only for one; may be given several times
    #[arg(long = "metric", value_name = "NAME=VALUE", value_parser = metric)]
    pub(crate) metrics: Vec<(String, f64)>,
    /// A mark of your own, for each; may be given several times
    #[arg(long = "label", value_name = "K=V", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
}

/// A layout, or none: then it is told from the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LayoutArg(pub(crate) Option<Layout>);

/// What a plan is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The market that each checkpoint states.
    #[value(help = None::<&str>)]
    Market,
}

fn layouts() -> impl clap::builder::TypedValueParser<Value = LayoutArg> {
    let names = std::iter::once(AUTO).chain(Layout::ALL.iter().map(|layout| layout.as_str()));
    PossibleValuesParser::new(names).map(|name| LayoutArg(name.parse().ok()))
}
