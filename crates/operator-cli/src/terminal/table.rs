//! Tables for people, as wide as the terminal and safe to print: no word and no id is broken.

mod layout;

use std::io::{stderr, stdout};
use std::sync::OnceLock;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, presets};
use terminal_size::{Height, Width, terminal_size_of};

use crate::terminal::style::{Tone, marked_printable, toned};
use crate::terminal::table::layout::GAP;
use crate::terminal::values::is_id;

/// What lies below a heading begins here.
const INDENT: u16 = 2;

/// The fewest columns that lines are broken for.
const NARROWEST: u16 = 40;

/// How wide a column of text is at least, where what stands in it is longer.
const SHORTEST: usize = 16;

/// Whether lines are as long as they are, whatever the terminal: set once, by `-o wide`.
static IS_WIDE: OnceLock<bool> = OnceLock::new();

/// What the command is called, by which lines that are commands are told.
static NAME: OnceLock<&str> = OnceLock::new();

pub(crate) fn set_name(name: &'static str) {
    let _ = NAME.set(name);
}

pub(crate) fn set_wide() {
    let _ = IS_WIDE.set(true);
}

fn is_wide() -> bool {
    IS_WIDE.get().copied().unwrap_or_default()
}

/// Rows under a header. Text is broken between its words where there is no room for it.
#[must_use]
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let header = header.iter().map(|name| name.to_uppercase()).collect();
    layout::lines(Some(header), &safe(rows), width().map(usize::from)).join("\n")
}

/// A column: its header, whether what stands in it is never cut, and how soon it is left out.
pub(crate) struct Column {
    name: String,
    is_whole: bool,
    is_first_to_go: bool,
    /// How wide it is at least, where what stands in it is longer.
    least: usize,
}

impl Column {
    /// Ids are never cut: whoever reads one asks for it next.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_uppercase(),
            is_whole: is_id(&name.to_lowercase().replace(' ', "_")),
            is_first_to_go: false,
            least: SHORTEST,
        }
    }

    /// What says more than the columns that would have to go for it.
    pub(crate) fn at_least(mut self, columns: usize) -> Self {
        self.least = columns;
        self
    }

    /// What is of no use when it is cut, such as a time.
    pub(crate) fn whole(mut self) -> Self {
        self.is_whole = true;
        self
    }

    /// What is left out before the columns on its right.
    pub(crate) fn first_to_go(mut self) -> Self {
        self.is_first_to_go = true;
        self
    }
}

/// A line for each row: columns that there is no room for are left out and named below. The last go first, those
/// that are [`Column::first_to_go`] before them.
pub(crate) fn list(columns: Vec<Column>, rows: Vec<Vec<String>>) -> String {
    fitted(&columns, rows, width())
}

fn fitted(columns: &[Column], rows: Vec<Vec<String>>, width: Option<u16>) -> String {
    let rows = safe(rows);
    let kept = match width {
        Some(width) => room_for(columns, &rows, width.into()),
        None => vec![true; columns.len()],
    };
    let only_kept = |row: Vec<String>| {
        let cells = row.into_iter().zip(&kept);
        cells.filter_map(|(cell, kept)| kept.then_some(cell))
    };
    let rows = rows.into_iter().map(|row| only_kept(row).collect());
    let shown = columns.iter().zip(&kept).filter(|(_, kept)| **kept);
    let shown: Vec<_> = shown.map(|(column, _)| column).collect();
    let mut text = lines(&one_line_each(sized(width), &shown, rows.collect()));
    let left_out = columns.iter().zip(&kept).filter(|(_, kept)| !**kept);
    let left_out: Vec<_> = left_out
        .map(|(column, _)| column.name.to_lowercase())
        .collect();
    if !left_out.is_empty() {
        text.push_str(&format!("\n(-o wide also shows: {})", left_out.join(", ")));
    }
    text
}

