//! Plans of retention in a run: whether one may be carried out unasked, carrying it out, and which policy was last in force.

use std::collections::BTreeSet;

use ckpt_format::{Digest, Timestamp, Writer};
use ckpt_policy::Plan;
use ckpt_store::{Deleted, Deletion, LogEvent, LogLine, Note, Result, Run, RunOptions, RunReader};

/// The policy that was last in force in a run, as its log has it.
#[derive(Debug, Clone, PartialEq)]
pub struct LastPolicy {
    /// Since when.
    pub at: Timestamp,
    /// Identity of the policy.
    pub digest: Digest,
    /// The policy as it was written: a [`RetentionPolicy`](ckpt_policy::RetentionPolicy), if this program knows all of its rules.
    pub policy: serde_json::Value,
    /// When the sessions saved that it was for; nothing if the log does not say, as one before this was noted.
    pub schedule: Option<LastSchedule>,
}

/// The schedule that a session went by, as the log has it.
#[derive(Debug, Clone, PartialEq)]
pub struct LastSchedule {
    /// The schedule as it was written: a [`Schedule`](ckpt_policy::Schedule), if this program knows all of its triggers.
    pub schedule: serde_json::Value,
    /// The same as a sentence.
    pub text: String,
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
    match deletions(plan) {
        none if none.is_empty() => Ok(Deleted::default()),
        deletions => run.delete(&deletions),
    }
}

/// Whether [`apply_plan`] would be refused. Changes nothing; what it reads back whole, applying does not read again.
///
/// # Errors
/// As [`Run::check_deletions`]; a plan that deletes nothing is never refused.
pub fn check_plan(run: &Run, plan: &Plan) -> Result<()> {
    match deletions(plan) {
        none if none.is_empty() => Ok(()),
        deletions => run.check_deletions(&deletions),
    }
}

/// Whether [`apply_plan`] would be refused if the run were opened now with these options: for a dry run, which takes no lock and
/// changes nothing.
///
/// # Errors
/// As [`RunReader::check_deletions`]; a plan that deletes nothing is never refused.
pub fn foresee_plan(run: &RunReader, plan: &Plan, options: &RunOptions) -> Result<()> {
    match deletions(plan) {
        none if none.is_empty() => Ok(()),
        deletions => run.check_deletions(&deletions, options),
    }
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

/// The policy that sessions last went by, if the log has one. What a pruning at a shell went by was for once: it counts only in a
/// run where no session ever put one in force.
pub fn last_policy(log: &[LogLine]) -> Option<LastPolicy> {
    let prunings = prunings(log);
    let policies = || (0..log.len()).rev().filter(|index| log.get(*index).is_some_and(is_policy));
    let of_a_session = policies().find(|index| !prunings.contains(index));
    in_force(log.get(of_a_session.or_else(|| policies().next())?..)?)
}

fn deletions(plan: &Plan) -> Vec<Deletion> {
    let deletion = |(name, reason): (&str, String)| Deletion { file_name: name.to_owned(), reason };
    plan.deletions().map(deletion).collect()
}

fn is_policy(line: &LogLine) -> bool {
    matches!(line, LogLine::Good(entry) if matches!(entry.event, LogEvent::Noted(Note::PolicyInForce { .. })))
}

/// The policy that the first of these lines puts in force, with the schedule that the same process noted behind it.
fn in_force(lines: &[LogLine]) -> Option<LastPolicy> {
    let (LogLine::Good(entry), behind) = lines.split_first()? else { return None };
    let LogEvent::Noted(Note::PolicyInForce { digest, policy, .. }) = &entry.event else { return None };
    let its = behind.iter().filter_map(|line| match line {
        LogLine::Good(other) if (&other.by.host, other.by.pid) == (&entry.by.host, entry.by.pid) => {
            Some(&other.event)
        }
        _ => None,
    });
    let schedule = its
        .take_while(|event| !matches!(event, LogEvent::Noted(Note::PolicyInForce { .. })))
        .find_map(|event| match event {
            LogEvent::Noted(Note::ScheduleInForce { schedule, text }) => {
                Some(LastSchedule { schedule: schedule.clone(), text: text.clone() })
            }
            _ => None,
        });
    Some(LastPolicy { at: entry.at, digest: *digest, policy: policy.clone(), schedule })
}

/// The lines by which prunings at a shell put a policy on record: their process deletes by it, and has no schedule, nor resumes or
/// saves. It was for once, and what the sessions go by stays in force.
pub fn prunings(lines: &[LogLine]) -> BTreeSet<usize> {
    let mut prunings = BTreeSet::new();
    let mut undecided: Option<(usize, &Writer)> = None;
    for (index, line) in lines.iter().enumerate() {
        let LogLine::Good(entry) = line else { continue };
        let is_its = undecided.is_some_and(|(_, by)| (&by.host, by.pid) == (&entry.by.host, entry.by.pid));
        match &entry.event {
            LogEvent::Noted(Note::PolicyInForce { .. }) => undecided = Some((index, &entry.by)),
            LogEvent::Deleting { .. } if is_its => prunings.extend(undecided.take().map(|(index, _)| index)),
            LogEvent::Saved { .. } | LogEvent::Noted(Note::ScheduleInForce { .. } | Note::Resumed { .. })
                if is_its =>
            {
                undecided = None;
            }
            _ => {}
        }
    }
    prunings
}
