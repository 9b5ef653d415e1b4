//! Whether a workflow may be begun: what the ceiling and the policy say of each of its steps beforehand.

use action_core::{Risk, Undo, Work, Workflow};
use action_guard::policy::AlwaysDenied;
use action_guard::{GuardError, State, Workflows};

use crate::desk::Desk;
use crate::offer::Ceiling;
use crate::workflows::NotStarted;

impl Desk {
    fn is_above(&self, action: &str) -> bool {
        let catalogue = self.guard.catalogue();
        let definition = catalogue.definition(action);
        !definition.is_some_and(|found| self.ceiling.covers(found))
    }

    /// Refuses a workflow with a step that is above the ceiling of this server.
    pub(crate) async fn covers_all(&self, workflow: &Workflow) -> Result<(), NotStarted> {
        let state = self.guard.state().await.map_err(GuardError::from)?;
        let mut is_undone = false;
        for step in &workflow.steps {
            match step.work() {
                Work::Action { name, .. } if self.is_above(name) => {
                    return Err(above(&step.id, &format!("`{name}`")));
                }
                Work::Action { name, .. } => {
                    if let Some((rule, reason)) = self.denies_by_name(name, &state).await {
                        return Err(denied(&step.id, &format!("`{name}`"), &rule, &reason));
                    }
                }
                Work::Undo { .. } => is_undone = true,
                _ => {}
            }
        }
        if !is_undone {
            return Ok(());
        }
        let is_bounded = self.ceiling != Ceiling::UpTo(Risk::High);
        match is_bounded || self.denies_any(&state).await {
            true => self.covers_undos(workflow, &state).await,
            false => Ok(()),
        }
    }

    /// Whether there is a mutation that the policy denies without exception.
    async fn denies_any(&self, state: &State) -> bool {
        let catalogue = self.guard.catalogue();
        for definition in catalogue.definitions().filter(|one| one.is_mutation()) {
            let denied = self.always_denied(&definition.name, state).await;
            if matches!(denied, Some(AlwaysDenied::By { .. })) {
                return true;
            }
        }
        false
    }

    /// The same of what takes a step back, which is known once that is planned.
    async fn covers_undos(&self, workflow: &Workflow, state: &State) -> Result<(), NotStarted> {
        let workflows = Workflows::new(self.guard.clone());
        let planned = workflows.preview(workflow, &self.actor).await?;
        for step in &workflow.steps {
            let Work::Undo { of, .. } = step.work() else {
                continue;
            };
            let undone = planned.iter().find(|planned| planned.step == of);
            let undo = undone.and_then(|planned| Some(&planned.proposal.as_ref()?.undo));
            match undo {
                Some(Undo::Action { name, .. }) if self.is_above(name) => {
                    let what = format!("`{name}`, which takes `{of}` back,");
                    return Err(above(&step.id, &what));
                }
                Some(Undo::Action { name, .. }) => {
                    let denied_by = self.always_denied(name, state).await;
                    if let Some(AlwaysDenied::By { rule, reason }) = denied_by {
                        let what = format!("`{name}`, which takes `{of}` back,");
                        return Err(denied(&step.id, &what, &rule, &reason));
                    }
                }
                Some(_) => {}
                // The policy is asked again when it is known.
                None if self.ceiling == Ceiling::UpTo(Risk::High) => {}
                None => {
                    let what =
                        format!("the undo of `{of}` is not known yet; it may be a mutation that");
                    return Err(above(&step.id, &what));
                }
            }
        }
        Ok(())
    }
}

fn denied(step: &str, what: &str, rule: &str, reason: &str) -> NotStarted {
    NotStarted::Refused(format!(
        "step `{step}`: {what} is denied by {rule}: {reason}; the workflow is not continued"
    ))
}

fn above(step: &str, what: &str) -> NotStarted {
    NotStarted::Refused(format!(
        "step `{step}`: {what} has a higher risk than this server allows, so the workflow is not continued: leave it to a person"
    ))
}
