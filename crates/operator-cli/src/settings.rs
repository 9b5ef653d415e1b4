//! Where a command finds what it needs: a flag, else the environment, else the config file, else
//! the default.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::connect::Connection;
use crate::failure::Failure;
use crate::out::Format;
use crate::state::State;

/// Flags that every command has.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Global {
    /// What data on stdout looks like; everything else is on stderr [default: table]
    #[arg(short, long, value_enum, global = true)]
    pub(crate) output: Option<Format>,

    /// Config file [default: operator/config.toml in $XDG_CONFIG_HOME or ~/.config]
    #[arg(long, value_name = "FILE", env = "OPERATOR_CONFIG", global = true)]
    config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) connection: Connection,

    #[command(flatten)]
    pub(crate) state: State,
}

/// The config file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    output: Option<Format>,
    /// The cluster to use when no address and no other cluster is given.
    cluster: Option<String>,
    state_dir: Option<PathBuf>,
    policy: Option<PathBuf>,
    actor: Option<String>,
    sign_with: Option<PathBuf>,
    #[serde(default)]
    clusters: BTreeMap<String, Cluster>,
}

/// A cluster by a name of its own. It is pinned: another one at its address is refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cluster {
    pub(crate) pd: String,
    pub(crate) cluster_id: String,
    pub(crate) cacert: Option<PathBuf>,
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

impl Global {
    /// Fills in what is not given from the config file.
    pub(crate) fn resolve(mut self) -> Result<Self, Failure> {
        let Some((path, config)) = self.config()? else {
            self.connection.check_named(&[])?;
            return Ok(self);
        };
        let beside = |path_in: &PathBuf| beside(&path, path_in);
        self.output = self.output.or(config.output);
        let state = &mut self.state;
        let fill = |given: &mut Option<PathBuf>, configured: &Option<PathBuf>| {
            if given.is_none() {
                *given = configured.as_ref().map(beside);
            }
        };
        fill(&mut state.state_dir, &config.state_dir);
        fill(&mut state.policy, &config.policy);
        fill(&mut state.sign_with, &config.sign_with);
        if state.actor.is_none() {
            state.actor = config.actor;
        }
        let names: Vec<&str> = config.clusters.keys().map(String::as_str).collect();
        let chosen = self.connection.choose(config.cluster.as_deref());
        if let Some(name) = chosen {
            let Some(cluster) = config.clusters.get(&name) else {
                return Err(self.connection.no_such_cluster(&name, &names));
            };
            let mut cluster = cluster.clone();
            for file in [&mut cluster.cacert, &mut cluster.cert, &mut cluster.key] {
                *file = file.as_ref().map(beside);
            }
            self.connection.fill(cluster)?;
        }
        Ok(self)
    }

    /// The config file, if there is one. One that is named must be there.
    fn config(&self) -> Result<Option<(PathBuf, Config)>, Failure> {
        let path = match &self.config {
            Some(path) => path.clone(),
            None => match config_file("config.toml").filter(|path| path.exists()) {
                Some(path) => path,
                None => return Ok(None),
            },
        };
        let shown = path.display();
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Failure::usage(format!("cannot read `{shown}`: {error}")))?;
        let config = toml::from_str(&text)
            .map_err(|error| Failure::usage(format!("`{shown}` is wrong: {error}")))?;
        Ok(Some((path, config)))
    }
}

/// A file of ours among the user's configuration.
pub(crate) fn config_file(name: &str) -> Option<PathBuf> {
    // As the XDG specification says, a path that is not absolute is not meant.
    let home = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(std::env::home_dir()?.join(".config")))?;
    Some(home.join("operator").join(name))
}

/// A path that a config file gives: from the user's home, or from where the file is.
fn beside(config: &Path, given: &PathBuf) -> PathBuf {
    if let (Ok(rest), Some(home)) = (given.strip_prefix("~"), std::env::home_dir()) {
        return home.join(rest);
    }
    config
        .parent()
        .map_or_else(|| given.clone(), |directory| directory.join(given))
}
