//! The writing side: a serializer around a serializer.

use std::fmt::Display;

use serde::ser::{self, Error as _, Serialize, Serializer};

use super::DEPTH_MAX;
use crate::json::escape::{self, Float};
use crate::json::key::Key;
use crate::path::{Failure, Path, SerializedKey};

/// The value as a codec should see it; when writing fails, the innermost place is left in `failure`.
pub(crate) fn writing<'a, const TEXT: bool, T>(value: &'a T, failure: &'a Failure) -> impl Serialize + 'a
where
    T: Serialize + ?Sized,
{
    let spot = Spot { path: &Path::Root, failure, depth: 0, in_some: false };
    Traced::<T, TEXT> { value, spot }
}

/// Where the writer is.
#[derive(Clone, Copy)]
struct Spot<'a> {
    path: &'a Path<'a>,
    failure: &'a Failure,
    /// Containers that are open around this value.
    depth: u8,
    /// Directly inside a `Some`, where text has nothing left to tell `null` from.
    in_some: bool,
}

impl<'a> Spot<'a> {
    fn below<'b>(self, path: &'b Path<'b>) -> Spot<'b>
    where
        'a: 'b,
    {
        Spot { path, failure: self.failure, depth: self.depth, in_some: false }
    }

    fn deeper<E: ser::Error>(self, levels: u8) -> Result<Self, E> {
        match self.depth.checked_add(levels) {
            Some(depth) if depth <= DEPTH_MAX => Ok(Self { depth, in_some: false, ..self }),
            _ => Err(E::custom(format_args!(
                "nested deeper than {DEPTH_MAX} levels, it could not be read back"
            ))),
        }
    }
}

/// A value with the place where it stands.
struct Traced<'a, T: ?Sized, const TEXT: bool> {
    value: &'a T,
    spot: Spot<'a>,
}

impl<T: Serialize + ?Sized, const TEXT: bool> Serialize for Traced<'_, T, TEXT> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        let spot = self.spot;
        self.value.serialize(Writer::<S, TEXT> { inner, spot }).inspect_err(|_| spot.failure.at(spot.path))
    }
}

struct Writer<'a, S, const TEXT: bool> {
    inner: S,
    spot: Spot<'a>,
}

impl<'a, S: Serializer, const TEXT: bool> Writer<'a, S, TEXT> {
    fn compound<C>(
        self,
        levels: u8,
        variant: Option<&'static str>,
        open: impl FnOnce(S) -> Result<C, S::Error>,
    ) -> Result<Compound<'a, C, TEXT>, S::Error> {
        let spot = self.spot.deeper(levels)?;
        if let Some(name) = variant {
            check_name::<TEXT, S::Error>(name)?;
        }
        Ok(Compound { inner: open(self.inner)?, spot, variant, index: 0, key: None })
    }

    fn nothing(&self) -> Result<(), S::Error> {
        if TEXT && self.spot.in_some {
            return Err(S::Error::custom(
                "`Some` around nothing (`None`, `()`, null) would be read back as `None` from JSON: \
                 use an enum, or the codec bincode",
            ));
        }
        Ok(())
    }

    fn float(self, float: Float) -> Result<S::Ok, S::Error> {
        if !TEXT || float.is_finite() {
            float.write(self.inner)
        } else {
            self.inner.serialize_str(&float.escaped())
        }
    }
}

/// A name that begins with the escape character would be read back as another one.
fn check_name<const TEXT: bool, E: ser::Error>(name: &'static str) -> Result<(), E> {
    if TEXT && name.starts_with(escape::MARK) {
        return Err(E::custom(format_args!(
            "the name {name:?} begins with `~`, which JSON sections reserve: rename it"
        )));
    }
    Ok(())
}

macro_rules! pass {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })*
    };
}

impl<'a, S: Serializer, const TEXT: bool> Serializer for Writer<'a, S, TEXT> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Compound<'a, S::SerializeSeq, TEXT>;
    type SerializeTuple = Compound<'a, S::SerializeTuple, TEXT>;
    type SerializeTupleStruct = Compound<'a, S::SerializeTupleStruct, TEXT>;
    type SerializeTupleVariant = Compound<'a, S::SerializeTupleVariant, TEXT>;
    type SerializeMap = Compound<'a, S::SerializeMap, TEXT>;
    type SerializeStruct = Compound<'a, S::SerializeStruct, TEXT>;
    type SerializeStructVariant = Compound<'a, S::SerializeStructVariant, TEXT>;

    pass! {
        serialize_bool: bool,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_bytes: &[u8],
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.float(Float::F32(value))
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.float(Float::F64(value))
    }

    fn serialize_char(self, value: char) -> Result<S::Ok, S::Error> {
        if TEXT {
            self.serialize_str(value.encode_utf8(&mut [0; 4]))
        } else {
            self.inner.serialize_char(value)
        }
    }

    fn serialize_str(self, value: &str) -> Result<S::Ok, S::Error> {
        if TEXT { self.inner.serialize_str(&escape::escape(value)) } else { self.inner.serialize_str(value) }
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.serialize_str(&value.to_string())
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.nothing()?;
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let spot = self.spot.deeper(u8::from(!TEXT))?;
        self.inner.serialize_some(&Traced::<T, TEXT> { value, spot: Spot { in_some: true, ..spot } })
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.nothing()?;
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.nothing()?;
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        check_name::<TEXT, S::Error>(variant)?;
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        // Text shows the inside alone, so `Some(Newtype(None))` is `Some(None)` there.
        let spot = Spot { in_some: self.spot.in_some, ..self.spot.deeper(u8::from(!TEXT))? };
        self.inner.serialize_newtype_struct(name, &Traced::<T, TEXT> { value, spot })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        check_name::<TEXT, S::Error>(variant)?;
        let path = Path::Field { parent: self.spot.path, name: variant };
        let spot = self.spot.deeper(1)?.below(&path);
        self.inner.serialize_newtype_variant(name, index, variant, &Traced::<T, TEXT> { value, spot })
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        if !TEXT && length.is_none() {
            return Err(S::Error::custom(
                "a sequence of unknown length can't be carried by bincode: collect it first, or use the codec json",
            ));
        }
        self.compound(1, None, |inner| inner.serialize_seq(length))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.compound(1, None, |inner| inner.serialize_tuple(length))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.compound(1, None, |inner| inner.serialize_tuple_struct(name, length))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.compound(2, Some(variant), |inner| inner.serialize_tuple_variant(name, index, variant, length))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        if !TEXT && length.is_none() {
            return Err(S::Error::custom(
                "a map of unknown length (serde's `flatten` makes one) can't be carried by bincode: \
                 use named fields, or the codec json",
            ));
        }
        self.compound(1, None, |inner| inner.serialize_map(length))
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.compound(1, None, |inner| inner.serialize_struct(name, length))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.compound(2, Some(variant), |inner| inner.serialize_struct_variant(name, index, variant, length))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// What has elements, fields or entries.
struct Compound<'a, C, const TEXT: bool> {
    inner: C,
    spot: Spot<'a>,
    variant: Option<&'static str>,
    index: usize,
    /// Rendered only where key and value come in two calls.
    key: Option<String>,
}

