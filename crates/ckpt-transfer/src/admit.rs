//! Whether a prior may enter: `docs/TRANSFER.md`, section 2.

use std::collections::BTreeMap;

use ckpt_format::Timestamp;
use ckpt_gate::{Assessment, Cause, Thresholds};

use crate::config::{InjectionConfig, SameIdentity};
use crate::lineage::Lineage;
use crate::prior::{Prior, Provenance};
use crate::report::Note;

/// What a system is that may take a prior.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Receiver {
    /// Of what it is: an asset, perhaps with its venue (`dex:ASSET`).
    pub identity: String,
    /// How it runs: `live`.
    pub mode: String,
    /// Its components by name.
    pub reads: BTreeMap<String, Readable>,
    /// What the prior's evidence is held against; none: no verdict is asked for.
    pub thresholds: Option<Thresholds>,
}

/// What is read of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    /// Name of the stored type.
    pub kind: String,
    /// The versions, as [`readable_versions`](ckpt_format::readable_versions) lists them.
    pub versions: Vec<u32>,
}

/// A prior that may enter. Only admission makes one.
#[derive(Debug)]
pub(crate) struct Admitted<'a, S> {
    pub(crate) prior: &'a Prior<S>,
    pub(crate) age_seconds: f64,
    pub(crate) assessment: Option<Assessment>,
    pub(crate) notes: Vec<Note>,
    pub(crate) lineage: Lineage,
}

/// Why a prior was not admitted, and what to do. Nothing was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// It is of something else.
    #[error(
        "the prior is of {offered:?}, this system of {expected:?}: offer one of its own; if the two are the same, list them \
         in `aliases`; if any will do, turn `require_same_identity` off"
    )]
    Identity {
        /// Of what the prior is.
        offered: String,
        /// Of what the receiver is.
        expected: String,
    },
    /// It is too old, or does not say how old.
    #[error(
        "the prior {}, at most {limit_seconds} s are allowed: offer a fresh one, or raise `age_seconds_max`",
        Age(*age_seconds)
    )]
    Age {
        /// Its age, if it is known.
        age_seconds: Option<f64>,
        /// What is allowed.
        limit_seconds: f64,
    },
    /// A component has a shape that the receiver does not read.
    #[error(
        "component {component:?} of the prior is {kind:?} version {version}, this program reads {readable}: use a program that \
         reads it, or leave it out with `skip`"
    )]
    Schema {
        /// Name of the component.
        component: String,
        /// What it is.
        kind: String,
        /// In which version.
        version: u32,
        /// What is read.
        readable: String,
    },
    /// It has no evidence.
    #[error(
        "the prior was never judged and has no evidence: let its system count, and save the evidence with the state"
    )]
    NotJudged,
    /// The gate does not let it pass.
    #[error("the prior does not pass the gate: {0}; {way_out}", way_out = way_out(.0))]
    Verdict(Box<Assessment>),
    /// The configuration leaves out what there is not.
    #[error("`skip` names {name:?}, which is no component: use one of {}", known.join(", "))]
    UnknownComponent {
        /// The name.
        name: String,
        /// The components.
        known: Vec<String>,
    },
}

impl Receiver {
    /// Of this identity, in this mode; it reads no component yet and asks for no verdict.
    pub fn new(identity: impl Into<String>, mode: impl Into<String>) -> Self {
        Self { identity: identity.into(), mode: mode.into(), ..Self::default() }
    }

    /// Reads these versions of a component.
    #[must_use]
    pub fn reads(mut self, name: impl Into<String>, kind: impl Into<String>, versions: Vec<u32>) -> Self {
        self.reads.insert(name.into(), Readable { kind: kind.into(), versions });
        self
    }

    /// Asks for a verdict by these thresholds.
    #[must_use]
    pub fn judges_by(self, thresholds: Thresholds) -> Self {
        Self { thresholds: Some(thresholds), ..self }
    }
}

impl Rejection {
    /// The one word for it in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Identity { .. } => "identity",
            Self::Age { .. } => "age",
            Self::Schema { .. } => "schema",
            Self::NotJudged => "not_judged",
            Self::Verdict(_) => "verdict",
            Self::UnknownComponent { .. } => "unknown_component",
        }
    }
}

