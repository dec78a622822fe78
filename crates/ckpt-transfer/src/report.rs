//! What an injection did, component by component: `docs/TRANSFER.md`, section 4.

use std::fmt;

use ckpt_gate::Assessment;
use serde::ser::{SerializeMap as _, SerializeStruct as _};
use serde::{Serialize, Serializer};

use crate::blend::SeedCounts;
use crate::lineage::Lineage;

/// What an injection did, or would do. Serializes as `docs/TRANSFER.md` shows; `Display` has one line a component.
#[derive(Debug, Clone, PartialEq)]
pub struct InjectionReport {
    /// Of what the prior is.
    pub identity: String,
    /// How old it is, in seconds, at least 0.
    pub age_seconds: f64,
    /// What became of each component, in the receiver's order.
    pub components: Vec<ComponentInjection>,
    /// What admission let pass but did not like.
    pub notes: Vec<Note>,
    /// What the gate said; none if no verdict was asked for.
    pub assessment: Option<Assessment>,
    /// Where the live system's state comes from now: to be recorded in every save. None if nothing was changed: then it comes from
    /// where it came from before.
    pub lineage: Option<Lineage>,
}

/// How much of a prior became what: what an operator looks for when a system began with the wrong numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InjectionCounts {
    /// Components that were taken whole.
    pub injected: u64,
    /// Cells of tables that were seeded.
    pub seeded: u64,
    /// Cells that the live system has observed and keeps.
    pub kept_live: u64,
    /// Components that stayed as they were.
    pub skipped: u64,
    /// Components that are never inherited.
    pub kept_own: u64,
    /// Values that were brought into their bounds.
    pub clamped: u64,
}

/// What became of one component. In JSON `{name, outcome, ..., clamped, text}`.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentInjection {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub outcome: InjectionOutcome,
    /// What the receiver brought into its bounds.
    pub clamped: Vec<String>,
}

/// What became of a component.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum InjectionOutcome {
    /// The prior's value is the live one now.
    Injected,
    /// Cold cells of a table were seeded.
    Seeded(SeedCounts),
    /// The live one stayed as it was.
    Skipped(SkipReason),
    /// The live one stayed as it was: it is never inherited.
    KeptOwn,
}

/// Why a component was left as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// The configuration says so; it was not looked at.
    Excluded,
    /// The two mean different things; with what differs.
    Incompatible(String),
    /// The prior has none, or has learned nothing of it.
    Absent,
    /// The live one has observed something itself.
    Lived {
        /// How often.
        observations: u64,
    },
}

/// What admission let pass but did not like. In JSON `{note, text}`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// Two names for one identity.
    Alias {
        /// The prior's.
        offered: String,
        /// The receiver's.
        expected: String,
    },
    /// Another identity, which the configuration allows.
    OtherIdentity {
        /// The prior's.
        offered: String,
        /// The receiver's.
        expected: String,
    },
    /// It was saved in the future; its age counts as 0.
    ClockAhead {
        /// By how much.
        seconds: f64,
    },
    /// The receiver has no such component.
    NoSuchComponent {
        /// Its name.
        component: String,
    },
    /// The receiver asks for no verdict.
    NoVerdict,
}

impl InjectionReport {
    /// The component of this name.
    pub fn component(&self, name: &str) -> Option<&ComponentInjection> {
        self.components.iter().find(|component| component.name == name)
    }

    /// Components that were injected, and cells that were seeded. 0 is no rejection: those are errors.
    pub fn changes(&self) -> u64 {
        let InjectionCounts { injected, seeded, .. } = self.counts();
        injected + seeded
    }

    /// How much became what.
    pub fn counts(&self) -> InjectionCounts {
        let mut counts = InjectionCounts::default();
        for component in &self.components {
            match &component.outcome {
                InjectionOutcome::Injected => counts.injected += 1,
                InjectionOutcome::Seeded(cells) => {
                    counts.seeded += cells.seeded;
                    counts.kept_live += cells.kept_live;
                }
                InjectionOutcome::Skipped(_) => counts.skipped += 1,
                InjectionOutcome::KeptOwn => counts.kept_own += 1,
            }
            counts.clamped += component.clamped.len() as u64;
        }
        counts
    }
}

