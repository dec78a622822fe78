//! Stored types described from the code, and held against what was released: `docs/SCHEMA.md`.
//!
//! A crate collects its kinds in one place; [`Kinds::check`] compares them with the lock and the golden files, which
//! are handed in as a [`Folder`]; [`Kinds::pages`] makes the documentation, [`Kinds::release`] what a release adds.
//!
//! ```
//! use ckpt_format::describe::{Described, Folder, Kinds};
//! use ckpt_format::{FirstVersion, MigrateError, Stored};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// How wide the quotes are.
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! #[serde(default)]
//! struct Spread {
//!     /// Half of the distance between bid and ask.
//!     #[schemars(extend("x-unit" = "bps"), range(min = 0))]
//!     half: f64,
//!     /// Fills so far.
//!     fills: u64,
//! }
//!
//! impl Default for Spread {
//!     fn default() -> Self {
//!         Self { half: 2.5, fills: 0 }
//!     }
//! }
//!
//! impl Stored for Spread {
//!     const KIND: &'static str = "spread";
//!     const VERSION: u32 = 1;
//!     type Previous = FirstVersion;
//!     fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
//!         match previous {}
//!     }
//! }
//!
//! impl Described for Spread {}
//!
//! let kinds = Kinds::new().add::<Spread>();
//! let mut folder = Folder::default();
//! folder.extend(kinds.release("spread", &folder)?);
//! assert!(folder.get("golden/spread.v1.ckpt").is_some());
//! assert_eq!(kinds.check(&folder)?.fields_removed, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod came;
mod compare;
mod earlier;
mod folder;
mod held;
mod kinds;
mod lock;
mod order;
mod pages;
mod path;
mod refusal;
mod removal;
mod said;
mod sample;
mod shape;
mod table;
mod trace;
mod version;
mod walk;

use schemars::JsonSchema;

pub use self::compare::{Standing, compare};
pub use self::folder::Folder;
pub use self::kinds::{Kinds, Summary};
pub use self::lock::{Golden, Lock, Locked, ReleaseError};
pub use self::refusal::{Refusal, Refusals, Rule};
pub use self::removal::Removal;
pub use self::shape::{Field, Shape};
pub use self::table::{TableRow, VersionTable};
use crate::schema::{FirstVersion, Stored};

/// A stored type that says enough about itself to be documented and locked.
///
/// Doc comments are the meaning, `#[schemars(extend("x-unit" = "bps"))]` the unit, `#[schemars(range(..))]` the range,
/// `#[serde(default)]` on the struct with its `Default` the defaults. All versions of a kind are described.
pub trait Described: Stored + JsonSchema {
    /// Values that together hold every field and every variant; each field differs from its default. Always the same:
    /// they become the golden file of this version. At most 1000.
    ///
    /// Made from the schema unless the type says otherwise: numbers within their range, all different, one element in
    /// each list and map, something in each option, every variant of an enum in one of them. A type that accepts only
    /// some texts or numbers has to give its own.
    fn samples() -> Vec<Self> {
        sample::samples()
    }
}

/// A described type whose previous versions are described too; every such type has it, nobody implements it.
pub trait Chain {
    /// The versions, oldest first.
    #[doc(hidden)]
    fn versions() -> Vec<version::Version>;
}

impl Chain for FirstVersion {
    fn versions() -> Vec<version::Version> {
        Vec::new()
    }
}

impl<T: Described<Previous: Chain>> Chain for T {
    fn versions() -> Vec<version::Version> {
        let mut versions = T::Previous::versions();
        versions.push(version::Version::of::<T>());
        versions
    }
}
