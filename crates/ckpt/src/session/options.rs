//! How a session saves, keeps, resumes and stops.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use ckpt_format::{BundleMode, EventClass, Program};
use ckpt_policy::{Monitor, Reserve, RetentionPolicy, Schedule, Top, Trigger};
use ckpt_store::{RunOptions, WhenBusy};

use crate::stop::{Grace, Stop};

/// How a session saves, keeps, resumes and stops. Start from the default and set what differs.
///
/// ```
/// use std::time::Duration;
/// use ckpt::{Direction, Monitor, SessionOptions, Stop, Trigger};
///
/// let options = SessionOptions::default()
///     .save_when(Trigger::Any(vec![Trigger::EveryUnits(10_000), Trigger::EveryDuration(Duration::from_secs(600))]))
///     .monitor(Monitor::new("val_reward", Direction::Max))
///     .keep_last(8)
///     .unit("episodes")
///     .total(1_000)
///     .stop(Stop::new());
/// # drop(options);
/// ```
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// When periodic saves are made. Default: the first step, then every 5 minutes.
    pub schedule: Schedule,
    /// The metrics that are watched for improvements. Default: none.
    pub monitors: Vec<Monitor>,
    /// Which events are saved. Default: all.
    pub events: BTreeSet<EventClass>,
    /// What is kept. Default: the last 5 periodic ones, and the best by each watched metric unless a budget for it is stated.
    pub retention: RetentionPolicy,
    /// Room that periodic saves leave free. Default: the lesser of 5 GiB and 5 % of the file system.
    pub reserve: Reserve,
    /// How many phases of the same configuration are more important: each makes the reserve half as much larger. Default: 0.
    pub phases_above: u32,
    /// What a step is. Default: not said, which means steps.
    pub unit: Option<String>,
    /// How many steps there will be. Default: not known.
    pub total: Option<u64>,
    /// Market, for the metadata and the file names.
    pub market: Option<String>,
    /// Phase, for the metadata.
    pub phase: Option<String>,
    /// Seed, for the metadata and the file names.
    pub seed: Option<i64>,
    /// Labels of every checkpoint.
    pub labels: BTreeMap<String, String>,
    /// The program that saves.
    pub program: Option<Program>,
    /// Metrics that also stand as fields of their own in the metadata's `extra`. One that is missing at a save is reported once.
    pub extra_fields: Vec<String>,
    /// Whether components that cannot be had take their default. Default: strict.
    pub mode: BundleMode,
    /// Whether saves happen in the background, and what happens when one is due while another is in flight. Default: in the
    /// foreground.
    pub background: Option<WhenBusy>,
    /// Who may ask this session to stop. Default: nobody; see [`Stop::on_signals`].
    pub stop: Stop,
    /// How long there is from a request to stop to the end of the process. Default: 25 s.
    pub grace: Grace,
    /// Which of several processes this is: only 0 writes. Default: 0.
    pub rank: u32,
    /// Takes a copy of the state at a step boundary every so many units, for the guard that saves it when the thread panics.
    /// Each costs as much as a snapshot. 0, the default: never.
    pub hold_snapshot_every: u64,
    /// Whether a first plan that deletes more than half is applied without asking. It counts as confirmed from then on, also for
    /// sessions without this. Default: no.
    pub confirm_first_plan: bool,
    /// Whether a run that was completed is gone on with. Default: no, but for a total that is greater than its step.
    pub go_on_after_completion: bool,
    /// The run's directory, in place of `root/kind/name`.
    pub path: Option<PathBuf>,
    /// How the run is opened: clock, epoch, compression.
    pub run: RunOptions,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            schedule: Schedule {
                early_first: 1,
                ..Schedule::new(Trigger::EveryDuration(Duration::from_secs(300)))
            },
            monitors: Vec::new(),
            events: EventClass::ALL.into_iter().collect(),
            retention: RetentionPolicy { keep_last: 5, ..RetentionPolicy::default() },
            reserve: Reserve::Default,
            phases_above: 0,
            unit: None,
            total: None,
            market: None,
            phase: None,
            seed: None,
            labels: BTreeMap::new(),
            program: None,
            extra_fields: Vec::new(),
            mode: BundleMode::Strict,
            background: None,
            stop: Stop::new(),
            grace: Grace::default(),
            rank: 0,
            hold_snapshot_every: 0,
            confirm_first_plan: false,
            go_on_after_completion: false,
            path: None,
            run: RunOptions::new(crate::now),
        }
    }
}

impl SessionOptions {
    /// Periodic saves by this trigger, with what the schedule has beside it.
    #[must_use]
    pub fn save_when(mut self, trigger: Trigger) -> Self {
        self.schedule.trigger = trigger;
        self
    }

    /// Periodic saves every so many units, and nothing beside it.
    #[must_use]
    pub fn save_every(mut self, units: u64) -> Self {
        self.schedule = Schedule::new(Trigger::EveryUnits(units));
        self
    }

    /// Watches this metric, too.
    #[must_use]
    pub fn monitor(mut self, monitor: Monitor) -> Self {
        self.monitors.push(monitor);
        self
    }

    /// Keeps the last so many periodic ones. 0: all.
    #[must_use]
    pub fn keep_last(mut self, count: u64) -> Self {
        self.retention.keep_last = count;
        self
    }

    /// Keeps the best so many by a metric.
    #[must_use]
    pub fn keep_top(mut self, top: Top) -> Self {
        self.retention.top.push(top);
        self
    }

    /// Counts in this unit.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// There will be so many.
    #[must_use]
    pub fn total(mut self, total: u64) -> Self {
        self.total = Some(total);
        self
    }

    /// Stops when this handle says so.
    #[must_use]
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Saves in the background.
    #[must_use]
    pub fn background(mut self, when_busy: WhenBusy) -> Self {
        self.background = Some(when_busy);
        self
    }

    /// Lets components that cannot be had take their default.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.mode = BundleMode::Lenient;
        self
    }

    /// The retention policy that is in force: the best by each watched metric has a budget of one unless another is stated.
    pub(crate) fn effective_retention(&self) -> RetentionPolicy {
        let mut policy = self.retention.clone();
        // Without any budget everything is kept, the best too; a budget would turn that around.
        let has_budget =
            policy.keep_last > 0 || policy.every > 0 || policy.top.iter().any(|top| top.count > 0);
        for monitor in self.monitors.iter().filter(|_| has_budget) {
            if !policy.top.iter().any(|top| top.metric == monitor.metric()) {
                policy.top.push(Top {
                    metric: monitor.metric().to_owned(),
                    direction: monitor.direction(),
                    count: 1,
                });
            }
        }
        policy
    }
}
