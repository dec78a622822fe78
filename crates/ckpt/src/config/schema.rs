//! The JSON Schema of a configuration file, made from the table that its reader goes by.

use serde_json::{Map, Value, json};

use ckpt_format::{ByteSize, EventClass};

use super::Config;
use super::keys::{self, About, Section, TOP, USE_DEFAULT};
use super::read::{COUNT_MAX, Shape};

const METRIC: &str = "[^\\s:,]+";
const PHASE: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";

impl Config {
    /// The JSON Schema (draft 2020-12) of a configuration file, for editors; in this repository it stands in `docs/schema`.
    ///
    /// What holds between keys is not in it: that is checked at load.
    pub fn json_schema() -> String {
        let sections = Section::NAMED.map(|section| (section.name(), section_schema(section)));
        let mut phase = properties(Section::Phase);
        phase.extend(Section::NAMED.map(|section| (section.name().to_owned(), reference(section.name()))));
        let mut top = phase.clone();
        top.insert("paths".to_owned(), reference("paths"));
        top.insert(USE_DEFAULT.to_owned(), json!({
            "description": "This file overrides another: the one given before it, or checkpoint_config.yaml, .yml or .toml beside it.",
            "type": "boolean",
        }));
        let mut definitions: Map<String, Value> =
            sections.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
        definitions.insert(
            "phase".to_owned(),
            closed(phase, "What holds for one phase, over what holds for every phase."),
        );
        definitions.insert("paths".to_owned(), json!({
            "description": "For each phase the directory of its run. {market} becomes the market, {phase} the phase.",
            "type": ["object", "null"],
            "additionalProperties": {
                "type": "string",
                "minLength": 1,
                "pattern": "^([^{}]|\\{market\\}|\\{phase\\})*$",
            },
            "propertyNames": {"pattern": PHASE},
        }));
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Configuration of checkpoints",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                TOP: {
                    "description": "Sections, keys for every phase, and phases: any other mapping.",
                    "type": ["object", "null"],
                    "properties": top,
                    "additionalProperties": reference("phase"),
                    "propertyNames": {"pattern": PHASE},
                },
            },
            "$defs": definitions,
        });
        format!("{schema:#}\n")
    }
}

fn section_schema(section: Section) -> Value {
    let about = match section {
        Section::Events => "The events that make checkpoints.",
        Section::Retention => "What to keep.",
        Section::Performance => "The disk and the bytes.",
        Section::Phase => "",
    };
    closed(properties(section), about)
}

/// A mapping, or nothing, without other keys than these.
fn closed(properties: Map<String, Value>, description: &str) -> Value {
    json!({
        "description": description,
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": false,
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn properties(section: Section) -> Map<String, Value> {
    section.keys().map(|key| (key.about().name.to_owned(), property(key.about()))).collect()
}

fn property(about: &About) -> Value {
    let mut schema = shape(about);
    if let Value::Object(map) = &mut schema {
        map.insert("description".to_owned(), about.meaning.into());
        // A default that is no value is said in words, in the documentation.
        let default = about.default.parse().ok().or_else(|| match about.shape {
            Shape::Choice(_) | Shape::Unit | Shape::Compression => Some(about.default.into()),
            _ => None,
        });
        if let Some(default) = default {
            map.insert("default".to_owned(), default);
        }
    }
    schema
}

fn shape(about: &About) -> Value {
    let count = || json!({"type": "integer", "minimum": 0, "maximum": COUNT_MAX});
    let list = |items: Value| json!({"type": "array", "items": items, "uniqueItems": true});
    match about.shape {
        Shape::Flag if about.name == keys::ATOMIC_SAVES.about.name => json!({"const": true}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Count => count(),
        Shape::Integer(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Shape::Number { least, most, most_allowed } => {
            let upper = if most_allowed { "maximum" } else { "exclusiveMaximum" };
            json!({"type": "number", "minimum": least, upper: most})
        }
        Shape::Choice(choices) => json!({"enum": choices}),
        Shape::Unit => json!({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,31}$"}),
        Shape::Names => list(json!({"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"})),
        Shape::Metrics => list(json!({"type": "string", "pattern": format!("^{METRIC}(:(min|max))?$")})),
        Shape::Classes => list(json!({"enum": EventClass::ALL.map(EventClass::as_str)})),
        Shape::Budgets => json!({"anyOf": [
            {
                "type": "object",
                "additionalProperties": count(),
                "propertyNames": {"pattern": format!("^{METRIC}(:(min|max))?$")},
            },
            list(json!({"type": "string", "pattern": format!("^{METRIC}:[0-9]+(:(min|max))?$")})),
        ]}),
        Shape::Bytes => json!({"anyOf": [
            count(),
            {"type": "string", "pattern": ByteSize::PATTERN},
        ]}),
        Shape::Compression => json!({"anyOf": [
            {"type": "boolean"},
            {"enum": ["by_sample", "always", "never"]},
        ]}),
    }
}
