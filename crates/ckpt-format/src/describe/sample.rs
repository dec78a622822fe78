//! Samples made from a schema: every field held, each with a value of its own, every variant of every enum in one of them.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::version::schema_of;
use super::walk::{array, is_null, is_root, reference};
use crate::json;

/// Variants of one enum that are told apart; a type with more is not read from a table.
const VARIANTS_MAX: usize = 1000;

/// Values of a type as its schema describes them; those that the type does not accept are left out.
pub(super) fn samples<T: JsonSchema + DeserializeOwned>() -> Vec<T> {
    let schema = schema_of::<T>();
    let nothing = Map::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&nothing);
    let mut maker = Maker { root: &schema, definitions, turn: 0, variants: 1, number: 0, open: Vec::new() };
    let mut samples = Vec::new();
    // How many variants there are is known when the first sample was made.
    while maker.turn < maker.variants.min(VARIANTS_MAX) {
        maker.number = 0;
        let document = maker.value(&schema, None);
        samples.extend(json::from_slice(document.to_string().as_bytes()).ok().map(|(value, _)| value));
        maker.turn += 1;
    }
    samples
}

struct Maker<'a> {
    root: &'a Value,
    definitions: &'a Map<String, Value>,
    /// Which variant each enum takes.
    turn: usize,
    /// The most variants that an enum has.
    variants: usize,
    /// Counts the values, so that no two are the same.
    number: u32,
    /// Types that are being made, so that one that holds itself ends.
    open: Vec<&'a str>,
}

impl<'a> Maker<'a> {
    /// A value other than the default.
    fn value(&mut self, schema: &'a Value, default: Option<&Value>) -> Value {
        let default = schema.get("default").or(default);
        if let Some(name) = reference(schema).or(is_root(schema).then_some("#")) {
            let definition = if name == "#" { Some(self.root) } else { self.definitions.get(name) };
            let Some(definition) = definition else { return Value::Null };
            self.open.push(name);
            let value = self.value(definition, default);
            self.open.pop();
            return value;
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(only) = array(schema, "allOf").and_then(|all| all.first()) {
            return self.value(only, default);
        }
        if let Some(names) = array(schema, "enum") {
            let names: Vec<&Value> = names.iter().filter(|name| !name.is_null()).collect();
            return self
                .choose(names.len())
                .and_then(|index| names.get(index).copied().cloned())
                .unwrap_or_default();
        }
        if let Some(parts) = array(schema, "anyOf").or_else(|| array(schema, "oneOf")) {
            return self.one_of(parts, default);
        }
        let name = match schema.get("type") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
            other => other.and_then(Value::as_str),
        };
        match name.unwrap_or("null") {
            "boolean" => Value::Bool(default != Some(&Value::Bool(true))),
            "integer" => self.integer(schema, default),
            "number" => self.float(schema, default),
            "string" => self.text(schema),
            "array" => self.list(schema),
            "object" => self.object(schema),
            _ => Value::Null,
        }
    }

    /// Whether the innermost type that is being made is inside itself.
    fn is_again(&self) -> bool {
        self.open.split_last().is_some_and(|(last, before)| before.contains(last))
    }

    /// The variant whose turn it is, of so many.
    fn choose(&mut self, count: usize) -> Option<usize> {
        if self.is_again() {
            return Some(0);
        }
        self.variants = self.variants.max(count);
        self.turn.checked_rem(count)
    }

    fn one_of(&mut self, parts: &'a [Value], default: Option<&Value>) -> Value {
        let nullable = parts.iter().any(is_null);
        let parts: Vec<&'a Value> = parts.iter().filter(|part| !is_null(part)).collect();
        if nullable && self.is_again() {
            return Value::Null;
        }
        if let [only] = parts.as_slice() {
            return self.value(only, default);
        }
        // Variants without data and words share one entry.
        let weights: Vec<usize> =
            parts.iter().map(|part| array(part, "enum").map_or(1, <[Value]>::len)).collect();
        let Some(mut index) = self.choose(weights.iter().sum()) else { return Value::Null };
        for (part, weight) in parts.iter().zip(weights) {
            if index < weight {
                return match array(part, "enum") {
                    Some(names) => names.get(index).cloned().unwrap_or_default(),
                    None => self.value(part, None),
                };
            }
            index -= weight;
        }
        Value::Null
    }

