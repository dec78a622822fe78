//! Is what is no longer needed deleted? Retention that is off, withheld, or never carried out.

use ckpt::RetentionPolicy;

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
    if history.is_some_and(|history| history.policy.is_none()) && count > MANY {
        answer.warning(format!("{held}, and no session ever put a policy in force: nothing is deleted"));
        let prune = ckpt("prune", &facts.path, &["--keep-last", "8", "--dry-run"]);
        answer.run("see what would go if the newest 8 were kept", prune);
        answer.advise("let a `Session` write the run, with a policy: it prunes as it saves");
    } else {
        answer.ok(held);
    }
    let withheld = history.and_then(|history| history.withheld.as_ref());
    if let Some(withheld) = withheld {
        answer.warning(format!(
            "a plan to delete {} and keep {} waits to be confirmed: it was the first of its policy and more than half",
            withheld.delete, withheld.keep
        ));
        let words = ["--config", "FILE", "--phase", "PHASE"];
        answer.run(
            "look at the plan",
            ckpt("prune", &facts.path, &[words.as_slice(), &["--dry-run"]].concat()),
        );
        answer.run("confirm it", ckpt("prune", &facts.path, &[words.as_slice(), &["--yes"]].concat()));
    }
    if let Some((by, policy, words)) = policy(facts) {
        behind(&mut answer, facts, &by, &policy, &words, withheld.is_some());
    }
    answer
}

/// The policy to go by: that of the configuration, if one is given and the phase is certain; else the one that was last in force.
/// With it where it comes from, and how to say it at a shell.
fn policy(facts: &Facts) -> Option<(String, RetentionPolicy, Vec<String>)> {
    if let Some(Ok(stated)) = &facts.config
        && let Some(phase) = stated.phase(facts)
    {
        let file = stated.file.display().to_string();
        let mut words = vec!["--config".to_owned(), file.clone()];
        words.extend(phase.phase.iter().flat_map(|phase| ["--phase".to_owned(), phase.clone()]));
        return Some((file, phase.retention.clone(), words));
    }
    let record = facts.history()?.policy.as_ref()?;
    let policy = serde_json::from_value(record.policy.clone()).ok()?;
    let words = ["--config", "FILE", "--phase", "PHASE"].map(str::to_owned).into();
    Some(("the policy in force".to_owned(), policy, words))
}

/// Whether more waits to be deleted than between two prunings.
fn behind(
    answer: &mut Answer,
    facts: &Facts,
    by: &str,
    policy: &RetentionPolicy,
    words: &[String],
    is_withheld: bool,
) {
    if policy.is_empty() {
        answer.warning(format!("by {by} nothing is ever deleted: retention is off"));
        answer.advise("set `retention.enabled: true` and `keep_last_n`");
        return;
    }
    let plan = ckpt::plan(policy, facts.entries(), facts.now);
    let left_between = if policy.prune_every > 0 { policy.prune_every } else { LEFT_BETWEEN };
    let freed = human::size(plan.freed_bytes());
    let text = format!("by {by} {} would go now and free {freed}", human::count(plan.delete()));
    // What is withheld waits for somebody, and that is told.
    if plan.delete() <= left_between || is_withheld {
        answer.ok(text);
        return;
    }
    answer.warning(format!("{text}; no more than {left_between} wait between two prunings"));
    let words: Vec<&str> = words.iter().map(String::as_str).chain(["--dry-run"]).collect();
    answer.run("see which, and why", ckpt("prune", &facts.path, &words));
}
