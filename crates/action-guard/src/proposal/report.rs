//! What became of a mutation, and what is seen on the way.

use action_core::{Accepted, Attempt, Outcome, Plan, Progress, Undo};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What became of a mutation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The proposal's id, which is also the intent's.
    pub id: String,
    /// The action's name.
    pub action: String,
    /// Its parameters.
    pub parameters: Value,
    /// The sending.
    pub attempt: Attempt,
    /// What the system answered when it accepted; `None` when no such answer was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// How it ended.
    pub outcome: Outcome,
    /// What takes it back, now that the outcome is known.
    pub undo: Undo,
}

/// What is seen while a mutation is carried out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// It was planned anew; nothing that matters has changed.
    Replanned(Plan),
    /// Its intent is on disk; it is sent next.
    Intent {
        /// The sending.
        attempt: Attempt,
    },
    /// The system accepted.
    Accepted(Accepted),
    /// No answer that decides anything was read: it is followed as if it had been accepted.
    Unanswered {
        /// What went wrong.
        error: String,
    },
    /// It was probed.
    Progress(Progress),
    /// It could not be probed, and will be again.
    ProbeFailed {
        /// What went wrong.
        error: String,
    },
    /// It ended.
    Outcome(Outcome),
}
