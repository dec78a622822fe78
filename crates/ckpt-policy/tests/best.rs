//! What is best, and what is not: also after a restart.

use ckpt_format::{Best, Details, Digest, Direction, Entry, Event, Metadata, State};
use ckpt_policy::{BestSoFar, Improvement, Judgement, Monitor};
use proptest::prelude::*;
use serde_json::json;

const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

fn reward() -> Monitor {
    Monitor::new("val_reward", Direction::Max)
}

fn loss() -> Monitor {
    Monitor::new("loss", Direction::Min)
}

/// A checkpoint with these values, and with the best that its run has had.
fn entry(sequence: u64, values: &[(&str, f64)], best: &BestSoFar) -> Entry {
    let mut metadata = Metadata::default().because(Event::Periodic, "due");
    for (name, value) in values {
        metadata.metrics.set(*name, *value);
    }
    best.apply_to(&mut metadata.metrics);
    metadata.metrics.note_best(0, sequence);
    Entry {
        epoch: 0,
        sequence,
        file_name: format!("{sequence:08}.ckpt"),
        state: State::Committed,
        reason: None,
        details: Some(Details::new(metadata, 1, Digest::of(b"state"), Digest::of(b"file"))),
        stored_bytes: 1,
        pinned: false,
    }
}

/// Values that a metric may have, among them those that are none, and many that are equal.
fn values() -> impl Strategy<Value = f64> {
    prop_oneof![6 => (-40_i32..40).prop_map(|n| f64::from(n) / 8.0), 1 => Just(-0.0), 1 => prop::num::f64::ANY]
}

fn directions() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Min), Just(Direction::Max)]
}

#[test]
fn a_negative_best_is_beaten_only_by_what_is_greater() {
    for (value, is_improved) in [
        (-1.0, false),
        (-1.01, false),
        (-1.03, false),
        (-0.99, false),
        (-0.98, true),
        (-0.5, true),
        (0.0, true),
    ] {
        assert_eq!(reward().judge(Some(-1.0), Some(value)).is_improved(), is_improved, "{value}");
    }
}

#[test]
fn an_equal_value_never_saves_again_and_a_worse_one_never_becomes_best() {
    let mut best = BestSoFar::of([reward()], &[]);
    assert_eq!(best.observe(&[("val_reward", -1.0)]).len(), 1);
    best.record(0, 1, &[("val_reward", -1.0)]);
    for step in 0..100 {
        assert!(best.observe(&[("val_reward", -1.0)]).is_empty(), "step {step}");
    }
    for (sequence, worse) in (2..).zip([-1.01, -1.03, -1.0]) {
        assert!(best.observe(&[("val_reward", worse)]).is_empty(), "{worse}");
        best.record(0, sequence, &[("val_reward", worse)]);
        assert_eq!(best.best("val_reward"), Some(Best { value: -1.0, epoch: 0, sequence: 1 }));
    }
}

#[test]
fn a_gain_of_exactly_the_share_is_enough_and_less_is_not() {
    assert!(reward().judge(Some(1.0), Some(1.02)).is_improved());
    assert!(!reward().judge(Some(1.0), Some(1.0199)).is_improved());
    assert!(loss().judge(Some(100.0), Some(98.0)).is_improved());
    assert!(!loss().judge(Some(100.0), Some(98.01)).is_improved());
}

#[test]
fn at_a_best_of_zero_the_absolute_gain_is_the_floor() {
    for best in [0.0, -0.0] {
        assert!(
            reward().judge(Some(best), Some(1e-300)).is_improved(),
            "any gain, as 2 % of nothing is nothing"
        );
        assert!(!reward().judge(Some(best), Some(0.0)).is_improved(), "but it must be one");
        let floored = reward().with_least_gain(0.02, 0.1).unwrap();
        assert!(!floored.judge(Some(best), Some(0.099)).is_improved());
        assert!(floored.judge(Some(best), Some(0.1)).is_improved());
    }
}

#[test]
fn nan_and_infinities_never_save_and_never_become_best() {
    for monitor in [reward(), loss()] {
        for value in NOT_FINITE {
            for best in [None, Some(1.0)] {
                assert!(matches!(monitor.judge(best, Some(value)), Judgement::NotFinite { .. }), "{value}");
            }
            assert_eq!(monitor.judge(Some(value), Some(5.0)), Judgement::First { value: 5.0 });
            let mut seen = BestSoFar::of([monitor.clone()], &[]);
            assert!(seen.observe(&[(monitor.metric(), value)]).is_empty());
            seen.record(0, 1, &[(monitor.metric(), value)]);
            assert_eq!(seen.best(monitor.metric()), None);
            assert_eq!(seen.observe(&[(monitor.metric(), 5.0)]).len(), 1, "the next number is the first");
        }
    }
}

