//! Which cluster a record leads to, and for which one a stop is.

use action_guard::Target;

use crate::settings::config_file;
use crate::settings::connection::{Connection, has_address};
use crate::subjects;
use crate::terminal::failure::Failure;

impl Connection {
    /// The one cluster that the mode or the kill switch is for: the one that the command line names. A
    /// variable or the config file makes no stop narrower.
    pub(crate) fn only(&self) -> Result<Option<Target>, Failure> {
        let Some(name) = self.cluster.as_ref().filter(|_| self.is_given) else {
            return Ok(None);
        };
        let mut names = self.names.iter();
        let target = names.find(|target| target.cluster.as_ref() == Some(name));
        let target = target.cloned().ok_or_else(|| {
            let text = format!(
                "`[clusters.{name}]` of the config file does not say which kind of system it is"
            );
            Failure::usage(text).next("add `subject`, the kind of system")
        });
        target.map(Some)
    }

    /// All clusters of the config file, or the one that the command line names.
    #[cfg(feature = "serve")]
    pub(crate) fn all_clusters(&self) -> Result<Vec<Target>, Failure> {
        if let Some(only) = self.only()? {
            return Ok(vec![only]);
        }
        let config = self.config.as_ref().map(|config| &config.1.clusters);
        let known = |name: &String| {
            self.names
                .iter()
                .any(|it| it.cluster.as_ref() == Some(name))
        };
        match config.and_then(|all| all.keys().find(|name| !known(name))) {
            None => Ok(self.names.clone()),
            Some(name) => {
                let text = format!(
                    "`[clusters.{name}]` of the config file does not say which kind of system it is"
                );
                Err(Failure::usage(text).next("add `subject`, the kind of system"))
            }
        }
    }

    /// What leads to the system of a record: the cluster or the address that the command line names,
    /// else what the config file has for it.
    pub(crate) fn to(&self, target: &Target) -> Result<Self, Failure> {
        let mut names = self.names.iter();
        if let Some(asked) = &self.cluster {
            let asked = names.find(|name| name.cluster.as_ref() == Some(asked));
            return match asked.filter(|asked| !asked.is_same_system(target)) {
                Some(asked) => Err(of_another_cluster(target, asked)),
                None => Ok(self.clone()),
            };
        }
        if has_address(&self.on_command_line) {
            return Ok(self.clone());
        }
        if let Some(kind) = subjects::named(&target.subject) {
            subjects::choose(Some(kind));
        }
        let named = names.find(|name| name.is_same_system(target));
        let (Some(named), Some(config)) = (named, &self.config) else {
            return Ok(self.clone());
        };
        let (path, config) = &**config;
        let name = named.called();
        let mut connection = Self {
            values: self.on_command_line.clone(),
            cluster_id: None,
            ..self.clone()
        };
        connection.fill(name, config_file::cluster(config, name)?, path)?;
        connection.given.clone_from(&self.given);
        Ok(connection)
    }

    /// Whether this can be what leads to the system of a record: another cluster was not asked for.
    pub(crate) fn may_be_to(&self, target: &Target) -> bool {
        let Some(asked) = &self.cluster else {
            return true;
        };
        let mut names = self.names.iter();
        let asked = names.find(|name| name.cluster.as_ref() == Some(asked));
        asked.is_none_or(|asked| asked.is_same_system(target))
    }
}

/// What was named is of another cluster than the one that was asked for.
fn of_another_cluster(target: &Target, asked: &Target) -> Failure {
    let (its, asked) = (target.called(), asked.called());
    let text = format!("nothing was sent: it belongs to cluster `{its}`, not to `{asked}`");
    Failure::refused("wrong_cluster", text)
        .next(format!("leave out `--cluster`, or give `--cluster {its}`"))
}
