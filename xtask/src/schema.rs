//! `docs/schema`: the JSON Schema of the configuration, and the stored kinds with their lock, as the example `schema` of
//! `ckpt` makes them: so the chores need not link what they document.

use std::process::Command;

use anyhow::Result;

use crate::generated::Generated;
use crate::workspace::{build_example, output, root, run};

/// What the example is asked for, and the file that holds its answer.
const SCHEMAS: [(&str, &str); 1] = [("configuration", "docs/schema/configuration.schema.json")];

/// Where the stored kinds are documented and locked.
const FOLDER: &str = "docs/schema";

/// Writes the files, or with `check` only compares them; either way the stored kinds are held against their lock.
///
/// # Errors
/// When the example can't be built or asked, with `check` at the first file that is stale, and when the lock refuses.
pub(crate) fn generate(check: bool) -> Result<()> {
    let program = build_example("schema")?;
    for (name, path) in SCHEMAS {
        let text = output(Command::new(&program).arg(name))?;
        Generated { path, command: "cargo xtask schema", text }.settle(check)?;
    }
    let mut command = Command::new(&program);
    command.args(["kinds", FOLDER, "schema"]).args(check.then_some("--check"));
    run(command.current_dir(root()))
}

/// Adds the versions of a kind that are not in the lock yet, with their golden files.
///
/// # Errors
/// When the example can't be built, and when it releases nothing.
pub(crate) fn release(kind: &str) -> Result<()> {
    let program = build_example("schema")?;
    run(Command::new(program).args(["kinds", FOLDER, "schema", "release", kind]).current_dir(root()))
}
