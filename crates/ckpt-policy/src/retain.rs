//! Which checkpoints to keep: `docs/POLICY.md`, section 3.

use std::collections::BTreeSet;
use std::time::Duration;

use ckpt_format::{Direction, EventClass};
use serde::Serialize;

/// What to keep. 0 turns a rule off; a policy in which nothing is on keeps everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RetentionPolicy {
    /// The newest so many periodic ones.
    pub keep_last: u64,
    /// The best so many by each metric.
    pub top: Vec<Top>,
    /// Those whose sequence is a multiple of this.
    pub every: u64,
    /// The classes that are preserved whatever their number.
    pub preserve: BTreeSet<EventClass>,
    /// None older than this, but for what is preserved, pinned or newest.
    pub max_age: Option<Duration>,
    /// No more bytes than this, as far as what is preserved, pinned or newest allows. 0: off.
    pub max_bytes: u64,
    /// Prune at every so many saves; 0: only when the disk fills, at the end, and when asked to.
    pub prune_every: u64,
}

/// A budget for the best by one metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Top {
    /// The metric.
    pub metric: String,
    /// Which way is better.
    pub direction: Direction,
    /// How many. 0 turns it off.
    pub count: u64,
}

impl Default for RetentionPolicy {
    /// Keeps everything; if a budget is turned on, every class but periodic and best is preserved.
    fn default() -> Self {
        Self {
            keep_last: 0,
            top: Vec::new(),
            every: 0,
            preserve: EventClass::ALL
                .into_iter()
                .filter(|class| !matches!(class, EventClass::Periodic | EventClass::Best))
                .collect(),
            max_age: None,
            max_bytes: 0,
            prune_every: 10,
        }
    }
}
