//! Map keys: whatever has one text form is written as a JSON string and read back from it; the rest is refused.
//!
//! Strings and characters are escaped like every other string, numbers and booleans are their text, a unit
//! variant is its name, a float that is not finite its escape.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, Unexpected, Visitor};
use serde::ser::{Error as _, Impossible, Serialize, Serializer};

use super::escape::{self, Float, Meaning};

/// Serializes a key as the string that stands for it.
pub(crate) struct Key<'a, K: ?Sized>(pub(crate) &'a K);

impl<K: Serialize + ?Sized> Serialize for Key<'_, K> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(KeyWriter(inner))
    }
}

struct KeyWriter<S>(S);

impl<S: Serializer> KeyWriter<S> {
    fn float(self, float: Float) -> Result<S::Ok, S::Error> {
        if float.is_finite() { float.write(self.0) } else { self.0.serialize_str(&float.escaped()) }
    }

    fn refuse<T>(self, what: &str) -> Result<T, S::Error> {
        Err(S::Error::custom(format_args!(
            "a map key that is {what} can't be carried by JSON: use a list of pairs, or the codec bincode"
        )))
    }
}

macro_rules! pass {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.0.$method(value)
        })*
    };
}

impl<S: Serializer> Serializer for KeyWriter<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = Impossible<S::Ok, S::Error>;
    type SerializeStruct = Impossible<S::Ok, S::Error>;
    type SerializeStructVariant = Impossible<S::Ok, S::Error>;

    pass! {
        serialize_bool: bool,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.float(Float::F32(value))
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.float(Float::F64(value))
    }

    fn serialize_char(self, value: char) -> Result<S::Ok, S::Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<S::Ok, S::Error> {
        self.0.serialize_str(&escape::escape(value))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<S::Ok, S::Error> {
        self.refuse("bytes")
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.refuse("an `Option`")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<S::Ok, S::Error> {
        self.refuse("an `Option`")
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.refuse("a unit")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<S::Ok, S::Error> {
        self.refuse("a unit")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<S::Ok, S::Error> {
        self.refuse("a variant with data")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.refuse("a sequence")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.refuse("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.refuse("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.refuse("a variant with data")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.refuse("a map")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.refuse("a struct")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.refuse("a variant with data")
    }
}

/// Takes the raw text of a key or of a variant's name, borrowed where the text has no escapes of JSON's own.
pub(crate) struct RawKey;

impl<'de> DeserializeSeed<'de> for RawKey {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for RawKey {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string key")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }
}

/// Deserializes a key from its raw text.
pub(crate) struct KeyReader<'de, E> {
    text: Cow<'de, str>,
    error: PhantomData<E>,
}

impl<'de, E: de::Error> KeyReader<'de, E> {
    pub(crate) fn new(text: Cow<'de, str>) -> Self {
        Self { text, error: PhantomData }
    }

    /// A number's text; refuses what `parse` accepts beyond JSON's numbers.
    fn number<T: std::str::FromStr>(&self, expected: &dyn de::Expected) -> Result<T, E> {
        let starts_well = self.text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let parsed = if starts_well { self.text.parse().ok() } else { None };
        parsed.ok_or_else(|| self.unexpected(expected))
    }

    fn unexpected(&self, expected: &dyn de::Expected) -> E {
        E::invalid_type(Unexpected::Str(&self.text), expected)
    }

    fn float(&self) -> Option<Float> {
        match escape::meaning(&self.text) {
            Some(Meaning::Float(float)) => Some(float),
            _ => None,
        }
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
            let number = self.number(&visitor)?;
            visitor.$visit(number)
        })*
    };
}

impl<'de, E: de::Error> Deserializer<'de> for KeyReader<'de, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match &self.text {
            Cow::Borrowed(text) => escape::visit_borrowed(text, visitor),
            Cow::Owned(text) => escape::visit(text, visitor),
        }
    }

    integers! {
        deserialize_i8 visit_i8, deserialize_i16 visit_i16, deserialize_i32 visit_i32, deserialize_i64 visit_i64,
        deserialize_i128 visit_i128, deserialize_u8 visit_u8, deserialize_u16 visit_u16,
        deserialize_u32 visit_u32, deserialize_u64 visit_u64, deserialize_u128 visit_u128,
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.float() {
            Some(_) => self.deserialize_any(visitor),
            None => match self.number::<f32>(&visitor)? {
                value if value.is_finite() => visitor.visit_f32(value),
                _ => Err(self.unexpected(&visitor)),
            },
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.float() {
            Some(_) => self.deserialize_any(visitor),
            None => match self.number::<f64>(&visitor)? {
                value if value.is_finite() => visitor.visit_f64(value),
                _ => Err(self.unexpected(&visitor)),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match &*self.text {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, E> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, E> {
        match escape::meaning(&self.text) {
            Some(Meaning::Text(text)) => visitor.visit_enum(de::value::StrDeserializer::new(text)),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}
