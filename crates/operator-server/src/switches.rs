//! The mode and the kill switch. Only people set them; what allows sends again takes what the policy
//! wants of them, such as a signature over just that.

use std::sync::Arc;

use action_guard::{Controls, Decider, Mode, ModeError, Proof, ProposalStatus, Refusal, Stop};
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Gated;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::Answer;
use crate::gate::Gate;
use crate::input::read;
use crate::problem::Problem;
use crate::trusted::Trusted;
use crate::who::Asker;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMode {
    #[schemars(with = "String", extend("enum" = ["observe", "execute"]))]
    mode: Mode,
    cluster: Option<String>,
    #[serde(default)]
    reason: String,
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    proof: Option<Proof>,
}

/// For which cluster, or for all, and why.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    cluster: Option<String>,
    reason: String,
    /// Signed with the person's key, where the policy wants that.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    proof: Option<Proof>,
}

impl Switch {
    /// The controls of what it is for, where they may see that.
    fn controls(&self, gate: &Gate, asker: &Asker) -> Result<Controls, Problem> {
        let controls = gate.controls();
        match &self.cluster {
            Some(name) => {
                let cluster = asker.cluster(gate, name)?;
                Ok(controls.of_cluster(cluster.target.clone()))
            }
            None if asker.sees_all() => Ok(controls),
            None => {
                let text =
                    "switching all clusters needs access to all of them: name one as `cluster`";
                Err(Problem::new(StatusCode::FORBIDDEN, "not_theirs", text))
            }
        }
    }
}

/// Who decides: by what they signed, else by what the gate knows.
pub(crate) fn decider<'a>(
    asker: &'a Asker,
    proof: Option<&'a Proof>,
    trusted: &'a Trusted,
) -> Decider<'a> {
    match proof {
        Some(proof) => Decider::with_proof(&asker.actor, proof),
        None => Decider::claimed(&asker.actor).known_to(trusted.key.as_deref()),
    }
}

/// Whether anything may be sent.
pub(crate) async fn mode(Gated(gate): Gated<Gate>, Extension(asker): Extension<Asker>) -> Answer {
    let state = gate.journal().state().await?;
    let killed = state.killed.as_ref().map(|killed| json!(killed));
    let mut answer = json!({ "mode": state.mode, "killed": killed });
    // Of each of them that they may see, why nothing is sent to it although the mode is execute.
    let clusters = gate.clusters().values();
    let theirs = clusters.filter(|one| asker.reaches(&one.target));
    let unverified = theirs.filter_map(|one| {
        let refusal = one.guard.observing(&state, &one.target.system)?;
        let is_it = matches!(refusal, Refusal::NotEnabled { .. });
        is_it.then(|| (one.target.called().to_owned(), json!(refusal.to_string())))
    });
    let unverified: serde_json::Map<String, Value> = unverified.collect();
    if !unverified.is_empty() {
        answer["unverified"] = json!(unverified);
    }
    Ok(Json(answer).into_response())
}

/// Sets whether anything may be sent.
pub(crate) async fn set_mode(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    body: Bytes,
) -> Answer {
    asker.person("to set the mode")?;
    let new: NewMode = read(&body)?;
    if new.mode == Mode::Execute {
        asker.may_let_others_send()?;
    }
    let (mode, switch) = (
        new.mode,
        Switch {
            cluster: new.cluster,
            reason: new.reason,
            proof: new.proof,
        },
    );
    let controls = switch.controls(&gate, &asker)?;
    let trusted = gate.trusted();
    let by = decider(&asker, switch.proof.as_ref(), &trusted);
    let set = controls.set_mode(mode, by, &switch.reason);
    match set.await {
        Ok(()) => Ok(Json(json!({ "mode": mode })).into_response()),
        Err(ModeError::Commit(error)) => Err(error.into()),
        Err(error) => {
            let (status, code) = (StatusCode::BAD_GATEWAY, "still_sending");
            Err(Problem::new(status, code, error.to_string()))
        }
    }
}

/// Stops everything, or one cluster, and says what it met.
pub(crate) async fn stop(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    body: Bytes,
) -> Answer {
    asker.person("to stop everything")?;
    let switch: Switch = read(&body)?;
    let controls = switch.controls(&gate, &asker)?;
    let stop = controls.stop(&asker.actor, &switch.reason).await?;
    Ok(Json(met(&stop)).into_response())
}

/// Ends a stop.
pub(crate) async fn reset(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    body: Bytes,
) -> Answer {
    asker.person("to end a stop")?;
    asker.may_let_others_send()?;
    let switch: Switch = read(&body)?;
    let controls = switch.controls(&gate, &asker)?;
    let trusted = gate.trusted();
    let by = decider(&asker, switch.proof.as_ref(), &trusted);
    let reset = controls.reset(by, &switch.reason);
    reset.await?;
    Ok(Json(json!({ "reset": true })).into_response())
}

fn met(stop: &Stop) -> Value {
    let unrecorded = stop.unrecorded.as_ref();
    let ids = |statuses: &[_]| -> Vec<String> { statuses.iter().map(id).collect() };
    json!({
        "stopped": true,
        "unrecorded": unrecorded.map(|error| action_core::report(error)),
        "cancelled": ids(&stop.cancelled),
        "in_motion": ids(&stop.in_motion),
        "may_have_been_sent": stop.may_have_been_sent().map(id).collect::<Vec<_>>(),
        "still_sending": stop.still_sending,
        "in_force": stop.in_force,
    })
}

fn id(status: &Arc<ProposalStatus>) -> String {
    status.proposal.id.clone()
}