impl InjectionOutcome {
    /// The one word for it in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Seeded(_) => "seeded",
            Self::Skipped(_) => "skipped",
            Self::KeptOwn => "kept_own",
        }
    }
}

impl SkipReason {
    /// The one word for it in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Excluded => "excluded",
            Self::Incompatible(_) => "incompatible",
            Self::Absent => "absent",
            Self::Lived { .. } => "lived",
        }
    }
}

impl Note {
    /// The one word for it in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Alias { .. } => "alias",
            Self::OtherIdentity { .. } => "other_identity",
            Self::ClockAhead { .. } => "clock_ahead",
            Self::NoSuchComponent { .. } => "no_such_component",
            Self::NoVerdict => "no_verdict",
        }
    }
}

impl fmt::Display for InjectionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for component in &self.components {
            writeln!(f, "{component}")?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ComponentInjection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.outcome)?;
        if !self.clamped.is_empty() {
            write!(f, "; clamped: {}", self.clamped.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for InjectionOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Injected => f.write_str("injected"),
            Self::Seeded(counts) => {
                write!(f, "seeded {} of {} at weight {}", counts.seeded, counts.offered, counts.weight)?;
                let rest = [
                    (counts.kept_live, "kept live"),
                    (counts.unobserved, "unobserved"),
                    (counts.refused, "refused"),
                ];
                rest.iter()
                    .filter(|(count, _)| *count > 0)
                    .try_for_each(|(count, what)| write!(f, ", {count} {what}"))
            }
            Self::Skipped(reason) => write!(f, "skipped, {reason}"),
            Self::KeptOwn => f.write_str("kept its own, it is never inherited"),
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Excluded => f.write_str("it is excluded by the configuration"),
            Self::Incompatible(why) => write!(f, "it is incompatible: {why}"),
            Self::Absent => f.write_str("the prior has none"),
            Self::Lived { observations } => {
                write!(f, "the live one has {observations} observations, which outrank it")
            }
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias { offered, expected } => {
                write!(f, "the prior's {offered:?} is this system's {expected:?}")
            }
            Self::OtherIdentity { offered, expected } => {
                write!(f, "the prior is of {offered:?}, this system of {expected:?}")
            }
            Self::ClockAhead { seconds } => {
                write!(f, "the prior was saved {seconds} s in the future, its age counts as 0")
            }
            Self::NoSuchComponent { component } => write!(f, "there is no component {component:?} here"),
            Self::NoVerdict => f.write_str("no verdict was asked for"),
        }
    }
}

impl Serialize for InjectionReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("InjectionReport", 7)?;
        fields.serialize_field("identity", &self.identity)?;
        fields.serialize_field("age_seconds", &self.age_seconds)?;
        fields.serialize_field("changes", &self.changes())?;
        fields.serialize_field("components", &self.components)?;
        fields.serialize_field("notes", &self.notes)?;
        fields.serialize_field("verdict", &self.assessment.as_ref().map(Assessment::verdict))?;
        fields.serialize_field("lineage", &self.lineage)?;
        fields.end()
    }
}

impl Serialize for ComponentInjection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("name", &self.name)?;
        fields.serialize_entry("outcome", self.outcome.as_str())?;
        match &self.outcome {
            InjectionOutcome::Seeded(counts) => {
                fields.serialize_entry("weight", &counts.weight)?;
                fields.serialize_entry("seeded", &counts.seeded)?;
                fields.serialize_entry("offered", &counts.offered)?;
                fields.serialize_entry("kept_live", &counts.kept_live)?;
                fields.serialize_entry("unobserved", &counts.unobserved)?;
                fields.serialize_entry("refused", &counts.refused)?;
            }
            InjectionOutcome::Skipped(reason) => fields.serialize_entry("reason", reason.as_str())?,
            InjectionOutcome::Injected | InjectionOutcome::KeptOwn => {}
        }
        fields.serialize_entry("clamped", &self.clamped)?;
        fields.serialize_entry("text", &self.to_string())?;
        fields.end()
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Note", 2)?;
        fields.serialize_field("note", self.as_str())?;
        fields.serialize_field("text", &self.to_string())?;
        fields.end()
    }
}
