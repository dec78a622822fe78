//! What happened to each component of a bundle, in types and in words.

use std::fmt;

use super::BundleMode;
use crate::migrate::{write_fields, write_path};
use crate::path::FieldList;

/// What happened to each component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BundleReport {
    /// The components, in the order they were taken.
    pub components: Vec<ComponentReport>,
    /// Sections that no component asked for.
    pub unknown_sections: Vec<String>,
}

/// What happened to one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentReport {
    /// Name of the component and of its section.
    pub name: String,
    /// Where its value comes from.
    pub outcome: Outcome,
    /// Values that the application brought into their bounds afterwards.
    pub clamped: Vec<String>,
    /// Fields that took their default.
    pub defaulted: FieldList,
    /// Fields that were dropped.
    pub unknown: FieldList,
}

/// Where a component's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// From its section, in the current version.
    Restored,
    /// From its section, through a chain of versions.
    Migrated {
        /// The versions, from the stored one to the current one.
        path: Vec<u32>,
    },
    /// From its default.
    Defaulted {
        /// Why not from its section.
        why: Why,
    },
}

/// Why a component was not taken from its section.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// There is no section of its name.
    Missing,
    /// The section's bytes are not those that were written.
    Damaged(String),
    /// The bytes are good, but this program can't decode or migrate them.
    Incompatible(String),
    /// The bytes could not be fetched.
    Unreadable(String),
}

/// How many components came how: what people look for when a restart began with the wrong numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ComponentCounts {
    /// From their sections, as they are.
    pub restored: u64,
    /// From their sections, through a chain of versions.
    pub migrated: u64,
    /// From their defaults.
    pub defaulted: u64,
    /// Values, of all components, that were brought into their bounds.
    pub clamped: u64,
}

/// Why a bundle was not loaded. Names the first component of the gravest sort; the report has all of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A component's bytes could not be fetched: try again before anything is given up.
    #[error("component {component:?} can't be read: {reason}")]
    Unreadable {
        /// Name of the component.
        component: String,
        /// Why.
        reason: String,
        /// What happened to each component.
        report: Box<BundleReport>,
    },
    /// A component's bytes are not those that were written.
    #[error(
        "component {component:?} is damaged: {reason}; load an older checkpoint, or leniently to default it"
    )]
    Damaged {
        /// Name of the component.
        component: String,
        /// Why.
        reason: String,
        /// What happened to each component.
        report: Box<BundleReport>,
    },
    /// A component's bytes are good, but this program can't decode or migrate them.
    #[error(
        "component {component:?} is incompatible: {reason}; use another program, or load leniently to default it"
    )]
    Incompatible {
        /// Name of the component.
        component: String,
        /// Why.
        reason: String,
        /// What happened to each component.
        report: Box<BundleReport>,
    },
}

impl BundleError {
    /// What happened to each component.
    pub fn report(&self) -> &BundleReport {
        match self {
            Self::Unreadable { report, .. }
            | Self::Damaged { report, .. }
            | Self::Incompatible { report, .. } => report,
        }
    }
}

impl BundleReport {
    /// The component of this name.
    pub fn component(&self, name: &str) -> Option<&ComponentReport> {
        self.components.iter().find(|component| component.name == name)
    }

    /// Whether every field of every component came from its section and was left as it was. Sections of no component
    /// are no fault: raw ones may well lie beside a bundle.
    pub fn is_whole(&self) -> bool {
        self.components.iter().all(ComponentReport::is_whole)
    }

    /// How many components came how.
    pub fn counts(&self) -> ComponentCounts {
        let mut counts = ComponentCounts::default();
        for component in &self.components {
            match component.outcome {
                Outcome::Restored => counts.restored += 1,
                Outcome::Migrated { .. } => counts.migrated += 1,
                Outcome::Defaulted { .. } => counts.defaulted += 1,
            }
            counts.clamped += component.clamped.len() as u64;
        }
        counts
    }

    /// What there is to say of components, one text each; of one that is as it was saved there is nothing.
    pub fn remarks(&self) -> impl Iterator<Item = String> {
        let is_plain =
            |component: &ComponentReport| component.outcome == Outcome::Restored && component.is_whole();
        let others = self.components.iter().filter(move |component| !is_plain(component));
        others.map(|component| component.to_string().trim_end().to_owned())
    }

    /// The report if the mode lets it pass, else the gravest failure.
    pub(super) fn judged(self, mode: BundleMode) -> Result<Self, BundleError> {
        let failures = |grave: fn(&Why) -> Option<&String>| {
            self.components.iter().find_map(|component| match &component.outcome {
                Outcome::Defaulted { why } => {
                    grave(why).map(|reason| (component.name.clone(), reason.clone()))
                }
                _ => None,
            })
        };
        let unreadable = failures(|why| if let Why::Unreadable(reason) = why { Some(reason) } else { None });
        let damaged = failures(|why| if let Why::Damaged(reason) = why { Some(reason) } else { None });
        let incompatible =
            failures(|why| if let Why::Incompatible(reason) = why { Some(reason) } else { None });
        let is_strict = mode == BundleMode::Strict;
        match (unreadable, damaged, incompatible) {
            (Some((component, reason)), _, _) => {
                Err(BundleError::Unreadable { component, reason, report: Box::new(self) })
            }
            (_, Some((component, reason)), _) if is_strict => {
                Err(BundleError::Damaged { component, reason, report: Box::new(self) })
            }
            (_, _, Some((component, reason))) if is_strict => {
                Err(BundleError::Incompatible { component, reason, report: Box::new(self) })
            }
            _ => Ok(self),
        }
    }
}

impl ComponentReport {
    /// Whether it came from its section, field by field, and was left as it was; migrated or not.
    pub fn is_whole(&self) -> bool {
        !matches!(self.outcome, Outcome::Defaulted { .. })
            && self.clamped.is_empty()
            && self.defaulted.is_empty()
            && self.unknown.is_empty()
    }
}

/// One line a component.
impl fmt::Display for BundleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for component in &self.components {
            writeln!(f, "{component}")?;
        }
        if !self.unknown_sections.is_empty() {
            writeln!(f, "sections of no component: {}", self.unknown_sections.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for ComponentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.outcome)?;
        write_fields(f, &self.defaulted, "defaulted")?;
        write_fields(f, &self.unknown, "unknown and dropped")?;
        if !self.clamped.is_empty() {
            write!(f, "; clamped: {}", self.clamped.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restored => f.write_str("restored"),
            Self::Migrated { path } => {
                f.write_str("migrated ")?;
                write_path(f, path)
            }
            Self::Defaulted { why } => write!(f, "defaulted, it is {why}"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Damaged(reason) => write!(f, "damaged: {reason}"),
            Self::Incompatible(reason) => write!(f, "incompatible: {reason}"),
            Self::Unreadable(reason) => write!(f, "unreadable: {reason}"),
        }
    }
}

/// An error and what led to it, in one line.
pub(super) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
