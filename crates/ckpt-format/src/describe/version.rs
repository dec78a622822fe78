//! One version of a kind: what its type can be asked for, and the answers.

use std::collections::{BTreeMap, BTreeSet};

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Described;
use super::compare::{difference, first_loss};
use super::order::Order;
use super::refusal::{Refusal, Rule};
use super::removal::{self, Removal};
use super::shape::Shape;
use super::trace::{Calls, Untraced, keys, trace};
use super::walk::{Found, Owner, walk};
use crate::codec::{Codec, EncodeError};
use crate::json;
use crate::migrate::{LoadError, LoadReport};
use crate::section::EncodedSection;

/// Samples that one version may have.
const SAMPLES_MAX: usize = 1000;

/// What a type can be asked for, without its type.
#[derive(Clone, Copy)]
pub struct Version {
    pub(super) kind: &'static str,
    pub(super) number: u32,
    pub(super) codec: Codec,
    schema: fn() -> Value,
    samples: fn() -> Result<Vec<EncodedSection>, EncodeError>,
    read: fn(&EncodedSection) -> Result<(Value, LoadReport), ReadError>,
    texts: fn() -> Vec<Vec<u8>>,
    trace: fn(&[Value]) -> Result<Calls, Untraced>,
    keys: fn(&[Value]) -> Calls,
}

/// Why a section did not become a document.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("{}", chain(.0))]
    Load(#[from] LoadError),
    #[error("it can't be shown as JSON: {0}")]
    Json(#[from] json::RefusedValue),
}

/// The JSON Schema of a type as it is read.
pub(super) fn schema_of<T: schemars::JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>().to_value()
}

/// A value as a JSON document, floats that are not finite as their strings.
pub(super) fn document<T: serde::Serialize>(value: &T) -> Result<Value, json::RefusedValue> {
    let text = json::to_vec(value)?;
    Ok(serde_json::from_slice(&text).unwrap_or_default())
}

fn encoded_samples<T: Described>() -> Result<Vec<EncodedSection>, EncodeError> {
    let samples = T::samples();
    let encode = |(index, sample)| EncodedSection::encode(&format!("sample-{:03}", index + 1), sample);
    samples.iter().take(SAMPLES_MAX).enumerate().map(encode).collect()
}

/// An error with what led to it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Everything that is known of a version.
pub(super) struct Description {
    pub(super) version: Version,
    pub(super) schema: Value,
    pub(super) shape: Shape,
    pub(super) found: Vec<Found>,
    pub(super) order: Order,
    pub(super) sections: Vec<EncodedSection>,
    /// The samples as JSON.
    pub(super) documents: Vec<Value>,
    /// What the report of a load of each of them names, though nothing was removed.
    reported: Vec<Vec<String>>,
    pub(super) removals: Vec<Removal>,
    /// What is wrong with the type by itself.
    pub(super) refusals: Vec<Refusal>,
}

/// What is known of the defaults of structs.
pub(super) struct Defaults<'a> {
    /// The `Default` of the stored type itself, if it is the newest version and has one.
    pub(super) own: Option<&'a Value>,
    /// Those of structs inside, by the names of their schemas.
    pub(super) parts: &'a BTreeMap<String, Value>,
    /// Whether they are held against what arrives: for the newest version only.
    pub(super) judged: bool,
}

impl Version {
    pub(super) fn of<T: Described>() -> Self {
        Self {
            kind: T::KIND,
            number: T::VERSION,
            codec: T::CODEC,
            schema: schema_of::<T>,
            samples: encoded_samples::<T>,
            read: |section| {
                let loaded = section.load::<T>()?;
                Ok((document(&loaded.value)?, loaded.report))
            },
            texts: || T::samples().iter().filter_map(|sample| json::to_vec(sample).ok()).collect(),
            trace: trace::<T>,
            keys: keys::<T>,
        }
    }

    pub(super) fn read(&self, section: &EncodedSection) -> Result<(Value, LoadReport), ReadError> {
        (self.read)(section)
    }

    pub(super) fn describe(self, defaults: &Defaults<'_>) -> Description {
        let schema = (self.schema)();
        let found = walk(&schema);
        let mut order = Order::default();
        (self.texts)().iter().for_each(|text| order.read(text));
        let shape = Shape { codec: self.codec.name().to_owned(), ..Shape::default() };
        let mut description = Description {
            version: self,
            schema,
            shape,
            found,
            order,
            sections: Vec::new(),
            documents: Vec::new(),
            reported: Vec::new(),
            removals: Vec::new(),
            refusals: Vec::new(),
        };
        description.take_samples();
        if self.codec.is_json() {
            description.take_keys();
            description.remove_fields();
            if defaults.judged {
                description.judge_defaults(defaults);
            }
        } else {
            description.take_trace();
        }
        let fields = description.found.iter();
        description.shape.fields =
            fields.map(|found| (found.place.to_string(), found.field.clone())).collect();
        description
    }
}

impl Description {
    fn refuse(&mut self, path: &str, rule: Rule) {
        let (kind, version) = (self.version.kind.to_owned(), self.version.number);
        self.refusals.push(Refusal { kind, version, path: path.to_owned(), rule });
    }

    fn take_samples(&mut self) {
        match (self.version.samples)() {
            Ok(sections) => self.sections = sections,
            Err(error) => self.refuse("$", Rule::NotDescribed { reason: chain(&error) }),
        }
        if self.sections.is_empty() && self.refusals.is_empty() {
            let reason =
                "it has no samples, or accepts none of those made from its schema: write `samples()`"
                    .to_owned();
            self.refuse("$", Rule::NotDescribed { reason });
        }
        for index in 0..self.sections.len() {
            match self.version.read(&self.sections[index]) {
                Ok((document, report)) => {
                    self.documents.push(document);
                    self.reported.push(report.defaulted.paths().to_vec());
                }
                Err(error) => self.refuse("$", Rule::NotDescribed { reason: error.to_string() }),
            }
        }
    }

