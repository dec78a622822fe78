//! Trading live: begun from the paper run's prior, or gone on from its own checkpoint.

use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

use ckpt::gate::Assessment;
use ckpt::transfer::{InjectionReport, Lineage};
use ckpt::{Resumed, Session, Step};
use ckpt_market::component::kill_switch::KillSwitch;
use ckpt_market::restore::restore;
use ckpt_market::{MarketBundle, Preset, readiness};

use super::Result;
use super::desk::Desk;
use super::maker::Maker;
use super::market::{Market, Venue};
use super::saved::Saved;
use super::{paper, prior, schedule};

/// What the account lost on the day before this program began, in index points. The live system's own: no prior changes it.
const EARLIER_TODAY: f64 = -12.5;

/// How a live run goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan<'a> {
    /// Name of the run.
    pub(crate) run: &'a str,
    /// Step of the market at which it begins.
    pub(crate) from: u64,
    /// How many steps it has.
    pub(crate) steps: u64,
    /// How long a step waits for the market.
    pub(crate) pace: Duration,
}

/// How a live run began, if this process began it.
#[derive(Debug)]
pub(crate) struct Begun {
    /// What was injected.
    pub(crate) report: InjectionReport,
    /// Its kill switch, with the figures of the day, before.
    pub(crate) before: KillSwitch,
    /// And after.
    pub(crate) after: KillSwitch,
}

/// Trades to the end of the plan, whoever began it.
///
/// # Errors
/// What saving and loading return; a prior that is rejected.
pub(crate) fn trade(
    root: &Path,
    market: &Market,
    plan: Plan<'_>,
    preset: &Preset,
    log: &mut dyn Write,
) -> Result<Option<Begun>> {
    let mut session =
        Session::open(root, schedule::KIND, plan.run, schedule::options(preset).total(plan.steps))?;
    let mut maker = Maker::cold(Venue::Live, Desk::open(market, plan.from, EARLIER_TODAY), preset);
    maker.account(market);
    let cold = Saved::of(&maker, market, preset);
    let (saved, resumed) = session.resume_or_else(|| cold)?;
    writeln!(log, "{resumed}")?;
    let begun = if resumed.is_resumed() {
        if let Some(lineage) = go_on(&mut maker, saved, &resumed, market, preset, log)? {
            session.set_extra(Lineage::FIELD, lineage.to_extra()?);
        }
        None
    } else {
        let begun = begin(root, &mut maker, market, preset, log)?;
        session.note_injection(&begun.report)?;
        Some(begun)
    };
    while !session.should_stop() {
        thread::sleep(plan.pace);
        maker.step(market, preset);
        let step = session.step(maker.desk.steps(), &[], || Saved::of(&maker, market, preset))?;
        if step != Step::NotDue {
            writeln!(log, "{step}")?;
        }
    }
    let finished = session.finish(&Saved::of(&maker, market, preset))?;
    let pnl = maker.desk.day_pnl(market);
    writeln!(
        log,
        "{}: {} fills, {pnl:+.2} points today: {}",
        finished.status, maker.desk.fills, finished.summary
    )?;
    Ok(begun)
}

/// From the paper run's prior.
fn begin(
    root: &Path,
    maker: &mut Maker,
    market: &Market,
    preset: &Preset,
    log: &mut dyn Write,
) -> Result<Begun> {
    let now = market.time(maker.desk.step);
    let offered = prior::offered(root, paper::RUN, now)?;
    let before = maker.bundle(now).kill_switch;
    let report = prior::take(maker, &offered, market, preset, log)?;
    let after = maker.bundle(now).kill_switch;
    writeln!(
        log,
        "its own: {} points today, {} before the injection; {}",
        after.daily_pnl,
        before.daily_pnl,
        if after.is_triggered() { "stopped" } else { "not stopped" }
    )?;
    Ok(Begun { report, before, after })
}

/// From its own checkpoint, brought into its bounds and judged again.
fn go_on(
    maker: &mut Maker,
    saved: Saved,
    resumed: &Resumed,
    market: &Market,
    preset: &Preset,
    log: &mut dyn Write,
) -> Result<Option<Lineage>> {
    let now = market.time(saved.desk.step);
    let stamped = saved.bundle.readiness().verdict;
    let restored = restore(saved.bundle.into_bundle(), now, &preset.restore);
    let told = if restored.report.is_empty() {
        "nothing to change\n".to_owned()
    } else {
        restored.report.to_string()
    };
    for line in told.lines() {
        writeln!(log, "restored: {line}")?;
    }
    let assessment = readiness::judge(&restored.bundle, now, &preset.gate);
    writeln!(log, "stamped {stamped:?}, judged again: {assessment}")?;
    maker.desk = saved.desk;
    maker.go_on_from(&trusted(restored.bundle, &assessment), assessment);
    writeln!(log, "warm-up: {}", maker.warmup(preset))?;
    let metadata = resumed.from.as_deref().and_then(ckpt::Entry::metadata);
    let lineage = metadata.map(Lineage::of).transpose()?.flatten();
    if let Some(lineage) = &lineage {
        writeln!(log, "lineage: {} at depth {}", lineage.mode, lineage.chain_depth)?;
    }
    Ok(lineage)
}

/// The bundle, if the gate lets it pass; else what no gate decides about: what it is of, what stops it and the figures of its day.
fn trusted(bundle: MarketBundle, assessment: &Assessment) -> MarketBundle {
    if assessment.passes() {
        return bundle;
    }
    let MarketBundle { metadata, kill_switch, .. } = bundle;
    MarketBundle { metadata, kill_switch, ..MarketBundle::default() }
}

#[cfg(test)]
mod tests {
    use ckpt_market::component::kill_switch::{ReasonCode, Trigger};
    use ckpt_market::preset;

    use super::*;

    #[test]
    fn what_does_not_pass_is_forgotten_but_for_what_stops_it() {
        let mut bundle = MarketBundle::default();
        bundle.vol_filter.sigma_mean = 1e-4;
        bundle.kill_switch.daily_pnl = -3.0;
        bundle.kill_switch.triggers = vec![Trigger { code: ReasonCode::MaxLoss, ..Trigger::default() }];
        let assessment = preset().gate.assess(&readiness::evidence(&bundle));
        assert!(!assessment.passes());
        let kept = trusted(bundle.clone(), &assessment);
        assert_eq!(kept.kill_switch, bundle.kill_switch);
        assert_eq!(kept.vol_filter, MarketBundle::default().vol_filter);
    }
}
