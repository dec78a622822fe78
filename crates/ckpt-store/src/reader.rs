//! A run that is read: list, find, verify, export; loading is in `load.rs`. Takes no lock, creates nothing, repairs nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_format::{ChooseError, Entry, Selector, State};

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::identity::RunIdentity;
use crate::layout;
use crate::load::Loaded;
use crate::log::{Log, LogLine};
use crate::names::{Fence, Named, Newest};
use crate::rows::Row;
use crate::runs;
use crate::storage::{Local, Storage};

/// A run that is only read.
///
/// Readers need no lock: files are immutable, and an open one survives its deletion.
#[derive(Debug, Clone)]
pub struct RunReader {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    identity: RunIdentity,
}

/// What verifying found out about one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// The file.
    pub entry: Entry,
    /// [`State::Committed`] if every byte of it is good.
    pub state: State,
    /// The damaged section, if the damage lies in one.
    pub section: Option<String>,
    /// The damaged block of it, if it lies in one.
    pub block: Option<u32>,
    /// What is wrong, if something is.
    pub reason: Option<String>,
}

impl RunReader {
    /// Opens a run to read it.
    ///
    /// # Errors
    /// [`Error::RunNotFound`] naming the runs nearby; [`Error::Incompatible`] for a newer layout.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let storage = Local::open(path).map_err(|source| runs::name_nearby(not_a_run(path, source), path))?;
        Self::on(Arc::new(storage), path)
    }

    /// Opens a run on a storage of your own. `path` is for messages.
    ///
    /// # Errors
    /// As [`RunReader::open`].
    pub fn on(storage: Arc<dyn Storage>, path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let identity =
            RunIdentity::read(storage.as_ref(), &path).map_err(|error| runs::name_nearby(error, &path))?;
        Ok(Self { storage, path, identity })
    }

    /// What makes it a run.
    pub fn identity(&self) -> &RunIdentity {
        &self.identity
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// Every checkpoint, oldest first: by (epoch, sequence). Reads the front and the end of each file, no payload.
    ///
    /// # Errors
    /// Only if the directory cannot be listed: a file that is not good is a row that says so.
    pub fn list(&self) -> Result<Vec<Entry>> {
        let (named, pins) = self.names()?;
        let mut rows: Vec<Row> = self.rows(&named, &pins).into_iter().flatten().collect();
        let mut fence = Fence::default();
        for Row { entry, .. } in rows.iter_mut().rev().filter(|row| row.counts) {
            if let Some(reason) = fence.pass(entry.order())
                && entry.is_committed()
            {
                (entry.state, entry.reason) = (State::Fenced, Some(reason));
            }
        }
        Ok(rows.into_iter().map(|row| row.entry).collect())
    }

    /// The row of the checkpoint that is meant. Only good ones can be meant, except by number or file name.
    ///
    /// # Errors
    /// [`Error::NotFound`] listing what there is; [`Error::Damaged`], [`Error::Unsupported`] ... if it is meant but not good;
    /// [`Error::Invalid`] if `best` needs a direction.
    pub fn find(&self, selector: &Selector) -> Result<Entry> {
        self.load_with(selector, |checkpoint| checkpoint.sections().map(|_| ())).map(|loaded| loaded.entry)
    }

    /// Reads every byte of the checkpoint that is meant, or of all.
    ///
    /// # Errors
    /// [`Error::NotFound`] if nothing is meant. What is wrong with a file is a result, not an error.
    pub fn verify(&self, selector: Option<&Selector>) -> Result<Vec<Verification>> {
        let rows = match selector {
            Some(Selector::Latest) => {
                let newest = self.list()?.into_iter().next_back();
                vec![newest.ok_or_else(|| self.nothing_there())?]
            }
            Some(selector) => vec![selector.choose(&self.list()?).map_err(not_chosen)?.clone()],
            None => self.list()?,
        };
        Ok(rows.into_iter().map(|entry| self.verify_entry(entry)).collect())
    }

    /// What happened in the run, oldest first.
    ///
    /// # Errors
    /// [`Error::Io`] if the log cannot be read, [`Error::Invalid`] if a file of it is longer than any log. A bad line is a
    /// line that says so.
    pub fn log(&self) -> Result<Vec<LogLine>> {
        Log::new(Arc::clone(&self.storage)).lines()
    }

    /// Writes the whole file of the checkpoint that is meant to `out`, verified before; the value is how many bytes. The
    /// copy is a checkpoint by itself.
    ///
    /// # Errors
    /// As [`RunReader::load_with`]; [`Error::Io`] from `out`.
    pub fn export(&self, selector: &Selector, out: &mut dyn std::io::Write) -> Result<Loaded<u64>> {
        let loaded = self.load_with(selector, |checkpoint| {
            checkpoint.verify()?;
            Ok(checkpoint.file_bytes())
        })?;
        self.open_checkpoint(&loaded.entry.file_name)?.export_to(out)?;
        Ok(loaded)
    }

    /// Opens a checkpoint by its file name.
    ///
    /// # Errors
    /// As [`RunReader::load_with`].
    pub fn open_checkpoint(&self, file_name: &str) -> Result<Checkpoint> {
        Checkpoint::open(self.storage.as_ref(), file_name)
    }

    /// Names in the run's directory that this library does not know: it leaves them alone.
    ///
    /// # Errors
    /// [`Error::Io`] if the directory cannot be listed.
    pub fn unknown_names(&self) -> Result<Vec<String>> {
        let names = self.storage.list("").map_err(|source| Error::io("listing", ".", source))?;
        Ok(names.into_iter().map(|entry| entry.name).filter(|name| !layout::is_known(name)).collect())
    }

    /// The files that were set aside, by their names beneath `.quarantine`.
    ///
    /// # Errors
    /// [`Error::Io`] if the directory cannot be listed.
    pub fn quarantined(&self) -> Result<Vec<String>> {
        match self.storage.list(layout::QUARANTINE) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(Error::io("listing", layout::QUARANTINE, source)),
            Ok(names) => Ok(names.into_iter().map(|entry| entry.name).collect()),
        }
    }

    /// All checkpoints by name, oldest first, and the pinned sequences.
    pub(crate) fn names(&self) -> Result<(Vec<Named>, BTreeSet<u64>)> {
        self.newest().map(|(newest, pins)| (newest.into_oldest_first(), pins))
    }

    /// The checkpoints by name from the newest on, and the pinned sequences.
    pub(crate) fn newest(&self) -> Result<(Newest, BTreeSet<u64>)> {
        let names = self.storage.list("").map_err(|source| Error::io("listing", ".", source))?;
        let pins = names.iter().filter_map(|entry| layout::pin_sequence(&entry.name)).collect();
        Ok((Newest::among(names), pins))
    }

    /// What the inside says against the name, or against the run.
    pub(crate) fn disagreement(&self, named: &Named, checkpoint: &Checkpoint) -> Option<String> {
        let metadata = checkpoint.metadata();
        if metadata.run_id != self.identity.run_id {
            return Some(format!("it belongs to the run {}/{}", metadata.kind, metadata.name));
        }
        let inside = (metadata.epoch, metadata.sequence);
        (inside != named.order)
            .then(|| format!("inside it is epoch {}, sequence {}: the file was renamed", inside.0, inside.1))
    }

    fn verify_entry(&self, entry: Entry) -> Verification {
        let outcome = match entry.state {
            State::Committed => {
                self.open_checkpoint(&entry.file_name).and_then(|checkpoint| checkpoint.verify())
            }
            _ => {
                let located =
                    self.open_checkpoint(&entry.file_name).and_then(|checkpoint| checkpoint.verify()).err();
                let part = located.as_ref().and_then(Error::part);
                return Verification {
                    state: entry.state,
                    section: part.and_then(|part| part.section().map(str::to_owned)),
                    block: part.and_then(ckpt_format::Part::block),
                    reason: entry.reason.clone(),
                    entry,
                };
            }
        };
        match outcome {
            Ok(()) => {
                Verification { state: State::Committed, section: None, block: None, reason: None, entry }
            }
            Err(error) => Verification {
                state: state_of(&error),
                section: error.part().and_then(|part| part.section().map(str::to_owned)),
                block: error.part().and_then(ckpt_format::Part::block),
                reason: Some(error_reason(&error)),
                entry,
            },
        }
    }

    pub(crate) fn nothing_there(&self) -> Error {
        Error::NotFound { wanted: format!("latest in {}", self.path.display()), present: Vec::new() }
    }
}

/// Whether the file was not there any more.
pub(crate) fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
}

/// What an error about a file means in a listing.
pub(crate) fn state_of(error: &Error) -> State {
    match error {
        Error::Damaged { .. } => State::Damaged,
        Error::Unsupported { .. } | Error::Incompatible { .. } => State::Unsupported,
        _ => State::Unreadable,
    }
}

/// The error without the file's name, which stands beside it.
pub(crate) fn error_reason(error: &Error) -> String {
    match error {
        Error::Damaged { source, .. } | Error::Unsupported { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

pub(crate) fn not_chosen(error: ChooseError) -> Error {
    match error {
        ChooseError::NotFound { selector, present } => {
            Error::NotFound { wanted: selector.to_string(), present: present.items }
        }
        other => Error::Invalid { reason: other.to_string() },
    }
}

pub(crate) fn not_a_run(path: &Path, source: std::io::Error) -> Error {
    match source.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            Error::RunNotFound { path: path.to_owned(), present: Vec::new() }
        }
        _ => Error::io("opening", path.display().to_string(), source),
    }
}
