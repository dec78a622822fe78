//! Carries priors from one system to another: what is offered, whether it may enter, what becomes of each part. Pure: no I/O, no clock.
//!
//! The rules and their JSON: `docs/TRANSFER.md`. A trader that learned on paper hands its volatility and its table of values to one
//! that trades live:
//!
//! ```
//! use std::collections::BTreeMap;
//! use ckpt_format::Timestamp;
//! use ckpt_transfer::{
//!     InjectionConfig, NormalGamma, Planner, Prior, PriorExtract, PriorInject, Proposal, Provenance, Receiver, Seeding,
//! };
//!
//! type Table = BTreeMap<(u32, u32), NormalGamma>; // by state and action
//!
//! struct Trader { mode: &'static str, sigma: f64, values: Table, is_stopped: bool }
//!
//! /// What may be inherited. That it was stopped is not in here.
//! struct Learned { sigma: f64, values: Table }
//!
//! impl PriorExtract for Trader {
//!     type State = Learned;
//!
//!     fn extract_prior(&self, now: Timestamp) -> Prior<Learned> {
//!         let provenance = Provenance {
//!             identity: "HYPE".into(),
//!             mode: self.mode.into(),
//!             saved_at: Some(now),
//!             ..Provenance::default()
//!         };
//!         Prior { provenance, state: Learned { sigma: self.sigma, values: self.values.clone() } }
//!     }
//! }
//!
//! impl PriorInject for Trader {
//!     type State = Learned;
//!     type Change = (Option<f64>, Option<Seeding<(u32, u32), NormalGamma>>);
//!
//!     fn receiver(&self) -> Receiver {
//!         Receiver::new("HYPE", self.mode)
//!     }
//!
//!     fn plan_components(&self, planner: &mut Planner<'_, Learned>) -> Self::Change {
//!         let weight = planner.blend_weight();
//!         let sigma = planner.component("sigma", |prior| &prior.sigma, |sigma| Proposal::inject(*sigma));
//!         let values = planner.component("values", |prior| &prior.values, |values| {
//!             let seeding = Seeding::plan(&self.values, values, weight, |_| true);
//!             let counts = seeding.counts();
//!             Proposal::seed(seeding, counts)
//!         });
//!         planner.keeps_own("kill_switch");
//!         (sigma, values)
//!     }
//!
//!     fn apply_change(&mut self, (sigma, values): Self::Change) {
//!         self.sigma = sigma.unwrap_or(self.sigma);
//!         if let Some(seeding) = values {
//!             seeding.apply_to(&mut self.values);
//!         }
//!     }
//! }
//!
//! # let now = Timestamp::from_millis(1_767_323_045_000);
//! let mut value = NormalGamma::default();
//! value.observe(2.0);
//! let paper = Trader { mode: "paper", sigma: 0.0007, values: Table::from([((0, 0), value)]), is_stopped: true };
//! let mut live = Trader { mode: "live", sigma: 0.0005, values: Table::new(), is_stopped: false };
//!
//! let prior = paper.extract_prior(now);
//! let config = InjectionConfig::default();
//! let planned = live.dry_run(&prior, &config, now)?; // changes nothing
//! let report = live.inject_prior(&prior, &config, now)?;
//! assert_eq!(report, planned);
//! assert_eq!(
//!     report.to_string(),
//!     "sigma: injected\nvalues: seeded 1 of 1 at weight 0.3\nkill_switch: kept its own, it is never inherited\n\
//!      note: no verdict was asked for\n"
//! );
//! assert_eq!((live.sigma, live.is_stopped, report.lineage.map(|lineage| lineage.chain_depth)), (0.0007, false, Some(1)));
//! # Ok::<(), ckpt_transfer::Rejection>(())
//! ```

mod admit;
mod blend;
mod config;
mod lineage;
mod normal_gamma;
mod plan;
mod prior;
mod report;

pub use admit::{Readable, Receiver, Rejection};
pub use blend::{Cell, SeedCounts, Seeding};
pub use config::{AgeLimit, Aliases, ConfigError, InjectionConfig, SameIdentity, Weight};
pub use lineage::{Ancestor, Lineage, LineageError};
pub use normal_gamma::NormalGamma;
pub use plan::{Planner, Proposal};
pub use prior::{ComponentKind, Prior, PriorExtract, PriorInject, Provenance};
pub use report::{ComponentInjection, InjectionCounts, InjectionOutcome, InjectionReport, Note, SkipReason};
