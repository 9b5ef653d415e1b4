//! Pauses of agents: a person pauses one, or an agent itself; a person ends that.

use action_guard::{Actor, Proof};
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Gated;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::Answer;
use crate::gate::Gate;
use crate::input::{Named, read};
use crate::problem::Problem;
use crate::switches::decider;
use crate::who::Asker;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pausing {
    reason: String,
    /// How long; without, until a person ends it.
    #[schemars(range(min = 1))]
    for_seconds: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resuming {
    reason: String,
    /// Signed with the person's key, where the policy wants that.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    proof: Option<Proof>,
}

/// Pauses an agent. An agent pauses itself, and no other.
pub(crate) async fn pause(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(agent): Named<String>,
    body: Bytes,
) -> Answer {
    let is_own = agent.eq_ignore_ascii_case(asker.actor.as_str());
    if !is_own {
        asker.person_of_all("to pause another agent")?;
    }
    let agent = named(&agent)?;
    let pausing: Pausing = read(&body)?;
    let until = pausing.for_seconds.map(ends_after).transpose()?;
    let controls = gate.controls();
    let paused = controls.pause(&agent, &asker.actor, until, &pausing.reason);
    let still_sending = paused.await?;
    let state = gate.journal().state().await?;
    let pause = state.pause_of(agent.as_str());
    Ok(Json(json!({ "pause": pause, "still_sending": still_sending })).into_response())
}

/// Ends the pause of an agent.
pub(crate) async fn resume(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(agent): Named<String>,
    body: Bytes,
) -> Answer {
    asker.person_of_all("to resume an agent")?;
    asker.may_let_others_send()?;
    let agent = named(&agent)?;
    let Resuming { reason, proof } = read(&body)?;
    let trusted = gate.trusted();
    let by = decider(&asker, proof.as_ref(), &trusted);
    gate.controls().resume(&agent, by, &reason).await?;
    let state = gate.journal().state().await?;
    let pause = state.pause_of(agent.as_str());
    Ok(Json(json!({ "pause": pause })).into_response())
}

fn named(agent: &str) -> Result<Actor, Problem> {
    let wrong = |why: &str| {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Problem::new(status, "invalid_input", why)
    };
    let agent = agent.parse::<Actor>();
    let agent = agent.map_err(|error| wrong(&error.to_string()))?;
    match agent.as_str().split_once(':') {
        Some(("agent", _)) => Ok(agent),
        _ => Err(wrong("only agents can be paused: `agent:NAME`")),
    }
}

/// When a pause that begins now is over.
fn ends_after(seconds: u32) -> Result<Timestamp, Problem> {
    if seconds == 0 {
        return Err(Problem::invalid("`for_seconds` is 0: write 1 or more"));
    }
    let lasts = SignedDuration::from_secs(seconds.into());
    let ends = Timestamp::now().checked_add(lasts);
    ends.map_err(|_| Problem::invalid("`for_seconds` is too long"))
}
