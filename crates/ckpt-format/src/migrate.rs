//! The walk from the stored version to the current one, and what it reports.

use std::fmt;

use crate::codec::DecodeError;
use crate::json::FieldReport;
use crate::path::FieldList;
use crate::schema::{self, MigrateError, Stored, readable_versions};
use crate::section::EncodedSection;

/// A value and how it came here.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded<T> {
    /// The value, in the current shape.
    pub value: T,
    /// How it came here.
    pub report: LoadReport,
}

/// What happened between the stored bytes and the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadReport {
    /// Kind of the value.
    pub kind: String,
    /// Versions it went through, from the stored one to the current one.
    pub path: Vec<u32>,
    /// Fields of the stored version that its bytes lacked: they took their default.
    pub defaulted: FieldList,
    /// Fields in the bytes that the stored version does not declare: they were dropped.
    pub unknown: FieldList,
}

impl LoadReport {
    /// The stored version.
    pub fn from(&self) -> u32 {
        self.path.first().copied().unwrap_or_default()
    }

    /// Whether the stored version was an older one.
    pub fn is_migrated(&self) -> bool {
        self.path.len() > 1
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_path(f, &self.path)?;
        write_fields(f, &self.defaulted, "defaulted")?;
        write_fields(f, &self.unknown, "unknown and dropped")
    }
}

/// Writes `v1 -> v2 -> v4`.
pub(crate) fn write_path(f: &mut fmt::Formatter<'_>, path: &[u32]) -> fmt::Result {
    for (index, version) in path.iter().enumerate() {
        let arrow = if index == 0 { "" } else { " -> " };
        write!(f, "{arrow}v{version}")?;
    }
    Ok(())
}

/// Writes `; 2 fields defaulted: a, b`, or nothing.
pub(crate) fn write_fields(f: &mut fmt::Formatter<'_>, fields: &FieldList, what: &str) -> fmt::Result {
    match fields.total() {
        0 => Ok(()),
        1 => write!(f, "; 1 field {what}: {fields}"),
        total => write!(f, "; {total} fields {what}: {fields}"),
    }
}

/// Why a section did not become a value. The bytes are good: the store found them undamaged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The section holds something else.
    #[error("section {section:?} holds a {found:?}, not a {expected:?}: ask for the type that was saved")]
    WrongKind {
        /// Name of the section.
        section: String,
        /// Kind it holds; empty for bytes without a kind.
        found: String,
        /// Kind that was asked for.
        expected: &'static str,
    },
    /// A newer program wrote it.
    #[error(
        "section {section:?} holds {kind} v{stored}, this program reads up to v{readable}: use the program that wrote it, \
         or a newer one"
    )]
    NewerVersion {
        /// Name of the section.
        section: String,
        /// Kind of the value.
        kind: &'static str,
        /// Version it was stored as.
        stored: u32,
        /// Highest version this program reads.
        readable: u32,
    },
    /// A version that never was, or that this program no longer knows.
    #[error(
        "section {section:?} holds {kind} v{stored}, of which this program knows nothing: it reads {readable:?}"
    )]
    UnknownVersion {
        /// Name of the section.
        section: String,
        /// Kind of the value.
        kind: &'static str,
        /// Version it was stored as.
        stored: u32,
        /// Versions this program reads.
        readable: Vec<u32>,
    },
    /// The bytes are not what this version of the type writes.
    #[error("section {section:?} can't be decoded as {kind} v{version}")]
    Decode {
        /// Name of the section.
        section: String,
        /// Kind of the value.
        kind: &'static str,
        /// Version it was stored as.
        version: u32,
        /// What is wrong with them.
        source: DecodeError,
    },
    /// A step of the chain refused the value.
    #[error("section {section:?}: {kind} v{from} can't become v{to}")]
    Migrate {
        /// Name of the section.
        section: String,
        /// Kind of the value.
        kind: &'static str,
        /// Version before the step.
        from: u32,
        /// Version after the step.
        to: u32,
        /// Why.
        source: MigrateError,
    },
}

