//! What a session saves and brings back: a type that says its sections, and one that can be made from a checkpoint.

use std::cell::LazyCell;

use ckpt_format::{Bundle, BundleMode, BundleReport, ComponentReport, LoadedBundle, Outcome};
use ckpt_store::{Checkpoint, Error, Result, Section};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The one section of a [`Json`].
const STATE: &str = "state";

/// State that can be saved.
///
/// Every [`Bundle`] can: each component is a section. [`Json`] is for any serde value. A type with large buffers says its
/// sections itself, and borrows them:
///
/// ```
/// use ckpt::{Result, Save, Section};
///
/// struct Agent {
///     steps: u64,
///     weights: Vec<u8>,
/// }
///
/// impl Save for Agent {
///     fn sections(&self) -> Result<Vec<Section<'_>>> {
///         Ok(vec![Section::json("agent", &self.steps)?, Section::raw("weights", &self.weights)])
///     }
/// }
/// ```
pub trait Save {
    /// Its sections, in the order in which they are saved.
    ///
    /// # Errors
    /// [`Error::Refused`] naming the field that its codec cannot carry.
    fn sections(&self) -> Result<Vec<Section<'_>>>;
}

/// State that can be made from a checkpoint.
///
/// Every [`Bundle`] can be, and a [`Json`].
pub trait Restore: Sized {
    /// Makes it, and says what happened to each component. May be called again with an older checkpoint when it fails with
    /// [`Error::Damaged`].
    ///
    /// # Errors
    /// What reading the sections returns; [`Error::Incompatible`] for good bytes that are not this state.
    fn restore(checkpoint: &Checkpoint, mode: BundleMode) -> Result<(Self, BundleReport)>;
}

/// Any serde value as one JSON section, `state`. For state that changes its shape one day, a [`Bundle`] of stored types is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Json<T>(
    /// The value.
    pub T,
);

impl<B: Bundle> Save for B {
    fn sections(&self) -> Result<Vec<Section<'_>>> {
        let sections = self.to_sections().map_err(|error| Error::Refused {
            section: "a component of the bundle".to_owned(),
            reason: error.to_string(),
        })?;
        Ok(sections.into_iter().map(Section::encoded).collect())
    }
}

impl<B: Bundle> Restore for B {
    fn restore(checkpoint: &Checkpoint, mode: BundleMode) -> Result<(Self, BundleReport)> {
        let LoadedBundle { value, report } = checkpoint.read_bundle(mode)?;
        Ok((value, report))
    }
}

/// State that is made when its sections are asked for, and not before: a save that is skipped or refused asks for none.
pub(super) struct Lazily<S, F>(LazyCell<S, F>);

impl<S, F: FnOnce() -> S> Lazily<S, F> {
    pub(super) fn new(make: F) -> Self {
        Self(LazyCell::new(make))
    }
}

impl<S: Save, F: FnOnce() -> S> Save for Lazily<S, F> {
    fn sections(&self) -> Result<Vec<Section<'_>>> {
        self.0.sections()
    }
}

impl<T: Serialize> Save for Json<T> {
    fn sections(&self) -> Result<Vec<Section<'_>>> {
        Ok(vec![Section::json(STATE, &self.0)?])
    }
}

impl<T: DeserializeOwned> Restore for Json<T> {
    fn restore(checkpoint: &Checkpoint, _mode: BundleMode) -> Result<(Self, BundleReport)> {
        let (value, fields) = checkpoint.read_json(STATE)?;
        let component = ComponentReport {
            name: STATE.to_owned(),
            outcome: Outcome::Restored,
            clamped: Vec::new(),
            defaulted: fields.absent,
            unknown: fields.unknown,
        };
        Ok((Self(value), BundleReport { components: vec![component], unknown_sections: Vec::new() }))
    }
}
