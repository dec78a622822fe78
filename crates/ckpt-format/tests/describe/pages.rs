//! The documentation that is made of the types.

use ckpt_format::describe::Folder;
use serde_json::{Value, json};

use crate::kind::released;
use crate::{bincode, chains, json};

fn text(folder: &Folder, path: &str) -> String {
    String::from_utf8(folder.get(path).unwrap_or_else(|| panic!("no {path}")).to_vec()).unwrap()
}

#[test]
fn the_table_behind_a_page_is_there_as_data() {
    let kinds = json::base::kinds();
    let tables = kinds.tables("spread", &released(json::base::kinds)).unwrap();
    let [one] = tables.as_slice() else { panic!("{} versions", tables.len()) };
    assert_eq!((one.version, one.is_released, one.summary()), (1, true, "How wide the quotes are."));
    let half = &one.rows[0];
    assert_eq!((half.path.as_str(), half.type_name.as_str()), ("half", "f64, >= 0, <= 100"));
    assert_eq!(
        (half.unit.as_deref(), half.default.clone(), half.since.as_str()),
        (Some("bps"), Some(json!(2.5)), "1")
    );
    assert!(kinds.tables("sprad", &Folder::default()).unwrap().is_empty(), "of an unknown kind");
}

#[test]
fn a_page_has_the_fields_as_they_are_declared_with_what_they_say() {
    let pages = json::base::kinds().pages(&released(json::base::kinds)).unwrap();
    assert_eq!(
        pages.iter().map(|(path, _)| path).collect::<Vec<_>>(),
        ["README.md", "spread.md", "spread.v1.schema.json"]
    );
    let expected = "\
# spread

## Version 1

How wide the quotes are.

Written as json; released; [JSON Schema](spread.v1.schema.json). Golden: [golden/spread.v1.ckpt](golden/spread.v1.ckpt).

| name | type | unit | default | since | meaning |
| --- | --- | --- | --- | --- | --- |
| `half` | f64, >= 0, <= 100 | bps | `2.5` | 1 | Half of the distance. |
| `fills` | u32 |  | `0` | 1 | Fills so far. |
| `by` | option of string |  | `null` | 1 | Who asked for it. |
| `weights` | [f64; 3] |  | `[0.5,0.3,0.2]` | 1 | Weights of the signals. |
";
    assert_eq!(text(&pages, "spread.md"), expected);
    let index = text(&pages, "README.md");
    assert!(
        index.ends_with("| [spread](spread.md) | 1 | json | v1 | 1 | How wide the quotes are. |\n"),
        "{index}"
    );
}

#[test]
fn a_field_is_there_since_the_first_version_of_its_row_or_a_later_release() {
    let pages = chains::v2::kinds().pages(&released(chains::v1::kinds)).unwrap();
    let page = text(&pages, "filter.md");
    let row = |name: &str| page.lines().find(|line| line.starts_with(&format!("| `{name}`"))).unwrap();
    assert_eq!(row("count"), "| `count` | u32 |  | `0` | 1 |  |");
    assert_eq!(row("vol"), "| `vol` | f64 |  | `0.5` | 2 |  |");
    assert!(
        page.contains("## Version 2\n\nVolatility as a fraction.\n\nWritten as json; not released yet;"),
        "{page}"
    );

    let mut folder = released(json::base::kinds);
    let kinds = json::with_default::kinds();
    let floor = |folder: &Folder| {
        let page = text(&kinds.pages(folder).unwrap(), "spread.md");
        page.lines().find(|line| line.starts_with("| `floor`")).unwrap().to_owned()
    };
    assert_eq!(floor(&folder), "| `floor` | f64 |  | `\"~f64:7ff0000000000000\"` | 1, next release |  |");
    folder.extend(kinds.release("spread", &folder).unwrap());
    assert!(floor(&folder).contains("| 1, release 2 |"), "{}", floor(&folder));
}

/// A validator that goes by the schema accepts what is stored: floats that are not finite are strings there.
#[test]
fn the_schema_is_of_the_text_as_it_is_stored() {
    let pages = json::with_default::kinds().pages(&Folder::default()).unwrap();
    let schema: Value = serde_json::from_str(&text(&pages, "spread.v1.schema.json")).unwrap();
    assert_eq!(schema["title"], "spread v1");
    let float = json!({"type": ["number", "string"], "format": "double", "pattern": "^~f64:[0-9a-f]{16}$"});
    assert_eq!(schema["properties"]["floor"], float, "and infinity is no default that JSON has a number for");
    assert_eq!(schema["properties"]["weights"]["items"], float);
    assert_eq!(schema["properties"]["half"]["x-unit"], "bps");
    assert_eq!(schema["properties"]["half"]["default"], 2.5);

    let pages = bincode::base::kinds().pages(&Folder::default()).unwrap();
    let schema: Value = serde_json::from_str(&text(&pages, "grid.v1.schema.json")).unwrap();
    assert_eq!(schema["properties"]["a"]["type"], "number", "bincode has no strings for them");
}

/// Twenty-six parameters of one kind would be twenty-six times the same lines.
#[test]
fn a_struct_that_was_shown_is_told_by_where_it_stood() {
    let pages = json::parts::named().pages(&Folder::default()).unwrap();
    let page = text(&pages, "table.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(
        rows,
        [
            "| `cells` | list of object |  | `[]` | 1 |  |",
            "| `cells[].mu` | f64 |  | `0.0` | 1 |  |",
            "| `cells[].kappa` | f64 |  | `0.01` | 1 |  |",
            "| `by` | map of object |  | `{}` | 1 |  |",
            "| `by{}.mu` | f64 |  | `0.0` | 1 |  |",
            "| `by{}.kappa` | f64 |  | `0.01` | 1 |  |",
            "| `grid` | [[f64; 2]; 2] |  | `[[0.0,0.0],[0.0,0.0]]` | 1 |  |",
            "| `pair` | (u8, object) |  | `[0,{\"kappa\":0.01,\"mu\":0.0}]` | 1 |  |",
            "| `pair[1].mu` | f64 |  | `0.0` | 1 |  |",
            "| `pair[1].kappa` | f64 |  | `0.01` | 1 |  |",
        ]
    );
}

#[test]
fn structs_that_differ_in_the_defaults_of_their_places_alone_are_shown_once() {
    let pages = json::parts::priors_of_their_own().pages(&Folder::default()).unwrap();
    let page = text(&pages, "priors.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(
        rows,
        [
            "| `low` | object |  | `{\"mean\":2.0,\"strength\":4.0}` | 1 |  |",
            "| `low.mean` | f64 |  | `2.0` | 1 |  |",
            "| `low.strength` | f64 |  | `4.0` | 1 |  |",
            "| `high` | object, as `low` with its own defaults |  | `{\"mean\":0.0,\"strength\":5.0}` | 1 |  |",
        ]
    );
}
