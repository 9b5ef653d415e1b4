//! What a call answers: how a mutation stands, what was read, or what is wrong.

use action_core::{Attribution, Undo, Verdict};
use action_guard::{Proposal, Report, Standing, Waits};
use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::errors;

/// How a mutation stands, for a model.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// How it stands. Nothing was sent unless it says `in_progress`, `applied`,
    /// `applied_then_reversed`, `not_applied`, `unknown` or `taken_back`.
    pub(crate) standing: Stands,
    /// The same as a sentence.
    pub(crate) summary: String,
    /// What to do next.
    pub(crate) next: String,
    /// Id of the proposal, with which it is shown, executed and taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) proposal_id: Option<String>,
    /// The mutation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<String>,
    /// Its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub(crate) arguments: Option<Value>,
    /// What it would do, while nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub(crate) plan: Option<Value>,
    /// Whom it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) approval: Option<Approval>,
    /// How it ended, with the evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub(crate) outcome: Option<Value>,
    /// What takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) undo: Option<TakenBackBy>,
    /// Whether this is the proposal of an earlier call that asked for the same.
    pub(crate) repeated: bool,
}

/// How it stands, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stands {
    Allowed,
    WaitsForApproval,
    DeniedByPolicy,
    NothingToDo,
    RefusedByPlan,
    Outdated,
    InProgress,
    Cancelled,
    Rejected,
    Applied,
    AppliedThenReversed,
    NotApplied,
    Unknown,
    TakenBack,
}

/// Whose approval counts.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Approval {
    /// Who may approve, as patterns over names; empty for any person.
    pub(crate) by: Vec<String>,
    /// How many more it takes.
    pub(crate) missing: usize,
    /// Whether it counts only with a signature.
    pub(crate) signed: bool,
    /// What a person calls to approve it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) how: Option<String>,
}

/// What takes a mutation back.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct TakenBackBy {
    /// Whether anything does.
    possible: bool,
    /// The tool that does, with the proposal's id; or why nothing does.
    how: String,
}

impl Answer {
    /// How a proposal stands; `approve` is what a person calls, before its id.
    pub(crate) fn of(standing: &Standing, approve: Option<&str>) -> Self {
        let (stands, next) = stands(standing);
        let mut answer = Self {
            standing: stands,
            summary: match is_called_off(standing) {
                true => format!("nothing was sent; {standing}"),
                false => standing.to_string(),
            },
            next: next.to_owned(),
            proposal_id: None,
            action: None,
            arguments: None,
            plan: None,
            approval: None,
            outcome: None,
            undo: None,
            repeated: false,
        };
        match standing {
            Standing::Allowed(proposal)
            | Standing::Denied { proposal, .. }
            | Standing::RefusedByPlan { proposal, .. }
            | Standing::Outdated { proposal, .. }
            | Standing::InProgress(proposal)
            | Standing::Cancelled { proposal, .. } => answer.about(proposal),
            Standing::Waits(Waits { proposal, .. }) => answer.about(proposal),
            Standing::Applied(report)
            | Standing::Reversed(report)
            | Standing::NotApplied(report)
            | Standing::Unknown(report)
            | Standing::TakenBack { report, .. } => answer.ended(report),
        }
        answer.approval = approval(standing, approve);
        answer
    }

    fn about(&mut self, proposal: &Proposal) {
        self.proposal_id = Some(proposal.id.clone());
        self.action = Some(proposal.request.action.clone());
        self.arguments = Some(proposal.request.parameters.clone());
        self.plan = Some(plan(proposal));
    }

    fn ended(&mut self, report: &Report) {
        self.proposal_id = Some(report.id.clone());
        self.action = Some(report.action.clone());
        self.arguments = Some(report.parameters.clone());
        self.outcome = serde_json::to_value(&report.outcome).ok();
        let is_over = matches!(
            self.standing,
            Stands::NotApplied | Stands::TakenBack | Stands::Cancelled
        );
        let whose = report.outcome.by;
        self.undo = (!is_over).then(|| match &report.undo {
            _ if whose == Some(Attribution::Undecided) => TakenBackBy {
                possible: false,
                how: "a person must take it back: the request got no answer, and somebody else may have made the same change"
                    .to_owned(),
            },
            Undo::Action {
                name, parameters, ..
            } => TakenBackBy {
                possible: true,
                how: format!(
                    "`undo` with the proposal's id, which runs `{name}` with {}",
                    Value::Object(parameters.clone())
                ),
            },
            Undo::None { reason } => TakenBackBy {
                possible: false,
                how: reason.clone(),
            },
            _ => TakenBackBy {
                possible: false,
                how: "unknown".to_owned(),
            },
        });
    }

    /// Whether a model is to see it as an error.
    fn is_error(&self) -> bool {
        matches!(
            self.standing,
            Stands::DeniedByPolicy
                | Stands::RefusedByPlan
                | Stands::Outdated
                | Stands::Cancelled
                | Stands::Rejected
                | Stands::AppliedThenReversed
                | Stands::NotApplied
                | Stands::Unknown
        )
    }

    /// As the result of a call.
    pub(crate) fn into_result(self, most: usize) -> CallToolResult {
        let is_error = self.is_error();
        let value = serde_json::to_value(&self).unwrap_or_default();
        result(value, is_error, most)
    }
}

