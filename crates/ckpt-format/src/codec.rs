//! How a section's bytes stand for a value, and the only file that names the bincode crate.
//!
//! - `json` carries state that evolves: names, defaults, the report of fields ([`crate::json`])
//! - `bincode` carries large dense state: fixed-width little-endian integers, 64-bit lengths, 32-bit variant
//!   numbers, no names; its bytes are pinned by the tests, so that another implementation can take over
//! - `raw` carries bytes as they are, so no value passes through here

mod faithful;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::json::{self, FieldReport, JsonError};
use crate::path::Failure;
use crate::traced::{self, Notes};

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

    /// Encodes a value.
    ///
    /// ```
    /// use ckpt_format::Codec;
    ///
    /// let bytes = Codec::Bincode.encode(&(1u8, "ab"))?;
    /// assert_eq!(bytes, [1, 2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b']);
    /// let (value, _) = Codec::Bincode.decode::<(u8, String)>(&bytes)?;
    /// assert_eq!(value, (1, "ab".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`EncodeError::Refused`] names the part of the value that the codec can't carry; [`EncodeError::NotBytes`]
    /// for [`Codec::Raw`] and [`Codec::JsonText`], whose bytes are the user's own.
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, EncodeError> {
        let refused = |path, reason| EncodeError::Refused { codec: self, path, reason };
        match self {
            Self::Raw | Self::JsonText => Err(EncodeError::NotBytes),
            Self::Json => json::to_vec(value).map_err(|error| refused(error.path, error.reason)),
            Self::Bincode => {
                let failure = Failure::default();
                let written =
                    bincode::serde::encode_to_vec(traced::writing::<false, T>(value, &failure), BINCODE);
                written.map_err(|error| refused(failure.into_path(), words_of_encode(error)))
            }
        }
    }

    /// Decodes a value, with the fields that were absent and those that are unknown (never any with bincode).
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are not this type's, all of them.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<(T, FieldReport), DecodeError> {
        match self {
            Self::Raw => Err(DecodeError::NotBytes),
            Self::Json => json::from_slice(bytes).map_err(DecodeError::Json),
            Self::JsonText => {
                let value = json::from_text(bytes).map_err(DecodeError::Json)?;
                Ok((value, FieldReport::default()))
            }
            Self::Bincode => Ok((decode_bincode(bytes)?, FieldReport::default())),
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
}

/// The sum of all lengths may not exceed what memory can hold. A single one can't exceed the bytes that are
/// there: strings and bytes are borrowed from them, sequences grow as their elements are read.
const BINCODE_LENGTHS_MAX: usize = isize::MAX.unsigned_abs();

/// Little-endian, fixed-width integers.
const BINCODE: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Fixint,
    bincode::config::Limit<BINCODE_LENGTHS_MAX>,
> = bincode::config::legacy().with_limit::<BINCODE_LENGTHS_MAX>();

fn decode_bincode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let notes = Notes::default();
    let read = bincode::serde::seed_decode_from_slice(traced::reading::<false, T>(&notes), bytes, BINCODE);
    match read {
        Ok((value, consumed)) if consumed == bytes.len() => Ok(value),
        Ok((_, consumed)) => Err(DecodeError::TrailingBytes { left: bytes.len().saturating_sub(consumed) }),
        Err(error) => {
            Err(DecodeError::Bincode { path: notes.failure.into_path(), reason: words_of_decode(error) })
        }
    }
}

fn words_of_encode(error: bincode::error::EncodeError) -> String {
    match error {
        bincode::error::EncodeError::OtherString(text) => text,
        bincode::error::EncodeError::Other(text) => text.to_owned(),
        other => format!("{other:?}"),
    }
}

