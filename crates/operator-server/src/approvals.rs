//! How a person approves: by a signature, which is all that proves who they are.

use action_guard::{
    Actor, Approval, PlanHash, ProposalStatus, State as JournalState, StatementSignature,
    plan_difference,
};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::api::{Answer, shown};
use crate::carry_on::carry_on_everywhere;
use crate::gate::Gate;
use crate::input::{Named, read};
use crate::problem::Problem;

/// A person's agreement, signed where their key is: everything that the signature is over.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signed {
    by: String,
    #[schemars(with = "String", regex(pattern = "^[0-9a-f]{64}$"))]
    plan_hash: PlanHash,
    #[schemars(with = "String", extend("format" = "date-time"))]
    expires_at: Timestamp,
    reason: Option<String>,
    signed_with: Option<String>,
    #[schemars(with = "String")]
    signature: StatementSignature,
}

/// A person agrees, by a signature that is over all that they agree to. Whoever brings it: it is proven
/// before anything is said of the proposal.
pub(crate) async fn approve(
    State(gate): State<Gate>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    if !gate
        .rates()
        .may("a signature", gate.options().most_per_minute)
    {
        return Err(Problem::too_many());
    }
    let signed: Signed = read(&body)?;
    let by = signed.by.parse::<Actor>();
    let by = by.map_err(|error| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_input",
            error.to_string(),
        )
    })?;
    let mut approval = Approval::new(by, signed.plan_hash, signed.expires_at);
    approval.reason = signed.reason;
    approval.signed_with = signed.signed_with;
    approval.signature = Some(signed.signature);
    let controls = gate.controls();
    if controls.vouches_for(&id, &approval).is_err() {
        return Err(Problem::unproven(
            "the signature does not prove who approves",
        ));
    }
    let state = controls.state().await?;
    let status = state.proposal_status(&id).ok_or_else(Problem::not_found)?;
    is_of_plan(&state, status, &approval.plan_hash)?;
    let status = controls.approve_as_signed(&id, approval).await?;
    carry_on_everywhere(&gate).await;
    Ok(Json(shown(&status)).into_response())
}

/// Refuses an agreement to another plan than the proposal's, and says what differs where that is known.
pub(crate) fn is_of_plan(
    state: &JournalState,
    status: &ProposalStatus,
    seen: &PlanHash,
) -> Result<(), Problem> {
    let found = &status.proposal.plan_hash;
    if found == seen {
        return Ok(());
    }
    let mut all = state.open.values().chain(&state.ended);
    let other = all.find(|other| other.proposal.plan_hash == *seen);
    let difference = other.map(|other| {
        let differs = plan_difference(&other.proposal.plan, &status.proposal.plan);
        json!(differs)
    });
    let text = "the approval is for another plan than the proposal has";
    Err(Problem::new(StatusCode::CONFLICT, "other_plan", text)
        .with("plan_hash", json!(found))
        .with("difference", json!(difference)))
}
