//! `docs/security.md` names tests for every claim, and every test it names exists.

use std::path::Path;

#[test]
fn every_claim_has_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let mut claims = 0;
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let tests = cells.last().unwrap();
        if tests.trim() == "Shown by" {
            continue;
        }
        claims += 1;
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing shows: {line}");
        for name in names {
            exists(&root, name);
        }
    }
    assert!(claims >= 25, "only {claims} claims were found");
    // Those that are named in the text.
    for name in page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.contains("::"))
    {
        if !name.contains('…') {
            exists(&root, name);
        }
    }
}

#[track_caller]
fn exists(root: &Path, name: &str) {
    let (place, test) = name.split_once("::").unwrap();
    let (owner, module) = place.split_once('/').unwrap();
    let file = match (owner, module.ends_with(".rs")) {
        ("end-to-end", _) => root.join("tests/it").join(module).with_extension("rs"),
        (owner, true) => root.join("crates").join(owner).join(module),
        (owner, false) => {
            let tests = root.join("crates").join(owner).join("tests/it");
            tests.join(module).with_extension("rs")
        }
    };
    let text = std::fs::read_to_string(&file);
    let text = text.unwrap_or_else(|error| unreachable!("`{name}`: {}: {error}", file.display()));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared = lines.iter().position(|line| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.starts_with(&format!("fn {test}("))
    });
    let declared = declared.unwrap_or_else(|| unreachable!("`{name}` does not exist"));
    let attributes = lines[..declared]
        .iter()
        .rev()
        .take_while(|line| line.starts_with("#["));
    let is_test = attributes.into_iter().any(|line| line.contains("test"));
    assert!(is_test, "`{name}` is no test");
}
