//! A mutation about to be sent, and what came back.

use std::time::Duration;

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
    /// How long something between us and the system may hold its request, after we have given it up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_for_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
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
            held_for_ms: 0,
        }
    }

    /// The same; its request may be held so long on its way.
    #[must_use]
    pub fn held_for(mut self, longest: Duration) -> Self {
        self.held_for_ms = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// For how long, in milliseconds after it was last on its way, a request without an answer may
    /// still take effect.
    #[must_use]
    pub fn may_arrive_for_ms(&self) -> u64 {
        self.plan.follow.settle_ms.saturating_add(self.held_for_ms)
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
