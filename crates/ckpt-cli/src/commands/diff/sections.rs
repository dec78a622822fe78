//! Sections of two checkpoints: which are new, gone or changed, and where.

use std::io::{BufReader, Read};

use ckpt::{Checkpoint, SectionEntry};
use serde::Serialize;

use super::paths::{self, PathChange};
use crate::progress::Progress;
use crate::{human, json};

/// JSON sections larger than this are compared as bytes.
const JSON_BYTES_MAX: u64 = 64 << 20;
/// Changed places that are named, a section.
const PATHS_SHOWN: usize = 20;

/// A section that is not the same in both, in JSON.
#[derive(Debug, Serialize)]
pub(crate) struct SectionChange {
    name: String,
    change: Change,
    a_bytes: Option<u64>,
    b_bytes: Option<u64>,
    /// Kind, version or codec, if they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Schema>,
    /// Of the bytes that both have.
    #[serde(skip_serializing_if = "Option::is_none")]
    differing: Option<Differing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paths: Option<Vec<PathChange>>,
    /// Changed places in all, named or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_count: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    Added,
    Removed,
    Changed,
}

/// How many bytes differ, and which is the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Differing {
    bytes: u64,
    first_offset: u64,
}

#[derive(Debug, Serialize)]
struct Schema {
    a: String,
    b: String,
}

/// The sections that are not the same, in the order of the older, then of the newer.
pub(crate) fn compare(a: &Checkpoint, b: &Checkpoint) -> anyhow::Result<Vec<SectionChange>> {
    let (of_a, of_b) = (a.sections()?, b.sections()?);
    let find = |sections: &'_ [SectionEntry], name: &str| {
        sections.iter().find(|section| section.name == name).cloned()
    };
    let progress =
        Progress::new("comparing", of_a.iter().chain(of_b).map(|section| section.raw_length).sum());
    let mut changes = Vec::new();
    for section in of_a {
        match find(of_b, &section.name) {
            None => changes.push(SectionChange::whole(section, Change::Removed)),
            Some(other) if same(section, &other) => {}
            Some(other) => changes.push(changed(section, &other, a, b, &progress)?),
        }
    }
    let added = of_b.iter().filter(|section| find(of_a, &section.name).is_none());
    changes.extend(added.map(|section| SectionChange::whole(section, Change::Added)));
    Ok(changes)
}

fn same(a: &SectionEntry, b: &SectionEntry) -> bool {
    a.digest == b.digest && schema(a) == schema(b)
}

fn schema(section: &SectionEntry) -> String {
    let kind = if section.kind.is_empty() { String::new() } else { format!(" {}", section.kind) };
    let version = if section.version == 0 { String::new() } else { format!(" v{}", section.version) };
    format!("{}{kind}{version}", section.codec)
}

fn changed(
    of_a: &SectionEntry,
    of_b: &SectionEntry,
    a: &Checkpoint,
    b: &Checkpoint,
    progress: &Progress,
) -> anyhow::Result<SectionChange> {
    let (schema_a, schema_b) = (schema(of_a), schema(of_b));
    let mut change = SectionChange {
        b_bytes: Some(of_b.raw_length),
        schema: (schema_a != schema_b).then_some(Schema { a: schema_a, b: schema_b }),
        ..SectionChange::whole(of_a, Change::Changed)
    };
    let is_json = |section: &SectionEntry| section.codec.is_json() && section.raw_length <= JSON_BYTES_MAX;
    if is_json(of_a) && is_json(of_b) {
        let value = |of: &Checkpoint| anyhow::Ok(serde_json::from_slice(&of.read(&of_a.name)?)?);
        let changes = paths::compare(&value(a)?, &value(b)?, PATHS_SHOWN);
        (change.paths, change.path_count) =
            (Some(changes.shown.into_iter().map(readable).collect()), Some(changes.count));
    } else if of_a.digest != of_b.digest {
        let stream = |of: &SectionEntry, from| {
            BufReader::with_capacity(1 << 18, progress.reading(Read::take(from, of.raw_length)))
        };
        let (a, b) = (stream(of_a, boxed(a, &of_a.name)?), stream(of_b, boxed(b, &of_b.name)?));
        change.differing = Some(differing(a, b).map_err(|error| store_error(&of_a.name, error))?);
    }
    Ok(change)
}

