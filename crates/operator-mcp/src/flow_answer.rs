//! What a call answers about a workflow: how it stands, step by step, and whom it waits for.

use action_guard::{Ending, FlowRun, GuardError, NextSteps, Ready, StopCode, Waiting};
use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer;
use crate::flow_steps::{StepStands, WaitsFor, waits_for};

/// How a workflow stands, for a model.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct FlowAnswer {
    /// How it stands.
    pub(crate) standing: FlowStands,
    /// The same as a sentence.
    pub(crate) summary: String,
    /// What to do next.
    pub(crate) next: String,
    /// The workflow's id, by which it is looked at and gone on with.
    pub(crate) workflow_id: String,
    /// What it does.
    pub(crate) title: String,
    /// Its steps.
    pub(crate) steps: Vec<StepStands>,
    /// The steps that wait for people.
    pub(crate) waits_for: Vec<WaitsFor>,
    /// Whether this is the workflow of an earlier call that asked for the same.
    pub(crate) repeated: bool,
}

/// How it stands, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FlowStands {
    /// A step is being done or looked at.
    InProgress,
    /// A step can be done, and nobody here is at it.
    Ready,
    /// People must approve a step.
    WaitsForApproval,
    /// A person must say that something is done.
    WaitsForConfirmation,
    /// It waits for a time.
    WaitsForTime,
    /// A step was not done.
    Failed,
    /// The outcome of a step is not known.
    Unknown,
    /// The kill switch, the mode or a time that has passed is in the way.
    Stopped,
    /// All steps are done.
    Completed,
    /// It was cancelled.
    Cancelled,
    /// What it did was taken back.
    TakenBack,
}

impl FlowAnswer {
    /// How a workflow stands; `is_at_it` says whether this server goes on with it now, and `confirm` is
    /// what a person calls, before its id and the step. Approvals are not filled in.
    pub(crate) fn of(run: &FlowRun, is_at_it: bool, confirm: Option<&str>) -> Self {
        let (flow, next) = (&run.flow, &run.next_steps);
        let standing = stands(next, is_at_it);
        let steps = &flow.workflow.steps;
        let done = steps.iter().filter(|step| flow.is_done(&step.id)).count();
        let why = why(next).map_or_else(String::new, |why| format!(": {why}"));
        Self {
            standing,
            summary: format!(
                "{}; {done} of {} steps are done{why}",
                standing.words(),
                steps.len()
            ),
            next: standing.next().to_owned(),
            workflow_id: flow.id.clone(),
            title: flow.workflow.title.clone(),
            steps: steps
                .iter()
                .map(|step| StepStands::of(step, flow))
                .collect(),
            waits_for: waits_for(next, &flow.id, confirm),
            repeated: false,
        }
    }

    /// The same, and why this call does not go on with it.
    pub(crate) fn held_up(mut self, failure: &GuardError) -> Self {
        self.summary = format!("{}; it is stopped: {}", self.summary, failure.report());
        self
    }

    /// Whether it may be otherwise without anybody here doing anything.
    pub(crate) fn may_change(&self) -> bool {
        matches!(
            self.standing,
            FlowStands::InProgress
                | FlowStands::WaitsForApproval
                | FlowStands::WaitsForConfirmation
                | FlowStands::WaitsForTime
        )
    }

    /// As the result of a call.
    pub(crate) fn into_result(self, most: usize) -> CallToolResult {
        let is_error = matches!(
            self.standing,
            FlowStands::Failed | FlowStands::Unknown | FlowStands::Stopped | FlowStands::Cancelled
        );
        let value = serde_json::to_value(&self).unwrap_or_default();
        answer::result(value, is_error, most)
    }
}

