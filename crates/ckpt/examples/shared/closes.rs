//! Daily closes of the S&P 500, 1999 to 2018; `data/README.md` says where they come from.

/// One trading day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Close {
    /// `YYYY-MM-DD`.
    pub(crate) date: &'static str,
    /// Points.
    pub(crate) level: f64,
}

/// All 5,031 of them, oldest first.
pub(crate) fn sp500() -> Vec<Close> {
    let rows = include_str!("../data/sp500_daily_close.csv").lines().skip(1);
    let parse = |row: &'static str| {
        let mut cells = row.split(',');
        Some(Close { date: cells.next()?, level: cells.next()?.parse().ok()? })
    };
    rows.filter_map(parse).collect()
}
