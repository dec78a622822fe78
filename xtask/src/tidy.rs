//! The workspace's own lints: what neither the compiler nor clippy can know.
//!
//! - [`layers`]: a crate depends on lower layers only.
//! - [`sources`]: every file says what it is for, and none is too long.
//! - [`manifests`]: every crate inherits the lints, pure crates have the same purity list.

mod layers;
mod manifests;
mod sources;

use anyhow::{Result, bail};

use crate::report::say;
use crate::workspace::{self, members};

/// What was found; errors fail the command, notes don't.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) errors: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// Checks everything, prints all findings, then fails if one is an error.
///
/// # Errors
/// When a rule is broken, or something can't be read.
pub(crate) fn run() -> Result<()> {
    let members = members()?;
    let mut findings = Findings::default();
    findings.errors.extend(layers::check(&members));
    manifests::check(&members, &mut findings)?;
    sources::check(&workspace::root(), &members, &mut findings)?;
    for note in &findings.notes {
        say(&format!("note: {note}"));
    }
    for error in &findings.errors {
        say(&format!("error: {error}"));
    }
    if !findings.errors.is_empty() {
        bail!("tidy found {} to put right, listed above", findings.errors.len());
    }
    say(&format!("tidy: {} crates in order", members.len()));
    Ok(())
}
