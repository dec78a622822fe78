//! `ckpt prune`: what a policy does not keep, of one run or of every run beneath a directory.

mod text;

use ckpt::{Deleted, Entry, Epoch, Note, Plan, RetentionPolicy, Run, RunOptions, RunReader, State, Withheld};

use crate::args::PruneArgs;
use crate::commands::list::{self, Found};
use crate::failure::{FAILED, Failure, NOT_FOUND};
use crate::output::Output;
use crate::retention::Rules;

/// A run, what is decided about it, and what came of that.
struct Pruned {
    run: RunReader,
    entries: Vec<Entry>,
    plan: Plan,
    outcome: Outcome,
}

/// What came of a plan.
enum Outcome {
    /// It was to be printed only.
    DryRun,
    /// The same, and it could not be carried out.
    Refused(anyhow::Error),
    /// It waits to be confirmed.
    Withheld(Withheld),
    /// It was carried out.
    Applied(Deleted),
}

/// A run's checkpoints as a plan may go by them: the newest one among them is whole.
struct Listing {
    entries: Vec<Entry>,
    /// What was found to be damaged by reading it.
    damaged: Vec<(u64, String)>,
}

pub(crate) fn run(args: &PruneArgs, output: &Output) -> anyhow::Result<()> {
    let rules = Rules::of(args)?;
    let is_run = ckpt::is_run(&args.path);
    let mut found = Found::beneath(&args.path)?;
    // Whatever is to be refused is refused before anything is deleted.
    let runs = with_policies(std::mem::take(&mut found.runs), &rules, args)?;
    let mut all = Vec::new();
    for (run, policy) in runs {
        match prune(&run, &policy, args, output) {
            Ok(pruned) => all.push(pruned),
            // What is in the way of one run is not in the way of the others.
            Err(error) if is_run => return Err(error),
            Err(error) => found.broken.push(list::broken_run(run.path(), error)),
        }
    }
    answer(&all, is_run, output)?;
    found.broken.extend(all.into_iter().filter_map(|pruned| undone(pruned, is_run)));
    found.conclude(output)
}

/// The runs that are meant, each with its policy.
fn with_policies(
    runs: Vec<RunReader>,
    rules: &Rules<'_>,
    args: &PruneArgs,
) -> anyhow::Result<Vec<(RunReader, RetentionPolicy)>> {
    let mut chosen = Vec::new();
    let mut markets = Vec::new();
    for run in runs {
        let entries = run.list()?;
        if let Some(wanted) = &args.market {
            let market = market(&entries);
            if market != Some(wanted) {
                markets.extend(market.map(str::to_owned));
                continue;
            }
        }
        let policy = rules.for_run(run.path(), &entries)?;
        chosen.push((run, policy));
    }
    match &args.market {
        Some(market) if chosen.is_empty() => {
            markets.sort();
            markets.dedup();
            let there =
                if markets.is_empty() { "no run states a market".to_owned() } else { markets.join(", ") };
            let message =
                format!("no run at {} is of market {market}; markets: {there}", args.path.display());
            Err(Failure::new("not_found", NOT_FOUND, message).at(&args.path).into())
        }
        _ => Ok(chosen),
    }
}

/// The market of a run: that of the newest good checkpoint.
fn market(entries: &[Entry]) -> Option<&str> {
    let newest = entries.iter().rev().find(|entry| entry.is_committed())?;
    newest.metadata()?.market.as_deref()
}

fn prune(
    reader: &RunReader,
    policy: &RetentionPolicy,
    args: &PruneArgs,
    output: &Output,
) -> anyhow::Result<Pruned> {
    if args.dry_run {
        let listing = Listing::read(reader)?;
        listing.tell(reader, output);
        let plan = ckpt::plan(policy, &listing.entries, ckpt::now());
        if let Some(withheld) = unconfirmed(reader, &plan, args)? {
            let path = reader.path().display();
            output.note(&format!("{path}: without --dry-run it would be {withheld}, with --yes"));
        }
        let outcome = match ckpt::foresee_plan(reader, &plan, &options()) {
            Ok(()) => Outcome::DryRun,
            Err(error) => Outcome::Refused(error.into()),
        };
        return Ok(Pruned { run: reader.clone(), entries: listing.entries, plan, outcome });
    }
    let run = Run::open(reader.path(), options())?;
    let listing = Listing::read(run.reader())?;
    listing.tell(reader, output);
    let plan = ckpt::plan(policy, &listing.entries, ckpt::now());
    let outcome = carry_out(&run, &plan, args);
    for notice in run.take_notices() {
        output.warn(&notice);
    }
    let outcome = outcome?;
    if let Outcome::Applied(Deleted { kept, .. }) = &outcome {
        kept.iter().for_each(|name| output.warn(&format!("{name} was pinned meanwhile, and stays")));
    }
    Ok(Pruned { run: reader.clone(), entries: listing.entries, plan, outcome })
}

