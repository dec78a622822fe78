//! What the log tells that the questions need.

use ckpt::{Digest, LogEvent, LogLine, Note, Timestamp};
use serde_json::Value;

/// What the log tells.
#[derive(Debug, Default)]
pub(super) struct History {
    /// How often a writer opened the run, and when last.
    pub(super) openings: u64,
    pub(super) opened_at: Option<Timestamp>,
    /// The newest policy of a session.
    pub(super) policy: Option<PolicyRecord>,
    /// What of it waits to be confirmed: how many it would delete, and keep.
    pub(super) withheld: Option<(u64, u64)>,
    /// The session that began last and did not say that it ended.
    pub(super) unfinished: Option<Process>,
    /// The last change of the disk's level.
    pub(super) level: Option<LevelRecord>,
    /// Loads that passed over a checkpoint, oldest first.
    pub(super) stepped_back: Vec<StepBack>,
    /// Lines that cannot be read.
    pub(super) bad_lines: usize,
}

/// A retention policy that a session put in force.
#[derive(Debug)]
pub(super) struct PolicyRecord {
    pub(super) at: Timestamp,
    pub(super) digest: Digest,
    pub(super) policy: Value,
}

/// A process that wrote.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) at: Timestamp,
    pub(super) host: String,
    pub(super) pid: u32,
}

/// A change of the disk's level.
#[derive(Debug)]
pub(super) struct LevelRecord {
    pub(super) at: Timestamp,
    pub(super) to: String,
    pub(super) reason: String,
}

/// A load that passed over a checkpoint.
#[derive(Debug)]
pub(super) struct StepBack {
    pub(super) at: Timestamp,
    pub(super) sequence: u64,
    pub(super) reason: String,
}

impl History {
    /// Goes through the log, oldest first.
    pub(super) fn of(lines: &[LogLine]) -> Self {
        let mut history = Self::default();
        for line in lines {
            let LogLine::Good(entry) = line else {
                history.bad_lines += 1;
                continue;
            };
            let at = entry.at;
            match &entry.event {
                LogEvent::Opened { .. } => {
                    history.openings += 1;
                    history.opened_at = Some(at);
                }
                LogEvent::SteppedBack { sequence, reason, .. } => {
                    let (sequence, reason) = (*sequence, reason.clone());
                    history.stepped_back.push(StepBack { at, sequence, reason });
                }
                LogEvent::Noted(Note::PolicyInForce { digest, policy, .. }) => {
                    if history.policy.as_ref().is_none_or(|before| before.digest != *digest) {
                        history.withheld = None;
                    }
                    let (digest, policy) = (*digest, policy.clone());
                    history.policy = Some(PolicyRecord { at, digest, policy });
                    let (host, pid) = (entry.by.host.clone(), entry.by.pid);
                    history.unfinished = Some(Process { at, host, pid });
                }
                LogEvent::Noted(Note::PlanWithheld { delete, keep, .. }) => {
                    history.withheld = Some((*delete, *keep));
                }
                LogEvent::Noted(Note::PlanConfirmed { .. }) => history.withheld = None,
                LogEvent::Noted(Note::Finished { .. }) => history.unfinished = None,
                LogEvent::Noted(Note::DiskLevel { to, reason, .. }) => {
                    history.level = Some(LevelRecord { at, to: to.clone(), reason: reason.clone() });
                }
                _ => {}
            }
        }
        history
    }
}
