//! Would a market maker start warm, and trade? Its age, what the gate says now, the asset, and what holds the kill switch.

use ckpt::Timestamp;
use ckpt::gate::{Assessment, Cause, Fills};
use ckpt_market::component::kill_switch::Trigger;
use ckpt_market::names;
use ckpt_market::restore::report::Finding;

use crate::commands::doctor::answer::{Answer, ckpt, some};
use crate::commands::doctor::facts::Facts;
use crate::commands::doctor::market::Market;
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    let market = match super::market(facts) {
        Ok(market) => market,
        Err(answer) => return answer,
    };
    let mut answer = Answer::new();
    verdict(&mut answer, facts, market);
    asset(&mut answer, market);
    kill_switch(&mut answer, facts, market);
    answer
}

fn verdict(answer: &mut Answer, facts: &Facts, market: &Market) {
    let assessment = &market.assessment;
    let then = format!("{:?}", market.readiness.verdict).to_lowercase();
    let verdict = assessment.verdict();
    let short = some(assessment.shortfalls());
    let short = if short.is_empty() { short } else { format!(", short of {short}") };
    // Without a time it is NaN.
    let seconds = assessment.evidence().age_seconds.filter(|age| age.is_finite());
    let age = seconds.map(|age| format!("it is {} old", human::span(age)));
    let age = age.unwrap_or_else(|| "nobody knows how old it is".to_owned());
    let text = format!("{age}, it was {then} when it was saved and is {verdict} now{short}");
    if !assessment.passes() {
        answer.warning(format!("{text}: the gate lets nothing of it be restored, so it starts cold"));
        answer.advise(way_out(assessment));
        answer.run("see the verdict with every threshold", ckpt("gate", &facts.path, &[]));
        return;
    }
    answer.ok(text);
    let restored = market.stored.kelly_tracker.fills();
    let plan = market.preset.warmup.plan(assessment, Fills { restored, live: 0 });
    answer.ok(format!(
        "it begins with {} of the spread and {} of the size",
        plan.spread_factor, plan.size_factor
    ));
}

fn way_out(assessment: &Assessment) -> &'static str {
    match assessment.cause() {
        Some(Cause::Stale) => {
            "a state that is too old is relearned; one that must go on all the same needs thresholds that allow its age"
        }
        Some(Cause::Unknown) => "let the program say when the state was taken and for how long it learned",
        _ => {
            "let it learn until the gate is satisfied; what is short is told, and each save has a stamp of its own"
        }
    }
}

/// What an injection compares.
fn asset(answer: &mut Answer, market: &Market) {
    let asset = &market.stored.metadata.asset;
    if asset.is_empty() {
        answer.warning("it does not say of which asset it is: as a prior it would be rejected");
        return;
    }
    let others = market.moments.iter().filter(|moment| moment.metadata.asset != *asset);
    let others: Vec<u64> = others.map(|moment| moment.sequence).collect();
    if !others.is_empty() {
        answer.warning(format!(
            "it is of {asset}, but older ones of the run are of another asset: {}",
            some(others)
        ));
        answer.advise("give each asset a run of its own: ROOT/KIND/ASSET");
    }
}

fn kill_switch(answer: &mut Answer, facts: &Facts, market: &Market) {
    let mut is_held = false;
    for (_, finding) in market.notes(&[names::KILL_SWITCH]) {
        match finding {
            Finding::TriggerHeld { code, .. } => {
                is_held = true;
                let trigger =
                    market.restored.bundle.kill_switch.triggers.iter().find(|one| one.code == *code);
                let until = trigger.and_then(|trigger| until(market, trigger)).unwrap_or_default();
                answer.warning(format!("the kill switch is {finding}{until}"));
            }
            Finding::ClockAhead { .. } => answer.warning(format!("the kill switch: {finding}")),
            _ => answer.ok(format!("the kill switch: {finding}")),
        }
    }
    if is_held {
        answer.advise("it starts warm and does not trade: look into the cause; what was triggered by a person, a person resets");
        let reset = ckpt("reset", &facts.path, &["--component", names::KILL_SWITCH]);
        answer.run("take all triggers away, and with them the figures of the day", reset);
    }
}

/// When it was triggered and when that expires.
fn until(market: &Market, trigger: &Trigger) -> Option<String> {
    let at = i64::try_from(trigger.triggered_at_ms).ok().filter(|at| *at > 0)?;
    let hours = market.preset.restore.kill_switch.expiry_hours;
    let expires = Timestamp::from_millis(at.saturating_add((hours * 3_600_000.0) as i64));
    let at = Timestamp::from_millis(at);
    let latest = if trigger.time_is_exact { "" } else { " at the latest" };
    Some(format!(" (at {at}{latest}; expires at {expires})"))
}