/// Bits of floats as numbers and words, unless both look the same then.
fn readable(change: PathChange) -> PathChange {
    let form = |value: &Option<serde_json::Value>| value.clone().map(json::output_form);
    let (a, b) = (form(&change.a), form(&change.b));
    if a == b { change } else { PathChange { a, b, ..change } }
}

fn boxed<'a>(checkpoint: &'a Checkpoint, name: &str) -> anyhow::Result<Box<dyn Read + 'a>> {
    Ok(Box::new(checkpoint.stream(name)?))
}

/// Compares what both have; beyond the end of the shorter nothing is counted.
fn differing(mut a: impl std::io::BufRead, mut b: impl std::io::BufRead) -> std::io::Result<Differing> {
    let mut found = Differing::default();
    let mut offset = 0_u64;
    loop {
        let (from_a, from_b) = (a.fill_buf()?, b.fill_buf()?);
        let count = from_a.len().min(from_b.len());
        if count == 0 {
            if found.bytes == 0 {
                found.first_offset = offset;
            }
            return Ok(found);
        }
        if from_a[..count] != from_b[..count] {
            for (place, (x, y)) in from_a.iter().zip(from_b).enumerate() {
                if x != y {
                    if found.bytes == 0 {
                        found.first_offset = offset + place as u64;
                    }
                    found.bytes += 1;
                }
            }
        }
        a.consume(count);
        b.consume(count);
        offset += count as u64;
    }
}

/// Damage that a stream met is the store's error again.
fn store_error(section: &str, error: std::io::Error) -> anyhow::Error {
    match error.downcast::<ckpt::Error>() {
        Ok(error) => error.into(),
        Err(error) => anyhow::anyhow!("reading section {section:?}: {error}"),
    }
}

impl SectionChange {
    fn whole(section: &SectionEntry, change: Change) -> Self {
        let bytes = Some(section.raw_length);
        let (a_bytes, b_bytes) = if change == Change::Added { (None, bytes) } else { (bytes, None) };
        let name = section.name.clone();
        Self { name, change, a_bytes, b_bytes, schema: None, differing: None, paths: None, path_count: None }
    }

    /// Its lines.
    pub(super) fn lines(&self) -> String {
        let size = |bytes: Option<u64>| human::size(bytes.unwrap_or(0));
        let (style, mark) = match self.change {
            Change::Added => (human::GOOD, "+"),
            Change::Removed => (human::BAD, "-"),
            Change::Changed => (human::WARN, "~"),
        };
        let sizes = match self.change {
            Change::Added => size(self.b_bytes),
            Change::Removed => size(self.a_bytes),
            Change::Changed if self.a_bytes == self.b_bytes => size(self.a_bytes),
            Change::Changed => format!("{} -> {}", size(self.a_bytes), size(self.b_bytes)),
        };
        let mut text = format!("  {style}{mark} {}{style:#}  {sizes}", self.name);
        if let Some(Schema { a, b }) = &self.schema {
            text.push_str(&format!(", {} -> {}", human::shown(a), human::shown(b)));
        }
        if let Some(Differing { bytes, first_offset }) = self.differing {
            text.push_str(&format!(", {} bytes differ", human::count(bytes)));
            text.push_str(&format!(", the first at {}", human::count(first_offset)));
        }
        if self.path_count == Some(0) {
            text.push_str(", only the text differs, not its values");
        }
        text.push('\n');
        for change in self.paths.iter().flatten() {
            let (a, b) = (paths::short(change.a.as_ref()), paths::short(change.b.as_ref()));
            text.push_str(&human::shown(&format!("      {}: {a} -> {b}\n", change.path)));
        }
        let shown = self.paths.as_ref().map_or(0, Vec::len);
        if let Some(more) = self.path_count.map(|count| count.saturating_sub(shown)).filter(|more| *more > 0)
        {
            text.push_str(&format!("      and {}\n", human::plural(more, "more place")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_compared_as_far_as_both_go() {
        for (a, b, bytes, first_offset) in
            [("abcd", "abXX", 2, 2), ("abc", "abcdef", 0, 3), ("", "x", 0, 0), ("Xbc", "abcd", 1, 0)]
        {
            let a = BufReader::with_capacity(2, a.as_bytes());
            let found = differing(a, BufReader::with_capacity(3, b.as_bytes())).unwrap();
            assert_eq!(found, Differing { bytes, first_offset }, "{b}");
        }
    }
}
