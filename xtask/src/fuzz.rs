//! Fuzzing: each target for a while, one after the other. No part of CI, for it needs a nightly compiler and time.
//!
//! The targets stand in `crates/*/fuzz`, each a workspace of its own. What a run finds out beyond the committed corpus stays in
//! `target/fuzz`; what breaks a target is kept in `crates/*/fuzz/artifacts` and named on the screen.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::prerequisites;
use crate::report::say;
use crate::workspace::{root, run as run_command};

/// How long each target runs unless another time is given, in seconds.
pub(crate) const SECONDS: u64 = 600;

/// A target may pause this long: a machine that is busy, or a process that was stopped, is no fault of it.
const TIMEOUT_SECONDS: u64 = 300;

/// Memory a target may take, sanitizer included.
const MEMORY_MIB: u64 = 2_048;

/// One target, and how long its inputs may be.
struct Target {
    package: &'static str,
    name: &'static str,
    bytes_max: u64,
}

const TARGETS: [Target; 9] = [
    Target { package: "ckpt-format", name: "container", bytes_max: 6_000 },
    Target { package: "ckpt-format", name: "index", bytes_max: 4_096 },
    Target { package: "ckpt-format", name: "metadata", bytes_max: 4_096 },
    Target { package: "ckpt-format", name: "names", bytes_max: 1_024 },
    Target { package: "ckpt-format", name: "selectors", bytes_max: 1_024 },
    Target { package: "ckpt-store", name: "checkpoint", bytes_max: 2_000 },
    Target { package: "ckpt-store", name: "log", bytes_max: 2_000 },
    Target { package: "ckpt-store", name: "run_json", bytes_max: 1_000 },
    Target { package: "ckpt-store", name: "operations", bytes_max: 400 },
];

/// Runs each target for so many seconds.
///
/// # Errors
/// When something is missing, or at the first target that finds something.
pub(crate) fn run(seconds: u64) -> Result<()> {
    prerequisites::for_fuzz()?;
    for Target { package, name, bytes_max } in TARGETS {
        say(&format!("\n== {package}/{name}: {seconds} s"));
        let fuzz = root().join("crates").join(package).join("fuzz");
        let found = root().join("target/fuzz").join(name);
        fs::create_dir_all(&found).with_context(|| format!("can't make {}", found.display()))?;
        let mut command = Command::new("rustup");
        command.args(["run", "nightly", "cargo", "fuzz", "run", "--fuzz-dir"]).arg(&fuzz).arg(name);
        // What is new is written to the first of them; the second is the committed one.
        command.arg(&found).arg(fuzz.join("corpus").join(name)).arg("--").args([
            format!("-max_total_time={seconds}"),
            format!("-max_len={bytes_max}"),
            format!("-timeout={TIMEOUT_SECONDS}"),
            format!("-rss_limit_mb={MEMORY_MIB}"),
            "-print_final_stats=1".to_owned(),
        ]);
        run_command(command.current_dir(root()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_its_source_and_a_corpus_and_none_is_left_out() {
        for Target { package, name, .. } in TARGETS {
            let fuzz = root().join("crates").join(package).join("fuzz");
            assert!(fuzz.join("fuzz_targets").join(name).with_extension("rs").is_file(), "{package}/{name}");
            assert!(fuzz.join("corpus").join(name).is_dir(), "{package}/{name}");
        }
        let sources = ["ckpt-format", "ckpt-store"].map(|package| {
            fs::read_dir(root().join("crates").join(package).join("fuzz/fuzz_targets")).unwrap().count()
        });
        assert_eq!(sources.iter().sum::<usize>(), TARGETS.len());
    }
}
