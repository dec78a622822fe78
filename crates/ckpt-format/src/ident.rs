//! Names that are checked once, where they come in, and are safe to use as a path component ever after.
//!
//! No type here can hold an empty name, `.`, `..`, a leading dot, a slash, a space or a control character.
//!
//! ```
//! use ckpt_format::RunName;
//!
//! let name: RunName = "ppo_agent".parse()?;
//! assert_eq!(name.as_str(), "ppo_agent");
//! assert!("../ppo_agent".parse::<RunName>().is_err());
//! # Ok::<(), ckpt_format::IdentError>(())
//! ```

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not a name of the wanted sort. The message names the text, the place and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentError {
    /// There is no text at all.
    #[error("{what} is empty; it must match {rule}")]
    Empty {
        /// What was to be named, for example `run name`.
        what: &'static str,
        /// The rule, as a regular expression.
        rule: &'static str,
    },
    /// The text has more bytes than the rule allows.
    #[error(
        "{what} {} has {length_bytes} bytes, at most {length_bytes_max} are allowed; it must match {rule}",
        Excerpt(text)
    )]
    TooLong {
        /// What was to be named.
        what: &'static str,
        /// The whole text.
        text: String,
        /// Its length in bytes.
        length_bytes: usize,
        /// The most that is allowed, in bytes.
        length_bytes_max: usize,
        /// The rule, as a regular expression.
        rule: &'static str,
    },
    /// A character is not allowed where it stands.
    #[error("{what} {} has {found:?} at byte {position}; it must match {rule}", Excerpt(text))]
    BadCharacter {
        /// What was to be named.
        what: &'static str,
        /// The whole text.
        text: String,
        /// The first character that is not allowed.
        found: char,
        /// Where it begins, in bytes from 0.
        position: usize,
        /// The rule, as a regular expression.
        rule: &'static str,
    },
}

