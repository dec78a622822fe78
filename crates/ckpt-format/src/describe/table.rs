//! What a version of a kind is, for people: the fields in their order, each with type, unit, default, since, meaning.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::lock::Locked;
use super::version::Description;
use super::walk::Found;

/// A version of a kind, as its page shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionTable {
    /// The version.
    pub version: u32,
    /// Name of the codec that it is written with.
    pub codec: String,
    /// Whether it is in the lock.
    pub is_released: bool,
    /// Its golden files, by their paths in the folder.
    pub golden: Vec<String>,
    /// What the type says of itself.
    pub about: String,
    /// Its fields and variants, in the order in which they are written. A struct that was shown already is not shown again.
    pub rows: Vec<TableRow>,
    /// Its JSON Schema as it is published.
    pub schema: Value,
}

/// A field or a variant.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    /// Its path: `cells[].mu`.
    pub path: String,
    /// Its type, with its range: `f64, > 0`.
    pub type_name: String,
    /// The path of the struct that was shown already, if what is inside is the same.
    pub like: Option<String>,
    /// Of one that is like another: the defaults of its fields are those in its own `default`, not the other's.
    pub has_own_defaults: bool,
    /// What it is measured in, if it said so.
    pub unit: Option<String>,
    /// What arrives if a stored document lacks it; none if such a document is refused, and for what can't be lacking.
    pub default: Option<Value>,
    /// A field that a stored document must have.
    pub is_required: bool,
    /// The version since which it stands there without a break, with the release if it came to that one later: `1, release 2`.
    pub since: String,
    /// Its doc comment.
    pub meaning: String,
}

impl VersionTable {
    /// The first sentence of what the type says of itself.
    pub fn summary(&self) -> &str {
        let paragraph = self.about.split("\n\n").next().unwrap_or_default();
        let end = paragraph.find(". ").map_or(paragraph.len(), |end| end + 1);
        paragraph.get(..end).unwrap_or(paragraph)
    }
}

/// Characters of a default in a table.
const DEFAULT_LENGTH_MAX: usize = 60;

/// The versions of a kind, oldest first.
pub(super) fn tables(versions: &[Description], locked: &BTreeMap<u32, Locked>) -> Vec<VersionTable> {
    let table = |(index, description): (usize, &Description)| {
        let version = description.version.number;
        let released = locked.get(&version);
        let so_far = versions.get(..=index).unwrap_or_default();
        let row = |found: &Found| TableRow::new(found, since(found, so_far, locked));
        VersionTable {
            version,
            codec: description.version.codec.to_string(),
            is_released: released.is_some(),
            golden: released
                .iter()
                .flat_map(|locked| &locked.golden)
                .map(|golden| golden.file.clone())
                .collect(),
            about: about(description).to_owned(),
            rows: shown_once(&in_order(description).into_iter().map(row).collect::<Vec<_>>()),
            schema: published(description),
        }
    };
    versions.iter().enumerate().map(table).collect()
}

impl TableRow {
    /// The default as a text that fits a table; the long one of a list or struct is in the JSON Schema.
    pub fn default_text(&self) -> Option<String> {
        let text = self.default.as_ref()?.to_string();
        if text.chars().count() <= DEFAULT_LENGTH_MAX {
            return Some(text);
        }
        let short: String = text.chars().take(DEFAULT_LENGTH_MAX - 4).collect();
        Some(format!("{short} ..."))
    }

    fn new(found: &Found, since: String) -> Self {
        let field = &found.field;
        Self {
            path: found.place.to_string(),
            type_name: format!("{}{}", field.type_name, range_in_words(&field.range)),
            like: None,
            has_own_defaults: false,
            unit: field.unit.clone(),
            default: field.default.clone(),
            is_required: field.default.is_none() && found.removable,
            since,
            meaning: found.meaning.clone(),
        }
    }

    /// All of it but its place and its default.
    fn cells(&self) -> String {
        let Self { type_name, unit, since, meaning, .. } = self;
        format!("{type_name} {unit:?} {} {since} {meaning}", self.is_required)
    }

    /// What is inside by itself, and its defaults: those in its own one are no matter of the struct.
    fn inside(&self, parts: &[(&str, &Self)]) -> (String, String) {
        let (mut content, mut defaults) = (String::new(), String::new());
        for (rest, part) in parts {
            let default = format!("{:?}\n", part.default);
            let pointer = rest.replace('.', "/");
            let own = self.default.as_ref().and_then(|own| own.pointer(&pointer));
            let of_the_place = own.is_some() && own == part.default.as_ref();
            let told = if of_the_place { "its own\n" } else { &default };
            content.push_str(&format!("{rest} {} {told}", part.cells()));
            defaults.push_str(&default);
        }
        (content, defaults)
    }

