//! What is seen while a workflow goes on.

use serde::Serialize;

use crate::proposal::Event;
use crate::records::StepEvent;
use crate::workflows::next_steps::Waiting;

/// What is seen while a workflow goes on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FlowEvent {
    /// Something was proposed.
    Proposed {
        /// The step.
        step: String,
        /// The proposal.
        proposal: String,
    },
    /// A mutation is being carried out.
    Mutation {
        /// The step.
        step: String,
        /// How.
        seen: Box<Event>,
    },
    /// What an observation waits for is not so yet.
    NotYet {
        /// The step.
        step: String,
        /// What is so instead.
        unmet: String,
    },
    /// Something was written down of a step.
    Step {
        /// The step.
        step: String,
        /// What.
        what: StepEvent,
    },
    /// Something cannot be done now, and is tried again.
    NotNow {
        /// The step.
        step: String,
        /// Why not.
        why: String,
    },
    /// It waits for people, or for a date.
    Waiting {
        /// For what.
        waiting: Vec<Waiting>,
    },
}

/// Takes what is seen on the way.
pub(super) type WatchFlow<'a> = &'a mut (dyn FnMut(FlowEvent) + Send);
