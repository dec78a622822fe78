//! Files that are written by a command and committed: each generator makes the text, this writes or compares it.

use std::fs;
use std::io::ErrorKind;

use anyhow::{Context as _, Result, bail};

use crate::report::say;
use crate::workspace;

/// A generated file.
pub(crate) struct Generated<'a> {
    /// Relative to the workspace's root, with `/`.
    pub(crate) path: &'a str,
    /// What writes it, for example `cargo xtask cli-docs`.
    pub(crate) command: &'a str,
    /// What should be in it, whole.
    pub(crate) text: String,
}

impl Generated<'_> {
    /// Writes the file where it differs, or with `check` only says so.
    ///
    /// # Errors
    /// With `check`, when the file is missing or stale; otherwise when it can't be written.
    pub(crate) fn settle(&self, check: bool) -> Result<()> {
        let path = workspace::root().join(self.path);
        let old = match fs::read_to_string(&path) {
            Ok(old) => Some(old),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("can't read {}", self.path)),
        };
        let Some(why) = stale(old.as_deref(), &self.text) else {
            say(&format!("{} is up to date", self.path));
            return Ok(());
        };
        if check {
            bail!("{} is {why}; run `{}` and commit the file", self.path, self.command);
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("can't create {}", parent.display()))?;
        }
        fs::write(&path, &self.text).with_context(|| format!("can't write {}", self.path))?;
        say(&format!("wrote {}", self.path));
        Ok(())
    }
}

/// Why the text on disk is not the wanted one, by the first line that differs.
fn stale(old: Option<&str>, new: &str) -> Option<String> {
    let Some(old) = old else { return Some("missing".to_owned()) };
    if old == new {
        return None;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let line = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let show =
        |lines: &[&str]| lines.get(line).map_or("the end of the file".to_owned(), |text| format!("`{text}`"));
    Some(format!("stale from line {}: it has {}, should have {}", line + 1, show(&old), show(&new)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_an_equal_and_a_different_file_are_told_apart() {
        assert_eq!(stale(None, "a\n").unwrap(), "missing");
        assert_eq!(stale(Some("a\n"), "a\n"), None);
        assert_eq!(
            stale(Some("a\nb\n"), "a\nc\n").unwrap(),
            "stale from line 2: it has `b`, should have `c`"
        );
        assert_eq!(
            stale(Some("a"), "a\nc").unwrap(),
            "stale from line 2: it has the end of the file, should have `c`"
        );
    }

    #[test]
    fn a_changed_line_ending_alone_is_stale() {
        assert!(stale(Some("a\r\n"), "a\n").is_some());
        assert!(stale(Some("a"), "a\n").is_some());
    }
}
