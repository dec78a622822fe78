//! Did the last process save before it ended? A crash before the next interval, a disk that was full.

use ckpt::Entry;

use crate::commands::doctor::answer::{Answer, ckpt, command};
use crate::commands::doctor::facts::Facts;
use crate::commands::doctor::history::{History, UnsavedEnd};
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    let Ok(run) = &facts.run else { return super::no_run() };
    let history = match &run.history {
        Ok(history) => history,
        Err(error) => return Answer::unasked(format!("the log can't be read, so nobody knows: {error}")),
    };
    let Some(process) = &history.unfinished else { return ended(facts, history) };
    let mut answer = Answer::new();
    let who = format!(
        "process {} on {} began a session {}",
        process.pid,
        process.host,
        human::age(facts.now, process.at)
    );
    match facts.is_written() {
        Some(true) => answer.ok(format!("{who} and is still at it")),
        None => answer.ok(format!("{who}; whether it still runs can't be seen from here")),
        Some(false) => {
            // As the log has it: a clock may have been put back since it began.
            let newest = facts.newest().filter(|_| process.saved);
            let kept = newest.map_or("nothing that it did was saved".to_owned(), lost_after);
            answer
                .warning(format!("{who} and ended without a word: killed, or out of memory or time; {kept}"));
            answer.run("see what it still wrote", ckpt("log", &facts.path, &[]));
            let simulate = ["ckpt", "simulate", "--config", "FILE", "--phase", "PHASE"];
            answer.run("to lose less, save more often; see what that costs", command(&simulate));
        }
    }
    answer
}

/// The last session said that it ended.
fn ended(facts: &Facts, history: &History) -> Answer {
    let Some(UnsavedEnd { at, status, reason }) = &history.unsaved else {
        return match history.policy {
            Some(_) => Answer::of("the last session said that it ended"),
            None => Answer::unasked("no session ever wrote here, and only a session says that it ended"),
        };
    };
    let mut answer = Answer::new();
    let age = human::age(facts.now, *at);
    let kept = facts.newest().map_or("nothing that it did was saved".to_owned(), lost_after);
    answer.warning(format!(
        "the last session said {age} that it ended ({status}) and did not save its final state: {reason}; {kept}"
    ));
    answer.advise(
        "let an end make a checkpoint: `phase_end` and `interrupt` in `events.triggers`; what is left after a panic is what \
         `SessionOptions::hold_snapshot_every` holds",
    );
    answer
}

fn lost_after(newest: &Entry) -> String {
    let step = newest.position().and_then(|position| position.step);
    let step = step.map(|step| format!(" (step {})", human::count(step))).unwrap_or_default();
    format!("what it did after checkpoint {}{step} is lost", newest.sequence)
}
