//! Layout `artifacts`: a directory of files that are one checkpoint, named by its operation, and the state as JSON.

use ckpt_format::{Codec, EventTag, SectionName};

use super::detect::{Source, regular};
use super::fields::Fields;
use super::said::Said;
use super::{Found, Layout, Order, Reading, Told};
use crate::error::{Error, Result};

/// The state, which its origin keeps in a database: whoever exported it put it here.
const STATE: &str = "state.json";

/// What counts the steps, and what a step is.
const STEPS: [(&str, &str); 3] = [("epoch", "epochs"), ("bar_index", "bars"), ("step", "steps")];

const METRICS: [&str; 5] = ["train_loss", "val_loss", "train_accuracy", "val_accuracy", "best_val_loss"];

/// Whether a file of that name makes a directory one of artifacts.
pub(super) fn is_artifact(name: &str) -> bool {
    name.ends_with(".pt") || name == STATE
}

pub(super) fn read(source: &Source) -> Result<Reading> {
    if source.file.is_some() {
        let path = source.path.display();
        let reason =
            format!("{path} is a file, and the layout {} one directory: give that", Layout::Artifacts);
        return Err(Error::Invalid { reason });
    }
    if source.name.ends_with(".tmp") {
        let path = source.path.display();
        return Err(Error::Invalid { reason: format!("{path} is half-written: a save was cut off") });
    }
    let mut reading = Reading::default();
    let mut said = Said::default();
    let mut sections = Vec::new();
    for entry in source.folder.list("")? {
        let name = entry.name.as_str();
        if let Err(reason) = regular(&entry) {
            reading.left.push(source.left(name, reason));
            continue;
        }
        if let Err(error) = name.parse::<SectionName>() {
            // A part of a checkpoint that is left out makes it another one.
            let path = source.folder.path(name);
            let reason = format!("{} cannot be a section: {error}; rename it", path.display());
            return Err(Error::Invalid { reason });
        }
        if name == STATE {
            let (piece, text) = source.folder.json_piece(STATE, name)?;
            if piece.codec == Codec::Raw {
                said.note(format!("{} is not JSON that others read: kept as bytes", piece.path.display()));
            }
            state(text.as_deref(), &mut said);
            sections.push(piece);
        } else {
            let piece = source.folder.piece(name, name)?;
            if piece.bytes == 0 {
                said.note(format!("{} is empty: its origin would not resume from it", piece.path.display()));
            }
            sections.push(piece);
        }
    }
    if sections.is_empty() {
        return Ok(reading);
    }
    if !said.told.contains_key("labels.operation") && !source.name.is_empty() {
        said.metadata.labels.insert("operation".to_owned(), source.name.clone());
        said.told.insert("labels.operation".to_owned(), Told::Name);
    }
    let found =
        Found::new(Layout::Artifacts, &source.name, source.path.clone(), said, sections, Order::default());
    reading.found.push(found);
    Ok(reading)
}

/// Reads the state: by itself, as a row of the origin's table, or as the answer of its server, which has the row as `data`.
fn state(text: Option<&[u8]>, said: &mut Said) {
    let Some(text) = text else {
        return said.note(format!("{STATE} is too long to be looked into: its values are not known"));
    };
    let fields = match Fields::read(text) {
        Ok(fields) => fields,
        Err(reason) => return said.note(format!("{STATE}: {reason}: its values are not known")),
    };
    let row = fields.object("data").unwrap_or(&fields);
    let state = row.object("state").unwrap_or(row);
    for (name, unit) in STEPS {
        if said.metadata.position.step.is_none() {
            said.step(state.whole(name), unit, Told::Companion);
        }
    }
    for metric in METRICS {
        said.metric(metric, state.number(metric), Told::Companion);
    }
    said.phase(state.text("phase").map(str::to_owned), Told::Companion);
    let event = row.text("checkpoint_type").map(EventTag::from_text);
    said.event(event.as_ref(), Told::Companion);
    if let Some(moment) = row.moment("created_at") {
        said.metadata.created_at = moment;
        said.told.insert("created_at".to_owned(), Told::Companion);
    }
    if let Some(operation) = row.text("operation_id") {
        said.metadata.labels.insert("operation".to_owned(), operation.to_owned());
        said.told.insert("labels.operation".to_owned(), Told::Companion);
    }
    let known: Vec<&str> = STEPS
        .iter()
        .map(|(name, _)| *name)
        .chain(METRICS)
        .chain(["phase", "checkpoint_type", "created_at", "operation_id", "artifacts_path"])
        .collect();
    said.rest(state, &known);
}
