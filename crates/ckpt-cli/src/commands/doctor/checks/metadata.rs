//! Does each checkpoint say what it is? No step, no event, no metrics, fields that were asked for.

use ckpt::{Entry, Metadata, Timestamp};

use crate::commands::doctor::answer::{Answer, ckpt, command, some};
use crate::commands::doctor::facts::Facts;
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    if facts.run.is_err() {
        return super::no_run();
    }
    let told: Vec<(&Entry, &Metadata)> =
        facts.entries().iter().filter_map(|entry| Some((entry, entry.metadata()?))).collect();
    let mut answer = Answer::new();
    if told.is_empty() {
        answer.ok("there is none whose metadata could be read");
        return answer;
    }
    let mut lacking = |what: &str, lacks: &dyn Fn(&Metadata) -> bool| {
        let lacking: Vec<u64> =
            told.iter().filter(|(_, metadata)| lacks(metadata)).map(|(entry, _)| entry.sequence).collect();
        if !lacking.is_empty() {
            let (count, all) = (human::count(lacking.len() as u64), human::count(told.len() as u64));
            answer.warning(format!("{count} of {all} {what}: {}", some(&lacking)));
        }
        lacking.first().copied()
    };
    let first = [
        lacking("do not say a step", &|metadata| metadata.position.step.is_none()),
        lacking("do not say why they were saved", &|metadata| metadata.events.is_empty()),
        lacking("do not say when they were made", &|metadata| metadata.created_at == Timestamp::default()),
    ];
    let first = first.into_iter().flatten().min();
    stated(&mut answer, facts, &told);
    match first {
        Some(sequence) => {
            let selector = format!("seq:{sequence}");
            answer.run("see what one of them says", ckpt("show", &facts.path, &[&selector]));
            let name = command(&["ckpt", "name", "parse", "NAME"]);
            answer.run("what the name of an older file still tells", name);
            answer.advise(
                "nothing is written into a checkpoint afterwards: give step and metrics with each save (`session.step`, `ckpt save \
                 --step N --metric NAME=VALUE`)",
            );
        }
        None if answer.found().is_empty() => {
            answer.ok(format!("all {} say step, event and time", human::count(told.len() as u64)));
        }
        None => {}
    }
    answer
}

/// What the configuration asks for.
fn stated(answer: &mut Answer, facts: &Facts, told: &[(&Entry, &Metadata)]) {
    let Some(Ok(stated)) = &facts.config else { return };
    let Some(phase) = stated.phase(facts) else { return };
    let finite = |metadata: &Metadata, metric: &str| metadata.metrics.get(metric).is_some_and(f64::is_finite);
    let metrics = phase.monitors.iter().map(ckpt::Monitor::metric);
    let never: Vec<&str> =
        metrics.filter(|metric| !told.iter().any(|(_, metadata)| finite(metadata, metric))).collect();
    if !never.is_empty() {
        answer.warning(format!(
            "no checkpoint has a finite value of a metric that {} watches, so none was saved or kept for it: {}",
            stated.file.display(),
            some(&never)
        ));
        answer.advise("give the metrics of each evaluation to `session.step`, spelt as in the configuration");
    }
    for field in &phase.llm_metadata {
        let lacking: Vec<u64> = told
            .iter()
            .filter(|(_, metadata)| !metadata.extra.contains_key(field))
            .map(|(entry, _)| entry.sequence)
            .collect();
        if !lacking.is_empty() {
            answer
                .warning(format!("`llm_metadata` asks for {field}, which is missing in {}", some(&lacking)));
        }
    }
}
