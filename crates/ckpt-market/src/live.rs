//! The contract of live components, and small ones that keep it.
//!
//! A live component trades and learns; what is stored of it is another type. It gives that out and takes it back, and what
//! it took it would give out again: [`check_law`]. Counts come from documents and may be anything: they stop at their end.

pub mod baseline;
pub mod kappa;
pub mod kelly;
pub mod kill_switch;
pub mod quote_outcomes;
pub mod volatility;

use ckpt_format::{EncodeError, EncodedSection, Stored};

/// A part of a running market maker whose learned state is stored.
///
/// Clocks and generators are arguments of the methods that learn; these two need neither.
pub trait LiveComponent {
    /// What is stored of it. Its default is a cold start.
    type Checkpoint: Stored + Default;

    /// What is to be stored.
    fn to_checkpoint(&self) -> Self::Checkpoint;

    /// Goes on from what was stored.
    fn restore_checkpoint(&mut self, checkpoint: &Self::Checkpoint);
}

/// The law that a component broke.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LawBroken {
    /// What it was restored from is not what it gives out.
    #[error("restored and saved again it is another {kind}: {saved} became {again}")]
    NotIdentical {
        /// Kind of the checkpoint.
        kind: &'static str,
        /// What was saved, as JSON.
        saved: String,
        /// What was saved after the restore, as JSON.
        again: String,
    },
    /// A cold component is not the default of its checkpoint.
    #[error("a cold {kind} saves {cold}, the default is {default}")]
    NotCold {
        /// Kind of the checkpoint.
        kind: &'static str,
        /// What the cold component gives out, as JSON.
        cold: String,
        /// The default, as JSON.
        default: String,
    },
    /// The checkpoint can't be encoded.
    #[error("it can't be saved")]
    Encode(#[from] EncodeError),
}

/// Checks the law of live components: a cold one is the default of its checkpoint, and one that was restored from what
/// `live` gives out gives out the same, bit for bit. For tests.
///
/// ```
/// use ckpt_market::live::{check_law, kelly::Kelly};
///
/// let mut kelly = Kelly::default();
/// kelly.record(12.0);
/// kelly.record(-3.5);
/// check_law(&kelly, Kelly::default())?;
/// # Ok::<(), ckpt_market::live::LawBroken>(())
/// ```
///
/// # Errors
/// [`LawBroken`], with both sides as they would be stored.
pub fn check_law<C: LiveComponent>(live: &C, mut cold: C) -> Result<(), LawBroken> {
    let kind = C::Checkpoint::KIND;
    let (cold_text, default) = (stored(&cold.to_checkpoint())?, stored(&C::Checkpoint::default())?);
    if cold_text != default {
        return Err(LawBroken::NotCold { kind, cold: cold_text, default });
    }
    let checkpoint = live.to_checkpoint();
    cold.restore_checkpoint(&checkpoint);
    let (saved, again) = (stored(&checkpoint)?, stored(&cold.to_checkpoint())?);
    if saved != again {
        return Err(LawBroken::NotIdentical { kind, saved, again });
    }
    Ok(())
}

fn stored<T: Stored>(value: &T) -> Result<String, EncodeError> {
    let section = EncodedSection::encode("component", value)?;
    Ok(String::from_utf8_lossy(&section.bytes).into_owned())
}
