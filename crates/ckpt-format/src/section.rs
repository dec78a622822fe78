//! One section before it enters a container, or after it left one: its name, its type, its bytes.

use crate::codec::{Codec, EncodeError};
use crate::schema::{self, Stored};

/// A section's bytes with what is needed to decode them.
///
/// ```
/// use ckpt_format::{Codec, EncodedSection};
///
/// let weights = EncodedSection {
///     name: "weights".to_owned(),
///     kind: String::new(),
///     version: 0,
///     codec: Codec::Raw,
///     bytes: vec![0; 64],
/// };
/// assert_eq!(weights.bytes.len(), 64);
/// ```
///
/// Typed values: [`encode`](Self::encode) and [`load`](Self::load).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedSection {
    /// Its name in the checkpoint.
    pub name: String,
    /// Kind of the value; empty if it has none.
    pub kind: String,
    /// Schema version of the value, from 1; 0 if it has none.
    pub version: u32,
    /// How the bytes stand for the value.
    pub codec: Codec,
    /// The value.
    pub bytes: Vec<u8>,
}

impl EncodedSection {
    /// Encodes a value with its type's codec, as the section `name`. The first one of its kind and version in this
    /// process is read back and compared.
    ///
    /// # Errors
    /// [`EncodeError`] if the codec can't carry the value; it names the path.
    pub fn encode<T: Stored>(name: &str, value: &T) -> Result<Self, EncodeError> {
        Self::encode_as(name, T::CODEC, value)
    }

    /// The same with another codec than the type's own. Loading goes by what the section says.
    ///
    /// # Errors
    /// [`EncodeError`] if the codec can't carry the value; it names the path.
    pub fn encode_as<T: Stored>(name: &str, codec: Codec, value: &T) -> Result<Self, EncodeError> {
        const { schema::check_chain::<T>() };
        let bytes = codec.encode_checked(T::KIND, T::VERSION, value)?;
        Ok(Self { name: name.to_owned(), kind: T::KIND.to_owned(), version: T::VERSION, codec, bytes })
    }
}