/// For a person at a shell, who tidies up.
fn options() -> RunOptions {
    RunOptions::new(ckpt::now).epoch(Epoch::Current)
}

fn carry_out(run: &Run, plan: &Plan, args: &PruneArgs) -> ckpt::Result<Outcome> {
    if plan.delete() == 0 {
        return Ok(Outcome::Applied(Deleted::default()));
    }
    let digest = plan.policy().digest();
    if let Some(withheld) = unconfirmed(run.reader(), plan, args)? {
        run.note(Note::PlanWithheld { digest, delete: plan.delete(), keep: plan.keep() });
        return Ok(Outcome::Withheld(withheld));
    }
    // What is refused leaves no policy in the log, as if one were in force.
    ckpt::check_plan(run, plan)?;
    // The policy stands in the log before what it deletes, so that both can be explained.
    let policy = serde_json::to_value(plan.policy()).unwrap_or_default();
    run.note(Note::PolicyInForce { digest, policy, entries: plan.committed() });
    let deleted = ckpt::apply_plan(run, plan)?;
    if !ckpt::is_plan_confirmed(run.reader(), digest)? {
        // What was carried out once is no surprise any more.
        run.note(Note::PlanConfirmed { digest });
    }
    Ok(Outcome::Applied(deleted))
}

/// Why the plan must wait, if it must. The log is read only when it matters.
fn unconfirmed(run: &RunReader, plan: &Plan, args: &PruneArgs) -> ckpt::Result<Option<Withheld>> {
    match plan.withheld(args.yes) {
        Some(withheld) if !ckpt::is_plan_confirmed(run, plan.policy().digest())? => Ok(Some(withheld)),
        _ => Ok(None),
    }
}

impl Listing {
    /// Lists, and reads the newest whole. One that is damaged counts for nothing, and the next is read.
    fn read(run: &RunReader) -> ckpt::Result<Self> {
        let mut entries = run.list()?;
        let mut damaged = Vec::new();
        for entry in entries.iter_mut().rev().filter(|entry| entry.is_committed()) {
            match run.open_checkpoint(&entry.file_name).and_then(|checkpoint| checkpoint.verify()) {
                Ok(()) => break,
                Err(ckpt::Error::Damaged { source, .. }) => {
                    let reason = source.to_string();
                    damaged.push((entry.sequence, reason.clone()));
                    (entry.state, entry.reason) = (State::Damaged, Some(reason));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Self { entries, damaged })
    }

    fn tell(&self, run: &RunReader, output: &Output) {
        let path = run.path().display();
        for (sequence, reason) in &self.damaged {
            output.warn(&format!(
                "{path}: checkpoint {sequence} is damaged, so it stays and counts in no rule: {reason}"
            ));
        }
    }
}

fn answer(all: &[Pruned], is_run: bool, output: &Output) -> anyhow::Result<()> {
    let paths: Vec<String> = all.iter().map(|pruned| pruned.run.path().display().to_string()).collect();
    let plans = all.iter().zip(&paths).map(|(pruned, path)| {
        let applied = matches!(pruned.outcome, Outcome::Applied(_));
        pruned.plan.to_json(path, applied)
    });
    let plans: Vec<_> = plans.collect();
    let words = || all.iter().map(text::words).collect::<Vec<_>>().join("\n");
    match plans.as_slice() {
        [one] if is_run => output.answer(one, words),
        _ => output.answer(&plans, words),
    }
}

/// What keeps a plan from being carried out.
fn undone(pruned: Pruned, is_run: bool) -> Option<Failure> {
    let withheld = match pruned.outcome {
        Outcome::Withheld(withheld) => withheld,
        Outcome::Refused(error) if is_run => return Some(Failure::of(&error)),
        Outcome::Refused(error) => return Some(list::broken_run(pruned.run.path(), error)),
        Outcome::DryRun | Outcome::Applied(_) => return None,
    };
    let path = pruned.run.path();
    let failure = Failure::new("withheld", FAILED, format!("the plan for {} is {withheld}", path.display()));
    Some(failure.at(path).hint("nothing was deleted there; --yes carries it out and confirms the policy"))
}
