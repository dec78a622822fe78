//! Where learned state comes from: `docs/TRANSFER.md`, section 5.

use ckpt_format::{Metadata, Parent, Timestamp};
use serde::{Deserialize, Serialize};

use crate::prior::Provenance;

/// Where the state of a process comes from. Recorded in every save from the injection on.
///
/// ```
/// use ckpt_format::Metadata;
/// use ckpt_transfer::Lineage;
///
/// let mut metadata = Metadata::default();
/// assert_eq!(Lineage::of(&metadata)?, None);
/// Lineage::cold("paper").record(&mut metadata)?;
/// assert_eq!(Lineage::of(&metadata)?, Some(Lineage::cold("paper")));
/// # Ok::<(), ckpt_transfer::LineageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Lineage {
    /// How the process runs, in the application's word: `paper`, `live`.
    pub mode: String,
    /// Systems that stand before this one; 0 is a cold start.
    pub chain_depth: u32,
    /// Seconds that the systems before this one learned, if they are known. They count at the gate.
    pub seconds_before: Option<f64>,
    /// The prior it was injected with.
    pub parent: Option<Ancestor>,
}

/// A prior that was injected.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ancestor {
    /// Of what it was.
    pub identity: String,
    /// How its system ran.
    pub mode: String,
    /// When it was saved.
    pub saved_at: Option<Timestamp>,
    /// The checkpoint that held it, if one did.
    pub checkpoint: Option<Parent>,
}

/// A lineage that can't be written or read.
#[derive(Debug, thiserror::Error)]
#[error("the metadata's `extra.lineage` is no lineage: it has mode, chain_depth, seconds_before and parent")]
pub struct LineageError {
    #[source]
    source: serde_json::Error,
}

impl Lineage {
    /// Its name in the `extra` of a checkpoint's metadata.
    pub const FIELD: &str = "lineage";

    /// Of a process that began from its own priors.
    pub fn cold(mode: impl Into<String>) -> Self {
        Self { mode: mode.into(), ..Self::default() }
    }

    /// Of a process in this mode that was injected with such a prior.
    pub fn child_of(provenance: &Provenance, mode: impl Into<String>) -> Self {
        Self {
            mode: mode.into(),
            chain_depth: provenance.chain_depth.saturating_add(1),
            seconds_before: provenance.evidence.as_ref().and_then(|evidence| evidence.learned_seconds()),
            parent: Some(Ancestor {
                identity: provenance.identity.clone(),
                mode: provenance.mode.clone(),
                saved_at: provenance.saved_at,
                checkpoint: provenance.checkpoint.clone(),
            }),
        }
    }

    /// The value that stands in the `extra` of a checkpoint's metadata under [`FIELD`](Self::FIELD).
    ///
    /// # Errors
    /// [`LineageError`] if JSON can't carry it, which no value of it is known to do.
    pub fn to_extra(&self) -> Result<serde_json::Value, LineageError> {
        serde_json::to_value(self).map_err(|source| LineageError { source })
    }

    /// Puts it into the metadata of a checkpoint that is about to be made, in place of one that is there.
    ///
    /// # Errors
    /// As [`to_extra`](Self::to_extra).
    pub fn record(&self, metadata: &mut Metadata) -> Result<(), LineageError> {
        metadata.extra.insert(Self::FIELD.to_owned(), self.to_extra()?);
        Ok(())
    }

    /// The one that a checkpoint records; none if it records none.
    ///
    /// # Errors
    /// [`LineageError`] if what is there is none.
    pub fn of(metadata: &Metadata) -> Result<Option<Self>, LineageError> {
        let value = metadata.extra.get(Self::FIELD);
        value.map(Self::deserialize).transpose().map_err(|source| LineageError { source })
    }
}
