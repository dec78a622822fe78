//! Does the Q-table fit the agent? Other meanings of its indices, another reward, cells that can't be used, a table from paper alone.

use ckpt_market::component::rl::QCell;
use ckpt_market::names;
use ckpt_market::restore::report::Finding;

use crate::commands::doctor::answer::{Answer, ckpt};
use crate::commands::doctor::facts::Facts;
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    let market = match super::market(facts) {
        Ok(market) => market,
        Err(answer) => return answer,
    };
    let mut answer = Answer::new();
    let cells = &market.stored.rl_q_table.q_entries;
    if cells.is_empty() {
        answer.ok("it has no cells: the agent begins cold");
        return answer;
    }
    let own = cells.iter().filter(|cell| cell.n > 0).count();
    let seeded = cells.iter().filter(|cell| cell.seeded).count();
    let both = cells.iter().filter(|cell| cell.seeded && cell.n > 0).count();
    let since = if both == 0 {
        String::new()
    } else {
        format!(", {} of them observed since", human::count(both as u64))
    };
    answer.ok(format!(
        "{}: {} observed here, {} seeded by another system{since}; {} in all",
        human::plural(cells.len(), "cell"),
        human::count(own as u64),
        human::count(seeded as u64),
        human::plural(usize::try_from(market.stored.rl_q_table.episodes).unwrap_or(usize::MAX), "episode")
    ));
    for (_, finding) in market.notes(&[names::RL_Q_TABLE]) {
        match finding {
            Finding::TableRefused { .. } => {
                answer.problem(finding.to_string());
                answer.advise(
                    "it was held against the agent of the preset: restore with the agent that wrote it, or with rules that know its shape",
                );
                let reset = ckpt("reset", &facts.path, &["--component", names::RL_Q_TABLE]);
                answer.run("or begin with an empty table", reset);
            }
            other => answer.warning(other.to_string()),
        }
    }
    let is_foreign = |cell: &QCell| cell.n == 0 && cell.seeded;
    if cells.iter().all(is_foreign) {
        answer.warning("all of it came from another system: if that was wrong, so is the agent");
        answer.advise(
            "let it observe before it decides alone; only cells that nothing was observed in are ever seeded",
        );
    }
    answer
}
