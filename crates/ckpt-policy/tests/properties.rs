//! What holds for any schedule and any room. A failing case prints its input; `PROPTEST_RNG_SEED` replays a run.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::time::Duration;

use ckpt_format::Event;
use ckpt_policy::{Adaptive, Cost, Course, Level, Pace, Reserve, Room, Schedule, Trigger, simulate};
use proptest::prelude::*;

/// Any tree of triggers, of which many are off.
fn triggers() -> impl Strategy<Value = Trigger> {
    let single = prop_oneof![
        (0_u64..50).prop_map(Trigger::EveryUnits),
        (0_u64..50).prop_map(|seconds| Trigger::EveryDuration(Duration::from_secs(seconds))),
        (0_u64..30, 1.0..5.0, prop::option::of(0_u64..200))
            .prop_map(|(base, multiplier, target)| Trigger::adaptive(base, multiplier, target).unwrap()),
        (0.01..0.99).prop_map(|share| Trigger::overhead_budget(share).unwrap()),
        (0_u64..500).prop_map(|seconds| Trigger::YoungDaly(Duration::from_secs(seconds))),
    ];
    single.prop_recursive(3, 12, 4, |inner| {
        let list = prop::collection::vec(inner, 0..4);
        prop_oneof![list.clone().prop_map(Trigger::Any), list.prop_map(Trigger::All)]
    })
}

fn schedules() -> impl Strategy<Value = Schedule> {
    (triggers(), 0_u64..3, 0_u64..20).prop_map(|(trigger, pause, early_first)| Schedule {
        minimum_pause: Duration::from_secs(10 * pause),
        early_first,
        ..Schedule::new(trigger)
    })
}

/// What may happen to a pace: (what, step, seconds, cost in seconds).
fn paces() -> impl Strategy<Value = Pace> {
    let happening = (0_u8..5, 0_u64..150, 0_u64..150, 0_u64..20);
    (0_u64..100, prop::collection::vec(happening, 0..6)).prop_map(|(start, happenings)| {
        let mut pace = Pace::start(start);
        for (what, step, at, cost) in happenings {
            let (at, cost) = (Duration::from_secs(at), Duration::from_secs(cost));
            match what {
                0 => pace.saved(step, at, step % 2 == 0, Cost { blocked: cost, total: cost }),
                1 => pace.skipped(step, at),
                2 => pace.failed(at),
                3 => pace.started(step, at, step % 2 == 0),
                _ => pace.reached(step),
            }
        }
        pace
    })
}