/// Whose approval counts for what waits; `approve` is what a person calls, before its id.
pub(crate) fn approval(standing: &Standing, approve: Option<&str>) -> Option<Approval> {
    let Standing::Waits(waits) = standing else {
        return None;
    };
    Some(Approval {
        by: waits.by.clone(),
        missing: waits.missing,
        signed: waits.signed,
        how: approve.map(|words| format!("{words} {}", waits.proposal.id)),
    })
}

/// How it stands as a word, and what a model does next.
fn stands(standing: &Standing) -> (Stands, &'static str) {
    match standing {
        Standing::Allowed(_) => (
            Stands::Allowed,
            "nothing is sent yet: call `execute_proposal` with its id",
        ),
        Standing::Waits(_) => (
            Stands::WaitsForApproval,
            "tell the people named in `approval`, and continue with other work; when they have approved, call `execute_proposal` with its id. Do not propose it again",
        ),
        Standing::Denied { .. } => (
            Stands::DeniedByPolicy,
            "do not request it again until what `summary` says has changed: nobody can approve it now",
        ),
        Standing::RefusedByPlan {
            verdict: Verdict::NoOp { .. },
            ..
        } => (Stands::NothingToDo, "continue: there is nothing to do"),
        Standing::RefusedByPlan { .. } => (
            Stands::RefusedByPlan,
            "remove the cause in `summary`, then request it again",
        ),
        Standing::Outdated { .. } => (Stands::Outdated, "request it again if it is still needed"),
        Standing::InProgress(_) => (
            Stands::InProgress,
            "call `get_proposal` with its id and `wait_seconds`; do not request it again",
        ),
        Standing::Cancelled { rejected: true, .. } => (
            Stands::Rejected,
            "do not request it again without being asked to",
        ),
        Standing::Cancelled { .. } => (
            Stands::Cancelled,
            "do not request it again without being asked to",
        ),
        Standing::Applied(_) => (
            Stands::Applied,
            "continue: the evidence shows that it is done",
        ),
        Standing::Reversed(_) => (
            Stands::AppliedThenReversed,
            "find out what changed it before you request it again",
        ),
        Standing::NotApplied(_) if is_called_off(standing) => (
            Stands::Cancelled,
            "do not request it again without being asked to",
        ),
        Standing::NotApplied(report) if report.outcome.retryable => {
            (Stands::NotApplied, "request it again if it is still needed")
        }
        Standing::NotApplied(_) => (Stands::NotApplied, "find the cause in `summary`"),
        Standing::Unknown(_) => (
            Stands::Unknown,
            "do not request it again: it may have taken effect. Call `get_proposal` later, or leave it to a person",
        ),
        Standing::TakenBack { .. } => (Stands::TakenBack, "continue: it was taken back"),
    }
}

/// Whether it was called off after its intent was written and before it was sent, which the last look
/// before a send saw.
pub(crate) fn is_called_off(standing: &Standing) -> bool {
    matches!(standing, Standing::NotApplied(report) if report.outcome.code.as_deref() == Some("cancelled"))
}

/// What a proposal would do: its plan without what only a probe needs.
pub(crate) fn plan(proposal: &Proposal) -> Value {
    let mut plan = serde_json::to_value(&proposal.plan).unwrap_or_default();
    if let Value::Object(members) = &mut plan {
        for not_for_a_model in ["before", "follow", "clock"] {
            members.remove(not_for_a_model);
        }
        members.insert("plan_hash".to_owned(), json!(proposal.plan_hash));
        members.insert("system".to_owned(), json!(proposal.system));
    }
    plan
}

/// How something stands as the result of a call, no longer than a host takes.
pub(crate) fn result(value: Value, is_error: bool, most: usize) -> CallToolResult {
    match is_error {
        true => errors::error(&shortened(value, most)),
        false => structured(value, most),
    }
}

/// A result, no longer than a host takes.
pub(crate) fn structured(value: Value, most: usize) -> CallToolResult {
    CallToolResult::structured(shortened(value, most))
}

/// The lists that are cut only when nothing is left of the others: without them nobody is told what only
/// people do.
const LAST: [&str; 1] = ["waits_for"];

/// The same; the longest lists are cut, which `truncated` says.
fn shortened(mut value: Value, most: usize) -> Value {
    let mut cut = Map::new();
    loop {
        let excess = value.to_string().len().saturating_sub(most);
        if excess == 0 {
            break;
        }
        let Some((name, shown, of)) = cut_longest(&mut value, excess) else {
            break;
        };
        let before = cut.get(&name).and_then(|said: &Value| said["of"].as_u64());
        cut.insert(name, json!({"shown": shown, "of": before.unwrap_or(of)}));
        if let Value::Object(members) = &mut value {
            members.insert("truncated".to_owned(), Value::Object(cut.clone()));
        }
    }
    value
}

/// Takes so many characters from the end of the list that is longest as text, people and commands last.
/// What it is called, and how many of how many stay.
fn cut_longest(value: &mut Value, excess: usize) -> Option<(String, usize, u64)> {
    let Value::Object(members) = value else {
        return None;
    };
    let lists = members.iter_mut().filter_map(|(name, value)| match value {
        Value::Array(list) if !list.is_empty() => Some((name, list)),
        _ => None,
    });
    let length =
        |list: &Vec<Value>| -> usize { list.iter().map(|one| one.to_string().len()).sum() };
    let (name, list) =
        lists.max_by_key(|(name, list)| (!LAST.contains(&name.as_str()), length(list)))?;
    let (of, mut taken) = (list.len() as u64, 0);
    while taken < excess
        && let Some(last) = list.pop()
    {
        taken += last.to_string().len() + ",".len();
    }
    Some((name.clone(), list.len(), of))
}
