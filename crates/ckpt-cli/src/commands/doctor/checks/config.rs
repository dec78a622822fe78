//! Is the configuration applied? What the log says that sessions went by, beside what the file says.

use std::path::Path;

use ckpt::{LastPolicy, PhaseConfig, Schedule};
use serde_json::Value;

use crate::commands::doctor::answer::{Answer, command, some};
use crate::commands::doctor::facts::Facts;
use crate::commands::doctor::policy::{Stated, variables};
use crate::commands::doctor::schedule::{Difference, differences};
use crate::human;
use crate::retention::logged_in_words;

/// How the schedule in force stands to the stated one.
enum Saving {
    Same,
    Differs(Vec<Difference>),
    /// Why nobody can tell.
    Unknown(String),
}

pub(super) fn answer(facts: &Facts) -> Answer {
    let record = facts.history().and_then(|history| history.policy.as_ref());
    match (&facts.config, facts.log_error()) {
        (Some(Ok(_)) | None, Some(error)) => {
            Answer::unasked(format!("the log can't be read, so nobody knows what was applied: {error}"))
        }
        (None, None) => without_config(facts, record),
        (Some(Err(error)), _) => {
            let mut answer = Answer::new();
            answer.problem(format!("the configuration can't be used, so no session can go by it: {error}"));
            answer
                .advise("correct what it names; `ckpt simulate --config FILE --phase PHASE` reads it again");
            answer
        }
        (Some(Ok(stated)), None) => compare(facts, stated, record),
    }
}

fn without_config(facts: &Facts, record: Option<&LastPolicy>) -> Answer {
    if facts.run.is_err() {
        return super::no_run();
    }
    let mut answer = Answer::unasked(match record {
        None => "no session has put a policy in force here, and none was given to compare with".to_owned(),
        Some(record) => {
            let age = human::age(facts.now, record.at);
            let rules = logged_in_words(&record.policy);
            format!("none was given to compare with; this policy came into force {age}: {rules}")
        }
    });
    if let Some(schedule) = record.and_then(|record| record.schedule.as_ref()) {
        answer.note(format!("periodic saves go by this schedule: {}", schedule.text));
    }
    answer.advise("give --config FILE to compare");
    answer
}

fn compare(facts: &Facts, stated: &Stated, record: Option<&LastPolicy>) -> Answer {
    let file = stated.file.display();
    if facts.run.is_err() {
        return Answer::unasked(format!("{file} can be used; there is no run to compare it with"));
    }
    let mut answer = Answer::new();
    let candidates = stated.candidates(facts);
    if candidates.is_empty() {
        let named = facts.newest().and_then(|newest| newest.metadata()?.phase.as_deref()).unwrap_or_default();
        let known = some(stated.config.phases());
        answer.problem(format!(
            "the newest checkpoint is of phase {named}, which {file} does not have; it has {known}"
        ));
        answer.advise("give the configuration that the program was started with");
        return answer;
    }
    let Some(record) = record else {
        answer.problem(format!(
            "never: the log has no policy of a session, so {file} was not applied to this run, nor was any other"
        ));
        answer.advise(
            "let the program open the run with `Session::open(.., SessionOptions::from_config(&config, PHASE, MARKET)?)`: saving with `Run` or \
             `ckpt save` applies no policy",
        );
        return answer;
    };
    let age = human::age(facts.now, record.at);
    let kept = || candidates.iter().copied().filter(|phase| phase.retention.digest() == record.digest);
    // Two phases may keep the same and save at other steps.
    let phase = kept().find(|phase| matches!(Saving::of(record, phase), Saving::Same)).or(kept().next());
    let is_applied = match phase {
        Some(phase) => {
            answer.ok(format!("what {file} says to keep{} is in force, put there {age}", of_phase(phase)));
            let is_applied = saving(&mut answer, stated, phase, record);
            details(&mut answer, facts, phase, record);
            is_applied
        }
        None => {
            differs(&mut answer, facts, stated, &candidates, record);
            false
        }
    };
    if !is_applied {
        way_out(&mut answer, facts, stated, record);
    }
    answer
}

fn differs(
    answer: &mut Answer,
    facts: &Facts,
    stated: &Stated,
    candidates: &[&PhaseConfig],
    record: &LastPolicy,
) {
    let (file, age) = (stated.file.display(), human::age(facts.now, record.at));
    answer.problem(format!("what {file} says to keep is not in force; another policy came into force {age}"));
    if let [phase] = candidates {
        for (key, in_force, wanted) in kept_differently(&record.policy, phase) {
            answer.problem(format!("{key}: {in_force} is in force, {wanted} is stated{}", of_phase(phase)));
        }
        saving(answer, stated, phase, record);
        details(answer, facts, phase, record);
    } else {
        let names = candidates.iter().filter_map(|phase| phase.phase.as_deref());
        answer.problem(format!("it is that of none of its phases: {}", some(names)));
    }
}