#[test]
fn a_trial_without_a_value_is_no_error_and_is_not_zero() {
    assert_eq!(reward().judge(None, None), Judgement::NoValue);
    assert_eq!(reward().judge(Some(-5.0), None), Judgement::NoValue);
    let mut best = BestSoFar::of([reward()], &[]);
    assert!(best.observe(&[]).is_empty() && best.observe(&[("win_rate", 0.5)]).is_empty());
    best.record(0, 1, &[("win_rate", 0.5)]);
    assert_eq!(best.best("val_reward"), None);
}

#[test]
fn every_monitored_metric_counts_not_only_the_reward_and_they_make_one_save() {
    let monitors = ["val_reward", "sharpe_ratio", "win_rate"].map(|name| Monitor::new(name, Direction::Max));
    let mut best = BestSoFar::of(monitors, &[]);
    let first = [("val_reward", -3.0), ("sharpe_ratio", 1.0), ("win_rate", 0.5)];
    assert_eq!(best.observe(&first).len(), 3);
    best.record(0, 1, &first);
    let second = [("val_reward", -9.0), ("sharpe_ratio", 1.5), ("win_rate", 0.6)];
    let metrics: Vec<String> = best.observe(&second).into_iter().map(|improved| improved.metric).collect();
    assert_eq!(metrics, ["sharpe_ratio", "win_rate"]);
}

#[test]
fn a_minimised_metric_improves_downwards() {
    for (best, value, is_improved) in
        [(1.0, 0.98, true), (1.0, 1.02, false), (0.0, -1e-9, true), (-1.0, -1.02, true), (-1.0, -0.98, false)]
    {
        assert_eq!(loss().judge(Some(best), Some(value)).is_improved(), is_improved, "{best} {value}");
    }
}

#[test]
fn a_restart_keeps_the_best_of_before() {
    let mut before = BestSoFar::of([reward()], &[]);
    let mut entries = Vec::new();
    for (sequence, value) in (1..).zip([1.0, 3.0, 2.0]) {
        entries.push(entry(sequence, &[("val_reward", value)], &before));
        before.record(0, sequence, &[("val_reward", value)]);
    }
    let mut after = BestSoFar::of([reward()], &entries);
    assert_eq!(after.to_map(), before.to_map());
    assert!(
        after.observe(&[("val_reward", 2.9)]).is_empty(),
        "the first evaluation of a process is not the first"
    );
    // Its checkpoint is gone, and the best travels in the newest.
    let alone = BestSoFar::of([reward()], &entries[2..]);
    assert_eq!(alone.best("val_reward"), Some(Best { value: 3.0, epoch: 0, sequence: 2 }));
    // What was best in the other direction was the worst; the values themselves still count.
    let minimised = BestSoFar::of([Monitor::new("val_reward", Direction::Min)], &entries[1..]);
    assert_eq!(minimised.best("val_reward").map(|best| best.value), Some(2.0));
    // One without a value of its own has nothing but the best that travels in it.
    let unvalued = [entry(4, &[], &before)];
    assert!(BestSoFar::of([reward()], &unvalued).best("val_reward").is_some());
    let turned = BestSoFar::of([Monitor::new("val_reward", Direction::Min)], &unvalued);
    assert_eq!(turned.best("val_reward"), None);
}

#[test]
fn only_committed_checkpoints_hold_a_best() {
    let none = BestSoFar::of([reward()], &[]);
    for state in [State::Damaged, State::Fenced, State::Foreign, State::Duplicate, State::Unsupported] {
        let entry = Entry { state, ..entry(1, &[("val_reward", 9.0)], &none) };
        assert_eq!(BestSoFar::of([reward()], &[entry]), none, "{state}");
    }
}

#[test]
fn a_best_that_was_not_saved_is_no_best_and_is_not_asked_for_at_every_step() {
    let mut best = BestSoFar::of([reward()], &[]);
    best.record(0, 1, &[("val_reward", 1.0)]);
    assert_eq!(best.observe(&[("val_reward", 2.0)]).len(), 1);
    // While it is being written, what is hardly better makes no second save.
    assert!(best.observe(&[("val_reward", 2.01)]).is_empty());
    best.not_saved();
    assert!((0..100).all(|_| best.observe(&[("val_reward", 2.01)]).is_empty()), "the same evaluation");
    assert_eq!(best.best("val_reward").map(|best| best.value), Some(1.0));
    assert_eq!(best.observe(&[("val_reward", 1.5)]).len(), 1, "the next one is judged by what is durable");
    best.record(0, 2, &[("val_reward", 1.5)]);
    assert_eq!(best.best("val_reward").map(|best| best.sequence), Some(2));
}

#[test]
fn gains_that_make_no_sense_are_refused() {
    for (relative, absolute) in [(-0.01, 0.0), (f64::NAN, 0.0), (0.0, -1.0), (0.0, f64::INFINITY)] {
        let error = reward().with_least_gain(relative, absolute).unwrap_err().to_string();
        assert!(error.ends_with("it is a finite number of at least 0"), "{error}");
    }
}

