//! The command line: commands, arguments, their help. Nothing is done here.

mod bench;
mod best;
mod doctor;
mod import;
mod look;
mod market;
mod name;
mod prune;
mod save;
mod schema;
mod simulate;
mod units;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;

use ckpt::{ContainerVersion, SectionName, Selector};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use bench::BenchArgs;
pub(crate) use best::{BestArgs, ByArg};
pub(crate) use doctor::DoctorArgs;
pub(crate) use import::{By, ImportArgs};
pub(crate) use look::{ExplainArgs, StatsArgs, StatusArgs};
pub(crate) use market::{GateArgs, MigrateArgs, PredictionsArgs, ResetArgs, TransferArgs};
pub(crate) use name::{NameArgs, NameCommand, RenderArgs};
pub(crate) use prune::{PolicyArgs, PruneArgs, TopArg};
pub(crate) use save::{Codec, Input, SaveArgs, SectionArg};
pub(crate) use schema::{SchemaArgs, SchemaCheckArgs, SchemaCommand, SchemaShowArgs};
pub(crate) use simulate::SimulateArgs;

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let (program, container) = (env!("CARGO_PKG_VERSION"), ContainerVersion::CURRENT);
    format!("{program} (writes and reads container version {container})")
});

const EXAMPLES: &str = "\
Examples:
  ckpt save runs/training/ppo --step 25000 --metric loss=0.25 weights=w.bin state:json=state.json
  ckpt list runs
  ckpt restore runs/training/ppo --output back
  ckpt show runs/training/ppo best:loss:min

RUN is the directory of a run, ROOT one that holds runs, FILE a checkpoint that was exported.
SELECTOR: latest (default), best:METRIC[:min|max], step:N, step<=N, seq:N, event:E, label:K=V,
file:NAME

Exit status: 0 done, 1 failed, 2 usage, 3 damaged, 4 not found, 5 locked, fenced or in conflict,
6 unsupported or incompatible.";

