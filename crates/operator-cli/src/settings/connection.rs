//! Where the system is, and which one it must be.

mod of_record;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use action_core::{ActionRegistry, ConnectError, REDACTED, SettingDef, shown_address};
use action_guard::Target;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use serde_json::{Map, Value};

use crate::flags;
use crate::settings::config_file::{Cluster, Config, beside, no_such_cluster};
use crate::subjects::{self, Kind};
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

/// Where the system is, by the settings that its kind declares, and which one it must be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connection {
    /// Its settings, by name.
    values: Map<String, Value>,
    /// The cluster of the config file that was asked for.
    cluster: Option<String>,
    /// Whether that was asked for on the command line itself.
    is_given: bool,
    pub(crate) cluster_id: Option<String>,
    /// What the clusters of the config file are called.
    pub(crate) names: Vec<Target>,
    /// The config file, and where it is.
    pub(super) config: Option<Arc<(PathBuf, Config)>>,
    /// The settings that the command line itself gives.
    on_command_line: Map<String, Value>,
    /// The flags that were given, before the config file filled in the rest.
    given: Option<Vec<String>>,
}

const HEADING: &str = "Connection";

/// What an argument is called that gives a setting.
fn id(setting: &SettingDef) -> String {
    format!("setting {}", setting.name)
}

/// Settings of all kinds, each name once.
pub(crate) fn all_settings() -> Vec<&'static SettingDef> {
    let mut settings: Vec<&SettingDef> = Vec::new();
    for setting in subjects::kinds().iter().flat_map(|kind| &kind.settings) {
        if settings.iter().all(|known| known.name != setting.name) {
            settings.push(setting);
        }
    }
    settings
}

fn argument(setting: &SettingDef) -> Arg {
    let name = match (setting.is_file, setting.is_address) {
        (true, _) => "FILE".to_owned(),
        (_, true) => "URLS".to_owned(),
        _ => setting.shape.kind.as_str().to_uppercase(),
    };
    let mut argument = Arg::new(id(setting))
        .long(setting.name.replace('_', "-"))
        .value_name(name)
        .help(setting.description.trim_end_matches('.').to_owned())
        .help_heading(HEADING)
        .global(true);
    if let Some(short) = setting.short {
        argument = argument.short(short);
    }
    if let Some(env) = &setting.env {
        argument = argument.env(env);
    }
    if setting.shape.secret {
        // Whoever lists processes sees what is on a command line.
        argument = argument.hide_env_values(true);
    }
    argument
}

