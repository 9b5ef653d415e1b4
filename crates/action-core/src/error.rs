//! What goes wrong, and what the caller can do about it.

use std::error::Error as StdError;

use serde::{Deserialize, Serialize};

use crate::schema::{ActionKind, Problem};

/// An error of any type, as a cause.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What the caller of a failed call can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// Change the input. Nothing was sent.
    InvalidInput,
    /// Look at the state of the system: it refused, and said why.
    Refused,
    /// Wait: something is in the way that ends by itself.
    Busy,
    /// Look at the connection: the system could not be asked, and nothing was changed.
    Unavailable,
    /// Probe: it may have happened, or may still happen.
    Unknown,
    /// Report it: this should not be possible.
    Bug,
}

/// A call of an action that did not give its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// There is no such action.
    #[error("unknown action `{name}`{}", did_you_mean(similar.as_deref()))]
    UnknownAction {
        /// What was asked for.
        name: String,
        /// An action with a similar name.
        similar: Option<String>,
    },

    /// The action is of the other kind.
    #[error("`{name}` is {}, not {}", kind_words(*is), kind_words(*wanted))]
    WrongKind {
        /// The action.
        name: String,
        /// What it is.
        is: ActionKind,
        /// What was asked of it.
        wanted: ActionKind,
    },

    /// The parameters are wrong; all problems at once.
    #[error("{} of `{action}`: {}", count(problems.len()), list(problems))]
    InvalidParameters {
        /// The action.
        action: String,
        /// What is wrong.
        problems: Vec<Problem>,
    },

    /// What was kept of an earlier plan is not of this action.
    #[error("cannot read the recorded facts of `{action}`")]
    Facts {
        /// The action.
        action: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },

    /// A result could not be written as JSON.
    #[error("cannot write the result of `{action}`")]
    Result {
        /// The action.
        action: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },

    /// The subject failed. Displays its words.
    #[error("{source}")]
    Subject {
        /// The action.
        action: String,
        /// What the caller can do.
        kind: FailureKind,
        /// The subject's code for it.
        code: Option<String>,
        /// What it said.
        source: BoxError,
    },
}

impl ActionError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::UnknownAction { .. }
            | Self::WrongKind { .. }
            | Self::InvalidParameters { .. } => FailureKind::InvalidInput,
            Self::Facts { .. } | Self::Result { .. } => FailureKind::Bug,
            Self::Subject { kind, .. } => *kind,
        }
    }

    /// A stable code: the subject's, or the kind of error.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::UnknownAction { .. } => "unknown_action",
            Self::WrongKind { .. } => "wrong_kind",
            Self::InvalidParameters { .. } => "invalid_parameters",
            Self::Facts { .. } => "unreadable_facts",
            Self::Result { .. } => "unwritable_result",
            Self::Subject { code, .. } => code.as_deref().unwrap_or("subject_failed"),
        }
    }

    /// The problems with the parameters, if that is what is wrong.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::InvalidParameters { problems, .. } => problems,
            _ => &[],
        }
    }

    /// The message and its causes, each once, on one line.
    #[must_use]
    pub fn report(&self) -> String {
        report(self)
    }
}

/// An error's message and its causes, each once, on one line.
#[must_use]
pub fn report(error: &dyn StdError) -> String {
    let mut report = error.to_string();
    let mut last = report.clone();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Wrappers often display their source as their own message.
        if message != last && !message.is_empty() {
            report.push_str(": ");
            report.push_str(&message);
            last = message;
        }
        cause = error.source();
    }
    report
}

/// A subject that cannot be registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two actions would have one name.
    #[error(
        "`{name}` of subject `{second}` is already registered by subject `{first}`: \
         register one of them with a prefix"
    )]
    Duplicate {
        /// The name.
        name: String,
        /// Who has it.
        first: String,
        /// Who wanted it.
        second: String,
    },

    /// A prefix cannot begin a name.
    #[error(
        "invalid prefix `{prefix}`: use a lower-case letter, then lower-case letters, digits and underscores, so that `{prefix}_{longest}` has at most 40 characters"
    )]
    Prefix {
        /// The prefix.
        prefix: String,
        /// The longest name it would stand before.
        longest: String,
    },

    /// An action breaks the rules for names, descriptions and schemas.
    #[error("`{action}` of subject `{subject}`: {}", problems.join("; "))]
    Malformed {
        /// The subject.
        subject: String,
        /// The action.
        action: String,
        /// The rules it breaks.
        problems: Vec<String>,
    },

    /// The settings by which a subject is reached break the rules.
    #[error("the settings of subject `{subject}`: {problem}")]
    Settings {
        /// The subject.
        subject: String,
        /// The rule they break.
        problem: String,
    },
}

fn did_you_mean(similar: Option<&str>) -> String {
    similar.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

fn kind_words(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Observation => "an observation",
        ActionKind::Mutation => "a mutation",
    }
}

fn count(problems: usize) -> String {
    match problems {
        1 => "invalid parameter".to_owned(),
        many => format!("{many} invalid parameters"),
    }
}

fn list(problems: &[Problem]) -> String {
    let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
    problems.join("; ")
}
