//! When a periodic save is due, and what moves the count.

use std::num::NonZeroU64;
use std::time::Duration;

use ckpt_policy::{
    Adaptive, Cost, Course, DueReason, Pace, Schedule, Share, SimulatedSave, Trigger, TriggerError, simulate,
};
use serde_json::json;

const NOW: Duration = Duration::ZERO;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn cost(blocked: f64, total: f64) -> Cost {
    Cost { blocked: Duration::from_secs_f64(blocked), total: Duration::from_secs_f64(total) }
}

fn every(units: u64) -> Schedule {
    Schedule::new(Trigger::EveryUnits(units))
}

fn phase(base: u64, target: u64) -> Schedule {
    Schedule::new(Trigger::adaptive(base, 5.0, Some(target)).expect("a trigger"))
}

#[test]
fn the_interval_grows_from_25_000_to_125_000_as_the_table_says() {
    let adaptive = Adaptive::new(25_000, 5.0, Some(2_000_000)).unwrap();
    let table =
        [(0, 25_000), (500_000, 50_000), (1_000_000, 75_000), (1_500_000, 100_000), (2_000_000, 125_000)];
    for (step, interval) in table {
        assert_eq!(adaptive.interval_at(step), interval, "at {step}");
    }
    assert_eq!(adaptive.interval_at(u64::MAX), 125_000, "past the end it grows no more");
    assert_eq!(adaptive.interval_at(600_000), 55_000, "25,000 * 2.2 is a little more in binary");
}

#[test]
fn the_formula_gives_31_39_and_200_saves_for_the_three_phases() {
    for (base, target, count, last) in [
        (25_000, 2_000_000, 31, 1_952_129),
        (50_000, 5_000_000, 39, 4_892_360),
        (10_000, 5_000_000, 200, 4_981_492),
    ] {
        let saves = simulate(&phase(base, target), &Course::to(target));
        assert_eq!((saves.len(), saves.last().map(|save| save.step)), (count, Some(last)), "base {base}");
        assert_eq!(saves.iter().map(|save| save.interval).sum::<u64>(), last, "intervals add up");
    }
}

#[test]
fn environments_in_parallel_save_at_the_first_batch_at_or_past_the_interval() {
    let course = Course { batch: NonZeroU64::new(7).unwrap(), ..Course::to(100) };
    let steps: Vec<u64> = simulate(&every(25), &course).iter().map(|save| save.step).collect();
    assert_eq!(steps, [28, 56, 84]);
}

#[test]
fn a_target_of_zero_or_none_leaves_the_interval_at_its_base() {
    for target in [None, Some(0)] {
        let adaptive = Adaptive::new(100, 5.0, target).unwrap();
        assert_eq!((adaptive.interval_at(0), adaptive.interval_at(u64::MAX)), (100, 100), "{target:?}");
    }
}

#[test]
fn neither_step_zero_nor_trial_zero_is_saved() {
    for schedule in [every(1), every(10), phase(1, 100), Schedule { early_first: 1, ..every(5) }] {
        assert!(!schedule.is_due(&Pace::start(0), 0, NOW), "{schedule:?}");
    }
    let steps: Vec<u64> = simulate(&every(10), &Course::to(30)).iter().map(|save| save.step).collect();
    assert_eq!(steps, [10, 20, 30]);
}

#[test]
fn a_resume_does_not_save_at_once() {
    let timed = |trigger| Schedule { early_first: 10, ..Schedule::new(trigger) };
    let budget = Trigger::overhead_budget(0.01).unwrap();
    for schedule in [
        every(25_000),
        phase(25_000, 2_000_000),
        timed(Trigger::EveryDuration(seconds(60))),
        timed(budget.clone()),
        timed(Trigger::YoungDaly(seconds(3_600))),
    ] {
        assert!(!schedule.is_due(&Pace::start(1_900_000), 1_900_000, NOW), "{schedule:?}");
    }
    assert!(!every(25_000).is_due(&Pace::start(1_900_000), 1_924_999, NOW));
    assert!(every(25_000).is_due(&Pace::start(1_900_000), 1_925_000, NOW));
    // With the cost known from before, not even one unit later.
    let pace = Pace::start(1_900_000).with_cost(cost(1.0, 1.0));
    assert!(!Schedule::new(budget).is_due(&pace, 1_900_001, seconds(98)));
}

