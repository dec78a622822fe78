//! `ckpt completions`: the completion script of a shell.

use clap::CommandFactory as _;
use serde::Serialize;

use crate::args::{Cli, CompletionsArgs};
use crate::output::{self, Output};

/// The script, in JSON.
#[derive(Serialize)]
struct Answer {
    shell: String,
    script: String,
}

pub(crate) fn run(args: &CompletionsArgs, output: &Output) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ckpt", &mut script);
    if !output.is_json() {
        return output::write_bytes(&script);
    }
    let answer = Answer { shell: args.shell.to_string(), script: String::from_utf8(script)? };
    output.answer(&answer, String::new)
}
