//! The shape of one version, as the lock keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// What must not change within a version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Name of the codec that the type is written with.
    pub codec: String,
    /// Its fields and variants by their path, `cells[].mu`; `$` is the value itself.
    pub fields: BTreeMap<String, Field>,
    /// For bincode: the calls of its `Deserialize` by their path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub trace: BTreeMap<String, String>,
    /// For JSON: what the keys of maps are read as, `by{key}`; in bincode they are in the trace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, String>,
}

/// One field or variant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// `f64`, `list of object`, `option of string`, `enum`, `variant` ...
    #[serde(rename = "type")]
    pub type_name: String,
    /// What it is measured in, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Its bounds, with the words of JSON Schema: `minimum`, `maximum`, `maxLength` ...
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub range: Map<String, Value>,
    /// What arrives if a stored document lacks it; `None` if such a document is refused, for variants, and in bincode.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub default: Option<Value>,
    /// The release of its version that it came with, from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub release: u32,
}

/// Null is a value here.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

pub(super) fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_first(number: &u32) -> bool {
    *number <= 1
}
