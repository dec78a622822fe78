//! Environment variables that override a configuration. They are an argument: a library does not read its environment.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::error::{ConfigProblem, ValueSource};
use super::keys::{Known, Section, USE_DEFAULT};
use super::layer::{Layer, names_in_phase, names_in_top, unknown};
use super::nearest::nearest;
use super::read::Shape;
use super::tree::{Node, Value};

/// What the variables begin with.
pub(super) const PREFIX: &str = "CKPT_CONFIG__";

/// Reads the variables with the prefix; `phases` are those of the files.
pub(super) fn layer(variables: &BTreeMap<String, OsString>, phases: &[String]) -> Layer {
    let mut layer = Layer::default();
    for (variable, value) in variables {
        let source = ValueSource::Environment { variable: variable.clone() };
        let outcome = match value.to_str() {
            Some(value) => state(&mut layer, variable, value, phases),
            None => Err("the value is not UTF-8".to_owned()),
        };
        if let Err(message) = outcome {
            layer.problems.push(ConfigProblem { source, message });
        }
    }
    layer
}

fn state(layer: &mut Layer, variable: &str, value: &str, phases: &[String]) -> Result<(), String> {
    let path = variable.strip_prefix(PREFIX).unwrap_or_default().to_lowercase();
    let parts: Vec<&str> = path.split("__").collect();
    let at = |_| ValueSource::Environment { variable: variable.to_owned() };
    let (phase, key) = match parts.as_slice() {
        [USE_DEFAULT] => return Err(format!("`{USE_DEFAULT}` is said by a file, not by the environment")),
        [key] => (None, Section::Phase.key(key).ok_or_else(|| unknown(key, "", &names_in_top()))?),
        ["paths", name] => {
            let phase = phase(name, phases)?;
            layer.state_path(phase, &Node { line: 0, value: Value::Text(value.to_owned()) }, at(0));
            return Ok(());
        }
        [first, key] => match Section::named(first) {
            Some(section) => (None, in_section(section, key)?),
            None => {
                let phase = phase(first, phases)?;
                let known = || unknown(key, &format!("phase {phase:?}"), &names_in_phase());
                (Some(phase), Section::Phase.key(key).ok_or_else(known)?)
            }
        },
        [first, section, key] => {
            let phase = phase(first, phases)?;
            let known = || unknown(section, &format!("phase {phase:?}"), &Section::NAMED.map(Section::name));
            (Some(phase), in_section(Section::named(section).ok_or_else(known)?, key)?)
        }
        _ => {
            return Err(format!(
                "no key has so many parts; write {PREFIX}KEY, {PREFIX}SECTION__KEY or {PREFIX}PHASE__KEY"
            ));
        }
    };
    layer.state(phase, key, Node { line: 0, value: typed(value, &key.about().shape) }, at);
    Ok(())
}

fn in_section(section: Section, key: &str) -> Result<&'static dyn Known, String> {
    let names: Vec<&str> = section.keys().map(|key| key.about().name).collect();
    section.key(key).ok_or_else(|| unknown(key, &format!("`{}`", section.name()), &names))
}

/// The phase that is written like this in a variable.
fn phase<'a>(name: &str, phases: &'a [String]) -> Result<&'a str, String> {
    let written = |phase: &str| phase.to_lowercase().replace(['-', '.'], "_");
    let found: Vec<&str> = phases.iter().map(String::as_str).filter(|phase| written(phase) == name).collect();
    match found.as_slice() {
        [phase] => Ok(phase),
        [] => {
            let names: Vec<String> = phases.iter().map(|phase| written(phase)).collect();
            let sections = Section::NAMED.map(Section::name);
            let near = nearest(name, names.iter().map(String::as_str).chain(sections).chain(["paths"]));
            let near =
                near.map(|near| format!(": did you mean {}?", near.to_uppercase())).unwrap_or_default();
            Err(format!("no section and no phase is called {}{near}", name.to_uppercase()))
        }
        several => Err(format!(
            "{} is written the same for the phases {}",
            name.to_uppercase(),
            several.join(" and ")
        )),
    }
}

/// A text as the value that a file would have for such a key.
fn typed(text: &str, shape: &Shape) -> Value {
    let scalar = |text: &str| match text {
        "true" => Value::Flag(true),
        "false" => Value::Flag(false),
        _ => match (text.parse(), text.parse()) {
            (Ok(integer), _) => Value::Integer(integer),
            (Err(_), Ok(float)) => Value::Float(float),
            (Err(_), Err(_)) => Value::Text(text.to_owned()),
        },
    };
    match shape {
        Shape::Unit | Shape::Choice(_) => Value::Text(text.to_owned()),
        Shape::Names | Shape::Metrics | Shape::Budgets | Shape::Classes => {
            let items = text.split(',').map(str::trim).filter(|_| !text.trim().is_empty());
            Value::List(items.map(|item| Node { line: 0, value: Value::Text(item.to_owned()) }).collect())
        }
        _ => scalar(text.trim()),
    }
}
