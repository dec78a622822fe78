//! The calls that a type's `Deserialize` makes, without any bytes: for a positional codec that is its shape.
//!
//! A deserializer that has no input answers each call with a value of the samples where they have one, and with zero, nothing or
//! one element where they have none; it is asked again until every variant of every enum was read once. A type inside itself
//! is read once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde_json::Value;

use super::path::below;

/// Ways through the enums of a type. A type with more variants in all is not one that people read in a table.
const PASSES_MAX: usize = 4096;

/// How deep types may hold each other, so that one without an end is told.
const DEPTH_MAX: usize = 100;

/// The calls by their path: `struct {count, vol}`, `u32`, `seq`.
pub(super) type Calls = BTreeMap<String, String>;

/// A type that refused what it was given.
#[derive(Debug)]
pub(super) struct Untraced {
    pub(super) path: String,
    pub(super) reason: String,
}

/// The calls of a type, answered with the values of the samples where they have some.
pub(super) fn trace<T: DeserializeOwned>(samples: &[Value]) -> Result<Calls, Untraced> {
    let state = State::default();
    for _ in 0..PASSES_MAX {
        let hints = samples.iter().collect();
        let tracer = Tracer { state: &state, path: String::new(), hints, open: &[] };
        if let Err(Refused(reason)) = T::deserialize(tracer) {
            let path = state.failed.into_inner().unwrap_or_else(|| "$".to_owned());
            return Err(Untraced { path, reason });
        }
        if state.is_complete("") {
            return Ok(collapsed(state.calls.into_inner()));
        }
    }
    let reason = format!("it has more than {PASSES_MAX} ways through its enums");
    Err(Untraced { path: "$".to_owned(), reason })
}

/// The calls that a JSON kind makes, as far as they can be told without its text.
pub(super) fn keys<T: DeserializeOwned>(samples: &[Value]) -> Calls {
    let state = State { is_json: true, ..State::default() };
    for _ in 0..PASSES_MAX {
        let hints = samples.iter().collect();
        let tracer = Tracer { state: &state, path: String::new(), hints, open: &[] };
        // A type that asks for more than calls is told by its schema alone from there on.
        if T::deserialize(tracer).is_err() || state.is_complete("") {
            break;
        }
    }
    state.calls.into_inner()
}

#[derive(Default)]
struct State {
    /// For a text with names: their order says nothing, and it can be asked what it is.
    is_json: bool,
    calls: RefCell<Calls>,
    /// For each enum, by its path, which of its variants have been read in every way.
    variants: RefCell<BTreeMap<String, Vec<bool>>>,
    failed: RefCell<Option<String>>,
}

impl State {
    fn note(&self, path: &str, call: impl Into<String>) {
        let path = if path.is_empty() { "$" } else { path };
        self.calls.borrow_mut().entry(path.to_owned()).or_insert_with(|| call.into());
    }

    /// Whether every variant at and below a path was read.
    fn is_complete(&self, path: &str) -> bool {
        let variants = self.variants.borrow();
        let is_below = |at: &str| match at.strip_prefix(path) {
            Some(rest) => path.is_empty() || rest.is_empty() || rest.starts_with(['.', '[', '{', '?']),
            None => false,
        };
        let mut below = variants.iter().filter(|(at, _)| is_below(at));
        below.all(|(_, done)| done.iter().all(|done| *done))
    }

    fn fail<T>(&self, path: &str, result: Result<T, Refused>) -> Result<T, Refused> {
        if result.is_err() {
            self.failed
                .borrow_mut()
                .get_or_insert_with(|| if path.is_empty() { "$" } else { path }.to_owned());
        }
        result
    }
}

/// Tuples whose elements are all the same are told once: `x[0]` to `x[3]` become `x[*]`.
fn collapsed(mut calls: Calls) -> Calls {
    let mut tuples: Vec<String> =
        calls.iter().filter(|(_, call)| call.starts_with("tuple ")).map(|(path, _)| path.clone()).collect();
    // The innermost first, so that rows of rows come out as one.
    tuples.sort_by_key(|path| std::cmp::Reverse(path.len()));
    for path in tuples {
        let base = if path == "$" { "" } else { &path };
        let inside = |calls: &Calls, index: usize| {
            let prefix = format!("{base}[{index}]");
            let inside = calls
                .iter()
                .filter_map(|(path, call)| Some((path.strip_prefix(&prefix)?.to_owned(), call.clone())));
            inside.collect::<Vec<_>>()
        };
        let first = inside(&calls, 0);
        let count = (0..).take_while(|index| !inside(&calls, *index).is_empty()).count();
        if count < 2 || (1..count).any(|index| inside(&calls, index) != first) {
            continue;
        }
        for index in 0..count {
            let prefix = format!("{base}[{index}]");
            calls.retain(|path, _| !path.starts_with(&prefix));
        }
        calls.extend(first.into_iter().map(|(rest, call)| (format!("{base}[*]{rest}"), call)));
    }
    calls
}

