//! `ckpt schema`: the stored kinds that this program knows, and whether they are as they were released.

mod built_in;
mod text;

use std::path::Path;

use ckpt::describe::{Folder, Kinds, Refusal, Refusals, Summary, VersionTable};
use serde::Serialize;

use crate::args::{SchemaArgs, SchemaCheckArgs, SchemaCommand, SchemaShowArgs};
use crate::failure::{FAILED, Failure, NOT_FOUND, UNSUPPORTED};
use crate::output::Output;

/// A kind, in JSON.
#[derive(Debug, Serialize)]
struct Row {
    kind: &'static str,
    version: u32,
    codec: String,
    released: Vec<u32>,
    golden: Vec<String>,
    about: String,
}

/// What a check found, in JSON.
#[derive(Debug, Serialize)]
struct Checked {
    /// The folder; none if it is what this program was built with.
    folder: Option<String>,
    refused: Vec<Refused>,
    /// How much was checked; none if anything is refused.
    checked: Option<Counts>,
}

#[derive(Debug, Serialize)]
struct Refused {
    kind: String,
    version: u32,
    path: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Counts {
    kinds: usize,
    versions: usize,
    released: usize,
    golden_files: usize,
    fields_removed: usize,
}

pub(crate) fn run(args: &SchemaArgs, output: &Output) -> anyhow::Result<u8> {
    let kinds = ckpt_market::kinds();
    match &args.command {
        SchemaCommand::List => list(&kinds, output).map(|()| 0),
        SchemaCommand::Show(args) => show(&kinds, args, output).map(|()| 0),
        SchemaCommand::Check(args) => check(&kinds, args, output),
    }
}

fn list(kinds: &Kinds, output: &Output) -> anyhow::Result<()> {
    let folder = built_in::folder();
    let mut rows = Vec::new();
    for kind in kinds.names() {
        let versions = tables(kinds, kind, &folder)?;
        let Some(newest) = versions.last() else { continue };
        rows.push(Row {
            kind,
            version: newest.version,
            codec: newest.codec.clone(),
            released: versions.iter().filter(|one| one.is_released).map(|one| one.version).collect(),
            golden: versions.iter().flat_map(|one| one.golden.clone()).collect(),
            about: newest.summary().to_owned(),
        });
    }
    output.answer(&rows, || text::list(&rows))
}

fn show(kinds: &Kinds, args: &SchemaShowArgs, output: &Output) -> anyhow::Result<()> {
    let kind = args.kind.as_str();
    let versions = tables(kinds, kind, &built_in::folder())?;
    let Some(newest) = versions.last() else {
        let known = kinds.names().join(", ");
        let message = format!("this program knows no kind {kind:?}; it knows {known}");
        return Err(Failure::new("not_found", NOT_FOUND, message).hint(HOW_KNOWN).into());
    };
    let wanted = args.at.unwrap_or(newest.version);
    let Some(shown) = versions.iter().find(|one| one.version == wanted) else {
        let message = format!("{kind} has no version {wanted}: it has 1 to {}", newest.version);
        return Err(Failure::new("not_found", NOT_FOUND, message)
            .hint("`ckpt schema list` shows them")
            .into());
    };
    output.answer(&shown.schema, || text::show(kind, shown, newest.version))
}

/// Why a kind may be unknown though checkpoints hold it.
const HOW_KNOWN: &str =
    "kinds of other applications are known to those: `cargo xtask schema` documents them there";

fn check(kinds: &Kinds, args: &SchemaCheckArgs, output: &Output) -> anyhow::Result<u8> {
    let folder = match &args.folder {
        Some(path) => read(path)?,
        None => built_in::folder(),
    };
    let outcome = kinds.check(&folder);
    let status = if outcome.is_ok() { 0 } else { UNSUPPORTED };
    let checked = Checked {
        folder: args.folder.as_ref().map(|path| path.display().to_string()),
        refused: outcome.as_ref().err().map(refused).unwrap_or_default(),
        checked: outcome.as_ref().ok().map(Counts::of),
    };
    output.answer(&checked, || text::check(&checked, &outcome))?;
    Ok(status)
}

fn tables(kinds: &Kinds, kind: &str, folder: &Folder) -> anyhow::Result<Vec<VersionTable>> {
    Ok(kinds.tables(kind, folder).map_err(|error| Failure::new("io", FAILED, error.to_string()))?)
}

fn read(path: &Path) -> anyhow::Result<Folder> {
    let folder = ckpt::schema::read(path).map_err(|error| match &error {
        ckpt::schema::SchemaError::Io { what, path, source } => {
            Failure::io(&format!("can't {what}"), path, source)
        }
        other => Failure::new("io", FAILED, other.to_string()).at(path),
    })?;
    if folder.get("lock.json").is_none() {
        let message = format!("{} has no lock.json, so nothing says what was released", path.display());
        let hint = "give the folder that `cargo xtask schema release` writes to";
        return Err(Failure::new("not_found", NOT_FOUND, message).at(path).hint(hint).into());
    }
    Ok(folder)
}

fn refused(refusals: &Refusals) -> Vec<Refused> {
    let refused = |Refusal { kind, version, path, rule }: &Refusal| Refused {
        kind: kind.clone(),
        version: *version,
        path: path.clone(),
        text: rule.to_string(),
    };
    refusals.0.iter().map(refused).collect()
}

impl Counts {
    fn of(summary: &Summary) -> Self {
        let Summary { kinds, versions, released, golden_files, fields_removed } = *summary;
        Self { kinds, versions, released, golden_files, fields_removed }
    }
}
