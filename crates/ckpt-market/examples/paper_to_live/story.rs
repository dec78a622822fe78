//! The whole path: paper, the gate, the injection, a crash, and what the three starts are worth.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ckpt::Timestamp;
use ckpt::gate::Verdict;
use ckpt::transfer::{PriorInject as _, Rejection};
use ckpt_market::component::kill_switch::KillSwitch;
use ckpt_market::transfer::Recipient;
use ckpt_market::{Preset, preset};

use super::Result;
use super::desk::Desk;
use super::live::{self, Begun, Plan};
use super::maker::Maker;
use super::market::{DAY_STEPS, Market, Venue};
use super::paper::Papered;
use super::saved::Saved;
use super::starts::{self, Scene, Trace};
use super::svg::{self, Chart};
use super::{paper, prior, struck};

const SEED: u64 = 20_181_231;
const MILLIS_AN_HOUR: i64 = 3_600_000;
/// The run that is killed, and the one that is not.
const LIVE: &str = "live";
const UNDISTURBED: &str = "undisturbed";
/// Steps between the end of the paper session and the live start: ten minutes.
const PAUSE_STEPS: u64 = 120;
/// How long a step of the child waits, so that there is time to kill it.
const CHILD_PACE: Duration = Duration::from_millis(2);
/// Saves of the child before it is killed.
const SAVES_BEFORE: u64 = 3;

/// How long everything goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Days of the long run, before the paper session.
    pub(crate) days: usize,
    /// Steps of the live session.
    pub(crate) live_steps: u64,
    /// Steps of each start that are compared.
    pub(crate) start_steps: u64,
}

impl Size {
    /// What the example shows.
    pub(crate) const FULL: Self = Self { days: 8, live_steps: 1_440, start_steps: 500 };
    /// Enough to see that it works.
    pub(crate) const SMALL: Self = Self { days: 2, live_steps: 600, start_steps: 500 };

    /// By its word, `full` or `small`.
    ///
    /// # Errors
    /// If it is another word.
    pub(crate) fn named(word: &str) -> Result<Self> {
        match word {
            "full" => Ok(Self::FULL),
            "small" => Ok(Self::SMALL),
            other => Err(format!("the size {other:?} is none: use full or small").into()),
        }
    }

    fn market(self) -> Result<Market> {
        Market::new(SEED, self.days + 1)
    }
}

/// What came of it all.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The paper session's verdicts, each where it changed.
    pub(crate) verdicts: Vec<Verdict>,
    /// What stopped the paper session.
    pub(crate) paper_switch: KillSwitch,
    /// How the live session began that was not disturbed.
    pub(crate) begun: Begun,
    /// Sections in which the killed and the undisturbed run differ in the end.
    pub(crate) differing: Vec<String>,
    /// Why the prior would not have been admitted twenty hours later.
    pub(crate) next_day: Rejection,
    /// The starts.
    pub(crate) traces: Vec<Trace>,
}

impl Outcome {
    /// What of it is not as it should be, as sentences; nothing, if all is well.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut expect = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        let rising = [Verdict::Insufficient, Verdict::Marginal, Verdict::Ready];
        expect(self.verdicts == rising, format!("the gate said {:?}", self.verdicts));
        let Begun { before, after, report } = &self.begun;
        let own = before == after && !after.is_triggered() && self.paper_switch.is_triggered();
        expect(own, format!("the live kill switch was {before:?} and became {after:?}"));
        let depth = report.lineage.as_ref().map(|lineage| lineage.chain_depth);
        expect(depth == Some(1), format!("the lineage is {:?}", report.lineage));
        expect(
            matches!(self.next_day, Rejection::Age { .. }),
            format!("the next day's rejection is: {}", self.next_day),
        );
        expect(
            self.differing.is_empty(),
            format!("after the kill these sections differ: {:?}", self.differing),
        );
        let error = |name| {
            self.traces.iter().find(|trace| trace.name == name).map(|trace| starts::mean(&trace.error))
        };
        let (cold, injected) = (error("cold"), error("injected"));
        expect(injected < cold, format!("the error is {injected:?} injected and {cold:?} cold"));
        faults
    }
}

