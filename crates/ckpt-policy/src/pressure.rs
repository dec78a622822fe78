//! What may still be saved when the disk fills: `docs/POLICY.md`, section 4.

use serde::Serialize;

/// Room that periodic saves leave free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reserve {
    /// The lesser of 5 GiB and 5 % of the file system.
    Default,
    /// So many bytes.
    Bytes(u64),
}

/// How far the disk has filled. The later, the less may be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everything is saved.
    #[default]
    Normal,
    /// Prune now.
    Prune,
    /// Neither periodic nor best saves.
    NoPeriodic,
    /// Only urgent events.
    UrgentOnly,
    /// Nothing.
    Refuse,
}
