//! The API: what agents and people ask for, as JSON.

use std::sync::Arc;
use std::time::Duration;

use action_core::Undo;
use action_guard::{Guard, ProposalStatus, Request, Standing, State};
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Gated};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::gate::{Cluster, Gate};
use crate::problem::Problem;
use crate::who::Asker;

pub(crate) type Answer = Result<Response, Problem>;

/// What a mutation is asked for with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    action: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    reason: Option<String>,
    lease_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

pub(crate) async fn actions(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Path(cluster): Path<String>,
) -> Answer {
    let cluster = asker.cluster(&gate, &cluster)?;
    let catalogue = cluster.guard.catalogue();
    let most = asker.most(cluster);
    let offered = catalogue.definitions().filter(|action| most.covers(action));
    let actions = offered.map(|action| json!(action)).collect::<Vec<_>>();
    Ok(Json(json!({ "actions": actions })).into_response())
}

pub(crate) async fn observe(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Path((cluster, name)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let cluster = asker.cluster(&gate, &cluster)?;
    let parameters: Map<String, Value> = read(&body)?;
    let catalogue = cluster.guard.catalogue();
    let seen = catalogue.observe(&name, Value::Object(parameters)).await?;
    Ok(Json(seen).into_response())
}

/// Those that they may see, the latest first.
pub(crate) async fn list(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Path(name): Path<String>,
) -> Answer {
    let cluster = asker.cluster(&gate, &name)?;
    let state = cluster
        .guard
        .state()
        .await
        .map_err(action_guard::GuardError::from)?;
    let seen = all(&state).filter(|status| {
        let proposal = &status.proposal;
        let is_here = proposal.target().is_same_system(&cluster.target);
        is_here && asker.may_see(&proposal.request.actor)
    });
    let mut seen: Vec<_> = seen.map(|status| shown(status)).collect();
    seen.reverse();
    Ok(Json(json!({ "proposals": seen })).into_response())
}

pub(crate) async fn propose(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let cluster = asker.cluster(&gate, &name)?;
    let wanted: Wanted = read(&body)?;
    asker.may_ask_for(cluster, &wanted.action)?;
    let parameters = Value::Object(wanted.parameters);
    let mut request = Request::new(&wanted.action, parameters, &asker.actor);
    if let Some(reason) = wanted.reason {
        request = request.reason(reason);
    }
    if let Some(seconds) = wanted.lease_seconds {
        request = request.lease(Duration::from_secs(seconds.into()));
    }
    request.idempotency_key = key(&headers)?;
    // Without a key, asking twice is asking for two.
    let asked = cluster.guard.propose_once(request, Duration::ZERO).await?;
    let id = asked.standing.proposal_id();
    let status = match asked.repeated {
        true => StatusCode::OK,
        false => StatusCode::CREATED,
    };
    answered(&cluster.guard, id, &asked.standing, status).await
}

pub(crate) async fn get(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
) -> Answer {
    let (_, status) = seen(&gate, &asker, &id).await?;
    Ok(Json(shown(&status)).into_response())
}

pub(crate) async fn execute(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
) -> Answer {
    let (cluster, status) = seen(&gate, &asker, &id).await?;
    asker.may_ask_for(cluster, &status.proposal.request.action)?;
    let (guard, by) = (cluster.guard.clone(), asker.actor.clone());
    let proposal = status.proposal.clone();
    // Whoever asks and goes away: what is sent is followed.
    let doing = tokio::spawn(async move { guard.execute(&proposal, &by, &mut |_| {}).await });
    match tokio::time::timeout(gate.options().answer_within, doing).await {
        Ok(Ok(standing)) => {
            let standing = standing?;
            let status = match standing {
                // Somebody else is at it.
                Standing::InProgress(_) => StatusCode::ACCEPTED,
                _ => StatusCode::OK,
            };
            answered(&cluster.guard, &id, &standing, status).await
        }
        Ok(Err(_)) => Err(action_guard::GuardError::Abandoned.into()),
        Err(_) => {
            let standing = cluster.guard.standing(&id).await?;
            answered(&cluster.guard, &id, &standing, StatusCode::ACCEPTED).await
        }
    }
}

pub(crate) async fn cancel(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let (cluster, _) = seen(&gate, &asker, &id).await?;
    let Reason { reason } = read(&body)?;
    let status = cluster.guard.cancel(&id, &asker.actor, &reason).await?;
    Ok(Json(shown(&status)).into_response())
}

/// Proposes what takes it back.
pub(crate) async fn undo(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let (cluster, status) = seen(&gate, &asker, &id).await?;
    if let Undo::Action { name, .. } = &status.proposal.undo {
        asker.may_ask_for(cluster, name)?;
    }
    let Reason { reason } = read(&body)?;
    let guard = &cluster.guard;
    let standing = guard.propose_undo(&id, &asker.actor, &reason).await?;
    answered(
        guard,
        standing.proposal_id(),
        &standing,
        StatusCode::CREATED,
    )
    .await
}

/// Whether anything may be sent. Only people set it, and not here.
pub(crate) async fn mode(Gated(gate): Gated<Gate>) -> Answer {
    let state = gate
        .controls()
        .state()
        .await
        .map_err(action_guard::GuardError::from)?;
    let killed = state.killed.as_ref().map(|killed| json!(killed));
    Ok(Json(json!({ "mode": state.mode, "killed": killed })).into_response())
}

/// A proposal that they may see, and where it is. Another one is as if there was none.
async fn seen<'g>(
    gate: &'g Gate,
    asker: &Asker,
    id: &str,
) -> Result<(&'g Cluster, Arc<ProposalStatus>), Problem> {
    let state = gate
        .controls()
        .state()
        .await
        .map_err(action_guard::GuardError::from)?;
    let status = state.proposal_status(id);
    let status = status.filter(|status| asker.may_see(&status.proposal.request.actor));
    let status = Arc::clone(status.ok_or_else(Problem::not_found)?);
    let target = status.proposal.target();
    let mut clusters = gate.clusters().iter();
    let found = clusters.find(|(_, cluster)| cluster.target.is_same_system(&target));
    let (name, _) = found.ok_or_else(Problem::not_found)?;
    Ok((asker.cluster(gate, name)?, status))
}

