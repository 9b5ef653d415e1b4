//! What is asked for, and what it would do.

use action_core::{Plan, Undo};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A mutation that somebody asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Request {
    /// The action's name.
    pub action: String,
    /// Its parameters.
    pub parameters: Value,
    /// Who asks, such as `user:…`, `agent:…` or `system`. Claimed, not proven.
    pub actor: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Request {
    /// A request without a reason.
    #[must_use]
    pub fn new(action: impl Into<String>, parameters: Value, actor: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            parameters,
            actor: actor.into(),
            reason: None,
        }
    }

    /// The same request with a reason.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// A request and what it would do, as far as could be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proposal {
    /// Unique, and later than those made before.
    pub id: String,
    /// What is asked for, its parameters in the schema's own types.
    pub request: Request,
    /// Which system it is for, in the system's own words. It is never sent to another.
    pub system: String,
    /// What it would do.
    pub plan: Plan,
    /// What would take it back, or why nothing would.
    pub undo: Undo,
    /// What must not be changed by another mutation meanwhile.
    pub resources: Vec<String>,
    /// What it would leave in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting_effect: Option<String>,
}
