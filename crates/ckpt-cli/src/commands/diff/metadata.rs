//! What two checkpoints say about themselves, and where they disagree.

use std::collections::BTreeSet;

use ckpt::Metadata;
use serde::Serialize;
use serde_json::Value;

use super::paths;
use crate::human;
use crate::json::{self, Number};
use crate::table::Cell;

/// Fields that differ are named up to this many: extra fields can be any JSON.
const FIELDS_MAX: usize = 200;

/// A field of the metadata that differs, in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct FieldChange {
    pub(crate) field: String,
    pub(crate) a: Option<Value>,
    pub(crate) b: Option<Value>,
}

/// A metric of either, in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct MetricChange {
    name: String,
    a: Option<Number>,
    b: Option<Number>,
    delta: Option<Number>,
}

/// The fields that differ. Metrics have a place of their own; that sequence and process differ goes without saying.
pub(crate) fn fields(a: &Metadata, b: &Metadata) -> anyhow::Result<Vec<FieldChange>> {
    let value = |metadata: &Metadata| {
        let mut value = json::metadata(metadata)?;
        if let Some(metrics) = value.get_mut("metrics").and_then(Value::as_object_mut) {
            metrics.remove("values");
        }
        if let Some(fields) = value.as_object_mut() {
            fields.remove("sequence");
        }
        if let Some(writer) = value.get_mut("writer").and_then(Value::as_object_mut) {
            writer.remove("pid");
            writer.remove("boot_id");
        }
        anyhow::Ok(value)
    };
    let changes = paths::compare(&value(a)?, &value(b)?, FIELDS_MAX);
    Ok(changes
        .shown
        .into_iter()
        .map(|change| FieldChange { field: change.path, a: change.a, b: change.b })
        .collect())
}

/// The metrics that differ, bit for bit.
pub(crate) fn metrics(a: &Metadata, b: &Metadata) -> Vec<MetricChange> {
    let names: BTreeSet<&String> = a.metrics.values.keys().chain(b.metrics.values.keys()).collect();
    let change = |name: &String| {
        let (a, b) = (a.metrics.get(name), b.metrics.get(name));
        (a.map(f64::to_bits) != b.map(f64::to_bits)).then(|| MetricChange {
            name: name.clone(),
            a: a.map(Number),
            b: b.map(Number),
            delta: a.zip(b).map(|(a, b)| Number(b - a)),
        })
    };
    names.into_iter().filter_map(change).collect()
}

impl MetricChange {
    /// Its line.
    pub(super) fn cells(&self) -> [Cell; 5] {
        let text = |number: Option<Number>| {
            number.map_or_else(|| "-".to_owned(), |Number(value)| human::number(value))
        };
        let delta = self.delta.map(|Number(delta)| {
            let sign = if delta > 0.0 { "+" } else { "" };
            format!("({sign}{})", human::number(delta))
        });
        let delta = Cell::new(delta.unwrap_or_default());
        [Cell::new(&self.name), Cell::new(text(self.a)), Cell::new("->"), Cell::new(text(self.b)), delta]
    }
}
