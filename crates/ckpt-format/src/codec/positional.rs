//! The codec bincode, and the only file that names its crate: fixed-width little-endian integers, 64-bit lengths, 32-bit
//! variant numbers, no names; its bytes are pinned by the tests, so that another implementation can take over.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Codec, DecodeError, EncodeError};
use crate::path::Failure;
use crate::traced::{self, Notes};

pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let failure = Failure::default();
    let written = bincode::serde::encode_to_vec(traced::writing::<false, T>(value, &failure), BINCODE);
    written.map_err(|error| EncodeError::Refused {
        codec: Codec::Bincode,
        path: failure.into_path(),
        reason: words_of_encode(error),
    })
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
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

/// The sum of all lengths may not exceed what memory can hold. A single one can't exceed the bytes that are
/// there: strings and bytes are borrowed from them, sequences grow as their elements are read.
const BINCODE_LENGTHS_MAX: usize = isize::MAX.unsigned_abs();

/// Little-endian, fixed-width integers.
const BINCODE: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Fixint,
    bincode::config::Limit<BINCODE_LENGTHS_MAX>,
> = bincode::config::legacy().with_limit::<BINCODE_LENGTHS_MAX>();

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
    use std::fmt;

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
