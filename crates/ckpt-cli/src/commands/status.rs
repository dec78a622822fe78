//! `ckpt status`: what there is to resume in a run.

use ckpt::{RecoveryInfo, RunReader};
use serde::Serialize;

use crate::args::StatusArgs;
use crate::commands::list;
use crate::human;
use crate::output::Output;
use crate::table::{Cell, Table};

/// What there is to resume, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    run: String,
    #[serde(flatten)]
    info: &'a RecoveryInfo,
}

pub(crate) fn run(args: &StatusArgs, output: &Output) -> anyhow::Result<()> {
    let run = RunReader::open(&args.run)?;
    let info = RecoveryInfo::of_reader(&run)?;
    let answer = Answer { run: run.path().display().to_string(), info: &info };
    output.answer(&answer, || list::heading(&run) + &facts(&info).render(2))
}

fn facts(info: &RecoveryInfo) -> Table {
    let mut facts = Table::default().left("").left("");
    let mut fact = |what: &str, text: String, style| {
        if !text.is_empty() {
            facts.row([Cell::styled(what, human::DIM), Cell::styled(text, style)]);
        }
    };
    let (answer, style) = if info.can_resume { ("yes", human::GOOD) } else { ("no", human::WARN) };
    fact("can resume", format!("{answer}: {}", info.why), style);
    let plain = anstyle::Style::new();
    if let (Some(sequence), Some(name)) = (info.sequence, &info.name) {
        let epoch = info.epoch.filter(|epoch| *epoch > 0).map(|epoch| format!(", epoch {epoch}"));
        fact("from", format!("checkpoint {sequence}{}: {name}", epoch.unwrap_or_default()), plain);
    }
    if let Some(at) = info.timestamp {
        fact("saved", format!("{at} ({})", human::age(ckpt::now(), at)), plain);
    }
    fact("progress", progress(info), plain);
    fact("status", info.status.map(|status| status.to_string()).unwrap_or_default(), plain);
    for skipped in &info.skipped {
        fact("would skip", format!("checkpoint {}: {}", skipped.sequence, skipped.reason), human::BAD);
    }
    facts
}

fn progress(info: &RecoveryInfo) -> String {
    list::far(info.step, info.total, info.unit.as_deref(), info.progress_pct)
}
