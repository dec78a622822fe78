//! Is a market maker saved as often as it should be? Long gaps within a session, a writer that does not save.

use crate::commands::doctor::answer::{Answer, ckpt};
use crate::commands::doctor::facts::Facts;
use crate::commands::doctor::market::Moment;
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    let market = match super::market(facts) {
        Ok(market) => market,
        Err(answer) => return answer,
    };
    let mut answer = Answer::new();
    let every = market.preset.save_every_s;
    let gaps = gaps(&market.moments);
    let longest = gaps.iter().max_by(|one, other| one.seconds.total_cmp(&other.seconds));
    let late = |seconds: f64| seconds > 2.0 * every;
    match longest {
        Some(gap) if late(gap.seconds) => {
            let count = gaps.iter().filter(|gap| late(gap.seconds)).count();
            answer.warning(format!(
                "a session went {} without a save, between {} and {}, and {} it was longer than twice the {every} s of the preset",
                human::span(gap.seconds),
                gap.before,
                gap.after,
                if count == 1 { "once".to_owned() } else { format!("{} times", human::count(count as u64)) }
            ));
            answer.run("see what happened between them", ckpt("log", &facts.path, &[]));
        }
        Some(gap) => answer.ok(format!(
            "{} of the last {}: at most {} apart within a session, the preset saves every {every} s",
            human::plural(gaps.len(), "gap"),
            human::plural(market.moments.len(), "save"),
            human::span(gap.seconds)
        )),
        None => answer.ok(format!(
            "no session saved twice here, so nothing is known of how often; the preset saves every {every} s and at shutdown"
        )),
    }
    let age = market.saved_at.map(|saved| facts.now.seconds_since(saved));
    if let (Some(true), Some(age)) = (facts.is_written(), age.filter(|age| late(*age))) {
        answer.problem(format!(
            "a process holds the run, and its newest good save is {} old: the timer does not fire, or saving fails",
            human::span(age)
        ));
        answer.advise("see what `disk` and `permissions` say, and the program's own warnings");
        answer.run("see the last events", ckpt("log", &facts.path, &[]));
    }
    answer
}

/// Time of a session between two saves.
struct Gap {
    before: u64,
    after: u64,
    seconds: f64,
}

/// Between two saves of one session its duration grows; a new one begins at nothing.
fn gaps(moments: &[Moment]) -> Vec<Gap> {
    let pairs = moments.iter().zip(moments.iter().skip(1));
    let gap = |(one, next): (&Moment, &Moment)| {
        let seconds = next.metadata.session_duration_s - one.metadata.session_duration_s;
        (seconds > 0.0).then_some(Gap { before: one.sequence, after: next.sequence, seconds })
    };
    pairs.filter_map(gap).collect()
}
