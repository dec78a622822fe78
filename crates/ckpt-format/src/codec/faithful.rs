//! The first save of each kind, version and codec in a process reads back what it wrote, in release builds too.
//!
//! Some types encode without complaint and fail only when they are read, when the original is gone: untagged
//! enums in bincode, `skip_serializing`, a hand-written pair of impls that disagree. So the first value is
//! decoded, encoded again and compared. Equal bytes are proof. Different bytes are not yet a fault: a
//! `HashMap` or `HashSet` that was read back iterates in another order, whose permutations can't be told from a
//! swap. Different bytes pass if they hold the same content, order aside:
//!
//! - JSON: equal as JSON values, with the elements of every list sorted
//! - bincode: equally long, with each byte value equally often
//!
//! A swap of two values of equal shape, written and read by hand in different orders, therefore passes.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Codec, EncodeError};
use crate::path::Path;

/// What has come back whole in this process.
static FAITHFUL: Mutex<BTreeSet<(String, u32, Codec)>> = Mutex::new(BTreeSet::new());

impl Codec {
    /// Encodes a value; the first one of its kind, version and codec in this process is read back and compared.
    ///
    /// ```
    /// use ckpt_format::Codec;
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// #[serde(untagged)]
    /// enum Size { Lots(u32), Name(String) }
    ///
    /// assert!(Codec::Json.encode_checked("size", 1, &Size::Lots(3)).is_ok());
    /// assert!(Codec::Bincode.encode_checked("size", 1, &Size::Lots(3)).is_err());
    /// ```
    ///
    /// # Errors
    /// As [`encode`](Self::encode); [`EncodeError::NotFaithful`] if the value can't be read back or comes back as
    /// another one. Then the next value of the kind is checked again.
    pub fn encode_checked<T>(self, kind: &str, version: u32, value: &T) -> Result<Vec<u8>, EncodeError>
    where
        T: Serialize + DeserializeOwned,
    {
        let bytes = self.encode(value)?;
        let key = (kind.to_owned(), version, self);
        let known = || FAITHFUL.lock().unwrap_or_else(PoisonError::into_inner);
        if !known().contains(&key) {
            check::<T>(self, &bytes).map_err(|reason| EncodeError::NotFaithful {
                kind: kind.to_owned(),
                version,
                codec: self,
                reason,
            })?;
            known().insert(key);
        }
        Ok(bytes)
    }
}

fn check<T: Serialize + DeserializeOwned>(codec: Codec, bytes: &[u8]) -> Result<(), String> {
    let (value, _) = codec.decode::<T>(bytes).map_err(|error| format!("it can't be read back: {error}"))?;
    let again =
        codec.encode(&value).map_err(|error| format!("read back, it can't be written again: {error}"))?;
    let difference = match codec {
        _ if again == bytes => None,
        Codec::Json => json_difference(bytes, &again),
        _ => (histogram(bytes) != histogram(&again)).then(|| {
            format!(
                "it comes back as another value ({} bytes, written again {}): write and read the same fields",
                bytes.len(),
                again.len()
            )
        }),
    };
    difference.map_or(Ok(()), Err)
}

