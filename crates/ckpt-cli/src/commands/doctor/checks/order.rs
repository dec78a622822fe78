//! Would the right one be loaded? Two with one number, files of another run, a step that went back, best and latest mixed up.

use ckpt::{Entry, Position, State};

use crate::commands::doctor::answer::{Answer, ckpt, some};
use crate::commands::doctor::facts::Facts;
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    let Ok(run) = &facts.run else { return super::no_run() };
    let mut answer = Answer::new();
    let Some(newest) = facts.newest() else {
        answer.ok("there is none that could be loaded");
        return answer;
    };
    answer.ok(format!("`latest` means checkpoint {} ({})", newest.sequence, newest.file_name));
    strangers(&mut answer, facts);
    if let Some(further) = further(facts.entries(), newest) {
        let step = |entry: &Entry| human::count(step(entry).unwrap_or(0));
        answer.warning(format!(
            "it is at step {}, but the older checkpoint {} is at step {}: work began again at a lower step after it",
            step(newest),
            further.sequence,
            step(further)
        ));
        let selector = format!("seq:{}", further.sequence);
        answer.run("look at the one that is further", ckpt("show", &facts.path, &[&selector]));
        answer.run("load it instead", ckpt("restore", &facts.path, &[&selector, "--output", "DIR"]));
    }
    bests(&mut answer, facts, newest);
    let still_there = |sequence: u64| {
        facts.entries().iter().any(|entry| entry.sequence == sequence)
            || facts.survey.as_ref().is_ok_and(|survey| {
                survey.set_aside.iter().any(|file| {
                    file.original
                        .as_ref()
                        .is_some_and(|(name, _)| name.starts_with(&format!("{sequence:08}_")))
                })
            })
    };
    let steps = run.history.as_ref().map_or(&[][..], |history| &history.stepped_back);
    for step in steps.iter().rev().filter(|step| still_there(step.sequence)).take(3) {
        answer.warning(format!(
            "{} a load passed over checkpoint {}: {}",
            human::age(facts.now, step.at),
            step.sequence,
            step.reason
        ));
    }
    answer
}

/// Files that can never be latest, whatever their number.
fn strangers(answer: &mut Answer, facts: &Facts) {
    let names = |state: State| -> Vec<&str> {
        let entries = facts.entries().iter().filter(|entry| entry.state == state);
        entries.map(|entry| entry.file_name.as_str()).collect()
    };
    let duplicates = names(State::Duplicate);
    if !duplicates.is_empty() {
        answer.problem(format!(
            "these claim one number, so none of them is ever loaded: {}; a copy was put into the directory",
            some(&duplicates)
        ));
        answer.run("find out which is which", ckpt("verify", &facts.path, &[]));
        answer.advise("then move the copies out of the directory");
    }
    let foreign = names(State::Foreign);
    if !foreign.is_empty() {
        answer.warning(format!(
            "these were renamed or belong to another run, so they are never loaded: {}",
            some(&foreign)
        ));
        answer
            .advise("take one over with `ckpt import RUN FILE --as-latest`, or move it out of the directory");
    }
    let fenced = names(State::Fenced);
    if !fenced.is_empty() {
        answer.warning(format!(
            "these were written by an attempt that had been overtaken, so they are never loaded: {}",
            some(&fenced)
        ));
    }
}

/// The best by each metric, since it is often meant where `latest` is taken.
fn bests(answer: &mut Answer, facts: &Facts, newest: &Entry) {
    let Some(metadata) = newest.metadata() else { return };
    for (metric, best) in &metadata.metrics.best {
        let is_there = |entry: &&Entry| entry.is_committed() && entry.order() == (best.epoch, best.sequence);
        let value = human::number(best.value);
        if facts.entries().iter().any(|entry| is_there(&entry)) {
            answer.ok(format!("`best:{metric}` means checkpoint {}: {value}", best.sequence));
        } else {
            answer
                .ok(format!("the best {metric} was {value} in checkpoint {}, which is gone", best.sequence));
        }
    }
}

/// The good one of the highest step, if that is higher than the newest's.
fn further<'a>(entries: &'a [Entry], newest: &Entry) -> Option<&'a Entry> {
    let here = step(newest)?;
    let good = entries.iter().filter(|entry| entry.is_committed() && unit(entry) == unit(newest));
    good.filter(|entry| step(entry) > Some(here)).max_by_key(|entry| (step(entry), entry.order()))
}

fn step(entry: &Entry) -> Option<u64> {
    entry.position()?.step
}

fn unit(entry: &Entry) -> Option<&String> {
    entry.position().and_then(|position: &Position| position.unit.as_ref())
}
