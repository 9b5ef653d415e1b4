//! Measures what this costs beside references, and writes the page.

use std::path::Path;
use std::process::Command;

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;

/// Builds in release, measures, and writes docs/performance.md with its pictures. Where Go is, PD's
/// own Go client is one of the references.
pub(crate) fn run(workspace: &Workspace) -> Report {
    let build = "build --release --locked --package bench --package operator";
    program(workspace, "cargo", &build.split(' ').collect::<Vec<_>>())?;
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let target = workspace.root().join(target);
    let (bench, go_client) = (target.join("release/bench"), target.join("go-client"));
    let mut page = Command::new(&bench);
    page.args(["page", "docs"]);
    let beside = match go_client_built(workspace, &go_client) {
        Ok(()) => {
            page.env("BENCH_GO_CLIENT", &go_client);
            String::new()
        }
        Err(why) => format!(", without PD's Go client: {why}"),
    };
    run_in(workspace, &mut page, &bench.display().to_string())?;
    Ok(format!("bench: docs/performance.md is written{beside}"))
}

/// Builds the program that asks by PD's own Go client, or says why it cannot be had: without Go, or
/// without its modules, the page has the other rows.
fn go_client_built(workspace: &Workspace, to: &Path) -> Result<(), String> {
    let folder = workspace.root().join("tests/bench/go-client");
    let mut build = Command::new("go");
    let build = build.arg("build").arg("-o").arg(to).arg(".");
    let built = build.current_dir(folder).output();
    let built = built.map_err(|error| format!("`go` did not start: {error}"))?;
    if built.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&built.stderr);
    let last = said.lines().last().unwrap_or_default();
    Err(format!("`go build` failed: {last}"))
}

fn program(workspace: &Workspace, name: &str, words: &[&str]) -> Result<(), Findings> {
    let mut command = Command::new(name);
    run_in(
        workspace,
        command.args(words),
        &format!("{name} {}", words.join(" ")),
    )
}

fn run_in(workspace: &Workspace, command: &mut Command, name: &str) -> Result<(), Findings> {
    let status = command
        .current_dir(workspace.root())
        .status()
        .map_err(|error| Findings::from(format!("bench: `{name}` did not start: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(Findings::from(format!("bench: `{name}` failed")))
}
