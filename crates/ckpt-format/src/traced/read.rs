//! The reading side: a deserializer around a deserializer.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

use super::DEPTH_MAX;
use crate::json::escape::{self, Meaning};
use crate::json::key::{KeyReader, RawKey};
use crate::path::{Failure, FieldList, Path};

/// What is noted on the way.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) failure: Failure,
    pub(crate) absent: RefCell<FieldList>,
    pub(crate) unknown: RefCell<FieldList>,
}

/// The seed of a `T`; when reading fails, the innermost place is left in `notes`.
pub(crate) fn reading<'de, 'a, const TEXT: bool, T>(
    notes: &'a Notes,
) -> impl DeserializeSeed<'de, Value = T> + 'a
where
    T: Deserialize<'de> + 'a,
{
    Seed::<_, TEXT> { seed: PhantomData::<T>, spot: Spot { path: &Path::Root, notes, depth: 0 } }
}

/// Where the reader is.
#[derive(Clone, Copy)]
struct Spot<'a> {
    path: &'a Path<'a>,
    notes: &'a Notes,
    /// Containers that are open around this value; only counted where the codec itself does not.
    depth: u8,
}

impl<'a> Spot<'a> {
    fn below<'b>(self, path: &'b Path<'b>) -> Spot<'b>
    where
        'a: 'b,
    {
        Spot { path, notes: self.notes, depth: self.depth }
    }

    fn deeper<const TEXT: bool, E: de::Error>(self) -> Result<Self, E> {
        if TEXT {
            return Ok(self);
        }
        if self.depth >= DEPTH_MAX {
            return Err(E::custom(format_args!("nested deeper than {DEPTH_MAX} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn failed(self) {
        self.notes.failure.at(self.path);
    }
}

/// A seed with the place where its value stands.
struct Seed<'a, T, const TEXT: bool> {
    seed: T,
    spot: Spot<'a>,
}

impl<'de, T: DeserializeSeed<'de>, const TEXT: bool> DeserializeSeed<'de> for Seed<'_, T, TEXT> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        let spot = self.spot;
        self.seed.deserialize(Reader::<D, TEXT> { inner, spot }).inspect_err(|_| spot.failed())
    }
}

struct Reader<'a, D, const TEXT: bool> {
    inner: D,
    spot: Spot<'a>,
}

impl<'a, D, const TEXT: bool> Reader<'a, D, TEXT> {
    fn visit<V>(&self, visitor: V) -> Visit<'a, V, TEXT> {
        Visit { visitor, spot: self.spot, fields: None }
    }
}

