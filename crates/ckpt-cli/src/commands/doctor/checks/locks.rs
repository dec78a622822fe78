//! Does somebody hold the run? Who, since when, and whether it does anything.

use ckpt::{LockSight, Survey};

use crate::commands::doctor::answer::{Answer, command};
use crate::commands::doctor::facts::Facts;
use crate::human;

/// The lock of every change is held for moments; who waits for it gives up after so long.
const CHANGE_SECONDS_MAX: f64 = 5.0;

pub(super) fn answer(facts: &Facts) -> Answer {
    let Ok(survey) = &facts.survey else {
        return Answer::unasked("there is no directory to ask about");
    };
    let mut answer = Answer::new();
    writer(&mut answer, facts, survey);
    change(&mut answer, facts, &survey.mutation);
    if survey.epoch > 0 {
        answer.ok(format!(
            "attempt {} began last: who opens the run without it, or with a lower one, is refused",
            survey.epoch
        ));
    }
    answer
}

fn writer(answer: &mut Answer, facts: &Facts, survey: &Survey) {
    let lock = &survey.writer;
    let who = who(lock, facts);
    match lock.is_held {
        Some(true) if lock.is_stopped => {
            answer.problem(format!("{who} writes it, but was stopped: it keeps the lock and does nothing"));
            wake(answer, lock);
        }
        Some(true) => {
            answer
                .ok(format!("{who} writes it: a second writer gets `Locked`, readers and pins do not wait"));
        }
        None => answer.warning(format!(
            "{who} had the writer's lock last; whether it still has can't be seen from this machine"
        )),
        Some(false) if lock.holder.is_some() => {
            answer.ok(format!("nobody writes it; {who} did last, and its lock ended with it"));
        }
        Some(false) => answer.ok("nobody writes it"),
    }
}

fn change(answer: &mut Answer, facts: &Facts, lock: &LockSight) {
    if lock.is_held != Some(true) {
        return;
    }
    let who = who(lock, facts);
    let seconds = lock.holder.as_ref().map_or(0.0, |holder| facts.now.seconds_since(holder.since));
    if lock.is_stopped {
        answer.problem(format!(
            "{who} is in the middle of a change, but was stopped: nobody else can change anything"
        ));
        wake(answer, lock);
    } else if seconds > CHANGE_SECONDS_MAX {
        answer.warning(format!("{who} has been in the middle of a change for {}", human::span(seconds)));
    } else {
        answer.ok(format!("{who} is in the middle of a change"));
    }
}

fn wake(answer: &mut Answer, lock: &LockSight) {
    let Some(pid) = lock.pid.map(|pid| pid.to_string()) else { return };
    answer.run("let it go on", command(&["kill", "-CONT", &pid]));
    answer.run("or end it: what was not saved is lost", command(&["kill", "-KILL", &pid]));
}

fn who(lock: &LockSight, facts: &Facts) -> String {
    match (&lock.holder, lock.pid) {
        (Some(holder), pid) => {
            let pid = pid.unwrap_or(holder.pid);
            format!(
                "process {pid} on {} (since {}, {})",
                holder.host,
                holder.since,
                human::age(facts.now, holder.since)
            )
        }
        (None, Some(pid)) => format!("process {pid}"),
        (None, None) => "another process".to_owned(),
    }
}
