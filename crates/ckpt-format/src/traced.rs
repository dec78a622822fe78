//! Serde adaptors that stand between a value and a codec, know where in the value they are, and stop at what
//! the codec can't carry.
//!
//! Both directions come in two kinds, chosen by the parameter `TEXT`: over JSON text (true) and over a
//! positional binary codec (false), which has no names and does not describe itself. Paths cost nothing until
//! one is rendered: they are frames on the stack.

mod read;
mod write;

pub(crate) use read::{Notes, reading};
pub(crate) use write::writing;

/// How deep containers may nest, in both directions: what serde_json reads before it gives up, and little
/// enough for any thread's stack.
pub(crate) const DEPTH_MAX: u8 = 127;
