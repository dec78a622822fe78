//! The checkpoint container: what is in a file, byte by byte, and how values become bytes and back. Pure: no I/O, no clock.
//!
//! A file holds metadata and named sections; `docs/FORMAT.md` is its normative description. Here a counter is written as its
//! second version and one of the first version is read:
//!
//! ```
//! use ckpt_format::{Container, EncodedSection, FirstVersion, Metadata, MigrateError, Stored, encode};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct CounterV1 {
//!     n: u64,
//! }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Counter {
//!     count: u64,
//!     mean: f64,
//! }
//!
//! impl Stored for CounterV1 {
//!     const KIND: &'static str = "counter";
//!     const VERSION: u32 = 1;
//!     type Previous = FirstVersion;
//!     fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
//!         match previous {}
//!     }
//! }
//!
//! impl Stored for Counter {
//!     const KIND: &'static str = "counter";
//!     const VERSION: u32 = 2;
//!     type Previous = CounterV1;
//!     fn migrate(previous: CounterV1) -> Result<Self, MigrateError> {
//!         Ok(Self { count: previous.n, mean: f64::NAN })
//!     }
//! }
//!
//! let sections = [
//!     EncodedSection::encode("new", &Counter { count: 7, mean: f64::INFINITY })?,
//!     EncodedSection::encode("old", &CounterV1 { n: 5 })?,
//! ];
//! let file = encode(&Metadata::default(), &sections)?;
//!
//! let container = Container::decode(&file)?; // header, metadata, tables: checked; no payload touched
//! container.verify(&file)?; // every byte
//! let new = sections[0].load::<Counter>()?;
//! assert_eq!(new.value, Counter { count: 7, mean: f64::INFINITY });
//! let old = sections[1].load::<Counter>()?;
//! assert_eq!((old.value.count, old.report.to_string()), (5, "v1 -> v2".to_owned()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Bytes that are read may be hostile: every length is bounded before it is used, digests are checked before anything is
//! decoded, and what is wrong is located ([`FormatError`], [`Part`]). Files, directories and compression are `ckpt-store`'s.

mod bundle;
mod bytes;
mod codec;
mod commit;
mod container;
#[cfg(feature = "schema")]
pub mod describe;
mod digest;
mod entry;
mod error;
mod event;
mod header;
mod ident;
mod index;
pub mod json;
mod limits;
mod metadata;
mod metrics;
mod migrate;
mod name;
mod path;
mod position;
mod schema;
mod section;
mod selector;
mod size;
mod timestamp;
mod traced;
mod version;

pub use bundle::{
    Bundle, BundleError, BundleMode, BundleReader, BundleReport, BundleWriter, ComponentCounts,
    ComponentReport, LoadedBundle, Outcome, SectionSource, SectionState, Why,
};
pub use codec::{Codec, DecodeError, EncodeError, UnknownCodec};
pub use commit::CommitRecord;
pub use container::{Container, IndexBuilder, SectionStart, encode, front};
pub use digest::{Digest, ParseDigestError, SectionDigest};
pub use entry::{Details, Entry, State};
pub use error::{Fault, FormatError, Part};
pub use event::{Event, EventClass, EventError, EventPattern};
pub use header::{Header, MAGIC};
pub use ident::{BoundaryName, IdentError, KindName, RunName, SectionName};
pub use index::{BlockEntry, Choice, Compression, Index, SAMPLE_NONE, SectionEntry, content_digest};
pub use limits::{
    BLOCK_RAW_LENGTH, BLOCKS_MAX, KIND_LENGTH_MAX, METADATA_LENGTH_MAX, PAGE_LENGTH, SECTION_NAME_LENGTH_MAX,
    SECTIONS_MAX,
};
pub use metadata::{Cause, Metadata, Origin, Parent, ParseStatusError, Program, Status, Writer};
pub use metrics::{Best, Direction, DirectionError, Metrics};
pub use migrate::{Decoded, LoadError, LoadReport};
pub use name::{
    Companion, EXTENSION, EventTag, FileName, Label, NameError, NameForm, ParsedName, STEM_BYTES_MAX,
};
pub use path::FieldList;
pub use position::Position;
pub use schema::{FirstVersion, MigrateError, Stored, readable_versions};
pub use section::EncodedSection;
pub use selector::{ChooseError, Present, Selectable, Selector, SelectorError, stated_direction};
pub use size::{ByteSize, ByteSizeError};
pub use timestamp::{ParseTimestampError, Timestamp};
pub use version::ContainerVersion;
