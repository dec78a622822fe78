//! `ckpt simulate`: the saves that a policy would make, and what of them it would keep.

mod report;
mod shelf;

use std::num::NonZeroU64;

use ckpt::{Course, DueReason, Event, EventClass, PhaseConfig, SimulatedSave, Simulation};
use serde::Serialize;

use crate::args::SimulateArgs;
use crate::config;
use crate::failure::Failure;
use crate::human;
use crate::output::Output;

use shelf::Shelf;

/// Steps that are simulated: some ten seconds.
const STEPS_MAX: u64 = 1_000_000_000;
/// Saves that are listed.
const SAVES_MAX: usize = 1_000_000;

/// What `ckpt simulate` found out, in JSON.
#[derive(Debug, Serialize)]
struct Forecast<'a> {
    phase: &'a str,
    unit: &'a str,
    target: u64,
    batch: u64,
    runs: u32,
    schedule: Vec<String>,
    retention: Vec<String>,
    left_out: Vec<String>,
    saves: Vec<Save>,
    counts: Counts,
    kept: Vec<u64>,
    kept_more_max: u64,
    peak: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_per_save: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_peak: Option<u64>,
}

/// A save that would be made.
#[derive(Debug, Serialize)]
struct Save {
    sequence: u64,
    step: u64,
    interval: u64,
    event: Event,
    reasons: Vec<Reason>,
}

/// Why it would be made.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Reason {
    Due(DueReason),
    End { rule: &'static str, text: String },
}

/// How many there are of each kind.
#[derive(Debug, Default, Serialize)]
struct Counts {
    /// Made by the schedule.
    periodic: u64,
    /// Made to prove early that the path can be written, and for nothing else.
    early_first: u64,
    /// Made when the work is at its end.
    phase_end: u64,
}

pub(crate) fn run(args: &SimulateArgs, output: &Output) -> anyhow::Result<()> {
    let refusal = |error| config::refusal(&error, &args.config);
    let mut loaded = config::load(&args.config, &[]).map_err(refusal)?;
    loaded.phase(&args.phase).map_err(refusal)?;
    if let Some(target) = args.target {
        // As if it were stated: the interval grows towards it, too.
        let overrides = [(target_variable(&args.phase), target.to_string())];
        loaded = config::load(&args.config, &overrides).map_err(refusal)?;
    }
    let phase = loaded.phase(&args.phase).map_err(refusal)?;
    let course = course(args, phase)?;
    let forecast = forecast(args, phase, &course)?;
    output.answer(&forecast, || report::text(&forecast, phase))
}

/// The variable that states the target of a phase.
fn target_variable(phase: &str) -> String {
    let name = phase.to_ascii_uppercase().replace(['.', '-'], "_");
    format!("CKPT_CONFIG__{name}__TARGET_TIMESTEPS")
}

fn course(args: &SimulateArgs, phase: &PhaseConfig) -> anyhow::Result<Course> {
    let Some(target) = args.target.map(NonZeroU64::get).or(phase.target) else {
        let message =
            format!("phase {} has no target_timesteps: say with --target N how far to go", args.phase);
        return Err(Failure::usage(message).into());
    };
    if target / args.batch > STEPS_MAX {
        let message = format!(
            "{target} {} in batches of {} are more than {STEPS_MAX} steps: give a larger --batch",
            phase.unit, args.batch
        );
        return Err(Failure::usage(message).into());
    }
    Ok(Course { batch: args.batch, ..Course::to(target) })
}