/// How often each byte value occurs.
fn histogram(bytes: &[u8]) -> Vec<usize> {
    let mut counts = vec![0; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    counts
}

fn json_difference(written: &[u8], again: &[u8]) -> Option<String> {
    let value = |text| serde_json::from_slice::<Value>(text).unwrap_or_default();
    let (written, again) = (value(written), value(again));
    (unordered(&written) != unordered(&again)).then(|| {
        let place = first_difference(&written, &again, &Path::Root);
        format!("`{place}` comes back as another value: write and read the same fields")
    })
}

/// A text that is equal for values that differ only in the order of lists and objects.
fn unordered(value: &Value) -> String {
    let mut parts: Vec<String> = match value {
        Value::Array(elements) => elements.iter().map(unordered).collect(),
        Value::Object(entries) => {
            entries.iter().map(|(key, value)| format!("{key:?}:{}", unordered(value))).collect()
        }
        plain => return plain.to_string(),
    };
    parts.sort_unstable();
    format!("{}({})", if value.is_array() { "list" } else { "object" }, parts.join(","))
}

/// The path to the innermost value that differs; objects show as structs.
fn first_difference(one: &Value, other: &Value, path: &Path<'_>) -> String {
    match (one, other) {
        (Value::Object(ones), Value::Object(others)) => {
            let keys: BTreeSet<&String> = ones.keys().chain(others.keys()).collect();
            for name in keys {
                let path = Path::Field { parent: path, name };
                match (ones.get(name), others.get(name)) {
                    (Some(one), Some(other)) if unordered(one) == unordered(other) => {}
                    (Some(one), Some(other)) => return first_difference(one, other, &path),
                    _ => return path.to_string(),
                }
            }
        }
        (Value::Array(ones), Value::Array(others)) if ones.len() == others.len() => {
            for (index, (one, other)) in ones.iter().zip(others).enumerate() {
                if unordered(one) != unordered(other) {
                    return first_difference(one, other, &Path::Index { parent: path, index });
                }
            }
        }
        _ => {}
    }
    path.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::hash::{BuildHasherDefault, DefaultHasher};

    use serde::Deserialize;

    use super::*;

    /// The codecs that carry values in this program.
    fn carriers() -> impl Iterator<Item = Codec> {
        [Codec::Json, Codec::Bincode].into_iter().filter(|codec| codec.is_available())
    }

    /// Hash maps of any hasher are legal, whatever order they come back in.
    #[test]
    fn the_order_of_a_hash_map_is_no_difference() {
        type Fixed = HashMap<u64, String, BuildHasherDefault<DefaultHasher>>;
        for round in 0..200u64 {
            let map: HashMap<String, HashSet<u64>> =
                (0..round % 7).map(|key| (key.to_string(), (0..round % 5 + key).collect())).collect();
            let mut fixed =
                Fixed::with_capacity_and_hasher(round as usize * 16, BuildHasherDefault::default());
            fixed.extend((0..20).map(|key| (key * round, format!("{key}"))));
            for codec in carriers() {
                check::<(HashMap<String, HashSet<u64>>, Fixed)>(
                    codec,
                    &codec.encode(&(&map, &fixed)).unwrap(),
                )
                .unwrap_or_else(|error| panic!("{codec}, round {round}: {error}"));
            }
        }
    }

    #[derive(Debug, Default, Clone, Serialize, Deserialize)]
    struct Quote {
        mid: f64,
        #[serde(skip_deserializing)]
        derived: u32,
    }

    #[test]
    fn what_comes_back_changed_is_refused_every_time_until_it_does_not() {
        #[derive(Serialize, Deserialize)]
        struct Book {
            quotes: Vec<Quote>,
        }
        let book = |derived| Book { quotes: vec![Quote::default(), Quote { mid: 1.0, derived }] };
        for _ in 0..2 {
            let error = Codec::Json.encode_checked("faithful-book", 3, &book(7)).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("faithful-book v3 does not survive json: `quotes[1].derived`"), "{text}");
        }
        assert!(Codec::Json.encode_checked("faithful-book", 3, &book(0)).is_ok());
        assert!(
            Codec::Json.encode_checked("faithful-book", 3, &book(7)).is_ok(),
            "only the first is checked"
        );
        assert!(Codec::Json.encode_checked("faithful-book", 4, &book(7)).is_err());
        assert!(Codec::Bincode.encode_checked("faithful-book", 3, &book(7)).is_err());
    }

    #[cfg(feature = "bincode")]
    #[test]
    fn what_bincode_can_write_but_not_read_is_refused() {
        #[derive(Serialize, Deserialize)]
        #[serde(untagged)]
        enum Untagged {
            Number(u8),
        }
        #[derive(Serialize, Deserialize)]
        #[serde(tag = "type")]
        enum Tagged {
            Number { number: u8 },
        }
        let errors = [
            Codec::Bincode.encode_checked("faithful-untagged", 1, &Untagged::Number(1)).unwrap_err(),
            Codec::Bincode.encode_checked("faithful-tagged", 1, &Tagged::Number { number: 1 }).unwrap_err(),
            Codec::Bincode.encode_checked("faithful-value", 1, &serde_json::json!([1])).unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains("it can't be read back: bincode"), "{error}");
        }
    }

    #[test]
    fn a_value_that_comes_back_changed_is_refused_in_every_codec() {
        fn next<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
            Ok(u32::deserialize(deserializer)? + 1)
        }
        #[derive(Serialize, Deserialize)]
        struct Drifting {
            #[serde(deserialize_with = "next")]
            count: u32,
        }
        for codec in carriers() {
            let error = codec.encode_checked("faithful-drifting", 1, &Drifting { count: 7 }).unwrap_err();
            assert!(matches!(error, EncodeError::NotFaithful { .. }), "{error}");
        }
    }

    #[test]
    fn a_lost_sign_or_a_lost_field_is_a_difference() {
        let difference = |one: &str, other: &str| json_difference(one.as_bytes(), other.as_bytes());
        assert!(
            difference("[1,{\"a\":0.0}]", "[1,{\"a\":-0.0}]").is_some_and(|text| text.contains("`[1].a`"))
        );
        assert!(difference("{\"a\":1,\"b\":2}", "{\"a\":1}").is_some_and(|text| text.contains("`b`")));
        assert!(difference("[1,[2,3]]", "[[3,2],1]").is_none());
        assert!(difference("[1,2]", "[1,2,2]").is_some());
    }
}
