//! Where in a value something is: frames on the stack that are rendered only when somebody has to be told.
//!
//! A path reads like the access in a program: `quotes[3].sigma`, `by_symbol["HYPE"].mid`, `state.Active.since`
//! for the data of an enum's variant. The value itself is `$`.

use std::cell::OnceCell;
use std::fmt;

use serde::Serialize;

/// Paths a [`FieldList`] spells out; the rest is counted.
const LISTED_MAX: usize = 100;

/// Fields that a report names: the first hundred as paths, all of them as a number.
///
/// A new field in the element of a long list is absent once per element; the report stays short.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldList {
    paths: Vec<String>,
    total: u64,
}

impl FieldList {
    /// The paths, in the order they were found; at most a hundred.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// How many there are, with those that are not in [`paths`](Self::paths).
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub(crate) fn push(&mut self, path: &Path<'_>) {
        if self.paths.len() < LISTED_MAX {
            self.paths.push(path.to_string());
        }
        self.total += 1;
    }
}

impl fmt::Display for FieldList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.paths.join(", "))?;
        match self.total.saturating_sub(self.paths.len() as u64) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// One step from the root to the value that is being written or read; the steps before it are its parent's.
#[derive(Clone, Copy)]
pub(crate) enum Path<'a> {
    Root,
    /// A field of a struct, or the name of an enum's variant that has data.
    Field {
        parent: &'a Path<'a>,
        name: &'a str,
    },
    Index {
        parent: &'a Path<'a>,
        index: usize,
    },
    /// The value of a map entry.
    Key {
        parent: &'a Path<'a>,
        key: &'a dyn KeyText,
    },
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("$"),
            Self::Field { parent, name } if is_plain(name) => {
                parent.fmt_as_parent(f)?;
                let dot = if matches!(parent, Self::Root) { "" } else { "." };
                write!(f, "{dot}{name}")
            }
            Self::Field { parent, name } => {
                parent.fmt_as_parent(f)?;
                write!(f, "[{name:?}]")
            }
            Self::Index { parent, index } => {
                parent.fmt_as_parent(f)?;
                write!(f, "[{index}]")
            }
            Self::Key { parent, key } => {
                parent.fmt_as_parent(f)?;
                write!(f, "[{:?}]", key.key_text())
            }
        }
    }
}

impl Path<'_> {
    fn fmt_as_parent(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self, Self::Root) { Ok(()) } else { fmt::Display::fmt(self, f) }
    }
}

/// Whether a name can stand behind a dot without doubt.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The text of a map key, made only when a path is rendered.
pub(crate) trait KeyText {
    fn key_text(&self) -> String;
}

impl KeyText for &str {
    fn key_text(&self) -> String {
        (*self).to_owned()
    }
}

/// A key that is known only as something serializable.
pub(crate) struct SerializedKey<'a, K: ?Sized>(pub(crate) &'a K);

impl<K: Serialize + ?Sized> KeyText for SerializedKey<'_, K> {
    fn key_text(&self) -> String {
        match serde_json::to_value(self.0) {
            Ok(serde_json::Value::String(text)) => text,
            Ok(other) => other.to_string(),
            Err(_) => "?".to_owned(),
        }
    }
}

/// Remembers where the first failure was: the innermost frame sees it first.
#[derive(Default)]
pub(crate) struct Failure(OnceCell<String>);

impl Failure {
    pub(crate) fn at(&self, path: &Path<'_>) {
        self.0.get_or_init(|| path.to_string());
    }

    /// The path of the failure; the root if none was seen.
    pub(crate) fn into_path(self) -> String {
        self.0.into_inner().unwrap_or_else(|| Path::Root.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_like_the_access_in_a_program() {
        let root = Path::Root;
        let quotes = Path::Field { parent: &root, name: "quotes" };
        let third = Path::Index { parent: &quotes, index: 3 };
        let sigma = Path::Field { parent: &third, name: "sigma" };
        let odd = Path::Field { parent: &sigma, name: "a.b" };
        let key = Path::Key { parent: &quotes, key: &"HY\"PE" };
        let top = Path::Key { parent: &root, key: &"HYPE" };
        assert_eq!(root.to_string(), "$");
        assert_eq!(sigma.to_string(), "quotes[3].sigma");
        assert_eq!(odd.to_string(), "quotes[3].sigma[\"a.b\"]");
        assert_eq!(key.to_string(), "quotes[\"HY\\\"PE\"]");
        assert_eq!(top.to_string(), "[\"HYPE\"]");
    }

    #[test]
    fn a_long_list_is_counted_but_not_spelled_out() {
        let mut list = FieldList::default();
        for index in 0..1000 {
            list.push(&Path::Index { parent: &Path::Root, index });
        }
        assert_eq!(list.total(), 1000);
        assert_eq!(list.paths().len(), 100);
        assert!(list.to_string().ends_with("[99] and 900 more"), "{list}");
    }

    #[test]
    fn the_innermost_failure_is_the_one_that_counts() {
        let failure = Failure::default();
        let outer = Path::Field { parent: &Path::Root, name: "outer" };
        failure.at(&Path::Field { parent: &outer, name: "inner" });
        failure.at(&outer);
        assert_eq!(failure.into_path(), "outer.inner");
    }
}
