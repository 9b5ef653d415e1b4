//! What there is to ask for: the one list from which the router and the OpenAPI document are made.

// length: a table, one row for each way to ask.

use std::sync::{Arc, LazyLock};

use axum::middleware::from_fn;
use axum::routing::MethodRouter;
use axum::{Json, Router};
use serde_json::{Map, Value};

use crate::gate::Gate;
use crate::input::only_known;
use crate::openapi::document;
use crate::proposals::{Listed, Reason, Undone, Wait, Wanted};
use crate::route::{OF_A_SYSTEM, Route, TO_ANYBODY, Who};
use crate::{
    answers, api, approvals, checks, credentials, drafts, events, pauses, proposals, records,
    settle, switches, workflow_decisions, workflows,
};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document(&all()));

/// Serves the document to anybody: it says what everybody can read.
async fn described() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

/// The router of those who may ask so.
pub(crate) fn router(who: Who) -> Router<Gate> {
    let routes = all().into_iter().filter(|route| route.who == who);
    routes.fold(Router::new(), |router, route| {
        let handler = only_with(route.query_names(), route.handler);
        router.route(route.path, handler)
    })
}

/// The same for who gives no other parameter behind the `?` than these.
pub(crate) fn only_with(
    known: impl IntoIterator<Item = String>,
    handler: MethodRouter<Gate>,
) -> MethodRouter<Gate> {
    let known: Arc<[String]> = known.into_iter().collect();
    handler.layer(from_fn(move |request, next| {
        only_known(Arc::clone(&known), request, next)
    }))
}

/// All of them, as they are documented.
pub(crate) fn all() -> Vec<Route> {
    let mut all = vec![
        Route::get("/api/v1/openapi.json", "This document", described)
            .answers::<answers::Anything>()
            .who(Who::Anybody, TO_ANYBODY),
        Route::get(
            "/api/v1/me",
            "The caller, how their identity is proven, and which clusters they have access to",
            api::me,
        )
        .answers::<answers::Me>(),
        Route::get(
            "/api/v1/state",
            "The state according to the journal, limited to what the caller may see",
            api::state,
        )
        .answers::<answers::Seen>(),
        Route::get(
            "/api/v1/journal",
            "Records of the journal, oldest first",
            records::journal,
        )
        .answers::<answers::Journal>()
        .query::<records::Wanted>(),
        Route::get(
            "/events",
            "New records as server-sent events; `Last-Event-ID` is the number of a record",
            events::events,
        )
        .query::<events::From>()
        .streamed(),
    ];
    all.extend(of_credentials());
    all.extend(of_switches());
    all.extend(of_a_cluster());
    all.extend(of_a_proposal());
    all.extend(of_outcomes());
    all.extend(of_workflows());
    all.extend(of_a_workflow());
    all
}

fn of_switches() -> [Route; 6] {
    [
        Route::get(
            "/api/v1/mode",
            "The mode and the kill switch",
            switches::mode,
        )
        .answers::<answers::Modes>(),
        Route::post(
            "/api/v1/mode",
            "Sets the mode (people only)",
            switches::set_mode,
        )
        .answers::<answers::ModeSet>()
        .body::<switches::NewMode>()
        .of_a_system(),
        Route::post(
            "/api/v1/kill-switch",
            "Stops all clusters or one (people only)",
            switches::stop,
        )
        .answers::<answers::Stopped>()
        .body::<switches::Switch>()
        .of_a_system(),
        Route::post(
            "/api/v1/kill-switch/reset",
            "Ends a stop (people only)",
            switches::reset,
        )
        .answers::<answers::Reset>()
        .body::<switches::Switch>()
        .of_a_system(),
        Route::post(
            "/api/v1/agents/{agent}/pause",
            "Pauses an agent (people, and the agent itself)",
            pauses::pause,
        )
        .answers::<answers::Paused>()
        .body::<pauses::Pausing>()
        .of_a_system(),
        Route::post(
            "/api/v1/agents/{agent}/resume",
            "Ends the pause of an agent (people only)",
            pauses::resume,
        )
        .answers::<answers::Resumed>()
        .body::<pauses::Resuming>()
        .of_a_system(),
    ]
}

