//! `ckpt schema`: the stored kinds that this program knows.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    #[command(subcommand)]
    pub(crate) command: SchemaCommand,
}

/// What to ask about stored kinds.
#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// List the stored kinds, their versions and what they are
    #[command(after_help = "\
Examples:
  ckpt schema list")]
    List,
    /// Show the fields of a kind: name, type, unit, default, since which version, meaning
    #[command(after_help = "\
With --json it is the JSON Schema (draft 2020-12) of the version.

Examples:
  ckpt schema show kappa
  ckpt schema show kill_switch --at 1 --json > kill_switch.v1.schema.json")]
    Show(SchemaShowArgs),
    /// Hold the kinds of this program against what was released
    #[command(after_help = "\
What was released is the lock and the golden files of a folder (docs/SCHEMA.md). Without FOLDER it is what this program was built \
with: so it is known to read all of that. With the folder of an older release it says whether this program reads what that one \
wrote, with a newer one's it says what this program lacks.

Exit status: 6 if anything is refused; 4 if there is no lock in the folder.

Examples:
  ckpt schema check
  ckpt schema check docs/schema --json")]
    Check(SchemaCheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SchemaShowArgs {
    /// Name of the kind, as `ckpt schema list` has it
    pub(crate) kind: String,
    /// Its version [default: the newest]
    #[arg(long, value_name = "VERSION")]
    pub(crate) at: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaCheckArgs {
    /// Directory with `lock.json` and `golden/` [default: those of this program]
    pub(crate) folder: Option<PathBuf>,
}
