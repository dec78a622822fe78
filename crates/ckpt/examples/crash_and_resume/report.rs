//! What was learned, how the deaths went, and whether both runs ended equal.

use crate::Result;
use crate::crash::{Death, place};
use crate::data::Day;
use crate::learner::Learner;
use crate::parameters::{REGIME_NAMES, prior_centre};
use crate::screen::Screen;
use crate::state::take_apart;

/// Prints a row for each death.
///
/// # Errors
/// As [`Screen::line`], as all functions here.
pub(crate) fn deaths(deaths: &[Death], days: &[Day], screen: &Screen) -> Result<()> {
    screen.line("")?;
    screen.line(row(["", "died at", "resumed from", "days repeated", "swept", ""]))?;
    for (index, death) in deaths.iter().enumerate() {
        let resumed = match death.resumed {
            Some((sequence, day)) => format!("day {day} (seq {sequence})"),
            None => "the first day".to_owned(),
        };
        screen.line(row([
            &(index + 1).to_string(),
            &place(days, death.day),
            &resumed,
            &death.repeated().to_string(),
            &death.swept.to_string(),
            death.doing(),
        ]))?;
    }
    let repeated: u64 = deaths.iter().map(Death::repeated).sum();
    let swept: usize = deaths.iter().map(|death| death.swept).sum();
    screen.line(row(["", "", "in all", &repeated.to_string(), &swept.to_string(), ""]))
}

/// Prints the parameters, the belief and the scores of a learner, with what it started from.
pub(crate) fn learned(learner: &Learner, days: &[Day], screen: &Screen) -> Result<()> {
    let (before, after) = (prior_centre(), learner.filter.learned());
    screen.line(format!("\nLearned by {} (prior median -> learned)", place(days, learner.day)))?;
    let global = [
        ("drift, % a day", before.drift, after.drift),
        ("persistence of log variance", before.persistence, after.persistence),
        ("shock to log variance", before.shock, after.shock),
    ];
    for (name, before, after) in global {
        screen.line(format!("  {name:<28} {before:>6.3} -> {after:>6.3}"))?;
    }
    for ((regime, name), belief) in REGIME_NAMES.into_iter().enumerate().zip(learner.filter.belief()) {
        screen.line(format!(
            "  regime {name:<9} volatility {:>5.1} -> {:>5.1} % a year   stays {:.3} -> {:.3} a day   belief {:>5.1} %",
            before.annual_volatility(regime),
            after.annual_volatility(regime),
            before.stay[regime],
            after.stay[regime],
            100.0 * belief
        ))?;
    }
    if let Some((stochastic, constant)) = learner.score.per_day() {
        screen.line(format!(
            "  log-likelihood per day, each day foretold from the days before ({} days after a year's warm-up):\n  \
             stochastic volatility {stochastic:.4}, constant volatility {constant:.4}: {:+.4} nats a day",
            learner.score.days,
            stochastic - constant
        ))?;
    }
    Ok(())
}

/// Prints what is equal in both learners, bit for bit, and tells whether everything is.
pub(crate) fn compare(reference: &Learner, crashed: &Learner, screen: &Screen) -> Result<bool> {
    let parts = parts(reference).into_iter().zip(parts(crashed));
    screen.line("\nCompared bit for bit with the run that was never interrupted")?;
    let mut all_equal = true;
    for (expected, found) in parts {
        let equal = expected.bytes == found.bytes;
        all_equal &= equal;
        let digest = |part: &Part| blake3::hash(&part.bytes).to_hex()[..16].to_owned();
        let verdict = if equal {
            format!("identical  {}", digest(&found))
        } else {
            format!("DIFFERENT  {} is not {}", digest(&found), digest(&expected))
        };
        screen.line(format!("  {:<18} {:>8} bytes  {verdict}", found.name, found.bytes.len()))?;
    }
    Ok(all_equal)
}

/// A part of a learner as bytes.
struct Part {
    name: &'static str,
    bytes: Vec<u8>,
}

fn parts(learner: &Learner) -> Vec<Part> {
    let (state, particles) = take_apart(learner);
    let bits = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    vec![
        Part { name: "parameters", bytes: bits(&learner.filter.learned().values()) },
        Part { name: "belief", bytes: bits(&learner.filter.belief()) },
        Part { name: "every particle", bytes: particles },
        Part { name: "random generator", bytes: state.generator.to_bytes() },
        Part { name: "scores", bytes: bits(&[state.score.stochastic, state.score.constant]) },
        Part { name: "day and seed", bytes: [state.day, state.seed].map(u64::to_le_bytes).concat() },
    ]
}

fn row(cells: [&str; 6]) -> String {
    let [index, died, resumed, repeated, swept, doing] = cells;
    format!("  {index:>1}  {died:<21} {resumed:<19} {repeated:>13} {swept:>6}  {doing}").trim_end().to_owned()
}
