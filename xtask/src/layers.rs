//! Which crate may depend on which: the folder listing is the architecture, and this is its law.
//!
//! A new crate gets a row in [`LAYERS`] and a paragraph in `docs/architecture.md`.

use std::collections::{BTreeMap, VecDeque};

use crate::findings::{Findings, Report};
use crate::metadata::{Metadata, Package};
use crate::workspace::Workspace;

/// What one crate of the workspace may depend on.
struct Layer {
    name: &'static str,
    /// Our crates it may be built with.
    uses: &'static [&'static str],
    /// Our crates that its tests may use as well.
    tests_use: &'static [&'static str],
    /// Crates of others it must not be built with, neither directly nor through another of theirs.
    /// What it gets through one of ours is that crate's row.
    never: &'static [&'static [&'static str]],
}

const EVERYTHING: &[&str] = &[
    "action-core",
    "action-guard",
    "operator-cli",
    "operator-etcd",
    "operator-tikv",
    "pd-client",
    "pd-sim",
];

const WITH_DATABASES: &[&str] = &[
    "action-core",
    "action-guard",
    "action-guard-sql",
    "operator-tikv",
    "pd-client",
    "pd-sim",
];

/// A subject that has no row: what `cargo xtask new-subject` writes needs none.
const SUBJECT: Layer = Layer {
    name: "",
    uses: &["action-core", "operator-cli", "subject-http", "system-http"],
    tests_use: &["action-guard"],
    never: &[HTTP, FRONT_ENDS],
};

const RUNTIMES: &[&str] = &["async-std", "mio", "smol", "tokio"];
const HTTP: &[&str] = &[
    "axum",
    "curl",
    "h2",
    "http",
    "hyper",
    "hyper-util",
    "reqwest",
    "ureq",
];
const FRONT_ENDS: &[&str] = &["clap", "comfy-table", "crossterm", "ratatui-core", "rmcp"];

/// From the roots to the front ends.
const LAYERS: &[Layer] = &[
    Layer {
        name: "action-core",
        uses: &[],
        tests_use: &[],
        never: &[RUNTIMES, HTTP, FRONT_ENDS],
    },
    Layer {
        name: "system-http",
        uses: &[],
        // Itself, with its fake server.
        tests_use: &["system-http"],
        never: &[FRONT_ENDS, &["schemars", "serde_json"]],
    },
    Layer {
        name: "gate-client",
        uses: &["system-http"],
        tests_use: &[],
        never: &[FRONT_ENDS, &["schemars"]],
    },
    Layer {
        name: "subject-http",
        uses: &["action-core", "system-http"],
        tests_use: &[],
        never: &[
            &["axum", "curl", "h2", "hyper", "reqwest", "ureq"],
            FRONT_ENDS,
        ],
    },
    Layer {
        name: "pd-client",
        uses: &["system-http"],
        tests_use: &["pd-sim"],
        never: &[FRONT_ENDS, &["schemars"]],
    },
    Layer {
        name: "pd-sim",
        uses: &[],
        tests_use: &[],
        never: &[FRONT_ENDS, &["reqwest", "schemars"]],
    },
    Layer {
        name: "prom-client",
        uses: &["system-http"],
        tests_use: &[],
        never: &[FRONT_ENDS, &["schemars"]],
    },
    Layer {
        name: "operator-tikv",
        uses: &["action-core", "pd-client", "prom-client", "subject-http"],
        tests_use: &["pd-sim"],
        never: &[HTTP, FRONT_ENDS],
    },
    Layer {
        name: "operator-etcd",
        uses: &["action-core", "subject-http"],
        tests_use: &["action-guard", "system-http"],
        never: &[HTTP, FRONT_ENDS],
    },
    Layer {
        name: "action-guard",
        uses: &["action-core"],
        // Itself, with failpoints.
        tests_use: &["action-guard"],
        never: &[HTTP, FRONT_ENDS],
    },
    Layer {
        name: "action-guard-sql",
        uses: &["action-core", "action-guard"],
        tests_use: &[],
        never: &[HTTP, FRONT_ENDS],
    },
    Layer {
        name: "operator-mcp",
        uses: &["action-core", "action-guard", "gate-client", "system-http"],
        // Itself, with its HTTP service.
        tests_use: &["operator-mcp"],
        // Its tests ask that service by the client of `rmcp`, which is made of `reqwest`.
        never: &[
            &["axum", "curl", "ureq"],
            &["clap", "comfy-table", "crossterm", "ratatui-core"],
        ],
    },
    Layer {
        name: "operator-server",
        uses: &["action-core", "action-guard", "operator-mcp", "system-http"],
        tests_use: &[],
        never: &[
            &["curl", "reqwest", "ureq"],
            &["clap", "comfy-table", "crossterm", "ratatui-core"],
        ],
    },
    Layer {
        name: "operator-cli",
        uses: &[
            "action-core",
            "action-guard",
            "action-guard-sql",
            "gate-client",
            "operator-mcp",
            "operator-server",
        ],
        tests_use: &[],
        never: &[HTTP],
    },
    Layer {
        name: "operator",
        uses: EVERYTHING,
        tests_use: &[],
        never: &[],
    },
    Layer {
        name: "end-to-end",
        uses: &["operator-cli", "operator-etcd", "operator-tikv"],
        tests_use: WITH_DATABASES,
        never: &[],
    },
    Layer {
        name: "axum-agent",
        uses: &["action-core", "action-guard"],
        tests_use: &[],
        never: &[FRONT_ENDS],
    },
    Layer {
        name: "bench",
        uses: &[
            "action-core",
            "action-guard",
            "operator-tikv",
            "pd-client",
            "pd-sim",
        ],
        tests_use: &[],
        never: &[],
    },
    Layer {
        name: "xtask",
        uses: &["action-core", "operator-tikv"],
        tests_use: &[],
        never: &[],
    },
];

