//! When sessions save and what they keep: the preset's numbers, counted in steps of the replay.

use std::time::Duration;

use ckpt::{RetentionPolicy, SessionOptions};
use ckpt_market::Preset;

use super::maker::ASSET;
use super::market::STEP_SECONDS;

/// Kind of the runs.
pub(crate) const KIND: &str = "trading";

const SECONDS_A_DAY: u64 = 86_400;

/// Options of a session by the preset. The replay goes faster than the clock on the wall, so its five minutes are steps.
pub(crate) fn options(preset: &Preset) -> SessionOptions {
    let steps = (preset.save_every_s / STEP_SECONDS).round() as u64;
    let history = Duration::from_secs(u64::from(preset.history_days) * SECONDS_A_DAY);
    let mut options = SessionOptions::default().save_every(steps).unit("steps");
    options.retention = RetentionPolicy { max_age: Some(history), ..RetentionPolicy::default() };
    options.market = Some(ASSET.to_owned());
    options
}
