//! A field taken out of a stored document: what arrives in its place, and whether the load says so.

use serde_json::Value;

use super::path::Place;
use super::refusal::Rule;
use super::version::{ReadError, Version};
use crate::codec::{Codec, DecodeError};
use crate::migrate::LoadError;
use crate::section::EncodedSection;

/// One field that was removed from a stored document.
#[derive(Debug, Clone, PartialEq)]
pub struct Removal {
    /// The kind.
    pub kind: String,
    /// The version of the document.
    pub version: u32,
    /// The field: `cells[].mu`.
    pub path: String,
    /// Where it stood in the document, and what the load's report named: `cells[0].mu`.
    pub place: String,
    /// What arrived; `None` if the document was refused because the field is required.
    pub arrives: Option<Value>,
}

/// Removes a field from the first document that has it, loads what is left, and compares. `reported` is what the report of
/// each document names by itself.
pub(super) fn remove(
    version: &Version,
    field: &Place,
    documents: &[Value],
    reported: &[Vec<String>],
) -> Result<Removal, Rule> {
    let mut documents = documents.iter().cloned().zip(reported);
    let found = documents.find_map(|(mut document, reported)| {
        let (place, _) = field.take(&mut document)?;
        Some((document, place, reported))
    });
    let Some((without, place, reported)) = found else { return Err(Rule::NotInSamples) };
    let section = EncodedSection {
        name: "sample".to_owned(),
        kind: version.kind.to_owned(),
        version: version.number,
        codec: Codec::Json,
        bytes: without.to_string().into_bytes(),
    };
    let arrives = match version.read(&section) {
        Ok((mut loaded, report)) => {
            let named = report.defaulted.paths();
            if !named.contains(&place) || named.iter().any(|path| *path != place && !reported.contains(path))
            {
                return Err(Rule::NotReported);
            }
            // A type may leave a field out that has its default.
            let arrived = field.take(&mut loaded).map_or(Value::Null, |(_, value)| value);
            if loaded != without {
                let reason = "another field changes with it".to_owned();
                return Err(Rule::NotItself { reason });
            }
            Some(arrived)
        }
        Err(error) if is_missing(&error, field) => None,
        Err(error) => return Err(Rule::NotItself { reason: error.to_string() }),
    };
    Ok(Removal {
        kind: version.kind.to_owned(),
        version: version.number,
        path: field.to_string(),
        place,
        arrives,
    })
}

/// Whether a document was refused because the field is not there.
fn is_missing(error: &ReadError, field: &Place) -> bool {
    let ReadError::Load(LoadError::Decode { source: DecodeError::Json(json), .. }) = error else {
        return false;
    };
    let name = field.last_name().unwrap_or_default();
    json.reason.contains(&format!("missing field `{name}`"))
}