fn of_credentials() -> [Route; 5] {
    [
        Route::get(
            "/api/v1/tokens",
            "Tokens, without their secrets (people only)",
            credentials::tokens,
        )
        .answers::<answers::Tokens>(),
        Route::post(
            "/api/v1/tokens",
            "Makes a token, of which the gate learns no secret (people only)",
            credentials::make_token,
        )
        .answers::<answers::TokenMade>()
        .body::<credentials::NewToken>()
        .done(&[201])
        .of_a_system(),
        Route::post(
            "/api/v1/tokens/{id}/revoke",
            "Revokes a token (people only)",
            credentials::revoke_token,
        )
        .answers::<answers::TokenRevoked>()
        .body::<Reason>()
        .of_a_system(),
        Route::get(
            "/api/v1/sessions",
            "Who is logged in with a browser (people only)",
            credentials::sessions,
        )
        .answers::<answers::Sessions>(),
        Route::post(
            "/api/v1/sessions/{id}/end",
            "Ends a browser session (people only)",
            credentials::end_session,
        )
        .answers::<answers::SessionEnded>()
        .body::<Reason>()
        .of_a_system(),
    ]
}

fn of_a_cluster() -> [Route; 7] {
    [
        Route::get(
            "/api/v1/clusters/{cluster}/actions",
            "The actions that the caller may request",
            api::actions,
        )
        .answers::<answers::Actions>(),
        Route::get(
            "/api/v1/clusters/{cluster}/findings",
            "What the gate's own checks found, and when each finding was first seen",
            api::findings,
        )
        .answers::<checks::Checked>(),
        Route::post(
            "/api/v1/clusters/{cluster}/observations/{name}",
            "The result of an observation",
            api::observe,
        )
        .answers::<answers::Anything>()
        .body::<Map<String, Value>>()
        .of_a_system(),
        Route::post(
            "/api/v1/clusters/{cluster}/plan",
            "What a mutation would do; records nothing",
            drafts::plan,
        )
        .answers::<answers::Planned>()
        .body::<Wanted>()
        .of_a_system(),
        Route::post(
            "/api/v1/clusters/{cluster}/drafts",
            "What would be proposed, and what the policy decides; records nothing",
            drafts::draft,
        )
        .answers::<answers::Drafted>()
        .body::<Wanted>()
        .of_a_system(),
        Route::get(
            "/api/v1/clusters/{cluster}/proposals",
            "Proposals, latest first",
            proposals::list,
        )
        .answers::<answers::Proposals>()
        .query::<Listed>(),
        Route::post(
            "/api/v1/clusters/{cluster}/proposals",
            "Proposes a mutation",
            proposals::propose,
        )
        .answers::<answers::Stands>()
        .body::<Wanted>()
        .keyed()
        .done(&[200, 201])
        .of_a_system(),
    ]
}

fn of_outcomes() -> [Route; 4] {
    [
        Route::post(
            "/api/v1/proposals/{id}/undo/draft",
            "What its undo would be; records nothing",
            drafts::draft_undo,
        )
        .answers::<answers::Drafted>()
        .body::<Undone>()
        .of_a_system(),
        Route::post(
            "/api/v1/clusters/{cluster}/recover",
            "Finds the outcomes of mutations that were sent and have none; sends nothing",
            settle::recover,
        )
        .answers::<answers::Recovered>()
        .query::<Wait>()
        .done(&[200, 202])
        .of_a_system(),
        Route::post(
            "/api/v1/proposals/{id}/resolve",
            "Records an outcome that cannot be found out otherwise (people only)",
            settle::resolve,
        )
        .answers::<answers::Proposed>()
        .body::<settle::Resolved>()
        .of_a_system(),
        Route::post(
            "/api/v1/proposals/{id}/release",
            "Gives up a lasting effect; sends nothing",
            settle::release,
        )
        .answers::<answers::Released>()
        .body::<Reason>()
        .of_a_system(),
    ]
}

