//! `ckpt doctor`: what people ask when something is wrong, answered by what is found. Reads only.

mod answer;
mod checks;
mod facts;
mod history;
mod market;
mod policy;
mod schedule;

use ckpt::now;
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::failure::FAILED;
use crate::human;
use crate::output::Output;

use answer::{Answer, Finding};
use checks::CHECKS;
use facts::Facts;

/// All that was asked, in JSON.
#[derive(Debug, Serialize)]
struct Diagnosis {
    run: String,
    checks: Vec<Checked>,
    ok: usize,
    warnings: usize,
    problems: usize,
    unasked: usize,
}

/// A question with its answer.
#[derive(Debug, Serialize)]
struct Checked {
    id: &'static str,
    question: &'static str,
    #[serde(flatten)]
    answer: Answer,
}

pub(crate) fn run(args: &DoctorArgs, output: &Output) -> anyhow::Result<u8> {
    let facts = Facts::gather(&args.run, args.config.as_deref(), now());
    let checks = CHECKS.iter().map(|check| Checked {
        id: check.id,
        question: check.question,
        answer: (check.answer)(&facts),
    });
    let checks: Vec<Checked> = checks.collect();
    let count = |finding| checks.iter().filter(|checked| checked.answer.finding() == finding).count();
    let diagnosis = Diagnosis {
        run: args.run.display().to_string(),
        ok: count(Finding::Ok),
        warnings: count(Finding::Warning),
        problems: count(Finding::Problem),
        unasked: count(Finding::Unasked),
        checks,
    };
    output.answer(&diagnosis, || text(&diagnosis))?;
    Ok(if diagnosis.problems > 0 { FAILED } else { 0 })
}

fn text(diagnosis: &Diagnosis) -> String {
    let mut text = String::new();
    for Checked { id, question, answer } in &diagnosis.checks {
        let (word, style) = match answer.finding() {
            Finding::Unasked => ("unasked", human::DIM),
            Finding::Ok => ("ok", human::GOOD),
            Finding::Warning => ("warning", human::WARN),
            Finding::Problem => ("PROBLEM", human::BAD),
        };
        let (head, dim) = (human::HEAD, human::DIM);
        text.push_str(&format!("{style}{word:7}{style:#}  {head}{question}{head:#}  {dim}{id}{dim:#}\n"));
        for found in answer.found() {
            text.push_str(&format!("         {}\n", human::shown(found).replace('\n', "\n         ")));
        }
        for advice in answer.advice() {
            let command = advice.command.as_ref().map(|command| format!(": {command}")).unwrap_or_default();
            text.push_str(&format!("      -> {}\n", human::shown(&format!("{}{command}", advice.text))));
        }
    }
    let Diagnosis { checks, warnings, problems, unasked, .. } = diagnosis;
    let (problems, warnings) = (human::plural(*problems, "problem"), human::plural(*warnings, "warning"));
    let asked = human::plural(checks.len().saturating_sub(*unasked), "question");
    let rest = if *unasked > 0 { format!("; {unasked} not asked") } else { String::new() };
    text.push_str(&format!("\n{problems}, {warnings} in {asked}{rest}\n"));
    text
}
