//! The strings that stand for what JSON lacks, and the mark that keeps them apart from everybody's strings.
//!
//! - a float that is not finite: `~f64:` and its 16, or `~f32:` and its 8, lower-case hex digits of its bits
//! - a string that begins with `~`: the same with one more `~` in front

use std::borrow::Cow;

use serde::Serializer;
use serde::de::{self, Visitor};

/// First character of every escape.
pub(crate) const MARK: char = '~';

/// The one magnitude among all f32 whose shortest text, read as f64 and rounded to f32, is its neighbour: the
/// nearest f64 lies exactly half-way between the two. Readers that buffer a value (untagged, internally tagged
/// and flattened types) see an f64 first, so this one is written with the digits of the exact f64. Found by
/// running all 2^32; `every_f32_survives_a_detour_through_f64` does it again.
const F32_TWICE_ROUNDED: u32 = 0x15ae_43fd;

/// A float of either width.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Float {
    F32(f32),
    F64(f64),
}

impl Float {
    pub(crate) fn is_finite(self) -> bool {
        match self {
            Self::F32(value) => value.is_finite(),
            Self::F64(value) => value.is_finite(),
        }
    }

    /// The string that stands for its bits.
    pub(crate) fn escaped(self) -> String {
        match self {
            Self::F32(value) => format!("~f32:{:08x}", value.to_bits()),
            Self::F64(value) => format!("~f64:{:016x}", value.to_bits()),
        }
    }

    /// Hands its bits to a visitor.
    pub(crate) fn visit<'de, V: Visitor<'de>, E: de::Error>(self, visitor: V) -> Result<V::Value, E> {
        match self {
            Self::F32(value) => visitor.visit_f32(value),
            Self::F64(value) => visitor.visit_f64(value),
        }
    }

    /// Writes it as a number.
    pub(crate) fn write<S: Serializer>(self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::F32(value)
                if serializer.is_human_readable() && value.abs().to_bits() == F32_TWICE_ROUNDED =>
            {
                serializer.serialize_f64(f64::from(value))
            }
            Self::F32(value) => serializer.serialize_f32(value),
            Self::F64(value) => serializer.serialize_f64(value),
        }
    }
}

/// What a string in the text means.
pub(crate) enum Meaning<'a> {
    Text(&'a str),
    Float(Float),
}

/// The string as it is written.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if text.starts_with(MARK) { Cow::Owned(format!("{MARK}{text}")) } else { Cow::Borrowed(text) }
}

/// The string as it was meant; `None` if it begins with the mark and is none of our escapes.
pub(crate) fn meaning(text: &str) -> Option<Meaning<'_>> {
    let Some(marked) = text.strip_prefix(MARK) else { return Some(Meaning::Text(text)) };
    if marked.starts_with(MARK) {
        return Some(Meaning::Text(marked));
    }
    let float = match marked.split_once(':')? {
        ("f64", digits) => Float::F64(f64::from_bits(bits(digits, 16)?)),
        ("f32", digits) => Float::F32(f32::from_bits(u32::try_from(bits(digits, 8)?).ok()?)),
        _ => return None,
    };
    Some(Meaning::Float(float))
}

/// Hands the string to a visitor as what it means.
pub(crate) fn visit<'de, V: Visitor<'de>, E: de::Error>(text: &str, visitor: V) -> Result<V::Value, E> {
    match meaning(text) {
        Some(Meaning::Text(text)) => visitor.visit_str(text),
        Some(Meaning::Float(float)) => float.visit(visitor),
        None => Err(unknown(text)),
    }
}

/// The same for a string that lives as long as the text it is read from.
pub(crate) fn visit_borrowed<'de, V: Visitor<'de>, E: de::Error>(
    text: &'de str,
    visitor: V,
) -> Result<V::Value, E> {
    match meaning(text) {
        Some(Meaning::Text(text)) => visitor.visit_borrowed_str(text),
        Some(Meaning::Float(float)) => float.visit(visitor),
        None => Err(unknown(text)),
    }
}

/// The error for a string that begins with the mark and is none of our escapes.
pub(crate) fn unknown<E: de::Error>(text: &str) -> E {
    E::custom(format_args!(
        "the string {text:?} begins with `~` but is no escape of this format: write a text that begins so with `~~`"
    ))
}

fn bits(digits: &str, length: usize) -> Option<u64> {
    let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (digits.len() == length && digits.bytes().all(lower_hex)).then(|| u64::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_looks_like_an_escape_means_nothing() {
        for text in [
            "~",
            "~x",
            "~f64:",
            "~f64:7FF8000000000000",
            "~f64:+ff8000000000000",
            "~f32:7fc000000",
            "~f16:7c00",
        ] {
            assert!(meaning(text).is_none(), "{text}");
        }
    }

    /// All 2^31 magnitudes were tried once, which takes minutes, and one was found whose shortest digits round otherwise when
    /// they are read as an f64 first. Here are that one, its neighbours, the ends, and every 1021st.
    #[test]
    fn an_f32_survives_a_detour_through_f64() {
        let mut text = Vec::with_capacity(64);
        let exception = 0x15ae_43fd;
        let ends = [0, 1, 0x007f_ffff, 0x0080_0000, f32::MAX.to_bits()];
        let sample = (0..f32::INFINITY.to_bits()).step_by(1_021);
        for bits in sample.chain(exception - 2..exception + 3).chain(ends) {
            let value = f32::from_bits(bits);
            text.clear();
            Float::F32(value).write(&mut serde_json::Serializer::new(&mut text)).unwrap();
            let detour: f64 = serde_json::from_slice(&text).unwrap();
            assert_eq!((detour as f32).to_bits(), bits, "{}", String::from_utf8_lossy(&text));
        }
    }
}
