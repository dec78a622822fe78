//! The planner against an oracle that reads like the page, and what must hold of every plan.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ckpt_format::{Cause, Details, Entry, Event, EventClass, State, Status, Timestamp};
use ckpt_policy::{Plan, Planned, Reason, RetentionPolicy, Rule, Top, Verdict, plan};
use proptest::prelude::*;
use proptest::sample::Index;

#[path = "rig/listing.rs"]
mod listing;
#[path = "rig/oracle.rs"]
mod oracle;
#[path = "rig/row.rs"]
mod row;

use listing::{METRICS, listing, now, policy, policy_without_bytes};
use row::Row;

fn gone(plan: &Plan) -> BTreeSet<String> {
    plan.deletions().map(|(name, _)| name.to_owned()).collect()
}

fn survivors(entries: &[Entry], plan: &Plan) -> Vec<Entry> {
    let gone = gone(plan);
    entries.iter().filter(|entry| !gone.contains(&entry.file_name)).cloned().collect()
}

fn named<'a>(plan: &'a Plan, name: &str) -> &'a Planned {
    plan.entries().iter().find(|row| row.file_name == name).unwrap()
}

fn with_metadata(entry: &Entry, change: impl FnOnce(&mut ckpt_format::Metadata)) -> Entry {
    let details = entry.details.as_ref().map(|said| {
        let mut metadata = said.metadata.clone();
        change(&mut metadata);
        Details::new(metadata, said.raw_bytes, said.content_digest, said.index_digest)
    });
    Entry { details, ..entry.clone() }
}

fn at(entry: &Entry, created_at: Timestamp) -> Entry {
    with_metadata(entry, |metadata| metadata.created_at = created_at)
}

/// The words that the oracle has for a reason.
fn word(reason: &Reason) -> String {
    match reason.metric() {
        Some(metric) => format!("{} {metric}", reason.rule()),
        None => reason.rule().to_string(),
    }
}

fn lasting(class: EventClass) -> bool {
    !matches!(class, EventClass::Interrupt | EventClass::Cancellation | EventClass::Shutdown)
}

