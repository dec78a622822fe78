//! Can each component be decoded? Shapes that this program does not know, fields that it drops, versions that it migrates.

use ckpt::{Outcome, Why};

use crate::commands::doctor::answer::{Answer, ckpt, some};
use crate::commands::doctor::facts::Facts;
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    let mut answer = Answer::new();
    if let Some(Err(unread)) = &facts.market {
        answer.problem(format!("checkpoint {}: {}", unread.sequence, unread.reason));
        answer.run("see what the file itself says", ckpt("verify", &facts.path, &[&seq(unread.sequence)]));
        return answer;
    }
    let market = match super::market(facts) {
        Ok(market) => market,
        Err(answer) => return answer,
    };
    let (sequence, components) = (market.sequence, &market.report.components);
    let mut undecoded = None;
    for component in components {
        if let Outcome::Defaulted {
            why: why @ (Why::Incompatible(_) | Why::Damaged(_) | Why::Unreadable(_)),
        } = &component.outcome
        {
            undecoded = undecoded.or(Some(component.name.as_str()));
            answer.problem(format!("{} of checkpoint {sequence} is {why}", component.name));
        }
        if !component.unknown.is_empty() {
            answer.warning(format!(
                "{} of checkpoint {sequence} has fields that this program does not know and drops: {}",
                component.name,
                some(component.unknown.paths())
            ));
        }
    }
    if let Some(component) = undecoded {
        answer.advise(
            "the bytes are as they were written: restore with the program that wrote them, or a newer one",
        );
        answer.run("see the shape that this program knows", "ckpt schema list".to_owned());
        let reset = ckpt("reset", &facts.path, &["--component", component]);
        answer.run("or go on with the component at its cold start", reset);
    }
    let migrated = components.iter().filter_map(|component| match &component.outcome {
        Outcome::Migrated { .. } => Some(format!("{} {}", component.name, component.outcome)),
        _ => None,
    });
    let migrated = some(migrated);
    if !migrated.is_empty() {
        answer.ok(format!("an older version wrote checkpoint {sequence}: {migrated}"));
    }
    if undecoded.is_none() {
        answer.ok(format!("each of its {} could be decoded", human::plural(components.len(), "component")));
    }
    answer
}

fn seq(sequence: u64) -> String {
    format!("seq:{sequence}")
}
