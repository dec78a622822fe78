//! `ckpt stats`, `ckpt status` and `ckpt explain`: what to look at.

use std::path::PathBuf;

use ckpt::Selector;
use clap::Args;

use super::prune::PolicyArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Of each run: how many checkpoints, why they were saved, how much they take, how old they are, the best of each metric and where it \
is, the steps and the seeds. Without a direction that the run states, the lowest and the highest value of a metric are shown.

Examples:
  ckpt stats runs
  ckpt stats runs/training/ppo --json")]
pub(crate) struct StatsArgs {
    /// Directory of a run, or one that holds runs
    #[arg(value_name = "ROOT", default_value = ".")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
What a process that resumes would begin with, by what the checkpoints say of themselves; their sections are not read, so damage in \
them is not seen: `ckpt verify RUN latest` reads them. The exit status is 0 whether there is something to resume or not.

Examples:
  ckpt status runs/training/ppo
  ckpt status runs/training/ppo --json")]
pub(crate) struct StatusArgs {
    /// Directory of the run
    pub(crate) run: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Why it was saved, from its metadata and the run's log; whether the policy keeps it, and by which rules; of one that is gone, when, \
by whom and why. The policy is that of --config, or else the last one that the log has. A checkpoint that is gone is named by its \
number, seq:N.

Environment: CKPT_CONFIG__SECTION__KEY overrides the configuration.

Examples:
  ckpt explain runs/training/ppo seq:12
  ckpt explain runs/training/ppo best:loss:min --config checkpoint_config.yaml --phase phase1")]
pub(crate) struct ExplainArgs {
    /// Directory of the run
    pub(crate) run: PathBuf,
    /// Which checkpoint
    pub(crate) selector: Selector,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}
