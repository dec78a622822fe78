//! TOML to a tree with lines. The only file that names the parser.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::tree::{Fault, Key, Node, Value};

/// Reads a document.
///
/// # Errors
/// When it is not TOML: every place and its reason.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Fault>> {
    let lines = Lines(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        let line = lines.of(&table.span());
        return Ok(Node { line, value: lines.table(table.get_ref()) });
    }
    let fault = |error: &toml::de::Error| {
        let line = error.span().map_or(1, |span| lines.of(&span));
        Fault::new(line, format!("not TOML: {}", error.message()))
    };
    Err(errors.iter().map(fault).collect())
}

/// A text whose bytes are to be named by line.
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn of(&self, span: &Range<usize>) -> u64 {
        let before = self.0.as_bytes().get(..span.start).unwrap_or_default();
        1 + before.iter().filter(|&&byte| byte == b'\n').count() as u64
    }

    fn node(&self, spanned: &Spanned<DeValue<'_>>) -> Node {
        let value = match spanned.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(integer) => Value::Integer(integer),
                Err(_) => Value::Text(integer.to_string()),
            },
            DeValue::Float(float) => match float.as_str().parse() {
                Ok(float) => Value::Float(float),
                Err(_) => Value::Text(float.to_string()),
            },
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Datetime(time) => Value::Text(time.to_string()),
            DeValue::Array(items) => Value::List(items.iter().map(|item| self.node(item)).collect()),
            DeValue::Table(table) => self.table(table),
        };
        Node { line: self.of(&spanned.span()), value }
    }

    fn table(&self, table: &DeTable<'_>) -> Value {
        let mut entries: Vec<_> = table.iter().collect();
        // The parser sorts by key; errors are to come in the order of the file.
        entries.sort_by_key(|(key, _)| key.span().start);
        let entry = |(key, value): (&Spanned<_>, &Spanned<_>)| {
            let text = AsRef::<str>::as_ref(key.get_ref()).to_owned();
            (Key { line: self.of(&key.span()), text }, self.node(value))
        };
        Value::Map(entries.into_iter().map(entry).collect())
    }
}
