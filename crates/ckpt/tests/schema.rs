//! The folder of stored kinds as an application keeps it, from its first release on.
#![cfg(feature = "schema")]

use std::fs;
use std::path::Path;

use ckpt::describe::{Described, Kinds};
use ckpt::schema::{SchemaError, check, command};
use ckpt::{FirstVersion, MigrateError, Stored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How wide the quotes are.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Spread {
    /// Half of the distance.
    #[schemars(extend("x-unit" = "bps"))]
    half: f64,
}

/// The same with a field that came without a default.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
struct Careless {
    /// Half of the distance.
    #[serde(default = "half")]
    #[schemars(extend("x-unit" = "bps"))]
    half: f64,
    /// Fills so far.
    fills: u64,
}

fn half() -> f64 {
    2.5
}

impl Default for Spread {
    fn default() -> Self {
        Self { half: half() }
    }
}

macro_rules! first_version {
    ($($type:ty),*) => {
        $(impl Stored for $type {
            const KIND: &'static str = "spread";
            const VERSION: u32 = 1;
            type Previous = FirstVersion;

            fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
                match previous {}
            }
        }

        impl Described for $type {})*
    };
}

first_version!(Spread, Careless);

fn kinds() -> Kinds {
    Kinds::new().add::<Spread>()
}

fn say(kinds: &Kinds, folder: &Path, line: &str) -> Result<String, SchemaError> {
    command(kinds, folder, &line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
}

/// What this workspace stores may not change so that a file on somebody's disk breaks.
#[test]
fn the_stored_kinds_are_as_they_were_released() {
    check(&ckpt_market::kinds(), "../../docs/schema").unwrap();
}

#[test]
fn a_folder_is_written_checked_and_released_from_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("docs/schema");
    let error = check(&kinds(), &folder).unwrap_err();
    assert!(error.to_string().contains("README.md is missing"), "{error}");
    assert!(error.to_string().ends_with("run `cargo xtask schema` and commit what it writes"), "{error}");
    assert_eq!(format!("{error:?}"), error.to_string(), "an xtask may return it from main");

    let done = say(&kinds(), &folder, "schema").unwrap();
    assert_eq!(done.lines().filter(|line| line.starts_with("wrote ")).count(), 3, "{done}");
    let expected =
        "1 kinds in 1 versions, 0 of them released; 0 golden files read, 1 fields removed one at a time";
    assert_eq!(say(&kinds(), &folder, "schema --check").unwrap(), expected);
    assert_eq!(
        say(&kinds(), &folder, "schema").unwrap(),
        expected,
        "nothing is written that is as it should be"
    );

    let done = say(&kinds(), &folder, "schema release spread").unwrap();
    assert!(done.contains("spread.v1.ckpt") && done.contains("lock.json"), "{done}");
    check(&kinds(), &folder).unwrap();
    let error = say(&kinds(), &folder, "schema release spread").unwrap_err();
    assert!(matches!(error, SchemaError::Release(_)), "{error}");
}

#[test]
fn what_is_stale_left_over_or_refused_is_told_and_golden_files_stay() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path();
    say(&kinds(), folder, "schema release spread").unwrap();
    let golden = fs::read(folder.join("golden/spread.v1.ckpt")).unwrap();

    let page = fs::read_to_string(folder.join("spread.md")).unwrap();
    fs::write(folder.join("spread.md"), page.replace("bps", "USD")).unwrap();
    fs::write(folder.join("spread.v2.schema.json"), "{}").unwrap();
    let error = check(&kinds(), folder).unwrap_err();
    assert!(error.to_string().contains("spread.md is stale from line 11"), "{error}");
    assert!(
        error.to_string().contains("spread.v2.schema.json is of no version any more, remove it"),
        "{error}"
    );
    let done = say(&kinds(), folder, "schema").unwrap();
    assert!(done.contains("remove it"), "{done}");
    fs::remove_file(folder.join("spread.v2.schema.json")).unwrap();
    check(&kinds(), folder).unwrap();

    let careless = Kinds::new().add_without_default::<Careless>();
    for line in ["schema", "schema --check", "schema release spread"] {
        let text = say(&careless, folder, line).unwrap_err().to_string();
        assert!(text.contains("spread v1: `fills` is new and has no default"), "{line}: {text}");
    }
    // Its lock is lost: the golden file is in the way, and stays.
    fs::remove_file(folder.join("lock.json")).unwrap();
    let error = say(&kinds(), folder, "schema release spread").unwrap_err();
    assert!(error.to_string().contains("never written again"), "{error}");
    assert_eq!(fs::read(folder.join("golden/spread.v1.ckpt")).unwrap(), golden);
}

#[test]
fn it_is_called_in_three_ways() {
    let directory = tempfile::tempdir().unwrap();
    for line in ["", "shema", "schema --chekc", "schema release", "schema release spread 2", "release spread"]
    {
        let error = say(&kinds(), directory.path(), line).unwrap_err();
        assert!(matches!(error, SchemaError::Usage { .. }), "{line}: {error}");
    }
    fs::write(directory.path().join("README.md"), [0xff]).unwrap();
    fs::create_dir(directory.path().join("golden.md")).unwrap();
    let file = directory.path().join("README.md");
    assert!(matches!(check(&kinds(), &file).unwrap_err(), SchemaError::Io { what: "list", .. }));
}
