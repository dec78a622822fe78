//! A plan for people: the rules, a line a checkpoint, and what came of it.

use std::collections::HashMap;

use ckpt::{Entry, Planned, Verdict};

use super::{Outcome, Pruned};
use crate::commands::list;
use crate::human;
use crate::retention::rules_in_words;
use crate::table::{Cell, Table};

pub(super) fn words(pruned: &Pruned) -> String {
    let Pruned { run, entries, plan, outcome } = pruned;
    let (dim, rules) = (human::DIM, rules_in_words(plan.policy()));
    let entries: HashMap<&str, &Entry> =
        entries.iter().map(|entry| (entry.file_name.as_str(), entry)).collect();
    let mut table =
        Table::default().right("seq").left("event").left("step").right("size").left("verdict").left("why");
    for planned in plan.entries() {
        table.row(row(planned, entries.get(planned.file_name.as_str()).copied()));
    }
    let head = format!("{}  {dim}{}{dim:#}\n", list::heading(run), human::shown(&rules));
    format!("{head}{}{}\n", table.render(2), summary(pruned, outcome))
}

fn row(planned: &Planned, entry: Option<&Entry>) -> [Cell; 6] {
    let metadata = entry.and_then(Entry::metadata);
    let style = match planned.verdict {
        Verdict::Keep => human::GOOD,
        Verdict::Delete => human::WARN,
    };
    [
        Cell::styled(planned.sequence.to_string(), human::HEAD),
        Cell::new(metadata.map(list::events).unwrap_or_default()),
        Cell::new(metadata.map(list::progress).unwrap_or_default()),
        Cell::new(human::size(planned.stored_bytes)),
        Cell::styled(planned.verdict.to_string(), style),
        Cell::new(planned.sentence()),
    ]
}

fn summary(pruned: &Pruned, outcome: &Outcome) -> String {
    let plan = &pruned.plan;
    let count = |number: u64| human::plural(usize::try_from(number).unwrap_or(usize::MAX), "checkpoint");
    let (keep, delete) = (human::count(plan.keep()), count(plan.delete()));
    let bytes = human::size(plan.freed_bytes());
    match outcome {
        _ if plan.delete() == 0 => format!("nothing to delete of {}", count(plan.keep())),
        Outcome::DryRun => {
            format!("would delete {delete} ({bytes}) and keep {keep}; this is a dry run, nothing was deleted")
        }
        Outcome::Refused(_) => format!(
            "would delete {delete} ({bytes}) and keep {keep}, and that would be refused; this is a dry run, nothing was deleted"
        ),
        Outcome::Withheld(_) => {
            format!("would delete {delete} ({bytes}) and keep {keep}; withheld, nothing was deleted")
        }
        Outcome::Applied(deleted) => {
            let freed = human::size(deleted.freed_bytes);
            format!("deleted {} ({freed}), kept {keep}", count(deleted.file_names.len() as u64))
        }
    }
}
