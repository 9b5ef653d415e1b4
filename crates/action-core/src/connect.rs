//! How a system is reached: settings that a subject declares, as it declares what actions take.

use std::fmt;
use std::pin::Pin;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::declare::{Parameters, Subject};
use crate::error::{BoxError, RegistryError};
use crate::registry::ActionRegistry;
use crate::schema::{ActionDefinition, Problem, SettingDef, settings_of, validate};

mod settings;

pub use settings::{Addresses, FilePath, TlsFiles};

/// A subject that is reached by settings: what a command line, a config file and a server ask for,
/// under the same names.
#[async_trait]
pub trait Connect: Subject {
    /// What reaches a system: a struct with documented fields, closed like an action's. Everything a
    /// system does not need has a default.
    type Settings: Parameters;

    /// What such a system is for people, such as `TiKV cluster`.
    const TITLE: &'static str;

    /// Who answers requests, as sentences name it, such as `PD`.
    const ANSWERS: &'static str;

    /// The setting that says where the system is.
    const ADDRESS: &'static str;

    /// A handle on the system that the settings lead to. Sends nothing that changes anything.
    ///
    /// # Errors
    /// When a setting is wrong, or what it names cannot be read.
    async fn connect(settings: Self::Settings) -> Result<Self, ConnectError>;
}

/// Why settings lead to no system.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Settings that are not as declared, all of them at once.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// What is wrong with each.
        problems: Vec<Problem>,
    },
    /// One that is as declared and no good all the same, such as a file that cannot be read.
    #[error("`{setting}`: {problem}")]
    Setting {
        /// Its name, such as `tls_ca`.
        setting: String,
        /// What is wrong with it.
        problem: String,
    },
    /// What is right, and of no use in this process.
    #[error(transparent)]
    Failed(BoxError),
}

impl ConnectError {
    /// A setting that is no good, and why.
    pub fn setting(setting: &str, problem: impl fmt::Display) -> Self {
        Self::Setting {
            setting: setting.to_owned(),
            problem: problem.to_string(),
        }
    }
}

type Connecting = Pin<Box<dyn Future<Output = Result<ActionRegistry, ConnectError>> + Send>>;

/// A kind of system that can be reached by settings, for whoever has a list of kinds.
#[derive(Clone)]
pub struct SubjectKind {
    /// The kind, such as `tikv`.
    pub name: &'static str,
    /// What such a system is for people.
    pub title: &'static str,
    /// Who answers requests, as sentences name it.
    pub answers: &'static str,
    /// The setting that says where the system is.
    pub address: &'static str,
    settings: fn() -> Result<Vec<SettingDef>, RegistryError>,
    definitions: fn() -> Vec<ActionDefinition>,
    /// Whether the struct takes these values, and why not.
    check: fn(Value) -> Result<(), String>,
    connect: fn(Value) -> Connecting,
}

impl SubjectKind {
    /// Such systems.
    #[must_use]
    pub fn of<S: Connect>() -> Self {
        Self {
            name: S::NAME,
            title: S::TITLE,
            answers: S::ANSWERS,
            address: S::ADDRESS,
            settings: settings::<S>,
            definitions: || S::actions().into_definitions().collect(),
            check: |given| match serde_json::from_value::<S::Settings>(given) {
                Ok(_) => Ok(()),
                Err(error) => Err(error.to_string()),
            },
            connect: |given| Box::pin(connect::<S>(given)),
        }
    }

    /// What reaches a system, derived from the declaration.
    ///
    /// # Errors
    /// When the declaration says what no flag and no config file can.
    pub fn settings(&self) -> Result<Vec<SettingDef>, RegistryError> {
        (self.settings)()
    }

    /// What can be done, without a system to do it to. Derived at each call.
    #[must_use]
    pub fn definitions(&self) -> Vec<ActionDefinition> {
        (self.definitions)()
    }

    /// The actions on the system that these settings lead to, by the names of
    /// [`settings`](Self::settings).
    ///
    /// # Errors
    /// As [`Connect::connect`]; every setting that is not as declared, at once.
    pub async fn connect(&self, given: Map<String, Value>) -> Result<ActionRegistry, ConnectError> {
        let settings = self
            .settings()
            .map_err(|error| ConnectError::Failed(Box::new(error)))?;
        let parameters: Vec<_> = settings.iter().map(SettingDef::as_parameter).collect();
        let valid = validate(&parameters, Value::Object(given));
        let valid = valid.map_err(|problems| ConnectError::Invalid { problems })?;
        // A type may refuse what its schema cannot express, such as a duration that is none.
        for setting in &settings {
            let is_alone = |name: &String, _: &mut Value| {
                let needed = settings.iter().any(|one| one.required && one.name == *name);
                *name == setting.name || needed
            };
            let mut alone = valid.clone();
            alone.retain(is_alone);
            (self.check)(SettingDef::nested(&settings, alone))
                .map_err(|problem| ConnectError::setting(&setting.name, problem))?;
        }
        (self.connect)(SettingDef::nested(&settings, valid)).await
    }
}

fn settings<S: Connect>() -> Result<Vec<SettingDef>, RegistryError> {
    let malformed = |problem: String| RegistryError::Settings {
        subject: S::NAME.to_owned(),
        problem,
    };
    let settings = settings_of::<S::Settings>().map_err(|error| malformed(error.to_string()))?;
    if settings.iter().any(|setting| setting.name == S::ADDRESS) {
        return Ok(settings);
    }
    let problem = format!(
        "`{}`, the setting with the address, is not one of them",
        S::ADDRESS
    );
    Err(malformed(problem))
}

async fn connect<S: Connect>(given: Value) -> Result<ActionRegistry, ConnectError> {
    // What was given may hold secrets, and is not shown.
    let settings = serde_json::from_value::<S::Settings>(given);
    let settings = settings.map_err(|error| ConnectError::Failed(Box::new(error)))?;
    let subject = S::connect(settings).await?;
    let mut registry = ActionRegistry::new();
    let registered = registry.register(subject);
    registered.map_err(|error| ConnectError::Failed(Box::new(error)))?;
    Ok(registry)
}
