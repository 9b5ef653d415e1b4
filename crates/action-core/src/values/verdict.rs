//! The answers a plan can give, and reasons with stable codes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What would happen to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The system would refuse.
    WouldReject {
        /// A stable code for why.
        code: String,
        /// What the system would say, in its words.
        text: String,
    },
    /// The system may well accept it, and we do not ask for it.
    NotAskedFor {
        /// A stable code for why.
        code: String,
        /// Why, and what to do instead.
        text: String,
    },
    /// There is nothing to do.
    NoOp {
        /// What is already so.
        already: String,
    },
    /// It would be accepted, and take the place of something.
    WouldDisplace {
        /// What it would replace, in the system's words.
        displaced: String,
    },
    /// It would be accepted, and would not get done; something else may come of it.
    AcceptedButWillNotProgress {
        /// Why.
        causes: Vec<Cause>,
    },
    /// Whether it would be accepted cannot be told from what can be read. The system decides when
    /// it is asked, and a refusal changes nothing.
    Undecided {
        /// What keeps it from being known.
        causes: Vec<Cause>,
    },
    /// It would be accepted and carried out.
    WouldProceed,
}

impl Verdict {
    /// Whether sending it would, or for all that can be read could, do what was asked for.
    #[must_use]
    pub fn may_be_sent(&self) -> bool {
        matches!(
            self,
            Self::WouldProceed | Self::WouldDisplace { .. } | Self::Undecided { .. }
        )
    }

    /// The answer for people, without its reasons: the same words wherever a plan is shown.
    #[must_use]
    pub fn headline(&self) -> &'static str {
        match self {
            Self::WouldReject { .. } => "Would be rejected",
            Self::NotAskedFor { .. } => "Blocked by a safety check",
            Self::NoOp { .. } => "Nothing to do",
            Self::WouldDisplace { .. } => "Would proceed and replace",
            Self::AcceptedButWillNotProgress { .. } => {
                "Would be accepted, but nothing would happen"
            }
            Self::Undecided { .. } => "Cannot be predicted",
            Self::WouldProceed => "Would proceed",
        }
    }
}

/// A reason, by a stable code and in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Cause {
    /// Stable.
    pub code: String,
    /// For people.
    pub text: String,
}

impl Cause {
    /// A reason.
    #[must_use]
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            text: text.into(),
        }
    }
}
