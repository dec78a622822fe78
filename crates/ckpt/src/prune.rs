//! Plans of retention in a run: whether one may be carried out unasked, carrying it out, and which policy was last in force.

use ckpt_format::{Digest, Timestamp};
use ckpt_policy::Plan;
use ckpt_store::{Deleted, Deletion, LogEvent, LogLine, Note, Result, Run, RunReader};

/// The policy that was last in force in a run, as its log has it.
#[derive(Debug, Clone, PartialEq)]
pub struct LastPolicy {
    /// Since when.
    pub at: Timestamp,
    /// Identity of the policy.
    pub digest: Digest,
    /// The policy as it was written: a [`RetentionPolicy`](ckpt_policy::RetentionPolicy), if this program knows all of its rules.
    pub policy: serde_json::Value,
}

/// Carries a plan out: what it deletes is deleted by the store, which logs each with its reasons first.
///
/// Whether it may be is for the caller to say: see [`Plan::withheld`] and [`is_plan_confirmed`].
///
/// ```
/// use ckpt::{Event, Metadata, RetentionPolicy, Run, RunOptions, Section, apply_plan, is_plan_confirmed, plan};
///
/// # let root = tempfile::tempdir()?;
/// # let path = root.path().join("training/agent");
/// let run = Run::create(&path, &"training".parse()?, &"agent".parse()?, RunOptions::new(ckpt::now))?;
/// for _ in 0..5 {
///     let metadata = Metadata::default().because(Event::Periodic, "every 100 steps");
///     run.save(metadata, vec![Section::raw("weights", &[1, 2, 3])])?;
/// }
/// let plan = plan(&RetentionPolicy::keep_last(3), &run.reader().list()?, ckpt::now());
/// let confirmed = is_plan_confirmed(run.reader(), plan.policy().digest())?;
/// assert!(!plan.is_withheld(confirmed), "it deletes two of five");
/// assert_eq!(apply_plan(&run, &plan)?.file_names.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`Run::delete`]; a plan that deletes nothing changes nothing.
pub fn apply_plan(run: &Run, plan: &Plan) -> Result<Deleted> {
    let deletions: Vec<Deletion> = plan
        .deletions()
        .map(|(file_name, reason)| Deletion { file_name: file_name.to_owned(), reason })
        .collect();
    if deletions.is_empty() { Ok(Deleted::default()) } else { run.delete(&deletions) }
}

/// Whether plans of this policy may be carried out in this run whatever they delete: somebody confirmed it, one was carried out
/// before, or it was in force before the first checkpoint. Reads the whole log.
///
/// # Errors
/// As [`RunReader::log`].
pub fn is_plan_confirmed(run: &RunReader, policy: Digest) -> Result<bool> {
    Ok(run.log()?.iter().any(|line| match line {
        LogLine::Good(entry) => match &entry.event {
            LogEvent::Noted(
                Note::PolicyInForce { digest, entries: 0, .. } | Note::PlanConfirmed { digest },
            ) => *digest == policy,
            _ => false,
        },
        LogLine::Bad(_) => false,
    }))
}

/// The policy that was last in force, if the log has one.
pub fn last_policy(log: &[LogLine]) -> Option<LastPolicy> {
    log.iter().rev().find_map(|line| {
        let LogLine::Good(entry) = line else { return None };
        let LogEvent::Noted(Note::PolicyInForce { digest, policy, .. }) = &entry.event else { return None };
        Some(LastPolicy { at: entry.at, digest: *digest, policy: policy.clone() })
    })
}
