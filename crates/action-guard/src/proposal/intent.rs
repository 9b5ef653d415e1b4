//! A mutation about to be sent, and what came back.

use action_core::{Accepted, Attempt, Plan};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::Actor;

/// A mutation about to be sent, with what it takes, beside its proposal, to find out later what
/// became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Intent {
    /// What it would do, as planned right before.
    pub plan: Plan,
    /// The sending.
    pub attempt: Attempt,
    /// It is not sent after this.
    pub send_by: Timestamp,
    /// Who carries it out: who asked for it, or one of those for whom the rules spoke beside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// Which rules allowed it: the hash of the policy's text. They are asked again right before the
    /// first byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

impl Intent {
    /// A sending that is not begun after `send_by`.
    #[must_use]
    pub fn new(plan: Plan, attempt: Attempt, send_by: Timestamp) -> Self {
        Self {
            plan,
            attempt,
            send_by,
            by: None,
            policy: None,
        }
    }

    /// The same, carried out by somebody.
    #[must_use]
    pub fn by(mut self, by: Actor) -> Self {
        self.by = Some(by);
        self
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// The system accepted.
    Accepted {
        /// What it answered.
        accepted: Accepted,
        /// A stable code for what was wrong with the sending: `no_permit` when the subject did not
        /// ask for its permit before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// The system refused, or nothing was sent.
    Refused {
        /// A stable code.
        code: String,
        /// The system's words.
        error: String,
        /// Whether the same may succeed when sent again.
        retryable: bool,
    },
    /// It may have been accepted.
    Unclear {
        /// A stable code.
        code: String,
        /// What went wrong.
        error: String,
    },
}
