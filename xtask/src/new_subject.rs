//! `new-subject`: writes a crate with a subject that works, for its author to go on from.

use std::fs;
use std::path::Path;

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;

/// What is written: a path in the crate, and the template's text.
const FILES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        include_str!("../templates/subject/Cargo.toml"),
    ),
    ("README.md", include_str!("../templates/subject/README.md")),
    (
        "ACTIONS.md",
        include_str!("../templates/subject/ACTIONS.md"),
    ),
    (
        "src/lib.rs",
        include_str!("../templates/subject/src/lib.rs"),
    ),
    (
        "src/main.rs",
        include_str!("../templates/subject/src/main.rs"),
    ),
    (
        "src/catalogue.rs",
        include_str!("../templates/subject/src/catalogue.rs"),
    ),
    (
        "src/system.rs",
        include_str!("../templates/subject/src/system.rs"),
    ),
    (
        "src/read_level.rs",
        include_str!("../templates/subject/src/read_level.rs"),
    ),
    (
        "src/set_level.rs",
        include_str!("../templates/subject/src/set_level.rs"),
    ),
    (
        "tests/it/main.rs",
        include_str!("../templates/subject/tests/it/main.rs"),
    ),
    (
        "tests/it/fake.rs",
        include_str!("../templates/subject/tests/it/fake.rs"),
    ),
    (
        "tests/it/conformance.rs",
        include_str!("../templates/subject/tests/it/conformance.rs"),
    ),
    (
        "tests/it/program.rs",
        include_str!("../templates/subject/tests/it/program.rs"),
    ),
];

/// The texts that sources are written from.
pub(crate) fn templates() -> impl Iterator<Item = &'static str> {
    let sources = FILES.iter().filter(|(path, _)| path.starts_with("src/"));
    sources.map(|(_, template)| *template)
}

/// The sources that are written for a subject of this name, before rustfmt.
#[cfg(test)]
pub(crate) fn sources(name: &str) -> impl Iterator<Item = String> {
    let sources = FILES.iter().filter(|(path, _)| path.ends_with(".rs"));
    sources.map(move |(_, template)| named(template, name))
}

/// Writes `crates/operator-NAME`, or a package of its own into a folder outside the workspace.
pub(crate) fn write(workspace: &Workspace, name: &str, into: Option<&str>) -> Report {
    if !is_name(name) {
        return Err(Findings::from(format!(
            "new-subject: `{name}` is not a name: write a lower-case letter, then up to 19 lower-case \
             letters, digits and underscores"
        )));
    }
    if let Some(why) = taken(&workspace.read("Cargo.toml")?, name) {
        return Err(Findings::from(format!(
            "new-subject: `{name}` cannot be the name: {why}"
        )));
    }
    let folder = match into {
        Some(folder) => std::path::absolute(folder)
            .map_err(|error| Findings::from(format!("{folder}: {error}")))?,
        None => workspace
            .root()
            .join(format!("crates/operator-{}", dashed(name))),
    };
    if into.is_some() && is_members_place(workspace.root(), &folder) {
        return Err(Findings::from(format!(
            "{}: each folder there is a package of this workspace: leave out `--into`, or name a folder \
             elsewhere",
            folder.display()
        )));
    }
    if folder.exists() {
        let problem = "it is there already";
        return Err(Findings::from(format!("{}: {problem}", folder.display())));
    }
    for (path, template) in FILES {
        let mut text = named(template, name);
        if *path == "Cargo.toml" && into.is_some() {
            text = alone(&text, &workspace.read("Cargo.toml")?, workspace.root());
        }
        put(&folder.join(path), &text)?;
    }
    if into.is_some() {
        // The versions that the workspace is tested with.
        put(&folder.join("Cargo.lock"), &workspace.read("Cargo.lock")?)?;
    }
    // Names of another length are wrapped elsewhere.
    let manifest = folder.join("Cargo.toml");
    let manifest = manifest.to_string_lossy();
    workspace.output("cargo", &["fmt", "--manifest-path", &manifest])?;
    Ok(format!(
        "new-subject: wrote {}; `cargo test --manifest-path {manifest}` passes, and README.md says \
         where to go on",
        folder.display()
    ))
}

fn put(path: &Path, text: &str) -> Result<(), Findings> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Findings::from(format!("{}: {error}", path.display())))
}

/// Why no subject can have this name: its type would hide another, or its package one of ours.
fn taken(manifest: &str, name: &str) -> Option<String> {
    if syn::parse_str::<syn::Ident>(name).is_err() {
        return Some("Rust has that word".to_owned());
    }
    let package = format!("operator-{}", dashed(name));
    if manifest.contains(&format!("\n{package} = ")) {
        return Some(format!("there is a package `{package}`"));
    }
    let own = named("SubjectName", name);
    let is_in = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| word == own)
    };
    let prelude = [
        "Box", "Clone", "Default", "Drop", "Err", "None", "Ok", "Option", "Result", "Some",
        "String", "Vec",
    ];
    let hides = prelude.contains(&own.as_str()) || templates().any(is_in);
    hides.then(|| format!("what is written has another `{own}`"))
}