impl EncodedSection {
    /// Decodes the value with the type of its stored version and takes it to `T`, step by step.
    ///
    /// Kind and version are checked before a byte is decoded. The codec is the one the section names.
    ///
    /// ```
    /// # use ckpt_format::{EncodedSection, FirstVersion, MigrateError, Stored};
    /// #[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
    /// #[serde(default)]
    /// struct Spread { kappa: f64, floor: f64 }
    ///
    /// impl Stored for Spread {
    ///     const KIND: &'static str = "spread";
    ///     const VERSION: u32 = 1;
    ///     type Previous = FirstVersion;
    ///     fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
    ///         match previous {}
    ///     }
    /// }
    ///
    /// let mut section = EncodedSection::encode("spread", &Spread { kappa: 1.5, floor: f64::INFINITY })?;
    /// assert_eq!(section.load::<Spread>()?.value.floor, f64::INFINITY);
    ///
    /// section.bytes = br#"{"kappa":1.5}"#.to_vec();
    /// assert_eq!(section.load::<Spread>()?.report.to_string(), "v1; 1 field defaulted: floor");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`LoadError`], each case its own: another kind, a newer version, an unknown one, bytes that can't be decoded,
    /// a step that refuses.
    pub fn load<T: Stored>(&self) -> Result<Decoded<T>, LoadError> {
        self.check_loadable::<T>()?;
        let mut path = Vec::new();
        let (value, fields) = self.walk::<T>(&mut path)?;
        let report =
            LoadReport { kind: T::KIND.to_owned(), path, defaulted: fields.absent, unknown: fields.unknown };
        Ok(Decoded { value, report })
    }

    fn check_loadable<T: Stored>(&self) -> Result<(), LoadError> {
        let (section, stored) = (self.name.clone(), self.version);
        if self.kind != T::KIND {
            return Err(LoadError::WrongKind { section, found: self.kind.clone(), expected: T::KIND });
        }
        if stored > T::VERSION {
            return Err(LoadError::NewerVersion { section, kind: T::KIND, stored, readable: T::VERSION });
        }
        let readable = readable_versions::<T>();
        if !readable.contains(&stored) {
            return Err(LoadError::UnknownVersion { section, kind: T::KIND, stored, readable });
        }
        Ok(())
    }

    /// Down the chain to the stored version, and up again.
    fn walk<T: Stored>(&self, path: &mut Vec<u32>) -> Result<(T, FieldReport), LoadError> {
        const { schema::check_chain::<T>() };
        // The end of the chain counts as its own version, so that the walk ends there whatever is stored.
        let (value, fields) = if self.version == T::VERSION || T::VERSION == 0 {
            self.decode_as::<T>()?
        } else {
            let (previous, fields) = self.walk::<T::Previous>(path)?;
            let step = |source| LoadError::Migrate {
                section: self.name.clone(),
                kind: T::KIND,
                from: T::Previous::VERSION,
                to: T::VERSION,
                source,
            };
            (T::migrate(previous).map_err(step)?, fields)
        };
        path.push(T::VERSION);
        Ok((value, fields))
    }

    fn decode_as<T: Stored>(&self) -> Result<(T, FieldReport), LoadError> {
        self.codec.decode(&self.bytes).map_err(|source| LoadError::Decode {
            section: self.name.clone(),
            kind: T::KIND,
            version: T::VERSION,
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::codec::Codec;
    use crate::schema::FirstVersion;

    /// Version 1 knew one number, in percent.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct FilterV1 {
        vol_pct: f64,
    }

    impl Stored for FilterV1 {
        const KIND: &'static str = "filter";
        const VERSION: u32 = 1;
        type Previous = FirstVersion;

        fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
            match previous {}
        }
    }

    /// Version 2 counts observations, with a prior of ten.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct FilterV2 {
        vol: f64,
        count: u32,
    }

    impl Default for FilterV2 {
        fn default() -> Self {
            Self { vol: 0.5, count: 10 }
        }
    }

    impl Stored for FilterV2 {
        const KIND: &'static str = "filter";
        const VERSION: u32 = 2;
        type Previous = FilterV1;

        fn migrate(previous: FilterV1) -> Result<Self, MigrateError> {
            if previous.vol_pct < 0.0 {
                return Err(MigrateError::new(format!("vol_pct is {}", previous.vol_pct)));
            }
            Ok(Self { vol: previous.vol_pct / 100.0, ..Self::default() })
        }
    }

