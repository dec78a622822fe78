//! Kinds, fields and refusals for people.

use ckpt::describe::{Refusals, Summary, VersionTable};

use crate::human;
use crate::table::{Cell, Table};

use super::{Checked, Row};

/// A line a kind.
pub(super) fn list(rows: &[Row]) -> String {
    let mut table =
        Table::default().left("kind").right("version").left("codec").left("released").left("what");
    for row in rows {
        let released: Vec<String> = row.released.iter().map(|version| format!("v{version}")).collect();
        table.row([
            Cell::styled(row.kind, human::HEAD),
            Cell::new(row.version.to_string()),
            Cell::new(&row.codec),
            Cell::new(if released.is_empty() { "no".to_owned() } else { released.join(", ") }),
            Cell::new(&row.about),
        ]);
    }
    table.render(0)
}

/// What a version says of itself, and a line a field.
pub(super) fn show(kind: &str, shown: &VersionTable, newest: u32) -> String {
    let (head, dim) = (human::HEAD, human::DIM);
    let VersionTable { version, codec, is_released, golden, about, rows, .. } = shown;
    let released = if *is_released { "released" } else { "not released yet" };
    let golden = if golden.is_empty() { String::new() } else { format!("; {}", golden.join(", ")) };
    let newer = if *version < newest { format!("; the newest is v{newest}") } else { String::new() };
    let mut table = Table::default().left("name").left("type").left("unit").left("default").left("since");
    table = table.left("meaning");
    for row in rows {
        let own = if row.has_own_defaults { " with its own defaults" } else { "" };
        let like = row.like.as_ref().map(|like| format!(", as {like}{own}")).unwrap_or_default();
        let required = || if row.is_required { "required".to_owned() } else { String::new() };
        table.row([
            Cell::styled(&row.path, human::HEAD),
            Cell::new(format!("{}{like}", row.type_name)),
            Cell::new(row.unit.as_deref().unwrap_or_default()),
            Cell::new(row.default_text().unwrap_or_else(required)),
            Cell::new(&row.since),
            Cell::new(&row.meaning),
        ]);
    }
    format!(
        "{head}{kind} v{version}{head:#}  {dim}written as {codec}; {released}{golden}{newer}{dim:#}\n{}\n\n{}",
        human::shown(about),
        table.render(0)
    )
}

/// What was checked, or each refusal with its way out.
pub(super) fn check(checked: &Checked, outcome: &Result<Summary, Refusals>) -> String {
    let against = checked.folder.as_deref().unwrap_or("what this program was built with");
    let against = human::shown(against);
    match outcome {
        Ok(summary) => {
            let good = human::GOOD;
            format!("{good}good{good:#}  {against}: {summary}\n")
        }
        Err(Refusals(refusals)) => {
            let bad = human::BAD;
            let lines = refusals.iter().map(|refusal| {
                format!("{bad}refused{bad:#}  {}\n", human::shown(&refusal.to_string()).replace('\n', " "))
            });
            let count = human::plural(refusals.len(), "refusal");
            lines.collect::<String>() + &format!("{count} against {against}\n")
        }
    }
}
