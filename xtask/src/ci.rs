//! Everything CI runs, in its order.

use std::io::Write;
use std::process::Command;
use std::time::Instant;

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;
use crate::{api, docs, layers, msrv, tidy};

/// A step that is a program: its words, and what it needs in its environment.
type Program = (
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const AFTER_TESTS: &[Program] = &[
    (&["cargo", "fmt", "--all", "--check"], &[]),
    (
        &[
            "cargo",
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
        &[],
    ),
    (
        &["cargo", "doc", "--workspace", "--no-deps", "--locked"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    ),
];

/// A step that is one of ours.
type Check = fn(&Workspace) -> Report;

const CHECKS: &[Check] = &[
    layers::check,
    tidy::check,
    docs::check,
    api::check,
    msrv::check,
];

/// Runs all steps; the first that fails is the last.
pub(crate) fn run(workspace: &Workspace, out: &mut dyn Write) -> Report {
    let readme = workspace.read("README.md")?;
    let tests = test_command(&readme)
        .ok_or_else(|| Findings::from("README.md: no line begins with `cargo test`".to_owned()))?;
    let words: Vec<&str> = tests.split_whitespace().collect();
    program(workspace, out, &words, &[])?;
    for (words, environment) in AFTER_TESTS {
        program(workspace, out, words, environment)?;
    }
    for check in CHECKS {
        // Progress that nobody can be shown is no reason to stop.
        let _ = writeln!(out, "{}", check(workspace)?);
    }
    Ok("ci: all passed".to_owned())
}

/// The command the README gives for the tests.
fn test_command(readme: &str) -> Option<&str> {
    readme
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("cargo test"))
}

fn program(
    workspace: &Workspace,
    out: &mut dyn Write,
    words: &[&str],
    environment: &[(&str, &str)],
) -> Result<(), Findings> {
    let shown = words.join(" ");
    let started = Instant::now();
    let (name, arguments) = words
        .split_first()
        .ok_or_else(|| Findings::from("ci: an empty step".to_owned()))?;
    let status = Command::new(name)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(workspace.root())
        .status()
        .map_err(|error| Findings::from(format!("ci: `{shown}` did not start: {error}")))?;
    let seconds = started.elapsed().as_secs();
    if !status.success() {
        return Err(Findings::from(format!(
            "ci: `{shown}` failed after {seconds} s"
        )));
    }
    let _ = writeln!(out, "ci: `{shown}` passed in {seconds} s");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::test_command;

    #[test]
    fn the_readme_gives_the_test_command() {
        let readme = "# X\n\n```sh\ncargo run\ncargo test --workspace\n```\n";
        assert_eq!(test_command(readme), Some("cargo test --workspace"));
        assert_eq!(test_command("use `cargo test`"), None);
    }
}
