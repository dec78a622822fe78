//! Durable, atomic checkpoint directories.
#![doc(html_no_source)]

mod buffer;
mod checkpoint;
mod compress;
mod decode;
mod delete;
mod encode;
mod error;
mod host;
mod identity;
mod layout;
mod lock;
mod log;
mod names;
mod open;
mod pin;
mod publish;
mod quarantine;
mod reader;
mod runs;
mod section;
mod sink;
mod space;
pub mod storage;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod typed;

pub use checkpoint::Checkpoint;
pub use compress::Compress;
pub use delete::{Deleted, Deletion};
pub use error::{Error, Result, Skipped};
pub use identity::RunIdentity;
pub use log::{Costs, LogEntry, LogEvent, LogLine, Victim};
pub use open::{Epoch, RunOptions};
pub use pin::Pins;
pub use reader::{Loaded, RunReader, Sections, Verification};
pub use runs::{find_runs, is_run};
pub use section::Section;
pub use store::{Run, Saved};
