//! State made of components, one section each, so that one bad component does not take the others with it.
//!
//! A component that is missing takes its default. One that is damaged or can't be decoded or migrated fails the
//! load in [`BundleMode::Strict`], and takes its default in [`BundleMode::Lenient`]; the report says what happened
//! to each. One whose bytes could not be fetched at all fails in both: the next attempt may find it whole.

mod report;

use crate::codec::EncodeError;
use crate::json::FieldReport;
use crate::schema::Stored;
use crate::section::EncodedSection;

pub use report::{BundleError, BundleReport, ComponentCounts, ComponentReport, Outcome, Why};

/// State made of components.
///
/// ```
/// use ckpt_format::{Bundle, BundleMode, BundleReader, BundleWriter, EncodeError};
/// # use ckpt_format::{FirstVersion, MigrateError, Stored};
/// # macro_rules! stored { ($type:ty, $kind:literal) => { impl Stored for $type {
/// #     const KIND: &'static str = $kind;
/// #     const VERSION: u32 = 1;
/// #     type Previous = FirstVersion;
/// #     fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> { match previous {} }
/// # } } }
/// # #[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
/// # struct VolFilter { vol: f64 }
/// # stored!(VolFilter, "vol_filter");
/// # #[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
/// # struct Spread { kappa: f64 }
/// # stored!(Spread, "spread");
///
/// #[derive(Debug, Default, PartialEq)]
/// struct Learned { vol: VolFilter, spread: Spread }
///
/// impl Bundle for Learned {
///     fn write(&self, writer: &mut BundleWriter) -> Result<(), EncodeError> {
///         writer.put("vol_filter", &self.vol)?;
///         writer.put("spread", &self.spread)
///     }
///
///     fn read(reader: &mut BundleReader<'_>) -> Self {
///         Self { vol: reader.take("vol_filter"), spread: reader.take("spread") }
///     }
/// }
///
/// let learned = Learned { vol: VolFilter { vol: 0.2 }, spread: Spread { kappa: 1.5 } };
/// let mut sections = learned.to_sections()?;
/// sections.pop();
///
/// let restored = Learned::from_sections(&sections, BundleMode::Strict)?;
/// assert_eq!(restored.value.vol, learned.vol);
/// assert_eq!(restored.report.to_string(), "vol_filter: restored\nspread: defaulted, it is missing\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Bundle: Sized {
    /// Puts each component under its name.
    ///
    /// # Errors
    /// What [`BundleWriter::put`] returns.
    fn write(&self, writer: &mut BundleWriter) -> Result<(), EncodeError>;

    /// Takes each component by its name. Failures are the reader's to keep: what it hands out instead is a default.
    fn read(reader: &mut BundleReader<'_>) -> Self;

    /// The sections of all components, in the order they were put.
    ///
    /// # Errors
    /// [`EncodeError`] of the first component that its codec can't carry.
    fn to_sections(&self) -> Result<Vec<EncodedSection>, EncodeError> {
        let mut writer = BundleWriter::default();
        self.write(&mut writer)?;
        Ok(writer.sections)
    }

    /// Loads all components, with what happened to each.
    ///
    /// # Errors
    /// [`BundleError`], with the report of all components: in strict mode if any of them is damaged or incompatible,
    /// in both if any could not be read.
    fn from_sections(
        source: &dyn SectionSource,
        mode: BundleMode,
    ) -> Result<LoadedBundle<Self>, BundleError> {
        let mut reader = BundleReader::new(source);
        let value = Self::read(&mut reader);
        let report = reader.finish(mode)?;
        Ok(LoadedBundle { value, report })
    }
}

/// What to do about a component that is there but can't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BundleMode {
    /// Fail. The default.
    #[default]
    Strict,
    /// Report it and take its default, as if it were missing.
    Lenient,
}

/// A bundle and what happened to each component.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedBundle<B> {
    /// The bundle.
    pub value: B,
    /// What happened to each component.
    pub report: BundleReport,
}

/// Where sections come from.
pub trait SectionSource {
    /// Names of the sections that are there.
    fn names(&self) -> Vec<String>;

    /// The section of this name.
    fn section(&self, name: &str) -> SectionState;
}

/// What a source knows of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SectionState {
    /// Its bytes, found undamaged.
    Present(EncodedSection),
    /// There is none of this name.
    Missing,
    /// Its bytes are not those that were written; with the reason.
    Damaged(String),
    /// It is intact but uses what this program does not know; with the reason.
    Unsupported(String),
    /// Its bytes could not be fetched, which says nothing about them; with the reason.
    Unreadable(String),
}

impl SectionSource for Vec<EncodedSection> {
    fn names(&self) -> Vec<String> {
        self.iter().map(|section| section.name.clone()).collect()
    }

    fn section(&self, name: &str) -> SectionState {
        let found = self.iter().find(|section| section.name == name);
        found.map_or(SectionState::Missing, |section| SectionState::Present(section.clone()))
    }
}

