//! From layers of stated keys to what holds for one phase.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ckpt_format::{Direction, EventClass};
use ckpt_policy::{Monitor, RetentionPolicy, Schedule, Top, Trigger, priority_rank};
use ckpt_store::Compress;

use super::error::{ConfigProblem, ValueSource};
use super::keys::{self, Key};
use super::layer::{Layer, Stated, StatedPath};
use super::path::PathTemplate;
use super::phase::{PhaseConfig, Setting};
use super::read::{Budget, Named};

/// Metrics whose direction needs no saying. The drawdown is negative: nearer to 0 is better.
const MAXIMISED: [&str; 5] = ["val_reward", "sharpe_ratio", "win_rate", "total_return", "max_drawdown"];
/// The ways of stopping before the end, all of which `interrupt` means.
const STOPS: [EventClass; 4] =
    [EventClass::Interrupt, EventClass::Cancellation, EventClass::Failure, EventClass::Shutdown];

/// What holds for this phase, or without one; with what is wrong in it although each key alone is right.
pub(super) fn resolve(layers: &[Layer], phase: Option<&str>) -> (PhaseConfig, Vec<ConfigProblem>) {
    let mut resolver = Resolver { layers, phase, settings: Vec::new(), problems: Vec::new() };
    let config = resolver.phase();
    (PhaseConfig { settings: resolver.settings, ..config }, resolver.problems)
}

/// The path that holds for a phase.
pub(super) fn path<'a>(layers: &'a [Layer], phase: &str) -> Option<&'a StatedPath> {
    layers.iter().rev().find_map(|layer| layer.paths.iter().find(|path| path.phase == phase))
}

struct Resolver<'a> {
    layers: &'a [Layer],
    phase: Option<&'a str>,
    settings: Vec<Setting>,
    problems: Vec<ConfigProblem>,
}

/// A value that was stated, and where.
struct Found<'a, T> {
    value: T,
    source: &'a ValueSource,
}

/// Budgets, and where they are stated.
type Budgets = (Vec<Budget>, ValueSource);

impl<'a> Resolver<'a> {
    fn phase(&mut self) -> PhaseConfig {
        let (mut schedule, target) = self.schedule();
        schedule.unit = self.take(&keys::UNIT).unwrap_or(schedule.unit);
        let priority = self.take(&keys::PRIORITY).unwrap_or_default();
        let llm_metadata = self.take(&keys::LLM_METADATA).unwrap_or_default();

        let enabled = self.take(&keys::EVENTS_ENABLED).unwrap_or(true);
        let events = events(enabled, self.take(&keys::TRIGGERS));
        let monitored = self.monitored();
        let monitors = self.monitors(&monitored);
        if !events.contains(&EventClass::Periodic) {
            schedule = Schedule { unit: schedule.unit, ..Schedule::new(Trigger::Any(Vec::new())) };
        }
        let retention = self.retention(&monitored);

        self.take(&keys::ATOMIC_SAVES);
        let reserve = self.take(&keys::MIN_DISK_SPACE_GB).unwrap_or_default();
        let compress = self.take(&keys::COMPRESSION).unwrap_or(Compress::BySample);
        PhaseConfig {
            phase: self.phase.map(str::to_owned),
            unit: schedule.unit.clone(),
            schedule,
            target,
            monitors: if events.contains(&EventClass::Best) { monitors } else { Vec::new() },
            events,
            retention,
            reserve,
            priority_rank: priority_rank(priority, &priorities(self.layers)),
            compress,
            path: self.path(),
            llm_metadata,
            settings: Vec::new(),
        }
    }

