//! What fmt and clippy do not look at.

use std::path::Path;

use crate::findings::{Findings, Report};
use crate::metadata::Metadata;
use crate::workspace::Workspace;

/// Recorded answers keep their bytes.
const EXEMPT: &[&str] = &["tests/recordings/", "Cargo.lock", "LICENSE"];

/// Words that no source may hold, put together here so that this file does not hold them.
const BANNED: &[(&[&str], &str)] = &[
    (&["to", "do!("], "finish it or leave it out"),
    (&["unimpl", "emented!("], "finish it or leave it out"),
    (&["db", "g!("], "left over"),
    (&["#[ign", "ore"], "a test that does not run is none"),
    (&["assert!(tr", "ue)"], "a test that cannot fail is none"),
];

/// Names of modules that say nothing.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "common", "models", "types"];

/// Looks at every file git knows or would know.
pub(crate) fn check(workspace: &Workspace) -> Report {
    let mut findings = Findings::default();
    let list = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let files = workspace.output("git", &list)?;
    let mut count = 0;
    for path in files.lines() {
        if EXEMPT.iter().any(|exempt| path.starts_with(exempt)) {
            continue;
        }
        // What git knows may be gone from the disk.
        let Ok(text) = workspace.read(path) else {
            continue;
        };
        count += 1;
        text_of(path, &text, &mut findings);
        if path.ends_with(".rs") {
            source(path, &text, &mut findings);
        }
        if path.ends_with(".md") {
            links(workspace.root(), path, &text, &mut findings);
        }
    }
    manifests(workspace, &mut findings)?;
    findings.or(format!("tidy: {count} files are tidy"))
}

fn text_of(path: &str, text: &str, findings: &mut Findings) {
    if !text.is_empty() && !text.ends_with('\n') {
        findings.add(format!("{path}: no newline at the end"));
    }
    // Golden files hold what was printed.
    if path.ends_with(".snap") {
        return;
    }
    for (number, line) in text.lines().enumerate() {
        if line.trim_end() != line {
            findings.add(format!("{path}:{}: trailing space", number + 1));
        }
    }
}

fn source(path: &str, text: &str, findings: &mut Findings) {
    for (words, why) in BANNED {
        let words = words.concat();
        for (number, line) in text.lines().enumerate() {
            if line.contains(&words) {
                findings.add(format!("{path}:{}: `{words}`: {why}", number + 1));
            }
        }
    }
    if text.contains('\t') {
        findings.add(format!("{path}: a tab"));
    }
    let is_test = path.contains("/tests/") || path.starts_with("tests/");
    if is_test && (text.contains("thread::sleep(") || text.contains("time::sleep(")) {
        findings.add(format!("{path}: a test that sleeps"));
    }
    let first = text.lines().next().unwrap_or_default();
    if path.contains("/src/") && (!first.starts_with("//!") || first.contains("ee [`")) {
        findings.add(format!("{path}: its first line does not say what it is"));
    }
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str());
    if let Some(name) = stem.filter(|name| EMPTY_NAMES.contains(name)) {
        findings.add(format!(
            "{path}: `{name}` says nothing; name it after what is in it"
        ));
    }
}

/// Links to files of ours lead somewhere.
fn links(root: &Path, path: &str, text: &str, findings: &mut Findings) {
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    for target in text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        let file = target.split('#').next().unwrap_or_default();
        if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
            continue;
        }
        if !root.join(folder).join(file).exists() {
            findings.add(format!("{path}: the link to `{target}` leads nowhere"));
        }
    }
}

/// Every crate takes the workspace's lints and has one integration-test binary.
fn manifests(workspace: &Workspace, findings: &mut Findings) -> Result<(), Findings> {
    for package in Metadata::read(workspace)?.ours() {
        let manifest = std::fs::read_to_string(&package.manifest)
            .map_err(|error| format!("{}: {error}", package.name))?;
        if !manifest.contains("[lints]\nworkspace = true") {
            findings.add(format!(
                "{}: takes no lints from the workspace",
                package.name
            ));
        }
        if package.tests.len() > 1 {
            findings.add(format!(
                "{}: more than one integration-test binary",
                package.name
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Findings, source, text_of};

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let mut findings = Findings::default();
        text_of(path, text, &mut findings);
        source(path, text, &mut findings);
        assert_eq!(findings.entries(), expected);
    }

    #[test]
    fn what_is_untidy_is_named_with_its_place() {
        check("a/src/lib.rs", "//! A.\nfn a() {}\n", &[]);
        for first in ["fn a() {}", "//! See [`A`].", "//! How long: see [`A`]."] {
            let text = format!("{first}\n");
            let what = "a/src/lib.rs: its first line does not say what it is";
            check("a/src/lib.rs", &text, &[what]);
        }
        check(
            "a/src/lib.rs",
            "//! A. \n",
            &["a/src/lib.rs:1: trailing space"],
        );
        check(
            "a/src/lib.rs",
            "//! A.",
            &["a/src/lib.rs: no newline at the end"],
        );
        check(
            "a/src/utils.rs",
            "//! A.\n",
            &["a/src/utils.rs: `utils` says nothing; name it after what is in it"],
        );
        check(
            "a/tests/it/x.rs",
            &format!("tokio::time::{}(a)\n", "sleep"),
            &["a/tests/it/x.rs: a test that sleeps"],
        );
    }
}