#[test]
fn a_failed_save_is_not_tried_again_at_every_step() {
    let schedule = every(100);
    let mut pace = Pace::start(0);
    assert!(schedule.is_due(&pace, 100, seconds(10)) && !schedule.needs_time(&pace));
    pace.failed(seconds(10));
    assert!(schedule.needs_time(&pace), "the pause before the next attempt is in seconds");
    assert!((101..200).all(|step| !schedule.is_due(&pace, step, seconds(10) + Duration::from_millis(step))));
    assert!(!schedule.is_due(&pace, 200, seconds(15) - Duration::from_nanos(1)));
    assert!(schedule.is_due(&pace, 200, seconds(15)), "the count stayed where it was");
    pace.saved(200, seconds(16), true, cost(1.0, 1.0));
    assert!(!schedule.is_due(&pace, 299, seconds(17)) && schedule.is_due(&pace, 300, seconds(17)));
    assert!(!schedule.needs_time(&pace));
}

#[test]
fn only_an_acknowledged_periodic_save_moves_the_count() {
    let schedule = every(100);
    let mut pace = Pace::start(0);
    pace.saved(90, seconds(1), false, cost(0.1, 0.1));
    assert!(schedule.is_due(&pace, 100, seconds(2)), "a best save or an interrupt does not move it");
    pace.saved(100, seconds(3), true, cost(0.1, 0.1));
    assert!(!schedule.is_due(&pace, 199, seconds(4)) && schedule.is_due(&pace, 200, seconds(4)));
}

/// Asked again while it was being written, a save in the background was begun at every step.
#[test]
fn a_save_in_the_background_is_asked_for_once() {
    let schedule = every(100);
    let mut pace = Pace::start(0);
    pace.started(100, seconds(1), true);
    assert!((100..200).all(|step| !schedule.is_due(&pace, step, seconds(2))));
    // Due again before it ended, and skipped: the next comes a whole interval later.
    assert!(schedule.is_due(&pace, 200, seconds(2)));
    pace.skipped(200, seconds(2));
    pace.saved(100, seconds(3), true, cost(0.1, 2.0));
    assert!(!schedule.is_due(&pace, 299, seconds(3)) && schedule.is_due(&pace, 300, seconds(3)));
    // One that fails in the background gives back what it took.
    pace.started(300, seconds(4), true);
    assert!(!schedule.is_due(&pace, 301, seconds(4)));
    pace.failed(seconds(5));
    assert!(schedule.is_due(&pace, 301, seconds(10)));
}

#[test]
fn going_back_to_a_lower_step_begins_the_count_anew() {
    let schedule = every(10);
    let mut pace = Pace::start(40);
    pace.saved(50, seconds(1), true, cost(0.1, 0.1));
    pace.reached(1);
    assert!(!schedule.is_due(&pace, 1, seconds(2)) && !schedule.is_due(&pace, 10, seconds(2)));
    assert!(schedule.is_due(&pace, 11, seconds(2)), "not only past 60");
    // A step that is lower than the one before, but not than the last save, is no going back.
    pace.saved(11, seconds(3), true, cost(0.1, 0.1));
    for step in [19, 18, 20, 19] {
        pace.reached(step);
    }
    assert!(schedule.is_due(&pace, 21, seconds(4)));
}

