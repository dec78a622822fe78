//! What evidence is held against, checked once: `docs/GATE.md`, section 2.

use serde::{Deserialize, Serialize};

const NAME_LENGTH_MAX: usize = 64;

/// Thresholds as a file has them; [`Thresholds::new`] checks them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThresholdsConfig {
    /// Raised by whoever changes the numbers. Default: 1.
    pub version: u32,
    /// Seconds that must have been learned along the lineage. Default: 1800.
    pub session_seconds_min: f64,
    /// The counts of the core estimators. Default: none, which is refused.
    pub core: Vec<Required>,
    /// How many of them must be met for marginal. Default: 3.
    pub marginal_core_min: u32,
    /// A count that ready needs and marginal does not. Default: none.
    pub fills: Option<Required>,
    /// Seconds after which it is stale. Default: 14400, four hours; none: never.
    pub age_seconds_max: Option<f64>,
    /// Whether marginal passes. Default: it does.
    pub allow_marginal: bool,
}

/// A count and how much of it is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Required {
    /// Name of the count in the evidence.
    pub name: String,
    /// Observations that are enough: at least 1.
    pub min: u64,
}

/// Thresholds that can be meant. In JSON they are a [`ThresholdsConfig`], checked when they are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ThresholdsConfig", into = "ThresholdsConfig")]
pub struct Thresholds(ThresholdsConfig);

/// Why thresholds were refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ThresholdsError {
    /// A version of 0.
    #[error("`version` is 0: versions of thresholds begin at 1")]
    Version,
    /// Seconds that are no duration.
    #[error("`{field}` is {found}: it is a finite number of seconds, {least}")]
    Seconds {
        /// Which.
        field: &'static str,
        /// What was given.
        found: f64,
        /// What is allowed.
        least: &'static str,
    },
    /// Nothing to judge by.
    #[error("`core` is empty: name the counts that say whether the state was learned")]
    NoCore,
    /// A name that is none.
    #[error(
        "{name:?} is no name of a count: use up to 64 of A-Z, a-z, 0-9, '.', '_' and '-', a letter or digit first"
    )]
    Name {
        /// What was given.
        name: String,
    },
    /// Two counts of one name.
    #[error("the count {name:?} is required twice: leave one of them out")]
    Twice {
        /// The name.
        name: String,
    },
    /// A count of which nothing is needed.
    #[error("the least count of {name:?} is 0, which says nothing: give at least 1, or leave it out")]
    Nothing {
        /// The name.
        name: String,
    },
    /// A number of core counts that there is not.
    #[error("`marginal_core_min` is {found}: it is 1 to {core}, the number of core counts")]
    MarginalCore {
        /// What was given.
        found: u32,
        /// How many core counts there are.
        core: usize,
    },
}

impl Default for ThresholdsConfig {
    fn default() -> Self {
        Self {
            version: 1,
            session_seconds_min: 1_800.0,
            core: Vec::new(),
            marginal_core_min: 3,
            fills: None,
            age_seconds_max: Some(14_400.0),
            allow_marginal: true,
        }
    }
}

impl Required {
    /// That many observations of this name.
    pub fn new(name: impl Into<String>, min: u64) -> Self {
        Self { name: name.into(), min }
    }
}

impl Thresholds {
    /// Checks them.
    ///
    /// # Errors
    /// [`ThresholdsError`] with the first that can't be meant.
    pub fn new(config: ThresholdsConfig) -> Result<Self, ThresholdsError> {
        if config.version == 0 {
            return Err(ThresholdsError::Version);
        }
        let found = config.session_seconds_min;
        if !found.is_finite() || found < 0.0 {
            return Err(ThresholdsError::Seconds {
                field: "session_seconds_min",
                found,
                least: "at least 0",
            });
        }
        if let Some(found) = config.age_seconds_max
            && (!found.is_finite() || found <= 0.0)
        {
            let least = "more than 0; leave it out (null) if nothing is ever stale";
            return Err(ThresholdsError::Seconds { field: "age_seconds_max", found, least });
        }
        check_counts(&config)?;
        Ok(Self(config))
    }

    /// The numbers.
    pub fn config(&self) -> &ThresholdsConfig {
        &self.0
    }

    /// Which edition of the numbers this is.
    pub fn version(&self) -> u32 {
        self.0.version
    }
}

impl TryFrom<ThresholdsConfig> for Thresholds {
    type Error = ThresholdsError;

    fn try_from(config: ThresholdsConfig) -> Result<Self, ThresholdsError> {
        Self::new(config)
    }
}

impl From<Thresholds> for ThresholdsConfig {
    fn from(thresholds: Thresholds) -> Self {
        thresholds.0
    }
}

fn check_counts(config: &ThresholdsConfig) -> Result<(), ThresholdsError> {
    if config.core.is_empty() {
        return Err(ThresholdsError::NoCore);
    }
    let mut names: Vec<&str> = Vec::new();
    for Required { name, min } in config.core.iter().chain(&config.fills) {
        if !is_name(name) {
            return Err(ThresholdsError::Name { name: name.chars().take(80).collect() });
        }
        if names.contains(&name.as_str()) {
            return Err(ThresholdsError::Twice { name: name.clone() });
        }
        if *min == 0 {
            return Err(ThresholdsError::Nothing { name: name.clone() });
        }
        names.push(name);
    }
    let (found, core) = (config.marginal_core_min, config.core.len());
    if found == 0 || found as usize > core {
        return Err(ThresholdsError::MarginalCore { found, core });
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    name.len() <= NAME_LENGTH_MAX
        && name.bytes().all(allowed)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}
