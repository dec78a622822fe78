//! What must be on the machine before anything is compiled, and how to get it.

use std::process::Command;

use anyhow::{Result, bail};

use crate::workspace::{cargo, succeeds};

/// Something that is needed.
struct Need {
    /// What it is and what needs it.
    what: &'static str,
    /// How to install it.
    install: &'static str,
    present: fn() -> bool,
}

const FOR_TESTS: [Need; 2] = [
    Need {
        what: "a C compiler (`cc`, or the one that CC names), which zstd and blake3 are built with",
        install: "Debian: apt-get install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install",
        present: has_c_compiler,
    },
    Need {
        what: "strace, with which system calls are made to fail",
        install: "Debian: apt-get install strace; Fedora: dnf install strace",
        present: || succeeds(Command::new("strace").arg("-V")),
    },
];

const FOR_CI: [Need; 2] = [
    Need {
        what: "rustfmt",
        install: "rustup component add rustfmt",
        present: || succeeds(&mut cargo(["fmt", "--version"])),
    },
    Need {
        what: "clippy",
        install: "rustup component add clippy",
        present: || succeeds(&mut cargo(["clippy", "--version"])),
    },
];

const FOR_FUZZ: [Need; 3] = [
    Need {
        what: "a nightly toolchain, whose compiler has the sanitizers that fuzzing needs",
        install: "rustup toolchain install nightly --profile minimal",
        present: || succeeds(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])),
    },
    Need {
        what: "cargo-fuzz",
        install: "cargo install cargo-fuzz --locked",
        present: || succeeds(&mut cargo(["fuzz", "--version"])),
    },
    Need {
        what: "a C++ compiler (`c++`), which libFuzzer is built with",
        install: "Debian: apt-get install g++; Fedora: dnf install gcc-c++; macOS: xcode-select --install",
        present: || succeeds(Command::new("c++").arg("--version")),
    },
];

/// What building and testing needs.
///
/// # Errors
/// Names everything that is missing at once, each with the way to install it.
pub(crate) fn for_tests() -> Result<()> {
    check(&FOR_TESTS)
}

/// What [`for_tests`] needs, and the tools of the other steps.
///
/// # Errors
/// As [`for_tests`].
pub(crate) fn for_ci() -> Result<()> {
    for_tests()?;
    check(&FOR_CI)
}

/// What [`for_tests`] needs, and what the fuzz targets are built with.
///
/// # Errors
/// As [`for_tests`].
pub(crate) fn for_fuzz() -> Result<()> {
    for_tests()?;
    check(&FOR_FUZZ)
}

fn check(needs: &[Need]) -> Result<()> {
    let missing: Vec<String> = needs
        .iter()
        .filter(|need| !(need.present)())
        .map(|need| format!("\n  {}\n    install: {}", need.what, need.install))
        .collect();
    if !missing.is_empty() {
        bail!("missing on this machine:{}", missing.concat());
    }
    Ok(())
}

fn has_c_compiler() -> bool {
    // CC may carry flags or a wrapper, as in `ccache gcc`.
    let named = std::env::var("CC").unwrap_or_default();
    let mut words = named.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("cc"));
    succeeds(command.args(words).arg("--version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_is_named_with_its_way_out() {
        let needs = [
            Need { what: "a kettle", install: "buy one", present: || false },
            Need { what: "water", install: "open the tap", present: || true },
            Need { what: "tea", install: "ask", present: || false },
        ];
        let error = check(&needs).unwrap_err().to_string();
        assert!(error.contains("a kettle\n    install: buy one"), "{error}");
        assert!(error.contains("tea\n    install: ask"), "{error}");
        assert!(!error.contains("water"), "{error}");
        assert!(check(&[]).is_ok());
    }
}
