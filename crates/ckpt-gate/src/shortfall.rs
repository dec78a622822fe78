//! What is missing, as data and as a sentence: `docs/GATE.md`, section 3.

use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::evidence::Evidence;
use crate::thresholds::Required;

/// A threshold that is not met. In JSON `{rule, name, unit, found, needed, text}`; `found` is null if it is unknown.
#[derive(Debug, Clone, PartialEq)]
pub enum Shortfall {
    /// Too few seconds were learned.
    Session {
        /// Seconds along the lineage, if they are known.
        found: Option<f64>,
        /// Seconds of this session, if they are known.
        session: Option<f64>,
        /// Seconds that are needed.
        needed: f64,
    },
    /// A core count is not met.
    Core {
        /// Its name.
        name: String,
        /// The observations, if they are known.
        found: Option<u64>,
        /// The observations that are needed.
        needed: u64,
    },
    /// The count that ready needs is not met.
    Fills {
        /// Its name.
        name: String,
        /// The observations, if they are known.
        found: Option<u64>,
        /// The observations that are needed.
        needed: u64,
    },
    /// It is too old, or nobody knows how old it is.
    Age {
        /// Seconds since the save, if they are known.
        found: Option<f64>,
        /// Seconds that are allowed.
        limit: f64,
    },
}

impl Shortfall {
    /// The rule that is not met: `session`, `core`, `fills` or `age`.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Session { .. } => "session",
            Self::Core { .. } => "core",
            Self::Fills { .. } => "fills",
            Self::Age { .. } => "age",
        }
    }

    /// What is short: the name of the count, `session` or `age`.
    pub fn name(&self) -> &str {
        match self {
            Self::Core { name, .. } | Self::Fills { name, .. } => name,
            Self::Session { .. } | Self::Age { .. } => self.rule(),
        }
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session { found: Some(found), session, needed } => {
                let learned = Learned(*found);
                write!(f, "session {learned} of {needed} s")?;
                // Two clocks that were read one after the other tell of no lineage.
                match session.map(Learned) {
                    Some(session) if session.shown() < learned.shown() => {
                        write!(f, ", {session} of them in this one")
                    }
                    _ => Ok(()),
                }
            }
            Self::Session { found: None, needed, .. } => write!(f, "session unknown of {needed} s"),
            Self::Core { name, found: Some(found), needed }
            | Self::Fills { name, found: Some(found), needed } => write!(f, "{name} {found} of {needed}"),
            Self::Core { name, found: None, needed } | Self::Fills { name, found: None, needed } => {
                write!(f, "{name} unknown of {needed}")
            }
            Self::Age { found: Some(found), limit } => {
                write!(f, "age {} s, at most {limit} s", legible(*found, f64::ceil))
            }
            Self::Age { found: None, limit } => write!(f, "age unknown, at most {limit} s"),
        }
    }
}

/// Seconds that were learned, as a sentence has them: never rounded up to what is needed.
pub(crate) struct Learned(pub(crate) f64);

impl Learned {
    fn shown(&self) -> f64 {
        legible(self.0, f64::floor)
    }
}

impl fmt::Display for Learned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.shown())
    }
}

impl Serialize for Shortfall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Shortfall", 6)?;
        fields.serialize_field("rule", self.rule())?;
        fields.serialize_field("name", self.name())?;
        match self {
            Self::Session { found, needed, .. } | Self::Age { found, limit: needed } => {
                fields.serialize_field("unit", &Some("s"))?;
                fields.serialize_field("found", found)?;
                fields.serialize_field("needed", needed)?;
            }
            Self::Core { found, needed, .. } | Self::Fills { found, needed, .. } => {
                fields.serialize_field("unit", &None::<&str>)?;
                fields.serialize_field("found", found)?;
                fields.serialize_field("needed", needed)?;
            }
        }
        fields.serialize_field("text", &self.to_string())?;
        fields.end()
    }
}

/// That too few seconds were learned, if so.
pub(crate) fn session(evidence: &Evidence, needed: f64) -> Option<Shortfall> {
    let found = evidence.learned_seconds();
    if found.is_some_and(|seconds| seconds >= needed) {
        return None;
    }
    Some(Shortfall::Session { found, session: evidence.cleaned().session_seconds, needed })
}

/// That a count is not met, if so.
pub(crate) fn count(
    evidence: &Evidence,
    Required { name, min }: &Required,
    is_core: bool,
) -> Option<Shortfall> {
    let (name, found, needed) = (name.clone(), evidence.counts.get(name).copied(), *min);
    if found.is_some_and(|count| count >= needed) {
        None
    } else if is_core {
        Some(Shortfall::Core { name, found, needed })
    } else {
        Some(Shortfall::Fills { name, found, needed })
    }
}

/// That it is too old, if so.
pub(crate) fn age(evidence: &Evidence, limit: Option<f64>) -> Option<Shortfall> {
    let (age, limit) = (evidence.age_seconds?, limit?);
    // A negative age is a clock that is ahead; minus infinity is no age.
    let found = age.is_finite().then_some(age);
    if found.is_some_and(|age| limit >= age) {
        return None;
    }
    Some(Shortfall::Age { found, limit })
}

/// Whole seconds from 100 on, tenths below: what a clock says beyond that nobody reads. The data keeps all of it.
fn legible(seconds: f64, round: fn(f64) -> f64) -> f64 {
    if seconds.abs() >= 100.0 { round(seconds) } else { round(seconds * 10.0) / 10.0 }
}
