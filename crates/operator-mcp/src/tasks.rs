//! Tasks of the protocol (SEP-2663), for clients that declare them: a proposal that is followed.
//!
//! A task's id is the proposal's, and its state the journal's: a process that begins later knows it, too.

use std::time::Duration;

use action_guard::{GuardError, Refusal, Standing};
use rmcp::model::{DetailedTask, Task, TaskPayload, TaskStatus};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Map, Value};

use crate::desk::Desk;
use crate::{answer, errors};

/// What was begun and takes longer is a task.
pub(crate) const TASK_AFTER: Duration = Duration::from_secs(1);

/// How often a client may ask how one stands, in milliseconds.
const POLL: u64 = 1_000;

/// Whether who calls knows what a task is.
pub(crate) fn has_tasks(context: &RequestContext<RoleServer>) -> bool {
    let capabilities = context.client_capabilities();
    capabilities.is_some_and(|capabilities| capabilities.supports_tasks())
}

impl Desk {
    /// A proposal of this actor as a task. What came of it is the answer that its call would have given.
    pub(crate) async fn task(&self, id: &str) -> Result<DetailedTask, GuardError> {
        let standing = self.mine(id).await?;
        let status = self.guard.proposal_status(id).await?;
        let payload = match &standing {
            Standing::Allowed(_) | Standing::Waits(_) | Standing::InProgress(_) => {
                TaskPayload::Working
            }
            Standing::Cancelled { .. } => TaskPayload::Cancelled,
            called_off if answer::is_called_off(called_off) => TaskPayload::Cancelled,
            ended => TaskPayload::Completed {
                result: match serde_json::to_value(self.answer(ended)) {
                    Ok(Value::Object(result)) => result,
                    _ => Map::new(),
                },
            },
        };
        let taken_back = status.taken_back.as_ref().map(|undo| undo.at);
        let changed = [status.answered_at, status.ended_at, taken_back];
        let changed = changed.into_iter().flatten();
        let changed = changed.fold(status.proposed_at, |last, next| last.max(next));
        let task = Task::new(
            id,
            TaskStatus::Working,
            status.proposed_at.to_string(),
            changed.to_string(),
        );
        let task = task
            .with_status_message(standing.to_string())
            .with_poll_interval_ms(POLL);
        Ok(DetailedTask::new(task, payload))
    }
}

/// Why there is no answer about a task.
pub(crate) fn failed(failure: &GuardError) -> ErrorData {
    match failure {
        GuardError::Refused(Refusal::UnknownProposal { .. }) => {
            ErrorData::invalid_params(errors::bounded(&failure.report()).into_owned(), None)
        }
        _ => ErrorData::internal_error(failure.report(), None),
    }
}