/// The waste of a run per second of work, if it saves after each `work` seconds: the expected time to get through work and save,
/// failures and all, is `mtbf * (e^((work + cost) / mtbf) - 1)`.
fn waste(work: f64, cost: f64, mtbf: f64) -> f64 {
    mtbf * ((work + cost) / mtbf).exp_m1() / work - 1.0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_adaptive_interval_never_falls_and_stays_between_its_ends(
        base in 0_u64..1 << 40, multiplier in 1.0..100.0, target in prop::option::of(0_u64..1 << 40),
        mut steps in prop::collection::vec(0_u64..1 << 41, 2..20),
    ) {
        let adaptive = Adaptive::new(base, multiplier, target).unwrap();
        steps.sort_unstable();
        let intervals: Vec<u64> = steps.iter().map(|step| adaptive.interval_at(*step)).collect();
        prop_assert!(intervals.is_sorted(), "{intervals:?}");
        let end = (base as f64 * multiplier).ceil() as u64;
        prop_assert!(intervals.iter().all(|interval| (base..=end.max(base)).contains(interval)));
    }

    #[test]
    fn an_adaptive_interval_is_the_formula_in_whole_numbers_rounded_up(
        base in 1_u64..1 << 20, multiplier in 1_u64..20, target in 1_u64..1 << 20, step in 0_u64..1 << 21,
    ) {
        let (grown, whole) = (u128::from(base * (multiplier - 1)) * u128::from(step.min(target)), u128::from(target));
        let expected = u128::from(base) + grown.div_ceil(whole);
        let adaptive = Adaptive::new(base, multiplier as f64, Some(target)).unwrap();
        prop_assert_eq!(u128::from(adaptive.interval_at(step)), expected);
    }

    #[test]
    fn what_is_due_has_reasons_and_what_has_reasons_is_due(
        schedule in schedules(), pace in paces(), step in 0_u64..200, at in 0_u64..200, other in 0_u64..200,
    ) {
        let (at, other) = (Duration::from_secs(at), Duration::from_secs(other));
        let due = schedule.due(&pace, step, at);
        prop_assert_eq!(due.is_some(), schedule.is_due(&pace, step, at));
        if let Some(due) = due {
            prop_assert!(!due.reasons.is_empty() && !due.to_string().is_empty());
        }
        if !schedule.needs_time(&pace) {
            prop_assert_eq!(schedule.is_due(&pace, step, at), schedule.is_due(&pace, step, other));
        }
        prop_assert!(schedule.trigger.is_on() || schedule.early_first > 0 || !schedule.is_due(&pace, step, at));
    }

    #[test]
    fn any_and_all_are_or_and_and_over_those_that_are_on(
        list in prop::collection::vec(triggers(), 1..5), pace in paces(), step in 0_u64..200, at in 0_u64..200,
    ) {
        let at = Duration::from_secs(at);
        let is_due = |trigger: &Trigger| Schedule {
            retry_pause: Duration::ZERO, ..Schedule::new(trigger.clone())
        }.is_due(&pace, step, at);
        let on: Vec<bool> = list.iter().filter(|trigger| trigger.is_on()).map(is_due).collect();
        prop_assert_eq!(is_due(&Trigger::any(list.clone()).unwrap()), on.contains(&true));
        prop_assert_eq!(is_due(&Trigger::all(list).unwrap()), !on.is_empty() && !on.contains(&false));
    }

    #[test]
    fn a_simulated_save_comes_at_the_first_batch_that_is_an_interval_after_the_one_before(
        base in 1_u64..50, multiplier in 1.0..6.0, target in 1_u64..2_000, batch in 1_u64..9,
    ) {
        let adaptive = Adaptive::new(base, multiplier, Some(target)).unwrap();
        let course = Course { batch: batch.try_into().unwrap(), ..Course::to(target) };
        let saves = simulate(&Schedule::new(Trigger::Adaptive(adaptive)), &course);
        let mut before = 0;
        for save in &saves {
            prop_assert_eq!(save.interval, save.step - before);
            let early = (before + batch..save.step).step_by(batch as usize);
            prop_assert!(early.into_iter().all(|step| step - before < adaptive.interval_at(step)));
            prop_assert!(save.interval >= adaptive.interval_at(save.step) && save.step % batch == 0);
            before = save.step;
        }
    }

    #[test]
    fn saving_never_takes_more_than_its_budget_whatever_saves_cost(
        share in 0.001_f64..0.5, costs in prop::collection::vec(1_u64..60_000, 1..60), tick in 1_u64..500,
    ) {
        let schedule = Schedule::new(Trigger::overhead_budget(share).unwrap());
        let (mut pace, mut at, mut spent, mut step) = (Pace::start(0), Duration::ZERO, Duration::ZERO, 0);
        for cost in costs {
            step += 1;
            // Not due until it is, and then at the next tick.
            while !schedule.is_due(&pace, step, at) {
                let (before, mut stride) = (at, Duration::from_millis(tick));
                while !schedule.is_due(&pace, step, before + stride) {
                    stride *= 2;
                }
                at = before + stride;
            }
            prop_assert!(
                spent.as_secs_f64() <= share * at.as_secs_f64() + 1e-6,
                "{spent:?} of {at:?} before the save of step {step}"
            );
            let blocked = Duration::from_millis(cost);
            (at, spent) = (at + blocked, spent + blocked);
            pace.saved(step, at, true, Cost { blocked, total: blocked });
        }
    }

    #[test]
    fn young_and_daly_waste_hardly_more_than_the_best_interval(cost in 0.01_f64..100.0, saves_per_failure in 20.0_f64..100_000.0) {
        let mtbf = cost * saves_per_failure;
        let schedule = Schedule::new(Trigger::YoungDaly(Duration::from_secs_f64(mtbf)));
        let measured = Duration::from_secs_f64(cost);
        let pace = Pace::start(0).with_cost(Cost { blocked: measured, total: measured });
        // The pause is found from outside, by halving.
        let (mut early, mut late) = (0.0, 10.0 * mtbf);
        while late - early > 1e-6 * late {
            let middle = (early + late) / 2.0;
            let is_due = schedule.is_due(&pace, 1, Duration::from_secs_f64(middle));
            if is_due { late = middle } else { early = middle }
        }
        let best = (1..=2_000).map(|n| waste(mtbf * 1.006_f64.powi(n) * 1e-4, cost, mtbf)).fold(f64::INFINITY, f64::min);
        let ours = waste(late, cost, mtbf);
        prop_assert!(ours <= 1.02 * best + 1e-9, "{ours} where {best} is possible");
    }

    #[test]
    fn levels_do_not_swing_while_the_room_changes_by_less_than_a_tenth(
        low in 1_u64..10_000, parts in prop::collection::vec(0.0_f64..1.0, 2..40),
        reserve in 0_u64..8_000, last_stored_bytes in 0_u64..8_000, start in 0_usize..5, rank in 0_u32..3,
    ) {
        // Strictly less than a tenth more.
        let high = low + (low - 1) / 10;
        let mut level = Level::ALL[start];
        let mut seen = vec![level];
        for part in parts {
            let available = low + ((high - low) as f64 * part).round() as u64;
            let room = Room { available: Some(available), total: None, last_stored_bytes };
            level = level.next(&room, Reserve::Bytes(reserve), rank);
            seen.push(level);
        }
        prop_assert!(seen.is_sorted() || seen.iter().rev().is_sorted(), "{seen:?}");
    }

    #[test]
    fn less_room_never_allows_more(
        mut rooms in prop::array::uniform2(0_u64..20_000), reserve in 0_u64..8_000, last_stored_bytes in 0_u64..8_000,
        start in 0_usize..5, rank in 0_u32..3,
    ) {
        rooms.sort_unstable();
        let next = |available, rank| {
            let room = Room { available: Some(available), total: None, last_stored_bytes };
            Level::ALL[start].next(&room, Reserve::Bytes(reserve), rank)
        };
        prop_assert!(next(rooms[0], rank) >= next(rooms[1], rank));
        prop_assert!(next(rooms[0], rank + 1) >= next(rooms[0], rank), "lower priority never allows more");
        for event in [Event::Periodic, Event::Best, Event::Manual, Event::Interrupt] {
            let refused = Level::ALL.map(|level| level.refuses(std::slice::from_ref(&event)).is_some());
            prop_assert!(refused.is_sorted(), "what a level refuses, later ones do");
        }
    }
}
