//! Plans that people have worked out by hand, and what pruning has got wrong elsewhere.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::time::Duration;

use ckpt_format::{Direction, Entry, EventClass, State, Status, Timestamp};
use ckpt_policy::{Plan, Reason, RetentionPolicy, Rule, Verdict, plan};
use serde_json::json;

#[path = "rig/row.rs"]
mod row;

use row::Row;

const NOW: i64 = 2_000_000;

/// Keeps the last 8 periodic, the best 3 by Sharpe ratio and 2 by reward; ends, boundaries and interrupts are preserved.
fn example() -> RetentionPolicy {
    let policy = RetentionPolicy::keep_last(8).with_top("sharpe_ratio", Direction::Max, 3);
    RetentionPolicy {
        preserve: [EventClass::PhaseEnd, EventClass::PhaseBoundary, EventClass::Interrupt].into(),
        ..policy.with_top("val_reward", Direction::Max, 2)
    }
}

fn planned(policy: &RetentionPolicy, rows: Vec<Row>) -> Plan {
    let entries: Vec<Entry> = rows.into_iter().map(Row::entry).collect();
    plan(policy, &entries, Timestamp::from_millis(NOW))
}

fn kept(plan: &Plan) -> Vec<u64> {
    let kept = plan.entries().iter().filter(|row| row.verdict == Verdict::Keep);
    kept.map(|row| row.sequence).collect()
}

fn kept_by(plan: &Plan, rule: Rule, metric: Option<&str>) -> Vec<u64> {
    let is_by = |reason: &Reason| reason.keeps() && reason.rule() == rule && reason.metric() == metric;
    let kept = plan.entries().iter().filter(|row| row.reasons.iter().any(is_by));
    kept.map(|row| row.sequence).collect()
}

#[test]
fn of_a_hundred_with_disjoint_budgets_fourteen_are_kept() {
    let rows = (1..=100).map(|sequence| match sequence {
        // The best were long ago, the periodic ones are the last, and one phase ended.
        10 | 20 | 30 => Row::new(sequence, &["best"]).metric("sharpe_ratio", 2.0).metric("val_reward", 0.0),
        11 | 21 => Row::new(sequence, &["best"]).metric("sharpe_ratio", 0.0).metric("val_reward", 0.3),
        100 => Row::new(sequence, &["phase_end"]),
        _ => Row::periodic(sequence).metric("sharpe_ratio", 1.0).metric("val_reward", 0.1),
    });
    let plan = planned(&example(), rows.collect());
    assert_eq!((plan.keep(), plan.delete(), plan.freed_bytes()), (14, 86, 8_600));
    assert_eq!(kept_by(&plan, Rule::LastPeriodic, None), (92..=99).collect::<Vec<_>>());
    assert_eq!(kept_by(&plan, Rule::Top, Some("sharpe_ratio")), [10, 20, 30]);
    assert_eq!(kept_by(&plan, Rule::Top, Some("val_reward")), [11, 21]);
    assert_eq!(kept_by(&plan, Rule::Preserved, None), [100]);
}

/// Fourteen is the most that these budgets keep, not their sum: metrics that rise with time make them overlap.
#[test]
fn of_a_hundred_with_overlapping_budgets_eleven_are_kept() {
    let rows = (1..=100).map(|sequence| {
        let row = match sequence {
            100 => Row::new(sequence, &["phase_end"]),
            98 | 99 => Row::new(sequence, &["best"]),
            _ if sequence % 5 == 0 => Row::periodic(sequence),
            _ => Row::new(sequence, &["best"]),
        };
        row.metric("sharpe_ratio", sequence as f64 / 50.0).metric("val_reward", sequence as f64 / 300.0)
    });
    let plan = planned(&example(), rows.collect());
    assert_eq!((plan.keep(), plan.delete()), (11, 89));
    assert_eq!(kept(&plan), [60, 65, 70, 75, 80, 85, 90, 95, 98, 99, 100]);
    assert_eq!(
        plan.explain(100).unwrap(),
        "00000100.ckpt: keep: the newest committed one; phase_end is preserved; sharpe_ratio: rank 1, keeps 3; \
         val_reward: rank 1, keeps 2"
    );
    assert_eq!(plan.find(101).count(), 0);
    assert_eq!(plan.explain(101), None);
}

#[test]
fn a_phase_boundary_of_any_name_is_preserved() {
    let rows = vec![
        Row::new(1, &["phase_boundary_night"]),
        Row::new(2, &["phase_boundary_esz5"]),
        Row::new(3, &["best"]),
        Row::periodic(4),
    ];
    assert_eq!(kept(&planned(&example(), rows)), [1, 2, 4]);
}

