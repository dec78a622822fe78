//! A forecast as people read it.

use std::collections::BTreeSet;
use std::fmt;

use ckpt::PhaseConfig;

use crate::human;
use crate::table::{Cell, Table};

use super::{Forecast, Reason, Save};

/// More saves than this are not all shown; JSON has them all.
const SHOWN_MAX: usize = 40;
const SHOWN_FIRST: usize = 20;
const SHOWN_LAST: usize = 12;

pub(super) fn text(forecast: &Forecast<'_>, phase: &PhaseConfig) -> String {
    let head = human::HEAD;
    let (target, unit) = (human::count(forecast.target), human::shown(forecast.unit));
    let mut text = format!(
        "{head}{}{head:#}: {target} {unit}, {} at a time\n",
        human::shown(forecast.phase),
        human::count(forecast.batch)
    );
    section(&mut text, "when it saves", &forecast.schedule);
    section(&mut text, "what it keeps", &forecast.retention);
    text.push_str(&format!("\n{}", table(forecast)));
    section(&mut text, "in all", &totals(forecast, phase));
    if !forecast.left_out.is_empty() {
        section(&mut text, "not simulated", &forecast.left_out);
    }
    text
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    let dim = human::DIM;
    text.push_str(&format!("\n{dim}{title}{dim:#}\n"));
    for line in lines {
        text.push_str(&format!("  {}\n", human::shown(line)));
    }
}

fn table(forecast: &Forecast<'_>) -> String {
    let kept: BTreeSet<u64> = forecast.kept.iter().copied().collect();
    let saves = &forecast.saves;
    if saves.is_empty() {
        return "  no saves: nothing makes one due\n".to_owned();
    }
    let all = saves.len() <= SHOWN_MAX;
    let (first, last) = if all { (saves.len(), 0) } else { (SHOWN_FIRST, SHOWN_LAST) };
    let mut table =
        Table::default().right("seq").right("step").right("after").left("event").left("kept").left("why");
    for save in saves.iter().take(first) {
        row(&mut table, save, &kept);
    }
    if !all {
        let more = human::count((saves.len() - first - last) as u64);
        let cells = ["...", "", "", "", "", &format!("{more} more: --json has all of them")];
        table.row(cells.map(Cell::new));
    }
    for save in saves.iter().skip(saves.len() - last) {
        row(&mut table, save, &kept);
    }
    table.render(2)
}

fn row(table: &mut Table, save: &Save, kept: &BTreeSet<u64>) {
    let why: Vec<String> = save.reasons.iter().map(Reason::to_string).collect();
    let verdict = match kept.contains(&save.sequence) {
        true => Cell::styled("yes", human::GOOD),
        false => Cell::styled("no", human::DIM),
    };
    table.row([
        Cell::styled(human::count(save.sequence), human::HEAD),
        Cell::new(human::count(save.step)),
        Cell::new(human::count(save.interval)),
        Cell::new(save.event.to_string()),
        verdict,
        Cell::new(why.join("; ")),
    ]);
}

fn totals(forecast: &Forecast<'_>, phase: &PhaseConfig) -> Vec<String> {
    let counts = &forecast.counts;
    let mut lines = vec![format!(
        "{}: {} by the schedule, {} early first, {} at the end",
        human::plural(forecast.saves.len(), "save"),
        human::count(counts.periodic),
        human::count(counts.early_first),
        human::count(counts.phase_end)
    )];
    let budgets = phase.retention.top.iter().filter(|top| top.count > 0 && forecast.kept_more_max > 0);
    let budgets: Vec<String> =
        budgets.map(|top| format!("{} by {}", human::count(top.count), top.metric)).collect();
    let more = match budgets.len() {
        0 => String::new(),
        _ => format!(
            "; the best by metrics may keep {} more: {}",
            human::count(forecast.kept_more_max),
            budgets.join(", ")
        ),
    };
    lines.push(format!("{} kept in the end{more}", human::count(forecast.kept.len() as u64)));
    lines.push(format!("{} at once at most, just before pruning", human::count(forecast.peak)));
    lines.push(disk(forecast));
    lines
}

fn disk(forecast: &Forecast<'_>) -> String {
    let (Some(one), Some(before), Some(after), Some(peak)) =
        (forecast.bytes_per_save, forecast.bytes_before, forecast.bytes_after, forecast.bytes_peak)
    else {
        return "disk: not known; --bytes-per-save says how large a checkpoint is".to_owned();
    };
    let runs = match forecast.runs {
        1 => String::new(),
        runs => format!(" of {} runs", human::count(u64::from(runs))),
    };
    format!(
        "disk{runs} at {} a checkpoint: {} if nothing were deleted, {} in the end, {} at most meanwhile",
        human::size(one),
        human::size(before),
        human::size(after),
        human::size(peak)
    )
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Due(due) => due.fmt(f),
            Self::End { text, .. } => f.write_str(text),
        }
    }
}