/// Whether a folder is where the workspace takes every folder for a package of its own.
fn is_members_place(root: &Path, folder: &Path) -> bool {
    folder.starts_with(root.join("crates"))
}

/// The first letter and all that follow are those of a package, a module and an action.
fn is_name(name: &str) -> bool {
    let is_part = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_';
    name.len() <= 20
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('_')
        && name.chars().all(is_part)
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

/// A template with the name of the subject in all its forms.
fn named(template: &str, name: &str) -> String {
    let capitalized = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let type_name: String = name.split('_').map(capitalized).collect();
    template
        .replace("subject-name", &dashed(name))
        .replace("subject_name", name)
        .replace("SUBJECT_NAME", &name.to_ascii_uppercase())
        .replace("SubjectName", &type_name)
}

/// A manifest that inherits nothing: what it would inherit is written out, and our crates are named by
/// where they are.
fn alone(manifest: &str, workspace: &str, root: &Path) -> String {
    let crates = format!("path = \"{}/crates/", root.display());
    let workspace = workspace.replace("path = \"crates/", &crates);
    let inherited = |key: &str| {
        let mut lines = workspace.lines();
        lines.find_map(|line| line.strip_prefix(&format!("{key} = ")))
    };
    let mut alone = String::from("[workspace]\n\n");
    for line in manifest.lines() {
        if line == "[lints]" || line == "workspace = true" {
            continue;
        }
        let whole = line.strip_suffix(".workspace = true");
        let part = line.split_once(" = { workspace = true, ");
        let line = match (whole.or(part.map(|(key, _)| key)), part) {
            (Some(key), None) => {
                inherited(key).map_or_else(String::new, |value| format!("{key} = {value}"))
            }
            (Some(key), Some((_, rest))) => inherited(key).map_or_else(String::new, |value| {
                let value = match value.strip_suffix(" }") {
                    Some(table) => table.to_owned(),
                    None => format!("{{ version = {value}"),
                };
                format!("{key} = {value}, {rest}")
            }),
            (None, _) => line.to_owned(),
        };
        alone.push_str(&line);
        alone.push('\n');
    }
    alone.replace("\n\n\n", "\n\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{alone, is_members_place, is_name, named, taken};

    #[test]
    fn a_name_is_that_of_a_package_and_of_a_subject() {
        for good in ["lamp", "s3", "key_value"] {
            assert!(is_name(good), "{good}");
        }
        for wrong in [
            "",
            "Lamp",
            "3s",
            "a-b",
            "a_",
            "a b",
            "../a",
            "abcdefghijklmnopqrstu",
        ] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_package_of_its_own_is_not_put_among_those_of_the_workspace() {
        let root = Path::new("/w");
        assert!(is_members_place(root, Path::new("/w/crates/operator-lamp")));
        for other in ["/w/target/lamp", "/elsewhere/crates/lamp", "/w/cratesque"] {
            assert!(!is_members_place(root, Path::new(other)), "{other}");
        }
    }

    #[test]
    fn a_name_that_would_hide_another_is_refused() {
        let manifest =
            "[workspace.dependencies]\noperator-cli = { path = \"crates/operator-cli\" }\n";
        for name in ["lamp", "key_value", "sample_lamp"] {
            assert_eq!(taken(manifest, name), None);
        }
        for name in [
            "self", "match", "cli", "option", "result", "plan", "mutation",
        ] {
            assert!(taken(manifest, name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_template_gets_the_name_in_all_its_forms() {
        let template = "operator-subject-name subject_name SUBJECT_NAME_ADDR SubjectName";
        let expected = "operator-key-value key_value KEY_VALUE_ADDR KeyValue";
        assert_eq!(named(template, "key_value"), expected);
    }

    #[test]
    fn outside_the_workspace_nothing_is_inherited() {
        let workspace = "edition = \"2024\"\ncore = { path = \"crates/core\" }\n\
                         tls = { path = \"crates/tls\", default-features = false }\ntokio = \"1.54\"\n";
        let manifest = "[package]\nedition.workspace = true\n\n[lints]\nworkspace = true\n\n\
                        [dependencies]\ncore.workspace = true\n\
                        tls = { workspace = true, optional = true }\n\
                        tokio = { workspace = true, features = [\"rt\"] }\n";
        let expected = "[workspace]\n\n[package]\nedition = \"2024\"\n\n[dependencies]\n\
                        core = { path = \"/here/crates/core\" }\n\
                        tls = { path = \"/here/crates/tls\", default-features = false, optional = true }\n\
                        tokio = { version = \"1.54\", features = [\"rt\"] }\n";
        assert_eq!(alone(manifest, workspace, Path::new("/here")), expected);
    }
}