#[derive(Clone)]
struct Tracer<'a> {
    state: &'a State,
    path: String,
    /// What the samples have here, the first first.
    hints: Vec<&'a Value>,
    /// Names of the structs and enums that are being read.
    open: &'a [&'static str],
}

impl<'a> Tracer<'a> {
    fn at<'b>(&'b self, path: String, hints: Vec<&'b Value>, open: &'b [&'static str]) -> Tracer<'b> {
        Tracer { state: self.state, path, hints, open }
    }

    /// Whether the innermost type that is being read is inside itself: then it has to come to an end.
    fn is_again(&self) -> bool {
        self.open.split_last().is_some_and(|(last, before)| before.contains(last))
    }

    /// The types that are open inside `name`.
    fn enter(&self, name: &'static str) -> Result<Vec<&'static str>, Refused> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Refused(
                "it holds itself without end: its first variant, an option or a list must end it".to_owned(),
            ));
        }
        Ok([self.open, &[name]].concat())
    }

    fn field(&self, name: &str) -> Vec<&'a Value> {
        self.hints.iter().filter_map(|hint| hint.get(name)).collect()
    }
}

macro_rules! scalars {
    ($($method:ident $visit:ident $word:literal $type:ty = $value:expr),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.state.note(&self.path, $word);
            let value: fn(&Value) -> Option<$type> = $value;
            let value = self.hints.iter().find_map(|hint| value(hint)).unwrap_or_default();
            self.state.fail(&self.path, visitor.$visit(value))
        })*
    };
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Refused;

    scalars! {
        deserialize_bool visit_bool "bool" bool = |hint| hint.as_bool(),
        deserialize_i8 visit_i8 "i8" i8 = |hint| hint.as_number()?.as_i64()?.try_into().ok(),
        deserialize_i16 visit_i16 "i16" i16 = |hint| hint.as_number()?.as_i64()?.try_into().ok(),
        deserialize_i32 visit_i32 "i32" i32 = |hint| hint.as_number()?.as_i64()?.try_into().ok(),
        deserialize_i64 visit_i64 "i64" i64 = |hint| hint.as_number()?.as_i64(),
        deserialize_i128 visit_i128 "i128" i128 = |hint| hint.as_number()?.as_i128(),
        deserialize_u8 visit_u8 "u8" u8 = |hint| hint.as_number()?.as_u64()?.try_into().ok(),
        deserialize_u16 visit_u16 "u16" u16 = |hint| hint.as_number()?.as_u64()?.try_into().ok(),
        deserialize_u32 visit_u32 "u32" u32 = |hint| hint.as_number()?.as_u64()?.try_into().ok(),
        deserialize_u64 visit_u64 "u64" u64 = |hint| hint.as_number()?.as_u64(),
        deserialize_u128 visit_u128 "u128" u128 = |hint| hint.as_number()?.as_u128(),
        deserialize_f32 visit_f32 "f32" f32 = |hint| hint.as_number()?.as_f64().map(|value| value as f32),
        deserialize_f64 visit_f64 "f64" f64 = |hint| hint.as_number()?.as_f64(),
        deserialize_char visit_char "char" char = |hint| hint.as_str()?.chars().next(),
        deserialize_string visit_string "str" String = |hint| hint.as_str().map(str::to_owned),
        deserialize_byte_buf visit_byte_buf "bytes" Vec<u8> = |_| None,
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_string(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if let Some(hint) = self.hints.first().filter(|_| self.state.is_json) {
            let value: Value = (*hint).clone();
            return value.deserialize_any(visitor).map_err(de::Error::custom);
        }
        let refused = Refused(
            "the type asks the bytes what they are (untagged, tag, flatten), which only json can answer"
                .to_owned(),
        );
        self.state.fail(&self.path, Err(refused))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_any(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.state.note(&self.path, "option");
        if self.is_again() {
            return visitor.visit_none();
        }
        let hints = self.hints.iter().copied().filter(|hint| !hint.is_null()).collect();
        let path = format!("{}?", self.path);
        self.state.fail(&path, visitor.visit_some(self.at(path.clone(), hints, self.open)))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.state.note(&self.path, "unit");
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_unit(visitor)
    }

    /// No byte of its own.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let open = self.enter(name)?;
        let inside = self.at(self.path.clone(), self.hints.clone(), &open);
        self.state.fail(&self.path, visitor.visit_newtype_struct(inside))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.state.note(&self.path, "seq");
        let hints = self.hints.iter().filter_map(|hint| hint.as_array()).flatten().collect();
        let elements = if self.is_again() { vec![] } else { vec![(format!("{}[]", self.path), hints)] };
        self.state.fail(&self.path, visitor.visit_seq(Parts::new(&self, elements, self.open)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refused> {
        self.state.note(&self.path, format!("tuple {length}"));
        let hints = |index: usize| self.hints.iter().filter_map(|hint| hint.get(index)).collect();
        let elements = (0..length).map(|index| (format!("{}[{index}]", self.path), hints(index)));
        self.state.fail(&self.path, visitor.visit_seq(Parts::new(&self, elements.collect(), self.open)))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let open = self.enter(name)?;
        self.at(self.path.clone(), self.hints.clone(), &open).deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.state.note(&self.path, "map");
        let entries = self.hints.iter().filter_map(|hint| hint.as_object()).flatten();
        let (keys, values): (Vec<&String>, Vec<&Value>) = entries.unzip();
        // The text of a key is a number, a variant, or just that text.
        let both = |key: &String| [serde_json::from_str(key).ok(), Some(Value::from(key.as_str()))];
        let keys: Vec<Value> = keys.into_iter().flat_map(both).flatten().collect();
        let parts = [
            (format!("{}{{key}}", self.path), keys.iter().collect()),
            (format!("{}{{}}", self.path), values),
        ];
        let parts = if self.is_again() { vec![] } else { parts.to_vec() };
        self.state.fail(&self.path, visitor.visit_map(Parts::new(&self, parts, self.open)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let open = self.enter(name)?;
        self.state.note(&self.path, format!("struct {{{}}}", fields.join(", ")));
        let parts = fields.iter().map(|field| (below(&self.path, field), self.field(field)));
        self.state.fail(&self.path, visitor.visit_seq(Parts::new(&self, parts.collect(), &open)))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let open = self.enter(name)?;
        let numbered: Vec<String> =
            variants.iter().enumerate().map(|(index, name)| format!("{index} {name}")).collect();
        let mut named: Vec<&str> = variants.to_vec();
        named.sort_unstable();
        let numbered = if self.state.is_json { named.join(", ") } else { numbered.join(", ") };
        self.state.note(&self.path, format!("enum {{{numbered}}}"));
        let ends = self.open.contains(&name) || self.is_again();
        let next = {
            let mut known = self.state.variants.borrow_mut();
            let done = known.entry(self.path.clone()).or_insert_with(|| vec![ends; variants.len()]);
            done.iter().position(|done| !done).unwrap_or_default()
        };
        let Some(variant) = variants.get(next) else {
            return Err(Refused(format!("{name} has no variant, so there is no value of it")));
        };
        let path = below(&self.path, variant);
        let inside = self.at(path.clone(), self.field(variant), &open);
        let value = self.state.fail(&path, visitor.visit_enum(Chosen { number: next as u32, inside }))?;
        if self.state.is_complete(&path) {
            let mut known = self.state.variants.borrow_mut();
            if let Some(done) = known.get_mut(&self.path).and_then(|done| done.get_mut(next)) {
                *done = true;
            }
        }
        Ok(value)
    }

    fn is_human_readable(&self) -> bool {
        self.state.is_json
    }
}

/// The parts of a value, one after the other: of a map the keys and values in turn.
struct Parts<'a> {
    state: &'a State,
    open: &'a [&'static str],
    left: std::vec::IntoIter<(String, Vec<&'a Value>)>,
}

impl<'a> Parts<'a> {
    fn new(of: &'a Tracer<'_>, parts: Vec<(String, Vec<&'a Value>)>, open: &'a [&'static str]) -> Self {
        Self { state: of.state, open, left: parts.into_iter() }
    }

    fn next<'de, T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        let Some((path, hints)) = self.left.next() else { return Ok(None) };
        let tracer = Tracer { state: self.state, path: path.clone(), hints, open: self.open };
        self.state.fail(&path, seed.deserialize(tracer)).map(Some)
    }
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        self.next(seed)
    }
}

impl<'de> MapAccess<'de> for Parts<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        self.next(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refused> {
        self.next(seed)?.ok_or_else(|| Refused("the map has no more entries".to_owned()))
    }
}

/// An enum with the variant that is its turn.
struct Chosen<'a> {
    number: u32,
    inside: Tracer<'a>,
}

impl<'a, 'de> EnumAccess<'de> for Chosen<'a> {
    type Error = Refused;
    type Variant = Tracer<'a>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Tracer<'a>), Refused> {
        let number: de::value::U32Deserializer<Refused> = self.number.into_deserializer();
        Ok((seed.deserialize(number)?, self.inside))
    }
}

impl<'de> VariantAccess<'de> for Tracer<'_> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        self.state.note(&self.path, "unit variant");
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refused> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.state.note(&self.path, format!("struct {{{}}}", fields.join(", ")));
        let parts = fields.iter().map(|field| (below(&self.path, field), self.field(field)));
        self.state.fail(&self.path, visitor.visit_seq(Parts::new(&self, parts.collect(), self.open)))
    }
}

/// What the type said to a value that it was given.
#[derive(Debug)]
struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}
