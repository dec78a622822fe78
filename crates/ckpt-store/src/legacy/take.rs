//! Takes a plan into a run: what is there already is not taken twice, and nothing old becomes the latest by accident.

use std::collections::BTreeMap;

use ckpt_format::{Digest, Metadata};
use serde::Serialize;

use super::{Found, Layout, Plan, Told};
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::reader::RunReader;
use crate::section::Section;
use crate::store::{Run, Saved};

/// Where an imported checkpoint says what it was: a field of `extra`.
const IMPORTED_FROM: &str = "imported_from";

/// What becomes of a checkpoint of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is imported.
    Import,
    /// It was imported before.
    There {
        /// Its number in the run.
        sequence: u64,
    },
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// It is durable.
    Saved(Saved),
    /// It was there.
    There {
        /// Its number in the run.
        sequence: u64,
    },
}

/// What an imported checkpoint was, as it stands in its metadata.
#[derive(Serialize)]
struct ImportedFrom {
    layout: String,
    name: String,
    path: String,
    digest: Digest,
    files: Vec<ImportedFile>,
    told: BTreeMap<String, String>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct ImportedFile {
    section: String,
    path: String,
    bytes: u64,
    digest: Digest,
}

impl Plan {
    /// What would become of each checkpoint in that run, or in a new one.
    ///
    /// A checkpoint that was imported before is known by [`Found::digest`] and not imported again, so an import that was
    /// cut off goes on where it was. An exported checkpoint always is: to make an old one the latest is what that is for.
    ///
    /// # Errors
    /// [`Error::Exists`] if something would become newer than a checkpoint that is not of this plan or comes later in it, and
    /// `as_latest` is not set.
    pub fn verdicts(&self, run: Option<&RunReader>, as_latest: bool) -> Result<Vec<Verdict>> {
        let Some(run) = run else { return Ok(vec![Verdict::Import; self.found.len()]) };
        let entries = run.list()?;
        let mut there = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.is_committed()) {
            if let Some(digest) = entry.metadata().and_then(imported_digest) {
                there.insert(digest, entry.sequence);
            }
        }
        let verdicts: Vec<Verdict> = self
            .found
            .iter()
            .map(|found| match there.get(&found.digest) {
                Some(sequence) if self.layout != Layout::Ckpt => Verdict::There { sequence: *sequence },
                _ => Verdict::Import,
            })
            .collect();
        let is_missing = |verdict: &Verdict| *verdict == Verdict::Import;
        let missing = self.found.iter().zip(&verdicts).find(|(_, verdict)| is_missing(verdict));
        let (Some((oldest, _)), false) = (missing, as_latest) else { return Ok(verdicts) };
        let others = entries.len() > verdicts.iter().filter(|verdict| !is_missing(verdict)).count();
        let reason = if others {
            "it has checkpoints, and an import becomes the latest; say so to mean it".to_owned()
        } else if verdicts.is_sorted_by_key(is_missing) {
            return Ok(verdicts);
        } else {
            let path = oldest.path.display();
            format!(
                "{path} is older than what was imported before, and would become the latest; say so to mean it"
            )
        };
        Err(Error::Exists { path: run.path().to_owned(), reason })
    }
}

impl Run {
    /// Imports the checkpoints of a plan one after another, in its order, streaming their files. Each is durable when
    /// `tell` hears of it; if one fails, those before it stay, and the next call goes on with it.
    ///
    /// # Errors
    /// As [`Plan::verdicts`], before anything is saved; [`Error::Source`] if a file is not any more what it was when the plan
    /// was made; others as [`Run::save`].
    pub fn import_plan(
        &self,
        plan: &Plan,
        as_latest: bool,
        mut tell: impl FnMut(&Found, Taken),
    ) -> Result<()> {
        let verdicts = plan.verdicts(Some(self.reader()), as_latest)?;
        for (found, verdict) in plan.found.iter().zip(verdicts) {
            let taken = match verdict {
                Verdict::There { sequence } => Taken::There { sequence },
                Verdict::Import if plan.layout == Layout::Ckpt => {
                    let checkpoint = Checkpoint::open_file(&found.path)?;
                    Taken::Saved(self.import_as(&checkpoint, found.metadata.clone())?)
                }
                Verdict::Import => Taken::Saved(self.save(metadata(plan, found)?, sections(found)?)?),
            };
            tell(found, taken);
        }
        Ok(())
    }
}

fn sections(found: &Found) -> Result<Vec<Section<'static>>> {
    let sections = found.sections.iter().map(|piece| {
        let stream =
            piece.open().map_err(|source| Error::io("opening", piece.path.display().to_string(), source))?;
        Ok(Section::reader(&piece.section, stream).in_codec(piece.codec))
    });
    sections.collect()
}

/// What it says about itself, and what it was.
fn metadata(plan: &Plan, found: &Found) -> Result<Metadata> {
    let files = found.sections.iter().map(|piece| ImportedFile {
        section: piece.section.clone(),
        path: piece.path.display().to_string(),
        bytes: piece.bytes,
        digest: piece.digest,
    });
    let from = ImportedFrom {
        layout: plan.layout.to_string(),
        name: found.name.clone(),
        path: found.path.display().to_string(),
        digest: found.digest,
        files: files.collect(),
        told: found
            .told
            .iter()
            .map(|(field, told): (&String, &Told)| (field.clone(), told.to_string()))
            .collect(),
        notes: found.notes.clone(),
    };
    let from = serde_json::to_value(from)
        .map_err(|error| Error::Invalid { reason: format!("{}: {error}", found.path.display()) })?;
    let mut metadata = found.metadata.clone();
    metadata.extra.insert(IMPORTED_FROM.to_owned(), from);
    Ok(metadata)
}

fn imported_digest(metadata: &Metadata) -> Option<Digest> {
    metadata.extra.get(IMPORTED_FROM)?.get("digest")?.as_str()?.parse().ok()
}
