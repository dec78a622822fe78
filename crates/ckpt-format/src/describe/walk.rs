//! From a JSON Schema to the list of its fields and variants, in the words of the field table.

use serde_json::{Map, Value};

use super::path::{Place, Step};
use super::said::Said;
use super::shape::Field;

/// One field, variant or part of a value that says something of itself.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) field: Field,
    /// Its doc comment; that of its type if it has none.
    pub(super) meaning: String,
    pub(super) owner: Owner,
    /// A field of a struct, which a stored document may lack.
    pub(super) removable: bool,
    /// A field that is read and not written: `skip_serializing`.
    pub(super) never_written: bool,
    /// What its own place says of unit and range; the rest is said by its type.
    pub(super) own: Said,
}

/// Whose `Default` speaks for a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// The stored type.
    Root,
    /// A struct inside, by the name of its schema, and how many steps lead to it.
    Part(String, usize),
    /// Nobody: the data of a variant, a tuple.
    Nobody,
}

/// The word for a struct.
pub(super) const OBJECT: &str = "object";

/// The word for a variant; what it holds stands after it.
const VARIANT: &str = "variant";

/// The words for a type inside itself.
pub(super) const ITSELF: &str = "object of the same type";

/// Everything in the schema of a stored type, in alphabetical order of the fields of each struct.
pub(super) fn walk(schema: &Value) -> Vec<Found> {
    let nothing = Map::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&nothing);
    let mut walk = Walk { definitions, found: Vec::new(), open: Vec::new() };
    let root = Place::default();
    if is_struct(schema) {
        let type_name = walk.inside(schema, &root, &Owner::Root);
        // A struct is told by its fields; what else is flattened into it is said of the value itself.
        if type_name != OBJECT {
            walk.note(root, type_name, String::new());
        }
    } else {
        walk.part(schema, &root, &Owner::Root, false, true);
    }
    walk.found
}

