//! `ckpt import`: checkpoints of a file or directory into runs.

mod answer;
mod exported;

use std::path::PathBuf;

use anyhow::Context as _;
use ckpt::legacy::{Layout, Left, Plan, Taken, Verdict};
use ckpt::{Epoch, RunOptions, RunReader};

use crate::args::{By, ImportArgs};
use crate::commands::save;
use crate::failure::{Failure, USAGE};
use crate::output::Output;
use answer::{Answer, Outcome};

/// The runs and what goes into each, and what goes into none.
struct Divided {
    parts: Vec<(PathBuf, Plan)>,
    left: Vec<Left>,
}

/// What goes into one run.
struct Part {
    path: PathBuf,
    plan: Plan,
    /// What becomes of each, in the plan's order.
    verdicts: Vec<Verdict>,
    /// Whether the run is there.
    is_run: bool,
}

pub(crate) fn run(args: &ImportArgs, output: &Output) -> anyhow::Result<()> {
    let plan = Plan::read(&args.path, args.layout.0).map_err(misused)?;
    let (layout, source) = (plan.layout, plan.path.clone());
    let Divided { parts, left } = divide(args, plan)?;
    // Whatever is to be refused is refused before anything is written.
    let parts: Vec<Part> =
        parts.into_iter().map(|(path, plan)| judged(path, plan, args)).collect::<Result<_, _>>()?;
    let mut outcomes = Vec::new();
    for part in &parts {
        let there = part.verdicts.iter().map(|verdict| Outcome::of(*verdict));
        let outcome = if args.dry_run { there.collect() } else { take(part, args, output)? };
        outcomes.push(outcome);
    }
    for part in &parts {
        for found in &part.plan.found {
            for note in &found.notes {
                output.warn(&format!("{}: {note}", found.path.display()));
            }
        }
    }
    if layout == Layout::Ckpt && !args.dry_run {
        return exported::tell(&parts, &outcomes, output);
    }
    let (path, dry_run) = (source.as_path(), args.dry_run);
    Answer { path, layout, dry_run, parts: &parts, outcomes: &outcomes, left: &left }.tell(output)
}

/// What the flags make of the plan.
fn divide(args: &ImportArgs, plan: Plan) -> anyhow::Result<Divided> {
    let mut plan = plan;
    save::unique("--metric", args.metrics.iter().map(|(name, _)| name))?;
    save::unique("--label", args.labels.iter().map(|(key, _)| key))?;
    for (name, value) in &args.metrics {
        plan.set_metric(name, *value).map_err(misused)?;
    }
    for (key, value) in &args.labels {
        plan.set_label(key, value);
    }
    if args.by == Some(By::Market) {
        if ckpt::is_run(&args.run) {
            let run = args.run.display();
            let message =
                format!("{run} is a run: with --by market, RUN is the directory that holds one for each");
            return Err(Failure::usage(message).at(&args.run).into());
        }
        let mut parts = plan.by_market().map_err(misused)?;
        let left = parts.last_mut().map(|(_, plan)| std::mem::take(&mut plan.left)).unwrap_or_default();
        let parts = parts.into_iter().map(|(market, plan)| (args.run.join(market.as_str()), plan));
        return Ok(Divided { parts: parts.collect(), left });
    }
    let markets: Vec<&str> = plan.markets().into_iter().collect();
    if markets.len() > 1 {
        let (path, markets) = (plan.path.display(), markets.join(", "));
        let message = format!(
            "{path} holds checkpoints of several markets ({markets}): make a run for each with --by market, or import the \
             files by themselves"
        );
        return Err(Failure::usage(message).at(&args.path).into());
    }
    let left = std::mem::take(&mut plan.left);
    Ok(Divided { parts: vec![(args.run.clone(), plan)], left })
}

fn judged(path: PathBuf, plan: Plan, args: &ImportArgs) -> anyhow::Result<Part> {
    let is_run = ckpt::is_run(&path);
    let reader = if is_run { Some(RunReader::open(&path)?) } else { None };
    if !is_run {
        // A dry run says it, too, if none can be made there.
        save::identity(&path, None)?;
    }
    let verdicts = plan.verdicts(reader.as_ref(), args.as_latest).map_err(meant)?;
    Ok(Part { path, plan, verdicts, is_run })
}

/// Imports what is not there yet.
fn take(part: &Part, args: &ImportArgs, output: &Output) -> anyhow::Result<Vec<Outcome>> {
    if !part.verdicts.contains(&Verdict::Import) {
        return Ok(part.verdicts.iter().map(|verdict| Outcome::of(*verdict)).collect());
    }
    let options = RunOptions::new(ckpt::now).epoch(Epoch::Current);
    let (run, _) = save::open_or_create(&part.path, None, options)?;
    let mut outcomes = Vec::new();
    let mut saved = 0;
    let taken = run.import_plan(&part.plan, args.as_latest, |_, taken| {
        saved += u64::from(matches!(taken, Taken::Saved(_)));
        outcomes.push(Outcome::from(taken));
    });
    for notice in run.take_notices() {
        output.warn(&notice);
    }
    match (taken, part.plan.found.get(outcomes.len())) {
        (Ok(()), _) => Ok(outcomes),
        (Err(error), Some(found)) if saved > 0 => Err(meant(error)).with_context(|| {
            let (path, all) = (found.path.display(), part.plan.found.len());
            let done = outcomes.len();
            format!("{path} was not imported, {done} of {all} are: the same command goes on from there")
        }),
        (Err(error), _) => Err(meant(error)),
    }
}

/// What cannot be read as it was asked for is a matter of usage: a flag or another path is the way out.
fn misused(error: ckpt::Error) -> anyhow::Error {
    match error {
        ckpt::Error::Invalid { reason } => Failure::new("usage", USAGE, reason).into(),
        other => other.into(),
    }
}

/// The flag that says that it is meant.
fn meant(error: ckpt::Error) -> anyhow::Error {
    match error {
        ckpt::Error::Exists { path, reason } => {
            ckpt::Error::Exists { path, reason: format!("{reason} with --as-latest") }.into()
        }
        other => other.into(),
    }
}
