//! A place in a shape: the path of a load's report with lists, maps and variants left open, `cells[].mu`.

use std::fmt;

use serde_json::Value;

use crate::path::Path;

/// One step from a value to a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A field of a struct.
    Field(String),
    /// The elements of a list.
    Elements,
    /// The values of a map.
    Values,
    /// One element of a tuple.
    Index(usize),
    /// The data of a variant that stands under its name.
    Variant(String),
    /// The fields of a variant that is told by something among them: no step in the text.
    Among(String),
}

/// The steps from the value itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place(pub(super) Vec<Step>);

impl Place {
    pub(super) fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The steps after the first `count`, if they are one field.
    pub(super) fn field_after(&self, count: usize) -> Option<&str> {
        match self.0.get(count..) {
            Some([Step::Field(name)]) => Some(name),
            _ => None,
        }
    }

    /// What a document has here, if only fields lead to it.
    pub(super) fn value_in<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(document, |value, step| match step {
            Step::Field(name) => value.get(name),
            _ => None,
        })
    }

    /// Takes the first value that stands here out of a document; with its path in that document.
    pub(super) fn take(&self, document: &mut Value) -> Option<(String, Value)> {
        take(document, &self.0, "")
    }

    /// Whether a path in a document, `cells[1].mu`, is one of this place.
    pub(super) fn leads_to(&self, path: &str) -> bool {
        let rest = self.0.iter().try_fold(path, |rest, step| after(rest, step, rest.len() == path.len()));
        rest == Some("")
    }

    /// The name of the field at its end.
    pub(super) fn last_name(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Field(name)) => Some(name),
            _ => None,
        }
    }

    pub(super) fn ends_in_variant(&self) -> bool {
        matches!(self.0.last(), Some(Step::Variant(_)))
    }

    /// Whether a document has a value that is this variant.
    pub(super) fn is_in(&self, document: &Value) -> bool {
        let Some((Step::Variant(name), before)) = self.0.split_last() else { return false };
        holds(document, before, &|value| value == name || value.get(name).is_some())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for step in &self.0 {
            text = match step {
                Step::Field(name) | Step::Variant(name) => below(&text, name),
                Step::Elements => format!("{text}[]"),
                Step::Values => format!("{text}{{}}"),
                Step::Index(index) => format!("{text}[{index}]"),
                Step::Among(name) => format!("{text}<{name}>"),
            };
        }
        f.write_str(if text.is_empty() { "$" } else { &text })
    }
}

/// The path of a name below `parent`, which is empty for the value itself.
pub(super) fn below(parent: &str, name: &str) -> String {
    let last = Path::Field { parent: &Path::Root, name }.to_string();
    let dot = if parent.is_empty() || last.starts_with('[') { "" } else { "." };
    format!("{parent}{dot}{last}")
}

/// What is left of a path after one step.
fn after<'p>(path: &'p str, step: &Step, is_first: bool) -> Option<&'p str> {
    match step {
        Step::Field(name) | Step::Variant(name) => {
            path.strip_prefix(below(if is_first { "" } else { "$" }, name).trim_start_matches('$'))
        }
        Step::Among(_) => Some(path),
        Step::Index(index) => path.strip_prefix(format!("[{index}]").as_str()),
        Step::Elements => {
            path.strip_prefix('[')?.trim_start_matches(|digit: char| digit.is_ascii_digit()).strip_prefix(']')
        }
        Step::Values => {
            let key = path.strip_prefix("[\"")?;
            let mut escaped = false;
            let end = key.char_indices().find_map(|(at, letter)| {
                let ends = letter == '"' && !escaped;
                escaped = letter == '\\' && !escaped;
                ends.then_some(at)
            })?;
            key.get(end..)?.strip_prefix("\"]")
        }
    }
}

/// Whether one of the ways that the steps can go ends at such a value.
fn holds(value: &Value, steps: &[Step], is_such: &dyn Fn(&Value) -> bool) -> bool {
    let Some((step, rest)) = steps.split_first() else { return is_such(value) };
    let below = |value: Option<&Value>| value.is_some_and(|value| holds(value, rest, is_such));
    match step {
        Step::Field(name) | Step::Variant(name) => below(value.get(name)),
        Step::Among(_) => holds(value, rest, is_such),
        Step::Index(index) => below(value.get(index)),
        Step::Elements => value.as_array().is_some_and(|list| list.iter().any(|value| below(Some(value)))),
        Step::Values => value.as_object().is_some_and(|map| map.values().any(|value| below(Some(value)))),
    }
}

/// Tries every way that the steps can go until one ends at a value.
fn take(value: &mut Value, steps: &[Step], path: &str) -> Option<(String, Value)> {
    let (step, rest) = steps.split_first()?;
    match step {
        Step::Field(name) if rest.is_empty() => {
            value.as_object_mut()?.remove(name).map(|found| (below(path, name), found))
        }
        Step::Field(name) | Step::Variant(name) => take(value.get_mut(name)?, rest, &below(path, name)),
        Step::Among(_) => take(value, rest, path),
        Step::Index(index) => take(value.get_mut(index)?, rest, &format!("{path}[{index}]")),
        Step::Elements => value
            .as_array_mut()?
            .iter_mut()
            .enumerate()
            .find_map(|(index, element)| take(element, rest, &format!("{path}[{index}]"))),
        Step::Values => value
            .as_object_mut()?
            .iter_mut()
            .find_map(|(key, value)| take(value, rest, &format!("{path}[{key:?}]"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_found_wherever_its_lists_and_maps_hold_it() {
        let mut document =
            json!({"by": {"A": {"cells": [{}, {"mu": 1}]}}, "state": {"Active": {"since": 5}}});
        let field = |name: &str| Step::Field(name.to_owned());
        let mu = Place(vec![field("by"), Step::Values, field("cells"), Step::Elements, field("mu")]);
        assert_eq!(mu.to_string(), "by{}.cells[].mu");
        assert_eq!(mu.take(&mut document), Some(("by[\"A\"].cells[1].mu".to_owned(), json!(1))));
        let since = Place(vec![field("state"), Step::Variant("Active".to_owned()), field("since")]);
        assert_eq!(since.take(&mut document), Some(("state.Active.since".to_owned(), json!(5))));
        assert_eq!(since.take(&mut document), None);
        for path in ["by[\"A\"].cells[1].mu", "by[\"a\\\"]\\\\\"].cells[12].mu"] {
            assert!(mu.leads_to(path), "{path}");
        }
        for path in [
            "",
            "by",
            "by[\"A\"].cells[1]",
            "by[\"A\"].cells[1].mux",
            "by.cells[1].mu",
            "by[\"A].cells[1].mu",
        ] {
            assert!(!mu.leads_to(path), "{path}");
        }
        assert!(since.leads_to("state.Active.since") && !since.leads_to("state.since"));
        assert!(Place(vec![Step::Index(1), field("a.b")]).leads_to("[1][\"a.b\"]"));
        assert_eq!(Place::default().to_string(), "$");
        assert_eq!(Place(vec![Step::Index(1), field("a.b")]).to_string(), "[1][\"a.b\"]");
    }
}
