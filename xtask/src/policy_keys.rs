//! The table of a policy's keys in `docs/operating.md`, from the list that policies are read by.

use std::fmt::Write as _;

use self::keys::{Keys, POLICY};

#[path = "../../crates/action-guard/src/policy/keys.rs"]
mod keys;

/// A row for each key of each table.
pub(crate) fn table() -> String {
    let mut table = String::from("| In | Key | Value | What it says |\n|---|---|---|---|\n");
    let mut waiting: Vec<&Keys> = vec![&POLICY];
    while let Some(section) = waiting.pop() {
        for (key, value, meaning) in section.keys {
            let _ = writeln!(
                table,
                "| {} | `{key}` | {value} | {meaning} |",
                section.what
            );
        }
        waiting.extend(section.tables.iter().rev().map(|(_, keys)| *keys));
    }
    table
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_table_has_rows() {
        let table = super::table();
        for row in [
            "| a rule | `decision` |",
            "| a budget | `per` |",
            "| a window | `from` |",
        ] {
            assert!(table.contains(row), "{table}");
        }
    }
}
