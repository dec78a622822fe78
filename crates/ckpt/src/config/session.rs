//! What a configuration means for a session.

use crate::SessionOptions;

use super::{Config, ConfigError};

impl SessionOptions {
    /// The options of a session for this phase: all that the configuration says, and the defaults for what it does not speak of.
    ///
    /// A stated path is expanded for the market, which also stands in the metadata and the file names.
    ///
    /// ```
    /// use ckpt::{ConfigFormat, ConfigLayers, SessionOptions};
    ///
    /// let text = "checkpointing: {phase1: {every: 100}, paths: {phase1: 'models/{market}'}}";
    /// let config = ConfigLayers::new().text("c.yaml", ConfigFormat::Yaml, text).load()?;
    /// let options = SessionOptions::from_config(&config, "phase1", Some("NQ"))?;
    /// assert_eq!(options.path, Some("models/NQ".into()));
    /// assert!(SessionOptions::from_config(&config, "phase1", None).is_err(), "the path needs a market");
    /// # Ok::<(), ckpt::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::UnknownPhase`]; and as [`PathTemplate::expand`](crate::PathTemplate::expand) where a path is stated.
    pub fn from_config(config: &Config, phase: &str, market: Option<&str>) -> Result<Self, ConfigError> {
        let phase = config.phase(phase)?;
        let path = phase.path.as_ref().map(|path| path.expand(market)).transpose()?;
        let mut options = Self {
            schedule: phase.schedule.clone(),
            monitors: phase.monitors.clone(),
            events: phase.events.clone(),
            retention: phase.retention.clone(),
            reserve: phase.reserve,
            phases_above: phase.priority_rank,
            unit: Some(phase.unit.clone()),
            total: phase.target,
            market: market.map(str::to_owned),
            phase: phase.phase.clone(),
            extra_fields: phase.llm_metadata.clone(),
            path,
            ..Self::default()
        };
        options.run.compress = phase.compress;
        Ok(options)
    }
}