fn stands(next: &NextSteps, is_at_it: bool) -> FlowStands {
    if let Some(ended) = next.ended {
        return match ended {
            Ending::Completed => FlowStands::Completed,
            Ending::Compensated => FlowStands::TakenBack,
            _ => FlowStands::Cancelled,
        };
    }
    if let Some(stopped) = &next.stopped {
        return match stopped.code {
            StopCode::Failed => FlowStands::Failed,
            StopCode::Unknown => FlowStands::Unknown,
            _ => FlowStands::Stopped,
        };
    }
    let waits = |is_it: fn(&Waiting) -> bool| next.waiting.iter().any(is_it);
    let is_sent = waits(|one| matches!(one, Waiting::Mutation { .. }));
    let may_go_on = !next.ready.is_empty() || waits(|one| matches!(one, Waiting::Retry { .. }));
    match is_at_it {
        true if is_sent || may_go_on => FlowStands::InProgress,
        false if is_sent => FlowStands::InProgress,
        false if may_go_on => FlowStands::Ready,
        _ if waits(|one| matches!(one, Waiting::Approval { .. })) => FlowStands::WaitsForApproval,
        _ if waits(|one| matches!(one, Waiting::Confirmation { .. })) => {
            FlowStands::WaitsForConfirmation
        }
        _ if waits(|one| matches!(one, Waiting::Schedule { .. })) => FlowStands::WaitsForTime,
        true => FlowStands::InProgress,
        false => FlowStands::Ready,
    }
}

/// Why it does not go on, or what it is at.
fn why(next: &NextSteps) -> Option<String> {
    if let Some(stopped) = &next.stopped {
        let step = stopped.step.as_ref();
        let step = step.map_or_else(String::new, |step| format!("step `{step}`: "));
        return Some(format!("{step}{}", stopped.reason));
    }
    let waiting = next.waiting.iter().find_map(|waiting| match waiting {
        Waiting::Approval { step, .. } | Waiting::Confirmation { step, .. } => {
            Some(format!("step `{step}` waits for people"))
        }
        Waiting::Mutation { step, .. } => Some(format!("step `{step}` is sent and being followed")),
        Waiting::Retry { step, at } => Some(format!("step `{step}` will be retried at {at}")),
        Waiting::Schedule { at } => Some(format!("it can begin at {at}")),
        _ => None,
    });
    waiting.or_else(|| {
        let ready = next.ready.first()?;
        Some(match ready {
            Ready::Observe { step, .. } => {
                format!("step `{step}` polls until its condition is true")
            }
            ready => format!("step `{}` is next", ready.step()),
        })
    })
}

impl FlowStands {
    fn words(self) -> &'static str {
        match self {
            Self::InProgress => "in progress",
            Self::Ready => "not in progress here; it can be continued",
            Self::WaitsForApproval => "waits for approval",
            Self::WaitsForConfirmation => "waits for a confirmation by a person",
            Self::WaitsForTime => "waits for its start time",
            Self::Failed => "a step failed, and the workflow is stopped",
            Self::Unknown => {
                "the outcome of a step is unknown, and the workflow is stopped until it is known"
            }
            Self::Stopped => "stopped",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled; what it did stays",
            Self::TakenBack => "taken back",
        }
    }

    /// What a model does next.
    fn next(self) -> &'static str {
        match self {
            Self::InProgress => {
                "call `get_workflow` with its id and `wait_seconds`; do not start it again"
            }
            Self::Ready => "call `start_workflow` with its `workflow_id`",
            Self::WaitsForApproval => {
                "tell the people named in `waits_for`, and continue with other work; when they have approved, call `start_workflow` with its `workflow_id`. Do not start it again before"
            }
            Self::WaitsForConfirmation => {
                "tell the people named in `waits_for` what they have to do; when they have confirmed, call `start_workflow` with its `workflow_id`"
            }
            Self::WaitsForTime => "call `start_workflow` with its `workflow_id` at that time",
            Self::Failed => "find the cause, and leave it to a person to resume the workflow",
            Self::Unknown => {
                "do not start it again: the step may have taken effect. Call `get_workflow` later, or leave it to a person"
            }
            Self::Stopped => {
                "leave it to a person; once the obstacle is removed, call `start_workflow` with its `workflow_id`"
            }
            Self::Completed => "continue: it is done",
            Self::Cancelled => "do not start it again without being asked to",
            Self::TakenBack => "continue: its changes were taken back",
        }
    }
}