/// Holds the workspace to the table.
pub(crate) fn check(workspace: &Workspace) -> Report {
    compare(LAYERS, &Metadata::read(workspace)?)
}

fn compare(layers: &[Layer], metadata: &Metadata) -> Report {
    let mut findings = Findings::default();
    let ours: Vec<&Package> = metadata.ours().collect();
    for layer in layers {
        if !ours.iter().any(|package| package.name == layer.name) {
            findings.add(format!(
                "layers: `{}` has a row in xtask/src/layers.rs and is not in the workspace",
                layer.name
            ));
        }
    }
    for package in &ours {
        match layers.iter().find(|layer| layer.name == package.name) {
            Some(layer) => compare_one(layer, package, metadata, &mut findings),
            None if is_subject(package) => compare_one(&SUBJECT, package, metadata, &mut findings),
            None => findings.add(format!(
                "layers: `{}` has no row; add one to LAYERS in xtask/src/layers.rs, \
                 and a paragraph to docs/architecture.md",
                package.name
            )),
        }
    }
    findings.or(format!(
        "layers: {} crates depend only on what they may",
        ours.len()
    ))
}

fn compare_one(layer: &Layer, package: &Package, metadata: &Metadata, findings: &mut Findings) {
    let name = package.name.as_str();
    // Who has a command line chooses its subjects.
    let is_program = layer.uses.contains(&"operator-cli");
    for dependency in &package.declared {
        let used = dependency.name.as_str();
        let mut ours = metadata.ours();
        let may = layer.uses.contains(&used)
            || is_program && ours.any(|package| package.name == used && is_subject(package));
        let tests_may = may || layer.tests_use.contains(&used);
        let is_ours = metadata.ours().any(|package| package.name == used);
        if is_ours && !dependency.dev && !may {
            findings.add(format!("layers: `{name}` must not depend on `{used}`"));
        } else if is_ours && dependency.dev && !tests_may {
            findings.add(format!(
                "layers: tests of `{name}` must not depend on `{used}`"
            ));
        } else if !dependency.dev && layer.forbids(used) {
            findings.add(format!("layers: `{name}` must not depend on `{used}`"));
        }
    }
    for (used, path) in through_others(package, metadata) {
        if path.len() > 1 && layer.forbids(used) {
            let path = path.join("` → `");
            findings.add(format!(
                "layers: `{name}` must not depend on `{used}`, which comes by `{name}` → `{path}`"
            ));
        }
    }
}

/// Whether it is a subject, by its name and by what it is made of.
fn is_subject(package: &Package) -> bool {
    let mut declared = package.declared.iter();
    package.name.starts_with("operator-")
        && package.name != "operator-cli"
        && declared.any(|dependency| dependency.name == "action-core" && !dependency.dev)
}

impl Layer {
    fn forbids(&self, name: &str) -> bool {
        self.never.iter().any(|names| names.contains(&name))
    }
}