macro_rules! wrap {
    ($($method:ident($($argument:ident: $type:ty),*)),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.visit(visitor);
            self.inner.$method($($argument,)* visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>, const TEXT: bool> Deserializer<'de> for Reader<'_, D, TEXT> {
    type Error = D::Error;

    wrap! {
        deserialize_any(), deserialize_bool(),
        deserialize_i8(), deserialize_i16(), deserialize_i32(), deserialize_i64(), deserialize_i128(),
        deserialize_u8(), deserialize_u16(), deserialize_u32(), deserialize_u64(), deserialize_u128(),
        deserialize_char(), deserialize_str(), deserialize_bytes(),
        deserialize_option(), deserialize_unit(), deserialize_unit_struct(name: &'static str),
        deserialize_newtype_struct(name: &'static str), deserialize_seq(), deserialize_tuple(length: usize),
        deserialize_tuple_struct(name: &'static str, length: usize), deserialize_map(),
        deserialize_enum(name: &'static str, variants: &'static [&'static str]), deserialize_identifier(),
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        // Text has a number or an escape here, which only the visitor can tell apart.
        if TEXT { self.deserialize_any(visitor) } else { self.inner.deserialize_f32(visitor) }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        if TEXT { self.deserialize_any(visitor) } else { self.inner.deserialize_f64(visitor) }
    }

    // Borrowed from the bytes and copied by the visitor, never reserved by a length that nobody has checked yet.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = Visit { fields: Some(fields), ..self.visit(visitor) };
        self.inner.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_ignored_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

struct Visit<'a, V, const TEXT: bool> {
    visitor: V,
    spot: Spot<'a>,
    /// The fields a struct declares.
    fields: Option<&'static [&'static str]>,
}

macro_rules! pass {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>, const TEXT: bool> Visitor<'de> for Visit<'_, V, TEXT> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    pass! {
        visit_bool: bool, visit_char: char, visit_f32: f32, visit_f64: f64,
        visit_i8: i8, visit_i16: i16, visit_i32: i32, visit_i64: i64, visit_i128: i128,
        visit_u8: u8, visit_u16: u16, visit_u32: u32, visit_u64: u64, visit_u128: u128,
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<V::Value, E> {
        if TEXT { escape::visit(text, self.visitor) } else { self.visitor.visit_str(text) }
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<V::Value, E> {
        if TEXT { escape::visit_borrowed(text, self.visitor) } else { self.visitor.visit_borrowed_str(text) }
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<V::Value, E> {
        if TEXT && text.starts_with(escape::MARK) {
            self.visit_str(&text)
        } else {
            self.visitor.visit_string(text)
        }
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<V::Value, E> {
        match escaped_bytes::<TEXT, E>(bytes)? {
            Some(Meaning::Text(text)) => self.visitor.visit_bytes(text.as_bytes()),
            Some(Meaning::Float(float)) => float.visit(self.visitor),
            None => self.visitor.visit_bytes(bytes),
        }
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<V::Value, E> {
        match escaped_bytes::<TEXT, E>(bytes)? {
            Some(Meaning::Text(text)) => self.visitor.visit_borrowed_bytes(text.as_bytes()),
            Some(Meaning::Float(float)) => float.visit(self.visitor),
            None => self.visitor.visit_borrowed_bytes(bytes),
        }
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<V::Value, E> {
        if TEXT { self.visit_bytes(&bytes) } else { self.visitor.visit_byte_buf(bytes) }
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let spot = self.spot.deeper::<TEXT, D::Error>()?;
        self.visitor.visit_some(Reader::<D, TEXT> { inner, spot })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let spot = self.spot.deeper::<TEXT, D::Error>()?;
        self.visitor.visit_newtype_struct(Reader::<D, TEXT> { inner, spot })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        if TEXT && self.fields.is_some() {
            // Matching fields by their order would give wrong values once the order changes.
            return Err(A::Error::invalid_type(Unexpected::Seq, &"a struct with the names of its fields"));
        }
        let spot = self.spot.deeper::<TEXT, A::Error>()?;
        self.visitor.visit_seq(Elements::<A, TEXT> {
            inner,
            spot,
            index: 0,
            fields: self.fields.unwrap_or_default(),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let spot = self.spot.deeper::<TEXT, A::Error>()?;
        let fields = self.fields.map(Fields::new);
        let mut entries = Entries::<A, TEXT> { inner, spot, fields, key: Cow::Borrowed(""), index: 0 };
        let value = self.visitor.visit_map(&mut entries)?;
        entries.note_absent();
        Ok(value)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let spot = self.spot.deeper::<TEXT, A::Error>()?;
        self.visitor.visit_enum(Variant::<A, TEXT> { inner, spot })
    }
}

/// What bytes mean that come from a JSON string; `None` if they mean themselves.
fn escaped_bytes<const TEXT: bool, E: de::Error>(bytes: &[u8]) -> Result<Option<Meaning<'_>>, E> {
    if !TEXT || !bytes.starts_with(b"~") {
        return Ok(None);
    }
    let text = str::from_utf8(bytes).map_err(|_| E::invalid_value(Unexpected::Bytes(bytes), &"UTF-8"))?;
    escape::meaning(text).map(Some).ok_or_else(|| escape::unknown(text))
}

struct Elements<'a, A, const TEXT: bool> {
    inner: A,
    spot: Spot<'a>,
    index: usize,
    /// Names for the elements, where a positional codec reads a struct.
    fields: &'static [&'static str],
}

impl<'de, A: SeqAccess<'de>, const TEXT: bool> SeqAccess<'de> for Elements<'_, A, TEXT> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let parent = self.spot.path;
        let path = match self.fields.get(self.index) {
            Some(name) => Path::Field { parent, name },
            None => Path::Index { parent, index: self.index },
        };
        self.index += 1;
        self.inner.next_element_seed(Seed::<T, TEXT> { seed, spot: self.spot.below(&path) })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

struct Entries<'a, 'de, A, const TEXT: bool> {
    inner: A,
    spot: Spot<'a>,
    /// `None` for a map.
    fields: Option<Fields>,
    key: Cow<'de, str>,
    index: usize,
}

impl<A, const TEXT: bool> Entries<'_, '_, A, TEXT> {
    fn note_absent(&self) {
        let Some(fields) = &self.fields else { return };
        for name in fields.absent() {
            self.spot.notes.absent.borrow_mut().push(&Path::Field { parent: self.spot.path, name });
        }
    }

    /// Calls with the place of the entry whose key was read last.
    fn at_entry<R>(&self, call: impl FnOnce(Spot<'_>) -> R) -> R {
        let parent = self.spot.path;
        if !TEXT {
            return call(self.spot.below(&Path::Index { parent, index: self.index.saturating_sub(1) }));
        }
        let key = &*self.key;
        match self.fields {
            Some(_) => call(self.spot.below(&Path::Field { parent, name: key })),
            None => call(self.spot.below(&Path::Key { parent, key: &key })),
        }
    }
}

impl<'de, A: MapAccess<'de>, const TEXT: bool> MapAccess<'de> for Entries<'_, 'de, A, TEXT> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.index += 1;
        if !TEXT {
            let path = Path::Index { parent: self.spot.path, index: self.index - 1 };
            return self.inner.next_key_seed(Seed::<K, TEXT> { seed, spot: self.spot.below(&path) });
        }
        let Some(text) = self.inner.next_key_seed(RawKey)? else { return Ok(None) };
        self.key = text;
        if let Some(fields) = &mut self.fields
            && !fields.see(&self.key)
        {
            self.at_entry(|spot| spot.notes.unknown.borrow_mut().push(spot.path));
        }
        let key = seed.deserialize(KeyReader::new(self.key.clone()));
        key.map(Some).inspect_err(|_| self.at_entry(|spot| spot.failed()))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        let parent = self.spot.path;
        let key = &*self.key;
        let path = match self.fields {
            _ if !TEXT => Path::Index { parent, index: self.index.saturating_sub(1) },
            Some(_) => Path::Field { parent, name: key },
            None => Path::Key { parent, key: &key },
        };
        self.inner.next_value_seed(Seed::<T, TEXT> { seed, spot: self.spot.below(&path) })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// The fields a struct declares, and which of them were there.
struct Fields {
    names: &'static [&'static str],
    /// One bit a field, for the first 64.
    seen: u64,
    /// One bit a field for the others, so that a struct of usual size allocates nothing.
    seen_beyond: Vec<u64>,
    /// Fields come in the order they are declared in, so the next one is looked at first.
    next: usize,
}

impl Fields {
    fn new(names: &'static [&'static str]) -> Self {
        let beyond = names.len().saturating_sub(64).div_ceil(64);
        Self { names, seen: 0, seen_beyond: vec![0; beyond], next: 0 }
    }

    /// Whether the name is declared.
    fn see(&mut self, name: &str) -> bool {
        let guess = self.names.get(self.next).is_some_and(|next| *next == name).then_some(self.next);
        let Some(index) = guess.or_else(|| self.names.iter().position(|known| *known == name)) else {
            return false;
        };
        let word = match index / 64 {
            0 => Some(&mut self.seen),
            word => self.seen_beyond.get_mut(word - 1),
        };
        if let Some(word) = word {
            *word |= 1 << (index % 64);
        }
        self.next = index + 1;
        true
    }

    fn absent(&self) -> impl Iterator<Item = &'static str> {
        let was_seen = |index: usize| {
            let word = match index / 64 {
                0 => Some(&self.seen),
                word => self.seen_beyond.get(word - 1),
            };
            word.is_some_and(|word| word & (1 << (index % 64)) != 0)
        };
        self.names.iter().enumerate().filter(move |(index, _)| !was_seen(*index)).map(|(_, name)| *name)
    }
}

struct Variant<'a, A, const TEXT: bool> {
    inner: A,
    spot: Spot<'a>,
}

impl<'a, 'de, A: EnumAccess<'de>, const TEXT: bool> EnumAccess<'de> for Variant<'a, A, TEXT> {
    type Error = A::Error;
    type Variant = Body<'a, 'de, A::Variant, TEXT>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), A::Error> {
        let spot = self.spot;
        if !TEXT {
            let (variant, inner) = self.inner.variant_seed(seed)?;
            return Ok((variant, Body { inner, spot, name: None }));
        }
        let (name, inner) = self.inner.variant_seed(RawKey)?;
        let variant = seed.deserialize(KeyReader::new(name.clone()))?;
        Ok((variant, Body { inner, spot, name: Some(name) }))
    }
}

/// What follows the name of a variant.
struct Body<'a, 'de, A, const TEXT: bool> {
    inner: A,
    spot: Spot<'a>,
    /// Known where the codec has names.
    name: Option<Cow<'de, str>>,
}

impl<'a, A, const TEXT: bool> Body<'a, '_, A, TEXT> {
    fn place<'b>(spot: Spot<'b>, name: Option<&'b str>) -> Path<'b>
    where
        'a: 'b,
    {
        name.map_or(*spot.path, |name| Path::Field { parent: spot.path, name })
    }
}

impl<'de, A: VariantAccess<'de>, const TEXT: bool> VariantAccess<'de> for Body<'_, 'de, A, TEXT> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        let path = Self::place(self.spot, self.name.as_deref());
        self.inner.newtype_variant_seed(Seed::<T, TEXT> { seed, spot: self.spot.below(&path) })
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        let path = Self::place(self.spot, self.name.as_deref());
        let spot = self.spot.below(&path);
        let visit = Visit::<V, TEXT> { visitor, spot, fields: None };
        self.inner.tuple_variant(length, visit).inspect_err(|_| spot.failed())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let path = Self::place(self.spot, self.name.as_deref());
        let spot = self.spot.below(&path);
        let visit = Visit::<V, TEXT> { visitor, spot, fields: Some(fields) };
        self.inner.struct_variant(fields, visit).inspect_err(|_| spot.failed())
    }
}