/// Which columns there is room for. One always stays.
fn room_for(columns: &[Column], rows: &[Vec<String>], width: usize) -> Vec<bool> {
    let needs = |(at, column): (usize, &Column)| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        let name = column.name.chars().count();
        match column.is_whole {
            true => longest.max(name),
            false => longest.min(column.least).max(name),
        }
    };
    let needs: Vec<usize> = columns.iter().enumerate().map(needs).collect();
    let mut kept = vec![true; columns.len()];
    loop {
        let used = needs.iter().zip(&kept).filter(|(_, kept)| **kept);
        let used: Vec<usize> = used.map(|(needs, _)| needs + GAP).collect();
        if used.len() < 2 || used.iter().sum::<usize>() <= width + GAP {
            return kept;
        }
        let left = (0..columns.len()).filter(|at| kept[*at]);
        if let Some(next) = left.max_by_key(|at| (columns[*at].is_first_to_go, *at)) {
            kept[next] = false;
        }
    }
}

fn one_line_each(mut table: Table, columns: &[&Column], rows: Vec<Vec<String>>) -> Table {
    let numbers: Vec<bool> = (0..columns.len())
        .map(|at| are_numbers(&rows, at))
        .collect();
    let rows = rows.into_iter().map(|row| {
        let mut row = Row::from(row);
        row.max_height(1);
        row
    });
    table.set_truncation_indicator("…");
    table.set_header(headings(columns));
    table.add_rows(rows);
    for (known, column) in columns.iter().zip(table.column_iter_mut()) {
        if known.is_whole {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
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

fn headings(columns: &[&Column]) -> Vec<String> {
    let names = columns.iter().map(|column| &column.name);
    names.map(|name| toned(Tone::Heading, name)).collect()
}

/// Rows without a header.
pub(crate) fn rows(rows: Vec<Vec<String>>) -> String {
    layout::lines(None, &safe(rows), width().map(usize::from)).join("\n")
}

/// Rows without a header, below a heading; nothing when there are no rows.
pub(crate) fn section(heading: &str, rows: Vec<Vec<String>>) -> Option<String> {
    if rows.is_empty() {
        return None;
    }
    let width = width().map(|width| usize::from(width - INDENT));
    let lines = layout::lines(None, &safe(rows), width);
    let indented: Vec<_> = lines.iter().map(|line| format!("  {line}")).collect();
    let heading = toned(Tone::Heading, heading);
    Some(format!("{heading}\n{}", indented.join("\n")))
}

/// A text for people on stdout, with its long lines broken between words.
pub(crate) fn prose(text: &str) -> String {
    broken(text, width())
}

/// The same for stderr.
pub(crate) fn prose_on_stderr(text: &str) -> String {
    broken(text, width_of(terminal_size_of(stderr())))
}

fn broken(text: &str, width: Option<u16>) -> String {
    match width {
        Some(width) => layout::prose(text, width.into(), NAME.get().copied().unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Not every terminal knows how wide it is: where that is not known, or too little to be true, lines
/// are as long as they are.
fn width() -> Option<u16> {
    width_of(terminal_size_of(stdout()))
}

fn width_of(size: Option<(Width, Height)>) -> Option<u16> {
    let size = size.filter(|_| !is_wide());
    usable(size.map(|(Width(width), _)| width))
}

fn sized(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match width {
        Some(width) => table
            .set_width(width)
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
        let columns: Vec<_> = HEADER.iter().map(|name| Column::new(name)).collect();
        painted(&fitted(&columns, vec![row(), row()], Some(width)), false)
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
        let columns: Vec<_> = HEADER.iter().map(|name| Column::new(name)).collect();
        let all = fitted(&columns, vec![row()], None);
        assert!(all.contains(&"7480000000000000".repeat(4)));
    }

    #[test]
    fn what_matters_least_goes_first() {
        let columns = [
            Column::new("no"),
            Column::new("at").whole().first_to_go(),
            Column::new("what"),
        ];
        let rows = vec![["1", "2026-11-30T02:00:00+01:00", &"moved ".repeat(9)].map(str::to_owned)];
        let text = fitted(
            &columns,
            rows.into_iter().map(Vec::from).collect(),
            Some(40),
        );
        let text = painted(&text, false);
        assert!(text.starts_with("NO  WHAT\n"), "{text}");
        assert!(text.contains('…'), "{text}");
        assert!(text.ends_with("(-o wide also shows: at)"), "{text}");
    }

    #[test]
    fn a_terminal_without_a_width_breaks_no_lines() {
        assert_eq!(usable(Some(0)), None);
        assert_eq!(usable(None), None);
        assert_eq!(usable(Some(80)), Some(80));
    }
}
