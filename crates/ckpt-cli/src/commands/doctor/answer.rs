//! The answer to a question: how bad it is, what was found, what to do.

use std::path::Path;

use serde::Serialize;

/// How bad what was found is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Finding {
    /// Nobody could ask, or does not need to: that says nothing of the run.
    Unasked,
    /// As it should be.
    Ok,
    /// Deserves a look; work goes on.
    Warning,
    /// Something does not work.
    Problem,
}

/// What was found, and what to do about it.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    finding: Finding,
    found: Vec<String>,
    advice: Vec<Advice>,
}

/// Something to do.
#[derive(Debug, Serialize)]
pub(super) struct Advice {
    /// What for.
    pub(super) text: String,
    /// The command, if there is one.
    pub(super) command: Option<String>,
}

impl Answer {
    /// Nothing was found yet.
    pub(super) fn new() -> Self {
        Self { finding: Finding::Ok, found: Vec::new(), advice: Vec::new() }
    }

    /// Nothing but this was found.
    pub(super) fn of(found: impl Into<String>) -> Self {
        let mut answer = Self::new();
        answer.ok(found);
        answer
    }

    /// The question was not asked, for this reason.
    pub(super) fn unasked(why: impl Into<String>) -> Self {
        Self { finding: Finding::Unasked, found: vec![why.into()], advice: Vec::new() }
    }

    /// How bad the worst of it is.
    pub(super) fn finding(&self) -> Finding {
        self.finding
    }

    /// What was found, a sentence each.
    pub(super) fn found(&self) -> &[String] {
        &self.found
    }

    /// What to do.
    pub(super) fn advice(&self) -> &[Advice] {
        &self.advice
    }

    /// Something to know that answers nothing.
    pub(super) fn note(&mut self, found: impl Into<String>) {
        self.found.push(found.into());
    }

    pub(super) fn ok(&mut self, found: impl Into<String>) {
        self.add(Finding::Ok, found);
    }

    pub(super) fn warning(&mut self, found: impl Into<String>) {
        self.add(Finding::Warning, found);
    }

    pub(super) fn problem(&mut self, found: impl Into<String>) {
        self.add(Finding::Problem, found);
    }

    /// What to do, with the command that does it.
    pub(super) fn run(&mut self, text: impl Into<String>, command: String) {
        self.advice.push(Advice { text: text.into(), command: Some(command) });
    }

    /// What to do where no command does it.
    pub(super) fn advise(&mut self, text: impl Into<String>) {
        self.advice.push(Advice { text: text.into(), command: None });
    }

    fn add(&mut self, finding: Finding, found: impl Into<String>) {
        self.finding = self.finding.max(finding);
        self.found.push(found.into());
    }
}

/// A command line that a shell takes as it is: `ckpt verify 'my run'`.
pub(super) fn command(words: &[&str]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The same of the program itself, for a run.
pub(super) fn ckpt(verb: &str, run: &Path, rest: &[&str]) -> String {
    let run = run.display().to_string();
    let words: Vec<&str> = ["ckpt", verb, &run].into_iter().chain(rest.iter().copied()).collect();
    command(&words)
}

/// The first few, and how many more there are.
pub(super) fn some<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 5;
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{} and {more} more", items[..SHOWN].join(", ")),
        _ => items.join(", "),
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_counts() {
        let mut answer = Answer::of("a");
        assert_eq!(answer.finding(), Finding::Ok);
        answer.problem("b");
        answer.warning("c");
        assert_eq!((answer.finding(), answer.found().len()), (Finding::Problem, 3));
    }

    #[test]
    fn what_was_not_asked_is_not_ok_until_something_is_found() {
        let mut answer = Answer::unasked("there is no run");
        assert_eq!(answer.finding(), Finding::Unasked);
        answer.ok("a");
        assert_eq!(answer.finding(), Finding::Ok);
    }

    #[test]
    fn a_command_survives_the_shell() {
        assert_eq!(ckpt("verify", Path::new("a b"), &["seq:3"]), "ckpt verify 'a b' seq:3");
        assert_eq!(command(&["rm", "it's", "step<=3", ""]), r"rm 'it'\''s' 'step<=3' ''");
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(some([1, 2, 3, 4, 5]), "1, 2, 3, 4, 5");
        assert_eq!(some(1..=7), "1, 2, 3, 4, 5 and 2 more");
    }
}
