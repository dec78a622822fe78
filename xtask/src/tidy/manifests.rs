//! What every crate's own directory must hold: inherited lints, and for pure crates the purity list.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::Findings;
use super::layers::{Kind, place};
use crate::workspace::Member;

/// Adds to `findings` every crate whose directory, manifest or `clippy.toml` is not as it should be.
///
/// # Errors
/// When a file can't be read.
pub(crate) fn check(members: &[Member], findings: &mut Findings) -> Result<()> {
    let mut lists = Vec::new();
    for member in members {
        if member.directory.file_name().is_none_or(|folder| folder != member.name.as_str()) {
            let folder = member.directory.display();
            findings
                .errors
                .push(format!("{} lies in {folder}: a folder has its crate's name, rename one", member.name));
        }
        let manifest = member.directory.join("Cargo.toml");
        let text = read(&manifest)?.with_context(|| format!("{} is missing", manifest.display()))?;
        if !inherits_lints(&text) {
            let manifest = member.shown("Cargo.toml");
            findings.errors.push(format!(
                "{manifest} does not inherit the lints: add `[lints]` with `workspace = true`"
            ));
        }
        if place(&member.name).is_some_and(|place| place.kind == Kind::Pure) {
            lists.push((member.name.as_str(), read(&member.directory.join("clippy.toml"))?));
        }
    }
    findings.errors.extend(unequal(&lists));
    Ok(())
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("can't read {}", path.display())),
    }
}

/// Whether a manifest says `lints.workspace = true`, in either spelling. Comments and spaces don't matter.
fn inherits_lints(manifest: &str) -> bool {
    let mut table = String::new();
    for line in manifest.lines() {
        let line: String = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match (table.as_str(), line.as_str()) {
            ("[lints]", "workspace=true") | ("", "lints.workspace=true") => return true,
            (_, header) if header.starts_with('[') => table = line,
            _ => {}
        }
    }
    false
}

/// Pure crates without a `clippy.toml`, or with another one than the first that has one.
fn unequal(lists: &[(&str, Option<String>)]) -> Vec<String> {
    let model = lists.iter().find_map(|(name, text)| text.as_ref().map(|text| (*name, text)));
    let mut errors = Vec::new();
    for (name, text) in lists {
        match (text, model) {
            (Some(text), Some((first, model))) if text != model => errors.push(format!(
                "crates/{name}/clippy.toml is not that of {first}: pure crates are pure in the same way, make both equal"
            )),
            (None, Some((first, _))) => errors.push(format!(
                "crates/{name} is pure but has no clippy.toml: copy crates/{first}/clippy.toml"
            )),
            (None, None) => errors.push(format!(
                "crates/{name} is pure but has no clippy.toml: write one that bans clock, files, network and environment"
            )),
            (Some(_), _) => {}
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_are_inherited_in_both_spellings_and_not_by_a_look_alike() {
        assert!(inherits_lints("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"));
        assert!(inherits_lints("lints.workspace = true # all of them\n[package]\n"));
        assert!(inherits_lints("[lints] # as everywhere\n  workspace=true\n"));
        assert!(!inherits_lints("[package]\nlints.workspace = true\n"));
        assert!(!inherits_lints("[lints]\n# workspace = true\n"));
        assert!(!inherits_lints("[dependencies.serde]\nworkspace = true\n"));
        assert!(!inherits_lints("[lints]\nworkspace = false\n"));
    }

    #[test]
    fn purity_lists_are_equal_to_the_first() {
        let list = |name, text: &str| (name, Some(text.to_owned()));
        assert!(unequal(&[list("a", "x"), list("b", "x")]).is_empty());
        let errors = unequal(&[list("a", "x"), list("b", "y"), ("c", None)]);
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].contains("crates/b/clippy.toml is not that of a"), "{errors:?}");
        assert!(errors[1].contains("copy crates/a/clippy.toml"), "{errors:?}");
        assert_eq!(unequal(&[("a", None)]).len(), 1);
    }
}