    /// Each field out of a sample, and what arrives in its place is its default.
    fn remove_fields(&mut self) {
        if self.documents.is_empty() {
            return;
        }
        let left_out = self.refuse_reported();
        for index in 0..self.found.len() {
            if !self.found[index].removable {
                self.check_held(index);
                continue;
            }
            match removal::remove(&self.version, &self.found[index].place, &self.documents, &self.reported) {
                Ok(removal) => {
                    self.found[index].field.default.clone_from(&removal.arrives);
                    self.removals.push(removal);
                }
                // Another sample would not hold it either.
                Err(Rule::NotInSamples) if left_out.contains(&index) => {}
                Err(rule) => {
                    let path = self.found[index].place.to_string();
                    self.refuse(&path, rule);
                }
            }
        }
    }

    /// What loads report as missing though nothing was removed, refused by its cause; the fields among them.
    fn refuse_reported(&mut self) -> BTreeSet<usize> {
        let mut left_out = BTreeSet::new();
        for path in self.reported.clone().into_iter().flatten() {
            let Some(index) = self.found.iter().position(|found| found.place.leads_to(&path)) else {
                self.refuse(&path, Rule::AlwaysReported);
                continue;
            };
            let Found { place, never_written, .. } = &self.found[index];
            let rule = if *never_written { Rule::NeverWritten } else { Rule::SometimesWritten };
            let path = place.to_string();
            if left_out.insert(index) {
                self.refuse(&path, rule);
            }
        }
        left_out
    }

    /// Variants that no sample is, are neither in a golden file nor known to be readable.
    fn check_held(&mut self, index: usize) {
        let place = &self.found[index].place;
        if !place.ends_in_variant() || self.documents.iter().any(|document| place.is_in(document)) {
            return;
        }
        let path = place.to_string();
        self.refuse(&path, Rule::NotInSamples);
    }

    fn judge_defaults(&mut self, defaults: &Defaults<'_>) {
        let mut refused = Vec::new();
        for found in &self.found {
            let Some(arrives) = &found.field.default else { continue };
            // What the stored type itself has there is right, whatever the struct inside has elsewhere.
            let there = defaults.own.and_then(|own| found.place.value_in(own));
            if there.is_some_and(|own| first_loss(own, arrives, "").is_none()) {
                continue;
            }
            let (own, part) = match &found.owner {
                Owner::Root => (defaults.own.and_then(|own| own.get(found.place.field_after(0)?)), None),
                Owner::Part(name, depth) => {
                    let part = defaults.parts.get(name);
                    (
                        part.and_then(|own| own.get(found.place.field_after(*depth)?)),
                        Some((name, part.is_some())),
                    )
                }
                Owner::Nobody => (None, None),
            };
            let is_option = found.field.type_name.starts_with("option of ");
            let rule = match (own, part) {
                (Some(own), _) if first_loss(own, arrives, "").is_none() => continue,
                (Some(own), _) if is_zero(arrives) => {
                    Rule::ZeroDefault { arrives: arrives.clone(), own: own.clone() }
                }
                (Some(own), _) => Rule::OtherDefault { arrives: arrives.clone(), own: own.clone() },
                // The zero of an enum is the name of a variant.
                (None, Some((part, false))) if (is_zero(arrives) || arrives.is_string()) && !is_option => {
                    Rule::UnknownPart { arrives: arrives.clone(), part: part.clone() }
                }
                _ => continue,
            };
            refused.push((found.place.to_string(), rule));
        }
        for (path, rule) in refused {
            self.refuse(&path, rule);
        }
    }

    /// The `Default`, saved and loaded, is itself: a field that is left out of the text where it is nothing, and has no default,
    /// is in every sample.
    pub(super) fn check_cold_start(&mut self, own: &Value, saved: Result<EncodedSection, EncodeError>) {
        // A type that is not in order by itself is told by what is wrong with it.
        if !self.refusals.is_empty() {
            return;
        }
        let reason = match saved.map(|section| self.version.read(&section)) {
            Ok(Ok((document, _))) if document == *own => return,
            Ok(Ok((document, _))) => {
                let place =
                    difference(own, &document, "", true).map_or_else(String::new, |(place, ..)| place);
                format!("`{place}` is another then")
            }
            Ok(Err(error)) => error.to_string(),
            Err(error) => chain(&error),
        };
        self.refuse("$", Rule::ColdStart { reason });
    }

    /// For JSON only the keys of maps: a schema says that they are text, or numbers of any width.
    fn take_keys(&mut self) {
        let calls = (self.version.keys)(&self.documents);
        let keys = calls.into_iter().filter(|(path, _)| path.ends_with("{key}"));
        self.shape.keys = keys.collect();
    }

    fn take_trace(&mut self) {
        match (self.version.trace)(&self.documents) {
            Ok(trace) => self.shape.trace = trace,
            Err(Untraced { path, reason }) => {
                let reason =
                    format!("{reason} (its calls are read with the values of the samples, and zeros)");
                self.refuse(&path, Rule::NotDescribed { reason });
            }
        }
    }
}

/// What the `Default` of a number, a list, a text ... is.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.iter().all(is_zero),
        Value::Object(fields) => fields.values().all(is_zero),
    }
}
