//! The `ckpt` program: saves, restores, lists, verifies, compares and keeps checkpoints at a shell.
//!
//! It parses the command line, runs one command and turns its outcome into an exit status. All it knows of
//! checkpoints is the library `ckpt`.

mod args;
mod commands;
mod config;
mod failure;
mod human;
mod interrupt;
mod json;
mod market;
mod output;
mod progress;
mod retention;
mod rewrite;
mod settle;
mod source;
mod table;

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::failure::Failure;
use crate::output::{Closed, Output};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse_arguments(&error),
    };
    let output = Output::new(cli.json);
    match commands::run(&cli, &output) {
        Ok(status) => ExitCode::from(status),
        // Who read the output has seen enough.
        Err(error) if error.is::<Closed>() => ExitCode::SUCCESS,
        Err(error) => {
            // What was half-done is tidied up by now: leave the way the signal would have it.
            interrupt::leave_if_asked();
            let failure = Failure::of(&error);
            failure.tell(cli.json);
            ExitCode::from(failure.status)
        }
    }
}

/// Help and version go to standard output; anything else about the command line is a usage error.
fn refuse_arguments(error: &clap::Error) -> ExitCode {
    let wants_json =
        std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == OsStr::new("--json"));
    if error.use_stderr() && wants_json {
        Failure::usage(clap_message(error)).tell(true);
    } else {
        // A closed pipe is no reason to complain.
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { failure::USAGE } else { 0 })
}

/// What clap has to say, without the word `error:` and the usage lines.
fn clap_message(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let lines = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
