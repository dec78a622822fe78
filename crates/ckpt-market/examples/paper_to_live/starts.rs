//! The same hours of the market, begun cold, from the own checkpoint and from the injected prior.

use std::io::Write;

use ckpt::transfer::Prior;
use ckpt_market::restore::restore;
use ckpt_market::transfer::MarketPrior;
use ckpt_market::{MarketBundle, Preset, readiness};

use super::Result;
use super::desk::Desk;
use super::maker::Maker;
use super::market::{Market, Venue};
use super::parameters::{Parameters, distance};
use super::prior;

/// Where a long run settles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LongRun {
    /// Mean of the parameters.
    pub(crate) parameters: Parameters,
    /// Mean of the spread.
    pub(crate) spread_bps: f64,
}

/// One start, step by step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trace {
    /// How it began.
    pub(crate) name: &'static str,
    /// From bid to ask.
    pub(crate) spread_bps: Vec<f64>,
    /// Mean distance of the parameters from those of the long run: by how many times too great or too small, less 1.
    pub(crate) error: Vec<f64>,
    /// The same of each parameter.
    pub(crate) each: Vec<[f64; 4]>,
    /// Fills in all.
    pub(crate) fills: u64,
}

/// Where a market maker settles that trades live from the first step on: means over the second half.
pub(crate) fn long_run(market: &Market, steps: u64, preset: &Preset) -> LongRun {
    let mut maker = Maker::cold(Venue::Live, Desk::open(market, 0, 0.0), preset);
    let (mut parameters, mut spread) = (Vec::new(), Vec::new());
    for step in 0..steps {
        let seen = maker.step(market, preset);
        if 2 * step >= steps {
            parameters.push(maker.parameters());
            spread.push(seen.spread_bps);
        }
    }
    LongRun { parameters: Parameters::mean(&parameters), spread_bps: mean(&spread) }
}

/// Where the starts are compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) market: &'a Market,
    /// The step at which each begins with a flat desk.
    pub(crate) from: u64,
    /// How many steps each has.
    pub(crate) steps: u64,
    pub(crate) long_run: LongRun,
    pub(crate) preset: &'a Preset,
}

impl Scene<'_> {
    /// Begins cold, from the own checkpoint, and from a prior of the paper session.
    ///
    /// # Errors
    /// If the prior is rejected; what writing returns.
    pub(crate) fn compare(
        &self,
        own: MarketBundle,
        offered: &Prior<MarketPrior>,
        log: &mut dyn Write,
    ) -> Result<Vec<Trace>> {
        let Self { market, from, preset, .. } = *self;
        let now = market.time(from);
        let cold = Maker::cold(Venue::Live, Desk::open(market, from, 0.0), preset);
        let mut restored = cold.clone();
        let bundle = restore(own, now, &preset.restore).bundle;
        let assessment = readiness::judge(&bundle, now, &preset.gate);
        restored.go_on_from(&bundle, assessment);
        let mut injected = cold.clone();
        prior::take(&mut injected, offered, market, preset, &mut std::io::sink())?;
        [("cold", cold), ("restored", restored), ("injected", injected)]
            .into_iter()
            .map(|(name, maker)| {
                writeln!(log, "start {name}: warm-up {}", maker.warmup(preset))?;
                Ok(self.trace(name, maker))
            })
            .collect()
    }

    fn trace(&self, name: &'static str, mut maker: Maker) -> Trace {
        let mut trace = Trace { name, spread_bps: Vec::new(), error: Vec::new(), each: Vec::new(), fills: 0 };
        for _ in 0..self.steps {
            let each = maker.parameters().errors(&self.long_run.parameters);
            trace.error.push(mean(&each));
            trace.each.push(each);
            trace.spread_bps.push(maker.step(self.market, self.preset).spread_bps);
        }
        trace.fills = maker.desk.fills;
        trace
    }
}

/// The table.
///
/// # Errors
/// What writing returns.
pub(crate) fn table(traces: &[Trace], long_run: &LongRun, log: &mut dyn Write) -> Result<()> {
    let steps = traces.first().map_or(0, |trace| trace.error.len());
    let Parameters { sigma, kappa, lambda_0, delta_char_bps } = long_run.parameters;
    let spread = long_run.spread_bps;
    writeln!(
        log,
        "in the long run: sigma {sigma:.2e}, kappa {kappa:.0}, {lambda_0:.3} fills/s at mid, a third of it at \
         {delta_char_bps:.1} bps, spread {spread:.1} bps"
    )?;
    writeln!(
        log,
        "the first {steps} steps of each start, errors in %:\n\
         \x20             spread, bps          parameter error          of which, on average\n\
         start       first  mean error   first at 100  last  mean   sigma kappa lambda delta  fills"
    )?;
    for trace in traces {
        let at = |values: &[f64], at: usize| values.get(at).copied().unwrap_or_default();
        let off: Vec<f64> = trace.spread_bps.iter().map(|bps| distance(*bps, spread)).collect();
        let each = |which: usize| mean(&trace.each.iter().map(|each| each[which]).collect::<Vec<_>>());
        let error = &trace.error;
        let shares =
            [mean(&off), at(error, 0), at(error, 100), at(error, steps.saturating_sub(1)), mean(error)];
        let [off, first, hundredth, last, whole] = shares.map(|share| 100.0 * share);
        let [sigma, kappa, lambda, delta] = [0, 1, 2, 3].map(|which| 100.0 * each(which));
        writeln!(
            log,
            "{:<10} {:>6.1} {:>5.1} {off:>5.1}   {first:>5.1} {hundredth:>6.1} {last:>5.1} {whole:>5.1}   \
             {sigma:>5.1} {kappa:>5.1} {lambda:>6.1} {delta:>5.1} {:>6}",
            trace.name,
            at(&trace.spread_bps, 0),
            mean(&trace.spread_bps),
            trace.fills,
        )?;
    }
    Ok(())
}

/// The mean; 0 of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}
