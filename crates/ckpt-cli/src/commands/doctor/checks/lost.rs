//! Did the last process save before it ended? A crash before the next interval, a disk that was full.

use crate::commands::doctor::answer::{Answer, ckpt, command};
use crate::commands::doctor::facts::Facts;
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    let Ok(run) = &facts.run else { return super::no_run() };
    let history = match &run.history {
        Ok(history) => history,
        Err(error) => return Answer::of(format!("the log can't be read, so nobody knows: {error}")),
    };
    let mut answer = Answer::new();
    let Some(process) = &history.unfinished else {
        answer.ok(match history.policy {
            Some(_) => "the last session said that it ended",
            None => "no session ever wrote here, and only a session says that it ended",
        });
        return answer;
    };
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
            let since =
                facts.newest().filter(|newest| newest.created_at().is_some_and(|at| at >= process.at));
            let kept = match since {
                Some(newest) => {
                    let step = newest.position().and_then(|position| position.step);
                    let step = step.map(|step| format!(" (step {})", human::count(step))).unwrap_or_default();
                    format!("what it did after checkpoint {}{step} is lost", newest.sequence)
                }
                None => "nothing that it did was saved".to_owned(),
            };
            answer
                .warning(format!("{who} and ended without a word: killed, or out of memory or time; {kept}"));
            answer.run("see what it still wrote", ckpt("log", &facts.path, &[]));
            let simulate = ["ckpt", "simulate", "--config", "FILE", "--phase", "PHASE"];
            answer.run("to lose less, save more often; see what that costs", command(&simulate));
        }
    }
    answer
}
