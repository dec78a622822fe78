//! Chores of this workspace: `cargo xtask COMMAND`.
//!
//! One module a command: [`ci`] (also `test`), [`tidy`], [`tree`], [`cli_docs`], [`schema`], [`proof`] (four of them), [`fuzz`]. What they share is how cargo is
//! called ([`workspace`]), how a generated file is compared or written ([`generated`]) and what must be installed
//! first ([`prerequisites`]).

mod ci;
mod cli_docs;
mod fuzz;
mod generated;
mod prerequisites;
mod proof;
mod report;
mod schema;
mod tidy;
mod tree;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use self::proof::Proof;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [ARGS]          prerequisites, then every test and doctest; ARGS go to `cargo test`
  ci                   everything that must hold before a merge, cheapest first
  tidy                 layers, module docs, purity lists, lints, file sizes
  tree                 how many crates each crate pulls in, and which it must not
  cli-docs [--check]   write docs/cli.md from the program's arguments, or fail if it is stale
  schema [--check]     write docs/schema from the types, or fail if a file is stale; both fail over a change that
                       would break a stored file (docs/SCHEMA.md)
  schema release KIND  add what is new of a stored kind to docs/schema/lock.json, with its golden files

proofs, in the release profile; CI runs the same tests at a smaller size:
  crash  [--rounds N]  at least N distinct states that a power loss may leave; planted bugs are convicted first
  soak   [--rounds N]  N processes killed while they save, N owners stopped and overtaken
  faults [--rounds N]  up to N system calls made to fail, each with each error it can give
  rot    [--rounds N]  up to N damaged files, each found out; there are more than a million

  fuzz   [--rounds N]  each fuzz target for N seconds, 600 unless said; needs a nightly compiler, no part of CI";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(command) = Command::parse(&arguments) else {
        report::say(USAGE);
        return ExitCode::from(2);
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Command {
    Help,
    Test(Vec<String>),
    Ci,
    Tidy,
    Tree,
    CliDocs { check: bool },
    Schema { check: bool },
    Release { kind: String },
    Fuzz { seconds: u64 },
    Proof(Proof),
}

impl Command {
    /// `None` is a usage error.
    fn parse(arguments: &[String]) -> Option<Self> {
        let (name, rest) = arguments.split_first()?;
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        match (name.as_str(), rest.as_slice()) {
            ("help" | "--help" | "-h", []) => Some(Self::Help),
            ("test", extra) => Some(Self::Test(extra.iter().map(|&word| word.to_owned()).collect())),
            ("ci", []) => Some(Self::Ci),
            ("tidy", []) => Some(Self::Tidy),
            ("tree", []) => Some(Self::Tree),
            ("cli-docs", []) => Some(Self::CliDocs { check: false }),
            ("cli-docs", ["--check"]) => Some(Self::CliDocs { check: true }),
            ("schema", []) => Some(Self::Schema { check: false }),
            ("schema", ["--check"]) => Some(Self::Schema { check: true }),
            ("schema", ["release", kind]) => Some(Self::Release { kind: (*kind).to_owned() }),
            ("fuzz", []) => Some(Self::Fuzz { seconds: fuzz::SECONDS }),
            ("fuzz", ["--rounds", seconds]) => Some(Self::Fuzz { seconds: seconds.parse().ok()? }),
            (name, []) => Proof::named(name, None).map(Self::Proof),
            (name, ["--rounds", size]) => Proof::named(name, Some(size.parse().ok()?)).map(Self::Proof),
            _ => None,
        }
    }
}

fn run(command: Command) -> Result<()> {
    if !workspace::root().join("Cargo.toml").is_file() {
        bail!(
            "no workspace at {}: start this as `cargo xtask` inside the checkout",
            workspace::root().display()
        );
    }
    match command {
        Command::Help => report::say(USAGE),
        Command::Test(extra) => ci::test(&extra)?,
        Command::Ci => ci::run()?,
        Command::Tidy => tidy::run()?,
        Command::Tree => tree::run()?,
        Command::CliDocs { check } => cli_docs::generate(check)?,
        Command::Schema { check } => schema::generate(check)?,
        Command::Release { kind } => schema::release(&kind)?,
        Command::Fuzz { seconds } => fuzz::run(seconds)?,
        Command::Proof(proof) => proof.run()?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Command> {
        Command::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_of_test_are_passed_on_and_stray_ones_elsewhere_are_refused() {
        assert_eq!(
            parse("test -p ckpt -- --nocapture").unwrap(),
            Command::Test(["-p", "ckpt", "--", "--nocapture"].map(str::to_owned).to_vec())
        );
        assert_eq!(parse("cli-docs --check"), Some(Command::CliDocs { check: true }));
        assert_eq!(parse("schema"), Some(Command::Schema { check: false }));
        assert_eq!(parse("schema --check"), Some(Command::Schema { check: true }));
        assert_eq!(parse("schema release kappa"), Some(Command::Release { kind: "kappa".to_owned() }));
        assert_eq!(parse("schema release"), None);
        assert_eq!(parse("schema --chekc"), None);
        assert_eq!(parse("ci --fast"), None);
        assert_eq!(parse("tidy up"), None);
        assert_eq!(parse("rot --rounds 7"), Proof::named("rot", Some(7)).map(Command::Proof));
        assert_eq!(parse("rot --rounds many"), None);
        assert_eq!(parse("fuzz"), Some(Command::Fuzz { seconds: 600 }));
        assert_eq!(parse("fuzz --rounds 5"), Some(Command::Fuzz { seconds: 5 }));
        assert_eq!(parse("rust"), None);
        assert_eq!(parse(""), None);
    }
}
