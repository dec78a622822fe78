//! Rules for each source file: a module doc on the first line, and a size that one can read in a sitting.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Findings;
use crate::workspace::Member;

/// Folders of a crate that hold Rust sources.
const FOLDERS: [&str; 4] = ["src", "examples", "tests", "benches"];

/// From here on one should ask whether a file is still one noun. Lines without the unit tests at its end.
const LINES_NOTED: usize = 500;

/// A longer file is an error.
const LINES_MAX: usize = 800;

/// Adds to `findings` what is wrong with the source files of all `members`; paths are shown relative to `root`.
///
/// # Errors
/// When a folder or file can't be read.
pub(crate) fn check(root: &Path, members: &[Member], findings: &mut Findings) -> Result<()> {
    for member in members {
        for folder in FOLDERS.map(|folder| member.directory.join(folder)).iter().filter(|path| path.is_dir())
        {
            for path in rust_files(folder)? {
                let text =
                    fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
                judge(&path.strip_prefix(root).unwrap_or(&path).display().to_string(), &text, findings);
            }
        }
    }
    Ok(())
}

/// All `.rs` files beneath `folder`, sorted. What lies under a folder `fixtures` is data.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("can't list {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("can't list {}", folder.display()))?;
        let path = entry.path();
        let kind = entry.file_type().with_context(|| format!("can't look at {}", path.display()))?;
        if kind.is_dir() && entry.file_name() != "fixtures" {
            files.extend(rust_files(&path)?);
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn judge(path: &str, text: &str, findings: &mut Findings) {
    if !text.starts_with("//!") {
        findings.errors.push(format!("{path} does not say what it is for: begin it with a `//!` line"));
    }
    let lines = lines_without_tests(text);
    if lines > LINES_MAX {
        findings.errors.push(format!(
            "{path} has {lines} lines, unit tests not counted, at most {LINES_MAX}: split it by noun"
        ));
    } else if lines > LINES_NOTED {
        findings
            .notes
            .push(format!("{path} has {lines} lines, unit tests not counted: is it still one noun?"));
    }
}

/// Lines before the unit tests, which stand at the very end of a file.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).rposition(|pair| pair[0] == "#[cfg(test)]" && pair[1] == "mod tests {");
    tests.unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> Findings {
        let mut findings = Findings::default();
        judge("a.rs", text, &mut findings);
        findings
    }

    #[test]
    fn a_file_begins_with_its_module_doc() {
        assert!(judged("//! What it is.\nfn f() {}\n").errors.is_empty());
        for text in ["", "// A comment.\n", "/// Not the module's.\nfn f() {}\n", "use std::fs;\n//! Late.\n"]
        {
            assert_eq!(judged(text).errors.len(), 1, "{text:?}");
        }
    }

    #[test]
    fn length_is_noted_then_refused_and_tests_do_not_count() {
        let file = |lines: usize| format!("//! Long.\n{}", "// line\n".repeat(lines - 1));
        let count = |text: &str| (judged(text).notes.len(), judged(text).errors.len());
        assert_eq!(count(&file(LINES_NOTED)), (0, 0));
        assert_eq!(count(&file(LINES_NOTED + 1)), (1, 0));
        assert_eq!(count(&file(LINES_MAX)), (1, 0));
        assert_eq!(count(&file(LINES_MAX + 1)), (0, 1));
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    // line\n".repeat(LINES_MAX));
        assert_eq!(count(&(file(LINES_NOTED) + &tests)), (0, 0));
    }

    #[test]
    fn the_sources_of_this_crate_are_found_in_folders_too() {
        let files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
        assert!(files.iter().any(|path| path.ends_with("src/tidy/sources.rs")), "{files:?}");
    }
}
