//! A run that is read: list, find, load, verify. Takes no lock, creates nothing, repairs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt_format::{ChooseError, EncodedSection, Entry, SectionSource, SectionState, Selector, State};

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result, Skipped};
use crate::identity::RunIdentity;
use crate::layout;
use crate::log::{Log, LogLine};
use crate::names::{self, Fence, Named};
use crate::runs;
use crate::storage::{Access, Local, Storage};

/// A run that is only read.
///
/// Readers need no lock: files are immutable, and an open one survives its deletion.
#[derive(Debug, Clone)]
pub struct RunReader {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    identity: RunIdentity,
}

/// What was loaded, from which checkpoint, and why from that one.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<T> {
    /// What was asked for.
    pub value: T,
    /// The checkpoint it comes from.
    pub entry: Entry,
    /// Why it was this one, as a sentence.
    pub why: String,
    /// What was passed over, newest first: for `latest` what is newer and not good, for other selectors what could not be
    /// considered because it cannot be read.
    pub skipped: Vec<Skipped>,
}

/// All sections of a checkpoint, in memory, verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Sections {
    sections: Vec<EncodedSection>,
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

/// How often the names are read anew because one of them was deleted meanwhile.
const RELISTS_MAX: usize = 16;

/// Why a file was not opened for a listing.
enum Unopened {
    Fault(State, String),
    Gone,
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
        let mut fence = Fence::default();
        let mut entries = Vec::with_capacity(named.len());
        for named in named.iter().rev() {
            let Some(mut entry) = self.entry(named, pins.contains(&named.order.1)) else { continue };
            if entry.details.is_some()
                && let Some(reason) = fence.pass(named.order)
                && entry.is_committed()
            {
                (entry.state, entry.reason) = (State::Fenced, Some(reason));
            }
            entries.push(entry);
        }
        entries.reverse();
        Ok(entries)
    }

    /// The row of the checkpoint that is meant. Only good ones can be meant, except by number or file name.
    ///
    /// # Errors
    /// [`Error::NotFound`] listing what there is; [`Error::Damaged`], [`Error::Unsupported`] ... if it is meant but not good;
    /// [`Error::Invalid`] if `best` needs a direction.
    pub fn find(&self, selector: &Selector) -> Result<Entry> {
        self.load_with(selector, |checkpoint| checkpoint.sections().map(|_| ())).map(|loaded| loaded.entry)
    }

    /// Loads all sections into memory, verified.
    ///
    /// `latest` steps back over damaged checkpoints and says so; any other selector that hits damage fails.
    ///
    /// # Errors
    /// As [`RunReader::load_with`].
    pub fn load(&self, selector: &Selector) -> Result<Loaded<Sections>> {
        self.load_with(selector, Sections::read)
    }

    /// Loads one section, reading only its bytes.
    ///
    /// # Errors
    /// As [`RunReader::load_with`]; [`Error::NotFound`] if the checkpoint has no such section.
    pub fn load_section(&self, selector: &Selector, name: &str) -> Result<Loaded<EncodedSection>> {
        self.load_with(selector, |checkpoint| checkpoint.read_encoded(name))
    }

    /// Loads one section into the front of the caller's buffer; the value is how many bytes.
    ///
    /// # Errors
    /// As [`RunReader::load_section`]; [`Error::Invalid`] if the buffer is too short.
    pub fn load_section_into(
        &self,
        selector: &Selector,
        name: &str,
        out: &mut [u8],
    ) -> Result<Loaded<usize>> {
        self.load_with(selector, |checkpoint| checkpoint.read_into(name, out))
    }

    /// Loads what `read` takes from the checkpoint that is meant.
    ///
    /// For `latest`, `read` is called again with an older checkpoint when it fails with [`Error::Damaged`].
    ///
    /// # Errors
    /// [`Error::NotFound`] listing what there is; [`Error::NothingGood`] if `latest` found only damage;
    /// [`Error::Damaged`] for other selectors; [`Error::Unsupported`], [`Error::Incompatible`], [`Error::Io`],
    /// [`Error::Permission`] of the newest: these are not damage, and nothing is stepped over.
    pub fn load_with<T>(
        &self,
        selector: &Selector,
        read: impl FnMut(&Checkpoint) -> Result<T>,
    ) -> Result<Loaded<T>> {
        self.load_and_report(selector, read, |_, _| None)
    }

    /// As [`RunReader::load_with`]; `damaged` is told of each damaged file and may say where it put it.
    pub(crate) fn load_and_report<T>(
        &self,
        selector: &Selector,
        mut read: impl FnMut(&Checkpoint) -> Result<T>,
        damaged: impl FnMut(&Named, &str) -> Option<String>,
    ) -> Result<Loaded<T>> {
        if *selector == Selector::Latest {
            return self.load_latest(read, damaged);
        }
        let rows = self.list()?;
        let mut skipped = Vec::new();
        let chosen = match selector {
            // These two name a file, good or not: what is wrong with it is the answer.
            Selector::Sequence(_) | Selector::File(_) => selector.choose(&rows).map_err(not_chosen)?.clone(),
            _ => {
                let (good, bad): (Vec<Entry>, Vec<Entry>) = rows.into_iter().partition(Entry::is_committed);
                skipped.extend(bad.iter().rev().filter(|entry| entry.details.is_none()).map(not_judged));
                selector.choose(&good).map_err(not_chosen)?.clone()
            }
        };
        if let Some(reason) = &chosen.reason
            && matches!(chosen.state, State::Foreign | State::Duplicate | State::Fenced)
        {
            let (state, file_name) = (chosen.state, &chosen.file_name);
            return Err(Error::Invalid { reason: format!("{file_name} is {state}: {reason}") });
        }
        let checkpoint = Checkpoint::open(self.storage.as_ref(), &chosen.file_name)?;
        let value = read(&checkpoint)?;
        Ok(Loaded { value, why: format!("it is what {selector} means"), entry: chosen, skipped })
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
    /// [`Error::Io`] if the log cannot be read. A bad line is a line that says so.
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

    /// All checkpoints by name, oldest first, and the pinned sequences.
    pub(crate) fn names(&self) -> Result<(Vec<Named>, BTreeSet<u64>)> {
        let names = self.storage.list("").map_err(|source| Error::io("listing", ".", source))?;
        let pins = names.iter().filter_map(|entry| layout::pin_sequence(&entry.name)).collect();
        Ok((names::sorted(names), pins))
    }

    /// The row of a file; nothing if it was deleted since its name was read.
    fn entry(&self, named: &Named, pinned: bool) -> Option<Entry> {
        let length = || self.length(&named.file_name);
        let (state, reason, mut entry) = match (self.open_named(named), named.fault.clone()) {
            (Ok(checkpoint), None) => return Some(named.committed(&checkpoint, pinned)),
            (Ok(checkpoint), Some((state, reason))) => (state, reason, named.committed(&checkpoint, pinned)),
            (Err(Unopened::Fault(state, reason)), _) => (state, reason, named.unopened(length(), pinned)),
            (Err(Unopened::Gone), _) => return None,
        };
        (entry.state, entry.reason) = (state, Some(reason));
        Some(entry)
    }

    fn load_latest<T>(
        &self,
        mut read: impl FnMut(&Checkpoint) -> Result<T>,
        mut damaged: impl FnMut(&Named, &str) -> Option<String>,
    ) -> Result<Loaded<T>> {
        let mut skipped: Vec<Skipped> = Vec::new();
        for attempt in 0..RELISTS_MAX {
            let last = attempt + 1 == RELISTS_MAX;
            if let Some(loaded) = self.load_newest(&mut read, &mut damaged, &mut skipped, last)? {
                return Ok(loaded);
            }
            // What was set aside is gone from the names; the rest is found again.
            skipped.retain(|skipped| skipped.set_aside.is_some());
        }
        Err(self.nothing_there())
    }

    /// One walk over the names. Nothing is returned if one was deleted since they were read: what has replaced it is not among
    /// them, so an older one would be the wrong answer, and none would look like an empty run.
    fn load_newest<T>(
        &self,
        read: &mut impl FnMut(&Checkpoint) -> Result<T>,
        damaged: &mut impl FnMut(&Named, &str) -> Option<String>,
        skipped: &mut Vec<Skipped>,
        last: bool,
    ) -> Result<Option<Loaded<T>>> {
        let (named, pins) = self.names()?;
        let mut fence = Fence::default();
        for candidate in named.iter().rev() {
            let result = match self.open_for_load(candidate) {
                Ok(Ok(checkpoint)) => match fence.pass(candidate.order) {
                    Some(reason) => {
                        skipped.push(candidate.skipped(format!("{}: {reason}", State::Fenced), None));
                        continue;
                    }
                    None => read(&checkpoint).map(|value| (value, checkpoint)),
                },
                Ok(Err(reason)) => {
                    skipped.push(candidate.skipped(reason, None));
                    continue;
                }
                // Deleted since the names were read: not damage.
                Err(error) if is_gone(&error) && !last => return Ok(None),
                Err(error) if is_gone(&error) => {
                    skipped.push(candidate.skipped(error.to_string(), None));
                    continue;
                }
                Err(error) => Err(error),
            };
            match result {
                Ok((value, checkpoint)) => {
                    let entry = candidate.committed(&checkpoint, pins.contains(&candidate.order.1));
                    let why = match skipped.len() {
                        0 => "it is the newest".to_owned(),
                        1 => "it is the newest good one; one newer was skipped".to_owned(),
                        count => format!("it is the newest good one; {count} newer were skipped"),
                    };
                    return Ok(Some(Loaded { value, entry, why, skipped: std::mem::take(skipped) }));
                }
                // Only damage of this file: the caller may have read another one, too.
                Err(Error::Damaged { file, source }) if file == candidate.file_name => {
                    let reason = source.to_string();
                    let set_aside = damaged(candidate, &reason);
                    skipped.push(candidate.skipped(reason, set_aside));
                }
                Err(error) => return Err(error),
            }
        }
        match skipped.is_empty() {
            true => Err(self.nothing_there()),
            false => Err(Error::NothingGood { skipped: std::mem::take(skipped) }),
        }
    }

    /// Opens a candidate for latest: an error, or the reason to pass it over, or the checkpoint.
    fn open_for_load(&self, named: &Named) -> Result<Result<Checkpoint, String>> {
        if let Some((state, reason)) = &named.fault {
            return Ok(Err(format!("{state}: {reason}")));
        }
        let checkpoint = Checkpoint::open(self.storage.as_ref(), &named.file_name)?;
        Ok(match self.disagreement(named, &checkpoint) {
            Some(reason) => Err(format!("{}: {reason}", State::Foreign)),
            None => Ok(checkpoint),
        })
    }

    fn open_named(&self, named: &Named) -> Result<Checkpoint, Unopened> {
        if let Some((State::Foreign, reason)) = &named.fault {
            return Err(Unopened::Fault(State::Foreign, reason.clone()));
        }
        let checkpoint = Checkpoint::open(self.storage.as_ref(), &named.file_name)
            .and_then(|checkpoint| checkpoint.sections().map(|_| ()).map(|()| checkpoint))
            .map_err(|error| match is_gone(&error) {
                true => Unopened::Gone,
                false => Unopened::Fault(state_of(&error), error_reason(&error)),
            })?;
        match self.disagreement(named, &checkpoint) {
            Some(reason) => Err(Unopened::Fault(State::Foreign, reason)),
            None => Ok(checkpoint),
        }
    }

    /// What the inside says against the name, or against the run.
    fn disagreement(&self, named: &Named, checkpoint: &Checkpoint) -> Option<String> {
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

    fn length(&self, file_name: &str) -> u64 {
        let file = self.storage.open(file_name, Access::Read);
        file.and_then(|file| file.length()).unwrap_or(0)
    }

    fn nothing_there(&self) -> Error {
        Error::NotFound { wanted: format!("latest in {}", self.path.display()), present: Vec::new() }
    }
}

impl Sections {
    pub(crate) fn read(checkpoint: &Checkpoint) -> Result<Self> {
        let sections = checkpoint.sections()?.iter().map(|section| checkpoint.read_encoded(&section.name));
        Ok(Self { sections: sections.collect::<Result<_>>()? })
    }

    /// The bytes of a section.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.get(name).map(|section| section.bytes.as_slice())
    }

    /// A section with its kind, version and codec.
    pub fn get(&self, name: &str) -> Option<&EncodedSection> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// All sections, in the order they were saved.
    pub fn iter(&self) -> impl Iterator<Item = &EncodedSection> {
        self.sections.iter()
    }

    /// All sections by name.
    pub fn into_map(self) -> BTreeMap<String, EncodedSection> {
        self.sections.into_iter().map(|section| (section.name.clone(), section)).collect()
    }
}

impl SectionSource for Sections {
    fn names(&self) -> Vec<String> {
        self.sections.iter().map(|section| section.name.clone()).collect()
    }

    fn section(&self, name: &str) -> SectionState {
        self.get(name).cloned().map_or(SectionState::Missing, SectionState::Present)
    }
}

/// Whether the file was not there any more.
fn is_gone(error: &Error) -> bool {
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
fn error_reason(error: &Error) -> String {
    match error {
        Error::Damaged { source, .. } | Error::Unsupported { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

/// A row whose inside cannot be read: nobody knows whether it would have been meant.
fn not_judged(entry: &Entry) -> Skipped {
    let reason = entry.reason.as_deref().unwrap_or("it cannot be read");
    Skipped {
        epoch: entry.epoch,
        sequence: entry.sequence,
        file_name: entry.file_name.clone(),
        reason: format!("{}: {reason}; so it could not be considered", entry.state),
        set_aside: None,
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
