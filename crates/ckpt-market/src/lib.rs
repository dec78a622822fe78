//! The market maker's bundle: what of its learned state is kept, in which versions, and what may be done with it. Pure.

mod bundle;
pub mod component;

pub use bundle::{MarketBundle, StampedBundle, names, v1};
