//! Loading: which checkpoint is meant, what of it is read, and when an older one is taken instead.

use std::collections::BTreeMap;

use ckpt_format::{EncodedSection, Entry, SectionSource, SectionState, Selector, State};

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result, Skipped};
use crate::names::{Fence, Named};
use crate::reader::{RunReader, is_gone, not_chosen};

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

/// How often the names are read anew because one of them was deleted meanwhile.
const RELISTS_MAX: usize = 16;

impl RunReader {
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
        let checkpoint = Checkpoint::open(self.storage().as_ref(), &chosen.file_name)?;
        let value = read(&checkpoint)?;
        Ok(Loaded { value, why: format!("it is what {selector} means"), entry: chosen, skipped })
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
        let (newest, pins) = self.newest()?;
        let mut fence = Fence::default();
        for candidate in newest {
            let result = match self.open_for_load(&candidate, &mut fence) {
                Ok(Ok(checkpoint)) => read(&checkpoint).map(|value| (value, checkpoint)),
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
                    let set_aside = damaged(&candidate, &reason);
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

    /// Opens a candidate for latest: an error, or the reason to pass it over, or the checkpoint. What counts for the fence is
    /// the same as in a listing.
    fn open_for_load(&self, named: &Named, fence: &mut Fence) -> Result<Result<Checkpoint, String>> {
        let passed_over = |state: State, reason: &str| Ok(Err(format!("{state}: {reason}")));
        if let Some((State::Foreign, reason)) = &named.fault {
            return passed_over(State::Foreign, reason);
        }
        let opened = Checkpoint::open(self.storage().as_ref(), &named.file_name);
        let checkpoint = match (opened, &named.fault) {
            // Whether it counts is all that matters of a duplicate.
            (Err(_), Some((state, reason))) => return passed_over(*state, reason),
            (opened, _) => opened?,
        };
        if let Some(reason) = self.disagreement(named, &checkpoint) {
            return passed_over(State::Foreign, &reason);
        }
        let fenced = fence.pass(named.order);
        if let Some((state, reason)) = &named.fault {
            return passed_over(*state, reason);
        }
        checkpoint.sections()?;
        match fenced {
            Some(reason) => passed_over(State::Fenced, &reason),
            None => Ok(Ok(checkpoint)),
        }
    }
}

impl Sections {
    pub(crate) fn read(checkpoint: &Checkpoint) -> Result<Self> {
        // Reading a section would check the tables against each other; a file without any is checked, too.
        checkpoint.index()?;
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

/// A row whose inside cannot be read: nobody knows whether it would have been meant.
fn not_judged(entry: &Entry) -> Skipped {
    let reason = entry.reason.as_deref().unwrap_or("it cannot be read");
    Skipped {
        epoch: entry.epoch,
        sequence: entry.sequence,
        file_name: entry.file_name.clone(),
        reason: format!("{reason}; so it could not be considered"),
        set_aside: None,
    }
}