#[test]
fn an_interrupt_is_not_kept_for_ever_but_until_a_later_one_is_completed() {
    let rows = |status| {
        vec![
            Row::new(1, &["interrupt"]),
            Row::new(2, &["best"]).status(status),
            Row::new(3, &["interrupt"]),
            Row::new(4, &["best"]),
        ]
    };
    assert_eq!(kept(&planned(&example(), rows(Status::InProgress))), [1, 3, 4]);
    let plan = planned(&example(), rows(Status::Completed));
    assert_eq!(kept(&plan), [3, 4]);
    assert!(plan.explain(1).unwrap().contains("interrupt is no longer preserved: the later 2 is completed"));
    // One that is damaged proves nothing.
    let mut damaged = rows(Status::Completed);
    damaged[1] = Row::new(2, &["best"]).status(Status::Completed).state(State::Damaged);
    assert_eq!(kept(&planned(&example(), damaged)), [1, 2, 3, 4]);
}

#[test]
fn equal_metrics_go_to_the_newer_whatever_the_order_of_the_listing() {
    let policy = RetentionPolicy::default().with_top("m", Direction::Max, 2);
    let mut rows: Vec<Row> = (1..=5).map(|sequence| Row::periodic(sequence).metric("m", 1.0)).collect();
    rows.push(Row::periodic(6).metric("m", 0.0));
    assert_eq!(kept(&planned(&policy, rows.clone())), [4, 5, 6]);
    rows.reverse();
    assert_eq!(kept(&planned(&policy, rows)), [4, 5, 6]);
}

#[test]
fn max_age_takes_nothing_that_is_preserved_pinned_or_newest() {
    let policy = RetentionPolicy { max_age: Some(Duration::from_secs(1)), ..example() };
    let rows = vec![
        Row::new(1, &["phase_end"]),
        Row::periodic(2).pinned(),
        Row::periodic(3),
        Row::new(4, &["phase_boundary_a"]),
        Row::periodic(5),
    ];
    let plan = planned(&policy, rows);
    assert_eq!(kept(&plan), [1, 2, 4, 5]);
    assert!(plan.explain(3).unwrap().ends_with("delete: made 16 min 37 s ago, max_age is 1 s"));
}

#[test]
fn max_age_takes_nothing_for_want_of_a_time() {
    let policy = RetentionPolicy { max_age: Some(Duration::from_secs(1)), ..RetentionPolicy::default() };
    let rows = vec![
        Row::periodic(1).created_at(0),
        Row::periodic(2).created_at(NOW + 1),
        Row::periodic(3).created_at(NOW - 1_000),
        Row::periodic(4).created_at(NOW - 1_001),
        Row::periodic(5),
    ];
    assert_eq!(kept(&planned(&policy, rows)), [1, 2, 3, 5]);
}

#[test]
fn files_of_other_runs_are_neither_counted_nor_deleted() {
    let foreign = |sequence| Row::periodic(sequence).metric("m", 9.0).state(State::Foreign);
    let policy = RetentionPolicy::keep_last(2).with_top("m", Direction::Max, 1);
    let rows = vec![
        Row::periodic(1).metric("m", 1.0),
        Row::periodic(2),
        Row::periodic(3),
        Row::periodic(4),
        foreign(5),
        foreign(6),
    ];
    assert_eq!(kept(&planned(&policy, rows)), [1, 3, 4, 5, 6]);
}

#[test]
fn a_nan_hides_no_checkpoint_and_takes_no_place() {
    let nan = |sequence| {
        let name = format!("{sequence:08}_evt-periodic_val-nan_sharpe-nan.ckpt");
        Row::periodic(sequence).metric("sharpe_ratio", f64::NAN).file_name(&name)
    };
    let policy = RetentionPolicy::keep_last(2).with_top("sharpe_ratio", Direction::Max, 1);
    let rows = vec![nan(1), Row::periodic(2).metric("sharpe_ratio", -7.0), nan(3), nan(4), nan(5)];
    let plan = planned(&policy, rows);
    assert_eq!(kept(&plan), [2, 4, 5]);
    assert_eq!(plan.entries().len(), 5);
}

