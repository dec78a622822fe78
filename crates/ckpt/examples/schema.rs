//! Prints a JSON Schema: `cargo run -p ckpt --features config --example schema -- configuration`.
//!
//! An editor that knows the schema of a file completes its keys and says what they mean.

use std::io::{self, Write as _};
use std::process::ExitCode;

/// A name and what makes its schema.
type Generator = (&'static str, fn() -> String);

const SCHEMAS: [Generator; 1] = [("configuration", ckpt::Config::json_schema)];

fn main() -> io::Result<ExitCode> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    match SCHEMAS.iter().find(|(name, _)| *name == wanted) {
        Some((_, schema)) => {
            io::stdout().lock().write_all(schema().as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        None => {
            let names = SCHEMAS.map(|(name, _)| name).join(", ");
            writeln!(io::stderr().lock(), "usage: schema NAME, where NAME is one of {names}")?;
            Ok(ExitCode::from(2))
        }
    }
}