/// Collects the sections of a bundle.
#[derive(Debug, Default)]
pub struct BundleWriter {
    sections: Vec<EncodedSection>,
}

impl BundleWriter {
    /// Adds a component as the section `name`.
    ///
    /// # Errors
    /// [`EncodeError`] if the component's codec can't carry it.
    pub fn put<T: Stored>(&mut self, name: &str, component: &T) -> Result<(), EncodeError> {
        self.sections.push(EncodedSection::encode(name, component)?);
        Ok(())
    }
}

/// Hands out the components of a bundle and notes what happened to each.
pub struct BundleReader<'a> {
    source: &'a dyn SectionSource,
    components: Vec<ComponentReport>,
}

impl<'a> BundleReader<'a> {
    /// Reads from `source`.
    pub fn new(source: &'a dyn SectionSource) -> Self {
        Self { source, components: Vec::new() }
    }

    /// The component of section `name`, or its default; [`finish`](Self::finish) tells which.
    pub fn take<T: Stored + Default>(&mut self, name: &str) -> T {
        self.take_or_else(name, T::default)
    }

    /// The same where the default depends on something.
    pub fn take_or_else<T: Stored>(&mut self, name: &str, default: impl FnOnce() -> T) -> T {
        let why = match self.source.section(name) {
            SectionState::Present(section) => match section.load::<T>() {
                Ok(loaded) => {
                    let report = loaded.report;
                    let fields =
                        FieldReport { absent: report.defaulted.clone(), unknown: report.unknown.clone() };
                    let migrated = report.is_migrated();
                    let outcome =
                        if migrated { Outcome::Migrated { path: report.path } } else { Outcome::Restored };
                    self.note(name, outcome, fields);
                    return loaded.value;
                }
                Err(error) => Why::Incompatible(report::with_sources(&error)),
            },
            SectionState::Missing => Why::Missing,
            SectionState::Damaged(reason) => Why::Damaged(reason),
            SectionState::Unsupported(reason) => Why::Incompatible(reason),
            SectionState::Unreadable(reason) => Why::Unreadable(reason),
        };
        self.note(name, Outcome::Defaulted { why }, FieldReport::default());
        default()
    }

    /// Notes that the application brought a value of a component into its bounds: `"kappa from 12 to 10"`.
    ///
    /// Only a component that was taken has a report to note it in; for others nothing happens.
    pub fn note_clamped(&mut self, name: &str, what: impl Into<String>) {
        if let Some(component) = self.components.iter_mut().find(|component| component.name == name) {
            component.clamped.push(what.into());
        }
    }

    /// What happened to each component, and which sections belong to none.
    ///
    /// # Errors
    /// [`BundleError`], with the report of all components: in strict mode if any of them is damaged or incompatible,
    /// in both if any could not be read.
    pub fn finish(self, mode: BundleMode) -> Result<BundleReport, BundleError> {
        let mut unknown_sections = self.source.names();
        unknown_sections.retain(|name| !self.components.iter().any(|component| component.name == *name));
        BundleReport { components: self.components, unknown_sections }.judged(mode)
    }