struct Walk<'a> {
    definitions: &'a Map<String, Value>,
    found: Vec<Found>,
    /// Types that are being walked, so that one that holds itself ends.
    open: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    /// Notes a part and what is below it. What is neither a field nor says anything of itself is told by its parent's type.
    fn part(
        &mut self,
        schema: &'a Value,
        place: &Place,
        owner: &Owner,
        removable: bool,
        always: bool,
    ) -> String {
        let index = self.found.len();
        let said = self.said(schema);
        let noted = always || !said.is_nothing();
        if noted {
            let meaning = self.meaning(schema);
            let Said { unit, range } = said;
            let field = Field { unit, range, release: 1, ..Field::default() };
            let never_written = schema.get("writeOnly") == Some(&Value::Bool(true));
            let (place, owner, own) = (place.clone(), owner.clone(), Said::of(schema));
            self.found.push(Found { place, field, meaning, owner, removable, never_written, own });
        }
        let type_name = self.type_of(schema, place, owner);
        if let Some(found) = self.found.get_mut(index).filter(|_| noted) {
            found.field.type_name.clone_from(&type_name);
        }
        type_name
    }

    /// The words for a type; notes the fields and variants inside.
    fn type_of(&mut self, schema: &'a Value, place: &Place, owner: &Owner) -> String {
        if let Some(name) = reference(schema) {
            return self.definition(name, place);
        }
        if is_root(schema) {
            return ITSELF.to_owned();
        }
        if let Some(only) = array(schema, "allOf").and_then(|all| all.first()) {
            return self.type_of(only, place, owner);
        }
        for word in ["anyOf", "oneOf"] {
            if let Some(parts) = array(schema, word) {
                return self.one_of(parts, place, owner);
            }
        }
        if let Some(names) = array(schema, "enum") {
            for name in names.iter().filter_map(Value::as_str) {
                self.variant(name, place, String::new());
            }
            return optional("enum", names.contains(&Value::Null));
        }
        match schema.get("type") {
            Some(Value::String(name)) => self.plain(name, schema, place, owner),
            Some(Value::Array(names)) => {
                let named = names.iter().filter_map(Value::as_str).find(|name| *name != "null");
                let name = self.plain(named.unwrap_or("null"), schema, place, owner);
                optional(&name, names.iter().any(|name| name == "null"))
            }
            _ if schema.get("const").is_some() => format!("constant {}", schema["const"]),
            _ => "any".to_owned(),
        }
    }

    fn definition(&mut self, name: &'a str, place: &Place) -> String {
        if self.open.contains(&name) {
            return ITSELF.to_owned();
        }
        let Some(schema) = self.definitions.get(name) else { return "any".to_owned() };
        self.open.push(name);
        let type_name = self.inside(schema, place, &Owner::Part(name.to_owned(), place.0.len()));
        self.open.pop();
        type_name
    }

    fn plain(&mut self, name: &str, schema: &'a Value, place: &Place, owner: &Owner) -> String {
        let format = schema.get("format").and_then(Value::as_str);
        match (name, format) {
            ("number", Some("float")) => "f32".to_owned(),
            ("number", _) => "f64".to_owned(),
            ("integer", Some(format)) => integer(format),
            ("boolean", _) => "bool".to_owned(),
            ("array", _) => self.array(schema, place),
            ("object", _) => self.object(schema, place, owner),
            (name, Some(format)) => format!("{name} ({format})"),
            (name, None) => name.to_owned(),
        }
    }

    fn array(&mut self, schema: &'a Value, place: &Place) -> String {
        if let Some(elements) = array(schema, "prefixItems") {
            let names: Vec<String> = elements
                .iter()
                .enumerate()
                .map(|(index, element)| {
                    self.part(element, &place.then(Step::Index(index)), &Owner::Nobody, false, false)
                })
                .collect();
            return format!("({})", names.join(", "));
        }
        let element = match schema.get("items") {
            Some(items) => self.part(items, &place.then(Step::Elements), &Owner::Nobody, false, false),
            None => "any".to_owned(),
        };
        match (schema.get("minItems"), schema.get("maxItems")) {
            (Some(least), Some(most)) if least == most => format!("[{element}; {least}]"),
            _ if schema.get("uniqueItems") == Some(&Value::Bool(true)) => format!("set of {element}"),
            _ => format!("list of {element}"),
        }
    }

    /// The words for what a struct or a variant holds: what looks like a map with keys of its own is its fields.
    fn inside(&mut self, schema: &'a Value, place: &Place, owner: &Owner) -> String {
        match schema.get("properties").and_then(Value::as_object) {
            Some(fields) if reference(schema).is_none() => self.fields(fields, schema, place, owner),
            _ => self.type_of(schema, place, owner),
        }
    }

    /// The fields of a struct, and what is flattened into it.
    fn fields(
        &mut self,
        fields: &'a Map<String, Value>,
        schema: &'a Value,
        place: &Place,
        owner: &Owner,
    ) -> String {
        for (name, field) in fields {
            self.part(field, &place.then(Step::Field(name.clone())), owner, true, true);
        }
        let mut names = vec![OBJECT.to_owned()];
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            let value = self.part(values, &place.then(Step::Values), &Owner::Nobody, false, false);
            names.push(format!("map of {value}"));
        }
        for word in ["anyOf", "oneOf"] {
            if let Some(parts) = array(schema, word) {
                names.push(self.one_of(parts, place, owner));
            }
        }
        for part in array(schema, "allOf").into_iter().flatten() {
            names.push(self.type_of(part, place, owner));
        }
        names.join(" with ")
    }

    fn object(&mut self, schema: &'a Value, place: &Place, owner: &Owner) -> String {
        if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
            let Some(values) = map_by_names(schema, fields) else {
                return self.fields(fields, schema, place, owner);
            };
            let value = self.part(values, &place.then(Step::Values), &Owner::Nobody, false, false);
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            return format!("map of {value} by {}", names.join(", "));
        }
        let keys =
            schema.get("patternProperties").and_then(Value::as_object).and_then(|keys| keys.iter().next());
        let values = keys.map(|(_, values)| values).or_else(|| schema.get("additionalProperties"));
        let by = keys.map(|(pattern, _)| format!(" by {pattern}")).unwrap_or_default();
        match values {
            Some(values) if values.is_object() || values == &Value::Bool(true) => {
                let value = self.part(values, &place.then(Step::Values), &Owner::Nobody, false, false);
                format!("map of {value}{by}")
            }
            _ => OBJECT.to_owned(),
        }
    }

    /// `Option`, or an enum.
    fn one_of(&mut self, parts: &'a [Value], place: &Place, owner: &Owner) -> String {
        let nullable = parts.iter().any(is_null);
        let parts: Vec<&Value> = parts.iter().filter(|part| !is_null(part)).collect();
        if let [only] = parts.as_slice()
            && nullable
        {
            return optional(&self.type_of(only, place, owner), true);
        }
        for (index, part) in parts.iter().enumerate() {
            self.alternative(index, part, place);
        }
        optional("enum", nullable)
    }

    fn alternative(&mut self, index: usize, part: &'a Value, place: &Place) {
        let meaning = self.meaning(part);
        if let Some(name) = part.get("const").and_then(Value::as_str) {
            return self.variant(name, place, meaning);
        }
        if let Some(names) = array(part, "enum") {
            return names
                .iter()
                .filter_map(Value::as_str)
                .for_each(|name| self.variant(name, place, String::new()));
        }
        let fields = part.get("properties").and_then(Value::as_object);
        let tag = fields.and_then(|fields| fields.values().find_map(|field| field.get("const")?.as_str()));
        match (fields.map(|fields| fields.iter().collect::<Vec<_>>()).as_deref(), tag) {
            (_, Some(name)) => self.among(name.to_owned(), part, place, meaning),
            (Some([(name, data)]), None) => {
                let below = place.then(Step::Variant((*name).clone()));
                let index = self.found.len();
                self.variant(name, place, meaning);
                let said = self.said(data);
                let type_name = self.inside(data, &below, &Owner::Nobody);
                if let Some(found) = self.found.get_mut(index) {
                    found.field.type_name = format!("variant of {type_name}");
                    (found.field.unit, found.field.range) = (said.unit, said.range);
                    found.own = Said::of(data);
                }
            }
            _ => self.among(index.to_string(), part, place, meaning),
        }
    }

    /// A variant that is told by a tag among its fields, or by its form.
    fn among(&mut self, name: String, part: &'a Value, place: &Place, meaning: String) {
        let below = place.then(Step::Among(name));
        let index = self.found.len();
        self.note(below.clone(), VARIANT.to_owned(), meaning);
        let type_name = self.inside(part, &below, &Owner::Nobody);
        if let Some(found) = self.found.get_mut(index) {
            found.field.type_name = format!("variant of {type_name}");
        }
    }

    fn variant(&mut self, name: &str, place: &Place, meaning: String) {
        self.note(place.then(Step::Variant(name.to_owned())), VARIANT.to_owned(), meaning);
    }

    /// What is no field of a struct.
    fn note(&mut self, place: Place, type_name: String, meaning: String) {
        let field = Field { type_name, release: 1, ..Field::default() };
        let (owner, removable, never_written, own) = (Owner::Nobody, false, false, Said::default());
        self.found.push(Found { place, field, meaning, owner, removable, never_written, own });
    }

    /// Unit and range: its own, or those of its type, such as `struct Bps(f64)`.
    fn said(&self, schema: &'a Value) -> Said {
        let mut said = Said::of(schema);
        let mut types = Vec::new();
        let mut schema = schema;
        while let Some(inner) = self.of_type(schema).filter(|inner| !types.contains(inner)) {
            said = said.or(Said::of(inner));
            types.push(inner);
            schema = inner;
        }
        said
    }

    /// The type that a schema stands for without a word in the text: by its name, or as an option of it.
    fn of_type(&self, schema: &'a Value) -> Option<&'a Value> {
        if let Some(name) = reference(schema) {
            return self.definitions.get(name);
        }
        if schema.get("properties").is_some() {
            return None;
        }
        if let Some(only) = array(schema, "allOf").and_then(|all| all.first()) {
            return Some(only);
        }
        let parts = array(schema, "anyOf").or_else(|| array(schema, "oneOf"))?;
        match parts.iter().filter(|part| !is_null(part)).collect::<Vec<_>>().as_slice() {
            [only] if parts.len() > 1 => Some(only),
            _ => None,
        }
    }

    fn meaning(&self, schema: &Value) -> String {
        let said = |schema: &Value| schema.get("description").and_then(Value::as_str).map(str::to_owned);
        let of_type = || said(self.definitions.get(reference(schema)?)?);
        said(schema).or_else(of_type).unwrap_or_default()
    }
}

