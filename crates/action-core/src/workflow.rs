//! Work in several steps, as data: what is done, what is waited for, and in which order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use condition::{Condition, Unmet};
pub use duration_text::{DurationText, InvalidDuration};
pub use problem::{WorkflowError, WorkflowProblem};
pub use step::{Retry, Step, Work};

mod condition;
mod duration_text;
mod order;
mod prepare;
mod problem;
mod read;
mod step;

/// Work in several steps: what is done, what is waited for, and in which order.
///
/// It is data and does nothing by itself; whoever carries it out proposes its mutations one by one,
/// like any others. An observation of role `workflow` has one as its result, which is how
/// a subject offers one: its parameters, its documentation and its place in front ends come with
/// being an action. People write one as a document, which [`read`](Self::read) checks, with all
/// problems at once.
///
/// ```
/// use action_core::Workflow;
/// use serde_json::json;
///
/// let workflow = Workflow::read(&json!({
///     "title": "Replace the disk of store 4",
///     "steps": [
///         { "id": "drain", "action": "drain_store", "parameters": { "store_id": "4" } },
///         { "id": "disk", "confirm": "Replace the disk of store 4 and start it." },
///         { "id": "lead", "undo": "drain" }
///     ]
/// }))?;
/// assert_eq!(workflow.steps[2].needs, ["disk"]);
/// # Ok::<(), action_core::WorkflowError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Workflow {
    /// What it does, in one line.
    pub title: String,
    /// Its steps. What each needs decides when it runs; of those that could, the first here does.
    pub steps: Vec<Step>,
}

impl Workflow {
    /// A workflow without steps.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            steps: Vec::new(),
        }
    }

    /// Adds a step. One that names nothing that it needs comes after the one before it.
    #[must_use]
    pub fn then(mut self, mut step: Step) -> Self {
        if step.needs.is_empty()
            && let Some(last) = self.steps.last()
        {
            step.needs.push(last.id.clone());
        }
        self.steps.push(step);
        self
    }

    /// The step of this name.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }
}
