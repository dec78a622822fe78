//! The input: daily closes of the S&P 500, as log returns in percent.

use crate::Result;

/// Twenty years of closes; `examples/data/README.md` names the source.
const CLOSES: &str = include_str!("../data/sp500_daily_close.csv");

/// One trading day, named by the close at its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Day {
    /// `YYYY-MM-DD`.
    pub(crate) date: String,
    /// Log return since the previous close, in percent. Percent keeps the logarithm of its variance near zero.
    pub(crate) log_return: f64,
}

/// The days of the embedded series, oldest first: one fewer than it has closes.
///
/// # Errors
/// A row that has no date and positive finite close, named by its line number.
pub(crate) fn sp500() -> Result<Vec<Day>> {
    parse(CLOSES)
}

fn parse(text: &str) -> Result<Vec<Day>> {
    let mut days = Vec::new();
    let mut previous: Option<f64> = None;
    for (index, row) in text.lines().enumerate().skip(1) {
        let (date, close) = parse_row(row).ok_or_else(|| {
            format!(
                "line {} of the closes is not `date,close,volume` with a positive close: `{row}`",
                index + 1
            )
        })?;
        if let Some(previous) = previous {
            days.push(Day { date: date.to_owned(), log_return: 100.0 * (close / previous).ln() });
        }
        previous = Some(close);
    }
    Ok(days)
}

fn parse_row(row: &str) -> Option<(&str, f64)> {
    let (date, rest) = row.split_once(',')?;
    let close: f64 = rest.split(',').next()?.parse().ok()?;
    (date.len() == 10 && close.is_finite() && close > 0.0).then_some((date, close))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_series_is_complete() {
        let days = sp500().unwrap();
        assert_eq!(days.len(), 5030);
        assert_eq!(days[0].date, "1999-01-05");
        assert!((days[0].log_return - 1.349_059).abs() < 1e-6, "{}", days[0].log_return);
        assert_eq!(days[5029].date, "2018-12-31");
        let worst = days.iter().min_by(|a, b| a.log_return.total_cmp(&b.log_return)).unwrap();
        assert_eq!(worst.date, "2008-10-15");
    }

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        let error = parse("date,close,volume\n1999-01-04,1228.1,1\n1999-01-05,-3,1\n").unwrap_err();
        assert!(error.to_string().starts_with("line 3 "), "{error}");
    }
}
