//! Whether the actions of a workflow exist and take what it gives them.

use serde_json::Value;

use crate::catalogue::Catalogue;
use crate::error::ActionError;
use crate::schema::ActionKind;
use crate::workflow::Workflow;
use crate::workflow::problem::{WorkflowError, WorkflowProblem};
use crate::workflow::step::Work;

impl Workflow {
    /// Reads a document whose actions are those of a catalogue, with all parameters in their schemas' own
    /// types.
    ///
    /// # Errors
    /// All that is wrong with it: its words, its order, its actions and their parameters.
    pub fn read_for(document: &Value, catalogue: &Catalogue) -> Result<Self, WorkflowError> {
        let (mut workflow, mut problems) = Self::read_as_it_is(document)?;
        problems.extend(check_actions(&mut workflow, catalogue));
        WorkflowError::unless_empty(problems)?;
        Ok(workflow)
    }
}

/// Gives all parameters their schemas' own types. What is wrong with the actions and their parameters.
fn check_actions(workflow: &mut Workflow, catalogue: &Catalogue) -> Vec<WorkflowProblem> {
    let mut problems = Vec::new();
    for step in &mut workflow.steps {
        let (name, wanted) = match step.work() {
            Work::Action { name, .. } => (name.to_owned(), ActionKind::Mutation),
            Work::Observe { name, .. } => (name.to_owned(), ActionKind::Observation),
            _ => continue,
        };
        let given = Value::Object(step.parameters.clone());
        let is = catalogue.definition(&name).map(|known| known.kind);
        let checked = match is {
            Some(is) if is != wanted => Err(ActionError::WrongKind { name, is, wanted }),
            _ => catalogue.validate(&name, given),
        };
        match checked {
            Ok(Value::Object(parameters)) => step.parameters = parameters,
            Ok(_) => {}
            Err(error) => {
                let at = format!("step `{}`", step.id);
                problems.push(WorkflowProblem::new(at, error.report()));
            }
        }
    }
    problems
}