/// Tells of the schedule; whether it is not known to be another than the stated one.
fn saving(answer: &mut Answer, stated: &Stated, phase: &PhaseConfig, record: &LastPolicy) -> bool {
    let (file, of_phase) = (stated.file.display(), of_phase(phase));
    let in_force = record.schedule.as_ref().map(|schedule| schedule.text.as_str()).unwrap_or_default();
    match Saving::of(record, phase) {
        Saving::Same => answer.ok(format!("when {file} says to save{of_phase} is in force: {in_force}")),
        Saving::Differs(differences) => {
            answer
                .problem(format!("when {file} says to save{of_phase} is not in force; what is: {in_force}"));
            for (key, in_force, wanted) in differences {
                answer.problem(format!("{key}: {in_force} is in force, {wanted} is stated{of_phase}"));
            }
            return false;
        }
        Saving::Unknown(why) => {
            answer.warning(format!("whether sessions save when {file} says{of_phase} can't be told: {why}"));
            answer.advise("start the program anew, built with this version: each session notes by which schedule it saves");
        }
    }
    true
}

/// What to do about a configuration that is not applied.
fn way_out(answer: &mut Answer, facts: &Facts, stated: &Stated, record: &LastPolicy) {
    match stated.changed_at {
        Some(changed) if changed > record.at => {
            answer.ok(format!("the file was changed after that, {}", human::age(facts.now, changed)));
            answer.advise("a configuration takes effect when the program starts: start it anew");
        }
        _ => answer.advise(
            "the program reads another file, another phase, or has variables CKPT_CONFIG__... of its own: compare what it prints of \
             `PhaseConfig::describe()`",
        ),
    }
    let path = stated.file.display().to_string();
    answer
        .run("see what the file says", command(&["ckpt", "simulate", "--config", &path, "--phase", "PHASE"]));
}

/// What does not stand in the policy's identity.
fn details(answer: &mut Answer, facts: &Facts, phase: &PhaseConfig, record: &LastPolicy) {
    let prune_every = record.policy.get("prune_every").and_then(Value::as_u64);
    if let Some(in_force) = prune_every.filter(|in_force| *in_force != phase.retention.prune_every) {
        let stated = phase.retention.prune_every;
        answer.warning(format!("prune_frequency: {in_force} is in force, {stated} is stated"));
    }
    let metadata = facts.newest().and_then(|newest| newest.metadata());
    let total = metadata.and_then(|metadata| metadata.position.total);
    if let (Some(total), Some(target)) = (total, phase.target)
        && total != target
    {
        let (total, target) = (human::count(total), human::count(target));
        answer
            .warning(format!("target_timesteps: the newest checkpoint goes to {total}, {target} is stated"));
    }
    if let Some(path) = &phase.path {
        let market = metadata.and_then(|metadata| metadata.market.as_deref());
        match path.expand(market) {
            Ok(stated) if !is_same(&stated, &facts.path) => answer.warning(format!(
                "paths: the file puts the run{} at {}, seen from this working directory; this one is at {}",
                of_phase(phase),
                stated.display(),
                facts.path.display()
            )),
            Ok(_) => {}
            Err(error) => answer.warning(format!("paths: {error}; the newest checkpoint names none")),
        }
    }
    let variables = variables(phase);
    if !variables.is_empty() {
        answer.ok(format!(
            "variables of this shell have a say: {}; the program may have been started with others",
            some(variables)
        ));
    }
    answer.ok("what is kept and when periodic saves are due is compared: the log does not tell which events and metrics make a session save");
}

impl Saving {
    fn of(record: &LastPolicy, phase: &PhaseConfig) -> Self {
        let Some(last) = &record.schedule else {
            return Self::Unknown("the session that came last did not note its schedule".to_owned());
        };
        match serde_json::from_value::<Schedule>(last.schedule.clone()) {
            Ok(in_force) => match differences(&in_force, &phase.schedule) {
                none if none.is_empty() => Self::Same,
                differences => Self::Differs(differences),
            },
            Err(error) => Self::Unknown(format!(
                "the schedule in force has something that this program does not know ({error}): {}",
                last.text
            )),
        }
    }
}

/// The keys of the policy that differ, with both values.
fn kept_differently(record: &Value, phase: &PhaseConfig) -> Vec<(String, Value, Value)> {
    let stated = serde_json::to_value(&phase.retention).unwrap_or_default();
    let (Value::Object(record), Value::Object(stated)) = (record, stated) else { return Vec::new() };
    stated
        .into_iter()
        // How often it prunes is no part of the identity; it is compared by itself.
        .filter(|(key, _)| key != "prune_every")
        .filter_map(|(key, wanted)| {
            let in_force = record.get(&key).cloned().unwrap_or(Value::Null);
            (in_force != wanted).then_some((key, in_force, wanted))
        })
        .collect()
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn of_phase(phase: &PhaseConfig) -> String {
    phase.phase.as_ref().map(|phase| format!(" in {phase}")).unwrap_or_default()
}
