//! Which system something is about.

use serde::{Deserialize, Serialize};

/// Which system something is about: of which kind it is, what the config file calls it, and its id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Target {
    /// The kind of system: the name of its subject, such as `tikv`.
    pub subject: String,
    /// What it is called here; `None` for one without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Its id, in its own words.
    pub system: String,
}

impl Target {
    /// A system without a name.
    #[must_use]
    pub fn new(subject: impl Into<String>, system: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            cluster: None,
            system: system.into(),
        }
    }

    /// The same, by a name.
    #[must_use]
    pub fn named(mut self, cluster: impl Into<String>) -> Self {
        self.cluster = Some(cluster.into());
        self
    }

    /// Its name, else its id.
    #[must_use]
    pub fn called(&self) -> &str {
        self.cluster.as_deref().unwrap_or(&self.system)
    }

    /// Whether both are one system, whatever they are called.
    #[must_use]
    pub fn is_same_system(&self, other: &Self) -> bool {
        (&self.subject, &self.system) == (&other.subject, &other.system)
    }
}

/// Why a name is refused: for as long as there is the journal, a name stays with its system and a
/// system with its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameClash {
    /// The name is another system's.
    #[error(
        "cluster `{cluster}` has id `{known}` in this journal, but its address now leads to cluster `{found}`: correct its address and id in the config file, or use another name for the other cluster"
    )]
    OtherSystem {
        /// The name.
        cluster: String,
        /// The id that it has in the journal.
        known: String,
        /// The id that it leads to.
        found: String,
    },

    /// The system has another name.
    #[error(
        "cluster `{system}` is named `{known}` in this journal, not `{found}`: name it `{known}` in the config file"
    )]
    OtherName {
        /// Its id.
        system: String,
        /// The name that it has in the journal.
        known: String,
        /// The other name.
        found: String,
    },
}