#[test]
fn the_early_first_save_is_one_and_leaves_the_count_alone() {
    let schedule = Schedule { early_first: 1, ..every(100) };
    let mut pace = Pace::start(0);
    let due = schedule.due(&pace, 1, NOW).unwrap();
    assert!(!due.moves_the_count());
    assert_eq!(
        due.to_string(),
        "1 steps since the start: an early first save after 1 proves that the run can be written"
    );
    pace.saved(1, NOW, due.moves_the_count(), cost(0.1, 0.1));
    let steps: Vec<u64> = (2..=200).filter(|step| schedule.is_due(&pace, *step, NOW)).collect();
    assert_eq!((steps.len(), steps[0]), (101, 100), "due from step 100 on, as if nothing had been saved");
    // A save that somebody asked for has proved it as well.
    let mut asked = Pace::start(0);
    asked.saved(0, NOW, false, cost(0.1, 0.1));
    assert!(!schedule.is_due(&asked, 50, NOW));
    // When both are due at once, it is a periodic save with both reasons.
    let both = schedule.due(&Pace::start(0), 100, NOW).unwrap();
    assert!(both.moves_the_count() && both.reasons.len() == 2);
}

#[test]
fn the_minimum_pause_counts_from_the_end_of_the_last_save_of_any_kind() {
    let schedule = Schedule { minimum_pause: seconds(30), ..every(1) };
    let mut pace = Pace::start(0);
    assert!(schedule.is_due(&pace, 1, NOW) && schedule.needs_time(&pace));
    pace.saved(1, seconds(20), false, cost(20.0, 20.0));
    assert!(!schedule.is_due(&pace, 5, seconds(49)) && schedule.is_due(&pace, 5, seconds(50)));
}

#[test]
fn every_duration_counts_from_the_start_and_then_from_the_last_periodic_save() {
    let schedule = Schedule::new(Trigger::EveryDuration(seconds(60)));
    let mut pace = Pace::start(0);
    assert!(!schedule.is_due(&pace, 9, seconds(59)) && schedule.is_due(&pace, 9, seconds(60)));
    pace.saved(9, seconds(61), true, cost(1.0, 1.0));
    pace.saved(10, seconds(100), false, cost(1.0, 1.0));
    assert!(!schedule.is_due(&pace, 11, seconds(120)) && schedule.is_due(&pace, 11, seconds(121)));
}

#[test]
fn the_costs_decide_once_the_first_save_has_measured_them() {
    let budget = Schedule::new(Trigger::overhead_budget(0.01).unwrap());
    let young_daly = Schedule::new(Trigger::YoungDaly(seconds(7_200)));
    let mut pace = Pace::start(0);
    assert_eq!(budget.due(&pace, 1, NOW).unwrap().reasons, [DueReason::FirstCost]);
    pace.started(1, NOW, true);
    assert!(!budget.is_due(&pace, 2, seconds(1)), "the first is being made");
    pace.saved(1, seconds(10), true, cost(1.0, 4.0));
    // 1 s is 1 % of 100 s, 99 of them without a save. sqrt(2 * 4 * 7200) - 4 = 236 s.
    assert!(!budget.is_due(&pace, 2, seconds(108)) && budget.is_due(&pace, 2, seconds(109)));
    assert!(!young_daly.is_due(&pace, 2, seconds(245)) && young_daly.is_due(&pace, 2, seconds(246)));
    // A save that takes longer than there is between failures: at least as long again without one.
    let slow = Pace::start(0).with_cost(cost(50_000.0, 50_000.0));
    assert!(!young_daly.is_due(&slow, 2, seconds(49_999)) && young_daly.is_due(&slow, 2, seconds(50_000)));
}

#[test]
fn two_triggers_at_one_step_are_one_save_with_both_reasons() {
    let schedule = Schedule::new(
        Trigger::any([Trigger::EveryUnits(50), Trigger::EveryUnits(0), Trigger::EveryDuration(seconds(5))])
            .unwrap(),
    );
    let due = schedule.due(&Pace::start(0), 50, seconds(7)).unwrap();
    assert_eq!(
        due.to_string(),
        "50 steps since the last periodic save: every 50; 7 s since the last periodic save: every 5 s"
    );
    assert_eq!(
        serde_json::to_value(&due).unwrap(),
        json!([
            {"rule": "every_units", "done": 50, "every": 50, "unit": "steps",
             "text": "50 steps since the last periodic save: every 50"},
            {"rule": "every_duration", "passed_seconds": 7.0, "every_seconds": 5.0,
             "text": "7 s since the last periodic save: every 5 s"},
        ])
    );
    let all =
        Schedule::new(Trigger::all([Trigger::EveryUnits(50), Trigger::EveryDuration(seconds(9))]).unwrap());
    assert_eq!(all.due(&Pace::start(0), 50, seconds(7)), None);
    assert_eq!(all.due(&Pace::start(0), 50, seconds(9)).unwrap().reasons.len(), 2);
}