/// A struct, with or without fields.
fn is_struct(schema: &Value) -> bool {
    let is_map = ["additionalProperties", "patternProperties"];
    let is_map =
        || is_map.iter().any(|word| schema.get(*word).is_some_and(|values| values != &Value::Bool(false)));
    let is_empty = || schema.get("type").is_some_and(|name| name == "object") && !is_map();
    schema.get("properties").is_some() || is_empty()
}

/// What a map holds whose keys are an enum: a property for each of them, all the same and none with a default. Structs stand
/// under a name.
pub(super) fn map_by_names<'a>(schema: &Value, properties: &'a Map<String, Value>) -> Option<&'a Value> {
    let first = properties.values().next()?;
    let is_map = schema.get("additionalProperties") == Some(&Value::Bool(false))
        && schema.get("required").is_none()
        && properties.values().all(|property| property == first && property.get("default").is_none());
    is_map.then_some(first)
}

/// The stored type inside itself.
pub(super) fn is_root(schema: &Value) -> bool {
    schema.get("$ref").is_some_and(|reference| reference == "#")
}

pub(super) fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

pub(super) fn array<'a>(schema: &'a Value, word: &str) -> Option<&'a [Value]> {
    schema.get(word)?.as_array().map(Vec::as_slice)
}

/// `None` of an `Option` of something that is not plain.
pub(super) fn is_null(part: &Value) -> bool {
    part.get("type").is_some_and(|name| name == "null")
}

fn optional(type_name: &str, nullable: bool) -> String {
    if nullable { format!("option of {type_name}") } else { type_name.to_owned() }
}

/// `uint64` is `u64`, `uint` is `usize`.
fn integer(format: &str) -> String {
    let (sign, width) = format.strip_prefix('u').map_or(('i', format), |rest| ('u', rest));
    match width.strip_prefix("int") {
        Some("") => format!("{sign}size"),
        Some(bits) => format!("{sign}{bits}"),
        None => format.to_owned(),
    }
}
