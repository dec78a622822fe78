//! What a benchmark prints: Markdown tables, ready for `docs/PERFORMANCE.md`.

use std::io::Write as _;

use ckpt_measure::{Report, Row, Spread};

/// Prints a table of what came out.
pub(crate) fn print(title: &str, report: &Report) {
    let mut text = format!("### {title}\n\n{} rounds\n\n", report.rounds);
    text.push_str("| case | median | min | max | against | ratio | min | max | target | met |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for row in &report.rows {
        text.push_str(&line(row));
    }
    say(&text);
}

/// To standard output.
pub(crate) fn say(text: &str) {
    // Nobody is left to tell when standard output is gone.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// To standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn line(row: &Row) -> String {
    let Spread { median, min, max } = row.seconds;
    let mut cells = vec![row.name.clone(), time(median), time(min), time(max)];
    match (&row.against, row.ratio) {
        (Some(against), Some(ratio)) => {
            cells.push(against.limit.clone());
            cells.extend([ratio.median, ratio.min, ratio.max].map(|ratio| format!("{ratio:.2}")));
            cells.push(against.at_most.map(|at_most| format!("{at_most:.2}")).unwrap_or_default());
        }
        _ => cells.extend([const { String::new() }; 5]),
    }
    cells.push(match row.is_met() {
        Some(true) => "yes".to_owned(),
        Some(false) => "**no**".to_owned(),
        None => String::new(),
    });
    format!("| {} |\n", cells.join(" | "))
}

/// Three digits and a unit.
fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        _ if seconds < 1e-3 => (seconds * 1e6, "us"),
        _ if seconds < 1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let digits = if value < 10.0 {
        2
    } else if value < 100.0 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use ckpt_measure::Against;

    use super::*;

    #[test]
    fn a_row_says_how_long_how_often_its_limit_and_whether_that_is_enough() {
        let seconds = Spread { median: 0.001_234_5, min: 0.000_987_6, max: 12.345 };
        let limit = Row { name: "raw".into(), seconds, against: None, ratio: None };
        assert_eq!(line(&limit), "| raw | 1.23 ms | 988 us | 12.3 s |  |  |  |  |  |  |\n");
        let against = Some(Against { limit: "raw".into(), at_most: Some(1.15) });
        let ratio = Some(Spread { median: 1.2, min: 1.0, max: 1.25 });
        let case = Row { name: "ours".into(), against, ratio, ..limit };
        assert!(line(&case).ends_with("| raw | 1.20 | 1.00 | 1.25 | 1.15 | **no** |\n"), "{}", line(&case));
    }
}
