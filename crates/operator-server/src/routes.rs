//! What there is to ask for: the one list from which the router and the OpenAPI document are made.

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
use crate::{api, approvals, drafts, events, pauses, proposals, records, switches};

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
            .who(Who::Anybody, TO_ANYBODY),
        Route::get(
            "/api/v1/me",
            "Who asks, how that is proven, and about which clusters they may ask",
            api::me,
        ),
        Route::get(
            "/api/v1/state",
            "What the journal adds up to, as far as who asks may see it",
            api::state,
        ),
        Route::get(
            "/api/v1/journal",
            "Records of the journal, the oldest first",
            records::journal,
        )
        .query::<records::Wanted>(),
        Route::get(
            "/events",
            "Records as they are written down, as server-sent events; `Last-Event-ID` is the number of one",
            events::events,
        )
        .query::<events::From>()
        .streamed(),
        Route::get(
            "/api/v1/tokens",
            "The tokens, without their secrets: for people",
            api::tokens,
        ),
    ];
    all.extend(of_switches());
    all.extend(of_a_cluster());
    all.extend(of_a_proposal());
    all
}

fn of_switches() -> [Route; 6] {
    [
        Route::get(
            "/api/v1/mode",
            "The mode, and whether everything is stopped",
            switches::mode,
        ),
        Route::post(
            "/api/v1/mode",
            "Sets the mode: for people",
            switches::set_mode,
        )
        .body::<switches::NewMode>()
        .of_a_system(),
        Route::post(
            "/api/v1/kill-switch",
            "Stops everything, or one cluster: for people",
            switches::stop,
        )
        .body::<switches::Switch>()
        .of_a_system(),
        Route::post(
            "/api/v1/kill-switch/reset",
            "Ends a stop: for people",
            switches::reset,
        )
        .body::<switches::Switch>()
        .of_a_system(),
        Route::post(
            "/api/v1/agents/{agent}/pause",
            "Pauses an agent: for people, and for the agent itself",
            pauses::pause,
        )
        .body::<pauses::Pausing>()
        .of_a_system(),
        Route::post(
            "/api/v1/agents/{agent}/resume",
            "Ends the pause of an agent: for people",
            pauses::resume,
        )
        .body::<pauses::Resuming>()
        .of_a_system(),
    ]
}

fn of_a_cluster() -> [Route; 6] {
    [
        Route::get(
            "/api/v1/clusters/{cluster}/actions",
            "The actions that may be asked for",
            api::actions,
        ),
        Route::post(
            "/api/v1/clusters/{cluster}/observations/{name}",
            "What an observation finds",
            api::observe,
        )
        .body::<Map<String, Value>>()
        .of_a_system(),
        Route::post(
            "/api/v1/clusters/{cluster}/plan",
            "What a mutation would do; writes nothing down",
            drafts::plan,
        )
        .body::<Wanted>()
        .of_a_system(),
        Route::post(
            "/api/v1/clusters/{cluster}/drafts",
            "What would be proposed, and what the policy says of it; writes nothing down",
            drafts::draft,
        )
        .body::<Wanted>()
        .of_a_system(),
        Route::get(
            "/api/v1/clusters/{cluster}/proposals",
            "Proposals, the latest first",
            proposals::list,
        )
        .query::<Listed>(),
        Route::post(
            "/api/v1/clusters/{cluster}/proposals",
            "Asks for a mutation",
            proposals::propose,
        )
        .body::<Wanted>()
        .keyed()
        .done(&[200, 201])
        .of_a_system(),
    ]
}

fn of_a_proposal() -> [Route; 7] {
    [
        Route::get(
            "/api/v1/proposals/{id}",
            "One proposal, now or once it stands otherwise",
            proposals::get,
        )
        .query::<Wait>(),
        Route::post(
            "/api/v1/proposals/{id}/execute",
            "Carries it out",
            proposals::execute,
        )
        .query::<Wait>()
        .done(&[200, 202])
        .of_a_system(),
        Route::post(
            "/api/v1/proposals/{id}/approve",
            "A person's signed agreement",
            approvals::approve,
        )
        .body::<approvals::Signed>()
        .who(Who::Signed, OF_A_SYSTEM),
        Route::post(
            "/api/v1/proposals/{id}/reject",
            "Refuses it for good: for people",
            proposals::reject,
        )
        .body::<Reason>()
        .of_a_system(),
        Route::post(
            "/api/v1/proposals/{id}/cancel",
            "Calls it off",
            proposals::cancel,
        )
        .body::<Reason>()
        .of_a_system(),
        Route::post(
            "/api/v1/proposals/{id}/undo",
            "Proposes what takes it back",
            proposals::undo,
        )
        .body::<Undone>()
        .done(&[201])
        .of_a_system(),
        Route::post(
            "/api/v1/proposals/{id}/undo/draft",
            "What would be proposed to take it back; writes nothing down",
            drafts::draft_undo,
        )
        .body::<Undone>()
        .of_a_system(),
    ]
}
