//! What each crate pulls in: counted, and held against what it must not.
//!
//! A dependency that slips into a lower crate is paid for by every user of it, and nothing else would notice.

use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::{Context as _, Result, bail};

use crate::report::say;
use crate::workspace::{Member, cargo, members, output};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Features {
    Default,
    All,
}

impl Features {
    fn flag(self) -> Option<&'static str> {
        match self {
            Self::Default => None,
            Self::All => Some("--all-features"),
        }
    }
}

/// What must not be in the tree of one crate.
struct Rule {
    name: &'static str,
    features: Features,
    absent: &'static [&'static str],
    why: &'static str,
}

/// Also for crates that are not in the workspace yet: a rule waits for its crate.
const RULES: [Rule; 7] = [
    Rule {
        name: "ckpt-format",
        features: Features::All,
        absent: &["zstd", "tokio", "rustix"],
        why: "bytes in, values out: compression is an argument, and there is no I/O",
    },
    Rule {
        name: "ckpt-gate",
        features: Features::All,
        absent: &["zstd", "tokio", "rustix", "ckpt-format"],
        why: "judging evidence is arithmetic, whatever the evidence was stored in",
    },
    Rule {
        name: "ckpt-policy",
        features: Features::All,
        absent: &["zstd", "bincode", "tokio", "rustix"],
        why: "a policy decides about rows of a listing and never sees a payload",
    },
    Rule {
        name: "ckpt-transfer",
        features: Features::All,
        absent: &["zstd", "tokio", "rustix"],
        why: "priors are values, whoever stored them",
    },
    Rule {
        name: "ckpt-market",
        features: Features::All,
        absent: &["zstd", "tokio", "rustix"],
        why: "a bundle is state and rules; the store is the application's choice",
    },
    Rule {
        name: "ckpt-store",
        features: Features::Default,
        absent: &["tokio", "sqlx", "object_store"],
        why: "object stores and their runtime are a feature, off by default",
    },
    Rule {
        name: "ckpt",
        features: Features::Default,
        absent: &["tokio", "sqlx", "object_store", "serde-saphyr", "toml", "ckpt-gate", "ckpt-transfer"],
        why: "the default facade is blocking and local; configuration from files, gate and transfer are features",
    },
];

/// Packages that one crate of the workspace alone may name: (package, crate, why).
const SOLE_USERS: [(&str, &str, &str); 1] =
    [("bincode", "ckpt-format", "it is no longer developed, so its exit has to stay one file wide")];

/// Prints the size of each crate's tree and checks the rules.
///
/// # Errors
/// When `cargo tree` fails or a rule is broken; every broken one is named.
pub(crate) fn run() -> Result<()> {
    let members = members()?;
    print_counts(&members)?;
    let mut broken = strangers(&members);
    for rule in RULES.iter().filter(|rule| members.iter().any(|member| member.name == rule.name)) {
        broken.extend(violations(rule, &tree(rule.name, rule.features)?));
    }
    if !broken.is_empty() {
        bail!("the dependency rules are broken:\n  {}", broken.join("\n  "));
    }
    say("dependency rules hold");
    Ok(())
}

/// A crate and its version, as `cargo tree` has them.
type Crates = BTreeSet<(String, String)>;

fn print_counts(members: &[Member]) -> Result<()> {
    let mut table = String::from("crates in the tree (normal and build dependencies, itself included)\n");
    table.push_str("crate            default  all features\n");
    for member in members {
        let [default, all] = [tree(&member.name, Features::Default)?, tree(&member.name, Features::All)?];
        table.push_str(&format!("{:<16} {:>7}  {:>12}\n", member.name, default.len(), all.len()));
    }
    std::io::stdout().lock().write_all(table.as_bytes()).context("can't write to standard output")
}

fn tree(name: &str, features: Features) -> Result<Crates> {
    let mut command = cargo(["tree", "--package", name, "--edges", "normal,build", "--prefix", "none"]);
    command.args(["--format", "{p}"]).args(features.flag());
    Ok(crates(&output(&mut command)?))
}

/// Reads the lines of `cargo tree --prefix none --format {p}`: `NAME vVERSION (what else cargo has to say)`.
fn crates(tree: &str) -> Crates {
    let pair = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned()))
    };
    tree.lines().filter_map(pair).collect()
}

fn violations(rule: &Rule, tree: &Crates) -> Vec<String> {
    let found = tree.iter().filter(|(name, _)| rule.absent.contains(&name.as_str()));
    found.map(|(name, version)| violation(rule, name, version)).collect()
}

fn violation(rule: &Rule, name: &str, version: &str) -> String {
    let flag = rule.features.flag().map(|flag| format!(" {flag}")).unwrap_or_default();
    format!(
        "{} pulls in {name} {version}: {}; `cargo tree -p {}{flag} -e normal,build -i {name}` shows the way it comes",
        rule.name, rule.why, rule.name
    )
}

/// Crates that name a package which is another one's alone; tests count too, they would have to move with it.
fn strangers(members: &[Member]) -> Vec<String> {
    let mut broken = Vec::new();
    for (package, owner, why) in SOLE_USERS {
        let others = members.iter().filter(|member| member.name != owner);
        for other in others.filter(|member| member.dependencies.iter().any(|named| named.name == package)) {
            broken.push(format!(
                "{} depends on {package}, which only {owner} may name: {why}; go through {owner}, or drop it from {}",
                other.name,
                other.shown("Cargo.toml")
            ));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    const TREE: &str = "\
ckpt-format v0.1.0 (/somewhere/crates/ckpt-format)
bincode v2.0.1
serde v1.0.229
serde_derive v1.0.229 (proc-macro)
bincode v2.0.1 (*)

zstd-sys v2.0.16+zstd.1.5.7
syn v1.0.109
syn v2.0.111
";

    #[test]
    fn a_crate_counts_once_per_version() {
        let tree = crates(TREE);
        assert_eq!(tree.len(), 7);
        assert!(tree.contains(&("serde_derive".to_owned(), "1.0.229".to_owned())));
    }

    #[test]
    fn a_forbidden_crate_is_named_with_the_command_that_explains_it() {
        let rule = Rule {
            name: "ckpt-policy",
            features: Features::All,
            absent: &["bincode", "zstd"],
            why: "it never sees a payload",
        };
        let broken = violations(&rule, &crates(TREE));
        // `zstd-sys` is another crate than `zstd`.
        assert_eq!(broken.len(), 1, "{broken:?}");
        let way_out = "`cargo tree -p ckpt-policy --all-features -e normal,build -i bincode`";
        assert!(broken[0].contains(way_out), "{broken:?}");
        assert!(violations(&Rule { absent: &["tokio"], ..rule }, &crates(TREE)).is_empty());
    }

    #[test]
    fn only_the_owner_may_name_its_package_not_even_tests_of_others() {
        let member = |name: &str, dev| Member {
            name: name.to_owned(),
            directory: name.into(),
            dependencies: vec![Dependency { name: "bincode".to_owned(), dev }],
        };
        assert!(strangers(&[member("ckpt-format", false)]).is_empty());
        assert_eq!(strangers(&[member("ckpt-format", false), member("ckpt-store", true)]).len(), 1);
    }
}
