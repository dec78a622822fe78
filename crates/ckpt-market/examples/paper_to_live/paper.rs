//! Trading on paper until the gate says Ready.

use std::io::Write;
use std::path::Path;

use ckpt::gate::{Assessment, Verdict};
use ckpt::{Session, Step};
use ckpt_market::component::kill_switch::KillSwitch;
use ckpt_market::{Preset, readiness};

use super::Result;
use super::desk::Desk;
use super::maker::Maker;
use super::market::{Market, Venue};
use super::saved::Saved;
use super::schedule;

/// Name of the run.
pub(crate) const RUN: &str = "paper";
/// Steps after which something is wrong if it is not ready.
const STEPS_MAX: u64 = 4_000;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Papered {
    /// The verdicts of its saves, each where it changed.
    pub(crate) verdicts: Vec<Verdict>,
    /// What stops it now.
    pub(crate) kill_switch: KillSwitch,
    /// The step of the market at which it ended.
    pub(crate) ended: u64,
}

/// Trades from a step of the market on. It stops itself in the end: a paper trader that is done must not go on quoting.
///
/// # Errors
/// What saving returns; if it does not get ready; if the run at `root` was completed before.
pub(crate) fn trade(
    root: &Path,
    market: &Market,
    from: u64,
    preset: &Preset,
    log: &mut dyn Write,
) -> Result<Papered> {
    let mut session = Session::open(root, schedule::KIND, RUN, schedule::options(preset))?;
    let mut maker = Maker::cold(Venue::Paper, Desk::open(market, from, 0.0), preset);
    let cold = Saved::of(&maker, market, preset);
    let (_, resumed) = session.resume_or_else(|| cold)?;
    if resumed.is_resumed() {
        return Err(
            format!("{} has a paper run: give another directory, or remove it", root.display()).into()
        );
    }
    let mut verdicts = Vec::new();
    while verdicts.last() != Some(&Verdict::Ready) {
        if maker.desk.steps() >= STEPS_MAX {
            return Err(format!("the gate did not say ready in {STEPS_MAX} steps").into());
        }
        maker.step(market, preset);
        let steps = maker.desk.steps();
        let saved = session.step(steps, &[], || Saved::of(&maker, market, preset))?;
        if matches!(saved, Step::Saved { .. }) {
            let judged = judged(&maker, market, preset);
            writeln!(log, "paper: step {steps}, {}", judged)?;
            if verdicts.last() != Some(&judged.verdict()) {
                verdicts.push(judged.verdict());
            }
        }
    }
    let now = market.time(maker.desk.step);
    maker.stop(now, "the paper session is over");
    let last = Saved::of(&maker, market, preset);
    let finished = session.finish(&last)?;
    writeln!(log, "paper: {}: {}", finished.status, finished.summary)?;
    let kill_switch = last.bundle.bundle().kill_switch.clone();
    Ok(Papered { verdicts, kill_switch, ended: maker.desk.step })
}

fn judged(maker: &Maker, market: &Market, preset: &Preset) -> Assessment {
    let now = market.time(maker.desk.step);
    readiness::judge(&maker.bundle(now), now, &preset.gate)
}
