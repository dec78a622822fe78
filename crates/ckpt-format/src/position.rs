//! Where the process was.

use serde::{Deserialize, Serialize};

/// Where the process was: enough to go on from here. The random generator's state is a section.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// How far, in [`Position::unit`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// How far it will go, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What a step is: `steps`, `days`, `bytes` ... Nothing means `steps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Where in its data the process was, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl Position {
    /// At this step.
    pub fn at(step: u64) -> Self {
        Self { step: Some(step), ..Self::default() }
    }

    /// Of this many.
    #[must_use]
    pub fn of(mut self, total: u64) -> Self {
        self.total = Some(total);
        self
    }

    /// Counted in this unit.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Step of total in per cent, never above 100; nothing if either is unknown or the total is 0.
    pub fn progress_pct(&self) -> Option<f64> {
        match (self.step, self.total) {
            (Some(step), Some(total)) if total > 0 => Some((step as f64 / total as f64 * 100.0).min(100.0)),
            _ => None,
        }
    }
}

impl From<u64> for Position {
    fn from(step: u64) -> Self {
        Self::at(step)
    }
}