fn forecast<'a>(
    args: &'a SimulateArgs,
    phase: &'a PhaseConfig,
    course: &Course,
) -> anyhow::Result<Forecast<'a>> {
    let schedule = phase.schedule.without_time();
    let mut simulation = Simulation::new(&schedule, course);
    let mut saves: Vec<Save> = Vec::new();
    let mut counts = Counts::default();
    let mut periodic_step = 0;
    for save in simulation.by_ref() {
        if saves.len() == SAVES_MAX {
            let message = format!(
                "that makes more than {SAVES_MAX} saves by step {}: give a lower --target",
                save.step
            );
            return Err(Failure::usage(message).into());
        }
        if is_early_only(&save) {
            counts.early_first += 1;
        } else {
            counts.periodic += 1;
            periodic_step = save.step;
        }
        let reasons = save.reasons.into_iter().map(Reason::Due).collect();
        let (step, interval) = (save.step, save.interval);
        saves.push(Save { sequence: number(saves.len()), step, interval, event: Event::Periodic, reasons });
    }
    if phase.events.contains(&EventClass::PhaseEnd) {
        counts.phase_end = 1;
        let (sequence, step) = (number(saves.len()), simulation.step());
        let (at, target) = (human::count(step), human::count(course.target));
        let text = format!("the work came to its end: {at} of {target} {}", phase.unit);
        let reasons = vec![Reason::End { rule: "phase_end", text }];
        saves.push(Save { sequence, step, interval: step - periodic_step, event: Event::PhaseEnd, reasons });
    }
    let shelf = Shelf::filled(&phase.retention, &saves, args.bytes_per_save.unwrap_or(0));
    let (kept, peak) = (shelf.kept(), shelf.peak());
    let bytes = |count: u64| {
        let one = args.bytes_per_save?;
        Some(one.saturating_mul(count).saturating_mul(u64::from(args.runs.get())))
    };
    Ok(Forecast {
        phase: &args.phase,
        unit: &phase.unit,
        target: course.target,
        batch: course.batch.get(),
        runs: args.runs.get(),
        schedule: phase.schedule.describe(),
        retention: phase.retention.describe(),
        left_out: left_out(args, phase),
        bytes_per_save: args.bytes_per_save,
        bytes_before: bytes(saves.len() as u64),
        bytes_after: bytes(kept.len() as u64),
        bytes_peak: bytes(peak),
        kept_more_max: budgets(phase),
        saves,
        counts,
        kept,
        peak,
    })
}

/// What the configuration says that a simulation cannot show.
fn left_out(args: &SimulateArgs, phase: &PhaseConfig) -> Vec<String> {
    let mut left_out = Vec::new();
    if phase.schedule.without_time() != phase.schedule {
        left_out.push("triggers and pauses that go by time: a simulated step takes none".to_owned());
    }
    if !phase.monitors.is_empty() {
        let metrics: Vec<&str> = phase.monitors.iter().map(ckpt::Monitor::metric).collect();
        left_out.push(format!(
            "saves for a new best by {}: they depend on values that nobody has yet",
            metrics.join(", ")
        ));
    }
    let others = [EventClass::PhaseBoundary, EventClass::Interrupt, EventClass::Failure];
    let others: Vec<&str> =
        others.iter().filter(|class| phase.events.contains(class)).map(|c| c.as_str()).collect();
    if !others.is_empty() {
        left_out.push(format!("saves for events of the work itself: {}", others.join(", ")));
    }
    if phase.retention.max_age.is_some_and(|age| !age.is_zero()) {
        left_out.push("the limit on age: a simulated step takes no time".to_owned());
    }
    if phase.retention.max_bytes > 0 && args.bytes_per_save.is_none() {
        left_out.push("the limit on bytes: give --bytes-per-save".to_owned());
    }
    left_out
}

/// How many more than the schedule's the budgets for the best may keep.
fn budgets(phase: &PhaseConfig) -> u64 {
    if phase.retention.is_empty() {
        return 0;
    }
    phase.retention.top.iter().fold(0, |sum, top| sum.saturating_add(top.count))
}

fn is_early_only(save: &SimulatedSave) -> bool {
    save.reasons.iter().all(|reason| matches!(reason, DueReason::EarlyFirst { .. }))
}

/// The number that the save after so many gets.
fn number(before: usize) -> u64 {
    (before as u64).saturating_add(1)
}
