//! What lies at a path, and which layout it has.

use std::path::{Path, PathBuf};

use ckpt_format::{EXTENSION, MAGIC, NameError, NameForm, ParsedName};

use super::folder::{Folder, io_error};
use super::{Layout, Left, artifacts, market_maker};
use crate::error::{Error, Result};
use crate::layout;
use crate::storage::{DirEntry, EntryKind};

/// Names that an error lists.
const NAMED_MAX: usize = 5;

/// What an import was pointed at.
pub(super) struct Source {
    /// The directory, or the one the file lies in.
    pub(super) folder: Folder,
    /// The name of the file, if it is one.
    pub(super) file: Option<String>,
    /// As it was given.
    pub(super) path: PathBuf,
    /// The name of the file or directory, with its links resolved.
    pub(super) name: String,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let real = path.canonicalize().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => {
                let wanted = format!("the file or directory {}", path.display());
                Error::NotFound { wanted, present: Vec::new() }
            }
            _ => io_error("opening", path, source),
        })?;
        let name = real.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if real.is_dir() {
            let folder = Folder::open(&real, path)?;
            return Ok(Self { folder, file: None, path: path.to_owned(), name });
        }
        if name.is_empty() {
            let reason = format!("the name of {} is not UTF-8: rename it", path.display());
            return Err(Error::Invalid { reason });
        }
        let dir = real.parent().unwrap_or(Path::new("/"));
        // What a link leads to has its companions where it lies, not beside the link.
        let shown = if path.is_symlink() { dir } else { path.parent().unwrap_or(Path::new("")) };
        let folder = Folder::open(dir, shown)?;
        Ok(Self { folder, file: Some(name.clone()), path: path.to_owned(), name })
    }

    /// The names to look at: all of the directory, or the file alone.
    pub(super) fn entries(&self) -> Result<Vec<DirEntry>> {
        match &self.file {
            Some(name) => Ok(vec![DirEntry { name: name.clone(), kind: EntryKind::File }]),
            None => self.folder.list(""),
        }
    }

    /// Something of it that is not imported.
    pub(super) fn left(&self, name: &str, reason: impl Into<String>) -> Left {
        Left { path: self.folder.path(name), reason: reason.into() }
    }
}

/// The one layout that fits.
pub(super) fn layout(source: &Source) -> Result<Layout> {
    let entries = source.entries()?;
    if let Some(name) = &source.file {
        if name.ends_with(EXTENSION) || source.folder.first_bytes(name)? == MAGIC {
            return Ok(Layout::Ckpt);
        }
        return of_file(name).ok_or_else(|| unknown(source, &entries));
    }
    if entries.iter().any(|entry| entry.name == layout::RUN) {
        let path = source.path.display();
        let reason =
            format!("{path} is a run of this program: `ckpt export` what is meant, and import that file");
        return Err(Error::Invalid { reason });
    }
    let mut candidates: Vec<(Layout, String)> = Vec::new();
    let mut add = |layout, example: &str| {
        if candidates.iter().all(|(known, _)| *known != layout) {
            candidates.push((layout, example.to_owned()));
        }
    };
    for entry in &entries {
        match entry.kind {
            EntryKind::Directory if market_maker::is_save(&source.folder, &entry.name) => {
                add(Layout::MarketMaker, &format!("{}/{}", entry.name, market_maker::FILE));
            }
            EntryKind::File if entry.name.ends_with(EXTENSION) => add(Layout::Ckpt, &entry.name),
            EntryKind::File => {
                if let Some(layout) = of_file(&entry.name).filter(|layout| *layout != Layout::MarketMaker) {
                    add(layout, &entry.name);
                } else if artifacts::is_artifact(&entry.name) {
                    add(Layout::Artifacts, &entry.name);
                }
            }
            _ => {}
        }
    }
    match candidates.as_slice() {
        [(layout, _)] => Ok(*layout),
        [] => Err(unknown(source, &entries)),
        several => {
            let several = several.iter().map(|(layout, example)| format!("{layout} ({example})"));
            let several = several.collect::<Vec<_>>().join(", ");
            let path = source.path.display();
            Err(Error::Invalid {
                reason: format!("{path} could be of several layouts: {several}; say which with --layout"),
            })
        }
    }
}

