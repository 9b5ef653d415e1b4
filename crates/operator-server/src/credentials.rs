//! Tokens of agents and sessions of people: who may see them, and end them.

use action_guard::{AgentToken, Proof, ProvenBy, TokenGrant};
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Gated;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use jiff::Timestamp;
use operator_mcp::Ceiling;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::Answer;
use crate::gate::Gate;
use crate::input::{Named, read};
use crate::problem::Problem;
use crate::proposals::Reason;
use crate::who::Asker;

/// A token whose secret stays where it was made: what is kept of it, signed by the person who makes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// The SHA-256 of its secret.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    hash: String,
    /// Whose it is, for which clusters, up to which risk, until when.
    #[schemars(with = "Map<String, Value>")]
    grant: TokenGrant,
    /// Signed with the person's key, which the policy lists.
    #[schemars(with = "Map<String, Value>")]
    proof: Proof,
}

/// The tokens, without their secrets: for people.
pub(crate) async fn tokens(Gated(gate): Gated<Gate>, Extension(asker): Extension<Asker>) -> Answer {
    asker.person_of_all("to see the tokens")?;
    let state = gate.journal().state().await?;
    Ok(Json(json!({ "tokens": state.tokens })).into_response())
}

/// A person makes a token, of which the gate learns no secret.
pub(crate) async fn make_token(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    body: Bytes,
) -> Answer {
    asker.person("to make a token")?;
    let NewToken { hash, grant, proof } = read(&body)?;
    let is_digest = hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_digest {
        return Err(Problem::invalid("`hash` is not the SHA-256 of a secret"));
    }
    for name in &grant.clusters {
        asker.cluster(&gate, name)?;
    }
    if Ceiling::UpTo(grant.up_to) > asker.up_to {
        let text = "a caller makes no token for a higher risk than their own";
        return Err(Problem::new(StatusCode::FORBIDDEN, "too_risky", text));
    }
    let by = asker.actor.clone().proven(ProvenBy::Claimed);
    let made = AgentToken::new(hash.to_ascii_lowercase(), grant, by, proof);
    gate.controls().add_token(made.clone()).await?;
    let made = json!({ "id": made.id, "grant": made.grant, "by": made.by });
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// A person ends a token.
pub(crate) async fn revoke_token(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    asker.person_of_all("to revoke a token")?;
    let Reason { reason } = read(&body)?;
    let state = gate.journal().state().await?;
    if !state.tokens.contains_key(&id) {
        return Err(Problem::not_found());
    }
    let controls = gate.controls();
    controls.revoke_token(&id, &asker.actor, &reason).await?;
    Ok(Json(json!({ "id": id, "revoked": true })).into_response())
}

/// Who is logged in with a browser: for people.
pub(crate) async fn sessions(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
) -> Answer {
    asker.person_of_all("to see who is logged in")?;
    let state = gate.journal().state().await?;
    let now = Timestamp::now();
    let open = state.sessions.values().filter(|one| one.expires_at > now);
    let shown = open.map(|session| {
        json!({
            "id": session.id,
            "actor": session.actor.as_str(),
            "proven_by": session.actor.proven_by().word(),
            "auth_time": session.auth_time,
            "expires_at": session.expires_at,
        })
    });
    Ok(Json(json!({ "sessions": shown.collect::<Vec<_>>() })).into_response())
}

/// A person ends a session: their own, or another's.
pub(crate) async fn end_session(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    asker.person_of_all("to end a session")?;
    let Reason { reason } = read(&body)?;
    let state = gate.journal().state().await?;
    if !state.sessions.contains_key(&id) {
        return Err(Problem::not_found());
    }
    let controls = gate.controls();
    controls.end_session(&id, &asker.actor, &reason).await?;
    let approved = state.approved_in(&id);
    Ok(Json(json!({ "id": id, "ended": true, "approved": approved })).into_response())
}
