//! The JSON that commands print: `docs/json.md`.

use std::collections::BTreeMap;

use ckpt::{Digest, Entry, Event, Metadata, Skipped, State, Status, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::human;

/// A number; those that JSON has not are the strings `"NaN"`, `"Infinity"`, `"-Infinity"`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.serialize_str(human::non_finite(self.0))
        }
    }
}

/// The checkpoints of a listing, each turned into its row when it is written: there may be a hundred thousand.
#[derive(Debug)]
pub(crate) struct Rows<'a>(pub(crate) &'a [Entry]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Row::of))
    }
}

/// A checkpoint in a listing.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    pub(crate) sequence: u64,
    epoch: u64,
    name: &'a str,
    event: Option<&'a Event>,
    events: Vec<&'a Event>,
    step: Option<u64>,
    total: Option<u64>,
    unit: Option<&'a str>,
    progress_pct: Option<f64>,
    status: Option<Status>,
    metrics: Metrics<'a>,
    labels: Labels<'a>,
    market: Option<&'a str>,
    seed: Option<i64>,
    created_at: Option<Timestamp>,
    stored_bytes: u64,
    raw_bytes: Option<u64>,
    content_digest: Option<Digest>,
    pinned: bool,
    state: State,
}

impl<'a> Row<'a> {
    pub(crate) fn of(entry: &'a Entry) -> Self {
        let metadata = entry.metadata();
        let position = entry.position();
        let events: Vec<&Event> = metadata.map(|metadata| events(metadata).collect()).unwrap_or_default();
        let text = |text: &'a Option<String>| text.as_deref();
        Self {
            sequence: entry.sequence,
            epoch: entry.epoch,
            name: &entry.file_name,
            event: strongest(&events),
            events,
            step: position.and_then(|position| position.step),
            total: position.and_then(|position| position.total),
            unit: position.and_then(|position| text(&position.unit)),
            progress_pct: position.and_then(|position| position.progress_pct()),
            status: entry.status(),
            metrics: Metrics(metadata.map(|metadata| &metadata.metrics.values)),
            labels: Labels(metadata.map(|metadata| &metadata.labels)),
            market: metadata.and_then(|metadata| text(&metadata.market)),
            seed: metadata.and_then(|metadata| metadata.seed),
            created_at: entry.created_at(),
            stored_bytes: entry.stored_bytes,
            raw_bytes: entry.details.as_ref().map(|details| details.raw_bytes),
            content_digest: entry.details.as_ref().map(|details| details.content_digest),
            pinned: entry.pinned,
            state: entry.state,
        }
    }
}

/// Metrics by name; none if nothing is known of them.
#[derive(Debug)]
pub(crate) struct Metrics<'a>(pub(crate) Option<&'a BTreeMap<String, f64>>);

impl Serialize for Metrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.into_iter().flatten().map(|(name, value)| (name, Number(*value))))
    }
}

/// Labels by key; none if nothing is known of them.
#[derive(Debug)]
pub(crate) struct Labels<'a>(pub(crate) Option<&'a BTreeMap<String, String>>);

impl Serialize for Labels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.into_iter().flatten())
    }
}

/// A checkpoint that was passed over.
#[derive(Debug, Serialize)]
pub(crate) struct SkippedRow<'a> {
    sequence: u64,
    reason: &'a str,
}

/// All that were passed over.
pub(crate) fn skipped(skipped: &[Skipped]) -> Vec<SkippedRow<'_>> {
    skipped.iter().map(|skipped| SkippedRow { sequence: skipped.sequence, reason: &skipped.reason }).collect()
}

/// The metadata of a checkpoint as JSON, its numbers and texts in their output form.
pub(crate) fn metadata(metadata: &Metadata) -> anyhow::Result<Value> {
    Ok(output_form(serde_json::from_slice(&metadata.encode()?)?))
}

/// Turns what the codec wrote into output: bits of floats into numbers and words, `~~` into `~`.
pub(crate) fn output_form(value: Value) -> Value {
    match value {
        Value::String(text) => output_text(text),
        Value::Array(items) => Value::Array(items.into_iter().map(output_form).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (output_name(name), output_form(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn output_text(text: String) -> Value {
    let bits = |digits: usize, prefix: &str| {
        let hex = text.strip_prefix(prefix).filter(|hex| hex.len() == digits)?;
        u64::from_str_radix(hex, 16).ok()
    };
    let float = bits(16, "~f64:").map(f64::from_bits).or_else(|| {
        bits(8, "~f32:").and_then(|bits| u32::try_from(bits).ok()).map(|bits| f32::from_bits(bits).into())
    });
    match float {
        Some(value) => serde_json::to_value(Number(value)).unwrap_or(Value::Null),
        None => Value::String(output_name(text)),
    }
}

fn output_name(text: String) -> String {
    if text.starts_with("~~") { text.get(1..).unwrap_or_default().to_owned() } else { text }
}

/// The events of a checkpoint, in order.
pub(crate) fn events(metadata: &Metadata) -> impl Iterator<Item = &Event> {
    metadata.events.iter().map(|cause| &cause.event)
}

/// The event that a file name shows: the strongest, of equals the first.
pub(crate) fn strongest<'a>(events: &[&'a Event]) -> Option<&'a Event> {
    events.iter().rev().copied().max_by_key(|event| event.strength())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_that_json_has_not_are_words() {
        let numbers = [0.5, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(Number);
        let text = serde_json::to_string(&numbers).unwrap();
        assert_eq!(text, r#"[0.5,-0.0,"NaN","Infinity","-Infinity"]"#);
    }

    #[test]
    fn what_the_codec_wrote_is_read_as_it_was_meant() {
        let written = json!({"a": "~f64:7ff0000000000000", "~~b": ["~~f64:x", "~f32:ff800000", "c", 1]});
        assert_eq!(output_form(written), json!({"a": "Infinity", "~b": ["~f64:x", "-Infinity", "c", 1]}));
    }

    #[test]
    fn metadata_keeps_infinite_metrics() {
        let mut metadata = Metadata::default();
        metadata.metrics.set("loss", f64::NAN);
        metadata.extra.insert("note".to_owned(), json!("~x"));
        let value = super::metadata(&metadata).unwrap();
        assert_eq!(value["metrics"]["values"]["loss"], json!("NaN"));
        assert_eq!(value["extra"]["note"], json!("~x"));
    }
}
