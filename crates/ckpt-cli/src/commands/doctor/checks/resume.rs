//! Can work go on from here? Nothing good, damage at the newest, a newer format, a section that is gone.

use ckpt::{Entry, RunReader, State, Status};

use crate::commands::doctor::answer::{Answer, ckpt, some};
use crate::commands::doctor::facts::{Facts, Run};
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    let Ok(run) = &facts.run else { return super::no_run() };
    let mut answer = Answer::new();
    if run.entries.is_empty() {
        answer.ok("there is nothing to go on from: work would begin anew");
        return answer;
    }
    // As `latest` goes: from the newest on, over damaged ones and no others.
    let mut passed = Vec::new();
    for entry in run.entries.iter().rev() {
        let state = run.verified(&entry.file_name).map_or(entry.state, |verified| verified.state);
        match state {
            State::Committed => {
                goes_on(&mut answer, facts, run, entry, &passed);
                return answer;
            }
            State::Unsupported | State::Unreadable => {
                stops(&mut answer, facts, run, entry);
                return answer;
            }
            _ => passed.push(entry.sequence),
        }
    }
    answer.problem(format!("none of its {} is good", human::plural(run.entries.len(), "checkpoint")));
    answer.run("see what is wrong with each", ckpt("verify", &facts.path, &[]));
    answer.advise("bring a good one from a copy of the directory or an exported file: `ckpt import RUN FILE --as-latest`");
    answer
}

fn goes_on(answer: &mut Answer, facts: &Facts, run: &Run, entry: &Entry, passed: &[u64]) {
    let position = entry.position();
    let step = position.and_then(|position| position.step);
    let step = step.map(|step| format!(" at step {}", human::count(step))).unwrap_or_default();
    let progress = position.and_then(ckpt::Position::progress_pct);
    let progress = progress.map(|pct| format!(", {pct:.1} %")).unwrap_or_default();
    if !passed.is_empty() {
        answer
            .warning(format!("the newest would be passed over, because they are not good: {}", some(passed)));
        answer.run("see what is wrong with them", ckpt("verify", &facts.path, &[]));
    }
    answer.ok(format!("it goes on from checkpoint {}{step}{progress}", entry.sequence));
    if entry.status() == Some(Status::Completed) {
        answer.ok(format!(
            "checkpoint {} says that the work was completed: a session goes on only with a greater total, or if its options \
             say so",
            entry.sequence
        ));
    }
    let missing = missing_sections(&run.reader, &run.entries, entry);
    if let Some((before, names)) = missing {
        let text = format!(
            "checkpoint {} lacks {} that {before} still had: {}",
            entry.sequence,
            human::plural(names.len(), "section"),
            some(&names)
        );
        answer.warning(text);
        let (one, other) = (format!("seq:{before}"), format!("seq:{}", entry.sequence));
        answer.run("see what changed between them", ckpt("diff", &facts.path, &[&one, &other]));
        answer.run("go on from the older one", ckpt("restore", &facts.path, &[&one, "--output", "DIR"]));
    }
}

fn stops(answer: &mut Answer, facts: &Facts, run: &Run, entry: &Entry) {
    let verified = run.verified(&entry.file_name);
    let reason = verified.and_then(|verified| verified.reason.clone()).or_else(|| entry.reason.clone());
    let (sequence, reason) = (entry.sequence, reason.unwrap_or_else(|| entry.state.to_string()));
    answer.problem(format!("resuming stops at checkpoint {sequence}, which is not damaged: {reason}"));
    let selector = format!("seq:{sequence}");
    if entry.state == State::Unreadable {
        answer.run("see what the system says", ckpt("verify", &facts.path, &[&selector]));
    } else {
        answer.advise(
            "read it with the program that wrote it, or a newer one; nothing steps back over it unasked, since a bad release \
             must not empty a run",
        );
    }
    let good = run.entries.iter().rev().find(|entry| entry.is_committed());
    if let Some(good) = good {
        let selector = format!("seq:{}", good.sequence);
        answer.run(
            "or go on from the newest that this program reads",
            ckpt("restore", &facts.path, &[&selector, "--output", "DIR"]),
        );
    }
}

/// The sections that the good one before has and this one has not, and the number of that one.
fn missing_sections(reader: &RunReader, entries: &[Entry], entry: &Entry) -> Option<(u64, Vec<String>)> {
    let names = |entry: &Entry| -> Option<Vec<String>> {
        let checkpoint = reader.open_checkpoint(&entry.file_name).ok()?;
        Some(checkpoint.sections().ok()?.iter().map(|section| section.name.clone()).collect())
    };
    let mut older =
        entries.iter().rev().filter(|older| older.is_committed() && older.order() < entry.order());
    let before = older.next()?;
    let here = names(entry)?;
    let missing: Vec<String> = names(before)?.into_iter().filter(|name| !here.contains(name)).collect();
    (!missing.is_empty()).then_some((before.sequence, missing))
}
