//! Is there room for the next save? By the same levels that a session goes by.

use ckpt::{Level, Reserve, Room};

use crate::commands::doctor::answer::{Answer, ckpt};
use crate::commands::doctor::facts::Facts;
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    let Ok(survey) = &facts.survey else {
        return Answer::unasked("there is no directory to ask about");
    };
    let mut answer = Answer::new();
    let space = match &survey.space {
        Ok(space) => *space,
        Err(error) => {
            answer.warning(format!("free space can't be read: {error}"));
            return answer;
        }
    };
    let phase = facts.config.as_ref().and_then(|config| config.as_ref().ok()?.phase(facts));
    let (reserve, rank) = phase.map_or((Reserve::Default, 0), |phase| (phase.reserve, phase.priority_rank));
    let last_stored_bytes = facts.newest().map_or(0, |newest| newest.stored_bytes);
    let room = Room { available: Some(space.available), total: Some(space.total), last_stored_bytes };
    let level = Level::Normal.next(&room, reserve, rank);
    let (free, total) = (human::size(space.available), human::size(space.total));
    let kept_free = human::size(reserve.bytes(room.total, rank));
    let next = match last_stored_bytes {
        0 => "nothing was saved yet".to_owned(),
        _ => format!("the next save may take {}", human::size(room.need())),
    };
    let text = format!("{free} of {total} are free; {kept_free} are to stay free, {next}");
    let threshold = human::size(level.threshold(&room, reserve, rank));
    match level {
        Level::Normal => answer.ok(text),
        Level::Prune => answer.warning(format!("{text}: below {threshold} each save prunes first")),
        Level::NoPeriodic => {
            answer.problem(format!("{text}: below {threshold} neither periodic nor best saves are made"))
        }
        Level::UrgentOnly => {
            answer.problem(format!("{text}: below {threshold} only urgent events are saved"))
        }
        Level::Refuse => answer.problem(format!("{text}: below {threshold} nothing is saved")),
    }
    if level > Level::Normal {
        answer.run("see what each run takes", ckpt("list", &facts.path, &[]));
        let prune = ckpt("prune", &facts.path, &["--keep-last", "8", "--dry-run"]);
        answer.run("see what would go if the newest 8 were kept", prune);
        answer.advise(
            "keep fewer: lower `keep_last_n`, `keep_top_k_by_sharpe` and `keep_top_k_by_reward`, or set `max_bytes`; `min_disk_space_gb` says \
             how much is to stay free",
        );
    }
    if let Some(record) = facts.history().and_then(|history| history.level.as_ref())
        && record.to != level.as_str()
    {
        let age = human::age(facts.now, record.at);
        let text = format!("{age} a session found the level {}: {}", record.to, record.reason);
        if record.to == Level::Normal.as_str() { answer.ok(text) } else { answer.warning(text) }
    }
    answer
}
