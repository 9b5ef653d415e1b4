//! JSON as tables for people, bounded and safe to print.

use action_core::{bounded_to, printable};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// How many characters of one value people are shown. JSON has all of it.
const LONGEST: usize = 200;

/// What lies below a heading begins here.
const INDENT: u16 = 2;

/// The fewest columns that lines are broken for.
const NARROWEST: u16 = 40;

/// Rows under a header.
#[must_use]
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    lines(&with_header(plain(0), header, rows))
}

/// Ids are never cut: whoever reads one asks for it next.
fn with_header(mut table: Table, header: &[&str], rows: Vec<Vec<String>>) -> Table {
    table.set_header(header.iter().map(|name| name.to_uppercase()));
    table.add_rows(safe(rows));
    for (name, column) in header.iter().zip(table.column_iter_mut()) {
        if is_id(&name.to_lowercase().replace(' ', "_")) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
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
    Some(format!("{heading}\n{}", indented.join("\n")))
}

/// As wide as the terminal, less an indent. Not every terminal knows how wide it is: where that
/// is not known, or too little to be true, lines are as long as they are.
fn plain(indent: u16) -> Table {
    let table = Table::new();
    let width = usable(table.width());
    fitted(table, width, indent)
}

fn fitted(mut table: Table, width: Option<u16>, indent: u16) -> Table {
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
    let cells = |row: Vec<String>| {
        row.iter()
            .map(|cell| printable(cell).into_owned())
            .collect()
    };
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

/// What an observation gave: members, then each list of objects as a table.
#[must_use]
pub fn result(value: &Value) -> String {
    let Value::Object(members) = value else {
        return printable(&text_of(value)).into_owned();
    };
    let is_list = |value: &Value| matches!(value, Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object));
    let mut single = plain(0);
    let rows: Vec<Vec<String>> = ordered(members)
        .filter(|(_, value)| !is_list(value))
        .map(pair)
        .collect();
    let mut parts = Vec::new();
    if !rows.is_empty() {
        single.add_rows(safe(rows));
        parts.push(lines(&single));
    }
    for (name, list) in ordered(members).filter(|(_, value)| is_list(value)) {
        let items: Vec<&Map<String, Value>> = list
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .collect();
        parts.push(format!("{}\n{}", printable(name), objects(&items)));
    }
    parts.join("\n\n")
}

/// Objects as rows; the columns are all members that any of them has.
fn objects(items: &[&Map<String, Value>]) -> String {
    let mut all = Map::new();
    for item in items {
        all.extend(item.iter().map(|(name, _)| (name.clone(), Value::Null)));
    }
    let columns: Vec<&str> = ordered(&all).map(|(name, _)| name.as_str()).collect();
    let cell = |item: &Map<String, Value>, name: &str| {
        item.get(name)
            .map_or_else(String::new, |value| shortened(&text_of(value)))
    };
    let rows = items
        .iter()
        .map(|item| columns.iter().map(|name| cell(item, name)).collect())
        .collect();
    let header: Vec<String> = columns
        .iter()
        .map(|name| printable(name).replace('_', " "))
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(&header, rows)
}

fn is_id(name: &str) -> bool {
    name == "id" || name.ends_with("_id")
}

/// What a thing is first, then what it is like.
fn ordered(members: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let ids = members.iter().filter(move |(name, _)| is_id(name));
    ids.chain(members.iter().filter(move |(name, _)| !is_id(name)))
}

pub(crate) fn pair((name, value): (&String, &Value)) -> Vec<String> {
    vec![name.clone(), shortened(&text_of(value))]
}

/// A value without the quotes that only JSON needs.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            if items.is_empty() {
                return "none".to_owned();
            }
            items.iter().map(text_of).collect::<Vec<_>>().join(", ")
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{name}={}", text_of(value)));
            members.collect::<Vec<_>>().join(" ")
        }
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// A time to the second, UTC.
pub(crate) fn when(at: Timestamp) -> String {
    format!("{:.0}", at)
}

/// No more of a text than fits on a few lines.
pub(crate) fn shortened(text: &str) -> String {
    bounded_to(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_of_objects_are_tables_and_their_text_is_safe() {
        let text = result(&json!({
            "truncated": false,
            "stores": [
                {"address": "tikv-1:20160\u{1b}[2J\n", "id": 1},
                {"address": "tikv-2:20160", "id": 2, "leaders": 12},
            ],
        }));
        assert!(!text.contains('\u{1b}'), "{text}");
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0], ["truncated", "false"]);
        assert_eq!(lines[2], ["stores"]);
        assert_eq!(lines[3], ["ID", "ADDRESS", "LEADERS"]);
        assert_eq!(lines[4], ["1", r"tikv-1:20160\u001b[2J\u000a"]);
        assert_eq!(lines[5], ["2", "tikv-2:20160", "12"]);
    }

    /// However many columns there are, and however long what stands in them.
    #[test]
    fn ids_are_whole_in_a_narrow_terminal() {
        let header = [
            "id",
            "leader store id",
            "start key",
            "end key",
            "peers",
            "size",
        ];
        let long = "7480000000000000".repeat(4);
        let row = ["9007199254740991", "1234567", &long, &long, &long, "96"];
        let rows = vec![row.map(str::to_owned).to_vec()];
        for width in [40, 80] {
            let table = fitted(Table::new(), Some(width), 0);
            let text = lines(&with_header(table, &header, rows.clone()));
            let mut words = text.split_whitespace();
            assert!(words.any(|word| word == "9007199254740991"), "{text}");
            assert!(words.any(|word| word == "1234567"), "{text}");
        }
    }

    #[test]
    fn a_terminal_without_a_width_breaks_no_lines() {
        assert_eq!(usable(Some(0)), None);
        assert_eq!(usable(None), None);
        assert_eq!(usable(Some(80)), Some(80));
    }

    #[test]
    fn a_long_value_is_cut() {
        let text = shortened(&"x".repeat(1_000));
        assert_eq!(text.chars().count(), LONGEST + 1);
    }
}
