//! The table of exit codes in `docs/operating.md`, from the one that the command ends by.

use std::fmt::Write as _;

use self::exit_code::Exit;

#[path = "../../crates/operator-cli/src/terminal/exit_code.rs"]
mod exit_code;

/// A row for each code.
pub(crate) fn table() -> String {
    let mut table = String::from("| exit code | what it means |\n|---|---|\n");
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(table, "| {} | {meaning} |", exit.code());
    }
    table
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_has_the_codes() {
        assert!(super::table().contains("| 130 | "));
    }
}