impl<'a, C, const TEXT: bool> Compound<'a, C, TEXT> {
    fn place(&self) -> Path<'a> {
        match self.variant {
            Some(name) => Path::Field { parent: self.spot.path, name },
            None => *self.spot.path,
        }
    }

    fn element<T: ?Sized, R>(&mut self, value: &T, put: impl FnOnce(&mut C, &Traced<'_, T, TEXT>) -> R) -> R {
        let parent = self.place();
        let path = Path::Index { parent: &parent, index: self.index };
        self.index += 1;
        put(&mut self.inner, &Traced { value, spot: self.spot.below(&path) })
    }

    fn field<T: ?Sized, E: ser::Error>(
        &mut self,
        name: &'static str,
        value: &T,
        put: impl FnOnce(&mut C, &Traced<'_, T, TEXT>) -> Result<(), E>,
    ) -> Result<(), E> {
        check_name::<TEXT, E>(name)?;
        let parent = self.place();
        let path = Path::Field { parent: &parent, name };
        put(&mut self.inner, &Traced { value, spot: self.spot.below(&path) })
    }

    fn skip<E: ser::Error>(
        &mut self,
        name: &'static str,
        skip: impl FnOnce(&mut C) -> Result<(), E>,
    ) -> Result<(), E> {
        if TEXT {
            return skip(&mut self.inner);
        }
        let parent = self.place();
        self.spot.failure.at(&Path::Field { parent: &parent, name });
        Err(E::custom(
            "a skipped field (serde's `skip_serializing_if`) can't be carried by bincode, which has no names: \
             always write it, or use the codec json",
        ))
    }
}

impl<C: ser::SerializeSeq, const TEXT: bool> ser::SerializeSeq for Compound<'_, C, TEXT> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.element(value, |inner, value| inner.serialize_element(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeTuple, const TEXT: bool> ser::SerializeTuple for Compound<'_, C, TEXT> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.element(value, |inner, value| inner.serialize_element(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeTupleStruct, const TEXT: bool> ser::SerializeTupleStruct for Compound<'_, C, TEXT> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.element(value, |inner, value| inner.serialize_field(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeTupleVariant, const TEXT: bool> ser::SerializeTupleVariant for Compound<'_, C, TEXT> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.element(value, |inner, value| inner.serialize_field(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeMap, const TEXT: bool> ser::SerializeMap for Compound<'_, C, TEXT> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<(), C::Error> {
        self.key = Some(crate::path::KeyText::key_text(&SerializedKey(key)));
        if TEXT {
            self.inner.serialize_key(&Key(key))
        } else {
            self.inner.serialize_key(&Traced::<K, TEXT> { value: key, spot: self.spot })
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let key = self.key.take().unwrap_or_default();
        let path = Path::Key { parent: self.spot.path, key: &key.as_str() };
        self.inner.serialize_value(&Traced::<T, TEXT> { value, spot: self.spot.below(&path) })
    }

    fn serialize_entry<K, V>(&mut self, key: &K, value: &V) -> Result<(), C::Error>
    where
        K: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        let text = SerializedKey(key);
        let path = Path::Key { parent: self.spot.path, key: &text };
        let value = Traced::<V, TEXT> { value, spot: self.spot.below(&path) };
        if TEXT {
            self.inner.serialize_entry(&Key(key), &value)
        } else {
            self.inner.serialize_entry(&Traced::<K, TEXT> { value: key, spot: self.spot }, &value)
        }
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeStruct, const TEXT: bool> ser::SerializeStruct for Compound<'_, C, TEXT> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), C::Error> {
        self.field(name, value, |inner, value| inner.serialize_field(name, value))
    }

    fn skip_field(&mut self, name: &'static str) -> Result<(), C::Error> {
        self.skip(name, |inner| inner.skip_field(name))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

impl<C: ser::SerializeStructVariant, const TEXT: bool> ser::SerializeStructVariant for Compound<'_, C, TEXT> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), C::Error> {
        self.field(name, value, |inner, value| inner.serialize_field(name, value))
    }

    fn skip_field(&mut self, name: &'static str) -> Result<(), C::Error> {
        self.skip(name, |inner| inner.skip_field(name))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
