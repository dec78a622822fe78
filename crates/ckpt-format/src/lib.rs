//! The checkpoint container: what is in a file, byte by byte, and how values become bytes and back.
//!
//! TODO
mod bundle;
mod bytes;
mod codec;
mod commit;
mod container;
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
mod timestamp;
mod traced;
mod version;

pub use bundle::*;
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
pub use limits::*;
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
pub use selector::{ChooseError, Present, Selectable, Selector, SelectorError};
pub use timestamp::{ParseTimestampError, Timestamp};
pub use version::ContainerVersion;
