//! JSON text that brings every value back bit for bit.
//!
//! Plain JSON has no NaN and no infinities. Here a float that is not finite is a string of its bits
//! (`"~f64:7ff8000000000000"`, `"~f32:7f800000"`), and a string that begins with `~` gets one more in front, so
//! that neither is taken for the other. Both are undone in every position: typed fields, options, map keys,
//! untagged, internally tagged and flattened types, [`serde_json::Value`]. What text can't carry is refused when
//! it is written, with the path of the field: `Some` around nothing, map keys without a text form, names that
//! begin with `~`, nesting deeper than can be read.
//!
//! Reading reports which declared fields were not in the text (they took their default) and which names in the
//! text no struct declares. A struct is seen through its declared names: one with `flatten` declares none, each
//! `alias` counts as a name of its own, and so does the content of an adjacently tagged variant that has none.

pub(crate) mod escape;
pub(crate) mod key;

use std::fmt;

use serde::Serialize;
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor,
};

use crate::path::{Failure, FieldList};
use crate::traced::{self, Notes};

/// A value that a codec can't carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {reason}")]
pub struct RefusedValue {
    /// Where in the value: `quotes[3].sigma`, `by_symbol["HYPE"]`, `$` for the value itself.
    pub path: String,
    /// What can't be carried, and the way out.
    pub reason: String,
}

/// Text that is not JSON, or not the type it is read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`, line {line}, column {column}: {reason}")]
pub struct JsonError {
    /// Where in the value: `quotes[3].sigma`, `by_symbol["HYPE"]`, `$` for the value itself.
    pub path: String,
    /// Line in the text, from 1; 0 if unknown.
    pub line: usize,
    /// Column in bytes, from 1; 0 at the start of a line.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
}

/// How the fields in the text and the fields that are declared differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldReport {
    /// Declared but not in the text: they took their default.
    pub absent: FieldList,
    /// In the text but not declared: they were dropped.
    pub unknown: FieldList,
}

/// Writes a value as compact JSON.
///
/// ```
/// let text = ckpt_format::json::to_vec(&(1.5, f64::INFINITY, "~"))?;
/// assert_eq!(text, br#"[1.5,"~f64:7ff0000000000000","~~"]"#);
/// # Ok::<(), ckpt_format::json::RefusedValue>(())
/// ```
///
/// # Errors
/// [`RefusedValue`] names the field that JSON can't carry, or whose `Serialize` failed.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, RefusedValue> {
    let mut text = Vec::with_capacity(128);
    let failure = Failure::default();
    let written =
        traced::writing::<true, T>(value, &failure).serialize(&mut serde_json::Serializer::new(&mut text));
    match written {
        Ok(()) => Ok(text),
        Err(error) => Err(RefusedValue { path: failure.into_path(), reason: error.to_string() }),
    }
}

/// Reads a value from the whole of a JSON text.
///
/// ```
/// #[derive(Default, serde::Deserialize)]
/// #[serde(default)]
/// struct Filter { sigma: f64, kappa: f64 }
///
/// let (filter, report) = ckpt_format::json::from_slice::<Filter>(br#"{"sigma": 0.5, "theta": 1}"#)?;
/// assert_eq!((filter.sigma, filter.kappa), (0.5, 0.0));
/// assert_eq!(report.absent.paths(), ["kappa"]);
/// assert_eq!(report.unknown.paths(), ["theta"]);
/// # Ok::<(), ckpt_format::json::JsonError>(())
/// ```
///
/// # Errors
/// [`JsonError`] if the text is not JSON, is not of this type, nests deeper than 127 levels, or goes on after the value.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<(T, FieldReport), JsonError> {
    let notes = Notes::default();
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = traced::reading::<true, T>(&notes).deserialize(&mut deserializer);
    match read.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => {
            let report =
                FieldReport { absent: notes.absent.into_inner(), unknown: notes.unknown.into_inner() };
            Ok((value, report))
        }
        Err(error) => Err(JsonError::new(notes.failure.into_path(), &error)),
    }
}

/// Reads JSON text of the user's own, in which a `~` means a `~`: what [`Codec::JsonText`](crate::Codec::JsonText) holds.
///
/// # Errors
/// [`JsonError`] if the text is not JSON, is not of this type, or goes on after the value.
pub fn from_text<T: DeserializeOwned>(text: &[u8]) -> Result<T, JsonError> {
    serde_json::from_slice(text).map_err(|error| JsonError::new("$".to_owned(), &error))
}

/// Checks that bytes are one JSON text that this library reads, whatever its shape.
///
/// ```
/// assert!(ckpt_format::json::check(b"{\"a\": [1, 2.5, null]}\n").is_ok());
/// let error = ckpt_format::json::check(b"{\n  \"a\": nan\n}").unwrap_err();
/// assert_eq!((error.line, error.column), (2, 9));
/// ```
///
/// # Errors
/// [`JsonError`] with line and column: not JSON, not UTF-8, a number beyond f64, nested deeper than 127 levels.
pub fn check(text: &[u8]) -> Result<(), JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = Anything::deserialize(&mut deserializer).and_then(|Anything| deserializer.end());
    read.map_err(|error| JsonError::new("$".to_owned(), &error))
}

impl JsonError {
    fn new(path: String, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let reason = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
        Self { path, line, column, reason: reason.to_owned() }
    }
}

/// Any JSON value, looked at and forgotten.
struct Anything;

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Anything {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        while entries.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}