/// The layout of a file by its name.
fn of_file(name: &str) -> Option<Layout> {
    if market_maker::is_file(name) {
        return Some(Layout::MarketMaker);
    }
    match form(name).ok()? {
        form if is_pickle(&form) => Some(Layout::Pickles),
        form if is_zip(&form) && !name.ends_with(EXTENSION) => Some(Layout::RlTrainer),
        _ => None,
    }
}

pub(super) fn is_pickle(form: &NameForm) -> bool {
    matches!(form, NameForm::StepAt { .. } | NameForm::BestTrial | NameForm::BestEpisode)
}

pub(super) fn is_zip(form: &NameForm) -> bool {
    matches!(
        form,
        NameForm::Label | NameForm::PhaseSteps { .. } | NameForm::PhaseFinal { .. } | NameForm::BestModel
    )
}

fn form(name: &str) -> std::result::Result<NameForm, NameError> {
    ParsedName::parse(name).map(|parsed| parsed.form)
}

/// What the name of a checkpoint of the layout says, or why the file stays where it is.
pub(super) fn named(entry: &DirEntry, layout: Layout) -> std::result::Result<ParsedName, String> {
    let name = &entry.name;
    regular(entry)?;
    let other = || format!("its name is none of the layout {layout}");
    let parsed = match ParsedName::parse(name) {
        Err(NameError::Unknown { .. }) => return Err(other()),
        parsed => parsed.map_err(|error| error.to_string())?,
    };
    let fits = match layout {
        Layout::Pickles => is_pickle(&parsed.form),
        Layout::RlTrainer => is_zip(&parsed.form) && !name.ends_with(EXTENSION),
        _ => false,
    };
    if fits { Ok(parsed) } else { Err(other()) }
}

/// Why something is not opened at all.
pub(super) fn regular(entry: &DirEntry) -> std::result::Result<(), String> {
    let reason = match entry.kind {
        EntryKind::Directory => "it is a directory: import it by itself",
        EntryKind::Other => "it is a link, FIFO, socket or device, not a regular file: it is not opened",
        EntryKind::File if entry.name.contains(char::REPLACEMENT_CHARACTER) => {
            "its name is not UTF-8: rename it"
        }
        EntryKind::File if entry.name.ends_with(".tmp") => "it is half-written: a save was cut off",
        EntryKind::File => return Ok(()),
    };
    Err(reason.to_owned())
}

/// Nothing could be made of it.
pub(super) fn nothing(path: &Path, layout: Layout, left: &[Left]) -> Error {
    let path = path.display();
    let mut reason = format!("nothing in {path} can be imported as {layout} ({})", layout.looks_like());
    for left in left.iter().take(NAMED_MAX) {
        let name = left.path.file_name().unwrap_or(left.path.as_os_str()).to_string_lossy();
        reason.push_str(&format!("; {name}: {}", left.reason));
    }
    if let Some(more) = left.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        reason.push_str(&format!("; and {more} more"));
    }
    Error::Invalid { reason }
}

fn unknown(source: &Source, entries: &[DirEntry]) -> Error {
    let path = source.path.display();
    let known = Layout::ALL.iter().map(|layout| format!("{layout} ({})", layout.looks_like()));
    let known = known.collect::<Vec<_>>().join("; ");
    let mut reason = format!("{path} has no layout that is known. ");
    // The name of a companion, or one that is almost right, says more than a list of what is known.
    let named = source.file.as_deref().map(ParsedName::parse);
    if let Some(Err(error @ (NameError::Companion { .. } | NameError::Field { .. }))) = named {
        reason.push_str(&format!("{error}. "));
    }
    reason.push_str(&format!("Known are: {known}. Say which it is with --layout"));
    let within: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::Directory)
        .map(|entry| entry.name.as_str())
        .take(NAMED_MAX)
        .collect();
    if !within.is_empty() {
        reason.push_str(&format!(", or give one of the directories in it: {}", within.join(", ")));
    }
    Error::Invalid { reason }
}
