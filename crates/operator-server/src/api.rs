//! The API: what there is to ask for, and how it is answered.

use std::sync::Arc;

use action_guard::{Guard, ProposalStatus, Standing};
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Gated;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::gate::{Cluster, Gate};
use crate::input::{Named, read};
use crate::problem::Problem;
use crate::who::Asker;

pub(crate) type Answer = Result<Response, Problem>;

/// Who asks, as the gate knows them, and what they may ask about.
pub(crate) async fn me(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
) -> Json<Value> {
    let clusters = gate.clusters().values().map(|cluster| &cluster.target);
    let clusters: Vec<_> = clusters.filter(|target| asker.reaches(target)).collect();
    let (actor, proven_by) = (asker.actor.as_str(), asker.actor.proven_by());
    Json(json!({ "actor": actor, "proven_by": proven_by, "clusters": clusters }))
}

pub(crate) async fn actions(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(cluster): Named<String>,
) -> Answer {
    let cluster = asker.cluster(&gate, &cluster)?;
    let catalogue = cluster.guard.catalogue();
    let most = asker.most(cluster);
    let offered = catalogue.definitions().filter(|action| most.covers(action));
    let actions = offered.map(|action| json!(action)).collect::<Vec<_>>();
    Ok(Json(json!({ "actions": actions })).into_response())
}

/// What the gate found at a cluster by looking by itself, and since when it has seen that.
pub(crate) async fn findings(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(cluster): Named<String>,
) -> Answer {
    asker.cluster(&gate, &cluster)?;
    Ok(Json(gate.checks().of(&cluster)).into_response())
}

pub(crate) async fn observe(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named((cluster, name)): Named<(String, String)>,
    body: Bytes,
) -> Answer {
    let cluster = asker.cluster(&gate, &cluster)?;
    let parameters: Map<String, Value> = read(&body)?;
    let catalogue = cluster.guard.catalogue();
    let seen = catalogue.observe(&name, Value::Object(parameters)).await?;
    Ok(Json(seen).into_response())
}

/// The state as far as they may see it: their proposals that are open or ended lately, what is in force
/// of them, the mode and the stop. Nothing of it grows with the journal.
pub(crate) async fn state(Gated(gate): Gated<Gate>, Extension(asker): Extension<Asker>) -> Answer {
    let journal = gate.journal();
    let (state, kill_file) = (journal.state().await?, journal.is_stopped().await?);
    let mut seen = state.seen_by(
        |target| asker.reaches(target) && gate.serves(target),
        |requester| asker.may_see(requester),
    );
    // A pause is of all clusters, and so is what is said of it.
    if !asker.sees_all() {
        let own = asker.actor.as_str();
        seen.pauses
            .retain(|_, pause| pause.agent.as_str().eq_ignore_ascii_case(own));
    }
    Ok(Json(json!({ "state": seen, "kill_file": kill_file })).into_response())
}

/// A proposal that they may see, and where it is. Another one is as if there was none.
pub(crate) async fn seen<'g>(
    gate: &'g Gate,
    asker: &Asker,
    id: &str,
) -> Result<(&'g Cluster, Arc<ProposalStatus>), Problem> {
    let state = gate.journal().state().await?;
    let status = state.proposal_status(id);
    let status = status.filter(|status| asker.may_see(&status.proposal.request.actor));
    let status = Arc::clone(status.ok_or_else(Problem::not_found)?);
    let target = status.proposal.target();
    let mut clusters = gate.clusters().iter();
    let found = clusters.find(|(_, cluster)| cluster.target.is_same_system(&target));
    let (name, _) = found.ok_or_else(Problem::not_found)?;
    Ok((asker.cluster(gate, name)?, status))
}

/// How a proposal stands, for programs and in words, and all that the journal has of it.
pub(crate) async fn answered(
    guard: &Guard,
    id: &str,
    standing: &Standing,
    status: StatusCode,
) -> Answer {
    let says = standing.to_string();
    let known = guard.proposal_status(id).await?;
    let mut body = shown(&known);
    body["says"] = json!(action_core::printable(&says));
    body["standing"] = json!(standing);
    Ok((status, Json(body)).into_response())
}

pub(crate) fn shown(status: &ProposalStatus) -> Value {
    let mut body = json!(status);
    body["phase"] = json!(status.phase_at(Timestamp::now()));
    body
}
