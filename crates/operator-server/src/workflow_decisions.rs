//! What is decided about a workflow: that a step is done, that it goes on, ends, or is taken back.

use action_guard::{Flow, Proof, Workflows};
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Gated;
use axum::response::IntoResponse as _;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::Answer;
use crate::carry_on::carry_on;
use crate::gate::{Cluster, Gate};
use crate::input::{Named, read};
use crate::proposals::Reason;
use crate::switches::decider;
use crate::who::Asker;
use crate::workflows::{may_ask_for_all, seen, shown};

/// That somebody has done what a step waits for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirming {
    step: String,
    note: Option<String>,
    /// Signed with the person's key, where the policy lists one.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    proof: Option<Proof>,
}

/// A person says that what a step waits for is done.
pub(crate) async fn confirm(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    let (cluster, _) = seen(&gate, &asker, &id).await?;
    asker.person("to confirm a step")?;
    asker.may_let_others_send()?;
    let Confirming { step, note, proof } = read(&body)?;
    let trusted = gate.trusted();
    let by = decider(&asker, proof.as_ref(), &trusted);
    let flow = of(cluster).confirm(&id, &step, by, note).await?;
    goes_on(&gate, cluster, &flow).await
}

/// Lets what failed be tried again. From then on the policy is asked for them, too.
pub(crate) async fn resume(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    let (cluster, flow) = seen(&gate, &asker, &id).await?;
    asker.may_let_others_send()?;
    may_ask_for_all(&asker, cluster, &flow.workflow)?;
    let Reason { reason } = read(&body)?;
    let flow = of(cluster).resume(&id, &asker.actor, &reason).await?;
    goes_on(&gate, cluster, &flow).await
}

/// Ends it at its next step. What it did stays.
pub(crate) async fn cancel(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    let (cluster, _) = seen(&gate, &asker, &id).await?;
    let Reason { reason } = read(&body)?;
    let flow = of(cluster).cancel(&id, &asker.actor, &reason).await?;
    goes_on(&gate, cluster, &flow).await
}

/// Has taken back what it did, by their authority.
pub(crate) async fn compensate(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    let (cluster, _) = seen(&gate, &asker, &id).await?;
    asker.may_let_others_send()?;
    let Reason { reason } = read(&body)?;
    let flow = of(cluster).compensate(&id, &asker.actor, &reason).await?;
    goes_on(&gate, cluster, &flow).await
}

fn of(cluster: &Cluster) -> Workflows {
    Workflows::new(cluster.guard.clone())
}

/// How it stands now, and goes on from there.
async fn goes_on(gate: &Gate, cluster: &Cluster, flow: &Flow) -> Answer {
    let state = gate.journal().state().await?;
    let now = shown(gate, flow, &state);
    if flow.ended.is_none() {
        carry_on(gate, cluster, &flow.id);
    }
    Ok(Json(now).into_response())
}
