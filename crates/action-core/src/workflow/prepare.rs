//! Whether the actions of a workflow exist and take what it gives them.

use serde_json::Value;

use crate::catalogue::Catalogue;
use crate::error::ActionError;
use crate::schema::ActionKind;
use crate::workflow::Workflow;
use crate::workflow::problem::{WorkflowError, WorkflowProblem};
use crate::workflow::step::Work;

/// The workflow with all parameters in their schemas' own types.
///
/// # Errors
/// All that is wrong with its actions and their parameters, or with its order.
pub fn prepare(workflow: &Workflow, catalogue: &Catalogue) -> Result<Workflow, WorkflowError> {
    let mut problems = workflow.order_problems();
    let mut prepared = workflow.clone();
    for step in &mut prepared.steps {
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
    WorkflowError::unless_empty(problems)?;
    Ok(prepared)
}
