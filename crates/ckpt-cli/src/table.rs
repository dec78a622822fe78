//! Columns for people: as wide as their widest cell, and left out when they are empty.

use anstyle::Style;

use crate::human;

/// Rows and columns of text.
#[derive(Debug, Default)]
pub(crate) struct Table {
    heads: Vec<Head>,
    rows: Vec<Vec<Cell>>,
}

/// What a column is called, and on which side its cells stand.
#[derive(Debug)]
struct Head {
    title: &'static str,
    right: bool,
}

/// Text and how it looks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self { text: human::shown(text.as_ref()).replace('\n', " "), style: Style::new() }
    }

    pub(crate) fn styled(text: impl AsRef<str>, style: Style) -> Self {
        Self { style, ..Self::new(text) }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl Table {
    /// A column whose cells stand on the left.
    pub(crate) fn left(mut self, title: &'static str) -> Self {
        self.heads.push(Head { title, right: false });
        self
    }

    /// A column of numbers.
    pub(crate) fn right(mut self, title: &'static str) -> Self {
        self.heads.push(Head { title, right: true });
        self
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table, a line a row, each indented by that many spaces.
    pub(crate) fn render(&self, indent: usize) -> String {
        let columns: Vec<usize> = (0..self.heads.len()).filter(|column| !self.is_empty(*column)).collect();
        let titles = |column: usize| Cell::styled(self.heads[column].title, human::DIM);
        let mut text = String::new();
        let titled = self.heads.iter().any(|head| !head.title.is_empty());
        if titled {
            text.push_str(&self.line(indent, &columns, &titles));
        }
        for row in &self.rows {
            let cell = |column: usize| row.get(column).cloned().unwrap_or_default();
            text.push_str(&self.line(indent, &columns, &cell));
        }
        text
    }

    fn line(&self, indent: usize, columns: &[usize], cell: &dyn Fn(usize) -> Cell) -> String {
        let mut line = " ".repeat(indent);
        for (place, &column) in columns.iter().enumerate() {
            let Cell { text, style } = cell(column);
            let space = self.width(column).saturating_sub(text.chars().count());
            let (before, after) = if self.heads[column].right { (space, 0) } else { (0, space) };
            let gap = if place == 0 { 0 } else { 2 };
            line.push_str(&" ".repeat(gap + before));
            line.push_str(&if style == Style::new() { text } else { format!("{style}{text}{style:#}") });
            line.push_str(&" ".repeat(after));
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }

    fn is_empty(&self, column: usize) -> bool {
        self.rows.iter().all(|row| row.get(column).is_none_or(|cell| cell.text.is_empty()))
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(Cell::width);
        cells.chain([self.heads[column].title.chars().count()]).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let mut table = Table::default().right("seq").left("nothing").left("event");
        table.row([Cell::new("1"), Cell::new(""), Cell::new("periodic")]);
        table.row([Cell::new("1,000"), Cell::new(""), Cell::new("best")]);
        let text = anstream::adapter::strip_str(&table.render(2)).to_string();
        assert_eq!(text, "    seq  event\n      1  periodic\n  1,000  best\n");
    }
}
