//! Everything that must hold, as a list of steps: cheap ones first, so that a slip is heard of early.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::report::{human, say};
use crate::workspace::{SELECTION, build_example, cargo, run as run_command, succeeds};
use crate::{cli_docs, prerequisites, schema, tidy, tree};

/// What all steps together may take on two cores with nothing compiled yet. Said, not enforced: how fast a machine
/// is, is no property of the code.
const BUDGET: Duration = Duration::from_secs(30 * 60);

/// Runs the prerequisites, then every test and doctest; `extra` goes to `cargo test`.
///
/// # Errors
/// When something is missing or a test fails.
pub(crate) fn test(extra: &[String]) -> Result<()> {
    prerequisites::for_tests()?;
    run_command(cargo(["test"]).args(SELECTION).args(extra))
}

/// Runs all steps up to the first that fails, and closes with the time of each.
///
/// # Errors
/// When a step fails; it is named.
pub(crate) fn run() -> Result<()> {
    let start = Instant::now();
    let mut lines = Vec::new();
    let mut failure = None;
    for (index, step) in STEPS.iter().enumerate() {
        say(&format!("\n== {}/{} {}", index + 1, STEPS.len(), step.name));
        let begun = Instant::now();
        let outcome = (step.run)();
        let (word, time) = (outcome.as_ref().map_or("FAILED", Outcome::word), human(begun.elapsed()));
        say(&format!("== {}: {word} in {time}", step.name));
        lines.push(format!("  {:<14} {word:<8} {time:>12}", step.name));
        if let Err(error) = outcome {
            failure =
                Some(error.context(format!("step `{}` failed, repeat it with `{}`", step.name, step.alone)));
            break;
        }
    }
    say(&summary(&lines, STEPS.len(), start.elapsed()));
    failure.map_or(Ok(()), Err)
}

/// What became of a step that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Skipped,
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Skipped => "skipped",
        }
    }
}

struct Step {
    name: &'static str,
    /// What to type to run this step alone.
    alone: &'static str,
    run: fn() -> Result<Outcome>,
}

/// First what compiles nothing, then what only checks types, then what generates code.
const STEPS: [Step; 11] = [
    Step { name: "prerequisites", alone: "cargo xtask ci", run: || passed(prerequisites::for_ci()) },
    Step { name: "fmt", alone: "cargo fmt --all -- --check", run: fmt },
    Step { name: "tidy", alone: "cargo xtask tidy", run: || passed(tidy::run()) },
    Step { name: "tree", alone: "cargo xtask tree", run: || passed(tree::run()) },
    Step { name: "deny", alone: "cargo deny check bans licenses sources", run: deny },
    Step {
        name: "clippy",
        alone: "cargo clippy --workspace --all-features --all-targets -- -D warnings",
        run: clippy,
    },
    Step {
        name: "doc",
        alone: "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --all-features --no-deps",
        run: doc,
    },
    Step {
        name: "cli-docs",
        alone: "cargo xtask cli-docs --check",
        run: || passed(cli_docs::generate(true)),
    },
    Step { name: "schema", alone: "cargo xtask schema --check", run: || passed(schema::generate(true)) },
    Step { name: "test", alone: "cargo xtask test", run: || passed(test(&[])) },
    Step { name: "example", alone: "cargo run -p ckpt --example crash_and_resume", run: crash_and_resume },
];

fn passed(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Passed)
}

fn fmt() -> Result<Outcome> {
    passed(run_command(cargo(["fmt"]).args(["--all", "--", "--check"])))
}

// Warnings are denied by clippy's own flag: RUSTFLAGS would compile all dependencies once more.
fn clippy() -> Result<Outcome> {
    passed(run_command(cargo(["clippy"]).args(SELECTION).args(["--all-targets", "--", "-D", "warnings"])))
}

fn doc() -> Result<Outcome> {
    passed(run_command(cargo(["doc"]).args(SELECTION).arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings")))
}

/// Without `advisories`: those need the network and change under a commit that does not.
fn deny() -> Result<Outcome> {
    if !succeeds(&mut cargo(["deny", "--version"])) {
        say("cargo-deny is not installed (`cargo install cargo-deny --locked`)");
        return Ok(Outcome::Skipped);
    }
    passed(run_command(cargo(["deny"]).args(["check", "bans", "licenses", "sources"])))
}

/// The main job, in the dev profile: what is built for the tests runs at once, with overflow checks on. A release
/// build of the same sources would compile every dependency again, close to two minutes of processor time.
fn crash_and_resume() -> Result<Outcome> {
    let program = build_example("crash_and_resume").context("can't build the example")?;
    passed(run_command(&mut Command::new(program)))
}

fn summary(lines: &[String], steps: usize, total: Duration) -> String {
    let mut text = format!("\n{} of {steps} steps\n{}\n", lines.len(), lines.join("\n"));
    text.push_str(&format!("  {:<14} {:<8} {:>12}", "total", "", human(total)));
    if total > BUDGET {
        text.push_str(&format!("  over the budget of {}", human(BUDGET)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_a_line_per_step_the_total_and_says_when_it_took_too_long() {
        let lines = ["  fmt ok 1.0 s".to_owned()];
        let text = summary(&lines, 2, Duration::from_secs(61));
        assert!(text.contains("1 of 2 steps\n  fmt ok 1.0 s\n"), "{text}");
        assert!(text.contains("1 min 01 s") && !text.contains("budget"), "{text}");
        assert!(
            summary(&lines, 2, BUDGET + Duration::from_secs(1)).contains("over the budget of 30 min 00 s")
        );
    }
}
