//! A verdict for people.

use ckpt::gate::Verdict;

use super::{Answer, ThresholdsFrom};
use crate::human;
use crate::table::{Cell, Table};

pub(super) fn words(answer: &Answer<'_>) -> String {
    let (head, dim) = (human::HEAD, human::DIM);
    let (path, name) = (human::shown(&answer.path), human::shown(answer.name));
    format!(
        "{head}{path}{head:#}  {dim}checkpoint {}: {name}{dim:#}\n{}",
        answer.sequence,
        facts(answer).render(2)
    )
}

fn facts(answer: &Answer<'_>) -> Table {
    let mut facts = Table::default().left("").left("");
    let plain = anstyle::Style::new();
    let mut fact = |what: &str, text: String, style| {
        facts.row([Cell::styled(what, human::DIM), Cell::styled(text, style)]);
    };
    let assessment = answer.assessment;
    let (passes, style) = match (assessment.verdict(), assessment.passes()) {
        (Verdict::Ready, _) => ("may be trusted", human::GOOD),
        (_, true) => ("may be trusted with care", human::GOOD),
        (Verdict::Marginal, false) => ("may not be trusted, marginal is not allowed", human::BAD),
        (_, false) => ("may not be trusted", human::BAD),
    };
    fact("verdict", format!("{}: {passes}", assessment.verdict()), style);
    let mut what = "short of";
    for shortfall in assessment.shortfalls() {
        fact(std::mem::take(&mut what), shortfall.to_string(), human::WARN);
    }
    let core = assessment.thresholds().config().core.len();
    fact("core", format!("{} of {core} counts are enough", assessment.core_met()), plain);
    let learned =
        assessment.evidence().learned_seconds().map(|seconds| format!("for {}", human::span(seconds)));
    fact("learned", learned.unwrap_or_else(|| "for an unknown time".to_owned()), plain);
    let taken = answer.taken_at.map(|at| format!("{at} ({})", human::age(answer.judged_at, at)));
    fact("taken", taken.unwrap_or_else(|| "nobody knows when".to_owned()), plain);
    fact("at the save", format!("it was judged {}", answer.verdict_at_save), plain);
    fact("thresholds", thresholds(answer), plain);
    fact("warm-up", answer.warmup.to_string(), plain);
    facts
}

fn thresholds(answer: &Answer<'_>) -> String {
    let from = match answer.thresholds_from {
        ThresholdsFrom::Stamp => "those of the save",
        ThresholdsFrom::Preset => "those of the market maker, the stamp has none",
    };
    let over = answer.config.as_ref().map(|file| format!(", with {file} over them")).unwrap_or_default();
    format!("version {}: {from}{over}", answer.assessment.thresholds().version())
}
