//! Whether restored state may be trusted: evidence against thresholds, a verdict with its shortfalls, a warm-up. Pure: no I/O, no clock.
//!
//! The rules and their JSON: `docs/GATE.md`.
//!
//! ```
//! use ckpt_gate::{Cause, Evidence, Fills, Required, Thresholds, ThresholdsConfig, Verdict, WarmupRules};
//!
//! let thresholds = Thresholds::new(ThresholdsConfig {
//!     core: vec![Required::new("volatility", 200), Required::new("kappa", 50)],
//!     marginal_core_min: 1,
//!     fills: Some(Required::new("kelly_fills", 20)),
//!     ..ThresholdsConfig::default()
//! })?;
//!
//! // At every save: what was seen, judged and stored.
//! let evidence = Evidence::default()
//!     .count("volatility", 4_000)
//!     .count("kappa", 31)
//!     .count("kelly_fills", 26)
//!     .session_seconds(600.0)
//!     .cumulative_seconds(2_400.0);
//! let assessment = thresholds.assess(&evidence);
//! assert_eq!(assessment.verdict(), Verdict::Marginal);
//! assert_eq!(assessment.shortfalls()[0].to_string(), "kappa 31 of 50");
//! let stamp = assessment.stamp();
//!
//! // At load: judged again, with its age, by the thresholds of today.
//! let fresh = stamp.judge_again(3_600.0, &thresholds);
//! assert!(fresh.passes());
//! let stale = stamp.judge_again(20_000.0, &thresholds);
//! assert_eq!((stale.verdict(), stale.cause()), (Verdict::Insufficient, Some(Cause::Stale)));
//!
//! // How carefully to begin.
//! let plan = WarmupRules::default().plan(&fresh, Fills { restored: 26, live: 0 });
//! assert_eq!((plan.restore, plan.spread_factor, plan.size_factor), (true, 0.85, 0.3));
//! # Ok::<(), ckpt_gate::ThresholdsError>(())
//! ```

mod assess;
mod evidence;
mod shortfall;
mod stamp;
mod thresholds;
mod warmup;

pub use assess::{Assessment, Cause, Verdict};
pub use evidence::Evidence;
pub use shortfall::Shortfall;
pub use stamp::Stamp;
pub use thresholds::{Required, Thresholds, ThresholdsConfig, ThresholdsError};
pub use warmup::{Fills, SizeForm, WarmupError, WarmupPlan, WarmupReason, WarmupRules, WarmupTier};
