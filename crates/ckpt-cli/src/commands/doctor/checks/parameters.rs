//! Would a market maker get back what it learned? Which state, components that begin cold, fields and values that are replaced.

use ckpt::{Outcome, Timestamp, Why};
use ckpt_market::component::learned::LearnedParams;
use ckpt_market::component::metadata::{MarketMetadata, SourceMode};
use ckpt_market::names;

use crate::commands::doctor::answer::{Answer, ckpt, some};
use crate::commands::doctor::facts::Facts;
use crate::commands::doctor::market::Market;
use crate::commands::log::note_in_words;
use crate::human;

/// Components that questions of their own are about.
const ASKED_ELSEWHERE: [&str; 6] = [
    names::VOL_FILTER,
    names::KAPPA_OWN,
    names::KAPPA_BID,
    names::KAPPA_ASK,
    names::RL_Q_TABLE,
    names::KILL_SWITCH,
];

pub(super) fn answer(facts: &Facts) -> Answer {
    let market = match super::market(facts) {
        Ok(market) => market,
        Err(answer) => return answer,
    };
    let mut answer = Answer::new();
    answer.ok(which(market, facts.now));
    for load in facts.history().iter().flat_map(|history| history.loads.iter().flatten()) {
        answer.ok(format!("{}, its log says: {}", human::age(facts.now, load.at), note_in_words(&load.note)));
    }
    times(&mut answer, market, facts.now);
    replaced(&mut answer, facts, market);
    let stored = &market.stored;
    if stored.learned_params == LearnedParams::default() {
        answer.ok(
            "its learned parameters are their priors: nothing was learned for them, or they are not saved",
        );
    }
    answer
}

fn which(market: &Market, now: Timestamp) -> String {
    let MarketMetadata { asset, cumulative_duration_s, source_mode, chain_depth, .. } =
        &market.stored.metadata;
    let asset = if asset.is_empty() { "an asset that it does not name" } else { asset };
    let mode = match source_mode {
        SourceMode::Paper => ", on paper",
        SourceMode::Live => ", live",
        SourceMode::Unknown => "",
    };
    let taken = market.stored.metadata.taken_at();
    let taken = taken.map_or("nobody knows when".to_owned(), |taken| human::age(now, taken));
    let before = match chain_depth {
        0 => "from a cold start".to_owned(),
        _ => format!("{} before it in its lineage", human::plural(*chain_depth as usize, "state")),
    };
    format!(
        "checkpoint {} would be restored: {asset}{mode}, taken {taken}, {} of learning, {before}",
        market.sequence,
        human::span(*cumulative_duration_s)
    )
}

/// A state that is not of the time of its checkpoint.
fn times(answer: &mut Answer, market: &Market, now: Timestamp) {
    let Some(taken) = market.stored.metadata.taken_at() else {
        answer.warning("it does not say when it was taken: no rule that goes by age can be applied");
        return;
    };
    let ahead = taken.seconds_since(now);
    if ahead > CLOCKS_S {
        answer.warning(format!("it was taken {} in the future: check the clocks", human::span(ahead)));
    }
    let late = market.saved_at.map_or(0.0, |saved| saved.seconds_since(taken));
    if late > 2.0 * market.preset.save_every_s {
        answer.warning(format!(
            "its state was {} old when it was saved: what was learned in between is not in it",
            human::span(late)
        ));
    }
}

/// Seconds by which clocks may differ.
const CLOCKS_S: f64 = 60.0;

/// What takes a default or a bound in place of what was learned.
fn replaced(answer: &mut Answer, facts: &Facts, market: &Market) {
    let mut first = None;
    let components = &market.report.components;
    let missing = components
        .iter()
        .filter(|component| component.outcome == Outcome::Defaulted { why: Why::Missing })
        .map(|component| component.name.as_str());
    let (new, missing): (Vec<&str>, Vec<&str>) = missing.partition(|name| NEW_IN_2.contains(name));
    // All that is missing, and missing together: an older version wrote it, or it was migrated since, which adds none.
    let is_older = new.len() == NEW_IN_2.len() && missing.is_empty();
    let (new, missing) = if is_older { (new, missing) } else { (Vec::new(), [missing, new].concat()) };
    if !new.is_empty() {
        answer.ok(format!("version 1 did not keep {}, so they begin cold", some(new)));
    }
    if !missing.is_empty() {
        let cold = human::plural(missing.len(), "component");
        answer.warning(format!("{cold} would begin cold, the sections are missing: {}", some(&missing)));
        answer.advise("see that the program saves its whole bundle, and that `cannot_resume` misses nothing");
    }
    for component in components.iter().filter(|component| !component.defaulted.is_empty()) {
        let fields = some(component.defaulted.paths());
        answer.warning(format!("{} lacks fields that take their defaults: {fields}", component.name));
    }
    for note in market.restored.report.notes() {
        if !ASKED_ELSEWHERE.contains(&note.component) {
            first = first.or(Some(note.component));
            answer.warning(format!("a restore changes it, {note}"));
        }
    }
    if let Some(component) = first {
        let before = market.moments.iter().rev().nth(1).map(|moment| moment.sequence);
        if let Some(before) = before {
            let (one, other) = (format!("seq:{before}"), format!("seq:{}", market.sequence));
            answer.run("see when it went wrong", ckpt("diff", &facts.path, &[&one, &other]));
        }
        let reset = ckpt("reset", &facts.path, &["--component", component]);
        answer.run("begin with the component at its cold start", reset);
    }
}

/// Components that the second version of the bundle brought.
const NEW_IN_2: [&str; 2] = [names::QUOTE_OUTCOMES, names::BASELINE_TRACKER];
