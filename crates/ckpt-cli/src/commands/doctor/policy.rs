//! The configuration that should be in force, and which of its phases the run is of.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ckpt::{Config, PhaseConfig, Setting, Timestamp, ValueSource};

use crate::config;

use super::facts::Facts;

/// A configuration that was given.
#[derive(Debug)]
pub(super) struct Stated {
    pub(super) file: PathBuf,
    pub(super) config: Config,
    /// When the newest of its files was changed.
    pub(super) changed_at: Option<Timestamp>,
}

impl Stated {
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let config = config::load(file, &[]).map_err(|error| config::message(&error))?;
        let changed = |path: &PathBuf| {
            let since = path.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            i64::try_from(since.as_millis()).ok().map(Timestamp::from_millis)
        };
        let changed_at = config.files().iter().filter_map(changed).max();
        Ok(Self { file: file.to_owned(), config, changed_at })
    }

    /// The phases that the run may be of: the one that its newest checkpoint names, or the only one there is; all of them if nothing
    /// says which; what holds without a phase if there are none. Nothing if the run's phase is not among them.
    pub(super) fn candidates(&self, facts: &Facts) -> Vec<&PhaseConfig> {
        let all: Vec<&PhaseConfig> =
            self.config.phases().filter_map(|name| self.config.phase(name).ok()).collect();
        let named = facts.newest().and_then(|newest| newest.metadata()?.phase.as_deref());
        match named {
            Some(named) => all.into_iter().filter(|phase| phase.phase.as_deref() == Some(named)).collect(),
            None if all.is_empty() => vec![self.config.general()],
            None => all,
        }
    }

    /// The phase of the run, if it is certain.
    pub(super) fn phase(&self, facts: &Facts) -> Option<&PhaseConfig> {
        match self.candidates(facts).as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

/// The variables of the environment that say something about this phase.
pub(super) fn variables(phase: &PhaseConfig) -> Vec<&str> {
    fn variable(setting: &Setting) -> Option<&str> {
        match &setting.source {
            ValueSource::Environment { variable } => Some(variable),
            _ => None,
        }
    }
    phase.settings().iter().filter_map(variable).collect()
}
