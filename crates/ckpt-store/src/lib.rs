//! Durable, atomic checkpoint directories: publish, verify, step back, fence, pin, delete.
//!
//! ```
//! use ckpt_format::{Metadata, Selector, Timestamp};
//! use ckpt_store::{Run, RunOptions, Section};
//!
//! # let root = tempfile::tempdir()?;
//! # let path = root.path().join("training/demo");
//! # fn clock() -> Timestamp { Timestamp::from_millis(1_763_210_096_789) }
//! let run = Run::create(&path, &"training".parse()?, &"demo".parse()?, RunOptions::new(clock))?;
//! run.save(Metadata::default(), vec![Section::raw("weights", &[1, 2, 3])])?;
//! let loaded = run.load(&Selector::Latest)?;
//! assert_eq!(loaded.value.bytes("weights"), Some(&[1, 2, 3][..]));
//! for entry in run.reader().list()? {
//!     println!("{} {} {} bytes", entry.sequence, entry.state, entry.stored_bytes);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Promises
//!
//! - A save that returned survives a power loss. A crash at any point leaves the old checkpoints, or the old ones and the new.
//! - Damage is found before anything is decoded. `latest` steps back over it and says so; nothing else does.
//! - The newest good checkpoint, the newest that is known to be durable, and every pinned one are never deleted.
//! - An attempt that was overtaken by a higher [`Epoch`] neither publishes nor deletes.
//! - A failed save leaves the old set intact and nothing half-done behind.
//!
//! How: `docs/STORE-LAYOUT.md`. What lies in a file: `docs/FORMAT.md`.
//!
//! # Parts
//!
//! [`Run`] writes, [`BackgroundWriter`] does it on a thread of its own, [`RunReader`] reads beside them without a lock, [`Pins`]
//! marks beside them; [`Checkpoint`] is one open file.
//! The medium is behind [`storage::Storage`], a trait of eleven methods with a conformance suite (feature `testing`).

mod buffer;
mod checkpoint;
mod compress;
mod crew;
mod decode;
mod deletable;
mod delete;
mod encode;
mod error;
mod host;
mod identity;
mod layout;
pub mod legacy;
mod load;
mod lock;
mod log;
mod names;
mod open;
mod pin;
mod publish;
mod quarantine;
mod reader;
mod rows;
mod runs;
mod section;
mod sink;
mod snapshot;
mod space;
pub mod storage;
mod store;
mod survey;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod told;
mod typed;
mod writer;

pub use checkpoint::Checkpoint;
pub use compress::Compress;
pub use delete::{Deleted, Deletion};
pub use error::{Error, Result, Skipped};
pub use identity::RunIdentity;
pub use load::{Loaded, Sections};
pub use log::{Costs, FinalState, LogEntry, LogEvent, LogLine, Note, Victim};
pub use open::{Epoch, RunOptions};
pub use pin::Pins;
pub use reader::{RunReader, Verification};
pub use runs::{find_runs, is_run};
pub use section::Section;
pub use snapshot::{Arena, Snapshot};
pub use store::{Run, Saved};
pub use survey::{LockHolder, LockSight, Obstacle, SetAside, StagedFile, Stops, Survey, may_write_in};
pub use writer::{
    BackgroundWriter, Counters, Failure, Job, Outlook, SaveOutcome, Submitted, WhenBusy, WriterOptions,
};
