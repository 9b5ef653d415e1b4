//! The steps of a workflow in an answer: how each stands, and which wait for people.

use action_core::{Step, Work};
use action_guard::{AttemptState, Attempts, Flow, NextSteps, Waiting};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::answer::Approval;

/// How one step stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct StepStands {
    /// Its id.
    step: String,
    /// What it does.
    does: String,
    /// How it stands.
    standing: StepWord,
    /// What shows that, or why it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Its proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal_id: Option<String>,
    /// How taking it back stands, where that has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_back: Option<StepWord>,
}

/// How one step stands, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepWord {
    Open,
    Proposed,
    Done,
    Failed,
    NothingToTakeBack,
}

/// A step that waits for people.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct WaitsFor {
    /// Its id.
    pub(crate) step: String,
    /// What a person has to do and to confirm, if that is what it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The proposal that waits for approval, if that is what it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) proposal_id: Option<String>,
    /// Who may, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) approval: Option<Approval>,
}

/// The steps that wait for people. Approvals are not filled in.
pub(crate) fn waits_for(next: &NextSteps, id: &str, confirm: Option<&str>) -> Vec<WaitsFor> {
    let waiting = next.waiting.iter().filter_map(|waiting| match waiting {
        Waiting::Approval { step, proposal } => Some(WaitsFor {
            step: step.clone(),
            text: None,
            proposal_id: Some(proposal.clone()),
            approval: None,
        }),
        Waiting::Confirmation { step, text, by, .. } => Some(WaitsFor {
            step: step.clone(),
            text: Some(text.clone()),
            proposal_id: None,
            approval: Some(Approval {
                by: by.clone(),
                missing: 1,
                signed: false,
                how: confirm.map(|words| format!("{words} {id} {step}")),
            }),
        }),
        _ => None,
    });
    waiting.collect()
}

impl StepStands {
    pub(crate) fn of(step: &Step, flow: &Flow) -> Self {
        let state = flow.steps.get(&step.id);
        let none = Attempts::default();
        let forward = state.map_or(&none, |state| &state.forward);
        // What a step takes back is kept with the step that did it.
        let shown = match step.work() {
            Work::Undo { of, .. } => flow.steps.get(of).map_or(&none, |state| &state.back),
            _ => forward,
        };
        let shown = if forward.is_settled() || shown.count > 0 {
            shown
        } else {
            forward
        };
        let is_undo = matches!(step.work(), Work::Undo { .. });
        let back = state.map(|state| &state.back);
        let back = back.filter(|back| !is_undo && back.count > 0);
        let (standing, why) = word(&shown.state);
        Self {
            step: step.id.clone(),
            does: does(step),
            standing,
            why,
            proposal_id: shown.proposal.clone(),
            taken_back: back.map(|back| word(&back.state).0),
        }
    }
}

fn word(state: &AttemptState) -> (StepWord, Option<String>) {
    match state {
        AttemptState::Proposed => (StepWord::Proposed, None),
        AttemptState::Done { summary, .. } => (StepWord::Done, summary.clone()),
        AttemptState::Failed(failure) => {
            let why = format!("{}: {}", failure.code, failure.reason);
            (StepWord::Failed, Some(why))
        }
        AttemptState::Left { reason } => (StepWord::NothingToTakeBack, Some(reason.clone())),
        _ => (StepWord::Open, None),
    }
}

fn does(step: &Step) -> String {
    match step.work() {
        Work::Action {
            name, parameters, ..
        } => format!("{name} {}", Value::Object(parameters.clone())),
        Work::Undo { of, .. } => format!("takes back what `{of}` did"),
        Work::Observe {
            name, parameters, ..
        } => format!(
            "waits for what {name} {} shows",
            Value::Object(parameters.clone())
        ),
        Work::Confirm { text, .. } => format!("waits for a person: {text}"),
        _ => step.title.clone().unwrap_or_default(),
    }
}