#[test]
fn every_reason_has_a_sentence_with_its_numbers() {
    let adaptive = Schedule { unit: "bars".to_owned(), ..phase(25_000, 2_000_000) };
    let due = adaptive.due(&Pace::start(0), 26_316, NOW).unwrap();
    assert_eq!(
        due.to_string(),
        "26,316 bars since the last periodic save: every 26,316 at step 26,316 (adaptive, from 25,000)"
    );
    let pace = Pace::start(0).with_cost(cost(1.0, 4.0));
    for (trigger, sentence) in [
        (
            Trigger::overhead_budget(0.02).unwrap(),
            "300 s since the last save: after 49 s its 1 s are at most 2 % of the run time",
        ),
        (
            Trigger::YoungDaly(seconds(7_200)),
            "300 s since the last save: 236 s lose least, by Young and Daly, at 4 s a save and a failure every 7200 s",
        ),
    ] {
        assert_eq!(Schedule::new(trigger).due(&pace, 1, seconds(300)).unwrap().to_string(), sentence);
    }
    let save = SimulatedSave { step: 1, interval: 1, reasons: vec![DueReason::FirstCost] };
    assert_eq!(
        serde_json::to_value(&save).unwrap(),
        json!({"step": 1, "interval": 1, "reasons": [
            {"rule": "first_cost", "text": "the first save: it shows what a save costs"}]})
    );
}

#[test]
fn zero_turns_a_trigger_off_and_what_is_off_is_shown_as_off() {
    let off = [
        Trigger::EveryUnits(0),
        Trigger::EveryDuration(Duration::ZERO),
        Trigger::adaptive(0, 5.0, Some(100)).unwrap(),
        Trigger::YoungDaly(Duration::ZERO),
    ];
    for trigger in off.clone() {
        let schedule = Schedule::new(trigger.clone());
        assert!(!schedule.is_due(&Pace::start(0), u64::MAX, Duration::MAX), "{trigger:?}");
        assert!(!schedule.needs_time(&Pace::start(0)));
        assert!(schedule.describe()[0].ends_with(": off"), "{:?}", schedule.describe());
        // In a combination it counts for nothing, instead of blocking it for ever.
        let all = Schedule::new(Trigger::all([trigger, Trigger::EveryUnits(5)]).unwrap());
        assert!(all.is_due(&Pace::start(0), 5, NOW));
    }
    let nothing = Schedule::new(Trigger::all(off).unwrap());
    assert!(!nothing.is_due(&Pace::start(0), u64::MAX, Duration::MAX));
    assert_eq!(
        nothing.describe(),
        [
            "all of these: off",
            "  every N steps: off",
            "  every T: off",
            "  adaptive: off",
            "  Young/Daly: off",
            "minimum pause after a save: off",
            "early first save: off",
            "after a failed save: again after 5 s",
        ]
    );
}

#[test]
fn numbers_that_make_no_sense_are_refused_with_the_way_out() {
    for share in [0.0, 1.0, -0.1, 1.5, f64::NAN, f64::INFINITY] {
        let error = Share::new(share).unwrap_err().to_string();
        assert!(error.ends_with("above 0 and below 1 (0.01 is 1 %)"), "{error}");
    }
    for multiplier in [0.999, 0.0, -5.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = Trigger::adaptive(1, multiplier, None).unwrap_err().to_string();
        assert!(error.contains("a finite number of at least 1"), "{error}");
    }
    assert_eq!(Trigger::any([]), Err(TriggerError::Empty { combinator: "any" }));
    assert_eq!(Trigger::all([]), Err(TriggerError::Empty { combinator: "all" }));
    // Made by hand, it is off.
    let nested = Schedule::new(Trigger::Any(vec![Trigger::All(vec![]), Trigger::Any(vec![])]));
    assert!(!nested.trigger.is_on() && !nested.is_due(&Pace::start(0), 9, seconds(9)));
}

