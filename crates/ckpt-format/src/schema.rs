//! What a stored type says about itself: its kind, its version, and the type it came from.
//!
//! A released shape is frozen. A change makes a new type with a higher version that names the old one as its
//! [`Previous`](Stored::Previous) and says how to get from there to here.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use crate::codec::Codec;

/// A type whose values are kept in sections.
///
/// ```
/// use ckpt_format::{EncodedSection, FirstVersion, MigrateError, Stored};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct FilterV1 { vol_pct: f64 }
///
/// impl Stored for FilterV1 {
///     const KIND: &'static str = "vol_filter";
///     const VERSION: u32 = 1;
///     type Previous = FirstVersion;
///     fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
///         match previous {}
///     }
/// }
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Filter { vol: f64 }
///
/// impl Stored for Filter {
///     const KIND: &'static str = "vol_filter";
///     const VERSION: u32 = 2;
///     type Previous = FilterV1;
///     fn migrate(previous: FilterV1) -> Result<Self, MigrateError> {
///         if previous.vol_pct < 0.0 {
///             return Err(MigrateError::new("vol_pct is negative"));
///         }
///         Ok(Self { vol: previous.vol_pct / 100.0 })
///     }
/// }
///
/// let old = EncodedSection::encode("vol_filter", &FilterV1 { vol_pct: 20.0 })?;
/// let loaded = old.load::<Filter>()?;
/// assert_eq!(loaded.value, Filter { vol: 0.2 });
/// assert_eq!(loaded.report.to_string(), "v1 -> v2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A chain that can't be right does not compile: all versions of a kind have its name, and they descend (gaps are
/// fine).
///
/// ```compile_fail
/// # use ckpt_format::{EncodedSection, FirstVersion, MigrateError, Stored};
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Zero;
///
/// impl Stored for Zero {
///     const KIND: &'static str = "zero";
///     const VERSION: u32 = 0; // versions begin at 1
///     type Previous = FirstVersion;
///     fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
///         match previous {}
///     }
/// }
///
/// let section = EncodedSection::encode("zero", &Zero);
/// ```
///
/// In JSON, give the type `#[serde(default)]` and a `Default`: a field that yesterday's text lacks then takes the
/// type's own prior. Bincode has no names: any change of shape is a new version there.
pub trait Stored: Serialize + DeserializeOwned {
    /// Name of what it is, the same in all versions.
    const KIND: &'static str;

    /// Version of this shape, from 1; higher than the previous one's.
    const VERSION: u32;

    /// How it is written. Default: JSON. What is read goes by what the section says.
    const CODEC: Codec = Codec::Json;

    /// The shape before this one; [`FirstVersion`] if there was none.
    type Previous: Stored;

    /// Turns the previous shape into this one. Pure: the same in, the same out.
    ///
    /// # Errors
    /// [`MigrateError`] if this value of the previous shape has no counterpart.
    fn migrate(previous: Self::Previous) -> Result<Self, MigrateError>;
}

/// What comes before the first version: nothing, so there is no value of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstVersion {}

impl Stored for FirstVersion {
    const KIND: &'static str = "";
    const VERSION: u32 = 0;
    type Previous = Self;

    fn migrate(previous: Self) -> Result<Self, MigrateError> {
        match previous {}
    }
}

impl Serialize for FirstVersion {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

impl<'de> Deserialize<'de> for FirstVersion {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("there is nothing before the first version"))
    }
}

/// Why a value of an older shape has no counterpart in the newer one.
#[derive(Debug)]
pub struct MigrateError {
    reason: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl MigrateError {
    /// With what is wrong, as a lower-case fragment that names the field.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), source: None }
    }

    /// With the error that led to it.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}

impl fmt::Display for MigrateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for MigrateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}

/// The versions of a kind that a program with this type reads, oldest first.
pub fn readable_versions<T: Stored>() -> Vec<u32> {
    const { check_chain::<T>() };
    if T::VERSION == 0 {
        return Vec::new();
    }
    let mut versions = readable_versions::<T::Previous>();
    versions.push(T::VERSION);
    versions
}

/// Holds for a type and its previous one; evaluated at compile time wherever a type is saved or loaded.
pub(crate) const fn check_chain<T: Stored>() {
    if T::VERSION == 0 && T::KIND.is_empty() {
        return;
    }
    assert!(!T::KIND.is_empty(), "a stored type has a kind");
    assert!(
        T::VERSION > T::Previous::VERSION,
        "versions begin at 1 and each is higher than the previous one"
    );
    assert!(
        T::Previous::VERSION == 0 || is_same(T::KIND, T::Previous::KIND),
        "a type and its previous version have the same kind"
    );
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_only_if_they_are() {
        assert!(is_same("vol_filter", "vol_filter"));
        assert!(is_same("", ""));
        assert!(!is_same("vol_filter", "vol_filtes"));
        assert!(!is_same("vol_filter", "vol"));
    }

    #[test]
    fn an_error_keeps_its_source() {
        let error = MigrateError::new("no rate").with_source(std::fmt::Error);
        assert_eq!(error.to_string(), "no rate");
        assert!(std::error::Error::source(&error).is_some());
    }
}
