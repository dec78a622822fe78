//! What can go wrong in a store, told apart by what the caller would do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use ckpt_format::{FormatError, Part};

use crate::writer::{Failure, Submitted};

/// What can go wrong in a store. Variants differ by what the caller would do; paths and sources are inside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no run at that path.
    #[error("no run at {}{}", path.display(), list_hint("; runs there", present))]
    RunNotFound {
        /// Where it was looked for.
        path: PathBuf,
        /// Runs that are near.
        present: Vec<String>,
    },
    /// A run cannot be created because something is there.
    #[error("{} exists already: {reason}", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
        /// Why it cannot become a run.
        reason: String,
    },
    /// Nothing in the run matches.
    #[error("no checkpoint matches {wanted}{}", list_hint("; there are", present))]
    NotFound {
        /// What was asked for.
        wanted: String,
        /// What there is, newest last.
        present: Vec<String>,
    },
    /// What was asked for is not well-formed, or not allowed here.
    #[error("{reason}")]
    Invalid {
        /// What is wrong, and the way out.
        reason: String,
    },
    /// Bytes are not what was written.
    #[error("{file}: {source}")]
    Damaged {
        /// The file.
        file: String,
        /// Where and how.
        #[source]
        source: FormatError,
    },
    /// Nothing good is left to load.
    #[error("no good checkpoint is left: {}", skipped_text(skipped))]
    NothingGood {
        /// What was skipped, newest first.
        skipped: Vec<Skipped>,
    },
    /// Intact, but newer than this program. Never touched.
    #[error("{file}: {source}")]
    Unsupported {
        /// The file.
        file: String,
        /// What is unknown.
        #[source]
        source: FormatError,
    },
    /// Intact, but this program cannot decode it. Never touched.
    #[error("{file} is intact, but this program cannot decode it: {reason}")]
    Incompatible {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// Somebody else is writing.
    #[error("{what} is locked by {holder}")]
    Locked {
        /// What is locked.
        what: String,
        /// Who has it and since when, and the way out.
        holder: String,
    },
    /// A later attempt has taken over; this one can change nothing any more.
    #[error("fenced: epoch {epoch} {}", overtaken_by(*by))]
    Fenced {
        /// The epoch of this handle.
        epoch: u64,
        /// The epoch that took over, if it is known.
        by: Option<u64>,
    },
    /// The epoch was begun before.
    #[error("epoch {epoch} was begun before: take a higher one, or join it")]
    Conflict {
        /// The epoch.
        epoch: u64,
    },
    /// The medium is full, or a quota is.
    #[error("no space left while {action} {path}: {source}; the checkpoints that were there are intact")]
    NoSpace {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system forbids it.
    #[error("permission denied while {action} {path}: {source}")]
    Permission {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The checkpoint has its name, but whether it survives a power loss is unknown.
    #[error(
        "{path} was published, but syncing its directory failed: {source}; whether it survives a power loss is \
             unknown, and this handle writes no more: open the run anew"
    )]
    DurabilityUnknown {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// An earlier save of this handle ended with [`Error::DurabilityUnknown`].
    #[error("this handle writes no more, because syncing failed before ({reason}): open the run anew")]
    Poisoned {
        /// What failed before.
        reason: String,
    },
    /// The system failed otherwise.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The reader that a section's bytes come from failed.
    #[error("reading the bytes of section {section:?} failed: {source}; nothing was saved")]
    Source {
        /// The section.
        section: String,
        /// What the reader said.
        #[source]
        source: io::Error,
    },
    /// A value that its codec cannot carry.
    #[error("section {section:?} cannot be saved: {reason}")]
    Refused {
        /// The section.
        section: String,
        /// Why, with the field's path.
        reason: String,
    },
    /// Metadata or sections exceed what the format can hold.
    #[error(transparent)]
    Format(FormatError),
    /// Saves that were queued before have failed. Each failure is returned once.
    #[error("saving in the background failed: {}", failures_text(failures))]
    Background {
        /// Which, and why, oldest first.
        failures: Vec<Failure>,
        /// What became of the save that was submitted with this call: the failures of others take nothing from it.
        submitted: Option<Submitted>,
    },
    /// A user's mark protects it.
    #[error("checkpoint {sequence} is pinned: unpin it first")]
    Pinned {
        /// Its number.
        sequence: u64,
    },
    /// Deleting it would leave no checkpoint that is known to be good and durable.
    #[error("checkpoint {sequence} is kept: {reason}")]
    LastVerified {
        /// Its number.
        sequence: u64,
        /// Why it must stay.
        reason: String,
    },
}

/// A checkpoint that was passed over, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The attempt that wrote it.
    pub epoch: u64,
    /// Its number.
    pub sequence: u64,
    /// Its file.
    pub file_name: String,
    /// Why, as a sentence that names the place.
    pub reason: String,
    /// Where it is now, if it was set aside.
    pub set_aside: Option<String>,
}

