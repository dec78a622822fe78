//! The paper run's state as a prior, and a live market maker that takes it.

use std::io::Write;
use std::path::Path;

use ckpt::transfer::{InjectionReport, Prior, PriorExtract as _, PriorInject as _};
use ckpt::{BundleMode, Parent, Restore as _, Run, Selector, Timestamp};
use ckpt_market::transfer::{MarketPrior, Recipient};
use ckpt_market::{Preset, readiness};

use super::Result;
use super::maker::Maker;
use super::market::Market;
use super::saved::Saved;
use super::schedule;

/// The newest state of a run.
///
/// # Errors
/// What opening and loading return.
pub(crate) fn newest(root: &Path, run: &str) -> Result<(Saved, Parent)> {
    let run = Run::open_read_only(root.join(schedule::KIND).join(run))?;
    let loaded = run.load_with(&Selector::Latest, |checkpoint| {
        let metadata = checkpoint.metadata();
        let parent =
            Parent { run_id: metadata.run_id.clone(), epoch: metadata.epoch, sequence: metadata.sequence };
        Ok((Saved::restore(checkpoint, BundleMode::Strict)?.0, parent))
    })?;
    Ok(loaded.value)
}

/// What a run offers to others.
///
/// # Errors
/// As [`newest`].
pub(crate) fn offered(root: &Path, run: &str, now: Timestamp) -> Result<Prior<MarketPrior>> {
    let (saved, parent) = newest(root, run)?;
    let mut prior = saved.bundle.bundle().extract_prior(now);
    prior.provenance.checkpoint = Some(parent);
    Ok(prior)
}

/// Looks at what an injection would do, then does it; the maker goes on from what came of it.
///
/// # Errors
/// The rejection, if there is one: nothing was changed then.
pub(crate) fn take(
    maker: &mut Maker,
    prior: &Prior<MarketPrior>,
    market: &Market,
    preset: &Preset,
    log: &mut dyn Write,
) -> Result<InjectionReport> {
    let now = market.time(maker.desk.step);
    let mut recipient = Recipient::new(maker.bundle(now), preset);
    let planned = recipient.dry_run(prior, &preset.injection, now)?;
    writeln!(log, "dry run: {} changes from a prior {:.0} s old", planned.changes(), planned.age_seconds)?;
    let report = recipient.inject_prior(prior, &preset.injection, now)?;
    if report != planned {
        return Err("the injection did something else than its dry run said".into());
    }
    for line in report.to_string().lines() {
        writeln!(log, "injected: {line}")?;
    }
    let bundle = recipient.into_bundle();
    let assessment = match &report.assessment {
        Some(assessment) => assessment.clone(),
        None => readiness::judge(&bundle, now, &preset.gate),
    };
    writeln!(log, "admitted: {assessment}")?;
    maker.go_on_from(&bundle, assessment);
    writeln!(log, "warm-up: {}", maker.warmup(preset))?;
    Ok(report)
}
