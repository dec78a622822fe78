//! Is anything saved? No checkpoints, no directory, a name that is spelt differently, a first save that never came.

use std::path::Path;

use ckpt::{Error, Level, may_write_in};

use crate::commands::doctor::answer::{Answer, ckpt, command, some};
use crate::commands::doctor::facts::{Facts, Run};
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    match &facts.run {
        Err(error) => no_run(facts, error),
        Ok(run) if run.entries.is_empty() => no_checkpoint(facts, run),
        Ok(run) => there_are(facts, run),
    }
}

fn there_are(facts: &Facts, run: &Run) -> Answer {
    let bytes = run.entries.iter().map(|entry| entry.stored_bytes).sum();
    let count = human::plural(run.entries.len(), "checkpoint");
    let newest = facts.newest().map_or("none of them good".to_owned(), |newest| {
        let step = newest.position().and_then(|position| position.step);
        let step = step.map(|step| format!(" at step {}", human::count(step))).unwrap_or_default();
        let age = newest.created_at().map(|at| format!(", {}", human::age(facts.now, at)));
        format!("the newest good one is {}{step}{}", newest.sequence, age.unwrap_or_default())
    });
    Answer::of(format!("{count}, {}; {newest}", human::size(bytes)))
}

fn no_checkpoint(facts: &Facts, run: &Run) -> Answer {
    let mut answer = Answer::new();
    let age = human::age(facts.now, run.reader.identity().created_at);
    let text = format!("the run was made {age} and holds no checkpoint");
    match facts.is_written() {
        Some(true) => answer.warning(format!("{text} yet; a process is writing to it now")),
        _ => answer.problem(text),
    }
    if let Ok(history) = &run.history {
        let last = history.opened_at.map(|at| format!(", last {}", human::age(facts.now, at)));
        let openings = human::plural(usize::try_from(history.openings).unwrap_or(usize::MAX), "time");
        answer.ok(format!("a writer opened it {openings}{}", last.unwrap_or_default()));
        if let Some(level) = history.level.as_ref().filter(|level| level.to != Level::Normal.as_str()) {
            answer.problem(format!("{}: {}", human::age(facts.now, level.at), level.reason));
        }
    }
    if let Some(set_aside) = facts.survey.as_ref().ok().map(|survey| &survey.set_aside)
        && !set_aside.is_empty()
    {
        let names = some(set_aside.iter().map(|file| &file.name));
        answer.problem(format!("all that is left of it was set aside as damaged: {names}"));
    }
    if !run.unknown.is_empty() {
        answer.warning(format!("the directory holds what ckpt does not know: {}", some(&run.unknown)));
        import(&mut answer, &facts.path);
    }
    answer.advise(
        "run the program to its first save; `early_first_save: 1` in the configuration makes one at the first step, so \
         that a run that cannot be written shows at once",
    );
    answer
}

fn no_run(facts: &Facts, error: &Error) -> Answer {
    let mut answer = Answer::new();
    let Error::RunNotFound { present, .. } = error else {
        answer.problem(format!("whether it is a run can't be told: {error}"));
        answer.advise("see what the other answers say about permissions; a damaged run.json comes back from a copy of the directory");
        return answer;
    };
    let path = facts.path.display();
    if facts.path.is_dir() {
        answer.problem(format!("{path} is a directory, but no run: it has no run.json"));
        import(&mut answer, &facts.path);
    } else if facts.path.exists() {
        answer.problem(format!("{path} is a file, not the directory of a run"));
    } else {
        answer.problem(format!("there is no directory {path}: nothing was ever saved there"));
        can_be_made(&mut answer, &facts.path);
    }
    if present.is_empty() {
        answer.advise("run the program: the directory is made when it opens the run");
    } else {
        answer.ok(format!("runs nearby: {}", some(present)));
        answer.advise("compare kind, name and the working directory with those of the program: runs are at ROOT/KIND/NAME");
    }
    let root = facts.path.parent().filter(|root| !root.as_os_str().is_empty()).unwrap_or(Path::new("."));
    answer.run("show the runs beneath a directory", ckpt("list", root, &[]));
    answer
}

fn can_be_made(answer: &mut Answer, path: &Path) {
    let there = |dir: &&Path| !dir.as_os_str().is_empty() && dir.exists();
    let nearest = path.ancestors().find(there).unwrap_or(Path::new("."));
    if !nearest.is_dir() {
        answer
            .problem(format!("it can't be made: {} is in the way, which is no directory", nearest.display()));
        return;
    }
    match may_write_in(nearest) {
        Ok(()) => answer.ok(format!("it can be made: {} takes new files", nearest.display())),
        Err(error) => {
            answer.problem(format!("it can't be made: {error}"));
            answer.run("look at owner and mode", command(&["ls", "-ld", &nearest.display().to_string()]));
        }
    }
}

fn import(answer: &mut Answer, path: &Path) {
    let from = path.display().to_string();
    let command = command(&["ckpt", "import", "NEW-RUN", &from, "--dry-run"]);
    answer.run("checkpoints of another program can be taken over; see what would be", command);
}
