//! Every maximum of the format, each with its reason. `docs/FORMAT.md`, section 13.

/// Raw bytes of a block: the room a decompressor may use and the grain of parallel work.
pub const BLOCK_RAW_LENGTH: usize = 262_144;

/// Metadata of one checkpoint, in bytes: every listing reads it whole.
pub const METADATA_LENGTH_MAX: usize = 4 << 20;

/// Sections of one checkpoint: a table of this size is small, a larger one is damage or abuse.
pub const SECTIONS_MAX: u32 = 4_096;

/// Bytes of a section's name: it is also a file name when a checkpoint is restored at a shell.
pub const SECTION_NAME_LENGTH_MAX: usize = 64;

/// Bytes of a stored type's kind.
pub const KIND_LENGTH_MAX: usize = 128;

/// Blocks of one checkpoint: 16 TiB of state.
pub const BLOCKS_MAX: u32 = 1 << 26;

/// Everything on disk is padded to this, so that direct I/O needs no truncation.
pub const PAGE_LENGTH: u64 = 4_096;
