//! Whether each crate can be packed for a registry, and says what a stranger looks for there.

use serde_json::Value;

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;

/// What a manifest says for people.
const FIELDS: &[&str] = &["description", "license", "readme", "rust_version"];

/// So many words of a kind are taken.
const WORDS: &[&str] = &["keywords", "categories"];
const MOST_WORDS: usize = 5;

/// Looks at the manifests of what is under `crates/`, and packs all of it, in the order of their
/// dependencies and without building it.
pub(crate) fn check(workspace: &Workspace) -> Report {
    let ask = [
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ];
    let text = workspace.output("cargo", &ask)?;
    let metadata: Value = serde_json::from_str(&text)
        .map_err(|error| format!("`cargo metadata` printed unreadable JSON: {error}"))?;
    let root = workspace.root().join("crates").display().to_string();
    let packages = metadata["packages"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let ours: Vec<&Value> = packages
        .iter()
        .filter(|package| text_of(package, "manifest_path").starts_with(&root))
        .collect();
    let mut findings = Findings::default();
    for package in &ours {
        let name = text_of(package, "name");
        for what in lacks(package) {
            findings.add(format!("crates/{name}/Cargo.toml: {what}"));
        }
        let (path, rust) = (
            format!("crates/{name}/README.md"),
            text_of(package, "rust_version"),
        );
        // The program's is that of the workspace.
        if let Ok(readme) = workspace.read(&path)
            && !readme.contains(&format!("Rust {rust} or newer"))
        {
            findings.add(format!("{path}: does not say `Rust {rust} or newer`"));
        }
    }
    let count = ours.len();
    findings.or(String::new())?;

    // Without a lock file: none of them is in a registry, from which it would be made.
    let mut words = vec![
        "package",
        "--no-verify",
        "--offline",
        "--allow-dirty",
        "--exclude-lockfile",
    ];
    for package in &ours {
        words.extend(["--package", text_of(package, "name")]);
    }
    workspace.output("cargo", &words)?;
    Ok(format!(
        "package: {count} crates can be packed, and say what they are"
    ))
}

/// What a manifest lacks.
fn lacks(package: &Value) -> Vec<String> {
    let mut lacks = Vec::new();
    for field in FIELDS {
        if text_of(package, field).is_empty() {
            lacks.push(format!("has no `{}`", field.replace('_', "-")));
        }
    }
    for field in WORDS {
        match package[*field].as_array().map_or(0, Vec::len) {
            0 => lacks.push(format!("has no `{field}`")),
            count if count > MOST_WORDS => {
                lacks.push(format!(
                    "has {count} `{field}`, and at most {MOST_WORDS} are taken"
                ));
            }
            _ => {}
        }
    }
    let dependencies = package["dependencies"].as_array();
    for dependency in dependencies.into_iter().flatten() {
        let is_ours = dependency["path"].is_string() && dependency["kind"] != "dev";
        if is_ours && text_of(dependency, "req") == "*" {
            let name = text_of(dependency, "name");
            lacks.push(format!("depends on `{name}` without a version"));
        }
    }
    lacks
}

fn text_of<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lacks;

    #[test]
    fn what_a_manifest_lacks_is_named() {
        let whole = json!({
            "description": "A.", "license": "MIT", "readme": "README.md", "rust_version": "1.95",
            "keywords": ["a"], "categories": ["b"],
            "dependencies": [
                {"name": "c", "path": "/c", "req": "^0.1.0", "kind": null},
                {"name": "d", "path": "/d", "req": "*", "kind": "dev"},
                {"name": "e", "path": null, "req": "*", "kind": null},
            ],
        });
        assert_eq!(lacks(&whole), [""; 0]);
        let mut package = whole;
        package["readme"] = json!(null);
        package["keywords"] = json!(["a", "b", "c", "d", "e", "f"]);
        package["categories"] = json!([]);
        package["dependencies"][0]["req"] = json!("*");
        let expected = [
            "has no `readme`",
            "has 6 `keywords`, and at most 5 are taken",
            "has no `categories`",
            "depends on `c` without a version",
        ];
        assert_eq!(lacks(&package), expected);
    }
}