    fn schedule(&mut self) -> (Schedule, Option<u64>) {
        let base = self.take(&keys::BASE_INTERVAL);
        let max_multiplier = self.take(&keys::MAX_INTERVAL_MULTIPLIER).unwrap_or(1.0);
        let target = self.take(&keys::TARGET_TIMESTEPS).filter(|target| *target > 0);
        let adaptive = base.and_then(|base| Trigger::adaptive(base, max_multiplier, target).ok());
        let share = self.take(&keys::OVERHEAD_BUDGET);
        let stated = [
            adaptive,
            self.take(&keys::EVERY).map(Trigger::EveryUnits),
            self.take(&keys::EVERY_SECONDS).map(Trigger::EveryDuration),
            share.and_then(|share| Trigger::overhead_budget(share).ok()),
            self.take(&keys::MEAN_TIME_BETWEEN_FAILURES).map(Trigger::YoungDaly),
        ];
        let mut triggers: Vec<Trigger> = stated.into_iter().flatten().collect();
        let all = self.take(&keys::COMBINE).unwrap_or_default();
        // A share of 0 makes no trigger, but says that none is wanted.
        self.refuse_without_trigger(triggers.is_empty() && share.is_none());
        let trigger = match (triggers.len(), all) {
            (1, _) => triggers.remove(0),
            (_, false) => Trigger::Any(triggers),
            (_, true) => Trigger::All(triggers),
        };
        let mut schedule = Schedule::new(trigger);
        schedule.minimum_pause = self.take(&keys::MINIMUM_PAUSE).unwrap_or_default();
        schedule.retry_pause = self.take(&keys::RETRY_PAUSE).unwrap_or(schedule.retry_pause);
        schedule.early_first = self.take(&keys::EARLY_FIRST_SAVE).unwrap_or(1);
        (schedule, target)
    }

    fn monitored(&mut self) -> Vec<(String, Direction)> {
        let Some(stated) = self.find(&keys::MONITORED_METRICS) else {
            self.take(&keys::MONITORED_METRICS);
            return MAXIMISED[..3].iter().map(|&metric| (metric.to_owned(), Direction::Max)).collect();
        };
        let source = stated.source.clone();
        let named: Vec<Named> = self.take(&keys::MONITORED_METRICS).unwrap_or_default();
        named
            .into_iter()
            .filter_map(|(metric, direction)| {
                let direction = direction.or_else(|| usual_direction(&metric));
                if direction.is_none() {
                    self.problem(&source, undirected("events.monitored_metrics", &metric));
                }
                direction.map(|direction| (metric, direction))
            })
            .collect()
    }

    fn monitors(&mut self, monitored: &[(String, Direction)]) -> Vec<Monitor> {
        let relative = self.take(&keys::IMPROVEMENT_RELATIVE);
        let absolute = self.take(&keys::IMPROVEMENT_ABSOLUTE);
        let monitor = |(metric, direction): &(String, Direction)| {
            let monitor = Monitor::new(metric, *direction);
            let least = relative.unwrap_or(monitor.least_gain_relative());
            // The keys' ranges are checked before: what is refused here cannot be.
            monitor
                .clone()
                .with_least_gain(least, absolute.unwrap_or(monitor.least_gain_absolute()))
                .unwrap_or(monitor)
        };
        monitored.iter().map(monitor).collect()
    }

    fn retention(&mut self, monitored: &[(String, Direction)]) -> RetentionPolicy {
        let enabled = self.take(&keys::RETENTION_ENABLED).unwrap_or(true);
        let keep_last = self.take(&keys::KEEP_LAST_N).unwrap_or(5);
        let stated = self.top(monitored);
        let every = self.take(&keys::KEEP_EVERY_N).unwrap_or_default();
        let mut policy = RetentionPolicy {
            keep_last,
            top: with_unstated(stated, monitored, keep_last > 0 || every > 0),
            every,
            max_age: self.take(&keys::MAX_AGE_DAYS).filter(|age| *age > Duration::ZERO),
            max_bytes: self.take(&keys::MAX_BYTES).unwrap_or_default(),
            ..RetentionPolicy::default()
        };
        if let Some(classes) = self.take(&keys::PRESERVE_EVENTS) {
            policy.preserve = with_stops(classes);
        }
        policy.prune_every = self.take(&keys::PRUNE_FREQUENCY).unwrap_or(policy.prune_every);
        if let Err(error) = policy.check() {
            let key = find(self.layers, self.phase, &keys::PRESERVE_EVENTS);
            let source = key.map_or(ValueSource::Default, |stated| stated.source.clone());
            self.problem(&source, format!("`retention`: {error}"));
        }
        match enabled {
            true => policy,
            // Nothing is on, so everything is kept; the classes stay stated for whoever prunes by hand.
            false => {
                RetentionPolicy { preserve: policy.preserve, prune_every: 0, ..RetentionPolicy::default() }
            }
        }
    }

