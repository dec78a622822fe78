//! YAML to a tree with lines. The only file that names the parser.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Spanned, from_str_with_options};

use super::tree::{Fault, Key, Node, Value};

/// Reads one document.
///
/// # Errors
/// When it is not YAML: where and why. Aliases that would grow beyond bounds are among the reasons.
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    let options = serde_saphyr::options! {
        // Each double key is to be named with both of its lines, and not only the first one.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        // `no` is a text, as everywhere since YAML 1.2.
        strict_booleans: true,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::PassThrough,
        reject_unsupported_tags: true,
    };
    match from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => Ok(node(raw)),
        Err(error) => {
            let line = error.location().map_or(1, |location| location.line());
            let message = match error.without_snippet() {
                serde_saphyr::Error::MultipleDocuments { .. } => "there is more than one document".to_owned(),
                other => other.to_string(),
            };
            Err(Fault::new(line, format!("not YAML: {}", message.lines().next().unwrap_or_default())))
        }
    }
}

fn node(spanned: Spanned<Raw>) -> Node {
    let line = spanned.referenced.line();
    let value = match spanned.value {
        Raw::Scalar(value) => value,
        Raw::List(items) => Value::List(items.into_iter().map(node).collect()),
        Raw::Map(entries) => Value::Map(entries.into_iter().map(entry).collect()),
    };
    Node { line, value }
}

fn entry((key, value): (Spanned<String>, Spanned<Raw>)) -> (Key, Node) {
    (Key { line: key.referenced.line(), text: key.value }, node(value))
}

/// A value as the parser hands it over.
enum Raw {
    Scalar(Value),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Null))
    }

    fn visit_none<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Null))
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Flag(flag)))
    }

    fn visit_i64<E: de::Error>(self, integer: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Integer(integer.into())))
    }

    fn visit_u64<E: de::Error>(self, integer: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Integer(integer.into())))
    }

    fn visit_i128<E: de::Error>(self, integer: i128) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Integer(integer)))
    }

    fn visit_u128<E: de::Error>(self, integer: u128) -> Result<Raw, E> {
        Ok(Raw::Scalar(i128::try_from(integer).map_or(Value::Float(integer as f64), Value::Integer)))
    }

    fn visit_f64<E: de::Error>(self, float: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Float(float)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