/// Tells the whole story in `root`, where no run may be yet. `child` makes a command that calls [`child`] there.
///
/// # Errors
/// What any part of it returns.
pub(crate) fn tell(
    root: &Path,
    plot: &Path,
    size: Size,
    child: impl Fn() -> Command,
    log: &mut dyn Write,
) -> Result<Outcome> {
    let (preset, market) = (preset(), size.market()?);
    writeln!(log, "seed {SEED}")?;
    let from = DAY_STEPS * size.days as u64;
    let papered = paper::trade(root, &market, from, &preset, log)?;

    let next_day = next_day(root, &market, papered.ended, &preset, log)?;
    struck::strike(child, SAVES_BEFORE, log)?;
    let plan = Plan {
        run: UNDISTURBED,
        from: papered.ended + PAUSE_STEPS,
        steps: size.live_steps,
        pace: Duration::ZERO,
    };
    let begun = live::trade(root, &market, plan, &preset, &mut std::io::sink())?;
    let begun = begun.ok_or("the undisturbed run was there before")?;
    let (killed, _) = prior::newest(root, LIVE)?;
    let (undisturbed, _) = prior::newest(root, UNDISTURBED)?;
    let differing = differing(&killed, &undisturbed, &preset, log)?;

    let long_run = starts::long_run(&market, from, &preset);
    let at = killed.desk.step;
    let offered = prior::offered(root, paper::RUN, market.time(at))?;
    let own = killed.bundle.into_bundle();
    let scene = Scene { market: &market, from: at, steps: size.start_steps, long_run, preset: &preset };
    let traces = scene.compare(own, &offered, log)?;
    starts::table(&traces, &long_run, log)?;
    fs::write(plot, plotted(&traces))?;
    writeln!(log, "plot: {}", plot.display())?;
    let Papered { verdicts, kill_switch: paper_switch, .. } = papered;
    Ok(Outcome { verdicts, paper_switch, begun, differing, next_day, traces })
}

/// The live session of the story, to be called in a process of its own that may be killed.
///
/// # Errors
/// What it returns.
pub(crate) fn child(root: &Path, size: Size, log: &mut dyn Write) -> Result<()> {
    let (preset, market) = (preset(), size.market()?);
    let (papered, _) = prior::newest(root, paper::RUN)?;
    let from = papered.desk.step + PAUSE_STEPS;
    let plan = Plan { run: LIVE, from, steps: size.live_steps, pace: CHILD_PACE };
    live::trade(root, &market, plan, &preset, log)?;
    Ok(())
}

/// The sections in which the end of the killed run is not that of the undisturbed one.
fn differing(
    killed: &Saved,
    undisturbed: &Saved,
    preset: &Preset,
    log: &mut dyn Write,
) -> Result<Vec<String>> {
    let (killed, undisturbed) = (killed.without_session(preset)?, undisturbed.without_session(preset)?);
    let pairs = killed.iter().zip(&undisturbed);
    let differing: Vec<String> =
        pairs.filter(|(one, other)| one != other).map(|(one, _)| one.0.clone()).collect();
    let equal = killed.len() - differing.len();
    writeln!(
        log,
        "killed and undisturbed: {equal} of {} sections are equal bit for bit, but for how long a session ran",
        killed.len()
    )?;
    Ok(differing)
}

fn plotted(traces: &[Trace]) -> String {
    let lines =
        |of: fn(&Trace) -> &Vec<f64>| traces.iter().map(|trace| (trace.name, of(trace).clone())).collect();
    let title = |what: &str| format!("{what}, by steps since the start");
    svg::document(&[
        Chart { title: title("Spread in basis points"), lines: lines(|trace| &trace.spread_bps) },
        Chart {
            title: title("Error of the parameters (1 is twice or half of the long run's)"),
            lines: lines(|trace| &trace.error),
        },
    ])
}

/// What a live start on the next day would hear.
fn next_day(
    root: &Path,
    market: &Market,
    ended: u64,
    preset: &Preset,
    log: &mut dyn Write,
) -> Result<Rejection> {
    let now = Timestamp::from_millis(market.time(ended).millis() + 20 * MILLIS_AN_HOUR);
    let offered = prior::offered(root, paper::RUN, now)?;
    let maker = Maker::cold(Venue::Live, Desk::open(market, ended, 0.0), preset);
    let recipient = Recipient::new(maker.bundle(now), preset);
    match recipient.dry_run(&offered, &preset.injection, now) {
        Ok(_) => Err("a prior of yesterday would be admitted".into()),
        Err(rejection) => {
            writeln!(log, "twenty hours later it would be rejected: {rejection}")?;
            Ok(rejection)
        }
    }
}
