//! `ckpt name`: what a file name tells, and how one is written.

use ckpt::{EventTag, FileName, Label, ParsedName};
use serde::Serialize;

use crate::args::{NameArgs, NameCommand, RenderArgs};
use crate::failure::{FAILED, Failure};
use crate::human;
use crate::json::Number;
use crate::output::Output;
use crate::table::{Cell, Table};

/// What a name tells, in JSON.
#[derive(Serialize)]
struct Parsed<'a> {
    form: &'static str,
    epoch: u64,
    sequence: Option<u64>,
    market: Option<&'a str>,
    step: Option<u64>,
    event: Option<String>,
    val_reward: Option<Number>,
    sharpe_ratio: Option<Number>,
    seed: Option<i64>,
    phase: Option<u32>,
    shortened: bool,
    name: Option<String>,
}

/// A name, in JSON.
#[derive(Serialize)]
struct Rendered {
    name: String,
}

pub(crate) fn run(args: &NameArgs, output: &Output) -> anyhow::Result<()> {
    match &args.command {
        NameCommand::Parse { name } => parse(name, output),
        NameCommand::Render(args) => render(args, output),
    }
}

fn parse(name: &str, output: &Output) -> anyhow::Result<()> {
    let parsed = ParsedName::parse(name)
        .map_err(|error| Failure::new("invalid", FAILED, human::shown(&error.to_string())))?;
    let label = &parsed.label;
    let answer = Parsed {
        form: parsed.form.as_str(),
        epoch: parsed.epoch,
        sequence: parsed.sequence,
        market: label.market.as_deref(),
        step: label.step,
        event: label.event.as_ref().map(|event| match event {
            EventTag::Event(event) => event.to_string(),
            EventTag::Text(text) => text.clone(),
        }),
        val_reward: label.val_reward.map(Number),
        sharpe_ratio: label.sharpe_ratio.map(Number),
        seed: label.seed,
        phase: parsed.form.phase(),
        shortened: parsed.shortened,
        name: parsed.file_name().map(|name| name.render()),
    };
    output.answer(&answer, || text(&answer))
}

fn text(parsed: &Parsed<'_>) -> String {
    let whole = |number: Option<u64>| number.map(human::count);
    let number = |number: Option<Number>| number.map(|Number(value)| value.to_string());
    let facts = [
        ("form", Some(parsed.form.to_owned())),
        ("epoch", whole(Some(parsed.epoch).filter(|epoch| *epoch > 0))),
        ("sequence", whole(parsed.sequence)),
        ("market", parsed.market.map(str::to_owned)),
        ("step", whole(parsed.step)),
        ("event", parsed.event.clone()),
        ("val_reward", number(parsed.val_reward)),
        ("sharpe_ratio", number(parsed.sharpe_ratio)),
        ("seed", parsed.seed.map(|seed| seed.to_string())),
        ("phase", parsed.phase.map(|phase| phase.to_string())),
        ("shortened", parsed.shortened.then(|| "yes: fields from the cut on are missing".to_owned())),
    ];
    let mut table = Table::default().left("").left("");
    for (what, text) in facts {
        if let Some(text) = text {
            table.row([Cell::styled(what, human::DIM), Cell::new(text)]);
        }
    }
    table.render(0)
}

fn render(args: &RenderArgs, output: &Output) -> anyhow::Result<()> {
    let label = Label {
        market: args.market.clone(),
        step: args.step,
        event: args.event.clone().map(EventTag::Event),
        val_reward: args.val_reward,
        sharpe_ratio: args.sharpe_ratio,
        seed: args.seed,
    };
    let name = match args.sequence {
        Some(sequence) => FileName { epoch: args.epoch, sequence, label }.render(),
        None if label.is_empty() => {
            return Err(Failure::usage("nothing to render: give --sequence or a field").into());
        }
        None => label.to_string(),
    };
    let answer = Rendered { name };
    output.answer(&answer, || format!("{}\n", answer.name))
}