/// What a crate is built with without passing through another of ours, each with a shortest path.
fn through_others<'a>(
    package: &'a Package,
    metadata: &'a Metadata,
) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut paths = BTreeMap::new();
    let mut waiting = VecDeque::from([(package, Vec::new())]);
    while let Some((package, path)) = waiting.pop_front() {
        for id in &package.built_with {
            let Some(next) = metadata.package(id) else {
                continue;
            };
            if next.ours || paths.contains_key(next.name.as_str()) {
                continue;
            }
            let path = [path.as_slice(), &[next.name.as_str()]].concat();
            paths.insert(next.name.as_str(), path.clone());
            waiting.push_back((next, path));
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{LAYERS, Layer, check, compare};
    use crate::metadata::Metadata;
    use crate::workspace::Workspace;

    const CORE: Layer = Layer {
        name: "core",
        uses: &[],
        tests_use: &[],
        never: &[&["tokio"]],
    };
    const CLIENT: Layer = Layer {
        name: "client",
        uses: &["core"],
        tests_use: &["sim"],
        never: &[&["clap"]],
    };
    const SIM: Layer = Layer {
        name: "sim",
        uses: &[],
        tests_use: &[],
        never: &[],
    };

    /// A workspace from lines such as `core: serde dev:insta`; names of one letter are not ours.
    fn metadata(lines: &[&str]) -> Metadata {
        let mut members = Vec::new();
        let mut packages = Vec::new();
        let mut nodes = Vec::new();
        for line in lines {
            let (name, uses) = line.split_once(':').unwrap();
            if ["core", "client", "sim", "new"].contains(&name)
                || name.starts_with("operator-")
                || name == "action-core"
            {
                members.push(name);
            }
            let uses: Vec<(&str, Value)> = uses
                .split_whitespace()
                .map(|word| match word.strip_prefix("dev:") {
                    Some(name) => (name, json!("dev")),
                    None => (word, Value::Null),
                })
                .collect();
            let declared: Vec<Value> = uses
                .iter()
                .map(|(name, kind)| json!({"name": name, "kind": kind}))
                .collect();
            let deps: Vec<Value> = uses
                .iter()
                .map(|(name, kind)| json!({"pkg": name, "dep_kinds": [{"kind": kind}]}))
                .collect();
            packages.push(json!({"id": name, "name": name, "dependencies": declared}));
            nodes.push(json!({"id": name, "deps": deps}));
        }
        Metadata::from_json(&json!({
            "workspace_members": members, "packages": packages, "resolve": {"nodes": nodes},
        }))
    }

    #[track_caller]
    fn check_lines(lines: &[&str], expected: &[&str]) {
        let report = compare(&[CORE, CLIENT, SIM], &metadata(lines));
        match report {
            Ok(_) => assert!(expected.is_empty(), "nothing was found"),
            Err(findings) => {
                assert_eq!(findings.entries().len(), expected.len(), "{findings}");
                for (found, expected) in findings.entries().iter().zip(expected) {
                    assert!(found.contains(expected), "{found}");
                }
            }
        }
    }

    #[test]
    fn what_the_table_allows_passes() {
        check_lines(
            &[
                "core: a dev:tokio",
                "client: core dev:sim",
                "sim:",
                "a:",
                "tokio:",
            ],
            &[],
        );
    }

    #[test]
    fn a_dependency_upwards_is_found() {
        check_lines(
            &["core: client", "client:", "sim:"],
            &["`core` must not depend on `client`"],
        );
    }

    #[test]
    fn what_tests_may_use_is_not_for_the_crate() {
        check_lines(
            &["core:", "client: sim", "sim:"],
            &["`client` must not depend on `sim`"],
        );
        check_lines(
            &["core: dev:sim", "client:", "sim:"],
            &["tests of `core` must not depend on `sim`"],
        );
    }

    #[test]
    fn a_forbidden_crate_is_found_through_others_and_its_path_shown() {
        check_lines(
            &["core: a", "client:", "sim:", "a: b", "b: tokio", "tokio:"],
            &["by `core` → `a` → `b` → `tokio`"],
        );
    }

    #[test]
    fn what_comes_through_ours_is_their_row() {
        check_lines(&["core: clap", "client: core", "sim:", "clap:"], &[]);
    }

    #[test]
    fn a_crate_without_a_row_is_told_where_to_add_it() {
        check_lines(
            &["core:", "client:", "sim:", "new:"],
            &["`new` has no row; add one to LAYERS in xtask/src/layers.rs"],
        );
    }

    #[test]
    fn a_subject_needs_no_row_and_is_held_to_what_subjects_may() {
        let subject = [
            "core:",
            "client:",
            "sim:",
            "operator-lamp: action-core hyper",
            "hyper:",
        ];
        let found = compare(&[CORE, CLIENT, SIM], &metadata(&subject)).unwrap_err();
        assert_eq!(
            found.entries(),
            ["layers: `operator-lamp` must not depend on `hyper`"]
        );
        let other = ["core:", "client:", "sim:", "operator-lamp: a", "a:"];
        check_lines(&other, &["`operator-lamp` has no row"]);
    }

    #[test]
    fn a_row_without_a_crate_is_found() {
        check_lines(&["core:", "client:"], &["`sim` has a row"]);
    }

    #[test]
    fn rows_are_unique() {
        let mut names: Vec<&str> = LAYERS.iter().map(|layer| layer.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), LAYERS.len());
    }

    #[test]
    fn this_workspace_keeps_its_layers() {
        if let Err(findings) = check(&Workspace::find().unwrap()) {
            panic!("{findings}");
        }
    }
}
