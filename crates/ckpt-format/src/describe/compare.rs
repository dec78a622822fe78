//! What was released against what the code says: the rules of the lock.

use serde_json::{Map, Value};

use super::came::Came;
use super::refusal::Rule;
use super::shape::{Field, Shape};

/// A place at which two documents differ, with what each has there.
pub(super) type Different = (String, Option<Value>, Option<Value>);

/// Whether a version may still grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The newest version of its kind: JSON may get fields with defaults.
    Current,
    /// A version that others came after: nothing may change.
    Frozen {
        /// The version after which it is frozen.
        version: u32,
        /// The newest version.
        current: u32,
    },
}

/// What the code changed about a released shape, and may not: the paths with the rules they break.
///
/// ```
/// use ckpt_format::describe::{Field, Rule, Shape, Standing, compare};
///
/// let field = |unit: &str| Field { type_name: "f64".into(), unit: Some(unit.into()), ..Field::default() };
/// let shape = |unit| Shape { codec: "json".into(), fields: [("spread".into(), field(unit))].into(), ..Shape::default() };
/// assert!(compare(&shape("bps"), &shape("bps"), Standing::Current).is_empty());
/// let refused = compare(&shape("bps"), &shape("USD"), Standing::Current);
/// assert_eq!(refused[0].0, "spread");
/// assert!(matches!(refused[0].1, Rule::UnitChanged { .. }));
/// ```
pub fn compare(locked: &Shape, code: &Shape, standing: Standing) -> Vec<(String, Rule)> {
    let mut refused = Vec::new();
    if locked.codec != code.codec {
        let rule = Rule::CodecChanged { locked: locked.codec.clone(), code: code.codec.clone() };
        refused.push(("$".to_owned(), rule));
    } else if !locked.trace.is_empty() || !code.trace.is_empty() {
        refused.extend(traces(locked, code));
    }
    // A trace that differs tells it better than the fields do.
    let is_traced = !refused.is_empty() || !locked.trace.is_empty();
    refused.extend(fields(locked, code, is_traced));
    refused.extend(keys(locked, code));
    if let Standing::Frozen { version, current } = standing {
        if !is_traced {
            let added = code.fields.keys().filter(|path| !locked.fields.contains_key(*path));
            let added: Vec<_> =
                added.filter(|path| !refused.iter().any(|(known, _)| known == *path)).collect();
            refused.extend(added.into_iter().map(|path| (path.clone(), Rule::NewFieldWithoutDefault)));
        }
        for (path, rule) in &mut refused {
            let what = change(rule, code.fields.contains_key(path) && !locked.fields.contains_key(path));
            *rule = Rule::FrozenChanged { version, current, what };
        }
    }
    refused
}

/// The first words of a rule: what changed, without the way out.
fn change(rule: &Rule, is_new: bool) -> String {
    if is_new {
        return "is new".to_owned();
    }
    let text = rule.to_string();
    text.split([':', ';']).next().unwrap_or_default().to_owned()
}

fn traces(locked: &Shape, code: &Shape) -> Vec<(String, Rule)> {
    let absent = || "absent".to_owned();
    let paths: std::collections::BTreeSet<&String> = locked.trace.keys().chain(code.trace.keys()).collect();
    let mut refused: Vec<(String, Rule)> = Vec::new();
    for path in paths {
        let (old, new) = (locked.trace.get(path), code.trace.get(path));
        let rule = || Rule::TraceChanged {
            locked: old.cloned().unwrap_or_else(absent),
            code: new.cloned().unwrap_or_else(absent),
        };
        if old != new {
            refused.push((path.clone(), rule()));
        }
    }
    refused
}

/// Keys that are read as something else, where both are known.
fn keys(locked: &Shape, code: &Shape) -> Vec<(String, Rule)> {
    let both = locked.keys.iter().filter_map(|(path, old)| Some((path, old, code.keys.get(path)?)));
    both.filter(|(_, old, new)| old != new)
        .map(|(path, old, new)| (path.clone(), Rule::TypeChanged { locked: old.clone(), code: new.clone() }))
        .collect()
}

