//! Is what is no longer needed deleted? Retention that is off, withheld, or never carried out.

use crate::commands::doctor::answer::{Answer, ckpt};
use crate::commands::doctor::facts::Facts;
use crate::human;

/// More without any policy deserve a look.
const MANY: usize = 100;
/// What a session leaves between two prunings where nothing says how often it prunes.
const LEFT_BETWEEN: u64 = 10;

pub(super) fn answer(facts: &Facts) -> Answer {
    let Ok(run) = &facts.run else { return super::no_run() };
    let mut answer = Answer::new();
    let count = run.entries.len();
    let bytes = run.entries.iter().map(|entry| entry.stored_bytes).sum();
    let held = format!("{} take {}", human::plural(count, "checkpoint"), human::size(bytes));
    let history = facts.history();
    let in_force = history.is_some_and(|history| history.policy.is_some());
    if !in_force && count > MANY {
        answer.warning(format!("{held}, and no session ever put a policy in force: nothing is deleted"));
        answer.advise("let a `Session` write the run, with a policy; until then delete by hand: `ckpt delete RUN SELECTOR`");
    } else {
        answer.ok(held);
    }
    if let Some((delete, keep)) = history.and_then(|history| history.withheld) {
        answer.warning(format!(
            "a plan to delete {delete} and keep {keep} waits to be confirmed: it was the first of its policy and more than half"
        ));
        answer.run("see the plan in the log", ckpt("log", &facts.path, &[]));
        answer.run(
            "look at it, and confirm it",
            ckpt("prune", &facts.path, &["--config", "FILE", "--phase", "PHASE", "--yes"]),
        );
    }
    let Some(Ok(stated)) = &facts.config else { return answer };
    let Some(phase) = stated.phase(facts) else { return answer };
    let policy = &phase.retention;
    let file = stated.file.display();
    if policy.is_empty() {
        answer.warning(format!("by {file} nothing is ever deleted: retention is off"));
        answer.advise("set `retention.enabled: true` and `keep_last_n`");
        return answer;
    }
    let plan = ckpt::plan(policy, &run.entries, facts.now);
    let left_between = if policy.prune_every > 0 { policy.prune_every } else { LEFT_BETWEEN };
    let freed = human::size(plan.freed_bytes());
    let text = format!("by {file} {} would go now and free {freed}", human::count(plan.delete()));
    if plan.delete() > left_between {
        answer.warning(format!("{text}; no more than {left_between} wait between two prunings"));
        let path = stated.file.display().to_string();
        let mut words = vec!["--config", &path];
        if let Some(name) = &phase.phase {
            words.extend(["--phase", name]);
        }
        words.push("--dry-run");
        answer.run("see which, and why", ckpt("prune", &facts.path, &words));
    } else {
        answer.ok(text);
    }
    answer
}