    /// The budgets by metric, if any is stated.
    fn top(&mut self, monitored: &[(String, Direction)]) -> Option<Vec<Top>> {
        let mut stated = false;
        let mut tops: BTreeMap<String, (Top, ValueSource)> = BTreeMap::new();
        let mut order = Vec::new();
        let single = |count: u64, metric: &str| vec![(metric.to_owned(), Some(Direction::Max), count)];
        let found: [(&str, Option<Budgets>); 3] = [
            (
                keys::TOP_BY_SHARPE.about.name,
                self.found(&keys::TOP_BY_SHARPE, |count| single(count, "sharpe_ratio")),
            ),
            (
                keys::TOP_BY_REWARD.about.name,
                self.found(&keys::TOP_BY_REWARD, |count| single(count, "val_reward")),
            ),
            (keys::KEEP_TOP_K.about.name, self.found(&keys::KEEP_TOP_K, |budgets| budgets)),
        ];
        for (key, found) in found {
            let Some((budgets, source)) = found else { continue };
            stated = true;
            for (metric, direction, count) in budgets {
                let known =
                    monitored.iter().find(|(other, _)| *other == metric).map(|(_, direction)| *direction);
                if let (Some(direction), Some(known)) = (direction, known)
                    && direction != known
                {
                    self.problem(&source, format!("`retention.{key}`: {metric} is {known} in `events.monitored_metrics`, {direction} here"));
                    continue;
                }
                let Some(direction) = direction.or(known).or_else(|| usual_direction(&metric)) else {
                    self.problem(&source, undirected(&format!("retention.{key}"), &metric));
                    continue;
                };
                if let Some((_, first)) = tops.get(&metric) {
                    let first = first.clone();
                    self.problem(
                        &source,
                        format!(
                            "`retention.{key}`: {metric} has its budget at {first} already: keep one of them"
                        ),
                    );
                    continue;
                }
                order.push(metric.clone());
                tops.insert(metric.clone(), (Top { metric, direction, count }, source.clone()));
            }
        }
        let tops = order.iter().filter_map(|metric| tops.remove(metric)).map(|(top, _)| top).collect();
        stated.then_some(tops)
    }

    fn path(&mut self) -> Option<PathTemplate> {
        let phase = self.phase?;
        let found = path(self.layers, phase);
        let (value, source) = match found {
            Some(path) => (path.text.clone(), path.source.clone()),
            None => ("ROOT/KIND/NAME".to_owned(), ValueSource::Default),
        };
        self.settings.push(Setting { key: format!("paths.{phase}"), value, source });
        found.map(|path| PathTemplate::new(&path.text, phase, path.source.clone()))
    }

    /// The stated value, if there is one; and a line for it in the settings.
    fn take<T>(&mut self, key: &Key<T>) -> Option<T> {
        let stated = find(self.layers, self.phase, key);
        let (value, source) = match stated {
            Some(stated) => (stated.node.to_string(), stated.source.clone()),
            None => (key.about.default.to_owned(), ValueSource::Default),
        };
        self.settings.push(Setting { key: key.about.dotted(), value, source });
        read(stated, key)
    }

