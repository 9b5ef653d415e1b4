//! What is written down of workflows.

use std::collections::BTreeMap;

use action_core::Workflow;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::{Actor, Proof};

/// A workflow as somebody started it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StartedFlow {
    /// What is to be done, the parameters in their schemas' own types.
    pub workflow: Workflow,
    /// Which system each of its actions is for.
    pub systems: BTreeMap<String, String>,
    /// Who started it.
    pub by: Actor,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What ties it to the caller's own records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Its first step does not begin before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<Timestamp>,
    /// Its first step does not begin after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin_by: Option<Timestamp>,
}

impl StartedFlow {
    /// A workflow that may begin at once.
    #[must_use]
    pub fn new(workflow: Workflow, systems: BTreeMap<String, String>, by: Actor) -> Self {
        Self {
            workflow,
            systems,
            by,
            reason: None,
            correlation_id: None,
            scheduled_at: None,
            begin_by: None,
        }
    }
}

/// What happened to one step, beside what its proposals' own records say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepEvent {
    /// It waits from now on, for what it observes or for somebody to confirm.
    Began,
    /// What it waited for was seen.
    Seen {
        /// What was seen, for people.
        summary: String,
    },
    /// Somebody said that it is done.
    Confirmed {
        /// Who.
        by: Actor,
        /// What they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// That it was them; without, the identity is claimed and not proven.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// What was proposed for it was ruled on for others than who goes on with it: it is called off,
    /// and proposed again for them too. Nothing of it was sent.
    AskedAnew {
        /// Who goes on.
        by: Actor,
        /// Whether it is what takes the step's mutation back.
        back: bool,
    },
    /// It was not done, and nothing of it was sent.
    Failed {
        /// A stable code.
        code: String,
        /// Why, for people.
        reason: String,
        /// Whether the same may succeed when tried again.
        retryable: bool,
    },
    /// Its mutation was not taken back, and nothing was sent for that.
    NotTakenBack {
        /// A stable code.
        code: String,
        /// Why, for people.
        reason: String,
        /// Whether the same may succeed when tried again.
        retryable: bool,
    },
    /// There is nothing of ours to take back.
    Left {
        /// Why.
        reason: String,
    },
}
