//! One suite for every backend: each sentence of the [`Storage`] documentation as a case.
//!
//! ```
//! use std::sync::Arc;
//! use ckpt_store::{storage::Memory, testing::conformance};
//!
//! conformance::run(&|| Arc::new(Memory::new()));
//! ```

mod files;
mod locks;
mod names;

use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use crate::storage::{Access, DirEntry, Storage, StorageFile, StorageLock};

/// A sentence that a backend does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The case, named by what it demands.
    pub case: &'static str,
    /// What was seen instead.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.found)
    }
}

/// Runs every case, each on a storage of its own: an empty directory of the backend, made by `fresh`.
///
/// # Panics
/// With all violations, if there are any.
pub fn run(fresh: &dyn Fn() -> Arc<dyn Storage>) {
    let violations: Vec<String> = violations(fresh).iter().map(ToString::to_string).collect();
    assert!(violations.is_empty(), "the storage breaks its contract:\n  {}", violations.join("\n  "));
}

/// Runs every case as [`run`] does, and returns what is wrong.
pub fn violations(fresh: &dyn Fn() -> Arc<dyn Storage>) -> Vec<Violation> {
    let broken = |(case, check): &Case| check(fresh()).err().map(|Broken(found)| Violation { case, found });
    [names::CASES, files::CASES, locks::CASES].into_iter().flatten().filter_map(broken).collect()
}

/// What a case demands, and the check of it, which is given an empty storage.
type Case = (&'static str, fn(Arc<dyn Storage>) -> Result<(), Broken>);

/// Why a case failed.
struct Broken(String);

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Broken(format!("unexpected error: {error} ({:?})", error.kind()))
    }
}

fn hold(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken(otherwise())) }
}

fn equal<T: PartialEq + fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), Broken> {
    hold(found == expected, || format!("{what}: {found:?} instead of {expected:?}"))
}

fn fails<T>(what: &str, outcome: io::Result<T>, expected: ErrorKind) -> Result<(), Broken> {
    let found = outcome.err().map(|error| error.kind());
    hold(found == Some(expected), || match found {
        Some(kind) => format!("{what}: {kind:?} instead of {expected:?}"),
        None => format!("{what}: no error instead of {expected:?}"),
    })
}

fn refused<const N: usize>(path: &str, outcomes: [(&str, Option<io::Error>); N]) -> Result<(), Broken> {
    for (operation, error) in outcomes {
        let kind = error.map(|error| error.kind());
        hold(kind == Some(ErrorKind::InvalidInput), || format!("{operation} of {path:?} gave {kind:?}"))?;
    }
    Ok(())
}

fn held(storage: &dyn Storage, path: &str) -> Result<Box<dyn StorageLock>, Broken> {
    storage
        .try_lock(path)?
        .ok_or_else(|| Broken(format!("{path} is locked by nobody, and was not to be had")))
}

fn write_all(file: &mut dyn StorageFile, offset: u64, bytes: &[u8]) -> Result<(), Broken> {
    let mut written = 0;
    while written < bytes.len() {
        let count = file.write_at(offset + written as u64, &bytes[written..])?;
        hold(count > 0, || format!("nothing was written at {written} of {}", bytes.len()))?;
        written += count;
    }
    Ok(())
}

fn read_all(file: &dyn StorageFile) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    // A few bytes at a time, so that every read but the first is at an offset.
    let mut part = [0; 1000];
    loop {
        match file.read_at(bytes.len() as u64, &mut part)? {
            0 => return Ok(bytes),
            count => bytes.extend_from_slice(&part[..count]),
        }
    }
}

fn content(storage: &dyn Storage, path: &str) -> Result<Vec<u8>, Broken> {
    read_all(&*storage.open(path, Access::Read)?)
}

fn names_in(storage: &dyn Storage, dir: &str) -> Result<Vec<String>, Broken> {
    Ok(sorted(storage.list(dir)?).into_iter().map(|entry| entry.name).collect())
}

fn sorted(mut entries: Vec<DirEntry>) -> Vec<DirEntry> {
    entries.sort();
    entries
}
