//! Loading values of the application's own types: one stored type, or a bundle of them.

use std::cell::RefCell;
use std::error::Error as _;

use ckpt_format::json::{self, FieldReport};
use ckpt_format::{
    Bundle, BundleError, BundleMode, Decoded, LoadedBundle, SectionSource, SectionState, Selector, Stored,
};
use serde::de::DeserializeOwned;

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::load::Loaded;
use crate::reader::RunReader;
use crate::store::Run;
use crate::told;

impl RunReader {
    /// Loads a section as a stored type, migrating it if an older version wrote it; the report says how.
    ///
    /// # Errors
    /// As [`RunReader::load_section`]; [`Error::Incompatible`] if the bytes are good but this program cannot decode or
    /// migrate them: nothing is moved, nothing is stepped over.
    pub fn load_stored<T: Stored>(&self, selector: &Selector, name: &str) -> Result<Loaded<Decoded<T>>> {
        self.load_with(selector, |checkpoint| decode(checkpoint, name))
    }

    /// Loads a bundle, each component from its section; the report says what happened to each.
    ///
    /// One event of `tracing` (target `ckpt`, level info) tells of it: `restored`, `migrated`, `defaulted`, `clamped` and `skipped`
    /// as counts, and what is not as it was saved in words. Nothing is written in the run, whose log is its writer's.
    ///
    /// # Errors
    /// As [`RunReader::load_with`]. In [`BundleMode::Strict`] a damaged component makes the whole checkpoint damaged, and
    /// `latest` steps back; one that this program cannot decode is [`Error::Incompatible`]. In [`BundleMode::Lenient`]
    /// both are reported and take their default.
    pub fn load_bundle<B: Bundle>(
        &self,
        selector: &Selector,
        mode: BundleMode,
    ) -> Result<Loaded<LoadedBundle<B>>> {
        self.load_with(selector, |checkpoint| decode_bundle(checkpoint, mode)).inspect(told::loaded)
    }
}

impl Run {
    /// As [`RunReader::load_stored`]; for `latest`, damaged checkpoints are set aside.
    ///
    /// # Errors
    /// As [`RunReader::load_stored`].
    pub fn load_stored<T: Stored>(&self, selector: &Selector, name: &str) -> Result<Loaded<Decoded<T>>> {
        self.load_with(selector, |checkpoint| decode(checkpoint, name))
    }

    /// As [`RunReader::load_bundle`]; for `latest`, damaged checkpoints are set aside.
    ///
    /// # Errors
    /// As [`RunReader::load_bundle`].
    pub fn load_bundle<B: Bundle>(
        &self,
        selector: &Selector,
        mode: BundleMode,
    ) -> Result<Loaded<LoadedBundle<B>>> {
        self.load_with(selector, |checkpoint| decode_bundle(checkpoint, mode)).inspect(told::loaded)
    }
}

impl Checkpoint {
    /// Reads a bundle, each component from its section; the report says what happened to each.
    ///
    /// # Errors
    /// In [`BundleMode::Strict`] what is wrong with the first component that cannot be had: [`Error::Damaged`],
    /// [`Error::Incompatible`]. In [`BundleMode::Lenient`] both are reported and take their default. In both the error of a
    /// component that cannot be read.
    pub fn read_bundle<B: Bundle>(&self, mode: BundleMode) -> Result<LoadedBundle<B>> {
        decode_bundle(self, mode)
    }

    /// Reads a section as JSON, and says which fields it lacked or had beside the known ones.
    ///
    /// # Errors
    /// As [`Checkpoint::read`]; [`Error::Incompatible`] naming the section if its bytes are good but no such value.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<(T, FieldReport)> {
        json::from_slice(&self.read(name)?).map_err(|error| Error::Incompatible {
            file: self.file_name().to_owned(),
            reason: format!("section {name}: {error}"),
        })
    }
}

fn decode<T: Stored>(checkpoint: &Checkpoint, name: &str) -> Result<Decoded<T>> {
    checkpoint.read_encoded(name)?.load().map_err(|error| {
        let reason = error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        Error::Incompatible { file: checkpoint.file_name().to_owned(), reason }
    })
}

fn decode_bundle<B: Bundle>(checkpoint: &Checkpoint, mode: BundleMode) -> Result<LoadedBundle<B>> {
    // Tables that are damaged are damage of the whole, not of a component: nothing could be read, and an older one may be good.
    checkpoint.index()?;
    let source = Source { checkpoint, failed: RefCell::new(None) };
    B::from_sections(&source, mode).map_err(|error| match (error, source.failed.into_inner()) {
        (BundleError::Damaged { .. } | BundleError::Unreadable { .. }, Some(failed)) => failed,
        (error, _) => {
            Error::Incompatible { file: checkpoint.file_name().to_owned(), reason: error.to_string() }
        }
    })
}

/// The sections of a checkpoint, read when they are asked for; remembers the error that a strict load ends with.
struct Source<'a> {
    checkpoint: &'a Checkpoint,
    failed: RefCell<Option<Error>>,
}

impl SectionSource for Source<'_> {
    fn names(&self) -> Vec<String> {
        let sections = self.checkpoint.sections().unwrap_or_default();
        sections.iter().map(|section| section.name.clone()).collect()
    }

    fn section(&self, name: &str) -> SectionState {
        let error = match self.checkpoint.read_encoded(name) {
            Ok(section) => return SectionState::Present(section),
            Err(error) => error,
        };
        let reason = error.to_string();
        match &error {
            Error::NotFound { .. } => return SectionState::Missing,
            Error::Unsupported { .. } => return SectionState::Unsupported(reason),
            _ => {}
        }
        let damaged = matches!(error, Error::Damaged { .. });
        // What cannot be read matters more than what is damaged: the next attempt may find it whole.
        let mut failed = self.failed.borrow_mut();
        if failed.is_none() || !damaged {
            *failed = Some(error);
        }
        if damaged { SectionState::Damaged(reason) } else { SectionState::Unreadable(reason) }
    }
}
