//! One module a verb; here they are called.

mod bench;
mod best;
mod completions;
mod delete;
mod diff;
mod doctor;
mod explain;
mod export;
mod gate;
mod import;
mod list;
mod log;
mod migrate;
mod name;
mod pin;
mod predictions;
mod prune;
mod reset;
mod restore;
mod save;
mod schema;
mod show;
mod simulate;
mod stats;
mod status;
mod transfer;
mod verify;

use crate::args::{Cli, Command};
use crate::output::Output;

/// Runs the command; the value is the exit status.
pub(crate) fn run(cli: &Cli, output: &Output) -> anyhow::Result<u8> {
    let done = |()| 0;
    match &cli.command {
        Command::Save(args) => save::run(args, output).map(done),
        Command::Restore(args) => restore::run(args, output).map(done),
        Command::List(args) => list::run(args, output).map(done),
        Command::Show(args) => show::run(args, output).map(done),
        Command::Verify(args) => verify::run(args, output),
        Command::Diff(args) => diff::run(args, output).map(done),
        Command::Pin(args) => pin::pin(args, output).map(done),
        Command::Unpin(args) => pin::unpin(args, output).map(done),
        Command::Delete(args) => delete::run(args, output).map(done),
        Command::Prune(args) => prune::run(args, output).map(done),
        Command::Best(args) => best::run(args, output).map(done),
        Command::Stats(args) => stats::run(args, output).map(done),
        Command::Status(args) => status::run(args, output).map(done),
        Command::Explain(args) => explain::run(args, output).map(done),
        Command::Export(args) => export::run(args, output).map(done),
        Command::Import(args) => import::run(args, output).map(done),
        Command::Simulate(args) => simulate::run(args, output).map(done),
        Command::Doctor(args) => doctor::run(args, output),
        Command::Gate(args) => gate::run(args, output),
        Command::Transfer(args) => transfer::run(args, output).map(done),
        Command::Migrate(args) => migrate::run(args, output).map(done),
        Command::Reset(args) => reset::run(args, output).map(done),
        Command::Predictions(args) => predictions::run(args, output).map(done),
        Command::Log(args) => log::run(args, output).map(done),
        Command::Name(args) => name::run(args, output).map(done),
        Command::Schema(args) => schema::run(args, output),
        Command::Bench(args) => bench::run(args, output).map(done),
        Command::Completions(args) => completions::run(args, output).map(done),
    }
}
