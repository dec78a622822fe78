//! Which checkpoints to keep: `docs/POLICY.md`, section 3.

mod json;
mod plan;
mod policy;
mod reason;
mod standing;

use ckpt_format::{Entry, Timestamp};

pub use json::PlanJson;
pub use plan::{Plan, Planned, Verdict, Withheld};
pub use policy::{RetentionError, RetentionPolicy, Top};
pub use reason::{Reason, Rule};

use standing::Standing;

/// Says of every entry whether it is kept or to be deleted, with all its reasons. Deletes nothing.
///
/// The entries are a run's listing, in any order: the outcome is the same, oldest first. Only committed, unpinned entries are ever
/// deleted, and never the newest of them. `now` serves [`RetentionPolicy::max_age`] alone. Costs O(n log n).
///
/// ```
/// use ckpt_format::{Details, Digest, Direction, Entry, Event, Metadata, State, Timestamp};
/// use ckpt_policy::{RetentionPolicy, plan};
///
/// let entry = |sequence: u64, sharpe_ratio: f64| {
///     let mut metadata = Metadata::default().because(Event::Periodic, "every 25,000 steps");
///     metadata.metrics.set("sharpe_ratio", sharpe_ratio);
///     Entry {
///         epoch: 0,
///         sequence,
///         file_name: format!("{sequence:08}.ckpt"),
///         state: State::Committed,
///         reason: None,
///         details: Some(Details::new(metadata, 4096, Digest::of(b"state"), Digest::of(b"file"))),
///         stored_bytes: 4096,
///         pinned: false,
///     }
/// };
/// let entries = [entry(1, 0.5), entry(2, 1.9), entry(3, f64::NAN), entry(4, 1.2), entry(5, 1.1)];
///
/// let policy = RetentionPolicy::keep_last(2).with_top("sharpe_ratio", Direction::Max, 1);
/// let plan = plan(&policy, &entries, Timestamp::default());
/// let deletions: Vec<(&str, String)> = plan.deletions().collect();
/// assert_eq!(deletions, [
///     ("00000001.ckpt", "rank 5 of the last 2 periodic; sharpe_ratio: rank 4, keeps 1".to_owned()),
///     ("00000003.ckpt", "rank 3 of the last 2 periodic; sharpe_ratio: no finite value, keeps 1".to_owned()),
/// ]);
/// assert_eq!(plan.explain(2).as_deref(), Some("00000002.ckpt: keep: sharpe_ratio: rank 1, keeps 1"));
/// assert_eq!((plan.keep(), plan.delete(), plan.freed_bytes()), (3, 2, 8192));
/// ```
pub fn plan(policy: &RetentionPolicy, entries: &[Entry], now: Timestamp) -> Plan {
    let standing = Standing::of(policy, entries, now);
    let mut planned: Vec<Planned> = (0..entries.len()).map(|index| standing.judge(index)).collect();
    take_bytes(policy.max_bytes, &mut planned, &standing);
    Plan::new(policy.clone(), now, standing.committed(), planned)
}

/// Deletes of what budgets keep, in the published order, until the rest is within the limit.
fn take_bytes(limit: u64, planned: &mut [Planned], standing: &Standing<'_>) {
    if limit == 0 {
        return;
    }
    let counted = planned
        .iter()
        .enumerate()
        .filter(|(index, row)| row.verdict == Verdict::Keep && standing.is_judged(*index));
    let mut left: u128 = counted.map(|(_, row)| u128::from(row.stored_bytes)).sum();
    if left <= u128::from(limit) {
        return;
    }
    let mut order: Vec<(Rule, usize)> = (0..planned.len())
        .filter_map(|index| planned[index].spendable_as().map(|rule| (rule, index)))
        .collect();
    order.sort_unstable_by_key(|&(rule, index)| (rule.worth(), index));
    for (kept_by, index) in order {
        if left <= u128::from(limit) {
            return;
        }
        let row = &mut planned[index];
        row.verdict = Verdict::Delete;
        row.reasons =
            vec![Reason::MaxBytes { left: u64::try_from(left).unwrap_or(u64::MAX), kept_by, limit }];
        left -= u128::from(row.stored_bytes);
    }
}
