//! The workspace on disk.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::findings::Findings;

/// The folder that holds the workspace's `Cargo.toml`.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace this program was started from.
    pub(crate) fn find() -> Result<Self, Findings> {
        let root = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(xtask) => PathBuf::from(xtask).join(".."),
            None => PathBuf::from("."),
        };
        let root = root
            .canonicalize()
            .map_err(|error| format!("cannot find the workspace: {error}"))?;
        if root.join("xtask/Cargo.toml").is_file() {
            Ok(Self { root })
        } else {
            Err(Findings::from(
                "start this as `cargo xtask` in the workspace".to_owned(),
            ))
        }
    }

    /// Its root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The text of a file, named from the root.
    pub(crate) fn read(&self, path: &str) -> Result<String, Findings> {
        fs::read_to_string(self.root.join(path))
            .map_err(|error| Findings::from(format!("{path}: {error}")))
    }

    /// The files in a folder that git knows or would know, and that are on the disk.
    pub(crate) fn files(&self, folder: &str) -> Result<Vec<String>, Findings> {
        let list = ["ls-files", "--cached", "--others", "--exclude-standard"];
        let list = self.output("git", &[&list[..], &["--", folder]].concat())?;
        let mut files: Vec<String> = list
            .lines()
            .filter(|path| self.root.join(path).is_file())
            .map(str::to_owned)
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// What a program prints when run in the root.
    pub(crate) fn output(&self, program: &str, arguments: &[&str]) -> Result<String, Findings> {
        let shown = format!("{program} {}", arguments.join(" "));
        let output = Command::new(program)
            .args(arguments)
            .current_dir(&self.root)
            .output()
            .map_err(|error| format!("`{shown}` did not start: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Findings::from(format!(
                "`{shown}` failed:\n{}",
                said.trim_end()
            )));
        }
        String::from_utf8(output.stdout)
            .map_err(|_| Findings::from(format!("`{shown}` printed something that is not text")))
    }
}