#[test]
fn every_judgement_has_a_sentence_and_its_numbers_in_json() {
    let sentences = [
        (None, Some(1.5), "1.5 is the first value"),
        (Some(1.0), Some(1.5), "1.5 is better than 1 by 0.5, which is at least 0.02"),
        (Some(1.0), Some(1.01), "1.01 is better than 1 by 0.01, which is less than 0.02"),
        (Some(1.0), Some(0.5), "0.5 is no better than 1"),
        (Some(1.0), None, "it has no value"),
        (Some(1.0), Some(f64::NAN), "NaN is no number that could be better"),
    ];
    for (best, value, sentence) in sentences {
        assert_eq!(reward().judge(best, value).to_string(), sentence);
    }
    let improvement =
        Improvement { metric: "val_reward".to_owned(), judgement: reward().judge(Some(1.0), Some(1.5)) };
    assert_eq!(
        serde_json::to_value(&improvement).unwrap(),
        json!({"metric": "val_reward", "rule": "improved", "value": 1.5, "best": 1.0, "gain": 0.5, "needed": 0.02,
               "text": "1.5 is better than 1 by 0.5, which is at least 0.02"})
    );
    let not_finite = serde_json::to_value(reward().judge(None, Some(f64::NEG_INFINITY))).unwrap();
    assert_eq!(not_finite["value"], "-Infinity");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn judging_is_exact_for_negative_zero_and_minimised_values(
        best in -400_i64..400, value in -400_i64..400, quarters in 0_i64..8, least in 0_i64..50, direction in directions(),
    ) {
        // Eighths and quarters are exact in binary, so whole numbers are an oracle.
        let monitor = Monitor::new("m", direction).with_least_gain(quarters as f64 / 4.0, least as f64 / 8.0).unwrap();
        let judged = monitor.judge(Some(best as f64 / 8.0), Some(value as f64 / 8.0)).is_improved();
        let gain = if direction == Direction::Max { value - best } else { best - value };
        let expected = gain > 0 && 4 * gain >= quarters * best.abs() && gain >= least;
        prop_assert_eq!(judged, expected);
    }

    #[test]
    fn judging_is_the_same_upside_down_and_never_takes_what_is_not_better(best in values(), value in values()) {
        let judge = |direction, best, value| {
            Monitor::new("m", direction).judge(Some(best), Some(value)).is_improved()
        };
        prop_assert_eq!(judge(Direction::Max, best, value), judge(Direction::Min, -best, -value));
        if judge(Direction::Max, best, value) {
            prop_assert!(value.is_finite() && (value > best || !best.is_finite()));
        }
    }

    #[test]
    fn a_restart_at_any_point_changes_nothing_about_the_best(
        run in prop::collection::vec((values(), values(), any::<bool>()), 1..30), direction in directions(),
        restart in 0_usize..30, seed in any::<u64>(),
    ) {
        let monitors = || [Monitor::new("a", direction), Monitor::new("b", Direction::Max)];
        let mut through = BestSoFar::of(monitors(), &[]);
        let mut restarted = through.clone();
        let mut entries: Vec<Entry> = Vec::new();
        for (index, (a, b, is_periodic)) in run.iter().enumerate() {
            if index == restart {
                // In any order, with any of them gone but the newest.
                let newest = entries.len().saturating_sub(1);
                let is_kept = |place: usize| place == newest || (seed >> (place % 64)) & 1 == 1;
                let mut kept: Vec<Entry> =
                    entries.iter().enumerate().filter(|(place, _)| is_kept(*place)).map(|(_, entry)| entry.clone()).collect();
                let turn = seed as usize % kept.len().max(1);
                kept.rotate_left(turn);
                restarted = BestSoFar::of(monitors(), &kept);
                prop_assert_eq!(restarted.to_map(), through.to_map());
            }
            let values = [("a", *a), ("b", *b)];
            let improved = through.observe(&values);
            // Who restarted has forgotten which evaluation was the last, so only a new one is compared.
            let again = restarted.observe(&values);
            let before = index.checked_sub(1).and_then(|before| run.get(before));
            let is_repeated =
                before.is_some_and(|before| before.0.to_bits() == a.to_bits() || before.1.to_bits() == b.to_bits());
            prop_assert!(is_repeated || improved == again, "{improved:?} {again:?}");
            if !improved.is_empty() || *is_periodic {
                let sequence = entries.len() as u64 + 1;
                entries.push(entry(sequence, &values, &through));
                through.record(0, sequence, &values);
                restarted.record(0, sequence, &values);
            }
            prop_assert_eq!(BestSoFar::of(monitors(), &entries).to_map(), through.to_map());
            prop_assert!(through.to_map().values().all(|best| best.value.is_finite()));
        }
    }
}