    /// Version 3 was never released.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Filter {
        count: u32,
        vol: f64,
        regime: String,
    }

    impl Stored for Filter {
        const KIND: &'static str = "filter";
        const VERSION: u32 = 4;
        const CODEC: Codec = if Codec::Bincode.is_available() { Codec::Bincode } else { Codec::Json };
        type Previous = FilterV2;

        fn migrate(previous: FilterV2) -> Result<Self, MigrateError> {
            Ok(Self { count: previous.count, vol: previous.vol, regime: "calm".to_owned() })
        }
    }

    fn expected() -> Filter {
        Filter { count: 10, vol: 0.25, regime: "calm".to_owned() }
    }

    #[test]
    fn old_versions_walk_up_in_every_codec() {
        for codec in [Codec::Json, Filter::CODEC] {
            let v1 = EncodedSection::encode_as("f", codec, &FilterV1 { vol_pct: 25.0 }).unwrap();
            let loaded = v1.load::<Filter>().unwrap();
            assert_eq!(loaded.value, expected());
            assert_eq!(loaded.report.path, [1, 2, 4]);
            assert_eq!(loaded.report.to_string(), "v1 -> v2 -> v4");
            assert!(loaded.report.is_migrated());

            let v2 = EncodedSection::encode_as("f", codec, &FilterV2 { vol: 0.25, count: 10 }).unwrap();
            let loaded = v2.load::<Filter>().unwrap();
            assert_eq!(loaded.value, expected());
            assert_eq!((loaded.report.from(), loaded.report.path), (2, vec![2, 4]));

            let v4 = EncodedSection::encode_as("f", codec, &expected()).unwrap();
            let loaded = v4.load::<Filter>().unwrap();
            assert_eq!(loaded.value, expected());
            assert_eq!((loaded.report.is_migrated(), loaded.report.path), (false, vec![4]));
        }
        let section = EncodedSection::encode("f", &expected()).unwrap();
        assert_eq!((section.codec, section.version, section.kind.as_str()), (Filter::CODEC, 4, "filter"));
    }

    #[test]
    fn the_report_names_the_fields_of_the_stored_version() {
        let mut section = EncodedSection::encode("f", &FilterV2::default()).unwrap();
        section.bytes = br#"{"old": 1, "older": 2}"#.to_vec();
        let loaded = section.load::<Filter>().unwrap();
        assert_eq!((loaded.value.vol, loaded.value.count), (0.5, 10), "the type's own prior, not zero");
        assert_eq!(
            loaded.report.to_string(),
            "v2 -> v4; 2 fields defaulted: vol, count; 2 fields unknown and dropped: old, older"
        );
    }

    #[test]
    fn each_way_to_fail_is_its_own() {
        let section = |version, bytes: &[u8]| EncodedSection {
            name: "f".to_owned(),
            kind: "filter".to_owned(),
            version,
            codec: Codec::Json,
            bytes: bytes.to_vec(),
        };
        let fails = |section: EncodedSection| section.load::<Filter>().unwrap_err();

        let error = fails(EncodedSection { kind: "other".to_owned(), ..section(9, b"") });
        assert!(matches!(error, LoadError::WrongKind { .. }), "{error}");
        // The bytes are nonsense: the version is looked at first.
        let error = fails(section(5, b"?"));
        assert!(matches!(error, LoadError::NewerVersion { stored: 5, readable: 4, .. }), "{error}");
        for version in [0, 3] {
            let error = fails(section(version, b"?"));
            assert!(
                matches!(&error, LoadError::UnknownVersion { readable, .. } if *readable == [1, 2, 4]),
                "{error}"
            );
        }
        let error = fails(section(1, b"{\"vol_pct\": \"x\"}"));
        assert!(matches!(error, LoadError::Decode { version: 1, .. }), "{error}");
        assert!(error.source().unwrap().to_string().contains("`vol_pct`"));
        let error = fails(section(1, b"{\"vol_pct\": -1}"));
        assert!(matches!(error, LoadError::Migrate { from: 1, to: 2, .. }), "{error}");
        assert_eq!(error.source().unwrap().to_string(), "vol_pct is -1");
        let error = fails(EncodedSection { codec: Codec::Raw, ..section(1, b"{}") });
        assert!(matches!(error, LoadError::Decode { source: DecodeError::NotBytes, .. }), "{error}");
    }

    #[test]
    fn the_versions_a_program_reads_can_be_asked_for() {
        assert_eq!(readable_versions::<Filter>(), [1, 2, 4]);
        assert_eq!(readable_versions::<FilterV1>(), [1]);
        assert!(readable_versions::<FirstVersion>().is_empty());
    }
}
