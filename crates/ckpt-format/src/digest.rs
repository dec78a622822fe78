//! The hash of the format: BLAKE3, 32 bytes, shown as 64 lower-case hex digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A BLAKE3 digest.
///
/// ```
/// use ckpt_format::Digest;
///
/// let digest = Digest::of(b"");
/// assert_eq!(digest.to_string(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
/// assert_eq!(digest.to_string().parse::<Digest>()?, digest);
/// # Ok::<(), ckpt_format::ParseDigestError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; Digest::LENGTH]);

/// Text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a digest: expected 64 hexadecimal digits")]
pub struct ParseDigestError {
    text: String,
}

impl Digest {
    /// Bytes of a digest.
    pub const LENGTH: usize = 32;

    /// Digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).into())
    }

    /// A digest that was read from somewhere.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The first 16 bytes: the short checks of the header.
    pub(crate) fn short(&self) -> [u8; 16] {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0[..16]);
        short
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All digits at once: a listing shows a hundred thousand of them.
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        blake3::Hash::from_hex(text)
            .map(|hash| Self(hash.into()))
            .map_err(|_| ParseDigestError { text: text.chars().take(80).collect() })
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Digest of a section: its raw length, then the digests of its raw blocks in order.
///
/// So the digests of uncompressed blocks serve twice and nothing is hashed again.
#[derive(Debug, Clone)]
pub struct SectionDigest {
    blocks: Vec<u8>,
    raw_length: u64,
}

impl SectionDigest {
    /// A section without blocks.
    pub fn new() -> Self {
        Self { blocks: Vec::new(), raw_length: 0 }
    }

    /// Adds the next block: the digest of its raw bytes, and how many they are.
    pub fn push(&mut self, raw_digest: &Digest, raw_length: u32) {
        self.blocks.extend_from_slice(raw_digest.as_bytes());
        self.raw_length = self.raw_length.saturating_add(u64::from(raw_length));
    }

    /// The section's digest.
    pub fn finish(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.raw_length.to_le_bytes());
        hasher.update(&self.blocks);
        Digest(hasher.finalize().into())
    }
}

impl Default for SectionDigest {
    fn default() -> Self {
        Self::new()
    }
}