fn all(state: &State) -> impl Iterator<Item = &Arc<ProposalStatus>> {
    state.ended.iter().chain(state.open.values())
}

/// The key by which a client repeats a request.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all("idempotency-key").iter();
    let Some(first) = given.next() else {
        return Ok(None);
    };
    let text = first
        .to_str()
        .ok()
        .filter(|text| (1..=256).contains(&text.len()));
    match (text, given.next()) {
        (Some(text), None) => Ok(Some(text.to_owned())),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_input",
            "`Idempotency-Key` is one text of 1 to 256 bytes",
        )),
    }
}

/// How a proposal stands, in words, and all that the journal has of it.
async fn answered(guard: &Guard, id: &str, standing: &Standing, status: StatusCode) -> Answer {
    let says = standing.to_string();
    let known = guard.proposal_status(id).await?;
    let mut body = shown(&known);
    body["says"] = json!(action_core::printable(&says));
    Ok((status, Json(body)).into_response())
}

pub(crate) fn shown(status: &ProposalStatus) -> Value {
    let mut body = json!(status);
    body["phase"] = json!(status.phase_at(Timestamp::now()));
    body
}

/// The body, which is JSON and nothing more than is asked for. An empty one is an empty object.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    // A list could stand for the members in their order: only their names are asked for.
    let members = serde_json::from_slice::<Map<String, Value>>(body).map(Value::Object);
    members.and_then(serde_json::from_value).map_err(|error| {
        let text = format!("the body is not what is asked for: {error}");
        Problem::new(StatusCode::BAD_REQUEST, "invalid_body", text)
    })
}
