//! The documentation of kinds: an index, a table of fields for each version, a JSON Schema.

use std::collections::BTreeMap;

use serde_json::Value;

use super::folder::Folder;
use super::lock::Lock;
use super::version::Description;
use super::walk::Found;

/// All pages of the kinds.
pub(super) fn pages(kinds: &[(&str, Vec<Description>)], lock: &Lock) -> Folder {
    let mut folder = Folder::default();
    for (kind, versions) in kinds {
        for description in versions {
            let schema = published(description);
            let name = format!("{kind}.v{}.schema.json", description.version.number);
            folder.insert(name, format!("{schema:#}\n"));
        }
        folder.insert(format!("{kind}.md"), page(kind, versions, lock));
    }
    folder.insert("README.md", index(kinds, lock));
    folder
}

/// The index.
fn index(kinds: &[(&str, Vec<Description>)], lock: &Lock) -> String {
    let mut text = "# Stored kinds\n\nGenerated from the types, with the lock of what was released: `lock.json`.\n\n\
                    | kind | version | codec | released | golden files | what |\n| --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (kind, versions) in kinds {
        let Some(newest) = versions.last() else { continue };
        let locked = lock.kinds.get(*kind);
        let released: Vec<String> = locked
            .into_iter()
            .flat_map(|versions| versions.keys())
            .map(|version| format!("v{version}"))
            .collect();
        let golden: usize =
            locked.into_iter().flat_map(|versions| versions.values()).map(|one| one.golden.len()).sum();
        let (version, codec) = (newest.version.number, newest.version.codec);
        let released = if released.is_empty() { "no".to_owned() } else { released.join(", ") };
        let about = first_sentence(about(newest));
        text += &format!("| [{kind}]({kind}.md) | {version} | {codec} | {released} | {golden} | {about} |\n");
    }
    text
}

/// The page of a kind: the newest version first.
fn page(kind: &str, versions: &[Description], lock: &Lock) -> String {
    let mut text = format!("# {kind}\n");
    for (index, description) in versions.iter().enumerate().rev() {
        let number = description.version.number;
        let locked = lock.kinds.get(kind).and_then(|versions| versions.get(&number));
        let released = if locked.is_some() { "released" } else { "not released yet" };
        let schema = format!("{kind}.v{number}.schema.json");
        text += &format!(
            "\n## Version {number}\n\n{}\n\nWritten as {}; {released}; [JSON Schema]({schema}).",
            about(description),
            description.version.codec
        );
        if let Some(golden) = locked.map(|locked| &locked.golden) {
            let files: Vec<String> = golden.iter().map(|golden| format!("[{0}]({0})", golden.file)).collect();
            text += &format!(" Golden: {}.", files.join(", "));
        }
        text +=
            "\n\n| name | type | unit | default | since | meaning |\n| --- | --- | --- | --- | --- | --- |\n";
        let so_far = versions.get(..=index).unwrap_or_default();
        let rows: Vec<Row> = in_order(description)
            .into_iter()
            .map(|found| Row::new(found, since(found, so_far, kind, lock)))
            .collect();
        text += &table(&rows);
    }
    text
}

/// One line of the table.
struct Row {
    path: String,
    type_name: String,
    /// Unit, default, since, meaning.
    rest: String,
}

impl Row {
    fn new(found: &Found, since: String) -> Self {
        let field = &found.field;
        let default = match &field.default {
            Some(value) => format!("`{}`", cell(&shortened(value))),
            None if found.removable => "required".to_owned(),
            None => String::new(),
        };
        let unit = field.unit.as_deref().map(cell).unwrap_or_default();
        Self {
            path: found.place.to_string(),
            type_name: cell(&format!("{}{}", field.type_name, range_in_words(&field.range))),
            rest: format!("{unit} | {default} | {since} | {}", cell(&found.meaning)),
        }
    }

    /// The end of its path below another.
    fn below(&self, parent: &str) -> Option<&str> {
        self.path.strip_prefix(parent).filter(|rest| rest.starts_with(['.', '[', '{', '<']))
    }
}

/// A struct that was shown already, with the same in every cell, is told by where it stands first.
fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut shown: BTreeMap<String, &str> = BTreeMap::new();
    let mut index = 0;
    while let Some(row) = rows.get(index) {
        index += 1;
        let inside: Vec<(&str, &Row)> = rows
            .get(index..)
            .unwrap_or_default()
            .iter()
            .map_while(|other| Some((other.below(&row.path)?, other)))
            .collect();
        let content =
            inside.iter().map(|(rest, other)| format!("{rest} {} {}\n", other.type_name, other.rest));
        let content = content.collect::<String>();
        let first = (inside.len() > 1).then(|| *shown.entry(content).or_insert(&row.path));
        let seen = first.filter(|first| *first != row.path);
        let like = seen.map(|first| format!(", as `{}`", cell(first))).unwrap_or_default();
        text += &format!("| `{}` | {}{like} | {} |\n", cell(&row.path), row.type_name, row.rest);
        if seen.is_some() {
            index += inside.len();
        }
    }
    text
}

/// The long default of a list or struct is in the JSON Schema.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 {
        return text;
    }
    let short: String = text.chars().take(56).collect();
    format!("{short} ...")
}

fn range_in_words(range: &serde_json::Map<String, Value>) -> String {
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
fn since(found: &Found, versions: &[Description], kind: &str, lock: &Lock) -> String {
    let path = found.place.to_string();
    let with = versions.iter().rev().take_while(|one| one.shape.fields.contains_key(&path)).last();
    let Some(version) = with.map(|one| one.version.number) else { return String::new() };
    let released = lock.kinds.get(kind).and_then(|versions| versions.get(&version));
    match released.map(|locked| locked.shape.fields.get(&path).map(|field| field.release)) {
        Some(Some(release)) if release > 1 => format!("{version}, release {release}"),
        Some(None) => format!("{version}, next release"),
        _ => version.to_string(),
    }
}

fn about(description: &Description) -> &str {
    description.schema.get("description").and_then(Value::as_str).unwrap_or("Not described.")
}

fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let end = paragraph.find(". ").map_or(paragraph.len(), |end| end + 1);
    cell(paragraph.get(..end).unwrap_or(paragraph))
}

/// Text that stays in its cell.
fn cell(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| paragraph.replace('\n', " "))
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
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