#[test]
fn a_simulated_hour_keeps_its_overhead_budget() {
    let course =
        Course { time_per_unit: Duration::from_millis(10), cost: cost(0.5, 0.5), ..Course::to(360_000) };
    let saves = simulate(&Schedule::new(Trigger::overhead_budget(0.01).unwrap()), &course);
    // The first at once, then one every 50 s of 3600.
    assert_eq!(saves.len(), 73);
}

#[test]
fn a_schedule_is_read_as_it_was_written_and_never_half() {
    let trigger = Trigger::any([
        Trigger::adaptive(25_000, 5.0, Some(2_000_000)).unwrap(),
        Trigger::EveryUnits(100),
        Trigger::all([
            Trigger::EveryDuration(Duration::from_millis(1_500)),
            Trigger::YoungDaly(seconds(86_400)),
        ])
        .unwrap(),
        Trigger::overhead_budget(0.01).unwrap(),
    ]);
    let schedule = Schedule { minimum_pause: seconds(30), early_first: 1, ..Schedule::new(trigger.unwrap()) };
    let written = serde_json::to_value(&schedule).unwrap();
    let all = json!({"all": [{"every_seconds": 1.5}, {"mean_time_between_failures_seconds": 86_400.0}]});
    let adaptive = json!({"adaptive": {"base": 25_000, "max_multiplier": 5.0, "target": 2_000_000}});
    let expected = json!({
        "trigger": {"any": [adaptive, {"every_units": 100}, all, {"overhead_budget": 0.01}]},
        "minimum_pause_seconds": 30.0,
        "early_first": 1,
        "retry_pause_seconds": 5.0,
        "unit": "steps",
    });
    assert_eq!(written, expected);
    assert_eq!(serde_json::from_value::<Schedule>(written.clone()).unwrap(), schedule);
    assert_eq!(
        schedule.to_string(),
        "any of these (adaptive: every 25,000 steps, growing to 125,000 at 2,000,000; every 100 steps; all of these (every 1.5 s; \
         Young/Daly: a failure every 86400 s on average); overhead budget: saving takes at most 1 % of the run time); minimum pause \
         after a save: 30 s; early first save: after 1 steps; after a failed save: again after 5 s"
    );
    let never = Schedule::new(Trigger::EveryDuration(Duration::MAX));
    let read: Schedule = serde_json::from_str(&serde_json::to_string(&never).unwrap()).unwrap();
    assert_eq!(read, never, "what no f64 holds is for ever");

    let refused = |change: fn(&mut serde_json::Value)| {
        let mut value = written.clone();
        change(&mut value);
        serde_json::from_value::<Schedule>(value).unwrap_err().to_string()
    };
    for (change, part) in [
        ((|value| value["of_tomorrow"] = json!(1)) as fn(&mut serde_json::Value), "of_tomorrow"),
        (|value| value["trigger"] = json!({"of_tomorrow": 1}), "of_tomorrow"),
        (|value| drop(value.as_object_mut().unwrap().remove("unit")), "unit"),
        (
            |value| {
                let adaptive = value["trigger"]["any"][0]["adaptive"].as_object_mut();
                drop(adaptive.unwrap().remove("target"));
            },
            "target",
        ),
        (|value| value["retry_pause_seconds"] = json!(-1.0), "no duration"),
        (|value| value["trigger"] = json!({"overhead_budget": 1.0}), "above 0 and below 1"),
        (|value| value["trigger"]["any"][0]["adaptive"]["max_multiplier"] = json!(0.5), "at least 1"),
    ] {
        let error = refused(change);
        assert!(error.contains(part), "{error}");
    }
}
