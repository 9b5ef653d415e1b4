//! Everything CI runs, in its order and in parts, with the time each takes.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;
use crate::{
    all, api, counts, docs, floors, layers, length, msrv, new_subject, package, picture, tidy,
};

/// What is timed together, and can be run alone.
struct Part {
    name: &'static str,
    what: &'static str,
    steps: &'static [Step],
}

enum Step {
    /// The command that README.md gives for the tests.
    ReadmesTests,
    /// A program: its words, and what it needs in its environment.
    Program(
        &'static [&'static str],
        &'static [(&'static str, &'static str)],
    ),
    /// Writes a subject outside of the workspace, and tests it.
    NewSubject,
    /// One of ours.
    Checks(&'static [fn(&Workspace) -> Report]),
}

const PARTS: &[Part] = &[
    Part {
        name: "tests",
        what: "build and tests",
        steps: &[Step::ReadmesTests],
    },
    Part {
        name: "lints",
        what: "formatting, clippy, rustdoc",
        steps: &[
            Step::Program(&["cargo", "fmt", "--all", "--check"], &[]),
            Step::Program(
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
            Step::Program(
                // As docs.rs builds it: with the features that a manifest names for it.
                &[
                    "cargo",
                    "doc",
                    "--workspace",
                    "--no-deps",
                    "--locked",
                    "--features",
                    "action-guard/testing,system-http/testing",
                ],
                &[("RUSTDOCFLAGS", "-D warnings")],
            ),
        ],
    },
    Part {
        name: "checks",
        what: "layers, generated pages, tidiness",
        steps: &[Step::Checks(&[
            layers::check,
            floors::check,
            tidy::check,
            length::check,
            docs::check,
            picture::check,
            api::check,
            msrv::check,
            package::check,
        ])],
    },
    Part {
        name: "new-subject",
        what: "a subject that was just written",
        steps: &[Step::NewSubject],
    },
    Part {
        name: "campaigns",
        what: "many runs of what is random",
        // Only modules that are random or kill: each word is part of a test's path.
        steps: &[Step::Program(
            &[
                "cargo",
                "test",
                "--locked",
                "--package",
                "action-guard",
                "--package",
                "end-to-end",
                "--package",
                "operator",
                "--test",
                "it",
                "--",
                "adversary::",
                "chain::",
                "crash::",
                "demo::",
                "flow_model::",
                "machine::",
                "two_gates::",
            ],
            &[("CAMPAIGN", "1")],
        )],
    },
    Part {
        name: "counts",
        what: "instructions, by valgrind",
        steps: &[
            Step::Program(&[".ci/bring-valgrind"], &[]),
            Step::Checks(&[counts::check]),
        ],
    },
    Part {
        name: "clients",
        what: "clients and frameworks of agents",
        steps: &[Step::Program(&[".ci/play-clients"], &[])],
    },
    Part {
        name: "store-player",
        what: "the player of stores, in Go",
        steps: &[Step::Program(&[".ci/check-store-player"], &[])],
    },
];

/// Runs the parts of these names, or all; the first step that fails is the last.
pub(crate) fn run(workspace: &Workspace, only: &[&str], out: &mut dyn Write) -> Report {
    if let Some(unknown) = only.iter().find(|name| !is_part(name)) {
        let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        return Err(Findings::from(format!(
            "ci: no part `{unknown}`: there are {}",
            names.join(", ")
        )));
    }
    let mut times = Vec::new();
    let mut failed = None;
    for part in PARTS {
        if !only.is_empty() && !only.contains(&part.name) {
            continue;
        }
        let started = Instant::now();
        let result = part
            .steps
            .iter()
            .try_for_each(|step| step.run(workspace, out));
        times.push((part, started.elapsed(), result.is_ok()));
        if let Err(findings) = result {
            failed = Some(findings);
            break;
        }
    }
    // Progress that nobody can be shown is no reason to stop.
    let _ = write!(out, "{}", table(&times));
    match failed {
        Some(findings) => Err(findings),
        None => Ok("ci: all passed".to_owned()),
    }
}

fn is_part(name: &str) -> bool {
    PARTS.iter().any(|part| part.name == name)
}

fn table(times: &[(&Part, Duration, bool)]) -> String {
    let mut table = String::from("\n");
    let row = |name: &str, time: Duration, what: &str| {
        let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
        format!("{name:<14}{minutes:>4} min {seconds:>2} s  {what}\n")
    };
    for (part, time, passed) in times {
        let failed = if *passed { "" } else { " (failed)" };
        table.push_str(&row(part.name, *time, &format!("{}{failed}", part.what)));
    }
    let all = times.iter().map(|(_, time, _)| *time).sum();
    table.push_str(&row("together", all, ""));
    table.replace("  \n", "\n")
}

impl Step {
    fn run(&self, workspace: &Workspace, out: &mut dyn Write) -> Result<(), Findings> {
        match self {
            Self::ReadmesTests => {
                let readme = workspace.read("README.md")?;
                let words = test_command(&readme).ok_or_else(|| {
                    Findings::from("README.md: no line begins with `cargo test`".to_owned())
                })?;
                let words: Vec<&str> = words.split_whitespace().collect();
                program(workspace, out, &words, &[])
            }
            Self::Program(words, environment) => program(workspace, out, words, environment),
            Self::NewSubject => try_new_subject(workspace, out),
            Self::Checks(checks) => {
                let _ = writeln!(out, "{}", all(workspace, checks)?);
                Ok(())
            }
        }
    }
}

/// What was written is built, tested and linted with the profile and the folder of the workspace, so
/// that what it depends on is not built again.
fn try_new_subject(workspace: &Workspace, out: &mut dyn Write) -> Result<(), Findings> {
    let folder = workspace.root().join("target/new-subject");
    // What an earlier run left.
    let _ = std::fs::remove_dir_all(&folder);
    let into = folder.join("operator-sample-lamp");
    let into = into.to_string_lossy();
    let said = new_subject::write(workspace, "sample_lamp", Some(&into))?;
    let _ = writeln!(out, "{said}");
    let manifest = format!("{into}/Cargo.toml");
    let mut with = |words: &[&'static str], last: &[&'static str]| {
        let shared = [
            "--manifest-path",
            &manifest,
            "--target-dir",
            "target",
            "--config",
            "profile.dev.debug=\"line-tables-only\"",
            "--config",
            "profile.dev.package.\"*\".debug=false",
        ];
        let words: Vec<&str> = [words, &shared, last].concat();
        program(workspace, &mut *out, &words, &[])
    };
    with(&["cargo", "test"], &[])?;
    with(
        &["cargo", "clippy", "--all-targets"],
        &["--", "-D", "warnings"],
    )
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
    let mut command = Command::new(name);
    command.args(arguments).current_dir(workspace.root());
    command.envs(environment.iter().copied());
    if environment.iter().any(|(name, _)| *name == "CAMPAIGN") {
        let seed = std::env::var("CAMPAIGN_SEED").unwrap_or_else(|_| "0".to_owned());
        let _ = writeln!(out, "ci: campaigns with CAMPAIGN_SEED={seed}");
        command
            .env("PROPTEST_RNG_SEED", &seed)
            .env("CAMPAIGN_SEED", seed);
    } else {
        command.env_remove("CAMPAIGN_SEED");
    }
    let status = command
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
    use std::time::Duration;

    use super::{PARTS, table, test_command};

    #[test]
    fn the_readme_gives_the_test_command() {
        let readme = "# X\n\n```sh\ncargo run\ncargo test --workspace\n```\n";
        assert_eq!(test_command(readme), Some("cargo test --workspace"));
        assert_eq!(test_command("use `cargo test`"), None);
    }

    #[test]
    fn the_time_of_each_part_is_shown() {
        let times = [
            (&PARTS[0], Duration::from_secs(754), true),
            (&PARTS[1], Duration::from_secs(9), false),
        ];
        assert_eq!(
            table(&times),
            "\ntests           12 min 34 s  build and tests\n\
             lints            0 min  9 s  formatting, clippy, rustdoc (failed)\n\
             together        12 min 43 s\n"
        );
    }
}
