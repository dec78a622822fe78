//! The lock file: what was released, with its golden files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::folder::Folder;
use super::refusal::Refusals;
use super::shape::{Shape, first, is_first};
use super::version::{Description, chain};
use crate::container::{self, Container};
use crate::digest::Digest;
use crate::error::FormatError;
use crate::index::SectionEntry;
use crate::metadata::Metadata;
use crate::section::EncodedSection;

/// Its name in the folder.
pub(super) const LOCK_FILE: &str = "lock.json";

/// The one form there is of it.
const FORM: u32 = 1;

/// How shapes are told now.
pub(super) const WORDS: u32 = 2;

/// Everything that was released.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// The form of the file: 1.
    pub form: u32,
    /// Kinds, and the versions of each.
    pub kinds: BTreeMap<String, BTreeMap<u32, Locked>>,
}

/// One version that was released.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Locked {
    /// What must not change.
    #[serde(flatten)]
    pub shape: Shape,
    /// In how many words the shape is told: 1 in a lock from before unit and range were told through types of their own, 2 now.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub words: u32,
    /// Its golden files, one a release.
    pub golden: Vec<Golden>,
    /// What the golden files of earlier versions read as in this one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reads: BTreeMap<String, Vec<Value>>,
}

/// A file that a release wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Golden {
    /// Its path in the folder.
    pub file: String,
    /// BLAKE3 of its bytes.
    pub digest: String,
    /// The values in it, as JSON, a section each.
    pub values: Vec<Value>,
}

/// Why nothing was released.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The kind, or the lock with it, is not in order.
    #[error(transparent)]
    Refused(#[from] Refusals),
    /// No such kind.
    #[error("there is no kind {kind:?}; there are {known}")]
    UnknownKind {
        /// What was asked for.
        kind: String,
        /// What there is.
        known: String,
    },
    /// All is in the lock already.
    #[error("{kind} v{version} is released and has not changed since")]
    NothingNew {
        /// The kind.
        kind: String,
        /// Its newest version.
        version: u32,
    },
    /// It would be overwritten.
    #[error(
        "{file} is there and not in the lock: it is never written again; if it was never released, remove it"
    )]
    Exists {
        /// The golden file.
        file: String,
    },
    /// The samples can't be put into a checkpoint.
    #[error("the golden file {file} can't be made: {reason}")]
    NotMade {
        /// The golden file.
        file: String,
        /// Why.
        reason: String,
    },
}

impl Default for Lock {
    fn default() -> Self {
        Self { form: FORM, kinds: BTreeMap::new() }
    }
}

impl Lock {
    /// The lock in a folder; an empty one if there is none.
    ///
    /// # Errors
    /// The reason, if the file can't be read or is of another form.
    pub fn read(folder: &Folder) -> Result<Self, String> {
        let Some(text) = folder.get(LOCK_FILE) else { return Ok(Self::default()) };
        let lock: Self = serde_json::from_slice(text)
            .map_err(|error| format!("{LOCK_FILE} can't be read: {error}; restore it from the history"))?;
        if lock.form != FORM {
            return Err(format!(
                "{LOCK_FILE} has form {}, this program knows {FORM}: use a newer one",
                lock.form
            ));
        }
        Ok(lock)
    }

    /// The text of the file: a line for each field and each golden file, so that a change of it can be read.
    pub fn to_text(&self) -> String {
        // Names, numbers and documents: all of it can be written.
        let lock = serde_json::to_value(self).unwrap_or_default();
        let mut text = String::new();
        write_lines(&lock, 0, &mut text);
        text + "\n"
    }
}

/// Levels of the file whose entries have lines of their own: kinds, versions, what is said of one, its fields.
const LEVELS: usize = 5;

fn write_lines(value: &Value, level: usize, text: &mut String) {
    let entries: Vec<(String, &Value)> = match value {
        Value::Object(entries) => {
            entries.iter().map(|(name, value)| (format!("{}: ", Value::from(name.as_str())), value)).collect()
        }
        Value::Array(entries) => entries.iter().map(|value| (String::new(), value)).collect(),
        _ => Vec::new(),
    };
    if level >= LEVELS || entries.is_empty() {
        *text += &value.to_string();
        return;
    }
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    text.push(open);
    for (index, (name, value)) in entries.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        *text += &format!("{comma}\n{:indent$}{name}", "", indent = 2 * (level + 1));
        write_lines(value, level + 1, text);
    }
    *text += &format!("\n{:indent$}{close}", "", indent = 2 * level);
}

/// The path of the golden file of a release, from 1.
pub(super) fn golden_file(kind: &str, version: u32, release: usize) -> String {
    match release {
        0 | 1 => format!("golden/{kind}.v{version}.ckpt"),
        _ => format!("golden/{kind}.v{version}.r{release}.ckpt"),
    }
}

/// The kind that a path in the folder is a golden file of, if it is one.
pub(super) fn kind_of_golden(path: &str) -> Option<&str> {
    let name = path.strip_prefix("golden/")?.strip_suffix(".ckpt")?;
    Some(name.rsplit_once(".v").map_or(name, |(kind, _)| kind))
}

/// A checkpoint with the samples of a version; with what the lock says of it.
pub(super) fn make_golden(
    description: &Description,
    file: String,
) -> Result<(Golden, Vec<u8>), ReleaseError> {
    let metadata = Metadata {
        name: "golden".to_owned(),
        kind: description.version.kind.to_owned(),
        ..Metadata::default()
    };
    let bytes = container::encode(&metadata, &description.sections)
        .map_err(|error| ReleaseError::NotMade { file: file.clone(), reason: chain(&error) })?;
    let digest = Digest::of(&bytes).to_string();
    Ok((Golden { file, digest, values: description.documents.clone() }, bytes))
}

/// The sections of a golden file, every byte checked.
pub(super) fn read_golden(file: &[u8]) -> Result<Vec<EncodedSection>, String> {
    let read = || -> Result<Vec<EncodedSection>, FormatError> {
        let container = Container::decode(file)?;
        container.verify(file)?;
        let section = |entry: &SectionEntry| {
            Ok(EncodedSection {
                name: entry.name.clone(),
                kind: entry.kind.clone(),
                version: entry.version,
                codec: entry.codec,
                bytes: container.section(file, &entry.name)?.unwrap_or_default(),
            })
        };
        container.index.sections.iter().map(section).collect()
    };
    read().map_err(|error| chain(&error))
}
