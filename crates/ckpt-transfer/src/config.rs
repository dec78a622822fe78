//! What an injection may do: `docs/TRANSFER.md`, section 1. Every value of these types is a checked one.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What an injection may do.
///
/// There is no field by which what stops a system could be inherited, and an unknown field is refused.
///
/// ```
/// use ckpt_transfer::{InjectionConfig, Weight};
///
/// let config = InjectionConfig { blend_weight: Weight::new(0.5)?, ..InjectionConfig::default() };
/// assert_eq!(config.age_seconds_max.get(), 14_400.0);
/// # Ok::<(), ckpt_transfer::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InjectionConfig {
    /// What a prior's cell is worth beside one of the same observations made live. Default: 0.3.
    pub blend_weight: Weight,
    /// Seconds after which a prior is stale. Default: 14400, four hours.
    pub age_seconds_max: AgeLimit,
    /// Whether the identities must be the same. Default: they must.
    pub require_same_identity: SameIdentity,
    /// Names that mean the same identity. Default: none.
    pub aliases: Aliases,
    /// Components that are left out altogether. Default: none.
    pub skip: BTreeSet<String>,
}

/// A weight: above 0, at most 1. Default: 0.3.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Weight(f64);

/// Seconds, finite and above 0. Default: 14400.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct AgeLimit(f64);

/// Whether the identities must be the same; in JSON true (the default) or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum SameIdentity {
    /// They must.
    #[default]
    Required,
    /// Any prior may enter; that it is of another is noted.
    NotRequired,
}

/// Lists of names that mean the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<String>>", into = "Vec<Vec<String>>")]
pub struct Aliases(Vec<Vec<String>>);

/// Why a value of the configuration was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A weight that is none.
    #[error("the weight is {found}: it is above 0 and at most 1; to leave a table out, name it in `skip`")]
    Weight {
        /// What was given.
        found: f64,
    },
    /// An age that is none.
    #[error("the maximum age is {found}: it is a finite number of seconds above 0")]
    Age {
        /// What was given.
        found: f64,
    },
    /// A list that says nothing.
    #[error("the aliases {names:?} have fewer than two names: list what means the same together")]
    Lonely {
        /// The list.
        names: Vec<String>,
    },
    /// A name that is no identity.
    #[error("the alias {name:?} names nothing: give an asset, or a venue and an asset as in \"dex:ASSET\"")]
    Nameless {
        /// The name.
        name: String,
    },
    /// A name in two places.
    #[error("the alias {name:?} stands in two places: join what means the same in one list")]
    Twice {
        /// The name.
        name: String,
    },
}

impl Weight {
    /// Checks the number.
    ///
    /// # Errors
    /// [`ConfigError::Weight`] if it is not above 0 and at most 1.
    pub fn new(weight: f64) -> Result<Self, ConfigError> {
        if weight > 0.0 && weight <= 1.0 {
            Ok(Self(weight))
        } else {
            Err(ConfigError::Weight { found: weight })
        }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self(0.3)
    }
}

impl AgeLimit {
    /// Checks the number.
    ///
    /// # Errors
    /// [`ConfigError::Age`] if it is not finite or not above 0.
    pub fn new(seconds: f64) -> Result<Self, ConfigError> {
        if seconds.is_finite() && seconds > 0.0 {
            Ok(Self(seconds))
        } else {
            Err(ConfigError::Age { found: seconds })
        }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for AgeLimit {
    fn default() -> Self {
        Self(14_400.0)
    }
}

impl Aliases {
    /// Checks the lists.
    ///
    /// # Errors
    /// [`ConfigError`] for a list of fewer than two names, a name that names nothing, and one that stands twice.
    pub fn new(lists: Vec<Vec<String>>) -> Result<Self, ConfigError> {
        let mut seen = BTreeSet::new();
        for names in &lists {
            if names.len() < 2 {
                return Err(ConfigError::Lonely { names: names.clone() });
            }
            for name in names {
                if asset(name).is_empty() {
                    return Err(ConfigError::Nameless { name: name.clone() });
                }
                if !seen.insert(name) {
                    return Err(ConfigError::Twice { name: name.clone() });
                }
            }
        }
        Ok(Self(lists))
    }

    /// Whether two names mean the same identity: equal, `dex:ASSET` and `ASSET`, or names of one list.
    pub fn is_same(&self, one: &str, other: &str) -> bool {
        if asset(one).is_empty() || asset(other).is_empty() {
            return false;
        }
        let is_bare = |name: &str| !name.contains(':');
        one == other
            || (asset(one) == asset(other) && (is_bare(one) || is_bare(other)))
            || self
                .0
                .iter()
                .any(|names| [one, other].iter().all(|name| names.iter().any(|known| known == name)))
    }
}

impl TryFrom<f64> for Weight {
    type Error = ConfigError;

    fn try_from(weight: f64) -> Result<Self, ConfigError> {
        Self::new(weight)
    }
}

impl From<Weight> for f64 {
    fn from(weight: Weight) -> Self {
        weight.0
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<f64> for AgeLimit {
    type Error = ConfigError;

    fn try_from(seconds: f64) -> Result<Self, ConfigError> {
        Self::new(seconds)
    }
}

impl From<AgeLimit> for f64 {
    fn from(limit: AgeLimit) -> Self {
        limit.0
    }
}

impl From<bool> for SameIdentity {
    fn from(is_required: bool) -> Self {
        if is_required { Self::Required } else { Self::NotRequired }
    }
}

impl From<SameIdentity> for bool {
    fn from(same: SameIdentity) -> Self {
        same == SameIdentity::Required
    }
}

impl TryFrom<Vec<Vec<String>>> for Aliases {
    type Error = ConfigError;

    fn try_from(lists: Vec<Vec<String>>) -> Result<Self, ConfigError> {
        Self::new(lists)
    }
}

impl From<Aliases> for Vec<Vec<String>> {
    fn from(aliases: Aliases) -> Self {
        aliases.0
    }
}

/// What stands after the venue: `dex:ASSET` is `ASSET`, `a:b:c` is `b:c`.
fn asset(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, asset)| asset).trim()
}
