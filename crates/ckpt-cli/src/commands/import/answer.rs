//! What was imported, or would be.

use std::collections::BTreeMap;
use std::path::Path;

use ckpt::legacy::{Found, Layout, Left, Piece, Taken, Verdict};
use ckpt::{Digest, Event, Saved, Status, Timestamp};
use serde::Serialize;

use super::Part;
use crate::commands::list;
use crate::human;
use crate::json::{self, Labels, Metrics};
use crate::output::Output;
use crate::table::{Cell, Table};

/// Everything that there is to say.
pub(super) struct Answer<'a> {
    pub(super) path: &'a Path,
    pub(super) layout: Layout,
    pub(super) dry_run: bool,
    pub(super) parts: &'a [Part],
    /// Of each part, what became of each checkpoint.
    pub(super) outcomes: &'a [Vec<Outcome>],
    pub(super) left: &'a [Left],
}

/// What became of a checkpoint, or would.
pub(super) enum Outcome {
    Wanted,
    There(u64),
    Saved(Saved),
}

impl Outcome {
    pub(super) fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Import => Self::Wanted,
            Verdict::There { sequence } => Self::There(sequence),
        }
    }

    pub(super) fn saved(&self) -> Option<&Saved> {
        match self {
            Self::Saved(saved) => Some(saved),
            _ => None,
        }
    }

    fn verdict(&self) -> &'static str {
        match self {
            Self::There(_) => "there",
            Self::Wanted | Self::Saved(_) => "import",
        }
    }

    fn sequence(&self) -> Option<u64> {
        match self {
            Self::Wanted => None,
            Self::There(sequence) => Some(*sequence),
            Self::Saved(saved) => Some(saved.sequence),
        }
    }
}

impl From<Taken> for Outcome {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Saved(saved) => Self::Saved(saved),
            Taken::There { sequence } => Self::There(sequence),
        }
    }
}

/// A plan in JSON.
#[derive(Serialize)]
struct PlanObject<'a> {
    path: String,
    layout: &'a str,
    dry_run: bool,
    runs: Vec<RunObject<'a>>,
    left: Vec<LeftObject<'a>>,
}

/// What goes into one run.
#[derive(Serialize)]
struct RunObject<'a> {
    run: String,
    created: bool,
    checkpoints: Vec<Row<'a>>,
}

/// One checkpoint.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    path: String,
    verdict: &'a str,
    sequence: Option<u64>,
    file: Option<&'a str>,
    stored_bytes: Option<u64>,
    market: Option<&'a str>,
    phase: Option<&'a str>,
    step: Option<u64>,
    unit: Option<&'a str>,
    events: Vec<&'a Event>,
    status: Status,
    metrics: Metrics<'a>,
    labels: Labels<'a>,
    seed: Option<i64>,
    created_at: Option<Timestamp>,
    told: BTreeMap<&'a str, &'a str>,
    sections: Vec<SectionObject<'a>>,
    digest: Digest,
    notes: &'a [String],
}

/// One file of it.
#[derive(Serialize)]
struct SectionObject<'a> {
    name: &'a str,
    path: String,
    codec: &'a str,
    bytes: u64,
    digest: Digest,
}

/// Something that stays where it is.
#[derive(Serialize)]
struct LeftObject<'a> {
    path: String,
    reason: &'a str,
}