fn fields(locked: &Shape, code: &Shape, is_traced: bool) -> Vec<(String, Rule)> {
    let mut refused = Vec::new();
    let is_other_codec = locked.codec != code.codec;
    let came = Came { locked, code, release: u32::MAX };
    let added: Vec<(&String, &Field)> =
        code.fields.iter().filter(|(path, _)| !locked.fields.contains_key(*path)).collect();
    for (path, old) in &locked.fields {
        let Some(new) = code.fields.get(path) else {
            // With what holds it, it is gone as well: said once.
            let inside_what_is_gone = parents(path)
                .any(|parent| locked.fields.contains_key(parent) && !code.fields.contains_key(parent));
            if !is_traced && !inside_what_is_gone {
                refused.push((path.clone(), gone(path, old, &added)));
            }
            continue;
        };
        // Another codec has no defaults, or has them where there were none: said once.
        let rules = one(path, old, new, is_traced, &came).into_iter();
        let rules = rules.filter(|rule| !(is_other_codec && matches!(rule, Rule::DefaultRemoved { .. })));
        refused.extend(rules.map(|rule| (path.clone(), rule)));
    }
    if is_traced {
        return refused;
    }
    for (path, new) in added {
        let inside_what_is_new = parents(path)
            .any(|parent| code.fields.contains_key(parent) && !locked.fields.contains_key(parent));
        if inside_what_is_new {
            continue;
        }
        if new.type_name.starts_with("variant") {
            refused.push((path.clone(), Rule::NewVariant));
        } else if is_part(path) {
            if refused.iter().any(|(known, _)| parents(path).any(|parent| parent == known)) {
                continue;
            }
            // It is noted because it says something now, where it said nothing before.
            let before = Field { type_name: new.type_name.clone(), ..Field::default() };
            let rules = one(path, &before, new, is_traced, &came);
            refused.extend(rules.into_iter().map(|rule| (path.clone(), rule)));
        } else if new.default.is_none() {
            refused.push((path.clone(), Rule::NewFieldWithoutDefault));
        }
    }
    refused
}

/// Elements, values and members of a tuple are no fields: nothing can lack them alone. A field whose name is no identifier
/// ends in a bracket too: `["half-spread"]`.
pub(super) fn is_part(path: &str) -> bool {
    path == "$" || (path.ends_with([']', '}']) && !path.ends_with("\"]"))
}

/// The paths that hold this one, outermost first.
pub(super) fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices(['.', '[', '{', '<'])
        .filter_map(|(end, _)| path.get(..end))
        .filter(|parent| !parent.is_empty())
}

fn gone(path: &str, old: &Field, added: &[(&String, &Field)]) -> Rule {
    if old.type_name.starts_with("variant") {
        return Rule::VariantRemoved;
    }
    let beside = |other: &str| parents(other).last() == parents(path).last();
    let same = |new: &Field| new.type_name == old.type_name && new.unit == old.unit && new.range == old.range;
    match added.iter().filter(|(other, new)| beside(other) && same(new)).collect::<Vec<_>>().as_slice() {
        [(to, _)] => Rule::Renamed { path: path.to_owned(), to: (*to).clone() },
        _ => Rule::Removed,
    }
}

fn one(path: &str, old: &Field, new: &Field, is_traced: bool, came: &Came<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    if old.type_name != new.type_name && !is_traced {
        rules.push(Rule::TypeChanged { locked: old.type_name.clone(), code: new.type_name.clone() });
    }
    if old.unit != new.unit {
        rules.push(Rule::UnitChanged { locked: in_words(&old.unit), code: in_words(&new.unit) });
    }
    if old.range != new.range {
        rules.push(Rule::RangeChanged { locked: bounds(&old.range), code: bounds(&new.range) });
    }
    // A type that changed has another default: said once.
    match (&old.default, &new.default) {
        (Some(locked), Some(code)) if rules.is_empty() && came.other(locked, code, path).is_some() => {
            rules.push(Rule::DefaultChanged { locked: locked.clone(), code: code.clone() });
        }
        (Some(locked), None) if rules.is_empty() => {
            rules.push(Rule::DefaultRemoved { locked: locked.clone() });
        }
        _ => {}
    }
    rules
}