    fn find<T>(&self, key: &Key<T>) -> Option<Found<'a, T>> {
        let stated = find(self.layers, self.phase, key)?;
        Some(Found { value: read(Some(stated), key)?, source: &stated.source })
    }

    fn found<T, U>(&mut self, key: &Key<T>, with: impl Fn(T) -> U) -> Option<(U, ValueSource)> {
        let found = self.find(key).map(|found| (with(found.value), found.source.clone()));
        self.take(key);
        found
    }

    fn refuse_without_trigger(&mut self, none: bool) {
        let Some(phase) = self.phase.filter(|_| none) else { return };
        let declared = self.layers.iter().flat_map(|layer| &layer.phases).find(|(name, _)| name == phase);
        let source = declared.map_or(ValueSource::Default, |(_, source)| source.clone());
        self.problem(&source, format!(
            "phase {phase:?} has no trigger: state `base_interval`, `every`, `every_seconds`, `overhead_budget` or \
             `mean_time_between_failures_seconds`; `base_interval: 0` says that no periodic save is wanted"
        ));
    }

    fn problem(&mut self, source: &ValueSource, message: String) {
        self.problems.push(ConfigProblem { source: source.clone(), message });
    }
}

/// The statement that holds: the last layer that has one; in it the phase's own before the one for every phase.
fn find<'a, T>(layers: &'a [Layer], phase: Option<&str>, key: &Key<T>) -> Option<&'a Stated> {
    let matching = |layer: &'a Layer, phase: Option<&str>| {
        layer.stated.iter().find(|stated| {
            let about = stated.key.about();
            about.section == key.about.section
                && about.name == key.about.name
                && stated.phase.as_deref() == phase
        })
    };
    layers
        .iter()
        .rev()
        .find_map(|layer| phase.and_then(|_| matching(layer, phase)).or_else(|| matching(layer, None)))
}

/// What does not read was refused when its layer was checked.
fn read<T>(stated: Option<&Stated>, key: &Key<T>) -> Option<T> {
    stated.and_then(|stated| (key.read)(&stated.node, &key.about.shape).ok())
}

/// The budgets with those of monitored metrics that have none: off if any was stated, so that a session adds nothing to what the
/// file says; else the best one, if another budget is on: one that nobody stated must not be what turns pruning on.
fn with_unstated(stated: Option<Vec<Top>>, monitored: &[(String, Direction)], others_on: bool) -> Vec<Top> {
    let count = u64::from(stated.is_none());
    let mut tops = stated.unwrap_or_default();
    if count == 1 && !others_on {
        return tops;
    }
    for (metric, direction) in monitored {
        if !tops.iter().any(|top| top.metric == *metric) {
            tops.push(Top { metric: metric.clone(), direction: *direction, count });
        }
    }
    tops
}

/// The priorities of all phases.
fn priorities(layers: &[Layer]) -> Vec<i64> {
    let phases: BTreeSet<&str> =
        layers.iter().flat_map(|layer| &layer.phases).map(|(name, _)| name.as_str()).collect();
    let of =
        |phase: &str| read(find(layers, Some(phase), &keys::PRIORITY), &keys::PRIORITY).unwrap_or_default();
    phases.into_iter().map(of).collect()
}

fn usual_direction(metric: &str) -> Option<Direction> {
    MAXIMISED.contains(&metric).then_some(Direction::Max)
}

fn undirected(key: &str, metric: &str) -> String {
    format!("`{key}`: nothing says which way {metric} gets better: write {metric}:min or {metric}:max")
}

fn with_stops(classes: Vec<EventClass>) -> BTreeSet<EventClass> {
    let mut set: BTreeSet<EventClass> = classes.into_iter().chain([EventClass::Manual]).collect();
    if set.contains(&EventClass::Interrupt) {
        set.extend(STOPS);
    }
    set
}

fn events(enabled: bool, triggers: Option<Vec<EventClass>>) -> BTreeSet<EventClass> {
    let chosen = triggers.map_or_else(|| EventClass::ALL.into(), with_stops);
    let left = [EventClass::Periodic, EventClass::PhaseEnd, EventClass::Manual];
    chosen.into_iter().filter(|class| enabled || left.contains(class) || STOPS.contains(class)).collect()
}
