//! What is decided outside of the store and stands in its log: what a session goes by, what it took over, how it ended.

use ckpt_format::{Digest, Parent, Status};
use serde::{Deserialize, Serialize};

/// What was decided about a run outside of the store, by policy or by the application. See [`Run::note`](crate::Run::note).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// A retention policy came into force.
    PolicyInForce {
        /// Identity of the policy.
        digest: Digest,
        /// The policy.
        policy: serde_json::Value,
        /// Committed checkpoints the run had then.
        entries: u64,
    },
    /// A session goes by this schedule. It follows the policy that came into force with it.
    ScheduleInForce {
        /// The schedule.
        schedule: serde_json::Value,
        /// The same as a sentence.
        text: String,
    },
    /// A plan would delete so much that it waits to be confirmed.
    PlanWithheld {
        /// Identity of its policy.
        digest: Digest,
        /// How many it would delete.
        delete: u64,
        /// How many it would keep.
        keep: u64,
    },
    /// Plans of this policy may be carried out.
    PlanConfirmed {
        /// Identity of the policy.
        digest: Digest,
    },
    /// The disk fills, or has room again.
    DiskLevel {
        /// The level before.
        from: String,
        /// The level now.
        to: String,
        /// Bytes that were free.
        available_bytes: u64,
        /// Why, with the thresholds.
        reason: String,
    },
    /// Work went on from a checkpoint.
    Resumed {
        /// Its epoch.
        epoch: u64,
        /// Its number.
        sequence: u64,
        /// Numbers of those that were passed over; why, says `stepped_back`.
        skipped: Vec<u64>,
        /// Components that came back as they were saved.
        #[serde(default)]
        restored: u64,
        /// Components that an older version had written.
        #[serde(default)]
        migrated: u64,
        /// Components that took their default.
        #[serde(default)]
        defaulted: u64,
        /// Values that were brought into their bounds.
        #[serde(default)]
        clamped: u64,
    },
    /// What another system had learned was taken over.
    Injected {
        /// Of what that system is.
        identity: String,
        /// The checkpoint that held it, if one did.
        prior: Option<Parent>,
        /// Components that were taken whole.
        injected: u64,
        /// Cells of tables that were seeded.
        seeded: u64,
        /// Cells that were observed here and stayed.
        kept_live: u64,
        /// Components that stayed as they were.
        skipped: u64,
        /// Components that are never inherited.
        kept_own: u64,
        /// Values that were brought into their bounds.
        clamped: u64,
    },
    /// The application is done with the run.
    Finished {
        /// How it ended.
        status: Status,
        /// What became of the state that it ended with; nothing in a log from before this was noted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        final_state: Option<FinalState>,
        /// Why no checkpoint was made of it, if so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// What became of the state that a session ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FinalState {
    /// The last checkpoint is of it. While a thread panics: of the last boundary at which a copy was held.
    Saved,
    /// A checkpoint before is of it: no step was made since.
    SavedBefore,
    /// It is in no checkpoint.
    NotSaved,
    /// Another rank writes: this process saves nothing, and does not know.
    Elsewhere,
}
