//! Tables for people, as wide as the terminal and safe to print.

use std::sync::OnceLock;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, presets};

use crate::terminal::style::{Tone, marked_printable, toned};
use crate::terminal::values::is_id;

/// What lies below a heading begins here.
const INDENT: u16 = 2;

/// The fewest columns that lines are broken for.
const NARROWEST: u16 = 40;

/// How wide a column of text is at least, where what stands in it is longer.
const SHORTEST: usize = 16;

/// Between two columns.
const GAP: usize = 2;

/// Whether lines are as long as they are, whatever the terminal: set once, by `-o wide`.
static IS_WIDE: OnceLock<bool> = OnceLock::new();

pub(crate) fn set_wide() {
    let _ = IS_WIDE.set(true);
}

fn is_wide() -> bool {
    IS_WIDE.get().copied().unwrap_or_default()
}

/// Rows under a header. Text is broken between its words where there is no room for it.
#[must_use]
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let columns: Vec<_> = header.iter().map(|name| Column::new(name)).collect();
    lines(&filled(plain(0), &columns, rows))
}

/// A column: its header, and whether what stands in it is never cut.
pub(crate) struct Column {
    name: String,
    is_whole: bool,
}

impl Column {
    /// Ids are never cut: whoever reads one asks for it next.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_uppercase(),
            is_whole: is_id(&name.to_lowercase().replace(' ', "_")),
        }
    }
}

/// A line for each row: columns that there is no room for are left out, the last first, and named below.
pub(crate) fn list(columns: Vec<Column>, rows: Vec<Vec<String>>) -> String {
    fitted(columns, rows, width())
}

fn fitted(mut columns: Vec<Column>, rows: Vec<Vec<String>>, width: Option<u16>) -> String {
    let mut rows = safe(rows);
    let Some(width) = width else {
        return lines(&filled(sized(Table::new(), None, 0), &columns, rows));
    };
    let kept = columns.len() - too_many(&columns, &rows, width.into());
    let left_out = columns.split_off(kept);
    for row in &mut rows {
        row.truncate(kept);
    }
    let mut table = sized(Table::new(), Some(width), 0);
    table.set_truncation_indicator("…");
    let mut text = lines(&one_line_each(table, &columns, rows));
    if !left_out.is_empty() {
        let names: Vec<_> = left_out
            .iter()
            .map(|column| column.name.to_lowercase())
            .collect();
        text.push_str(&format!("\n(-o wide also shows: {})", names.join(", ")));
    }
    text
}

/// How many columns there is no room for. One always stays.
fn too_many(columns: &[Column], rows: &[Vec<String>], width: usize) -> usize {
    let needs = |at: usize, column: &Column| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        let name = column.name.chars().count();
        match column.is_whole {
            true => longest.max(name),
            false => longest.min(SHORTEST).max(name),
        }
    };
    let (mut used, mut kept) = (0, 0);
    for (at, column) in columns.iter().enumerate() {
        used += needs(at, column) + if at == 0 { 0 } else { GAP };
        if used > width && kept > 0 {
            break;
        }
        kept += 1;
    }
    columns.len() - kept
}

