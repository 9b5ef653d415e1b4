//! Checks of the workspace that every contributor and CI run: `cargo xtask <command>`.
//!
//! Each command is one module with the same shape: a function that reads the workspace and answers
//! with one line when all is well, or with what it found. Start reading at [`run`].

mod api;
mod bench;
mod ci;
mod counts;
mod docs;
mod error_variants;
mod exit_codes;
mod figures;
mod findings;
mod floors;
mod graph;
mod houses;
mod imports;
mod layers;
mod length;
mod lines;
mod marks;
mod metadata;
mod msrv;
mod new_subject;
mod outcomes;
mod package;
mod picture;
mod policy_keys;
mod promises;
mod reasons;
mod standings;
mod tidy;
mod workspace;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use findings::{Findings, Report};
use workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask <command>

commands:
  layers          which crate may depend on which, and which folder inside a crate
  layers --figures
                  rooms, floors, arrows back up and circles of each crate
  docs [--check]  write generated docs, or say where they are out of date
  picture [--check]
                  draw README's session, or say whether one looks otherwise now
  api [--check]   write what users of the crates see that are used alone, or say where that has changed
  counts [--check]
                  count instructions (needs valgrind), or say where they differ from the record
  bench           measure what this costs beside references; writes docs/performance.md
  new-subject NAME [--into FOLDER]
                  write a subject that works: crates/operator-NAME, or a package of its own elsewhere
  tidy            what fmt and clippy do not look at
  length          files and functions that are longer than reads well
  lines           how long the parts of each subject are, beside what is aimed at
  msrv            the workspace's rust-version against its dependencies and rustc
  package         whether each crate can be packed, and says what it is
  ci [part…]      everything CI runs, in its order, or only: tests, lints, checks, new-subject,
                  campaigns, counts, store-player
";

const PASSED: u8 = 0;
const FAILED: u8 = 1;
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    ExitCode::from(run(&words, &mut io::stdout(), &mut io::stderr()))
}

/// Runs the command that `words` name and returns the exit code.
fn run(words: &[&str], out: &mut impl Write, err: &mut impl Write) -> u8 {
    let command: fn(&Workspace, &mut dyn Write) -> Report = match words {
        ["ci", only @ ..] => {
            return finished(
                Workspace::find().and_then(|workspace| ci::run(&workspace, only, out)),
                out,
                err,
            );
        }
        ["new-subject", name] => return new_subject(name, None, out, err),
        ["new-subject", name, "--into", folder] => {
            return new_subject(name, Some(folder), out, err);
        }
        ["counts"] => |workspace, _| counts::write(workspace),
        ["counts", "--check"] => |workspace, _| counts::check(workspace),
        ["bench"] => |workspace, _| bench::run(workspace),
        ["layers"] => |workspace, _| all(workspace, &[layers::check, floors::check]),
        ["layers", "--figures"] => |workspace, _| figures::print(workspace),
        ["length"] => |workspace, _| length::check(workspace),
        ["lines"] => |workspace, _| lines::print(workspace),
        ["docs"] => |workspace, _| docs::write(workspace),
        ["docs", "--check"] => |workspace, _| docs::check(workspace),
        ["picture"] => |workspace, _| picture::write(workspace),
        ["picture", "--check"] => |workspace, _| picture::check(workspace),
        ["api"] => |workspace, _| api::write(workspace),
        ["api", "--check"] => |workspace, _| api::check(workspace),
        ["tidy"] => |workspace, _| tidy::check(workspace),
        ["msrv"] => |workspace, _| msrv::check(workspace),
        ["package"] => |workspace, _| package::check(workspace),
        ["help" | "--help" | "-h"] => return written(write!(out, "{USAGE}"), PASSED),
        [] => return written(write!(err, "{USAGE}"), MISUSED),
        other => {
            let words = other.join(" ");
            return written(write!(err, "no command `{words}`\n\n{USAGE}"), MISUSED);
        }
    };
    let report = Workspace::find().and_then(|workspace| command(&workspace, out));
    finished(report, out, err)
}

fn new_subject(name: &str, into: Option<&str>, out: &mut impl Write, err: &mut impl Write) -> u8 {
    let written = |workspace: Workspace| new_subject::write(&workspace, name, into);
    finished(Workspace::find().and_then(written), out, err)
}

fn finished(report: Report, out: &mut impl Write, err: &mut impl Write) -> u8 {
    match report {
        Ok(summary) => written(writeln!(out, "{summary}"), PASSED),
        Err(findings) => written(write!(err, "{findings}"), FAILED),
    }
}

/// Several checks as one: what all of them say, or what all of them found.
fn all(workspace: &Workspace, checks: &[fn(&Workspace) -> Report]) -> Report {
    let (mut said, mut findings) = (Vec::new(), Findings::default());
    for check in checks {
        match check(workspace) {
            Ok(summary) => said.push(summary),
            Err(found) => findings.append(found),
        }
    }
    findings.or(said.join("\n"))
}

/// A result that could not be shown is a failure.
fn written(result: io::Result<()>, code: u8) -> u8 {
    match result {
        Ok(()) => code,
        Err(_) => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::{MISUSED, PASSED, run};

    #[track_caller]
    fn check(words: &[&str], code: u8, out: &str, err: &str) {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        assert_eq!(run(words, &mut stdout, &mut stderr), code);
        let (stdout, stderr) = (
            String::from_utf8(stdout).unwrap(),
            String::from_utf8(stderr).unwrap(),
        );
        assert!(
            stdout.starts_with(out) && stdout.is_empty() == out.is_empty(),
            "{stdout}"
        );
        assert!(
            stderr.starts_with(err) && stderr.is_empty() == err.is_empty(),
            "{stderr}"
        );
    }

    #[test]
    fn misuse_shows_the_usage_and_exits_with_2() {
        check(&[], MISUSED, "", "usage: cargo xtask");
        check(&["layer"], MISUSED, "", "no command `layer`\n\nusage:");
        check(
            &["docs", "--chek"],
            MISUSED,
            "",
            "no command `docs --chek`\n\nusage:",
        );
        check(
            &["tidy", "now"],
            MISUSED,
            "",
            "no command `tidy now`\n\nusage:",
        );
    }

    #[test]
    fn help_is_not_a_failure() {
        check(&["--help"], PASSED, "usage: cargo xtask", "");
    }
}
