//! `ckpt gate`, `transfer`, `migrate`, `reset` and `predictions`: what a market maker's state is asked, and done to it.

use std::path::PathBuf;

use ckpt::Selector;
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
A market maker stamps each checkpoint with what it had seen (section `readiness`); any other program can leave the stamp of \
docs/GATE.md in its metadata, in `extra` under `gate`. The stamp is judged again, with the age that the state has now: by the \
thresholds that stand in it, by those of the market maker if there are none, and by what --config says over them, a JSON file with \
fields of docs/GATE.md, section 2. The warm-up says how carefully to begin. Every byte is read: where any part is damaged, the \
one before is the latest.

Exit status: 1 if the state may not be trusted: insufficient, or marginal where that is not allowed.

Examples:
  ckpt gate runs/live/HYPE
  ckpt gate runs/live/HYPE seq:12 --allow-marginal false --json")]
pub(crate) struct GateArgs {
    /// Directory of the run, or a checkpoint FILE
    #[arg(value_name = "RUN|FILE")]
    pub(crate) run: PathBuf,
    /// Which checkpoint [default: latest]
    pub(crate) selector: Option<Selector>,
    /// Thresholds that take the place of those in the stamp, each by itself
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Whether marginal passes [default: as the thresholds say]
    #[arg(long, value_name = "BOOL", num_args = 1)]
    pub(crate) allow_marginal: Option<bool>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
What FROM learned is offered to TO: its identity, age, schema and verdict are looked at first, and if one of them is not in order \
it is rejected with what to do, and nothing is changed. Else TO gets a new checkpoint, its newest with what was taken: components \
of which it has seen nothing itself, and cells of the table of values that it has not tried. What it has lived through stays, and so \
does its kill switch. If TO has no checkpoint yet, it begins as a live system of the same asset. docs/TRANSFER.md has the rules, and \
the fields of the JSON file that --config takes.

Exit status: 1 if it is rejected; the error's code is the reason.

Examples:
  ckpt transfer runs/paper/HYPE runs/live/HYPE --dry-run
  ckpt transfer runs/paper/HYPE runs/live/HYPE --config injection.json")]
pub(crate) struct TransferArgs {
    /// Directory of the run to learn from, or a checkpoint FILE
    #[arg(value_name = "FROM|FILE")]
    pub(crate) from: PathBuf,
    /// Directory of the run that learns; it is made if there is none
    pub(crate) to: PathBuf,
    /// Only say what would become of each component
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What may enter (docs/TRANSFER.md, section 1)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The newest good checkpoint is read, what this program knows of it is taken to its current version, step by step, and a new \
checkpoint is saved; all else is copied byte for byte, and the old one stays. It knows the kinds of a market maker \
(docs/MARKET.md). If everything is current already, nothing is saved, and the exit status is 0. Older versions can be read without \
this, too: each load walks the same steps.

Examples:
  ckpt migrate runs/live/HYPE --dry-run
  ckpt migrate runs/live/HYPE")]
pub(crate) struct MigrateArgs {
    /// Directory of the run
    pub(crate) run: PathBuf,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
For state that was learned wrongly: the component begins anew, the others go on. The newest good checkpoint is saved again with the \
component's default in its place, and judged again, for what was learned is less now; the old one stays and is named as its parent. \
This program knows the defaults of a market maker's components (docs/MARKET.md).

Examples:
  ckpt reset runs/live/HYPE --component vol_filter")]
pub(crate) struct ResetArgs {
    /// Directory of the run
    pub(crate) run: PathBuf,
    /// Name of the component; `ckpt show RUN` lists them
    #[arg(long, value_name = "NAME")]
    pub(crate) component: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
One JSON record a line (docs/MARKET.md, section 8), read as a stream, however long. A line that is no record is passed over, counted \
and, of the first 20, named on standard error.

Exit status: 1 if there are lines, and none of them is a record.

Examples:
  ckpt predictions predictions.jsonl --stats
  ckpt predictions predictions.jsonl --resolved --json
  zcat predictions.jsonl.gz | ckpt predictions - --stats")]
pub(crate) struct PredictionsArgs {
    /// The log; `-` is standard input
    pub(crate) file: PathBuf,
    /// Only records whose outcome is known
    #[arg(long)]
    pub(crate) resolved: bool,
    /// Only what they say together: how much, from when to when, and how good the predictions were
    #[arg(long)]
    pub(crate) stats: bool,
}
