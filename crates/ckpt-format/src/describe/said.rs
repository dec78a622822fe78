//! What a schema says of a number, a text or a list beside its type: unit and range.

use serde_json::{Map, Value};

/// Unit and range.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) unit: Option<String>,
    pub(super) range: Map<String, Value>,
}

impl Said {
    pub(super) fn of(schema: &Value) -> Self {
        Self { unit: unit(schema), range: range(schema) }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.unit.is_none() && self.range.is_empty()
    }

    /// What another says that this one does not.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.unit = self.unit.or(other.unit);
        for (word, bound) in other.range {
            self.range.entry(word).or_insert(bound);
        }
        self
    }
}

fn unit(schema: &Value) -> Option<String> {
    schema.get("x-unit").map(|unit| unit.as_str().map_or_else(|| unit.to_string(), str::to_owned))
}

const BOUNDS: [&str; 12] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
];

/// The bounds that a type's name does not say already.
fn range(schema: &Value) -> Map<String, Value> {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let fixed = schema.get("minItems").is_some() && schema.get("minItems") == schema.get("maxItems");
    let of_the_type = |word: &str, bound: &Value| match word {
        "minItems" | "maxItems" => fixed,
        "minimum" => bound.as_f64() == lowest(format),
        "maximum" => bound.as_f64() == highest(format),
        _ => false,
    };
    let bounds = BOUNDS.iter().filter_map(|word| Some((*word, schema.get(*word)?)));
    bounds
        .filter(|(word, bound)| !of_the_type(word, bound))
        .map(|(word, bound)| (word.to_owned(), bound.clone()))
        .collect()
}

fn lowest(format: &str) -> Option<f64> {
    match format {
        "int8" => Some(i8::MIN.into()),
        "int16" => Some(i16::MIN.into()),
        "int32" => Some(i32::MIN.into()),
        _ => format.starts_with("uint").then_some(0.0),
    }
}

fn highest(format: &str) -> Option<f64> {
    match format {
        "int8" => Some(i8::MAX.into()),
        "int16" => Some(i16::MAX.into()),
        "int32" => Some(i32::MAX.into()),
        "uint8" => Some(u8::MAX.into()),
        "uint16" => Some(u16::MAX.into()),
        "uint32" => Some(u32::MAX.into()),
        _ => None,
    }
}
