//! Where two JSON values differ.

use serde::Serialize;
use serde_json::Value;

/// A place where two JSON values differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PathChange {
    /// `quotes[3].sigma`; `$` for the value itself.
    pub(crate) path: String,
    /// Absent if the place is only in the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) a: Option<Value>,
    /// Absent if the place is only in the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) b: Option<Value>,
}

/// The first places where two values differ, and how many there are.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) shown: Vec<PathChange>,
    pub(crate) count: usize,
    shown_max: usize,
}

/// Compares two values; at most `shown_max` places are named, all are counted.
pub(crate) fn compare(a: &Value, b: &Value, shown_max: usize) -> Changes {
    let mut changes = Changes { shown_max, ..Changes::default() };
    changes.walk(&mut String::new(), Some(a), Some(b));
    changes
}

/// A value in a line: long ones are cut, absent ones are `-`.
pub(crate) fn short(value: Option<&Value>) -> String {
    const CHARACTERS_MAX: usize = 40;
    let Some(value) = value else { return "-".to_owned() };
    let text = value.to_string();
    if text.chars().count() <= CHARACTERS_MAX {
        return text;
    }
    text.chars().take(CHARACTERS_MAX - 3).chain("...".chars()).collect()
}

impl Changes {
    fn walk(&mut self, path: &mut String, a: Option<&Value>, b: Option<&Value>) {
        let length = path.len();
        match (a, b) {
            (Some(Value::Object(a)), Some(Value::Object(b))) => {
                let only_b = b.iter().filter(|(name, _)| !a.contains_key(*name));
                for (name, value) in a {
                    push_name(path, name);
                    self.walk(path, Some(value), b.get(name));
                    path.truncate(length);
                }
                for (name, value) in only_b {
                    push_name(path, name);
                    self.walk(path, None, Some(value));
                    path.truncate(length);
                }
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) => {
                for index in 0..a.len().max(b.len()) {
                    path.push_str(&format!("[{index}]"));
                    self.walk(path, a.get(index), b.get(index));
                    path.truncate(length);
                }
            }
            (a, b) if a == b => {}
            (a, b) => self.note(path, a, b),
        }
    }

    fn note(&mut self, path: &str, a: Option<&Value>, b: Option<&Value>) {
        self.count += 1;
        if self.shown.len() < self.shown_max {
            let path = if path.is_empty() { "$" } else { path };
            self.shown.push(PathChange { path: path.to_owned(), a: a.cloned(), b: b.cloned() });
        }
    }
}

/// A name that is no plain word stands in brackets, so that a path reads one way only.
fn push_name(path: &mut String, name: &str) {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    match (plain, path.is_empty()) {
        (true, true) => path.push_str(name),
        (true, false) => path.push_str(&format!(".{name}")),
        (false, _) => path.push_str(&format!("[{}]", Value::from(name))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn paths(a: &Value, b: &Value) -> Vec<String> {
        compare(a, b, 100).shown.into_iter().map(|change| change.path).collect()
    }

    #[test]
    fn each_difference_has_its_path() {
        let a = json!({"q": [{"sigma": 1}, {"sigma": 2}], "k": 1, "gone": null, "same": [1, {"x": 2}]});
        let b = json!({"q": [{"sigma": 1}, {"sigma": 3}, 4], "k": "1", "a b": 0, "same": [1, {"x": 2}]});
        assert_eq!(paths(&a, &b), ["gone", "k", "q[1].sigma", "q[2]", "[\"a b\"]"]);
        assert_eq!(paths(&json!(1), &json!(2)), ["$"]);
    }

    #[test]
    fn all_are_counted_and_some_are_named() {
        let a = Value::from((0..1_000).collect::<Vec<_>>());
        let b = Value::from((1..1_001).collect::<Vec<_>>());
        let changes = compare(&a, &b, 20);
        assert_eq!((changes.count, changes.shown.len()), (1_000, 20));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i8>().prop_map(Value::from),
            "[ab]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[ab.]{0,2}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_are_equal_exactly_if_nothing_differs(a in any_json(), b in any_json()) {
            prop_assert_eq!(compare(&a, &b, 1).count == 0, a == b);
            prop_assert_eq!(compare(&a, &a, 1).count, 0);
            prop_assert_eq!(compare(&a, &b, 1).count, compare(&b, &a, 1).count);
        }
    }
}
