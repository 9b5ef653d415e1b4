//! An agent's tools behind a web server: a registry of actions under a guard, with axum.
//!
//! | Call | What it does |
//! |---|---|
//! | `GET /tools` | what a model is offered |
//! | `POST /tools/{name}` | looks, or proposes and carries out, with the arguments in the body |
//! | `GET /proposals/{id}` | how it stands |
//! | `POST /proposals/{id}` | goes on with it, when people have agreed |
//! | `POST /proposals/{id}/undo` | takes it back |
//!
//! There is no call to approve: people do that elsewhere, as with `operator approve` on the same state
//! directory. Every answer has `told`, which is for the model, and where there is a proposal its `id`.
//! How a mutation stands is `200`, whichever way it stands; only a failure has another status.
//!
//! A client that goes away drops the future of its call: what was not sent is not sent then, and what
//! was sent is followed to its end all the same.

use std::sync::Arc;

use action_core::{ActionKind, FailureKind, tool_json};
use action_guard::{Actor, Guard, GuardError, Refusal, Request, Standing};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

#[path = "../../../crates/action-guard/examples/agent_loop/dial.rs"]
mod dial;

pub mod example;

/// What every call shares. Who asks is said by this server: here it is always the same agent.
struct Shared {
    guard: Guard,
    agent: Actor,
}

type Server = State<Arc<Shared>>;

/// The server over a guard, for one agent.
pub fn router(guard: Guard, agent: Actor) -> Router {
    Router::new()
        .route("/tools", get(tools))
        .route("/tools/{name}", post(call))
        .route("/proposals/{id}", get(look).post(go_on))
        .route("/proposals/{id}/undo", post(undo))
        .with_state(Arc::new(Shared { guard, agent }))
}

async fn tools(State(shared): Server) -> Json<Vec<Value>> {
    let catalogue = shared.guard.catalogue();
    Json(catalogue.definitions().map(tool_json::mcp).collect())
}

async fn call(
    State(shared): Server,
    Path(name): Path<String>,
    Json(arguments): Json<Value>,
) -> Result<Response, Failed> {
    let catalogue = shared.guard.catalogue();
    let is_look = |kind: ActionKind| kind == ActionKind::Observation;
    if catalogue
        .definition(&name)
        .is_some_and(|definition| is_look(definition.kind))
    {
        let seen = catalogue.observe(&name, arguments).await;
        let seen = seen.map_err(GuardError::from)?;
        return Ok(Json(json!({ "told": seen.to_string() })).into_response());
    }
    let request = Request::new(name, arguments, shared.agent.as_str());
    let standing = shared.guard.propose(request).await?;
    shared.carried_out(standing).await
}

async fn look(State(shared): Server, Path(id): Path<String>) -> Result<Response, Failed> {
    Ok(answer(&shared.guard.standing(&id).await?))
}

async fn go_on(State(shared): Server, Path(id): Path<String>) -> Result<Response, Failed> {
    let standing = shared.guard.standing(&id).await?;
    shared.carried_out(standing).await
}

async fn undo(State(shared): Server, Path(id): Path<String>) -> Result<Response, Failed> {
    let (guard, agent) = (&shared.guard, &shared.agent);
    let standing = guard.propose_undo(&id, agent, "the agent asked").await?;
    shared.carried_out(standing).await
}

impl Shared {
    /// Carries out what may be; anything else is answered as it stands.
    async fn carried_out(&self, standing: Standing) -> Result<Response, Failed> {
        let standing = match standing {
            Standing::Allowed(proposal) => {
                let watch = &mut |_| {};
                self.guard.execute(&proposal, &self.agent, watch).await?
            }
            other => other,
        };
        Ok(answer(&standing))
    }
}

fn answer(standing: &Standing) -> Response {
    let id = match standing {
        Standing::Allowed(proposal)
        | Standing::Denied { proposal, .. }
        | Standing::RefusedByPlan { proposal, .. }
        | Standing::Outdated { proposal, .. }
        | Standing::InProgress(proposal)
        | Standing::Cancelled { proposal, .. } => &proposal.id,
        Standing::Waits(waits) => &waits.proposal.id,
        Standing::Applied(report)
        | Standing::Reversed(report)
        | Standing::NotApplied(report)
        | Standing::Unknown(report)
        | Standing::TakenBack { report, .. } => &report.id,
    };
    Json(json!({ "id": id, "told": standing.to_string() })).into_response()
}

/// A failure, which the server answers with a status that says what to do.
struct Failed(GuardError);

impl From<GuardError> for Failed {
    fn from(error: GuardError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = match self.0.kind() {
            _ if matches!(self.0, GuardError::Refused(Refusal::UnknownProposal { .. })) => {
                StatusCode::NOT_FOUND
            }
            FailureKind::InvalidInput => StatusCode::UNPROCESSABLE_ENTITY,
            FailureKind::Refused => StatusCode::FORBIDDEN,
            FailureKind::Busy => StatusCode::CONFLICT,
            FailureKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({ "told": self.0.report() }))).into_response()
    }
}