fn of_workflows() -> [Route; 4] {
    [
        Route::post(
            "/api/v1/clusters/{cluster}/workflows/preview",
            "What the mutations of a workflow would do; records nothing",
            workflows::preview,
        )
        .answers::<answers::Previewed>()
        .body::<workflows::Described>()
        .of_a_system(),
        Route::post(
            "/api/v1/clusters/{cluster}/workflows",
            "Starts a workflow, which the gate then carries on",
            workflows::start,
        )
        .answers::<answers::Started>()
        .body::<workflows::Started>()
        .keyed()
        .done(&[200, 201])
        .of_a_system(),
        Route::get(
            "/api/v1/workflows",
            "Workflows in progress or recently ended, oldest first",
            workflows::list,
        )
        .answers::<answers::Workflows>(),
        Route::get(
            "/api/v1/workflows/{id}",
            "A workflow, now or after its state changes",
            workflows::get,
        )
        .answers::<answers::Started>()
        .query::<Wait>(),
    ]
}

fn of_a_workflow() -> [Route; 4] {
    [
        Route::post(
            "/api/v1/workflows/{id}/confirm",
            "Confirms that the manual work of a step is done (people only)",
            workflow_decisions::confirm,
        )
        .answers::<answers::Started>()
        .body::<workflow_decisions::Confirming>()
        .of_a_system(),
        Route::post(
            "/api/v1/workflows/{id}/resume",
            "Retries failed steps",
            workflow_decisions::resume,
        )
        .answers::<answers::Started>()
        .body::<Reason>()
        .of_a_system(),
        Route::post(
            "/api/v1/workflows/{id}/cancel",
            "Ends it before its next step",
            workflow_decisions::cancel,
        )
        .answers::<answers::Started>()
        .body::<Reason>()
        .of_a_system(),
        Route::post(
            "/api/v1/workflows/{id}/compensate",
            "Takes back what it changed, last first",
            workflow_decisions::compensate,
        )
        .answers::<answers::Started>()
        .body::<Reason>()
        .of_a_system(),
    ]
}

fn of_a_proposal() -> [Route; 6] {
    [
        Route::get(
            "/api/v1/proposals/{id}",
            "A proposal, now or after its state changes",
            proposals::get,
        )
        .answers::<answers::Stands>()
        .query::<Wait>(),
        Route::post(
            "/api/v1/proposals/{id}/execute",
            "Runs it",
            proposals::execute,
        )
        .answers::<answers::Stands>()
        .query::<Wait>()
        .done(&[200, 202])
        .of_a_system(),
        Route::post(
            "/api/v1/proposals/{id}/approve",
            "A person's signed approval",
            approvals::approve,
        )
        .answers::<answers::Proposed>()
        .body::<approvals::Signed>()
        .who(Who::Signed, OF_A_SYSTEM),
        Route::post(
            "/api/v1/proposals/{id}/reject",
            "Rejects it (people only)",
            proposals::reject,
        )
        .answers::<answers::Proposed>()
        .body::<Reason>()
        .of_a_system(),
        Route::post(
            "/api/v1/proposals/{id}/cancel",
            "Cancels it",
            proposals::cancel,
        )
        .answers::<answers::Proposed>()
        .body::<Reason>()
        .of_a_system(),
        Route::post(
            "/api/v1/proposals/{id}/undo",
            "Proposes its undo",
            proposals::undo,
        )
        .answers::<answers::Stands>()
        .body::<Undone>()
        .done(&[201])
        .of_a_system(),
    ]
}
