//! The documentation of kinds: an index, a table of fields for each version, a JSON Schema.

use super::folder::Folder;
use super::table::{TableRow, VersionTable};

/// All pages of the kinds.
pub(super) fn pages(kinds: &[(&str, Vec<VersionTable>)]) -> Folder {
    let mut folder = Folder::default();
    for (kind, versions) in kinds {
        for version in versions {
            let name = format!("{kind}.v{}.schema.json", version.version);
            folder.insert(name, format!("{:#}\n", version.schema));
        }
        folder.insert(format!("{kind}.md"), page(kind, versions));
    }
    folder.insert("README.md", index(kinds));
    folder
}

/// The index.
fn index(kinds: &[(&str, Vec<VersionTable>)]) -> String {
    let mut text = "# Stored kinds\n\nGenerated from the types, with the lock of what was released: `lock.json`.\n\n\
                    | kind | version | codec | released | golden files | what |\n| --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (kind, versions) in kinds {
        let Some(newest) = versions.last() else { continue };
        let released = versions.iter().filter(|version| version.is_released);
        let released: Vec<String> = released.map(|version| format!("v{}", version.version)).collect();
        let golden: usize = versions.iter().map(|version| version.golden.len()).sum();
        let VersionTable { version, codec, .. } = newest;
        let released = if released.is_empty() { "no".to_owned() } else { released.join(", ") };
        let about = cell(newest.summary());
        text += &format!("| [{kind}]({kind}.md) | {version} | {codec} | {released} | {golden} | {about} |\n");
    }
    text
}

/// The page of a kind: the newest version first.
fn page(kind: &str, versions: &[VersionTable]) -> String {
    let mut text = format!("# {kind}\n");
    for VersionTable { version, codec, is_released, golden, about, rows, .. } in versions.iter().rev() {
        let released = if *is_released { "released" } else { "not released yet" };
        let schema = format!("{kind}.v{version}.schema.json");
        text += &format!(
            "\n## Version {version}\n\n{about}\n\nWritten as {codec}; {released}; [JSON Schema]({schema})."
        );
        if *is_released {
            let files: Vec<String> = golden.iter().map(|file| format!("[{file}]({file})")).collect();
            text += &format!(" Golden: {}.", files.join(", "));
        }
        text +=
            "\n\n| name | type | unit | default | since | meaning |\n| --- | --- | --- | --- | --- | --- |\n";
        rows.iter().for_each(|row| text += &line(row));
    }
    text
}

/// One line of the table.
fn line(row: &TableRow) -> String {
    let default = match row.default_text() {
        Some(text) => format!("`{}`", cell(&text)),
        None if row.is_required => "required".to_owned(),
        None => String::new(),
    };
    let own = if row.has_own_defaults { " with its own defaults" } else { "" };
    let like = row.like.as_deref().map(|like| format!(", as `{}`{own}", cell(like))).unwrap_or_default();
    let unit = row.unit.as_deref().map(cell).unwrap_or_default();
    let (path, type_name, meaning) = (cell(&row.path), cell(&row.type_name), cell(&row.meaning));
    format!("| `{path}` | {type_name}{like} | {unit} | {default} | {} | {meaning} |\n", row.since)
}

/// Text that stays in its cell.
fn cell(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| paragraph.replace('\n', " "))
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}
