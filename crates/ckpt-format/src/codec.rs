//! How a section's bytes stand for a value.
//!
//! - `json` carries state that evolves: names, defaults, the report of fields ([`crate::json`])
//! - `bincode` carries large dense state: positional, no names. It is there with the feature `bincode` (on by default);
//!   a program without it still names it, and refuses to encode or decode it
//! - `raw` carries bytes as they are, so no value passes through here

mod faithful;
#[cfg(feature = "bincode")]
mod positional;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::json::{self, FieldReport, JsonError};

/// How a section's bytes stand for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Codec {
    /// Bytes as they are: tensors, files.
    Raw = 0,
    /// JSON text in which every value comes back bit for bit.
    Json = 1,
    /// Positional binary, fixed-width little-endian.
    Bincode = 2,
    /// JSON text of the user's own, stored byte for byte: a `~` in it means a `~`.
    JsonText = 3,
}

impl Codec {
    /// The number that stands for it in a file.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The codec of a number; `None` if this program does not know it.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Raw),
            1 => Some(Self::Json),
            2 => Some(Self::Bincode),
            3 => Some(Self::JsonText),
            _ => None,
        }
    }

    /// Its name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Json => "json",
            Self::Bincode => "bincode",
            Self::JsonText => "json_text",
        }
    }

    /// Whether the bytes are JSON text, ours or the user's own.
    pub const fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::JsonText)
    }

    /// Whether this program can encode and decode it: all can be, but for bincode without the feature `bincode`.
    pub const fn is_available(self) -> bool {
        !matches!(self, Self::Bincode) || cfg!(feature = "bincode")
    }

    /// Encodes a value.
    ///
    /// ```
    /// use ckpt_format::Codec;
    ///
    /// let bytes = Codec::Json.encode(&(1u8, "~b"))?;
    /// assert_eq!(bytes, br#"[1,"~~b"]"#);
    /// let (value, _) = Codec::Json.decode::<(u8, String)>(&bytes)?;
    /// assert_eq!(value, (1, "~b".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`EncodeError::Refused`] names the part of the value that the codec can't carry; [`EncodeError::NotBytes`]
    /// for [`Codec::Raw`] and [`Codec::JsonText`], whose bytes are the user's own; [`EncodeError::NotBuiltIn`] if it
    /// is not [available](Self::is_available).
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Raw | Self::JsonText => Err(EncodeError::NotBytes),
            Self::Json => json::to_vec(value).map_err(|error| EncodeError::Refused {
                codec: self,
                path: error.path,
                reason: error.reason,
            }),
            #[cfg(feature = "bincode")]
            Self::Bincode => positional::encode(value),
            #[cfg(not(feature = "bincode"))]
            Self::Bincode => Err(EncodeError::NotBuiltIn { codec: self }),
        }
    }

    /// Decodes a value, with the fields that were absent and those that are unknown (never any with bincode).
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are not this type's, all of them; [`DecodeError::NotBuiltIn`], which says nothing of the
    /// bytes, if the codec is not [available](Self::is_available).
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<(T, FieldReport), DecodeError> {
        match self {
            Self::Raw => Err(DecodeError::NotBytes),
            Self::Json => json::from_slice(bytes).map_err(DecodeError::Json),
            Self::JsonText => {
                let value = json::from_text(bytes).map_err(DecodeError::Json)?;
                Ok((value, FieldReport::default()))
            }
            #[cfg(feature = "bincode")]
            Self::Bincode => Ok((positional::decode(bytes)?, FieldReport::default())),
            #[cfg(not(feature = "bincode"))]
            Self::Bincode => Err(DecodeError::NotBuiltIn { codec: self }),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Codec {
    type Err = UnknownCodec;

    fn from_str(name: &str) -> Result<Self, UnknownCodec> {
        let known = [Self::Raw, Self::Json, Self::Bincode, Self::JsonText]
            .into_iter()
            .find(|codec| codec.name() == name);
        known.ok_or_else(|| UnknownCodec(name.to_owned()))
    }
}

/// A name that is no codec's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown codec {0:?}: it is raw, json, json_text or bincode")]
pub struct UnknownCodec(pub String);

/// Why a value was not encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A part of the value that the codec can't carry, or whose `Serialize` failed.
    #[error("`{path}` can't be saved as {codec}: {reason}")]
    Refused {
        /// The codec that was asked for.
        codec: Codec,
        /// Where in the value: `quotes[3].sigma`; `$` for the value itself.
        path: String,
        /// What can't be carried, and the way out.
        reason: String,
    },
    /// The first value of its kind and version did not survive being read back.
    #[error("{kind} v{version} does not survive {codec}: {reason}; nothing was saved")]
    NotFaithful {
        /// Kind of the value.
        kind: String,
        /// Schema version of the value.
        version: u32,
        /// The codec that was asked for.
        codec: Codec,
        /// What went wrong, and the way out.
        reason: String,
    },
    /// A typed value for the codec that has none.
    #[error("the codec raw carries bytes, not values: save the bytes as they are, or choose json or bincode")]
    NotBytes,
    /// This program can't use the codec: nothing is wrong with the value.
    #[error(
        "this program was built without the codec {codec}: save as json, or build ckpt-format with its feature {codec}"
    )]
    NotBuiltIn {
        /// The codec that was asked for.
        codec: Codec,
    },
}

