//! The verdict and what is missing: `docs/GATE.md`, section 3.

use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::evidence::Evidence;
use crate::shortfall::{self, Learned, Shortfall};
use crate::stamp::Stamp;
use crate::thresholds::Thresholds;

/// How far restored state can be trusted. The order is that of trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not at all: begin from priors.
    Insufficient,
    /// With care: it has a warm-up.
    Marginal,
    /// Fully.
    Ready,
}

/// Why a verdict is [`Verdict::Insufficient`]: the gravest cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Seconds or age are unknown, so nothing can be judged.
    Unknown,
    /// It is too old.
    Stale,
    /// Too little was seen, or for too short a time.
    TooLittle,
}

/// A verdict with everything that led to it. Serializes as `docs/GATE.md` shows; [`stamp`](Self::stamp) is what is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    verdict: Verdict,
    cause: Option<Cause>,
    core_met: usize,
    shortfalls: Vec<Shortfall>,
    evidence: Evidence,
    thresholds: Thresholds,
}

impl Thresholds {
    /// Judges evidence.
    ///
    /// More of it never lowers the verdict: higher counts, more seconds, a lower age, a count that becomes known.
    pub fn assess(&self, evidence: &Evidence) -> Assessment {
        let config = self.config();
        let session = shortfall::session(evidence, config.session_seconds_min);
        let core: Vec<Shortfall> =
            config.core.iter().filter_map(|core| shortfall::count(evidence, core, true)).collect();
        let fills = config.fills.as_ref().and_then(|fills| shortfall::count(evidence, fills, false));
        let age = shortfall::age(evidence, config.age_seconds_max);

        let core_met = config.core.len() - core.len();
        let cause = cause(&session, &age, core_met >= config.marginal_core_min as usize);
        let verdict = match cause {
            Some(_) => Verdict::Insufficient,
            None if core.is_empty() && fills.is_none() => Verdict::Ready,
            None => Verdict::Marginal,
        };
        let shortfalls = session.into_iter().chain(core).chain(fills).chain(age).collect();
        let (evidence, thresholds) = (evidence.clone(), self.clone());
        Assessment { verdict, cause, core_met, shortfalls, evidence, thresholds }
    }
}

impl Assessment {
    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Why it is insufficient; none for the other verdicts.
    pub fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// Whether the state may be restored: ready, or marginal where the thresholds allow that. Its age has been judged.
    pub fn passes(&self) -> bool {
        match self.verdict {
            Verdict::Ready => true,
            Verdict::Marginal => self.thresholds.config().allow_marginal,
            Verdict::Insufficient => false,
        }
    }

    /// Every threshold that is not met: seconds, core counts as the thresholds list them, fills, age. None when ready.
    pub fn shortfalls(&self) -> &[Shortfall] {
        &self.shortfalls
    }

    /// How many core counts are met.
    pub fn core_met(&self) -> usize {
        self.core_met
    }

    /// The evidence, as it was given.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// What it was held against.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// What a checkpoint stores of it.
    pub fn stamp(&self) -> Stamp {
        Stamp::of(self.verdict, &self.evidence, &self.thresholds)
    }
}

impl Verdict {
    /// Its one spelling, in JSON and at the shell.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insufficient => "insufficient",
            Self::Marginal => "marginal",
            Self::Ready => "ready",
        }
    }
}

impl Cause {
    /// Its one spelling, in JSON and at the shell.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Stale => "stale",
            Self::TooLittle => "too_little",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// `marginal, 4 of 5 core counts after 2400 s (600 s in this session): kappa 31 of 50`
impl fmt::Display for Assessment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verdict)?;
        if let Some(cause) = self.cause {
            write!(f, " ({})", cause.as_str().replace('_', " "))?;
        }
        write!(f, ", {} of {} core counts", self.core_met, self.thresholds.config().core.len())?;
        match (self.evidence.learned_seconds(), self.evidence.session_seconds) {
            (Some(learned), Some(session)) => {
                write!(f, " after {} ({} in this session)", Learned(learned), Learned(session))?;
            }
            _ => f.write_str(" after an unknown time")?,
        }
        for (place, shortfall) in self.shortfalls.iter().enumerate() {
            write!(f, "{} {shortfall}", if place == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl Serialize for Assessment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Assessment", 9)?;
        fields.serialize_field("verdict", &self.verdict)?;
        fields.serialize_field("cause", &self.cause)?;
        fields.serialize_field("passes", &self.passes())?;
        fields.serialize_field("learned_seconds", &self.evidence.learned_seconds())?;
        fields.serialize_field("core_met", &self.core_met)?;
        fields.serialize_field("shortfalls", &self.shortfalls)?;
        fields.serialize_field("evidence", &self.evidence.cleaned())?;
        fields.serialize_field("thresholds", &self.thresholds)?;
        fields.serialize_field("text", &self.to_string())?;
        fields.end()
    }
}

/// Why it is insufficient. Unknown goes first: what is not known can't be called old or short.
fn cause(session: &Option<Shortfall>, age: &Option<Shortfall>, is_core_enough: bool) -> Option<Cause> {
    let is_unknown = |shortfall: &Shortfall| {
        matches!(shortfall, Shortfall::Session { found: None, .. } | Shortfall::Age { found: None, .. })
    };
    if session.iter().chain(age).any(is_unknown) {
        Some(Cause::Unknown)
    } else if age.is_some() {
        Some(Cause::Stale)
    } else if session.is_some() || !is_core_enough {
        Some(Cause::TooLittle)
    } else {
        None
    }
}
