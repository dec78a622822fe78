//! Prints the JSON Schema of the configuration, and keeps the folder of the stored kinds:
//! `cargo run -p ckpt --features config,schema --example schema -- configuration`, or `-- kinds FOLDER schema --check`.
//!
//! An editor that knows the schema of a file completes its keys and says what they mean.

use std::io::{self, Write as _};
use std::process::ExitCode;

const USAGE: &str = "usage: schema configuration | schema kinds FOLDER ARGUMENTS, as an xtask gives them";

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["configuration"] => io::stdout().lock().write_all(ckpt::Config::json_schema().as_bytes())?,
        ["kinds", folder, ..] => {
            match ckpt::schema::command(&ckpt_market::kinds(), folder, &arguments[2..]) {
                Ok(done) => writeln!(io::stdout().lock(), "{done}")?,
                Err(error) => {
                    writeln!(io::stderr().lock(), "error: {error}")?;
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
        _ => {
            writeln!(io::stderr().lock(), "{USAGE}")?;
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}
