//! Measures what this costs beside references, and writes the page.

use std::process::Command;

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;

/// Builds in release, measures, and writes docs/performance.md with its pictures.
pub(crate) fn run(workspace: &Workspace) -> Report {
    let build = "build --release --locked --package bench --package operator-cli";
    program(workspace, "cargo", &build.split(' ').collect::<Vec<_>>())?;
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    program(
        workspace,
        &format!("{target}/release/bench"),
        &["page", "docs"],
    )?;
    Ok("bench: docs/performance.md is written".to_owned())
}

fn program(workspace: &Workspace, name: &str, words: &[&str]) -> Result<(), Findings> {
    let status = Command::new(name)
        .args(words)
        .current_dir(workspace.root())
        .status()
        .map_err(|error| Findings::from(format!("bench: `{name}` did not start: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(Findings::from(format!(
        "bench: `{name} {}` failed",
        words.join(" ")
    )))
}
