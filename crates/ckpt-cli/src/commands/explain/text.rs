//! Why a checkpoint is what it is, for people.

use anstyle::Style;
use ckpt::{State, Timestamp, Verdict, Writer};

use super::history::{Gone, How};
use super::{Answer, Policy, Source};
use crate::human;
use crate::retention::in_force_in_words;
use crate::table::{Cell, Table};

pub(super) fn words(answer: &Answer<'_>) -> String {
    let plain = Style::new();
    let mut facts = Table::default().left("").left("");
    let mut fact = |what: &str, text: String, style: Style| {
        if !text.is_empty() {
            facts.row([Cell::styled(what, human::DIM), Cell::styled(text, style)]);
        }
    };
    let saved = &answer.saved;
    fact("saved", saved.at.map(|at| moment(at, saved.by)).unwrap_or_default(), plain);
    for cause in &saved.events {
        let reason = cause.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        fact("because", format!("{}{reason}", cause.event), plain);
    }
    fact("step", saved.step.map(human::count).unwrap_or_default(), plain);
    fact("size", saved.stored_bytes.map(human::size).unwrap_or_default(), plain);
    if let (Some(state), Some(wrong)) = (answer.state, answer.wrong) {
        let style = if state == State::Damaged { human::BAD } else { human::WARN };
        fact(state.as_str(), wrong.to_owned(), style);
    }
    if answer.pinned {
        let since = answer.pin.map(|pin| {
            let reason = pin.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{}{reason}", moment(pin.at, Some(&pin.by)))
        });
        fact("pinned", since.unwrap_or_else(|| "yes".to_owned()), human::GOOD);
    }
    let sentence = answer.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    match answer.verdict {
        Some(Verdict::Keep) => fact("kept", sentence, human::GOOD),
        Some(Verdict::Delete) => fact("would be deleted", sentence, human::WARN),
        None if answer.gone.is_none() => {
            let text =
                "the log knows no policy, so nothing prunes this run; --config FILE says what one would do";
            fact("kept", text.to_owned(), human::GOOD);
        }
        None => {}
    }
    fact("by the policy", answer.policy.map(policy).unwrap_or_default(), plain);
    if let Some(gone) = answer.gone {
        let (what, text) = gone_in_words(gone);
        fact(what, text, human::WARN);
    }
    let (head, dim) = (human::HEAD, human::DIM);
    let name = answer.name.map(human::shown).unwrap_or_default();
    format!(
        "{head}checkpoint {}{head:#}  {name}  {dim}{}{dim:#}\n{}",
        answer.sequence,
        human::shown(&answer.run),
        facts.render(2)
    )
}

/// `2026-01-02T03:04:05.678Z (3 min ago), by process 12 on box`.
fn moment(at: Timestamp, by: Option<&Writer>) -> String {
    let by = by.map(|by| format!(", by process {} on {}", by.pid, by.host)).unwrap_or_default();
    format!("{at} ({}){by}", human::age(ckpt::now(), at))
}

fn policy(policy: &Policy) -> String {
    let rules = in_force_in_words(&policy.rules);
    match (policy.source, policy.at) {
        (Source::Config, _) => format!("of the configuration: {rules}"),
        (Source::Log, at) => {
            let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
            format!("that last came into force{at}: {rules}")
        }
    }
}

fn gone_in_words(gone: &Gone) -> (&'static str, String) {
    let when = gone.at.map(|at| moment(at, gone.by.as_ref())).unwrap_or_default();
    let because = gone.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    match (gone.how, &gone.path) {
        (How::Deleted, _) => ("deleted", format!("{when}{because}")),
        (How::SetAside, path) => {
            let path = path.as_ref().map(|path| format!("; it is {path} now")).unwrap_or_default();
            ("set aside", format!("{when}{because}{path}"))
        }
        (How::Removed, _) => ("set aside", format!("and removed for good {when}{because}")),
        (How::Unknown, _) => {
            ("gone", "the log does not say how: something else than ckpt removed the file".to_owned())
        }
    }
}
