//! What the steps of a workflow would do, before it is started.

use action_core::{Risk, Work, Workflow};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::guard::planned::Planned;
use crate::guard::{GuardError, rules_now};
use crate::identity::Actor;
use crate::proposal::{Proposal, Request, Ruling};
use crate::workflows::Workflows;

/// What one mutation of a workflow would do, as things are before any of it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedStep {
    /// The step.
    pub step: String,
    /// The mutation.
    pub action: String,
    /// Its risk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// What it would do; `None` when it cannot be planned now, such as because it builds on a step
    /// before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
    /// What the rules would say of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// Why it cannot be planned now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unplanned: Option<String>,
}

impl Workflows {
    /// Plans every mutation of a workflow as if somebody started it now, and asks the rules. Writes
    /// nothing, and starts nothing. When its turn comes each is planned and ruled on again.
    ///
    /// # Errors
    /// When it holds a secret, the journal cannot be read, or there is no such action. What keeps one step from being
    /// planned is in its own [`PlannedStep`].
    pub async fn preview(
        &self,
        workflow: &Workflow,
        by: &Actor,
    ) -> Result<Vec<PlannedStep>, GuardError> {
        self.check_secrets(workflow)?;
        let state = self.guard.state().await?;
        let mut planned = Vec::new();
        for step in &workflow.steps {
            let Work::Action {
                name,
                parameters,
                lease,
                ..
            } = step.work()
            else {
                continue;
            };
            let definition = self.guard.definition(name)?;
            let parameters = Value::Object(parameters.clone());
            let mut request = Request::new(name, parameters, by);
            if let Some(lease) = lease {
                request = request.lease(lease.duration());
            }
            let mut one = PlannedStep {
                step: step.id.clone(),
                action: name.to_owned(),
                risk: definition.risk,
                proposal: None,
                ruling: None,
                unplanned: None,
            };
            match self.guard.planned(request, None).await {
                Ok(Planned { proposal, .. }) => {
                    let rules = rules_now(&self.guard.rules);
                    let now = Timestamp::now();
                    one.ruling = Some(rules.rule(&proposal, &definition, &state, now));
                    one.proposal = Some(proposal);
                }
                Err(error) => one.unplanned = Some(error.report()),
            }
            planned.push(one);
        }
        Ok(planned)
    }
}
