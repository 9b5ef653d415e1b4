//! Whether the `rust-version` we promise is true.

use crate::findings::{Findings, Report};
use crate::metadata::Metadata;
use crate::workspace::Workspace;

/// How many of the most demanding dependencies are named.
const NAMED: usize = 3;

type Version = (u64, u64, u64);

/// Compares the workspace's `rust-version` with what its dependencies ask for and with rustc.
pub(crate) fn check(workspace: &Workspace) -> Report {
    let rustc = workspace.output("rustc", &["--version"])?;
    compare(&Metadata::read(workspace)?, &rustc)
}

fn compare(metadata: &Metadata, rustc: &str) -> Report {
    let mut findings = Findings::default();
    let ours: Vec<(Version, &str)> = metadata
        .ours()
        .filter_map(|package| Some((version(package.rust_version.as_deref()?)?, &*package.name)))
        .collect();
    let Some(&(promised, _)) = ours.iter().min() else {
        return Err(Findings::from(
            "msrv: no crate of ours has a `rust-version`".to_owned(),
        ));
    };
    for package in metadata
        .ours()
        .filter(|package| package.rust_version.is_none())
    {
        findings.add(format!("msrv: `{}` has no `rust-version`", package.name));
    }
    for (_, name) in ours.iter().filter(|(version, _)| *version != promised) {
        findings.add(format!("msrv: `{name}` has a `rust-version` of its own"));
    }

    let running = rustc.split_whitespace().nth(1).and_then(version);
    match running {
        Some(running) if running < promised => findings.add(format!(
            "msrv: `rust-version` is {}, newer than the running {}",
            shown(promised),
            rustc.trim_end()
        )),
        Some(_) => {}
        None => findings.add(format!(
            "msrv: cannot read the version in `{}`",
            rustc.trim_end()
        )),
    }

    let asked: Vec<(Version, String)> = metadata
        .packages()
        .filter(|package| !package.ours)
        .filter_map(|package| {
            let version = version(package.rust_version.as_deref()?)?;
            Some((version, format!("`{} {}`", package.name, package.version)))
        })
        .collect();
    for (version, name) in asked.iter().filter(|(version, _)| *version > promised) {
        findings.add(format!(
            "msrv: {name} needs Rust {}, `rust-version` is {}",
            shown(*version),
            shown(promised)
        ));
    }
    findings.or(format!(
        "msrv: {} is enough; {}",
        shown(promised),
        most_demanding(&asked)
    ))
}

fn most_demanding(asked: &[(Version, String)]) -> String {
    let Some(most) = asked.iter().map(|(version, _)| *version).max() else {
        return "no dependency asks for any".to_owned();
    };
    let mut names: Vec<&str> = asked
        .iter()
        .filter(|(version, _)| *version == most)
        .map(|(_, name)| name.as_str())
        .collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    format!(
        "the most any dependency asks for is {}, by {}{more}",
        shown(most),
        names.join(", ")
    )
}

/// Reads `1.95` and `1.95.0`; what follows a `-` or `+` is left out.
fn version(text: &str) -> Option<Version> {
    let numbers = text.split(['-', '+']).next()?;
    let mut parts = numbers.split('.').map(str::parse::<u64>);
    let major = parts.next()?.ok()?;
    let minor = parts.next().unwrap_or(Ok(0)).ok()?;
    let patch = parts.next().unwrap_or(Ok(0)).ok()?;
    Some((major, minor, patch))
}

fn shown((major, minor, patch): Version) -> String {
    match patch {
        0 => format!("{major}.{minor}"),
        _ => format!("{major}.{minor}.{patch}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::compare;
    use crate::metadata::Metadata;

    fn package(name: &str, rust_version: &str) -> Value {
        json!({"id": name, "name": name, "version": "1.0.0", "rust_version": rust_version})
    }

    #[track_caller]
    fn check(packages: &[Value], rustc: &str, expected: Result<&str, &str>) {
        let metadata =
            Metadata::from_json(&json!({"workspace_members": ["ours"], "packages": packages}));
        match (compare(&metadata, rustc), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(found), Err(expected)) => assert_eq!(found.entries(), [expected]),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn the_most_demanding_dependency_is_named() {
        check(
            &[
                package("ours", "1.95"),
                package("a", "1.63"),
                package("b", "1.88.0"),
            ],
            "rustc 1.95.0 (59807616e 2026-04-14)\n",
            Ok("msrv: 1.95 is enough; the most any dependency asks for is 1.88, by `b 1.0.0`"),
        );
    }

    #[test]
    fn a_dependency_that_needs_more_is_found() {
        check(
            &[package("ours", "1.80"), package("a", "1.80.1")],
            "rustc 1.95.0\n",
            Err("msrv: `a 1.0.0` needs Rust 1.80.1, `rust-version` is 1.80"),
        );
    }

    #[test]
    fn a_promise_newer_than_rustc_is_found() {
        check(
            &[package("ours", "1.96")],
            "rustc 1.95.0-nightly\n",
            Err("msrv: `rust-version` is 1.96, newer than the running rustc 1.95.0-nightly"),
        );
    }
}