    /// The end of its path below another.
    fn below(&self, parent: &str) -> Option<&str> {
        self.path.strip_prefix(parent).filter(|rest| rest.starts_with(['.', '[', '{', '<']))
    }
}

/// A struct that stands there already, with the same in every cell, is told by where it stands first.
fn shown_once(rows: &[TableRow]) -> Vec<TableRow> {
    let mut shown: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut kept = Vec::new();
    let mut index = 0;
    while let Some(row) = rows.get(index) {
        index += 1;
        let inside: Vec<(&str, &TableRow)> = rows
            .get(index..)
            .unwrap_or_default()
            .iter()
            .map_while(|other| Some((other.below(&row.path)?, other)))
            .collect();
        let mut row = row.clone();
        if inside.len() > 1 {
            let (content, defaults) = row.inside(&inside);
            let first = shown.entry(content).or_insert_with(|| (row.path.clone(), defaults.clone()));
            if first.0 != row.path {
                row.like = Some(first.0.clone());
                row.has_own_defaults = first.1 != defaults;
                index += inside.len();
            }
        }
        kept.push(row);
    }
    kept
}

fn range_in_words(range: &Map<String, Value>) -> String {
    let word = |word: &str| match word {
        "minimum" => ">=".to_owned(),
        "maximum" => "<=".to_owned(),
        "exclusiveMinimum" => ">".to_owned(),
        "exclusiveMaximum" => "<".to_owned(),
        other => other.to_owned(),
    };
    let mut words = range.iter().map(|(name, bound)| format!("{} {bound}", word(name))).collect::<Vec<_>>();
    words.sort_unstable_by_key(|word| !word.starts_with('>'));
    if words.is_empty() { String::new() } else { format!(", {}", words.join(", ")) }
}

/// The first version of the unbroken row that ends here; with the release if the field came to it later.
fn since(found: &Found, versions: &[Description], locked: &BTreeMap<u32, Locked>) -> String {
    let path = found.place.to_string();
    let with = versions.iter().rev().take_while(|one| one.shape.fields.contains_key(&path)).last();
    let Some(version) = with.map(|one| one.version.number) else { return String::new() };
    match locked.get(&version).map(|locked| locked.shape.fields.get(&path).map(|field| field.release)) {
        Some(Some(release)) if release > 1 => format!("{version}, release {release}"),
        Some(None) => format!("{version}, next release"),
        _ => version.to_string(),
    }
}

fn about(description: &Description) -> &str {
    description.schema.get("description").and_then(Value::as_str).unwrap_or("Not described.")
}

/// The fields as the text of a sample has them, which is as they are declared; what no sample holds comes last.
fn in_order(description: &Description) -> Vec<&Found> {
    let mut rows: Vec<(Vec<usize>, &Found)> =
        description.found.iter().map(|found| (description.order.rank(&found.place), found)).collect();
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    rows.into_iter().map(|(_, found)| found).collect()
}

/// The schema as it is published: floats that are not finite are strings, and a default that JSON has no number for is left out.
fn published(description: &Description) -> Value {
    let mut schema = description.schema.clone();
    let (kind, number) = (description.version.kind, description.version.number);
    if let Some(object) = schema.as_object_mut() {
        object.insert("$id".to_owned(), format!("{kind}.v{number}.schema.json").into());
        object.insert("title".to_owned(), format!("{kind} v{number}").into());
    }
    if description.version.codec.is_json() {
        admit_strings(&mut schema);
    }
    schema
}

fn admit_strings(schema: &mut Value) {
    match schema {
        Value::Array(elements) => elements.iter_mut().for_each(admit_strings),
        Value::Object(fields) => {
            fields
                .iter_mut()
                .filter(|(name, _)| *name != "default")
                .for_each(|(_, value)| admit_strings(value));
            let width = match fields.get("format").and_then(Value::as_str) {
                Some("double") => 64,
                Some("float") => 32,
                _ => return,
            };
            let mut types = match fields.get("type") {
                Some(Value::String(one)) => vec![Value::from(one.as_str())],
                Some(Value::Array(types)) => types.clone(),
                _ => return,
            };
            let nullable = types.iter().any(|one| one == "null");
            types.push("string".into());
            fields.insert("type".to_owned(), types.into());
            fields.insert("pattern".to_owned(), format!("^~f{width}:[0-9a-f]{{{}}}$", width / 4).into());
            if !nullable && fields.get("default") == Some(&Value::Null) {
                fields.remove("default");
            }
        }
        _ => {}
    }
}
