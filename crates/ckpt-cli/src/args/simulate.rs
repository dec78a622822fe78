//! `ckpt simulate`: which policy, over which course.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use clap::Args;

use super::units;

#[derive(Debug, Args)]
#[command(after_help = "\
Shows each save that a session would make of itself: those of the schedule, the early first one, and the one at the end. Which \
of them would be kept, and how much disk they take before and after pruning. Nothing is read but the configuration, nothing is written.

A simulated step takes no time, so what goes by time is left out and named, and so are saves for a new best, for boundaries and \
for interrupts: nobody knows them in advance.

Environment: CKPT_CONFIG__SECTION__KEY overrides the configuration.

Examples:
  ckpt simulate --config checkpoint_config.yaml --phase phase1 --bytes-per-save 50MB
  ckpt simulate --config checkpoint_config.yaml --phase phase3 --target 1000000 --batch 80 --runs 8 --json")]
pub(crate) struct SimulateArgs {
    /// The configuration (docs/CONFIGURATION.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Which phase of it
    #[arg(long, value_name = "P")]
    pub(crate) phase: String,
    /// As if the phase's target were N [default: what the configuration says]
    #[arg(long, value_name = "N")]
    pub(crate) target: Option<NonZeroU64>,
    /// How many units are done at a time: as many as there are environments in parallel
    #[arg(long, value_name = "B", default_value = "1")]
    pub(crate) batch: NonZeroU64,
    /// Bytes of a checkpoint: a number with B; kB, MB, GB, TB (of 1000); KiB, MiB, GiB or TiB (of 1024)
    #[arg(long, value_name = "S", value_parser = units::bytes)]
    pub(crate) bytes_per_save: Option<u64>,
    /// So many runs like this one on the disk: markets, seeds
    #[arg(long, value_name = "K", default_value = "1")]
    pub(crate) runs: NonZeroU32,
}
