//! Is every byte as it was written? Damaged files, files that were set aside, lines of the log.

use ckpt::State;

use crate::commands::doctor::answer::{Answer, ckpt, some};
use crate::commands::doctor::facts::Facts;
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    let mut answer = Answer::new();
    let Ok(run) = &facts.run else { return super::no_run() };
    let mut damaged = None;
    for verified in &run.verified {
        let (sequence, name) = (verified.sequence, &verified.name);
        let reason = verified.reason.as_deref().unwrap_or("no reason is known");
        match verified.state {
            State::Damaged => {
                damaged = damaged.or(Some(sequence));
                answer.problem(format!("checkpoint {sequence} ({name}) is damaged: {reason}"));
            }
            State::Unreadable => {
                answer.problem(format!(
                    "checkpoint {sequence} ({name}) can't be read, which is not damage: {reason}"
                ));
                answer.run(
                    "look at the disk and at the file's owner and mode",
                    ckpt("verify", &facts.path, &[&format!("seq:{sequence}")]),
                );
            }
            State::Unsupported => {
                answer.warning(format!(
                    "checkpoint {sequence} ({name}) is intact, but not for this program: {reason}"
                ));
            }
            _ => {}
        }
    }
    if damaged.is_some() {
        answer.run("see it again, with section and block", ckpt("verify", &facts.path, &[]));
        answer.run(
            "`latest` steps back to the newest good one",
            ckpt("restore", &facts.path, &["--output", "DIR"]),
        );
        answer.advise(
            "the next writer that meets a damaged one sets it aside; what is damaged now may be whole in a copy of the directory: \
             look at the disk's own reports, too",
        );
    }
    if let Ok(survey) = &facts.survey
        && !survey.set_aside.is_empty()
    {
        let bytes = survey.set_aside.iter().map(|file| file.bytes).sum();
        answer.warning(format!(
            "{} set aside before, {}: {}",
            human::plural(survey.set_aside.len(), "file"),
            human::size(bytes),
            some(survey.set_aside.iter().map(|file| format!(".quarantine/{}", file.name)))
        ));
        answer.run("see when and why", ckpt("log", &facts.path, &[]));
    }
    match &run.history {
        Ok(history) if history.bad_lines > 0 => {
            answer.warning(format!(
                "the log has {} that can't be read; loading does not need it",
                human::plural(history.bad_lines, "line")
            ));
            answer.run("see them", ckpt("log", &facts.path, &[]));
        }
        Ok(_) => {}
        Err(error) => answer.warning(format!("the log can't be read; loading does not need it: {error}")),
    }
    if answer.found().is_empty() {
        let bytes = run.entries.iter().map(|entry| entry.stored_bytes).sum();
        let count = human::plural(run.verified.len(), "checkpoint");
        answer.ok(format!("every byte of {count} was read, {}: all are good", human::size(bytes)));
    }
    answer
}