impl clap::Args for Connection {
    fn augment_args(command: Command) -> Command {
        let which = [
            Arg::new("cluster")
                .long("cluster")
                .env("OPERATOR_CLUSTER")
                .value_name("NAME")
                .help("Cluster of the config file, which has its address and the id it must have"),
            Arg::new("cluster_id")
                .long("cluster-id")
                .value_name("ID")
                .help("Refuse to work with a cluster that has another id"),
        ];
        let which = which.map(|argument| argument.help_heading(HEADING).global(true));
        let settings = all_settings().into_iter().map(argument);
        command.args(settings).args(which)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Connection {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (mut values, mut on_command_line) = (Map::new(), Map::new());
        for setting in all_settings() {
            let id = id(setting);
            let source = matches.value_source(&id);
            if source == Some(ValueSource::DefaultValue) {
                continue;
            }
            if let Some(texts) = matches.get_many::<String>(&id) {
                let texts: Vec<&str> = texts.map(String::as_str).collect();
                let value = flags::value(&setting.shape, &texts);
                if source == Some(ValueSource::CommandLine) {
                    on_command_line.insert(setting.name.clone(), value.clone());
                }
                values.insert(setting.name.clone(), value);
            }
        }
        Ok(Self {
            values,
            cluster: matches.get_one::<String>("cluster").cloned(),
            is_given: matches.value_source("cluster") == Some(ValueSource::CommandLine),
            cluster_id: matches.get_one::<String>("cluster_id").cloned(),
            names: Vec::new(),
            config: None,
            on_command_line,
            given: None,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Connection {
    /// The kind of system that is meant.
    pub(crate) fn kind(&self) -> Result<&'static Kind, Failure> {
        subjects::meant().ok_or_else(|| {
            let kinds = subjects::kinds().iter();
            let flags = kinds.filter_map(|kind| Some(format!("`--{}`", kind.address()?.name)));
            let flags = flags.collect::<Vec<_>>().join(" or ");
            Failure::usage("no system named").next(format!(
                "give `--cluster NAME` of the config file, or {flags}"
            ))
        })
    }

    /// The actions on the system. Nothing is sent yet.
    pub(crate) async fn registry(&self) -> Result<ActionRegistry, Failure> {
        let kind = self.kind()?;
        let of_kind = |name: &String| kind.settings.iter().any(|setting| setting.name == *name);
        if let Some(foreign) = self.on_command_line.keys().find(|name| !of_kind(name)) {
            let (flag, title) = (foreign.replace('_', "-"), kind.subject.title);
            return Err(Failure::usage(format!(
                "`--{flag}` is not a setting of {title}"
            )));
        }
        // What the environment says of systems of another kind is not about this one.
        let values = self.values.iter().filter(|(name, _)| of_kind(name));
        let values = values.map(|(name, value)| (name.clone(), value.clone()));
        let connected = kind.subject.connect(values.collect()).await;
        connected.map_err(|error| match error {
            ConnectError::Setting { setting, problem } => {
                Failure::usage(as_flags(kind, &format!("`{setting}`: {problem}")))
            }
            ConnectError::Failed(error) => {
                Failure::new(Exit::Failed, "client", action_core::report(&*error))
            }
            other => Failure::usage(as_flags(kind, &other.to_string())),
        })
    }

    /// Refuses a system that is not the one asked for.
    pub(crate) fn check_system(&self, system: &str) -> Result<(), Failure> {
        match &self.cluster_id {
            Some(wanted) if wanted.trim() != system => {
                let who = subjects::who_answers();
                let at = self.address();
                Err(Failure::refused(
                    "wrong_cluster",
                    format!(
                        "nothing was sent: {who} at {at} serves cluster {system}, not {wanted}"
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Where the system is, as it may be shown.
    fn address(&self) -> String {
        let setting = subjects::meant().and_then(Kind::address);
        let value = setting.and_then(|setting| {
            let given = self.values.get(&setting.name);
            given.or(setting.default.as_ref())
        });
        let text = value.and_then(Value::as_str).unwrap_or("its address");
        shown_address(text).into_owned()
    }

    /// What people know the system by: its name in the config file, else its address.
    #[cfg(feature = "top")]
    pub(crate) fn called(&self) -> String {
        self.cluster.clone().unwrap_or_else(|| self.address())
    }

    /// Whether an address was given.
    fn has_address(&self) -> bool {
        has_address(&self.values)
    }

    /// The flags that lead another command to the same system.
    pub(crate) fn flags(&self) -> Vec<String> {
        self.given.clone().unwrap_or_else(|| self.as_given())
    }

    fn as_given(&self) -> Vec<String> {
        let address = subjects::meant().map(|kind| kind.subject.address);
        let values = all_settings().into_iter().filter_map(|setting| {
            let value = self.values.get(&setting.name)?;
            if setting.shape.secret || setting.default.as_ref() == Some(value) {
                return None;
            }
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            if !setting.is_address {
                return Some((format!("--{}", setting.name.replace('_', "-")), text));
            }
            let shown = shown_address(&text).into_owned();
            // What is left out here is only not asked.
            let is_kept = shown != REDACTED || address == Some(setting.name.as_str());
            is_kept.then(|| (format!("--{}", setting.name.replace('_', "-")), shown))
        });
        let named = |flag: &str, value: &Option<String>| {
            value.as_ref().map(|value| (flag.to_owned(), value.clone()))
        };
        let cluster = named("--cluster", &self.cluster);
        let cluster_id = named("--cluster-id", &self.cluster_id);
        let all = cluster.into_iter().chain(values).chain(cluster_id);
        all.flat_map(|(flag, value)| [flag, value]).collect()
    }

    /// The named cluster to use: the one that was asked for, else the default one where no address
    /// is given.
    pub(crate) fn choose(&self, default: Option<&str>) -> Option<String> {
        let default = default.filter(|_| !self.has_address());
        self.cluster.clone().or_else(|| default.map(str::to_owned))
    }

    /// Whether the command line or the environment names a cluster.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.cluster.is_some()
    }

    /// The cluster that the command line or the environment names.
    #[cfg(feature = "proxy")]
    pub(crate) fn cluster_asked_for(&self) -> Option<&str> {
        self.cluster.as_deref()
    }

    /// The cluster that the command line itself names.
    pub(crate) fn cluster_given(&self) -> Option<&str> {
        self.cluster.as_deref().filter(|_| self.is_given)
    }

    /// Refuses a named cluster where no names are known.
    pub(crate) fn check_named(&self, known: &[&str]) -> Result<(), Failure> {
        match &self.cluster {
            Some(name) => Err(no_such_cluster(name, known)),
            None => Ok(()),
        }
    }

    /// Fills in what is not given from a cluster of the config file at this path. Its cluster id stays
    /// pinned whatever the address.
    pub(crate) fn fill(
        &mut self,
        name: &str,
        cluster: &Cluster,
        config: &Path,
    ) -> Result<(), Failure> {
        self.given = Some(self.as_given());
        if let Some(wanted) = &self.cluster_id
            && *wanted != cluster.cluster_id
        {
            let known = &cluster.cluster_id;
            return Err(Failure::usage(format!(
                "`--cluster-id {wanted}` contradicts the config file, which says {known}"
            )));
        }
        self.cluster_id = Some(cluster.cluster_id.clone());
        let kind = self.kind()?;
        for (key, value) in &cluster.settings {
            let setting = kind.settings.iter().find(|setting| setting.name == *key);
            let Some(setting) = setting else {
                return Err(unknown_setting(name, key, kind));
            };
            if self.values.contains_key(key) {
                continue;
            }
            let value = match (setting.is_file, value) {
                (true, Value::String(path)) => {
                    let path = beside(config, &PathBuf::from(path));
                    path.display().to_string().into()
                }
                _ => value.clone(),
            };
            self.values.insert(key.clone(), value);
        }
        Ok(())
    }
}

/// Whether there is an address among these settings.
fn has_address(values: &Map<String, Value>) -> bool {
    let mut addresses = subjects::kinds().iter().filter_map(Kind::address);
    addresses.any(|setting| values.contains_key(&setting.name))
}

/// A sentence with settings in it, by their flags.
fn as_flags(kind: &Kind, text: &str) -> String {
    let names = kind.settings.iter().map(|setting| &setting.name);
    names.fold(text.to_owned(), |text, name| {
        text.replace(
            &format!("`{name}`"),
            &format!("`--{}`", name.replace('_', "-")),
        )
    })
}

fn unknown_setting(cluster: &str, key: &str, kind: &Kind) -> Failure {
    let known: Vec<&str> = kind.settings.iter().map(|one| one.name.as_str()).collect();
    let title = kind.subject.title;
    Failure::usage(format!(
        "`[clusters.{cluster}]` of the config file: unknown field `{key}`; the settings of {title} are `cluster_id`, `subject`, `{}`",
        known.join("`, `")
    ))
}