/// Save the state of long-running work durably, and get exactly the newest good one back.
#[derive(Debug, Parser)]
#[command(name = "ckpt", version = VERSION.as_str(), after_help = EXAMPLES, propagate_version = true)]
#[command(max_term_width = 100, infer_subcommands = false)]
pub(crate) struct Cli {
    /// Print the answer as JSON; an error is one JSON object on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Save sections as the next checkpoint of a run; makes the run if there is none
    Save(Box<SaveArgs>),
    /// Write the sections of a checkpoint to a directory, all or none
    Restore(RestoreArgs),
    /// List the checkpoints of a run, or of all runs beneath a directory
    List(ListArgs),
    /// Show what a checkpoint says about itself, or print a section
    Show(ShowArgs),
    /// Read every byte and check it
    Verify(VerifyArgs),
    /// Compare two checkpoints: metadata, metrics, sections
    Diff(DiffArgs),
    /// Protect a checkpoint from every deletion
    Pin(PinArgs),
    /// Take the protection of a checkpoint away
    Unpin(UnpinArgs),
    /// Delete a checkpoint
    Delete(DeleteArgs),
    /// Delete what a policy does not keep, or say what it would delete
    Prune(Box<PruneArgs>),
    /// Rank checkpoints by a metric, across runs and markets
    Best(BestArgs),
    /// Count and measure what runs hold
    Stats(StatsArgs),
    /// Say what there is to resume in a run
    Status(StatusArgs),
    /// Say why a checkpoint was saved, and why it is kept or gone
    Explain(ExplainArgs),
    /// Copy a checkpoint to a file of its own, verified
    Export(ExportArgs),
    /// Take checkpoints into a run: one that was exported, or those of another system
    Import(ImportArgs),
    /// Show the saves that a policy would make, and what of them it would keep
    Simulate(SimulateArgs),
    /// Answer what people ask when something is wrong, by what is found
    Doctor(DoctorArgs),
    /// Judge again whether a market maker's state may be trusted
    Gate(GateArgs),
    /// Carry what one market maker learned to another, as a new checkpoint
    Transfer(TransferArgs),
    /// Save the newest state again, at the versions that this program writes
    Migrate(MigrateArgs),
    /// Save the newest state again, one component of it at its cold start
    Reset(ResetArgs),
    /// Read a prediction log
    Predictions(PredictionsArgs),
    /// Show what happened in a run, and why
    Log(LogArgs),
    /// Read and write the file names of checkpoints
    Name(NameArgs),
    /// Show the stored kinds that this program knows, or check them against a lock
    Schema(SchemaArgs),
    /// Time this machine's disk, and what saving and loading get out of it
    Bench(BenchArgs),
    /// Print the completion script for a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
The directory appears when all of it is written and durable. `latest` steps back over damaged checkpoints and says so; any \
other selector fails on damage (exit status 3).

Examples:
  ckpt restore runs/training/ppo --output back
  ckpt restore runs/training/ppo 'step<=100000' --output back --section weights
  ckpt restore exported.ckpt --output back")]
pub(crate) struct RestoreArgs {
    /// Directory of the run, or a checkpoint FILE
    #[arg(value_name = "RUN|FILE")]
    pub(crate) run: PathBuf,
    /// Which checkpoint [default: latest]
    pub(crate) selector: Option<Selector>,
    /// Directory to make; one that is there must be empty
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Only this section; may be given several times
    #[arg(long = "section", value_name = "NAME")]
    pub(crate) sections: Vec<SectionName>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ckpt list runs/training/ppo
  ckpt list runs --json")]
pub(crate) struct ListArgs {
    /// Directory of a run, one that holds runs, or a checkpoint FILE
    #[arg(value_name = "RUN|ROOT|FILE", default_value = ".")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A JSON section is printed, on a terminal indented. Bytes go to a file or a pipe only.

Examples:
  ckpt show runs/training/ppo
  ckpt show runs/training/ppo best:loss:min --section state")]
pub(crate) struct ShowArgs {
    /// Directory of the run, or a checkpoint FILE
    #[arg(value_name = "RUN|FILE")]
    pub(crate) run: PathBuf,
    /// Which checkpoint [default: latest]
    pub(crate) selector: Option<Selector>,
    /// Print the bytes of this section
    #[arg(long, value_name = "NAME")]
    pub(crate) section: Option<SectionName>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 3 if anything is damaged; else 6 if something needs a newer program; else 1 if a file can't be read, belongs to \
another run, or two have one number.

Examples:
  ckpt verify runs
  ckpt verify runs/training/ppo seq:12
  ckpt verify exported.ckpt")]
pub(crate) struct VerifyArgs {
    /// Directory of a run, one that holds runs, or a checkpoint FILE
    #[arg(value_name = "RUN|ROOT|FILE")]
    pub(crate) path: PathBuf,
    /// Only this checkpoint; `latest` is the newest, good or not
    pub(crate) selector: Option<Selector>,
}

#[derive(Debug, Args)]
#[command(override_usage = "ckpt diff [OPTIONS] <RUN> <A> <B>\n       ckpt diff [OPTIONS] <FILE> <FILE>")]
#[command(after_help = "\
The exit status is 0 whether they differ or not.

Examples:
  ckpt diff runs/training/ppo seq:3 latest
  ckpt diff yesterday.ckpt today.ckpt --json")]
pub(crate) struct DiffArgs {
    /// Directory of the run, or a checkpoint FILE
    #[arg(value_name = "RUN|FILE")]
    pub(crate) run: PathBuf,
    /// Which checkpoint, or the other checkpoint FILE
    pub(crate) a: OsString,
    /// Which checkpoint to compare it with
    pub(crate) b: Option<Selector>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Works beside a running writer.

Examples:
  ckpt pin runs/training/ppo best:loss:min --reason 'in production'")]
pub(crate) struct PinArgs {
    /// Directory of the run
    pub(crate) run: PathBuf,
    /// Which checkpoint
    pub(crate) selector: Selector,
    /// Why it must stay, for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Works beside a running writer.

Examples:
  ckpt unpin runs/training/ppo seq:12")]
pub(crate) struct UnpinArgs {
    /// Directory of the run
    pub(crate) run: PathBuf,
    /// Which checkpoint
    pub(crate) selector: Selector,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The newest good checkpoint and pinned ones are never deleted (exit status 5).

Examples:
  ckpt delete runs/training/ppo seq:3
  ckpt delete runs/training/ppo step:25000 --yes")]
pub(crate) struct DeleteArgs {
    /// Directory of the run
    pub(crate) run: PathBuf,
    /// Which checkpoint
    pub(crate) selector: Selector,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The copy is a checkpoint by itself: every reading command takes it in place of RUN SELECTOR.

Examples:
  ckpt export runs/training/ppo best:loss:min best.ckpt")]
pub(crate) struct ExportArgs {
    /// Directory of the run
    pub(crate) run: PathBuf,
    /// Which checkpoint
    pub(crate) selector: Selector,
    /// File to make; it must not exist
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ckpt log runs/training/ppo")]
pub(crate) struct LogArgs {
    /// Directory of the run
    pub(crate) run: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ckpt completions bash > ~/.local/share/bash-completion/completions/ckpt
  ckpt completions zsh > \"${fpath[1]}/_ckpt\"")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }
}
