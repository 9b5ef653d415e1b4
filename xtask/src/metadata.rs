//! What cargo knows about the workspace and everything it depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use crate::findings::Findings;
use crate::workspace::Workspace;

/// Every package, as resolved for this machine's platform.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    packages: BTreeMap<String, Package>,
}

/// One package: ours, or one we depend on.
#[derive(Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rust_version: Option<String>,
    pub(crate) manifest: PathBuf,
    /// Whether it is a member of the workspace.
    pub(crate) ours: bool,
    /// The root files of its integration tests.
    pub(crate) tests: Vec<PathBuf>,
    /// What its manifest names, on any platform and with any feature.
    pub(crate) declared: Vec<Dependency>,
    /// The packages it is built with on this platform, by id; those of its tests left out.
    pub(crate) built_with: Vec<String>,
}

/// A dependency that a manifest names.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Whether only tests, examples and benchmarks get it.
    pub(crate) dev: bool,
}

impl Metadata {
    /// Asks cargo, which goes to the network only for what was never downloaded.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self, Findings> {
        let rustc = workspace.output("rustc", &["-vV"])?;
        let host = rustc
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap_or_default();
        let ask = [
            "metadata",
            "--format-version",
            "1",
            "--filter-platform",
            host,
            "--locked",
        ];
        let offline = [&ask[..], &["--offline"]].concat();
        let text = workspace
            .output("cargo", &offline)
            .or_else(|_| workspace.output("cargo", &ask))?;
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| format!("`cargo metadata` printed unreadable JSON: {error}"))?;
        Ok(Self::from_json(&value))
    }

    /// From the output of `cargo metadata --format-version 1`.
    pub(crate) fn from_json(value: &Value) -> Self {
        let members: BTreeSet<&str> = list(&value["workspace_members"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let mut packages: BTreeMap<String, Package> = list(&value["packages"])
            .iter()
            .map(|package| {
                let id = text(&package["id"]);
                let ours = members.contains(id.as_str());
                (id, Package::from_json(package, ours))
            })
            .collect();
        for node in list(&value["resolve"]["nodes"]) {
            if let Some(package) = packages.get_mut(&text(&node["id"])) {
                package.built_with = built_with(node);
            }
        }
        Self { packages }
    }

    /// Every package, ours and others.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.values()
    }

    /// The workspace's members.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages().filter(|package| package.ours)
    }

    /// The package with this id.
    pub(crate) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.get(id)
    }
}

impl Package {
    fn from_json(value: &Value, ours: bool) -> Self {
        Self {
            name: text(&value["name"]),
            version: text(&value["version"]),
            rust_version: value["rust_version"].as_str().map(str::to_owned),
            manifest: PathBuf::from(text(&value["manifest_path"])),
            ours,
            tests: list(&value["targets"])
                .iter()
                .filter(|target| list(&target["kind"]).iter().any(|kind| kind == "test"))
                .map(|target| PathBuf::from(text(&target["src_path"])))
                .collect(),
            declared: list(&value["dependencies"])
                .iter()
                .map(|dependency| Dependency {
                    name: text(&dependency["name"]),
                    dev: dependency["kind"] == "dev",
                })
                .collect(),
            built_with: Vec::new(),
        }
    }
}

fn built_with(node: &Value) -> Vec<String> {
    list(&node["deps"])
        .iter()
        .filter(|dep| {
            list(&dep["dep_kinds"])
                .iter()
                .any(|kind| kind["kind"] != "dev")
        })
        .map(|dep| text(&dep["pkg"]))
        .collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