#[test]
fn ranks_go_by_the_value_and_not_by_its_rounding_in_the_name() {
    let row = |sequence, value| {
        Row::periodic(sequence)
            .metric("sharpe_ratio", value)
            .file_name(&format!("{sequence:08}_sharpe-+1.45.ckpt"))
    };
    let policy = RetentionPolicy::default().with_top("sharpe_ratio", Direction::Max, 1);
    assert_eq!(kept(&planned(&policy, vec![row(1, 1.4549), row(2, 1.4451), row(3, 1.45)])), [1, 3]);
}

#[test]
fn a_smaller_loss_is_the_better_one() {
    let policy = RetentionPolicy::default().with_top("loss", Direction::Min, 1);
    let rows = vec![
        Row::periodic(1).metric("loss", f64::NEG_INFINITY),
        Row::periodic(2).metric("loss", -1.0),
        Row::periodic(3).metric("loss", 5.0),
        Row::periodic(4),
    ];
    assert_eq!(kept(&planned(&policy, rows)), [2, 4]);
}

#[test]
fn starting_again_from_a_lower_step_keeps_the_new_ones() {
    let policy = RetentionPolicy::keep_last(3);
    let mut rows: Vec<Row> =
        [20, 30, 40].into_iter().zip(1..).map(|(step, n)| Row::periodic(n).step(step)).collect();
    for (step, sequence) in [(1, 4), (2, 5), (3, 6)] {
        rows.push(Row::periodic(sequence).step(step));
        let plan = planned(&policy, rows.clone());
        assert_eq!(kept(&plan), (sequence - 2..=sequence).collect::<Vec<_>>());
    }
}

#[test]
fn two_at_one_step_are_told_apart_by_their_sequence() {
    let policy = RetentionPolicy::keep_last(1);
    let rows = vec![Row::periodic(1).step(10), Row::periodic(2).step(10), Row::new(3, &["best"]).step(10)];
    assert_eq!(kept(&planned(&policy, rows)), [2, 3]);
}

#[test]
fn two_files_with_one_sequence_are_both_left_and_both_explained() {
    let policy = RetentionPolicy::keep_last(1);
    let twin = || Row::periodic(1).state(State::Duplicate);
    let plan = planned(
        &policy,
        vec![twin(), twin().file_name("00000001_b.ckpt"), Row::periodic(2), Row::periodic(3)],
    );
    assert_eq!(kept(&plan), [1, 1, 3]);
    assert_eq!(
        plan.explain(1).unwrap(),
        "00000001.ckpt: keep: duplicate: reported and left\n00000001_b.ckpt: keep: duplicate: reported and left"
    );
}

#[test]
fn the_best_are_kept_apart_from_the_last() {
    let policy = RetentionPolicy::keep_last(2).with_top("reward", Direction::Max, 1);
    let rows = (1..=20).map(|sequence| {
        let events: &[&str] = if sequence == 3 { &["best"] } else { &["periodic"] };
        Row::new(sequence, events).metric("reward", if sequence == 3 { 9.0 } else { 1.0 })
    });
    assert_eq!(kept(&planned(&policy, rows.collect())), [3, 19, 20]);
}

#[test]
fn a_damaged_one_is_named_and_takes_no_place() {
    let policy = RetentionPolicy::keep_last(2);
    let mut entries: Vec<Entry> = (1..=4).map(|sequence| Row::periodic(sequence).entry()).collect();
    entries.push(Entry { details: None, ..Row::periodic(5).state(State::Damaged).entry() });
    let plan = plan(&policy, &entries, Timestamp::from_millis(NOW));
    assert_eq!(kept(&plan), [3, 4, 5]);
    assert_eq!(plan.entries()[4].reasons, [Reason::NotOursToJudge { state: State::Damaged }]);
}

#[test]
fn several_causes_at_one_step_count_in_each_of_their_classes() {
    let policy = RetentionPolicy::keep_last(1);
    let rows = vec![Row::periodic(1), Row::new(2, &["best", "periodic"]), Row::new(3, &["best"])];
    assert_eq!(kept(&planned(&policy, rows)), [2, 3]);
}

#[test]
fn later_attempts_come_after_earlier_ones_whatever_their_sequence() {
    let policy = RetentionPolicy::keep_last(1);
    let rows = vec![Row::periodic(9).epoch(1), Row::periodic(7).epoch(2), Row::periodic(8).epoch(1)];
    assert_eq!(kept(&planned(&policy, rows)), [7]);
}