/// Declares one checked text type; they differ only in their [`Rule`].
macro_rules! checked_text {
    (
        $(#[$doc:meta])*
        $name:ident, $what:literal, $pattern:literal, $first:expr, $rest:expr, $length_bytes_max:literal
    ) => {
        $(#[$doc])*
        #[doc = concat!("\n\nMatches `", $pattern, "`. In serde it is a string, checked on reading.")]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            const RULE: Rule = Rule {
                what: $what,
                pattern: $pattern,
                first: $first,
                rest: $rest,
                length_bytes_max: $length_bytes_max,
            };

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentError;

            fn try_from(text: String) -> Result<Self, IdentError> {
                Self::RULE.check(&text)?;
                Ok(Self(text))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdentError;

            fn try_from(text: &str) -> Result<Self, IdentError> {
                Self::RULE.check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl FromStr for $name {
            type Err = IdentError;

            fn from_str(text: &str) -> Result<Self, IdentError> {
                Self::try_from(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

checked_text!(
    /// The kind or the name of a run: each is one directory of the run's path.
    RunName,
    "run name",
    "[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    |byte| byte.is_ascii_alphanumeric(),
    |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'),
    64
);

checked_text!(
    /// The name of a section within a checkpoint. Also the file name that a restore writes.
    SectionName,
    "section name",
    "[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}",
    |byte| byte.is_ascii_alphanumeric() || byte == b'_',
    |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'),
    64
);

checked_text!(
    /// The kind of a stored type: the name its versions have in common.
    KindName,
    "kind",
    "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}",
    |byte| byte.is_ascii_alphanumeric() || byte == b'_',
    |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'),
    128
);

checked_text!(
    /// The name of a phase boundary: what follows `phase_boundary_` in the event.
    BoundaryName,
    "phase boundary",
    "[a-z0-9_]{1,48}",
    |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_',
    |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_',
    48
);

/// What a checked text may hold: which bytes first, which after it, and how many.
struct Rule {
    what: &'static str,
    pattern: &'static str,
    first: fn(u8) -> bool,
    rest: fn(u8) -> bool,
    length_bytes_max: usize,
}

impl Rule {
    fn check(&self, text: &str) -> Result<(), IdentError> {
        let (what, rule) = (self.what, self.pattern);
        if text.is_empty() {
            return Err(IdentError::Empty { what, rule });
        }
        // A bad character says more than the length does, so it is looked for first.
        if let Some((position, found)) = text.char_indices().find(|&(at, found)| !self.allows(at, found)) {
            return Err(IdentError::BadCharacter { what, text: text.to_owned(), found, position, rule });
        }
        if text.len() > self.length_bytes_max {
            return Err(IdentError::TooLong {
                what,
                text: text.to_owned(),
                length_bytes: text.len(),
                length_bytes_max: self.length_bytes_max,
                rule,
            });
        }
        Ok(())
    }

    fn allows(&self, position: usize, found: char) -> bool {
        let Ok(byte) = u8::try_from(found) else { return false };
        if position == 0 { (self.first)(byte) } else { (self.rest)(byte) }
    }
}

/// A text as it stands in a message: quoted, escaped, and cut so that it can't flood a terminal or a log.
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_CHARS_MAX: usize = 96;
        match self.0.char_indices().nth(SHOWN_CHARS_MAX) {
            Some((end, _)) => write!(f, "{:?}...", self.0.get(..end).unwrap_or_default()),
            None => write!(f, "{:?}", self.0),
        }
    }
}

impl KindName {
    /// The kind in `text`, nothing if it is empty: a section may hold a value of no kind.
    ///
    /// # Errors
    /// [`IdentError`] if it is neither.
    pub fn parse_optional(text: &str) -> Result<Option<Self>, IdentError> {
        if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_rule_admits_its_own_and_nothing_else() {
        let long_64 = "a".repeat(64);
        let long_65 = "a".repeat(65);
        let long_129 = "a".repeat(129);
        for (text, run, section, kind, boundary) in [
            ("state", true, true, true, true),
            ("SPY-1.5", true, true, true, false),
            ("_x", false, true, true, true),
            ("0", true, true, true, true),
            ("-x", false, false, false, false),
            (".", false, false, false, false),
            ("..", false, false, false, false),
            (".lock", false, false, false, false),
            ("a/b", false, false, false, false),
            ("a\\b", false, false, false, false),
            ("a b", false, false, false, false),
            ("a\0", false, false, false, false),
            ("a\n", false, false, false, false),
            ("é", false, false, false, false),
            ("", false, false, false, false),
            (&long_64, true, true, true, false),
            (&long_65, false, false, true, false),
            (&long_129, false, false, false, false),
        ] {
            assert_eq!(text.parse::<RunName>().is_ok(), run, "run name {text:?}");
            assert_eq!(text.parse::<SectionName>().is_ok(), section, "section name {text:?}");
            assert_eq!(text.parse::<KindName>().is_ok(), kind, "kind {text:?}");
            assert_eq!(text.parse::<BoundaryName>().is_ok(), boundary, "boundary {text:?}");
        }
    }

    #[test]
    fn an_error_names_the_text_the_place_and_the_rule() {
        let message = |text: &str| text.parse::<RunName>().map(|_| ()).unwrap_err().to_string();
        assert_eq!(
            message("SPY/x"),
            "run name \"SPY/x\" has '/' at byte 3; it must match [A-Za-z0-9][A-Za-z0-9._-]{0,63}"
        );
        assert_eq!(message(""), "run name is empty; it must match [A-Za-z0-9][A-Za-z0-9._-]{0,63}");
        let long = message(&"a".repeat(70_000));
        assert!(long.contains("has 70000 bytes, at most 64 are allowed"), "{long}");
        assert!(long.len() < 300, "a long text must not flood the message: {} bytes", long.len());
    }

    #[test]
    fn serde_checks_what_it_reads() {
        let name: SectionName = serde_json::from_str("\"vol_filter\"").expect("a good name");
        assert_eq!(serde_json::to_string(&name).expect("a string"), "\"vol_filter\"");
        let error = serde_json::from_str::<SectionName>("\"../x\"").unwrap_err().to_string();
        assert!(error.contains("section name \"../x\" has '.' at byte 0"), "{error}");
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_one_plain_path_component(text in any::<String>()) {
            if let Ok(name) = text.parse::<SectionName>() {
                prop_assert_eq!(name.as_str(), text.as_str());
                prop_assert!(!text.starts_with('.') && !text.contains(['/', '\\', '\0']) && text.len() <= 64);
            }
        }

        #[test]
        fn the_rule_accepts_all_that_its_pattern_describes(text in "[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}") {
            prop_assert_eq!(text.parse::<SectionName>().map(String::from), Ok(text));
        }
    }
}
