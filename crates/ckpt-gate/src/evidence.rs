//! What was observed: `docs/GATE.md`, section 1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a process had seen when it saved. Names are the application's; what is not said is unknown, not 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// What each estimator has seen. Default: nothing is known.
    pub counts: BTreeMap<String, u64>,
    /// Seconds this process has been learning. Default: unknown.
    pub session_seconds: Option<f64>,
    /// Seconds all processes along the lineage have been learning, this one included. Default: there were none before.
    pub cumulative_seconds: Option<f64>,
    /// Seconds since it was saved; a negative number is a clock that is ahead and counts as 0. Default: it is being made now.
    pub age_seconds: Option<f64>,
}

impl Evidence {
    /// With this count; one of the same name is replaced.
    #[must_use]
    pub fn count(mut self, name: impl Into<String>, observations: u64) -> Self {
        self.counts.insert(name.into(), observations);
        self
    }

    /// With the seconds of this session.
    #[must_use]
    pub fn session_seconds(self, seconds: f64) -> Self {
        Self { session_seconds: Some(seconds), ..self }
    }

    /// With the seconds along the lineage, this session included.
    #[must_use]
    pub fn cumulative_seconds(self, seconds: f64) -> Self {
        Self { cumulative_seconds: Some(seconds), ..self }
    }

    /// That long after it was saved.
    #[must_use]
    pub fn age_seconds(self, seconds: f64) -> Self {
        Self { age_seconds: Some(seconds), ..self }
    }

    /// The seconds that are compared: those along the lineage, of which the session's are a part. None if they are unknown.
    pub fn learned_seconds(&self) -> Option<f64> {
        let session = self.session_seconds.filter(is_duration)?;
        match self.cumulative_seconds {
            None => Some(session),
            Some(cumulative) => is_duration(&cumulative).then(|| cumulative.max(session)),
        }
    }

    /// The same with what is unknown left out, so that any JSON carries it. Cumulative seconds that are no duration take the session's
    /// with them: without them the session would count as all there was.
    pub(crate) fn cleaned(&self) -> Self {
        let is_known = self.learned_seconds().is_some();
        Self {
            counts: self.counts.clone(),
            session_seconds: self.session_seconds.filter(|_| is_known),
            cumulative_seconds: self.cumulative_seconds.filter(|_| is_known),
            age_seconds: self.age_seconds.filter(|seconds| seconds.is_finite()),
        }
    }
}

fn is_duration(seconds: &f64) -> bool {
    seconds.is_finite() && *seconds >= 0.0
}
