//! The config file: where it is, and what it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use action_guard::Target;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::program::program;
use crate::subjects::{self, Kind};
use crate::terminal::failure::Failure;
use crate::terminal::output::Format;

/// A cluster by a name of its own. It is pinned: another one at its address is refused.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Cluster {
    /// The kind of system, where the program knows several.
    pub(crate) subject: Option<String>,
    pub(crate) cluster_id: String,
    /// What reaches it, by the settings of its kind.
    #[serde(flatten)]
    pub(crate) settings: Map<String, Value>,
}

/// The config file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(super) output: Option<Format>,
    /// The cluster to use when no address and no other cluster is given.
    pub(crate) cluster: Option<String>,
    pub(super) state_dir: Option<PathBuf>,
    /// The address of a database, which may hold a password.
    pub(super) journal: Option<String>,
    pub(super) policy_file: Option<PathBuf>,
    pub(super) actor: Option<String>,
    pub(super) sign_with: Option<PathBuf>,
    #[serde(default)]
    pub(crate) clusters: BTreeMap<String, Cluster>,
    #[cfg(feature = "serve")]
    pub(super) serve: Option<crate::settings::serve::Serve>,
    /// Of the gate, which this program is built without.
    #[cfg(not(feature = "serve"))]
    #[serde(rename = "serve")]
    _serve: Option<serde::de::IgnoredAny>,
}

/// The config file, if there is one. One that is named must be there.
pub(crate) fn read(given: Option<&Path>) -> Result<Option<(PathBuf, Config)>, Failure> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => match config_file("config.toml").filter(|path| path.exists()) {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let shown = path.display();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::usage(format!("cannot read `{shown}`: {error}")))?;
    let config = toml::from_str(&text).map_err(|error: toml::de::Error| {
        Failure::usage(format!("`{shown}` is wrong")).lines(vec![told(&error, &text)])
    })?;
    Ok(Some((path, config)))
}

/// The cluster of this name.
pub(crate) fn cluster<'a>(config: &'a Config, name: &str) -> Result<&'a Cluster, Failure> {
    let names: Vec<&str> = config.clusters.keys().map(String::as_str).collect();
    let cluster = config.clusters.get(name);
    cluster.ok_or_else(|| no_such_cluster(name, &names))
}

impl Cluster {
    /// Which kind of system it is: the one that is named, else the only one, else the only one that
    /// has all its settings.
    pub(crate) fn kind(&self) -> Option<&'static Kind> {
        if let Some(name) = &self.subject {
            return subjects::named(name);
        }
        if let [only] = subjects::kinds() {
            return Some(only);
        }
        let has = |kind: &Kind, key: &str| kind.settings.iter().any(|one| one.name == key);
        let has_all = |kind: &&Kind| self.settings.keys().all(|key| has(kind, key));
        let mut kinds = subjects::kinds().iter().filter(has_all);
        kinds.next().filter(|_| kinds.next().is_none())
    }
}

/// What the clusters of the config file are called.
pub(crate) fn names(config: &Config) -> Vec<Target> {
    let clusters = config.clusters.iter();
    let named = clusters.filter_map(|(name, cluster)| {
        let kind = cluster.kind()?;
        Some(Target::new(kind.subject.name, cluster.cluster_id.trim()).named(name))
    });
    named.collect()
}

/// Refuses two names for one system.
pub(crate) fn check_names(names: &[Target]) -> Result<(), Failure> {
    for (at, target) in names.iter().enumerate() {
        let mut before = names.iter().take(at);
        if let Some(other) = before.find(|other| other.is_same_system(target)) {
            let (id, other, name) = (&target.system, other.called(), target.called());
            let text = format!(
                "the config file has two names for the cluster {id}: `{other}` and `{name}`"
            );
            return Err(Failure::usage(text).next("keep one of them"));
        }
    }
    Ok(())
}

/// The config file has no such cluster.
pub(crate) fn no_such_cluster(name: &str, known: &[&str]) -> Failure {
    let failure = Failure::usage(format!("the config file names no cluster `{name}`"));
    if known.is_empty() {
        failure.next("a `[clusters.NAME]` in it has the address and the `cluster_id`")
    } else {
        failure.next(format!("it names {}", known.join(", ")))
    }
}

/// What is wrong, and on which line. What stands there may be a secret, and is not shown.
fn told(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let place = before.map(|before| {
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        format!("line {line}, column {column}: ")
    });
    let message = error.message();
    // A value that is of another type than it should be.
    let message = match (message.find(": string \""), message.rfind("\", expected")) {
        (Some(from), Some(to)) => {
            let (begin, rest) = message.split_at(from);
            let end = rest.get(to.saturating_sub(from) + 1..).unwrap_or_default();
            format!("{begin}: a string{end}")
        }
        _ => message.to_owned(),
    };
    format!("{}{message}", place.unwrap_or_default())
}

/// A file of this program among the user's configuration.
pub(crate) fn config_file(name: &str) -> Option<PathBuf> {
    // As the XDG specification says, a path that is not absolute is not meant.
    let home = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(std::env::home_dir()?.join(".config")))?;
    Some(home.join(program().name).join(name))
}

/// A path that a config file gives: from the user's home, or from where the file is.
pub(super) fn beside(config: &Path, given: &PathBuf) -> PathBuf {
    if let (Ok(rest), Some(home)) = (given.strip_prefix("~"), std::env::home_dir()) {
        return home.join(rest);
    }
    config
        .parent()
        .map_or_else(|| given.clone(), |directory| directory.join(given))
}
