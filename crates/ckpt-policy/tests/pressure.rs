//! What a filling disk stops, and what comes back with the room.

use ckpt_format::Event;
use ckpt_policy::{Level, Refusal, Reserve, Room, priority_rank};
use serde_json::json;

const GIB: u64 = 1 << 30;
const RESERVE: Reserve = Reserve::Bytes(1_000);

fn room(available: u64) -> Room {
    Room { available: Some(available), total: Some(1 << 40), last_stored_bytes: 100 }
}

fn next(level: Level, available: u64) -> Level {
    level.next(&room(available), RESERVE, 0)
}

#[test]
fn each_level_stops_more_than_the_one_before() {
    let below =
        [(1_220, Level::Prune), (1_110, Level::NoPeriodic), (1_000, Level::UrgentOnly), (110, Level::Refuse)];
    for (threshold, level) in below {
        assert_eq!(next(Level::Normal, threshold - 1), level, "downwards at once");
        assert!(next(Level::Normal, threshold) < level);
    }
    let allowed = |level: Level| {
        let events = ["periodic", "best", "manual", "phase_boundary_x", "interrupt", "failure"];
        events.map(|event| level.refuses(&[event.parse().unwrap()]).is_none())
    };
    assert_eq!(allowed(Level::Normal), [true; 6]);
    assert_eq!(allowed(Level::Prune), [true; 6]);
    assert_eq!(allowed(Level::NoPeriodic), [false, false, true, true, true, true]);
    assert_eq!(allowed(Level::UrgentOnly), [false, false, false, true, true, true]);
    assert_eq!(allowed(Level::Refuse), [false; 6]);
}

#[test]
fn urgent_events_are_saved_when_periodic_ones_are_not() {
    for level in [Level::NoPeriodic, Level::UrgentOnly] {
        assert_eq!(level.refuses(&[Event::PhaseEnd]), None);
        assert_eq!(level.refuses(&[Event::Interrupt]), None);
        assert_eq!(level.refuses(&[Event::Periodic, Event::Best, Event::Failure]), None, "one is enough");
    }
}

#[test]
fn pruning_begins_before_any_save_is_refused() {
    let levels: Vec<Level> = (0..=1_300).rev().map(|available| next(Level::Normal, available)).collect();
    let first = |wanted| levels.iter().position(|level| *level == wanted);
    assert!(first(Level::Prune) < first(Level::NoPeriodic));
    assert!(Level::Prune.refuses(&[Event::Periodic]).is_none());
}

#[test]
fn saving_comes_back_when_room_does() {
    let full = next(Level::Normal, 0);
    assert_eq!(full, Level::Refuse);
    assert_eq!(next(full, 1 << 30), Level::Normal, "all the way, if there is room for it");
    // Level by level, each with a tenth more than its threshold.
    for (available, level) in [
        (110, Level::Refuse),
        (120, Level::Refuse),
        (121, Level::UrgentOnly),
        (1_099, Level::UrgentOnly),
        (1_100, Level::NoPeriodic),
        (1_220, Level::NoPeriodic),
        (1_221, Level::Prune),
        (1_341, Level::Prune),
        (1_342, Level::Normal),
    ] {
        assert_eq!(next(full, available), level, "{available}");
    }
}

#[test]
fn free_space_that_cannot_be_read_is_not_infinite() {
    let unknown = Room { available: None, total: None, last_stored_bytes: 100 };
    for level in Level::ALL {
        assert_eq!(level.next(&unknown, RESERVE, 0), level, "it stays as it was");
    }
}

#[test]
fn phases_of_lower_priority_stop_first() {
    let priorities = [0, 10, 10, 20, -5];
    assert_eq!([20, 10, 0, -5].map(|own| priority_rank(own, &priorities)), [0, 1, 2, 3]);
    let stopped = |rank| Level::Normal.next(&room(1_500), RESERVE, rank) >= Level::NoPeriodic;
    assert!(!stopped(0) && stopped(1) && stopped(2), "reserves of 1,000, 1,500 and 2,000");
    assert_eq!(priority_rank(3, &[3]), 0, "one phase alone has the whole disk");
}

#[test]
fn the_reserve_is_5_gib_or_a_twentieth_of_a_small_file_system_unless_it_is_stated() {
    assert_eq!(Reserve::Default.bytes(Some(1 << 40), 0), 5 * GIB);
    assert_eq!(Reserve::Default.bytes(Some(20 * GIB), 0), GIB);
    assert_eq!(Reserve::Default.bytes(None, 0), 5 * GIB);
    assert_eq!(Reserve::gib(2.5), Ok(Reserve::Bytes(5 * GIB / 2)));
    assert_eq!(Reserve::gib(0.0), Ok(Reserve::Bytes(0)));
    for gib in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(Reserve::gib(gib).unwrap_err().to_string().contains("it is a finite number of at least 0"));
    }
}

#[test]
fn before_the_first_save_and_without_a_reserve_nothing_stands_in_its_way() {
    let empty = Room { last_stored_bytes: 0, ..room(0) };
    assert_eq!(Level::Normal.next(&empty, Reserve::Bytes(0), 3), Level::Normal);
    let huge = Room { last_stored_bytes: u64::MAX, ..room(u64::MAX - 1) };
    assert_eq!(Level::Normal.next(&huge, Reserve::Bytes(u64::MAX), u32::MAX), Level::Refuse);
}

#[test]
fn a_refusal_is_a_rule_and_a_sentence() {
    assert_eq!(Level::Refuse.refuses(&[Event::Failure]), Some(Refusal::Nothing));
    assert_eq!(
        serde_json::to_value(Level::UrgentOnly.refuses(&[Event::Manual])).unwrap(),
        json!({"rule": "urgent_only", "text": "the disk is down to its reserve: only urgent events are saved"})
    );
    for level in Level::ALL {
        assert_eq!(serde_json::to_value(level).unwrap(), json!(level.as_str()));
    }
}
