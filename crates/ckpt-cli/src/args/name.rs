//! `ckpt name`: reading and writing file names.

use ckpt::Event;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    #[command(subcommand)]
    pub(crate) command: NameCommand,
}

/// What to do with a name.
#[derive(Debug, Subcommand)]
pub(crate) enum NameCommand {
    /// Say what the name of a checkpoint tells; legacy forms are understood
    #[command(after_help = "\
Examples:
  ckpt name parse NQ_ts-0025000_evt-periodic_val-+0.112_sharpe-+1.45_seed-42.zip")]
    Parse {
        /// A file name, without its directory
        name: String,
    },
    /// Make the name of a checkpoint; without a sequence the label alone
    #[command(after_help = "\
Examples:
  ckpt name render --market NQ --step 25000 --event periodic --seed 42 --sequence 1")]
    Render(RenderArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// Market of a trading system
    #[arg(long)]
    pub(crate) market: Option<String>,
    /// Step, in the run's own unit
    #[arg(long, value_name = "N")]
    pub(crate) step: Option<u64>,
    /// Why it was saved
    #[arg(long, value_name = "E")]
    pub(crate) event: Option<Event>,
    /// Validation reward; three decimals are kept
    #[arg(long, value_name = "X", allow_negative_numbers = true, allow_hyphen_values = true)]
    pub(crate) val_reward: Option<f64>,
    /// Sharpe ratio; two decimals are kept
    #[arg(long, value_name = "Y", allow_negative_numbers = true, allow_hyphen_values = true)]
    pub(crate) sharpe_ratio: Option<f64>,
    /// Seed of the run
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) seed: Option<i64>,
    /// Number in the run
    #[arg(long, value_name = "N")]
    pub(crate) sequence: Option<u64>,
    /// Attempt that wrote it
    #[arg(long, value_name = "E", requires = "sequence", default_value_t = 0)]
    pub(crate) epoch: u64,
}
