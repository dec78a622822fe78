//! Saves the state of long-running processes durably, and brings exactly the newest good one back.
//!
//! # The life of a checkpoint
//!
//! A *run* is a directory of checkpoints with one writer at a time. A *checkpoint* is one immutable file: metadata and
//! named *sections*, whole or absent.
//!
//! ```
//! use ckpt::{Event, Metadata, Position, Run, RunOptions, Section, Selector};
//!
//! # let root = tempfile::tempdir()?;
//! # let path = root.path().join("training/ppo_agent");
//! // Make the run, or open it. This process is its writer until the handle is dropped.
//! let options = RunOptions::new(ckpt::now);
//! let run = Run::open_or_create(&path, &"training".parse()?, &"ppo_agent".parse()?, options)?;
//!
//! // Save. When this returns, the checkpoint survives a power loss.
//! let weights = vec![0_u8; 1 << 20];
//! let metadata = Metadata { market: Some("NQ".into()), ..Metadata::default() }
//!     .because(Event::Periodic, "every 25,000 steps")
//!     .at(Position::at(25_000).of(2_000_000));
//! let saved = run.save(metadata, vec![
//!     Section::json("learner", &[("kappa", 1.5), ("sigma", f64::INFINITY)])?, // any serde value, bit for bit
//!     Section::raw("weights", &weights),                                      // bytes, not copied
//! ])?;
//! assert_eq!(saved.sequence, 1);
//!
//! // Load. `latest` steps back over damaged checkpoints, and says so; it never starts cold in silence.
//! let loaded = run.load(&Selector::Latest)?;
//! assert_eq!(loaded.value.bytes("weights"), Some(&weights[..]));
//! assert_eq!(loaded.why, "it is the newest");
//! assert!(loaded.skipped.is_empty());
//!
//! // Others read beside the writer, without a lock. A selector says which one is meant.
//! let reader = Run::open_read_only(&path)?;
//! let learner = reader.load_section(&"step<=30000".parse()?, "learner")?;
//! let (values, _): (Vec<(String, f64)>, _) = ckpt::json::from_slice(&learner.value.bytes)?;
//! assert_eq!(values[1].1, f64::INFINITY);
//!
//! // A pin protects a checkpoint from every policy; the newest good one is never deleted anyway.
//! run.pin(saved.sequence, Some("the figure in the paper"))?;
//! let deletion = ckpt::Deletion { file_name: saved.file_name, reason: "tidying up".into() };
//! assert_eq!(run.delete(&[deletion]).unwrap_err().code(), "pinned");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # State that changes its shape
//!
//! A [`Stored`] type has a kind, a version and the type it came from. Loading decodes with exactly the version that
//! wrote it and walks up; the report names the path taken and each field that took its default.
//!
//! ```
//! use ckpt::{EncodedSection, FirstVersion, MigrateError, Stored};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct KappaV1 {
//!     kappa: f64,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! #[serde(default)]
//! struct Kappa {
//!     kappa_per_bp: f64,
//!     fills: u64,
//! }
//!
//! impl Default for Kappa {
//!     fn default() -> Self {
//!         Self { kappa_per_bp: 0.15, fills: 0 }
//!     }
//! }
//!
//! impl Stored for KappaV1 {
//!     const KIND: &'static str = "kappa";
//!     const VERSION: u32 = 1;
//!     type Previous = FirstVersion;
//!     fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
//!         match previous {}
//!     }
//! }
//!
//! impl Stored for Kappa {
//!     const KIND: &'static str = "kappa";
//!     const VERSION: u32 = 2;
//!     type Previous = KappaV1;
//!     fn migrate(previous: KappaV1) -> Result<Self, MigrateError> {
//!         Ok(Self { kappa_per_bp: previous.kappa / 10_000.0, ..Self::default() })
//!     }
//! }
//!
//! let yesterday = EncodedSection::encode("kappa", &KappaV1 { kappa: 2_000.0 })?;
//! let today = yesterday.load::<Kappa>()?;
//! assert_eq!(today.value.kappa_per_bp, 0.2);
//! assert_eq!(today.report.path, [1, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Sessions
//!
//! A [`Session`] puts policy on a run: it decides at each step whether to save and says why, keeps the right checkpoints, resumes in
//! one line, and ends in order when it is asked to stop.
//!
//! ```
//! use ckpt::{Direction, Json, Monitor, Session, SessionOptions};
//!
//! # let root = tempfile::tempdir()?;
//! # let root = root.path();
//! let options = SessionOptions::default()
//!     .save_every(100)
//!     .monitor(Monitor::new("reward", Direction::Max))
//!     .keep_last(8)
//!     .total(250);
//! let mut session = Session::open(root, "training", "agent", options)?;
//! let (Json(mut learned), resumed) = session.resume_or_else(|| Json(0.0))?;
//! for step in resumed.step() + 1.. {
//!     if session.should_stop() {
//!         break;
//!     }
//!     learned += 0.5;
//!     session.step(step, &[], || Json(learned))?;
//! }
//! let finished = session.finish(&Json(learned))?;
//! assert_eq!(finished.summary.saves, 3); // at 100, at 200, and the end
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What goes wrong, and what is told apart
//!
//! [`Error`] has a variant for each thing a caller would do differently: nothing there, damaged, newer than this program, not
//! decodable, locked, fenced, no space, permission, durability unknown, input/output. Every message names the thing, the place and
//! the way out.
//!
//! # Crates
//!
//! | crate | owns |
//! | --- | --- |
//! | `ckpt-format` | the container's bytes, codecs, versions and migrations, metadata, names, selectors; no I/O |
//! | `ckpt-store` | the run's directory: publish, verify, step back, fence, pin, delete |
//! | `ckpt-policy` | when to save, what to keep, what to do when the disk fills; no I/O |
//! | `ckpt-gate` | whether restored state may be trusted, with every shortfall; no I/O. Here the module `gate`, feature `gate` |
//! | `ckpt-transfer` | priors from one system to another; no I/O. Here the module `transfer`, feature `transfer` |
//! | `ckpt` | this one: all of them, the clock, and with the feature `config` the configuration from files |
//!
//! An application may take only the crates it needs; the names are the same.

mod clock;
#[cfg(feature = "config")]
mod config;
mod prune;
#[cfg(feature = "schema")]
pub mod schema;
mod session;
mod stop;

pub use ckpt_format::*;
// Modules, because a verdict and a cause are other things there than in policy and metadata.
#[cfg(feature = "gate")]
pub use ckpt_gate as gate;
pub use ckpt_policy::*;
pub use ckpt_store::*;
#[cfg(feature = "transfer")]
pub use ckpt_transfer as transfer;
pub use clock::now;
#[cfg(feature = "config")]
pub use config::*;
pub use prune::{
    LastPolicy, LastSchedule, apply_plan, check_plan, foresee_plan, is_plan_confirmed, last_policy, prunings,
};
#[cfg(feature = "transfer")]
pub use session::injection_note;
pub use session::{
    Durable, Finished, Json, Notice, PassedOver, RecoveryInfo, Restore, Resumed, Save, Session,
    SessionOptions, Step, Summary,
};
pub use stop::{
    Grace, GraceVerdict, PredictionBasis, SavePrediction, SaveTimes, SignalOptions, Stop, StopError,
    StopReason,
};
