//! The questions, each with the function that answers it. A new one is a file beside these and a line in the table.

mod cadence;
mod cold_start;
mod config;
mod damage;
mod decode;
mod disk;
mod locks;
mod lost;
mod metadata;
mod order;
mod parameters;
mod permissions;
mod plausible;
mod q_table;
mod resume;
mod retention;
mod saved;
mod staging;

use super::answer::Answer;
use super::facts::Facts;
use super::market::Market;

/// A question.
pub(super) struct Check {
    /// One word for it, as in JSON.
    pub(super) id: &'static str,
    /// As people ask it.
    pub(super) question: &'static str,
    /// What the facts say. Looks at nothing else.
    pub(super) answer: fn(&Facts) -> Answer,
}

/// Every question, in the order in which they are asked.
pub(super) const CHECKS: &[Check] = &[
    Check { id: "nothing_saved", question: "Is anything saved?", answer: saved::answer },
    Check { id: "cannot_resume", question: "Can work go on from here?", answer: resume::answer },
    Check { id: "lost_work", question: "Did the last process save before it ended?", answer: lost::answer },
    Check { id: "wrong_one_loaded", question: "Would the right one be loaded?", answer: order::answer },
    Check {
        id: "metadata_missing",
        question: "Does each checkpoint say what it is?",
        answer: metadata::answer,
    },
    Check { id: "damaged_files", question: "Is every byte as it was written?", answer: damage::answer },
    Check { id: "disk", question: "Is there room for the next save?", answer: disk::answer },
    Check { id: "too_many", question: "Is what is no longer needed deleted?", answer: retention::answer },
    Check { id: "permissions", question: "May the run be read and written?", answer: permissions::answer },
    Check { id: "locks", question: "Does somebody hold the run?", answer: locks::answer },
    Check { id: "stale_staging", question: "Did dead writers leave anything?", answer: staging::answer },
    Check { id: "config_applied", question: "Is the configuration applied?", answer: config::answer },
    Check {
        id: "wrong_parameters",
        question: "Would a market maker get back what it learned?",
        answer: parameters::answer,
    },
    Check { id: "cannot_decode", question: "Can each of its components be decoded?", answer: decode::answer },
    Check { id: "not_saving", question: "Is it saved as often as it should be?", answer: cadence::answer },
    Check { id: "cold_start", question: "Would it start warm, and trade?", answer: cold_start::answer },
    Check {
        id: "kappa_sigma_off",
        question: "Are its kappa and sigma plausible?",
        answer: plausible::answer,
    },
    Check { id: "q_table_wrong", question: "Does its Q-table fit the agent?", answer: q_table::answer },
];

/// The answer to what can only be asked of a run: that nobody asked.
fn no_run() -> Answer {
    Answer::unasked("there is no run to ask about")
}

/// The market maker's state; if there is none, the answer that says so.
fn market(facts: &Facts) -> Result<&Market, Answer> {
    match &facts.market {
        Some(Ok(market)) => Ok(market),
        Some(Err(unread)) => Err(Answer::unasked(format!(
            "checkpoint {} can't be decoded, so nobody knows: see `cannot_decode`",
            unread.sequence
        ))),
        None if facts.run.is_err() => Err(no_run()),
        None => Err(Answer::unasked("not a market maker's run")),
    }
}
