//! `docs/schema`: JSON Schemas, as the example `schema` of `ckpt` prints them.

use std::process::Command;

use anyhow::Result;

use crate::generated::Generated;
use crate::workspace::{build, output};

/// What the example is asked for, and the file that holds its answer.
const SCHEMAS: [(&str, &str); 1] = [("configuration", "docs/schema/configuration.schema.json")];

/// Writes the files, or with `check` only compares them.
///
/// # Errors
/// When the example can't be built or asked, and with `check` at the first file that is stale.
pub(crate) fn generate(check: bool) -> Result<()> {
    let program = build("schema")?;
    for (name, path) in SCHEMAS {
        let text = output(Command::new(&program).arg(name))?;
        Generated { path, command: "cargo xtask schema", text }.settle(check)?;
    }
    Ok(())
}