/// Identity, age, schema, verdict: the first that fails is the rejection.
pub(crate) fn admit<'a, S>(
    prior: &'a Prior<S>,
    receiver: &Receiver,
    config: &InjectionConfig,
    now: Timestamp,
) -> Result<Admitted<'a, S>, Rejection> {
    let provenance = &prior.provenance;
    let mut notes = Vec::new();
    check_identity(provenance, receiver, config, &mut notes)?;
    let age_seconds = check_age(provenance, config, now, &mut notes)?;
    check_schema(provenance, receiver, config, &mut notes)?;
    let assessment = check_verdict(provenance, receiver, age_seconds, &mut notes)?;
    let lineage = Lineage::child_of(provenance, receiver.mode.as_str());
    Ok(Admitted { prior, age_seconds, assessment, notes, lineage })
}

fn check_identity(
    provenance: &Provenance,
    receiver: &Receiver,
    config: &InjectionConfig,
    notes: &mut Vec<Note>,
) -> Result<(), Rejection> {
    let (offered, expected) = (provenance.identity.clone(), receiver.identity.clone());
    let is_same = config.aliases.is_same(&offered, &expected);
    if is_same && offered == expected {
        return Ok(());
    }
    match (is_same, config.require_same_identity) {
        (true, _) => notes.push(Note::Alias { offered, expected }),
        (false, SameIdentity::NotRequired) => notes.push(Note::OtherIdentity { offered, expected }),
        (false, SameIdentity::Required) => return Err(Rejection::Identity { offered, expected }),
    }
    Ok(())
}

fn check_age(
    provenance: &Provenance,
    config: &InjectionConfig,
    now: Timestamp,
    notes: &mut Vec<Note>,
) -> Result<f64, Rejection> {
    let limit_seconds = config.age_seconds_max.get();
    let Some(saved_at) = provenance.saved_at else {
        return Err(Rejection::Age { age_seconds: None, limit_seconds });
    };
    let age = now.seconds_since(saved_at);
    if age > limit_seconds {
        return Err(Rejection::Age { age_seconds: Some(age), limit_seconds });
    }
    if age < 0.0 {
        notes.push(Note::ClockAhead { seconds: -age });
    }
    Ok(age.max(0.0))
}

fn check_schema(
    provenance: &Provenance,
    receiver: &Receiver,
    config: &InjectionConfig,
    notes: &mut Vec<Note>,
) -> Result<(), Rejection> {
    for (component, offered) in &provenance.components {
        if config.skip.contains(component) {
            continue;
        }
        match receiver.reads.get(component) {
            None => notes.push(Note::NoSuchComponent { component: component.clone() }),
            Some(read) if read.kind == offered.kind && read.versions.contains(&offered.version) => {}
            Some(read) => {
                let versions: Vec<String> = read.versions.iter().map(u32::to_string).collect();
                return Err(Rejection::Schema {
                    component: component.clone(),
                    kind: offered.kind.clone(),
                    version: offered.version,
                    readable: format!("{:?} version {}", read.kind, versions.join(", ")),
                });
            }
        }
    }
    Ok(())
}

fn check_verdict(
    provenance: &Provenance,
    receiver: &Receiver,
    age_seconds: f64,
    notes: &mut Vec<Note>,
) -> Result<Option<Assessment>, Rejection> {
    let Some(thresholds) = &receiver.thresholds else {
        notes.push(Note::NoVerdict);
        return Ok(None);
    };
    let evidence = provenance.evidence.clone().ok_or(Rejection::NotJudged)?;
    let assessment = thresholds.assess(&evidence.age_seconds(age_seconds));
    if assessment.passes() { Ok(Some(assessment)) } else { Err(Rejection::Verdict(Box::new(assessment))) }
}

/// What helps against what keeps it from passing.
fn way_out(assessment: &Assessment) -> &'static str {
    match assessment.cause() {
        Some(Cause::Stale) => {
            "offer a fresh one, or raise `age_seconds_max` of the thresholds, which the gate goes by"
        }
        Some(Cause::Unknown) => "let its system say for how long it learned, and save again",
        _ => "let its system learn longer and save again",
    }
}

/// `is 15000 s old`
struct Age(Option<f64>);

impl std::fmt::Display for Age {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            // Rounded up: it is never shown as what would be allowed.
            Some(seconds) => write!(f, "is {} s old", seconds.ceil()),
            None => f.write_str("does not say when it was saved"),
        }
    }
}
