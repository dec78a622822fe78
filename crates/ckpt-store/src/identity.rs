//! `run.json`: what makes a directory a run.

use std::path::Path;

use ckpt_format::{RunName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::layout;
use crate::storage::{Access, Storage};

/// Version of a run's directory layout that this library writes and reads.
const LAYOUT_VERSION: u32 = 1;
const IDENTITY_BYTES_MAX: usize = 64 << 10;

/// What makes a directory a run: written once, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    layout: u32,
    /// 32 hex digits, made once at random: stands in every checkpoint of the run.
    pub run_id: String,
    /// First name: what it is a run of.
    pub kind: RunName,
    /// Second name: which one.
    pub name: RunName,
    /// When the run was made.
    pub created_at: Timestamp,
}

impl RunIdentity {
    pub(crate) fn new(run_id: String, kind: RunName, name: RunName, created_at: Timestamp) -> Self {
        Self { layout: LAYOUT_VERSION, run_id, kind, name, created_at }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|source| Error::io("encoding", layout::RUN, source.into()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads the identity of the run in `storage`. `path` is for errors.
    pub(crate) fn read(storage: &dyn Storage, path: &Path) -> Result<Self> {
        let file = match storage.open(layout::RUN, Access::Read) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::RunNotFound { path: path.to_owned(), present: Vec::new() });
            }
            other => other.map_err(|source| Error::io("opening", layout::RUN, source))?,
        };
        let mut bytes = vec![0; IDENTITY_BYTES_MAX];
        let mut length = 0;
        while length < bytes.len() {
            let read = file.read_at(length as u64, &mut bytes[length..]);
            match read.map_err(|source| Error::io("reading", layout::RUN, source))? {
                0 => break,
                count => length += count,
            }
        }
        Self::decode(&bytes[..length])
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            layout: u32,
        }
        let bad = |error: serde_json::Error| Error::Invalid {
            reason: format!(
                "run.json is not that of a run ({error}): restore it from a copy of the directory"
            ),
        };
        // The version first: a later layout may look quite different.
        let Version { layout } = serde_json::from_slice(bytes).map_err(bad)?;
        if layout > LAYOUT_VERSION {
            let reason =
                format!("run.json: layout {layout} is newer than this program, which reads {LAYOUT_VERSION}");
            return Err(Error::Incompatible { file: crate::layout::RUN.to_owned(), reason });
        }
        serde_json::from_slice(bytes).map_err(bad)
    }
}