    fn list(&mut self, schema: &'a Value) -> Value {
        if let Some(elements) = array(schema, "prefixItems") {
            return elements.iter().map(|element| self.value(element, None)).collect();
        }
        let Some(items) = schema.get("items").filter(|_| !self.is_again()) else { return json!([]) };
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).max(1);
        (0..least).map(|_| self.value(items, None)).collect()
    }

    fn object(&mut self, schema: &'a Value) -> Value {
        if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
            return fields.iter().map(|(name, field)| (name.clone(), self.value(field, None))).collect();
        }
        let by_pattern = schema.get("patternProperties").and_then(Value::as_object);
        let by_pattern = by_pattern.and_then(|patterns| patterns.values().next());
        let values =
            by_pattern.or_else(|| schema.get("additionalProperties").filter(|values| values.is_object()));
        let Some(values) = values.filter(|_| !self.is_again()) else { return json!({}) };
        // The keys of a map with a pattern are numbers.
        let number = self.next();
        let key = if by_pattern.is_some() { number.to_string() } else { format!("key-{number}") };
        json!({ key: self.value(values, None) })
    }

    fn next(&mut self) -> u32 {
        self.number += 1;
        self.number
    }

    fn text(&mut self, schema: &Value) -> Value {
        let text = format!("text-{}", self.next());
        match schema.get("maxLength").and_then(Value::as_u64) {
            Some(most) => text.chars().rev().take(most as usize).collect::<String>().into(),
            None => text.into(),
        }
    }

    fn integer(&mut self, schema: &Value, default: Option<&Value>) -> Value {
        let bound = |word: &str| schema.get(word).and_then(Value::as_i64);
        let least =
            bound("minimum").or(bound("exclusiveMinimum").map(|bound| bound.saturating_add(1))).unwrap_or(0);
        let of_type = match schema.get("format").and_then(Value::as_str) {
            Some("int8") => i64::from(i8::MAX),
            Some("uint8") => i64::from(u8::MAX),
            _ => i64::from(i16::MAX),
        };
        let most = bound("maximum").or(bound("exclusiveMaximum").map(|bound| bound.saturating_sub(1)));
        let most = most.unwrap_or_else(|| least.saturating_add(of_type)).max(least);
        let least = if bound("minimum") == Some(i64::from(i8::MIN)) { 0 } else { least };
        let span = most.saturating_sub(least).saturating_add(1).max(1);
        let value =
            |number: i64| Value::from(least.saturating_add(number.checked_rem(span).unwrap_or_default()));
        let number = i64::from(self.next());
        if Some(&value(number)) == default { value(number.saturating_add(1)) } else { value(number) }
    }

    /// Within its bounds, not on them.
    fn float(&mut self, schema: &Value, default: Option<&Value>) -> Value {
        let bound =
            |one: &str, other: &str| schema.get(one).or_else(|| schema.get(other)).and_then(Value::as_f64);
        let (least, most) = (bound("minimum", "exclusiveMinimum"), bound("maximum", "exclusiveMaximum"));
        let value = |number: u32| {
            // Eighths are exact in an f32 too.
            let eighths = f64::from(number) + 0.125;
            Value::from(match (least, most) {
                (Some(least), Some(most)) => least + (most - least) * eighths.rem_euclid(128.0) / 128.0,
                (Some(least), None) => least + eighths,
                (None, Some(most)) => most - eighths,
                (None, None) => eighths,
            })
        };
        let number = self.next();
        if Some(&value(number)) == default { value(number + 1) } else { value(number) }
    }
}