#[test]
fn a_limit_on_bytes_takes_the_last_periodic_before_the_every_and_the_best() {
    let policy = RetentionPolicy { every: 4, max_bytes: 350, ..RetentionPolicy::keep_last(3) };
    let policy = policy.with_top("m", Direction::Max, 1);
    let rows = |bytes: u64| {
        let row = |sequence| Row::periodic(sequence).bytes(bytes).metric("m", -(sequence as f64));
        (1..=9).map(row).chain([Row::new(10, &["phase_end"]).bytes(bytes)]).collect::<Vec<_>>()
    };
    // Without it 1 (best), 4 (every), 7, 8 (every), 9 and 10 (preserved) are kept.
    assert_eq!(kept(&planned(&policy, rows(50))), [1, 4, 7, 8, 9, 10]);
    assert_eq!(kept(&planned(&policy, rows(60))), [1, 4, 8, 9, 10]);
    assert_eq!(kept(&planned(&policy, rows(100))), [1, 8, 10]);
    assert_eq!(kept(&planned(&policy, rows(200))), [10]);
    let plan = planned(&policy, rows(1_000));
    assert_eq!(kept(&plan), [10], "what is preserved stays though it alone is too much");
    assert_eq!(
        plan.explain(1).unwrap(),
        "00000001.ckpt: delete: 2000 bytes were left, max_bytes is 350, and no more than top kept it"
    );
}

#[test]
fn a_first_plan_that_would_delete_more_than_half_is_withheld() {
    let rows = |count| (1..=count).map(Row::periodic).collect::<Vec<_>>();
    let policy = RetentionPolicy::keep_last(5);
    assert_eq!(planned(&policy, rows(10)).withheld(false), None, "half is not more than half");
    let plan = planned(&policy, rows(11));
    assert!(plan.is_withheld(false) && !plan.is_withheld(true));
    assert_eq!(
        plan.withheld(false).unwrap().to_string(),
        "withheld: this policy is new to the run and would delete 6 of its 11 committed checkpoints, more than half; \
         look at the plan and confirm it"
    );
}

#[test]
fn the_json_of_a_plan_is_the_same_dry_and_live_but_for_applied() {
    let policy =
        RetentionPolicy { max_age: Some(Duration::from_millis(1_500)), ..RetentionPolicy::keep_last(1) };
    let policy = policy.with_top("m", Direction::Min, 2);
    let created_at = NOW - 2_000;
    let plan = planned(
        &policy,
        vec![
            Row::periodic(1).metric("m", f64::NAN),
            Row::periodic(2).metric("m", 1.0).created_at(created_at),
            Row::new(3, &["best"]).metric("m", 2.0).pinned(),
            Row::periodic(4).metric("m", 3.0),
        ],
    );
    let expected = |applied| {
        json!({
            "run": "runs/a", "now": "1970-01-01T00:33:20.000Z", "applied": applied,
            "policy": {
                "keep_last": 1, "top": [{"metric": "m", "direction": "min", "count": 2}], "every": 0,
                "preserve": ["manual", "phase_boundary", "phase_end", "cancellation", "shutdown", "interrupt", "failure"],
                "max_age_seconds": 1.5, "max_bytes": 0, "prune_every": 10,
            },
            "entries": [
                {"sequence": 1, "name": "00000001.ckpt", "verdict": "delete", "stored_bytes": 100, "pinned": false, "reasons": [
                    {"rule": "last_periodic", "rank": 3, "limit": 1, "text": "rank 3 of the last 1 periodic"},
                    {"rule": "top", "metric": "m", "limit": 2, "text": "m: no finite value, keeps 2"},
                ]},
                {"sequence": 2, "name": "00000002.ckpt", "verdict": "delete", "stored_bytes": 100, "pinned": false, "reasons": [
                    {"rule": "max_age", "limit": 1.5, "text": "made 2 s ago, max_age is 1 s 500 ms"},
                ]},
                {"sequence": 3, "name": "00000003.ckpt", "verdict": "keep", "stored_bytes": 100, "pinned": true, "reasons": [
                    {"rule": "pinned", "text": "pinned"},
                ]},
                {"sequence": 4, "name": "00000004.ckpt", "verdict": "keep", "stored_bytes": 100, "pinned": false, "reasons": [
                    {"rule": "newest", "text": "the newest committed one"},
                    {"rule": "last_periodic", "rank": 1, "limit": 1, "text": "rank 1 of the last 1 periodic"},
                    {"rule": "top", "metric": "m", "rank": 2, "limit": 2, "text": "m: rank 2, keeps 2"},
                ]},
            ],
            "keep": 2, "delete": 2, "freed_bytes": 200,
        })
    };
    for applied in [false, true] {
        assert_eq!(serde_json::to_value(plan.to_json("runs/a", applied)).unwrap(), expected(applied));
    }
}