    fn note(&mut self, name: &str, outcome: Outcome, fields: FieldReport) {
        self.components.push(ComponentReport {
            name: name.to_owned(),
            outcome,
            clamped: Vec::new(),
            defaulted: fields.absent,
            unknown: fields.unknown,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::schema::{FirstVersion, MigrateError};

    macro_rules! stored {
        ($type:ty, $kind:literal, $version:literal, $previous:ty, $migrate:expr) => {
            impl Stored for $type {
                const KIND: &'static str = $kind;
                const VERSION: u32 = $version;
                type Previous = $previous;

                fn migrate(previous: $previous) -> Result<Self, MigrateError> {
                    let migrate: fn($previous) -> Result<Self, MigrateError> = $migrate;
                    migrate(previous)
                }
            }
        };
    }

    #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Vol {
        vol: f64,
        floor: f64,
    }
    stored!(Vol, "vol", 1, FirstVersion, |previous| match previous {});

    #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
    struct SpreadV1(u32);
    stored!(SpreadV1, "spread", 1, FirstVersion, |previous| match previous {});

    #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
    struct Spread {
        kappa: u32,
    }
    stored!(Spread, "spread", 2, SpreadV1, |previous| match previous.0 {
        13 => Err(MigrateError::new("kappa is 13")),
        kappa => Ok(Self { kappa }),
    });

    #[derive(Debug, Default, Clone, PartialEq)]
    struct Learned {
        vol: Vol,
        spread: Spread,
        bias: Vol,
    }

    impl Bundle for Learned {
        fn write(&self, writer: &mut BundleWriter) -> Result<(), EncodeError> {
            writer.put("vol", &self.vol)?;
            writer.put("spread", &self.spread)?;
            writer.put("bias", &self.bias)
        }

        fn read(reader: &mut BundleReader<'_>) -> Self {
            let vol = reader.take("vol");
            let mut spread: Spread = reader.take("spread");
            if spread.kappa > 100 {
                reader.note_clamped("spread", format!("kappa from {} to 100", spread.kappa));
                spread.kappa = 100;
            }
            let bias = reader.take_or_else("bias", || Vol { vol: -1.0, floor: 0.0 });
            Self { vol, spread, bias }
        }
    }

    fn learned() -> Learned {
        Learned {
            vol: Vol { vol: f64::INFINITY, floor: 0.1 },
            spread: Spread { kappa: 7 },
            bias: Vol { vol: 0.5, floor: 0.5 },
        }
    }

    /// Sections, some of which are in another state.
    struct Source(Vec<EncodedSection>, Vec<(&'static str, SectionState)>);

    impl SectionSource for Source {
        fn names(&self) -> Vec<String> {
            self.0.names()
        }

        fn section(&self, name: &str) -> SectionState {
            let other = self.1.iter().find(|(other, _)| *other == name);
            other.map_or_else(|| self.0.section(name), |(_, state)| state.clone())
        }
    }

    fn source(states: Vec<(&'static str, SectionState)>) -> Source {
        Source(learned().to_sections().unwrap(), states)
    }

    #[test]
    fn a_whole_bundle_comes_back() {
        let restored = Learned::from_sections(&source(vec![]), BundleMode::Strict).unwrap();
        assert_eq!(restored.value, learned());
        assert!(restored.report.is_whole());
        assert_eq!(restored.report.to_string(), "vol: restored\nspread: restored\nbias: restored\n");
    }

    #[test]
    fn a_missing_component_takes_its_default_in_both_modes() {
        for mode in [BundleMode::Strict, BundleMode::Lenient] {
            let restored =
                Learned::from_sections(&source(vec![("bias", SectionState::Missing)]), mode).unwrap();
            assert_eq!(restored.value.bias.vol, -1.0);
            assert_eq!(restored.value.vol, learned().vol);
            assert_eq!(
                restored.report.component("bias").unwrap().outcome,
                Outcome::Defaulted { why: Why::Missing }
            );
            assert!(!restored.report.is_whole());
        }
    }

    #[test]
    fn one_bad_component_fails_strict_and_is_defaulted_in_lenient_while_all_others_load() {
        let newer =
            EncodedSection { version: 3, ..EncodedSection::encode("spread", &Spread::default()).unwrap() };
        let refused = EncodedSection::encode("spread", &SpreadV1(13)).unwrap();
        let cases = [
            (SectionState::Damaged("digest of block 0 differs".to_owned()), "digest of block 0"),
            (SectionState::Unsupported("unknown codec 9".to_owned()), "unknown codec 9"),
            (SectionState::Present(newer), "this program reads up to v2"),
            (SectionState::Present(refused), "can't become v2: kappa is 13"),
        ];
        for (state, reason) in cases {
            let damaged = matches!(state, SectionState::Damaged(_));
            let source = source(vec![("spread", state)]);
            let error = Learned::from_sections(&source, BundleMode::Strict).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
            assert_eq!(matches!(error, BundleError::Damaged { .. }), damaged, "{error}");
            assert_eq!(error.report().components.len(), 3, "the report has all of them");

            let restored = Learned::from_sections(&source, BundleMode::Lenient).unwrap();
            assert_eq!(restored.value, Learned { spread: Spread::default(), ..learned() });
            assert!(restored.report.to_string().contains(reason), "{}", restored.report);
        }
    }

    #[test]
    fn what_could_not_be_read_is_never_defaulted() {
        let source = source(vec![
            ("vol", SectionState::Damaged("torn".to_owned())),
            ("bias", SectionState::Unreadable("input/output error".to_owned())),
        ]);
        for mode in [BundleMode::Strict, BundleMode::Lenient] {
            let error = Learned::from_sections(&source, mode).unwrap_err();
            assert!(
                matches!(&error, BundleError::Unreadable { component, .. } if component == "bias"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_report_tells_paths_fields_clamps_and_strangers() {
        let mut source = source(vec![(
            "spread",
            SectionState::Present(EncodedSection::encode("spread", &SpreadV1(120)).unwrap()),
        )]);
        source.0[0].bytes = br#"{"vol": 1, "ceiling": 2}"#.to_vec();
        source.0.push(EncodedSection { name: "rng".to_owned(), ..source.0[0].clone() });
        let restored = Learned::from_sections(&source, BundleMode::Strict).unwrap();
        assert_eq!(restored.value.spread.kappa, 100);
        assert_eq!(
            restored.report.to_string(),
            "vol: restored; 1 field defaulted: floor; 1 field unknown and dropped: ceiling\n\
             spread: migrated v1 -> v2; clamped: kappa from 120 to 100\n\
             bias: restored\n\
             sections of no component: rng\n"
        );
        assert_eq!(
            restored.report.components.iter().map(ComponentReport::is_whole).collect::<Vec<_>>(),
            [false, false, true]
        );
    }
}
