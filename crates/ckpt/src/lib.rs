//! Guide: to be written.
pub use ckpt_format::*;
pub use ckpt_store::*;

mod clock;
pub use clock::now;
