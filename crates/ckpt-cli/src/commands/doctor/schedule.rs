//! A schedule in the words of the configuration, so that two of them are compared key by key.

use std::collections::BTreeMap;
use std::time::Duration;

use ckpt::{Schedule, Trigger};

/// A key with the value that is in force and the one that is stated.
pub(super) type Difference = (&'static str, String, String);

/// The keys, in the order of docs/CONFIGURATION.md.
const KEYS: [&str; 12] = [
    BASE,
    GROWTH[0],
    GROWTH[1],
    "every",
    "every_seconds",
    "overhead_budget",
    "mean_time_between_failures_seconds",
    COMBINE,
    "minimum_pause_seconds",
    "retry_pause_seconds",
    "early_first_save",
    "unit",
];
const BASE: &str = "base_interval";
/// They mean something where there is a base.
const GROWTH: [&str; 2] = ["max_interval_multiplier", "target_timesteps"];
/// It means something where there are several triggers.
const COMBINE: &str = "combine";

type Settings = BTreeMap<&'static str, String>;

/// Where the schedule that is in force differs from the stated one. A configuration can't say every trigger: one that it can't is
/// compared as a whole.
pub(super) fn differences(in_force: &Schedule, stated: &Schedule) -> Vec<Difference> {
    let (mut one, mut other) = (beside(in_force), beside(stated));
    let mut differences = Vec::new();
    match (triggers(&in_force.trigger), triggers(&stated.trigger)) {
        (Some(in_force), Some(stated)) => {
            one.extend(in_force);
            other.extend(stated);
        }
        _ if in_force.trigger == stated.trigger => {}
        _ => differences.push(("schedule", in_force.to_string(), stated.to_string())),
    }
    let both = |key| one.contains_key(key) && other.contains_key(key);
    let means_something = |key: &str| match key {
        COMBINE => both(COMBINE),
        key if GROWTH.contains(&key) => both(BASE),
        _ => true,
    };
    let value = |settings: &Settings, key| settings.get(key).cloned().unwrap_or_else(|| "off".to_owned());
    let keys = KEYS.into_iter().filter(|key| means_something(key));
    let found = keys.map(|key| (key, value(&one, key), value(&other, key)));
    differences.extend(found.filter(|(_, one, other)| one != other));
    differences
}

/// What stands beside the triggers.
fn beside(schedule: &Schedule) -> Settings {
    BTreeMap::from([
        ("minimum_pause_seconds", seconds(schedule.minimum_pause)),
        ("retry_pause_seconds", seconds(schedule.retry_pause)),
        ("early_first_save", schedule.early_first.to_string()),
        ("unit", schedule.unit.clone()),
    ])
}

/// The triggers that are on; nothing if a configuration can't say them.
fn triggers(trigger: &Trigger) -> Option<Settings> {
    let (all, combine) = match trigger {
        Trigger::Any(all) => (all.as_slice(), Some("any")),
        Trigger::All(all) => (all.as_slice(), Some("all")),
        single => (std::slice::from_ref(single), None),
    };
    let mut settings = Settings::new();
    let mut count = 0;
    for trigger in all.iter().filter(|trigger| trigger.is_on()) {
        let (key, value) = match trigger {
            Trigger::EveryUnits(units) => ("every", units.to_string()),
            Trigger::EveryDuration(every) => ("every_seconds", seconds(*every)),
            Trigger::OverheadBudget(share) => ("overhead_budget", share.get().to_string()),
            Trigger::YoungDaly(mtbf) => ("mean_time_between_failures_seconds", seconds(*mtbf)),
            Trigger::Adaptive(adaptive) => {
                let target = adaptive.target().map_or("none".to_owned(), |target| target.to_string());
                settings.insert(GROWTH[0], adaptive.max_multiplier().to_string());
                settings.insert(GROWTH[1], target);
                (BASE, adaptive.base().to_string())
            }
            _ => return None,
        };
        if settings.insert(key, value).is_some() {
            return None;
        }
        count += 1;
    }
    settings.extend(combine.filter(|_| count > 1).map(|combine| (COMBINE, combine.to_owned())));
    Some(settings)
}

fn seconds(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(trigger: Trigger) -> Schedule {
        Schedule::new(trigger)
    }

    fn adaptive(base: u64, target: Option<u64>) -> Trigger {
        Trigger::adaptive(base, 5.0, target).unwrap()
    }

    fn any(triggers: &[Trigger]) -> Schedule {
        of(Trigger::Any(triggers.to_vec()))
    }

    fn said(in_force: &Schedule, stated: &Schedule) -> Vec<String> {
        let differences = differences(in_force, stated).into_iter();
        differences.map(|(key, one, other)| format!("{key} {one} {other}")).collect()
    }

    #[test]
    fn the_keys_that_differ_are_named_and_no_others() {
        let every = Trigger::EveryUnits;
        assert_eq!(said(&of(every(10)), &of(every(20))), ["every 10 20"]);
        assert_eq!(said(&of(every(10)), &of(adaptive(5, None))), ["base_interval off 5", "every 10 off"]);
        let grown = [adaptive(5, None), adaptive(5, Some(9))].map(of);
        assert_eq!(said(&grown[0], &grown[1]), ["target_timesteps none 9"]);
        let pause = Schedule { minimum_pause: Duration::from_millis(1_500), early_first: 1, ..of(every(10)) };
        assert_eq!(said(&pause, &of(every(10))), ["minimum_pause_seconds 1.5 0", "early_first_save 1 0"]);
    }

    #[test]
    fn what_means_the_same_is_no_difference() {
        let (every, off) = (Trigger::EveryUnits(10), Trigger::EveryDuration(Duration::ZERO));
        assert_eq!(said(&of(every.clone()), &any(&[every.clone(), off.clone()])), [""; 0]);
        assert_eq!(said(&of(Trigger::EveryUnits(0)), &any(&[])), [""; 0]);
        let hourly = Trigger::EveryDuration(Duration::from_secs(3_600));
        let both = [every, hourly];
        assert_eq!(said(&any(&both), &of(Trigger::All(both.to_vec()))), ["combine any all"]);
    }

    #[test]
    fn a_trigger_that_no_configuration_says_is_compared_as_a_whole() {
        let twice = any(&[Trigger::EveryUnits(10), Trigger::EveryUnits(15)]);
        assert_eq!(said(&twice, &twice), [""; 0]);
        let told = said(&twice, &of(Trigger::EveryUnits(10)));
        assert!(told[0].starts_with("schedule any of these (every 10 steps; every 15 steps); "), "{told:?}");
    }
}
