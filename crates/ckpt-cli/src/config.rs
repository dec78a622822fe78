//! A configuration that a command was given: read, with the environment over it.

use std::path::Path;

use ckpt::{Config, ConfigError, ConfigLayers};

use crate::failure::{FAILED, Failure, NOT_FOUND, USAGE};

/// Reads the file, and what the environment and `overrides` (as variables of it) say over it.
pub(crate) fn load(file: &Path, overrides: &[(String, String)]) -> Result<Config, ConfigError> {
    ConfigLayers::new()
        .file(file)
        .environment(std::env::vars_os())
        .environment(overrides.iter().map(|(name, value)| (name, value)))
        .load()
}

/// What is wrong with a configuration, as a command says it.
pub(crate) fn refusal(error: &ConfigError, file: &Path) -> Failure {
    let status = match error {
        ConfigError::UnknownPhase { .. } | ConfigError::MarketMissing { .. } => USAGE,
        _ if error.code() == "not_found" => NOT_FOUND,
        _ => FAILED,
    };
    let code = if status == USAGE { "usage" } else { error.code() };
    Failure::new(code, status, message(error)).at(file)
}

/// The error with what it is caused by.
pub(crate) fn message(error: &ConfigError) -> String {
    let cause = std::error::Error::source(error).map(|source| format!(": {source}"));
    format!("{error}{}", cause.unwrap_or_default())
}