/// Result of the store's calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The one word for it in JSON: `not_found`, `damaged`, `locked` ...
    pub fn code(&self) -> &'static str {
        match self {
            Self::RunNotFound { .. } => "run_not_found",
            Self::Exists { .. } => "exists",
            Self::NotFound { .. } => "not_found",
            Self::Invalid { .. } => "invalid",
            Self::Damaged { .. } | Self::NothingGood { .. } => "damaged",
            Self::Unsupported { .. } => "unsupported",
            Self::Incompatible { .. } => "incompatible",
            Self::Locked { .. } => "locked",
            Self::Fenced { .. } => "fenced",
            Self::Conflict { .. } => "conflict",
            Self::NoSpace { .. } => "no_space",
            Self::Permission { .. } => "permission",
            Self::DurabilityUnknown { .. } | Self::Poisoned { .. } => "durability_unknown",
            Self::Io { .. } => "io",
            Self::Source { .. } => "source",
            Self::Refused { .. } => "refused",
            Self::Background { failures, .. } => failures.first().map_or("io", |first| first.error.code()),
            Self::Format(FormatError::Limit { .. }) => "limit",
            Self::Format(_) => "refused",
            Self::Pinned { .. } => "pinned",
            Self::LastVerified { .. } => "last_verified",
        }
    }

    /// The damaged part, if it is damage.
    pub fn part(&self) -> Option<&Part> {
        match self {
            Self::Damaged { source, .. } => source.part(),
            _ => None,
        }
    }

    /// An error of the system, sorted by what it means.
    pub(crate) fn io(action: &'static str, path: impl Into<String>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::NoSpace { action, path, source }
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission { action, path, source }
            }
            _ => Self::Io { action, path, source },
        }
    }

    /// An error of the format about a file that was read.
    pub(crate) fn format(file: &str, source: FormatError) -> Self {
        let file = file.to_owned();
        match source.fault() {
            ckpt_format::Fault::Damaged => Self::Damaged { file, source },
            ckpt_format::Fault::Unsupported => Self::Unsupported { file, source },
            ckpt_format::Fault::Incompatible => Self::Incompatible { file, reason: source.to_string() },
            ckpt_format::Fault::Refused => Self::Format(source),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checkpoint {} ({})", self.sequence, self.reason)
    }
}

fn overtaken_by(by: Option<u64>) -> String {
    match by {
        Some(by) => format!("was overtaken by epoch {by}"),
        None => "lost its lock file: somebody took it away. Open the run anew".to_owned(),
    }
}

fn list_hint(lead: &str, items: &[String]) -> String {
    const SHOWN: usize = 20;
    match items.len() {
        0 => "; there are none".to_owned(),
        length if length > SHOWN => {
            let hidden = length.saturating_sub(SHOWN);
            format!("{lead}: {} and {hidden} more", items.get(hidden..).unwrap_or_default().join(", "))
        }
        _ => format!("{lead}: {}", items.join(", ")),
    }
}

fn failures_text(failures: &[Failure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn skipped_text(skipped: &[Skipped]) -> String {
    skipped.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
