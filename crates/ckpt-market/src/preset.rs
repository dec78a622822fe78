//! The seed's numbers, in one place.

use ckpt_gate::{Thresholds, WarmupRules};
use ckpt_transfer::InjectionConfig;

use crate::readiness::thresholds_config;
use crate::restore::RestoreRules;

/// When the market maker saves, how long it keeps, whom it trusts. [`preset`] has the numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Seconds between two periodic saves. Default: 300.
    pub save_every_s: f64,
    /// Whether it saves at shutdown, before orders are cancelled: what cancelling takes is then not missing. Default: it does.
    pub save_at_shutdown: bool,
    /// Whether each fill is a save, besides. Default: no; the next periodic one has it.
    pub save_on_fill: bool,
    /// Days of history that are kept. Default: 7.
    pub history_days: u32,
    /// Thresholds of the gate.
    pub gate: Thresholds,
    /// How carefully to begin.
    pub warmup: WarmupRules,
    /// What restoring may do.
    pub restore: RestoreRules,
    /// What an injection may do. Default: tables at a weight of 0.3, priors of the same asset up to four hours old, nothing left out.
    pub injection: InjectionConfig,
}

/// The numbers of the market maker.
///
/// ```
/// let preset = ckpt_market::preset();
/// assert_eq!((preset.save_every_s, preset.history_days), (300.0, 7));
/// assert_eq!(preset.gate.config().session_seconds_min, 1_800.0);
/// ```
///
/// # Panics
/// Never: a test judges by them.
pub fn preset() -> Preset {
    Preset {
        save_every_s: 300.0,
        save_at_shutdown: true,
        save_on_fill: false,
        history_days: 7,
        gate: Thresholds::new(thresholds_config()).expect("the preset's thresholds can be meant"),
        warmup: WarmupRules::default(),
        restore: RestoreRules::default(),
        injection: InjectionConfig::default(),
    }
}
