//! Work in several steps, as data: see [`Workflow`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::{ActionDefinition, Role};

pub use check::prepare;
pub use condition::{Condition, Unmet};
pub use problem::{WorkflowError, WorkflowProblem};
pub use span::Span;
pub use step::{Retry, Step, Work};

mod check;
mod condition;
mod order;
mod problem;
mod read;
mod span;
mod step;

/// The member of a result that holds a workflow's steps.
const STEPS: &str = "steps";

/// Work in several steps: what is done, what is waited for, and in which order.
///
/// It is data and does nothing by itself; whoever carries it out proposes its mutations one by one,
/// like any others. An observation of role [`Role::Workflow`] has one as its result, which is how
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

/// What is wrong with an action that should give a workflow and does not.
pub(crate) fn lint(definition: &ActionDefinition) -> Option<String> {
    let steps = definition.output_schema.pointer("/properties/steps/type");
    let is_list = steps.and_then(Value::as_str) == Some("array");
    (definition.role == Some(Role::Workflow) && !is_list)
        .then(|| format!("output schema: an action of its role gives a list called `{STEPS}`"))
}

/// Writes the names in a workflow as they are registered, behind the prefix of a system.
pub(crate) fn scope(definition: &ActionDefinition, prefix: &str, result: &mut Value) {
    if definition.role != Some(Role::Workflow) {
        return;
    }
    let steps = result.get_mut(STEPS).and_then(Value::as_array_mut);
    for step in steps.into_iter().flatten() {
        for key in ["action", "observe"] {
            if let Some(Value::String(name)) = step.get_mut(key) {
                *name = format!("{prefix}_{name}");
            }
        }
    }
}