/// A rule made looser by the drawn numbers; nothing if this policy has nothing there to loosen.
fn loosened(policy: &RetentionPolicy, which: u8, by: u64, at: Index) -> Option<RetentionPolicy> {
    let mut looser = policy.clone();
    let budget_elsewhere = |keep_last: u64, every: u64, tops: &[Top]| {
        keep_last > 0 || every > 0 || tops.iter().any(|top| top.count > 0)
    };
    match which {
        // A budget that goes on counts as looser only beside another: alone it ends keeping everything.
        0 if policy.keep_last > 0 || budget_elsewhere(0, policy.every, &policy.top) => looser.keep_last += by,
        1 if !policy.top.is_empty() && budget_elsewhere(policy.keep_last, policy.every, &policy.top) => {
            looser.top[at.index(policy.top.len())].count += by;
        }
        2 if policy.every > 0 => {
            let divisors: Vec<u64> =
                (1..=policy.every).filter(|by| policy.every.is_multiple_of(*by)).collect();
            looser.every = divisors[at.index(divisors.len())];
        }
        3 if policy.every == 0 && budget_elsewhere(policy.keep_last, 0, &policy.top) => looser.every = by,
        4 => {
            looser.max_age = policy
                .max_age
                .filter(|age| !age.is_zero())
                .map(|age| age.saturating_add(Duration::from_millis(by)))
        }
        5 => looser.max_age = [None, Some(Duration::ZERO)][at.index(2)],
        6 => {
            looser.preserve.insert(EventClass::ALL[at.index(EventClass::ALL.len())]);
        }
        // With its last budget off a policy keeps everything.
        7 => (looser.keep_last, looser.every, looser.top) = (0, 0, Vec::new()),
        _ => return None,
    }
    Some(looser)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_planner_says_what_the_page_says(policy in policy(), entries in listing(), now in now()) {
        let plan = plan(&policy, &entries, now);
        prop_assert_eq!(plan.entries().len(), entries.len());
        for (entry, (keeps, rules)) in entries.iter().zip(oracle::say(&policy, &entries, now)) {
            let row = named(&plan, &entry.file_name);
            let said: BTreeSet<String> = row.reasons.iter().map(word).collect();
            prop_assert_eq!((row.verdict == Verdict::Keep, said), (keeps, rules), "{}", row);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_row_stands_once_with_reasons_that_say_its_verdict(
        policy in policy(), entries in listing(), now in now(),
    ) {
        let plan = plan(&policy, &entries, now);
        let (mut deleted, mut freed, mut before) = (0, 0_u64, None);
        for row in plan.entries() {
            let entry = entries.iter().find(|entry| entry.file_name == row.file_name).unwrap();
            prop_assert_eq!(entry.order(), (row.epoch, row.sequence));
            prop_assert_eq!((entry.stored_bytes, entry.pinned), (row.stored_bytes, row.pinned));
            prop_assert!(before <= Some(entry.order()), "oldest first");
            before = Some(entry.order());
            prop_assert!(!row.reasons.is_empty());
            for reason in &row.reasons {
                prop_assert_eq!(reason.keeps(), row.verdict == Verdict::Keep, "{}", row);
            }
            if row.verdict == Verdict::Delete {
                deleted += 1;
                freed = freed.saturating_add(row.stored_bytes);
            }
        }
        prop_assert_eq!((plan.keep(), plan.delete()), (entries.len() as u64 - deleted, deleted));
        prop_assert_eq!(plan.freed_bytes(), freed);
        let committed = entries.iter().filter(|entry| entry.is_committed()).count() as u64;
        prop_assert_eq!(plan.committed(), committed);
        prop_assert_eq!(plan.is_withheld(false), deleted * 2 > committed);
        prop_assert!(!plan.is_withheld(true));
    }

    #[test]
    fn the_order_of_the_input_is_irrelevant(
        policy in policy(),
        (entries, shuffled) in listing().prop_flat_map(|entries| (Just(entries.clone()), Just(entries).prop_shuffle())),
        now in now(),
    ) {
        prop_assert_eq!(plan(&policy, &entries, now), plan(&policy, &shuffled, now));
    }

    #[test]
    fn planning_the_survivors_deletes_nothing_more(policy in policy(), entries in listing(), now in now()) {
        let left = survivors(&entries, &plan(&policy, &entries, now));
        prop_assert_eq!(gone(&plan(&policy, &left, now)), BTreeSet::new());
    }

    #[test]
    fn loosening_a_rule_never_deletes_more(
        policy in policy_without_bytes(), entries in listing(), now in now(),
        which in 0..8_u8, by in 1..4_u64, index in any::<Index>(),
    ) {
        // The rule that was drawn or the next that can be loosened: some always can.
        let looser = (0..8).find_map(|next| loosened(&policy, (which + next) % 8, by, index)).unwrap();
        let (before, after) = (gone(&plan(&policy, &entries, now)), gone(&plan(&looser, &entries, now)));
        prop_assert!(after.is_subset(&before), "{looser:?} also deletes {:?}", &after - &before);
    }

    #[test]
    fn a_higher_limit_on_bytes_alone_never_deletes_more(
        policy in policy(), entries in listing(), now in now(), max_bytes in 1..600_u64, by in 0..400_u64,
        off in any::<bool>(),
    ) {
        let policy = RetentionPolicy { max_bytes, ..policy };
        let max_bytes = if off { 0 } else { policy.max_bytes.saturating_add(by) };
        let looser = RetentionPolicy { max_bytes, ..policy.clone() };
        let (before, after) = (gone(&plan(&policy, &entries, now)), gone(&plan(&looser, &entries, now)));
        prop_assert!(after.is_subset(&before));
    }

    #[test]
    fn a_pin_never_costs_another(
        policy in policy_without_bytes(), entries in listing(), now in now(), index in any::<Index>(),
    ) {
        prop_assume!(!entries.is_empty());
        let mut pinned = entries.clone();
        pinned[index.index(entries.len())].pinned = true;
        let (before, after) = (gone(&plan(&policy, &entries, now)), gone(&plan(&policy, &pinned, now)));
        prop_assert!(after.is_subset(&before));
    }

    /// Whatever else there is, those without a number neither take a place nor move anyone's.
    #[test]
    fn a_nan_or_missing_metric_never_displaces_a_finite_one(
        policy in policy_without_bytes(), entries in listing(), now in now(),
        strangers in prop::collection::vec((60..80_u64, 0..3_u64, 0..4_u8), 1..6),
    ) {
        let policy = RetentionPolicy {
            top: METRICS.iter().zip(1..).map(|(metric, count)| Top {
                metric: (*metric).to_owned(), direction: ckpt_format::Direction::Max, count,
            }).collect(),
            ..policy
        };
        let alone = plan(&policy, &entries, now);
        let strangers: BTreeMap<u64, Entry> = strangers.into_iter().map(|(sequence, epoch, value)| {
            let row = Row::new(sequence, &["best"]).epoch(epoch).file_name(&format!("{sequence:08}_evt-best.ckpt"));
            let row = match value {
                0 => row,
                1 => row.metric("reward", f64::NAN).metric("loss", f64::NAN),
                2 => row.metric("reward", f64::INFINITY).metric("loss", f64::INFINITY),
                _ => row.metric("reward", f64::NEG_INFINITY).metric("loss", f64::NAN),
            };
            (sequence, row.entry())
        }).collect();
        let together = plan(&policy, &[entries.clone(), strangers.into_values().collect()].concat(), now);
        let best = |row: &Planned| -> Vec<Reason> {
            row.reasons.iter().filter(|reason| reason.rule() == Rule::Top && reason.keeps()).cloned().collect()
        };
        for row in together.entries() {
            if let Some(before) = alone.entries().iter().find(|before| before.file_name == row.file_name) {
                prop_assert!(best(before).is_empty() || row.verdict == Verdict::Keep || row.reasons[0].rule() == Rule::MaxAge);
                if row.verdict == Verdict::Keep && before.verdict == Verdict::Keep {
                    prop_assert_eq!(best(row), best(before));
                }
            } else {
                prop_assert_eq!(best(row), Vec::new(), "{}", row);
            }
        }
    }

    #[test]
    fn steps_decide_nothing(
        policy in policy(), entries in listing(), now in now(), steps in prop::collection::vec(any::<Option<u64>>(), 48),
    ) {
        let moved: Vec<Entry> = entries.iter().zip(steps).map(|(entry, step)| {
            with_metadata(entry, |metadata| metadata.position.step = step)
        }).collect();
        prop_assert_eq!(plan(&policy, &entries, now), plan(&policy, &moved, now));
    }

    #[test]
    fn restarting_at_a_lower_step_never_deletes_the_new_ones(
        policy in policy_without_bytes(), entries in listing(), now in now(), keep_last in 1..5_u64, new in 1..5_u64,
        step in 0..3_u64,
    ) {
        let policy = RetentionPolicy { keep_last, max_age: None, ..policy };
        let old = entries.iter().map(|entry| {
            with_metadata(entry, |metadata| metadata.position.step = Some(1_000_000 + entry.sequence))
        });
        let new = (1..=new.min(keep_last)).map(|n| Row::periodic(100 + n).epoch(3).step(step + n).entry());
        let plan = plan(&policy, &old.chain(new).collect::<Vec<_>>(), now);
        let new = plan.entries().iter().filter(|row| row.sequence > 100);
        for row in new {
            prop_assert_eq!(row.verdict, Verdict::Keep, "{}", row);
        }
    }

    #[test]
    fn what_is_from_the_future_or_without_a_time_is_never_too_old(
        policy in policy(), entries in listing(), now in now(), ahead in prop::collection::vec(0..5_i64, 48),
    ) {
        let moved: Vec<Entry> = entries.iter().zip(&ahead).map(|(entry, &ahead)| match ahead {
            0 => entry.clone(),
            1 => at(entry, Timestamp::default()),
            2 => Entry { details: None, ..entry.clone() },
            3 => at(entry, Timestamp::from_millis(i64::MAX)),
            _ => at(entry, Timestamp::from_millis(now.millis().saturating_add(ahead))),
        }).collect();
        let plan = plan(&policy, &moved, now);
        for (entry, ahead) in moved.iter().zip(ahead) {
            let row = named(&plan, &entry.file_name);
            prop_assert!(ahead == 0 || row.reasons[0].rule() != Rule::MaxAge, "{}", row);
        }
    }

    /// The clock went back: everything seems to come from the future, and the limit on age takes nothing.
    #[test]
    fn a_clock_that_went_back_deletes_nothing(policy in policy(), entries in listing(), back in 0..1_000_i64) {
        let earliest = entries.iter().filter_map(Entry::created_at).min().unwrap_or_default();
        let now = Timestamp::from_millis(earliest.millis().saturating_sub(back));
        let ageless = RetentionPolicy { max_age: None, ..policy.clone() };
        let (aged, ageless) = (plan(&policy, &entries, now), plan(&ageless, &entries, now));
        prop_assert_eq!(aged.entries(), ageless.entries());
    }

    /// Who moves a time forward saves at most what the limit on age had taken.
    #[test]
    fn a_later_time_never_deletes_more(
        policy in policy_without_bytes(), entries in listing(), now in now(), later in prop::collection::vec(0..100_i64, 48),
    ) {
        // 0 is no moment, and none may become it.
        let moved = |entry: &Entry, later: i64| entry.created_at().map_or_else(|| entry.clone(), |before| {
            let after = before.millis().saturating_add(later);
            if before.millis() == 0 || after == 0 { entry.clone() } else { at(entry, Timestamp::from_millis(after)) }
        });
        let later: Vec<Entry> = entries.iter().zip(later).map(|(entry, later)| moved(entry, later)).collect();
        let (before, after) = (gone(&plan(&policy, &entries, now)), gone(&plan(&policy, &later, now)));
        prop_assert!(after.is_subset(&before));
    }

    #[test]
    fn the_newest_committed_the_pinned_and_what_is_not_committed_are_always_kept(
        policy in policy(), entries in listing(), now in now(),
    ) {
        let newest = entries.iter().filter(|entry| entry.is_committed()).max_by_key(|entry| entry.order());
        let plan = plan(&policy, &entries, now);
        for entry in &entries {
            let row = named(&plan, &entry.file_name);
            if Some(entry) == newest || entry.pinned || entry.state != State::Committed {
                prop_assert_eq!(row.verdict, Verdict::Keep, "{}", row);
            }
        }
    }

    #[test]
    fn an_empty_policy_keeps_everything(policy in policy(), entries in listing(), now in now()) {
        let off = policy.top.into_iter().map(|top| Top { count: 0, ..top }).collect();
        let empty = RetentionPolicy { top: off, preserve: policy.preserve, max_age: Some(Duration::ZERO), ..RetentionPolicy::default() };
        prop_assert!(empty.is_empty());
        let plan = plan(&empty, &entries, now);
        prop_assert_eq!(gone(&plan), BTreeSet::new());
        prop_assert_eq!(plan.withheld(false), None);
    }

    #[test]
    fn a_preserved_class_is_kept_for_ever_and_a_boundary_by_any_name(
        policy in policy(), entries in listing(), now in now(), name in "[a-z0-9_]{1,48}", index in any::<Index>(),
    ) {
        prop_assume!(!entries.is_empty());
        let boundary = Event::phase_boundary(&name).unwrap();
        let mut entries = entries;
        let index = index.index(entries.len());
        entries[index] = with_metadata(&entries[index], |metadata| {
            metadata.events = vec![Cause { event: boundary, reason: None }];
        });
        let plan = plan(&policy, &entries, now);
        for entry in &entries {
            let causes = entry.metadata().map(|metadata| metadata.event_list()).unwrap_or_default();
            let preserved = |event: &Event| lasting(event.class()) && policy.preserve.contains(&event.class());
            let row = named(&plan, &entry.file_name);
            prop_assert!(!causes.iter().any(preserved) || row.verdict == Verdict::Keep, "{}", row);
        }
    }

    #[test]
    fn what_interrupted_is_kept_until_a_later_one_is_completed(
        policy in policy(), entries in listing(), now in now(),
    ) {
        let plan = plan(&policy, &entries, now);
        let completed = entries.iter().filter(|entry| entry.is_committed() && entry.status() == Some(Status::Completed));
        let completed = completed.map(Entry::order).max();
        for entry in entries.iter().filter(|entry| entry.is_committed()) {
            let causes = entry.metadata().map(|metadata| metadata.event_list()).unwrap_or_default();
            let row = named(&plan, &entry.file_name);
            let is_over = completed > Some(entry.order());
            if causes.iter().any(|event| !lasting(event.class()) && policy.preserve.contains(&event.class())) {
                prop_assert!(is_over || row.verdict == Verdict::Keep, "{}", row);
                let by_lasting = causes.iter().any(|event| lasting(event.class()) && policy.preserve.contains(&event.class()));
                let kept_so = row.reasons.iter().any(|reason| matches!(reason, Reason::Preserved { class } if !lasting(*class)));
                prop_assert!(!is_over || by_lasting || !kept_so, "{}", row);
            }
        }
    }

    /// The limit takes a shortest beginning of the published order, of what is kept without it.
    #[test]
    fn the_limit_on_bytes_takes_in_the_published_order_and_never_what_is_protected(
        policy in policy(), entries in listing(), now in now(), max_bytes in 1..600_u64,
    ) {
        let policy = RetentionPolicy { max_bytes, ..policy };
        let limited = plan(&policy, &entries, now);
        let free = plan(&RetentionPolicy { max_bytes: 0, ..policy }, &entries, now);
        let place = |row: &Planned| {
            let worth = |reason: &Reason| match reason.rule() {
                Rule::NoRule => 0,
                Rule::LastPeriodic => 1,
                Rule::Every => 2,
                Rule::Top => 3,
                _ => 9,
            };
            (row.reasons.iter().map(worth).max().unwrap(), row.epoch, row.sequence)
        };
        let by_bytes = |row: &Planned| limited.entries().iter().any(|after| {
            after.file_name == row.file_name && after.reasons[0].rule() == Rule::MaxBytes
        });
        let mut kept: Vec<&Planned> = free.entries().iter().filter(|row| row.verdict == Verdict::Keep).collect();
        kept.sort_by_key(|row| place(row));
        let is_counted = |row: &&&Planned| {
            !row.pinned && entries.iter().any(|entry| entry.file_name == row.file_name && entry.is_committed())
        };
        let mut left: u128 = kept.iter().filter(is_counted).map(|row| u128::from(row.stored_bytes)).sum();
        for row in kept {
            let goes = left > u128::from(max_bytes) && place(row).0 < 9;
            prop_assert_eq!(by_bytes(row), goes, "{} of {} bytes left before {}", left, max_bytes, row);
            left -= if goes { u128::from(row.stored_bytes) } else { 0 };
        }
    }
}