fn in_words(unit: &Option<String>) -> String {
    unit.clone().unwrap_or_else(|| "no unit".to_owned())
}

fn bounds(range: &Map<String, Value>) -> String {
    if range.is_empty() { "none".to_owned() } else { Value::Object(range.clone()).to_string() }
}

/// The first place at which a document lacks what was recorded of it or has something else; what it has beyond that is no
/// loss. With what was recorded and what is there.
pub(super) fn first_loss(recorded: &Value, found: &Value, path: &str) -> Option<(String, Value, Value)> {
    let both =
        |(path, recorded, found): Different| (path, recorded.unwrap_or_default(), found.unwrap_or_default());
    difference(recorded, found, path, false).map(both)
}

/// The first place at which two documents differ, with what each has there. `both_ways`: what only the second has is a
/// difference too.
pub(super) fn difference(one: &Value, other: &Value, path: &str, both_ways: bool) -> Option<Different> {
    use super::path::below;
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let shared = one.iter().find_map(|(name, value)| match other.get(name) {
                Some(there) => difference(value, there, &below(path, name), both_ways),
                None => Some((below(path, name), Some(value.clone()), None)),
            });
            let more = || other.iter().find(|(name, _)| both_ways && !one.contains_key(*name));
            shared.or_else(|| more().map(|(name, value)| (below(path, name), None, Some(value.clone()))))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut elements = one.iter().zip(other).enumerate();
            elements.find_map(|(index, (value, there))| {
                difference(value, there, &format!("{path}[{index}]"), both_ways)
            })
        }
        _ if one == other => None,
        _ => {
            let path = if path.is_empty() { "$" } else { path };
            Some((path.to_owned(), Some(one.clone()), Some(other.clone())))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A map inside an option, a list or a struct was taken for a struct, to which fields may come.
    #[test]
    fn a_default_may_get_the_fields_of_a_struct_but_no_entries_of_a_map() {
        let shape = |fields: &[(&str, &str, Option<Value>)]| {
            let field = |(path, type_name, default): &(&str, &str, Option<Value>)| {
                let (type_name, default) = ((*type_name).to_owned(), default.clone());
                ((*path).to_owned(), Field { type_name, default, release: 1, ..Field::default() })
            };
            let fields = fields.iter().map(field).collect();
            Shape { codec: "json".to_owned(), fields, ..Shape::default() }
        };
        let refused = |type_name: &str, locked: Value, code: Value| {
            let of = |default| shape(&[("it", type_name, Some(default))]);
            compare(&of(locked), &of(code), Standing::Current)
        };
        for (type_name, locked, code) in [
            ("map of f64", json!({}), json!({"ETH": 1.0})),
            ("option of map of f64", json!({}), json!({"ETH": 1.0})),
            ("list of map of f64", json!([{}]), json!([{"ETH": 1.0}])),
            ("object", json!({"by": {}}), json!({"by": {"ETH": 1.0}})),
            // A field that was left out of the text before.
            ("object", json!({"mu": 1.0}), json!({"mu": 1.0, "kappa": 5.0})),
        ] {
            let refused = refused(type_name, locked, code);
            assert!(
                matches!(refused.as_slice(), [(_, Rule::DefaultChanged { .. })]),
                "{type_name}: {refused:?}"
            );
        }
        let locked =
            [("it", "list of object", Some(json!([{"mu": 1.0}]))), ("it[].mu", "f64", Some(json!(0.0)))];
        let mut code = locked.to_vec();
        code[0].2 = Some(json!([{"mu": 1.0, "kappa": 5.0}]));
        code.push(("it[].kappa", "f64", Some(json!(0.01))));
        assert_eq!(compare(&shape(&locked), &shape(&code), Standing::Current), []);
    }
}
