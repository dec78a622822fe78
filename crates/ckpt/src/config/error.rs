//! Why a configuration can't be used, and where it says so.

use std::fmt;
use std::io;
use std::path::PathBuf;

use ckpt_format::IdentError;

/// Where a value of the configuration was stated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueSource {
    /// Nowhere: it is the default.
    Default,
    /// In a file. The line counts from 1.
    File {
        /// As it was given.
        path: PathBuf,
        /// From 1.
        line: u64,
    },
    /// In an environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
}

impl fmt::Display for ValueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { variable } => f.write_str(variable),
        }
    }
}

/// One thing that is wrong in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where.
    pub source: ValueSource,
    /// What, and the way out.
    pub message: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.message)
    }
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file can't be read.
    #[error("configuration {} can't be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong: everything that was found, a line each.
    #[error("{}", Lines(.0))]
    Invalid(Vec<ConfigProblem>),
    /// No file has a phase of this name.
    #[error("the configuration has no phase {phase:?}{}", Choices(known, nearest))]
    UnknownPhase {
        /// The name asked for.
        phase: String,
        /// The nearest phase there is, if one is near.
        nearest: Option<String>,
        /// The phases there are.
        known: Vec<String>,
    },
    /// The path of the run needs a market.
    #[error(
        "the path {template:?} ({source_of}) has {{market}} in it: give the market (at the shell `--market NAME`)"
    )]
    MarketMissing {
        /// The path as it was stated.
        template: String,
        /// Where.
        source_of: ValueSource,
    },
    /// The market is not one that may be part of a path.
    #[error("the market can't be part of a path")]
    Market(#[source] IdentError),
}

impl ConfigError {
    /// One word for it, as in JSON: `not_found`, `permission`, `io` for a file that can't be read, `config` for what it says.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => "not_found",
                io::ErrorKind::PermissionDenied => "permission",
                _ => "io",
            },
            _ => "config",
        }
    }

    /// What is wrong, if it is in a file or the environment.
    pub fn problems(&self) -> &[ConfigProblem] {
        match self {
            Self::Invalid(problems) => problems,
            _ => &[],
        }
    }
}

struct Lines<'a>(&'a [ConfigProblem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if index > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

struct Choices<'a>(&'a [String], &'a Option<String>);

impl fmt::Display for Choices<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.1, self.0) {
            (_, []) => f.write_str(": it has none; add a mapping of that name below `checkpointing`"),
            (Some(nearest), known) => write!(f, ": did you mean {nearest:?}? it has {}", known.join(", ")),
            (None, known) => write!(f, ": it has {}", known.join(", ")),
        }
    }
}
