//! The questions, each with the function that answers it. A new one is a file beside these and a line in the table.

mod config;
mod damage;
mod disk;
mod locks;
mod lost;
mod metadata;
mod order;
mod permissions;
mod resume;
mod retention;
mod saved;
mod staging;

use super::answer::Answer;
use super::facts::Facts;

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
];

/// The answer to what can only be asked of a run.
fn no_run() -> Answer {
    Answer::of("there is no run to ask about")
}
