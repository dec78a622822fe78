//! `ckpt doctor`: which run, and by which configuration.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Asks what people ask when something is wrong, and answers each question by what it finds: is anything saved, can it be resumed, \
would the right one be loaded, is metadata missing, is there room, may it be written, does somebody hold a lock, is anything damaged, \
what did dead writers leave, is the configuration applied. A run that holds a market maker's state (docs/MARKET.md) is asked six more: \
would it get back what it learned, can all of it be decoded, is it saved as often as it should be, would it start warm and trade, are \
kappa and sigma plausible, does the Q-table fit. Each answer says what was found and what to do.

Reads every byte of every checkpoint, and nothing else happens: nothing is created, locked or repaired, so it works beside a \
running writer and on a directory that can only be read. What can't be asked, of a run that is not there or without a configuration, is \
`unasked` and not ok.

Environment: CKPT_CONFIG__SECTION__KEY overrides the configuration.

Exit status: 1 if a problem was found; 0 if not, also with warnings.

Examples:
  ckpt doctor runs/training/ppo
  ckpt doctor runs/training/ppo --config checkpoint_config.yaml --json")]
pub(crate) struct DoctorArgs {
    /// Directory of the run; if there is none, that is the first finding
    pub(crate) run: PathBuf,
    /// The configuration that should be in force (docs/CONFIGURATION.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