impl Answer<'_> {
    pub(super) fn tell(&self, output: &Output) -> anyhow::Result<()> {
        let runs = self.parts.iter().zip(self.outcomes).map(|(part, outcomes)| RunObject {
            run: part.path.display().to_string(),
            created: !part.is_run,
            checkpoints: part.plan.found.iter().zip(outcomes).map(|pair| row(pair.0, pair.1)).collect(),
        });
        let left = self.left.iter();
        let left =
            left.map(|left| LeftObject { path: left.path.display().to_string(), reason: &left.reason });
        let object = PlanObject {
            path: self.path.display().to_string(),
            layout: self.layout.as_str(),
            dry_run: self.dry_run,
            runs: runs.collect(),
            left: left.collect(),
        };
        output.answer(&object, || self.text())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let (head, dim) = (human::HEAD, human::DIM);
        for (part, outcomes) in self.parts.iter().zip(self.outcomes) {
            let path = part.path.display().to_string();
            let is_new = if part.is_run { "" } else { "  new" };
            text.push_str(&format!("{head}{}{head:#}{dim}{is_new}{dim:#}\n", human::shown(&path)));
            text.push_str(&table(&part.plan.found, outcomes));
        }
        if !self.left.is_empty() {
            text.push_str(&format!("{head}not imported{head:#}\n"));
            let mut table = Table::default().left("").left("");
            for left in self.left {
                let path = left.path.display().to_string();
                table.row([Cell::new(path), Cell::styled(&left.reason, human::DIM)]);
            }
            text.push_str(&table.render(2));
        }
        text + &self.summary()
    }

    fn summary(&self) -> String {
        let all = || self.outcomes.iter().flatten();
        let there = all().filter(|outcome| matches!(outcome, Outcome::There(_))).count();
        let did = if self.dry_run { "would import" } else { "imported" };
        let checkpoints = human::plural(all().count().saturating_sub(there), "checkpoint");
        let mut text = format!("{did} {checkpoints} of the layout {}", self.layout);
        if there > 0 {
            text.push_str(&format!(", {there} imported before"));
        }
        if !self.left.is_empty() {
            text.push_str(&format!(", {} left alone", human::plural(self.left.len(), "name")));
        }
        text + "\n"
    }
}

fn table(found: &[Found], outcomes: &[Outcome]) -> String {
    let mut table = Table::default()
        .left("")
        .right("seq")
        .left("was")
        .left("market")
        .left("phase")
        .left("event")
        .right("step")
        .left("metrics")
        .right("size");
    for (found, outcome) in found.iter().zip(outcomes) {
        let metadata = &found.metadata;
        let text = |text: &Option<String>| Cell::new(text.as_deref().unwrap_or_default());
        let events: Vec<&Event> = json::events(metadata).collect();
        let sequence = outcome.sequence().map(|sequence| sequence.to_string());
        table.row([
            Cell::styled(outcome.verdict(), human::DIM),
            Cell::styled(sequence.unwrap_or_default(), human::HEAD),
            Cell::new(&found.name),
            text(&metadata.market),
            text(&metadata.phase),
            Cell::new(json::strongest(&events).map(ToString::to_string).unwrap_or_default()),
            Cell::new(list::progress(metadata)),
            Cell::new(list::metrics(metadata)),
            Cell::new(human::size(found.sections.iter().map(|piece| piece.bytes).sum())),
        ]);
    }
    table.render(2)
}

fn row<'a>(found: &'a Found, outcome: &'a Outcome) -> Row<'a> {
    let metadata = &found.metadata;
    let saved = outcome.saved();
    Row {
        name: &found.name,
        path: found.path.display().to_string(),
        verdict: outcome.verdict(),
        sequence: outcome.sequence(),
        file: saved.map(|saved| saved.file_name.as_str()),
        stored_bytes: saved.map(|saved| saved.stored_bytes),
        market: metadata.market.as_deref(),
        phase: metadata.phase.as_deref(),
        step: metadata.position.step,
        unit: metadata.position.unit.as_deref(),
        events: json::events(metadata).collect(),
        status: metadata.status,
        metrics: Metrics(Some(&metadata.metrics.values)),
        labels: Labels(Some(&metadata.labels)),
        seed: metadata.seed,
        created_at: Some(metadata.created_at).filter(|moment| *moment != Timestamp::default()),
        told: found.told.iter().map(|(field, told)| (field.as_str(), told.as_str())).collect(),
        sections: found.sections.iter().map(section).collect(),
        digest: found.digest,
        notes: &found.notes,
    }
}

fn section(piece: &Piece) -> SectionObject<'_> {
    SectionObject {
        name: &piece.section,
        path: piece.path.display().to_string(),
        codec: piece.codec.name(),
        bytes: piece.bytes,
        digest: piece.digest,
    }
}
