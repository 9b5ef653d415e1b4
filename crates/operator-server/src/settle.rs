//! What is not known how it ended, or is given up: found out, and said by people.

use action_core::OutcomeKind;
use action_guard::GuardError;
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Gated;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::api::{Answer, seen, shown};
use crate::gate::Gate;
use crate::input::{Filter, Named, read};
use crate::proposals::{Reason, Wait, may_undo};
use crate::who::Asker;

/// How a mutation ended, as a person knows it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolved {
    #[schemars(with = "String", extend("enum" = ["applied", "not_applied"]))]
    result: Ended,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Applied,
    NotApplied,
}

/// Finds out how ended what was sent to a cluster and has no known outcome. Sends nothing. What takes
/// longer than an answer may is found out all the same.
pub(crate) async fn recover(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(name): Named<String>,
    Filter(wait): Filter<Wait>,
) -> Answer {
    let cluster = asker.cluster(&gate, &name)?;
    let (guard, target) = (cluster.guard.clone(), cluster.target.clone());
    let looking = tokio::spawn(async move { guard.recover_on(&target, &mut |_| {}).await });
    let most = gate.options().answer_within;
    let found = tokio::time::timeout(wait.within(most).unwrap_or(most), looking).await;
    let state = gate.journal().state().await?;
    let is_theirs = |id: &str| {
        let status = state.proposal_status(id);
        status.is_some_and(|status| asker.may_see(&status.proposal.request.actor))
    };
    let (status, mut reports) = match found {
        Ok(Ok(reports)) => (StatusCode::OK, reports?),
        Ok(Err(_)) => return Err(GuardError::Abandoned.into()),
        Err(_) => (StatusCode::ACCEPTED, Vec::new()),
    };
    reports.retain(|report| is_theirs(&report.id));
    let in_progress = status == StatusCode::ACCEPTED;
    let found = json!({ "recovered": reports, "in_progress": in_progress });
    Ok((status, Json(found)).into_response())
}

/// A person says how something ended that cannot be found out.
pub(crate) async fn resolve(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    let (cluster, _) = seen(&gate, &asker, &id).await?;
    asker.person("to resolve a proposal")?;
    asker.may_let_others_send()?;
    let Resolved { result, reason } = read(&body)?;
    let result = match result {
        Ended::Applied => OutcomeKind::Applied,
        Ended::NotApplied => OutcomeKind::NotApplied,
    };
    let controls = cluster.guard.controls();
    let status = controls.resolve(&id, &asker.actor, result, &reason).await?;
    Ok(Json(shown(&status)).into_response())
}

/// Gives up an effect that is in force: it is gone, or somebody else's. Sends nothing.
pub(crate) async fn release(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    let (cluster, status) = seen(&gate, &asker, &id).await?;
    asker.may_let_others_send()?;
    may_undo(&asker, cluster, &status.proposal.undo)?;
    let Reason { reason } = read(&body)?;
    let controls = cluster.guard.controls();
    controls.release(&id, &asker.actor, &reason).await?;
    Ok(Json(json!({ "id": id, "released": true })).into_response())
}