fn words_of_decode(error: bincode::error::DecodeError) -> String {
    use bincode::error::DecodeError as E;
    match error {
        E::OtherString(text) => text,
        E::Other(text) => text.to_owned(),
        E::UnexpectedEnd { additional } => format!("the bytes end {additional} or more too early"),
        E::LimitExceeded => "a length is larger than any memory".to_owned(),
        E::Utf8 { inner } => format!("a string is not UTF-8: {inner}"),
        E::InvalidBooleanValue(found) => format!("a boolean is {found}, not 0 or 1"),
        E::UnexpectedVariant { type_name, found, .. } => format!("{type_name} has no variant {found}"),
        // Serde's own errors: most often a type that asks what comes next.
        E::Serde(bincode::serde::DecodeError::AnyNotSupported) => {
            "the type asks the bytes what they are (serde's `untagged`, `tag` or `flatten`, a JSON value), which only \
             json can answer"
                .to_owned()
        }
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn bytes_of<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
        Codec::Bincode.encode(value).unwrap()
    }

    fn back<T: DeserializeOwned>(bytes: &[u8]) -> T {
        Codec::Bincode.decode(bytes).unwrap_or_else(|error| panic!("{}: {error}", hex(bytes))).0
    }

    fn refusal<T: Serialize + ?Sized>(value: &T) -> (String, String) {
        match Codec::Bincode.encode(value) {
            Err(EncodeError::Refused { codec: Codec::Bincode, path, reason }) => (path, reason),
            other => panic!("{other:?}"),
        }
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Unit,
        Newtype(u16),
        Tuple(u8, i16),
        Struct { a: bool, b: char },
    }

    /// The bytes of the codec, for ever: whatever implements it must write and read exactly these.
    #[test]
    fn the_golden_bytes_hold() {
        fn golden<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(value: T, expected: &str) {
            assert_eq!(hex(&bytes_of(&value)), expected, "{value:?}");
            assert_eq!(back::<T>(&bytes_of(&value)), value);
        }
        golden(vec![1u16, 2, 65535], "030000000000000001000200ffff");
        golden(Vec::<u8>::new(), "0000000000000000");
        golden(
            BTreeMap::from([(1u8, "a".to_owned()), (2, String::new())]),
            "02000000000000000101000000000000006102\
            0000000000000000",
        );
        golden(HashMap::from([(-1i32, true)]), "0100000000000000ffffffff01");
        golden(Shape::Unit, "00000000");
        golden(Shape::Newtype(0x1234), "010000003412");
        golden(Shape::Tuple(7, -2), "0200000007feff");
        golden(Shape::Struct { a: true, b: 'z' }, "03000000017a");
        golden(None::<u32>, "00");
        golden(Some(5u32), "0105000000");
        golden(Some(None::<u8>), "0100");
        golden(Some(Some(())), "0101");
        golden((1u8, 2u16, 3u32, 4u64), "010200030000000400000000000000");
        golden([1i8, -1], "01ff");
        golden('a', "61");
        golden('é', "c3a9");
        golden('🦀', "f09fa680");
        golden("crab é".to_owned(), "070000000000000063726162 20c3a9".replace(' ', "").as_str());
        golden(f64::INFINITY, "000000000000f07f");
        golden(f64::NEG_INFINITY, "000000000000f0ff");
        golden(f32::INFINITY, "0000807f");
        golden(0.1f64, "9a9999999999b93f");
        golden(i64::MIN, "0000000000000080");
        golden(u128::MAX - 1, "feffffffffffffffffffffffffffffff");
        golden((), "");
        assert_eq!(hex(&bytes_of(&f64::from_bits(0x7ff8_dead_beef_0001))), "0100efbeaddef87f");
    }

    #[test]
    fn what_bincode_cant_carry_is_refused_with_its_path() {
        #[derive(Serialize)]
        struct Gap {
            #[serde(skip_serializing_if = "Option::is_none")]
            gap: Option<u8>,
        }
        #[derive(Serialize)]
        struct Flat {
            #[serde(flatten)]
            gap: BTreeMap<String, u8>,
        }
        #[derive(Serialize)]
        enum Variant {
            Struct {
                #[serde(skip_serializing_if = "Option::is_none")]
                gap: Option<u8>,
            },
        }
        struct Stream;
        impl Serialize for Stream {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq((0..10).filter(|n| n % 3 == 0))
            }
        }
        let map = |value| BTreeMap::from([("HYPE", vec![value])]);
        let cases = [
            (refusal(&map(Gap { gap: None })), "[\"HYPE\"][0].gap", "skipped field"),
            (refusal(&vec![Flat { gap: BTreeMap::new() }]), "[0]", "a map of unknown length"),
            (refusal(&(1, Variant::Struct { gap: None })), "[1].Struct.gap", "skipped field"),
            (refusal(&Some(Stream)), "$", "a sequence of unknown length"),
        ];
        for ((path, reason), expected_path, expected_reason) in cases {
            assert_eq!(path, expected_path);
            assert!(reason.contains(expected_reason), "{reason}");
        }
        assert_eq!(hex(&bytes_of(&Gap { gap: Some(3) })), "0103");
    }

    #[test]
    fn bytes_of_another_length_are_refused() {
        let bytes = bytes_of(&vec![1.5f64, 2.5]);
        let longer = [&bytes[..], &[0, 0]].concat();
        assert_eq!(Codec::Bincode.decode::<Vec<f64>>(&longer), Err(DecodeError::TrailingBytes { left: 2 }));
        for cut in 0..bytes.len() {
            assert!(Codec::Bincode.decode::<Vec<f64>>(&bytes[..cut]).is_err(), "{cut}");
        }
    }

    /// A length that no bytes back reserves nothing: neither a string's, nor a sequence's, nor a map's.
    #[test]
    fn a_length_without_bytes_behind_it_reserves_nothing() {
        for length in [1u64 << 34, 1 << 40, 1 << 62, u64::MAX] {
            let bytes = length.to_le_bytes();
            assert!(Codec::Bincode.decode::<String>(&bytes).is_err());
            assert!(Codec::Bincode.decode::<Vec<String>>(&bytes).is_err());
            assert!(Codec::Bincode.decode::<Box<[f64]>>(&bytes).is_err());
            assert!(Codec::Bincode.decode::<HashMap<u64, u64>>(&bytes).is_err());
            assert!(Codec::Bincode.decode::<std::path::PathBuf>(&bytes).is_err());
            assert!(Codec::Bincode.decode::<std::ffi::CString>(&bytes).is_err());
        }
    }

    #[test]
    fn an_error_names_its_place() {
        #[derive(Debug, Serialize, Deserialize)]
        struct Outer {
            list: Vec<(u8, Shape)>,
        }
        let mut bytes =
            bytes_of(&Outer { list: vec![(1, Shape::Unit), (2, Shape::Struct { a: true, b: 'x' })] });
        bytes[18] = 2;
        let error = Codec::Bincode.decode::<Outer>(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "bincode: `list[1][1].a`: a boolean is 2, not 0 or 1");
    }

    #[test]
    fn nesting_is_bounded_in_both_directions() {
        #[derive(Serialize, Deserialize)]
        struct Chain(Option<Box<Chain>>);
        let chain = |depth| (0..depth).fold(Chain(None), |inner, _| Chain(Some(Box::new(inner))));
        back::<Chain>(&bytes_of(&chain(63)));
        assert!(refusal(&chain(64)).1.contains("nested deeper"));
        let bytes = [1; 100_000];
        let error = Codec::Bincode.decode::<Chain>(&bytes).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("nested deeper"), "{error}");
    }

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

    proptest! {
        #[test]
        fn floats_come_back_bit_for_bit(doubles: Vec<u64>, singles: Vec<u32>) {
            let value = (
                doubles.iter().copied().map(f64::from_bits).collect::<Vec<_>>(),
                singles.iter().copied().map(f32::from_bits).collect::<Vec<_>>(),
            );
            let (d, s) = back::<(Vec<f64>, Vec<f32>)>(&bytes_of(&value));
            prop_assert!(d.iter().map(|value| value.to_bits()).eq(doubles));
            prop_assert!(s.iter().map(|value| value.to_bits()).eq(singles));
        }

        #[test]
        fn strings_keep_their_marks(text in "~{0,3}.*") {
            prop_assert_eq!(back::<String>(&bytes_of(&text)), text);
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>) {
            let _ = Codec::Bincode.decode::<(Vec<Shape>, HashMap<String, Option<f64>>)>(&bytes);
            let _ = Codec::Bincode.decode::<BTreeMap<char, Vec<bool>>>(&bytes);
        }
    }
}