fn one_line_each(mut table: Table, columns: &[Column], rows: Vec<Vec<String>>) -> Table {
    let numbers: Vec<bool> = (0..columns.len())
        .map(|at| are_numbers(&rows, at))
        .collect();
    let rows = rows.into_iter().map(|row| {
        let mut row = Row::from(row);
        row.max_height(1);
        row
    });
    table.set_header(headings(columns));
    table.add_rows(rows);
    keep_whole(&mut table, columns);
    for (column, is_number) in table.column_iter_mut().zip(numbers) {
        if is_number {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Whether all that stands in a column are numbers, or what a number is missing for.
fn are_numbers(rows: &[Vec<String>], at: usize) -> bool {
    let mut cells = rows.iter().filter_map(|row| row.get(at));
    let is_number = |cell: &String| cell == "-" || cell.is_empty() || cell.parse::<f64>().is_ok();
    !rows.is_empty() && cells.all(is_number)
}

fn filled(mut table: Table, columns: &[Column], rows: Vec<Vec<String>>) -> Table {
    table.set_header(headings(columns));
    table.add_rows(safe(rows));
    keep_whole(&mut table, columns);
    table
}

fn headings(columns: &[Column]) -> Vec<String> {
    let names = columns.iter().map(|column| &column.name);
    names.map(|name| toned(Tone::Heading, name)).collect()
}

fn keep_whole(table: &mut Table, columns: &[Column]) {
    for (known, column) in columns.iter().zip(table.column_iter_mut()) {
        if known.is_whole {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// Rows without a header.
pub(crate) fn rows(rows: Vec<Vec<String>>) -> String {
    let mut table = plain(0);
    table.add_rows(safe(rows));
    lines(&table)
}

/// Rows without a header, below a heading; nothing when there are no rows.
pub(crate) fn section(heading: &str, rows: Vec<Vec<String>>) -> Option<String> {
    if rows.is_empty() {
        return None;
    }
    let mut table = plain(INDENT);
    table.add_rows(safe(rows));
    let indented: Vec<_> = lines(&table)
        .lines()
        .map(|line| format!("  {line}"))
        .collect();
    let heading = toned(Tone::Heading, heading);
    Some(format!("{heading}\n{}", indented.join("\n")))
}

/// As wide as the terminal, less an indent.
fn plain(indent: u16) -> Table {
    sized(Table::new(), width(), indent)
}

/// Not every terminal knows how wide it is: where that is not known, or too little to be true, lines
/// are as long as they are.
fn width() -> Option<u16> {
    let width = Table::new().width().filter(|_| !is_wide());
    usable(width)
}

fn sized(mut table: Table, width: Option<u16>, indent: u16) -> Table {
    table.load_style(presets::NOTHING);
    match width {
        Some(width) => table
            .set_width(width - indent)
            .set_content_arrangement(ContentArrangement::Dynamic),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table
}

fn usable(width: Option<u16>) -> Option<u16> {
    width.filter(|width| *width >= NARROWEST)
}

fn safe(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let cells = |row: Vec<String>| row.iter().map(|cell| marked_printable(cell)).collect();
    rows.into_iter().map(cells).collect()
}

fn lines(table: &Table) -> String {
    let lines: Vec<_> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    let indent = lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min();
    let lines: Vec<_> = lines
        .iter()
        .map(|line| line.get(indent.unwrap_or(0)..).unwrap_or_default())
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::style::painted;

    const HEADER: [&str; 6] = [
        "id",
        "leader store id",
        "address",
        "start key",
        "peers",
        "size",
    ];

    fn row() -> Vec<String> {
        let long = "7480000000000000".repeat(4);
        let row = [
            "9007199254740991",
            "1234567",
            "tikv-1:20160",
            &long,
            &long,
            "96",
        ];
        row.map(str::to_owned).to_vec()
    }

    fn shown(width: u16) -> String {
        let columns = HEADER.iter().map(|name| Column::new(name)).collect();
        painted(&fitted(columns, vec![row(), row()], Some(width)), false)
    }

    /// However many columns there are, and however long what stands in them.
    #[test]
    fn ids_are_whole_in_a_narrow_terminal_and_a_row_is_one_line() {
        for width in [40, 60, 80, 120, 200] {
            let text = shown(width);
            let mut words = text.split_whitespace();
            assert!(words.any(|word| word == "9007199254740991"), "{text}");
            assert!(words.any(|word| word == "1234567"), "{text}");
            let rows = text
                .lines()
                .filter(|line| line.contains("9007199254740991"));
            assert_eq!(rows.count(), 2, "{text}");
            let longest = text
                .lines()
                .filter(|line| !line.starts_with('('))
                .map(|line| line.chars().count())
                .max();
            assert!(longest.unwrap() <= width.into(), "{width}:\n{text}");
        }
    }

    #[test]
    fn what_is_left_out_is_named() {
        let narrow = shown(40);
        assert!(!narrow.contains("7480"), "{narrow}");
        assert!(
            narrow.ends_with("(-o wide also shows: address, start key, peers, size)"),
            "{narrow}"
        );
        assert!(!shown(200).contains("wide"));
        let columns = HEADER.iter().map(|name| Column::new(name)).collect();
        let all = fitted(columns, vec![row()], None);
        assert!(all.contains(&"7480000000000000".repeat(4)));
    }

    #[test]
    fn a_terminal_without_a_width_breaks_no_lines() {
        assert_eq!(usable(Some(0)), None);
        assert_eq!(usable(None), None);
        assert_eq!(usable(Some(80)), Some(80));
    }
}
