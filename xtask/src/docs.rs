//! Generated docs: `docs/actions.md`, `docs/reasons.md`, `docs/outcomes.md`, and parts of others.

use std::fs;
use std::process::Command;

use action_core::actions_page;
use operator_tikv::Tikv;

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;
use crate::{
    error_variants, exit_codes, floors, marks, outcomes, policy_keys, promises, reasons, standings,
};

const PAGE: &str = "docs/actions.md";
const OPERATING: &str = "docs/operating.md";
const WRITING: &str = "docs/writing-a-subject.md";
const ERRORS: &str = "docs/errors.md";
const EMBEDDING: &str = "docs/embedding.md";

/// Writes the pages.
pub(crate) fn write(workspace: &Workspace) -> Report {
    let pages = pages(workspace)?;
    for (page, text) in &pages {
        fs::write(workspace.root().join(page), text)
            .map_err(|error| Findings::from(format!("{page}: {error}")))?;
    }
    let subjects = write_subjects(workspace)?;
    Ok(format!("docs: wrote {}{subjects}", names(&pages)))
}

/// The pages that subjects have in their own folders, each written, and compared, by a test of its own.
fn write_subjects(workspace: &Workspace) -> Result<String, Findings> {
    let mut written = String::new();
    for folder in floors::crates(workspace)? {
        let page = format!("{folder}/ACTIONS.md");
        let name = folder.trim_start_matches("crates/");
        if !workspace.root().join(&page).exists() {
            continue;
        }
        let words = [
            "test",
            "--quiet",
            "--package",
            name,
            "--test",
            "it",
            "page_of_actions",
        ];
        let mut test = Command::new("cargo");
        test.args(words)
            .env("WRITE_PAGES", "1")
            .current_dir(workspace.root());
        let output = test
            .output()
            .map_err(|error| Findings::from(format!("{page}: {error}")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Findings::from(format!("{page}: not written:\n{said}")));
        }
        written.push_str(", ");
        written.push_str(&page);
    }
    Ok(written)
}

/// Says where a page differs from what it should be.
pub(crate) fn check(workspace: &Workspace) -> Report {
    let pages = pages(workspace)?;
    let mut findings = Findings::default();
    for (page, wanted) in &pages {
        let there = workspace.read(page)?;
        if there == *wanted {
            continue;
        }
        let line = there
            .lines()
            .zip(wanted.lines())
            .take_while(|(there, wanted)| there == wanted)
            .count();
        findings.add(format!(
            "{page}:{}: out of date, should be `{}`; run `cargo xtask docs`",
            line + 1,
            wanted.lines().nth(line).unwrap_or("nothing more")
        ));
    }
    findings.or(format!("docs: {} up to date", names(&pages)))
}

/// Every page that is generated, in whole or in part, as it should be.
fn pages(workspace: &Workspace) -> Result<Vec<(String, String)>, Findings> {
    let filled = |page, parts: &[(&str, String)]| {
        let there = workspace.read(page)?;
        parts.iter().try_fold(there, |there, (name, text)| {
            marks::filled(page, &there, name, text)
        })
    };
    let operating = [
        ("policy keys", policy_keys::table()),
        ("exit codes", exit_codes::table()),
    ];
    let promises = [("promises", promises::table())];
    let errors = [("errors", error_variants::sections(workspace)?)];
    let embedding = [("standings", standings::table(workspace)?)];
    let whole = [
        (PAGE, actions_page::<Tikv>("cargo xtask docs")),
        (reasons::PAGE, reasons::page()),
        (outcomes::PAGE, outcomes::page()),
        (OPERATING, filled(OPERATING, &operating)?),
        (WRITING, filled(WRITING, &promises)?),
        (ERRORS, filled(ERRORS, &errors)?),
        (EMBEDDING, filled(EMBEDDING, &embedding)?),
    ];
    let whole = whole
        .into_iter()
        .map(|(page, text)| (page.to_owned(), text));
    Ok(whole.chain(reasons::runbooks()).collect())
}

fn names(pages: &[(String, String)]) -> String {
    let names: Vec<&str> = pages.iter().map(|(page, _)| page.as_str()).collect();
    names.join(", ")
}
