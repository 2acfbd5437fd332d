//! Text in aligned columns. What comes from outside cannot break a row or colour it.

/// Rows of cells; the first may be a heading.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// One cell, and the ANSI colour of its text where there are eyes.
pub(super) struct Cell {
    text: String,
    colour: Option<&'static str>,
    /// A figure stands under the others by its end.
    right: bool,
}

pub(super) const RED: &str = "\x1b[31m";
pub(super) const GREEN: &str = "\x1b[32m";
pub(super) const YELLOW: &str = "\x1b[33m";
pub(super) const DIM: &str = "\x1b[2m";

/// The text without anything that moves or colours a terminal.
pub(super) fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    text.chars().map(shown).collect()
}

impl Cell {
    pub(super) fn new(text: &str) -> Self {
        Self { text: plain(text), colour: None, right: false }
    }

    pub(super) fn figure(text: &str) -> Self {
        Self { right: true, ..Self::new(text) }
    }

    pub(super) fn painted(text: &str, colour: Option<&'static str>) -> Self {
        Self { colour, ..Self::new(text) }
    }
}

impl Table {
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(super) fn heading(&mut self, names: &[&str]) {
        self.row(names.iter().map(|name| Cell::painted(name, Some(DIM))));
    }

    /// Two columns: what, and its value.
    pub(super) fn facts<'f>(&mut self, facts: impl IntoIterator<Item = (&'f str, &'f str)>) {
        for (name, value) in facts {
            self.row([Cell::painted(name, Some(DIM)), Cell::new(value)]);
        }
    }

    /// Columns two spaces apart; nothing is padded at the end of a line.
    pub(super) fn render(&self, colour: bool) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |at: usize| self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.text.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
        let mut text = String::new();
        let figures = |at: usize| self.rows.iter().filter_map(|row| row.get(at)).any(|cell| cell.right);
        for (place, row) in self.rows.iter().enumerate() {
            let filled = row.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
            for (at, cell) in row[..filled].iter().enumerate() {
                let room = widths[at] - cell.text.chars().count();
                // A heading stands over the end of its figures.
                let right = cell.right || place == 0 && figures(at);
                let before = if right { room } else { 0 };
                let after = if at + 1 == filled { 0 } else { room - before + 2 };
                let (paint, plain) = cell.colour.filter(|_| colour).map_or(("", ""), |paint| (paint, "\x1b[0m"));
                text += &format!("{:before$}{paint}{}{plain}{:after$}", "", cell.text, "");
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_their_heading_stand_by_their_end() {
        let mut table = Table::default();
        table.heading(&["ROWS", "WHY"]);
        table.row([Cell::figure("12,000"), Cell::new("long")]);
        table.row([Cell::figure("7"), Cell::new("short")]);
        assert_eq!(table.render(false), "  ROWS  WHY\n12,000  long\n     7  short\n");
    }

    #[test]
    fn columns_stand_in_line_and_lines_end_with_their_text() {
        let mut table = Table::default();
        table.heading(&["ID", "NAME", "STATE"]);
        table.row([Cell::new("1"), Cell::new("Gói ngày"), Cell::painted("done", Some(GREEN))]);
        table.row([Cell::new("22"), Cell::new("a\n\x1b[31mb"), Cell::new("")]);
        assert_eq!(table.render(false), "ID  NAME            STATE\n1   Gói ngày        done\n22  a\\n\\u{1b}[31mb\n");
        assert!(table.render(true).contains("\x1b[32mdone\x1b[0m"));
    }
}
