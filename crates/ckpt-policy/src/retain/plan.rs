//! The outcome of a policy: every checkpoint with keep or delete and its reasons.

use std::fmt;

use ckpt_format::Timestamp;
use serde::Serialize;

use super::json::PlanJson;
use super::policy::RetentionPolicy;
use super::reason::{Reason, Rule};

/// What a policy decides about a listing; [`plan`](super::plan) makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    policy: RetentionPolicy,
    now: Timestamp,
    committed: u64,
    entries: Vec<Planned>,
}

/// A checkpoint and what is decided about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The attempt that wrote it.
    pub epoch: u64,
    /// Its number in the run.
    pub sequence: u64,
    /// Its file name.
    pub file_name: String,
    /// What is to become of it.
    pub verdict: Verdict,
    /// All of why, in the order of the rules; at least one.
    pub reasons: Vec<Reason>,
    /// Bytes of the file.
    pub stored_bytes: u64,
    /// Whether a user's mark protects it.
    pub pinned: bool,
}

/// What is to become of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It stays.
    Keep,
    /// It goes.
    Delete,
}

/// Why a plan waits for confirmation: it would delete more than half, and nobody has confirmed its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withheld {
    /// How many it would delete.
    pub delete: u64,
    /// Of how many that are committed.
    pub committed: u64,
}

impl Plan {
    pub(super) fn new(
        policy: RetentionPolicy,
        now: Timestamp,
        committed: u64,
        entries: Vec<Planned>,
    ) -> Self {
        Self { policy, now, committed, entries }
    }

    /// The policy.
    pub fn policy(&self) -> &RetentionPolicy {
        &self.policy
    }

    /// When it was made.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Every checkpoint, oldest first.
    pub fn entries(&self) -> &[Planned] {
        &self.entries
    }

    /// How many stay.
    pub fn keep(&self) -> u64 {
        self.entries.len() as u64 - self.delete()
    }

    /// How many go.
    pub fn delete(&self) -> u64 {
        self.deleted().count() as u64
    }

    /// How many are committed.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// Bytes of those that go.
    pub fn freed_bytes(&self) -> u64 {
        self.deleted().fold(0, |sum, row| sum.saturating_add(row.stored_bytes))
    }

    /// Those that go, oldest first: the file name, and a sentence with all reasons.
    pub fn deletions(&self) -> impl Iterator<Item = (&str, String)> {
        self.deleted().map(|row| (row.file_name.as_str(), row.sentence()))
    }

    /// The checkpoints with this sequence: one, or several that claim it.
    pub fn find(&self, sequence: u64) -> impl Iterator<Item = &Planned> {
        self.entries.iter().filter(move |row| row.sequence == sequence)
    }

    /// What is decided about the checkpoint with this sequence and why, a line for each that claims it; nothing if there is none.
    pub fn explain(&self, sequence: u64) -> Option<String> {
        let lines: Vec<String> = self.find(sequence).map(Planned::to_string).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Why it must not be applied yet, if it must not. `confirmed` is whether this policy, by its
    /// [digest](RetentionPolicy::digest), was confirmed in this run, was applied in it before, or was in force from its first
    /// checkpoint on.
    pub fn withheld(&self, confirmed: bool) -> Option<Withheld> {
        let (delete, committed) = (self.delete(), self.committed);
        // Without doubling: the more that go are more than those that are left.
        (!confirmed && delete > committed - delete).then_some(Withheld { delete, committed })
    }

    /// Whether it must not be applied yet: see [`Plan::withheld`].
    pub fn is_withheld(&self, confirmed: bool) -> bool {
        self.withheld(confirmed).is_some()
    }

    /// The JSON of this plan for the run at this path, as `ckpt prune --json` prints it: see `docs/json.md`.
    pub fn to_json<'a>(&'a self, run: &'a str, applied: bool) -> PlanJson<'a> {
        PlanJson::new(self, run, applied)
    }

    fn deleted(&self) -> impl Iterator<Item = &Planned> {
        self.entries.iter().filter(|row| row.verdict == Verdict::Delete)
    }
}

impl Planned {
    /// All reasons in one sentence.
    pub fn sentence(&self) -> String {
        let reasons: Vec<String> = self.reasons.iter().map(Reason::to_string).collect();
        reasons.join("; ")
    }

    /// The rule that a limit on bytes counts it by: the most worth of the budgets that keep it; none if anything else does.
    pub(super) fn spendable_as(&self) -> Option<Rule> {
        if self.verdict == Verdict::Delete
            || self.reasons.iter().any(|reason| reason.rule().worth().is_none())
        {
            return None;
        }
        self.reasons.iter().map(Reason::rule).max_by_key(|rule| rule.worth())
    }
}

/// `00000002.ckpt: keep: pinned`.
impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file_name, self.verdict, self.sentence())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Keep => "keep",
            Self::Delete => "delete",
        })
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "withheld: this policy is new to the run and would delete {} of its {} committed checkpoints, more than half; \
             look at the plan and confirm it",
            self.delete, self.committed
        )
    }
}