/// Why bytes were not decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not JSON, or not of this type.
    #[error("json: {0}")]
    Json(JsonError),
    /// Not the bincode form of this type.
    #[error("bincode: `{path}`: {reason}")]
    Bincode {
        /// Where in the value: `quotes[3].sigma`; `$` for the value itself.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A whole value, and then more: it was written from another type.
    #[error("bincode: {left} bytes are left after the value: they were written from another type")]
    TrailingBytes {
        /// How many.
        left: usize,
    },
    /// A typed value from the codec that has none.
    #[error("the codec raw carries bytes, not values: read the bytes as they are")]
    NotBytes,
    /// This program can't use the codec: the bytes may well be good, and another program reads them.
    #[error("this program was built without the codec {codec}: build ckpt-format with its feature {codec}")]
    NotBuiltIn {
        /// The codec of the bytes.
        codec: Codec,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_takes_no_values_and_names_are_the_codecs() {
        assert_eq!(Codec::Raw.encode(&1), Err(EncodeError::NotBytes));
        assert_eq!(Codec::Raw.decode::<u8>(&[1]), Err(DecodeError::NotBytes));
        for codec in [Codec::Raw, Codec::Json, Codec::Bincode, Codec::JsonText] {
            assert_eq!(Codec::from_code(codec.code()), Some(codec));
            assert_eq!(codec.to_string().parse(), Ok(codec));
        }
        assert_eq!(Codec::from_code(4), None);
        assert_eq!("JSON".parse::<Codec>(), Err(UnknownCodec("JSON".to_owned())));
    }

    /// A program without it says so, instead of calling good bytes bad.
    #[test]
    fn a_codec_that_was_not_built_in_is_named_and_is_no_damage() {
        let (written, read) = (Codec::Bincode.encode(&7u8), Codec::Bincode.decode::<u8>(&[7]));
        if Codec::Bincode.is_available() {
            assert_eq!((written, read.map(|(value, _)| value)), (Ok(vec![7]), Ok(7)));
            return;
        }
        let (written, read) = (written.unwrap_err(), read.unwrap_err());
        assert_eq!(written, EncodeError::NotBuiltIn { codec: Codec::Bincode });
        assert_eq!(read, DecodeError::NotBuiltIn { codec: Codec::Bincode });
        for text in [written.to_string(), read.to_string()] {
            assert!(text.starts_with("this program was built without the codec bincode"), "{text}");
        }
        // It keeps its name and number: a listing still says what a file holds.
        assert_eq!(Codec::from_code(2).map(Codec::name), Some("bincode"));
    }
}
