//! Proofs that are too long for CI: the same tests as there, in the release profile, at a larger size.
//!
//! A test that has a size asks the environment for it; CI runs it at the size that stands in the test.

use anyhow::Result;

use crate::prerequisites;
use crate::report::say;
use crate::workspace::{cargo, run as run_command};

/// Tests of `ckpt-store` that have a size.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) name: &'static str,
    /// Files in `crates/ckpt-store/tests`.
    tests: &'static [&'static str],
    /// How many rounds, mutations, states: what `CKPT_TEST_SIZE` says to the test.
    size: u64,
}

/// Every proof, at the size it has unless another is asked for.
pub(crate) const PROOFS: [Proof; 4] = [
    Proof { name: "crash", tests: &["crash"], size: 1_000_000 },
    Proof { name: "soak", tests: &["kill", "fencing"], size: 2_000 },
    Proof { name: "faults", tests: &["syscalls"], size: 1_000_000 },
    Proof { name: "rot", tests: &["rot"], size: 2_000_000 },
];

impl Proof {
    /// The proof of that name, at another size if one is given.
    pub(crate) fn named(name: &str, size: Option<u64>) -> Option<Self> {
        let Proof { name, tests, size: usual } = PROOFS.into_iter().find(|proof| proof.name == name)?;
        Some(Self { name, tests, size: size.unwrap_or(usual) })
    }

    /// Runs it; what the tests have to say stands on standard error.
    ///
    /// # Errors
    /// When something is missing or a test fails.
    pub(crate) fn run(&self) -> Result<()> {
        prerequisites::for_tests()?;
        say(&format!("{}: size {}", self.name, self.size));
        let mut command = cargo(["test", "--release", "--package", "ckpt-store", "--all-features"]);
        for test in self.tests {
            command.args(["--test", test]);
        }
        command.args(["--", "--test-threads=1"]).env("CKPT_TEST_SIZE", self.size.to_string());
        run_command(&mut command)
    }
}
