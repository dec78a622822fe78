//! The market maker's bundle: what of its learned state is kept, in which versions, and what may be done with it. Pure.
//!
//! State is taken from live components, stamped with what the gate thinks of it, and saved; after loading it is brought into
//! its bounds and judged again. All of it in words: `docs/MARKET.md`.
//!
//! ```
//! use ckpt_format::{Bundle as _, BundleMode, Timestamp};
//! use ckpt_market::live::{LiveComponent as _, kelly::Kelly};
//! use ckpt_market::restore::restore;
//! use ckpt_market::{MarketBundle, StampedBundle, preset, readiness};
//!
//! let preset = preset();
//! let now = Timestamp::from_millis(1_700_000_000_000);
//!
//! // At every save, whatever the occasion.
//! let mut kelly = Kelly::default();
//! kelly.record(12.0);
//! let mut bundle = MarketBundle { kelly_tracker: kelly.to_checkpoint(), ..MarketBundle::default() };
//! bundle.metadata.timestamp_ms = 1_700_000_000_000;
//! let sections = bundle.stamp(&preset.gate).to_sections()?;
//!
//! // At start.
//! let loaded = StampedBundle::from_sections(&sections, BundleMode::Strict)?;
//! let restored = restore(loaded.value.into_bundle(), now, &preset.restore);
//! let assessment = readiness::judge(&restored.bundle, now, &preset.gate);
//! assert_eq!(assessment.verdict().as_str(), "insufficient");
//! kelly.restore_checkpoint(&restored.bundle.kelly_tracker);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bundle;
pub mod component;
pub mod import;
#[cfg(feature = "schema")]
mod kinds;
pub mod live;
pub mod prediction_log;
mod preset;
pub mod readiness;
pub mod restore;
pub mod transfer;

pub use bundle::{MarketBundle, StampedBundle, names, v1};
#[cfg(feature = "schema")]
pub use kinds::kinds;
pub use preset::{Preset, preset};
