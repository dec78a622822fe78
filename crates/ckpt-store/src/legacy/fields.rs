//! The values of a JSON text as another system wrote it: `NaN` and `Infinity` are read, what is long is passed over.

use std::collections::BTreeMap;
use std::fmt;

use ckpt_format::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Names that are kept of one object: no origin writes a tenth of it, and a hostile file could hold millions.
const NAMES_MAX: usize = 4_096;

/// How deep objects are looked into: the state in the answer of a server stands that deep.
const DEPTH_MAX: usize = 3;

/// An object of a JSON text, without its arrays: they are state, not what is said about it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Fields {
    scalars: BTreeMap<String, Value>,
    objects: BTreeMap<String, Fields>,
}

impl Fields {
    /// Reads an object. Python writes numbers that JSON has not as bare `NaN`, `Infinity` and `-Infinity`; they are read,
    /// too.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let quoted = quote_non_finite(text);
        let mut deserializer = serde_json::Deserializer::from_slice(&quoted);
        let read = Within(DEPTH_MAX).deserialize(&mut deserializer);
        match read.and_then(|found| deserializer.end().map(|()| found)) {
            Ok(Found::Object(fields)) => Ok(fields),
            Ok(_) => Err("it holds no JSON object".to_owned()),
            Err(error) => Err(format!("it is not JSON: {error}")),
        }
    }

    /// The object of that name within this one.
    pub(super) fn object(&self, name: &str) -> Option<&Fields> {
        self.objects.get(name)
    }

    /// A value that is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.scalars.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A number, finite or not.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => NON_FINITE.iter().find(|(word, _)| word == text).map(|(_, value)| *value),
            _ => None,
        }
    }

    /// A whole number that is not negative, also one that is written `25000.0`.
    pub(super) fn whole(&self, name: &str) -> Option<u64> {
        const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
        let value = self.get(name)?;
        value.as_u64().or_else(|| {
            let number = value.as_f64()?;
            (number.fract() == 0.0 && (0.0..=EXACT_MAX).contains(&number)).then_some(number as u64)
        })
    }

    /// A whole number with sign.
    pub(super) fn signed(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64().or_else(|| self.whole(name).and_then(|number| number.try_into().ok()))
    }

    /// A moment whose time zone is stated.
    pub(super) fn moment(&self, name: &str) -> Option<Timestamp> {
        self.text(name)?.parse().ok()
    }

    /// Every value, by name.
    pub(super) fn scalars(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.scalars.iter()
    }
}

/// What JSON has no number for, as Python writes it.
const NON_FINITE: [(&str, f64); 3] =
    [("-Infinity", f64::NEG_INFINITY), ("Infinity", f64::INFINITY), ("NaN", f64::NAN)];

/// The text with those words as strings; what stands in strings stays.
fn quote_non_finite(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some((byte, after)) = rest.split_first() {
        if !in_string
            && let Some((word, _)) = NON_FINITE.iter().find(|(word, _)| rest.starts_with(word.as_bytes()))
        {
            quoted.push(b'"');
            quoted.extend_from_slice(word.as_bytes());
            quoted.push(b'"');
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        quoted.push(*byte);
        rest = after;
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                if let Some((escaped, after)) = rest.split_first() {
                    quoted.push(*escaped);
                    rest = after;
                }
            }
            _ => {}
        }
    }
    quoted
}

/// What a value is, as far as it is kept.
enum Found {
    Scalar(Value),
    Object(Fields),
    Long,
}

/// Reads a value, and objects that many levels deep.
#[derive(Clone, Copy)]
struct Within(usize);

impl<'de> DeserializeSeed<'de> for Within {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Found, E> {
        Ok(Found::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Found, E> {
        Ok(Found::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Found, E> {
        Ok(Found::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Found, E> {
        Ok(Found::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Found, E> {
        Ok(Found::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Found, E> {
        Ok(Found::Scalar(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Found, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found::Long)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Found, A::Error> {
        let mut fields = Fields::default();
        let Some(depth) = self.0.checked_sub(1) else {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Found::Long);
        };
        while let Some(name) = entries.next_key::<String>()? {
            if fields.scalars.len().saturating_add(fields.objects.len()) >= NAMES_MAX {
                entries.next_value::<IgnoredAny>()?;
                continue;
            }
            match entries.next_value_seed(Self(depth))? {
                Found::Scalar(value) => drop(fields.scalars.insert(name, value)),
                Found::Object(object) => drop(fields.objects.insert(name, object)),
                Found::Long => {}
            }
        }
        Ok(Found::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    #[test]
    fn numbers_that_json_has_not_are_read_as_python_writes_them() {
        let fields = fields(r#"{"a": NaN, "b": Infinity, "c": -Infinity, "d": -1.5, "e": null, "f": "x"}"#);
        assert!(fields.number("a").is_some_and(f64::is_nan));
        assert_eq!((fields.number("b"), fields.number("c")), (Some(f64::INFINITY), Some(f64::NEG_INFINITY)));
        assert_eq!((fields.number("d"), fields.number("e"), fields.number("f")), (Some(-1.5), None, None));
    }

    #[test]
    fn words_in_strings_stay_as_they_are() {
        let fields = fields(r#"{"a": "NaN, \"Infinity\" \\", "NaN": 1, "b": [NaN, "\\"]}"#);
        assert_eq!(fields.text("a"), Some(r#"NaN, "Infinity" \"#));
        assert_eq!(fields.number("NaN"), Some(1.0));
    }

    #[test]
    fn whole_numbers_are_whole_and_not_negative() {
        let fields = fields(r#"{"a": 25000, "b": 25000.0, "c": -1, "d": 0.5, "e": 1e300, "f": true}"#);
        let whole = ["a", "b", "c", "d", "e", "f"].map(|name| fields.whole(name));
        assert_eq!(whole, [Some(25_000), Some(25_000), None, None, None, None]);
        assert_eq!((fields.signed("c"), fields.signed("b")), (Some(-1), Some(25_000)));
    }

    #[test]
    fn objects_are_looked_into_as_deep_as_any_origin_has_them() {
        let fields = fields(r#"{"data": {"state": {"epoch": 3, "x": {"y": 1}}, "list": [{"z": 1}]}}"#);
        let data = fields.object("data").expect("an object");
        assert_eq!(data.object("state").and_then(|state| state.whole("epoch")), Some(3));
        assert!(data.object("state").is_some_and(|state| state.object("x").is_none()));
    }

    #[test]
    fn what_is_no_object_is_refused_with_the_reason() {
        for (text, part) in [("[1]", "no JSON object"), ("{\"a\": 1", "not JSON: EOF"), ("{} x", "trailing")]
        {
            let error = Fields::read(text.as_bytes()).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_text_of_very_many_names_takes_no_more_room_than_a_thousand() {
        let names: Vec<String> = (0..50_000).map(|number| format!("\"n{number}\": 0")).collect();
        let fields = fields(&format!("{{{}}}", names.join(",")));
        assert_eq!(fields.scalars().count(), NAMES_MAX);
    }
}
