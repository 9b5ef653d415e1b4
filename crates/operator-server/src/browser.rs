//! What is for browsers: people log in, see what waits for them, and approve or reject it.
//!
//! Nothing else takes a cookie, and nothing here takes a token, a certificate or a signature. No `GET`
//! changes anything; each `POST` brings the page's own token, and the `Origin` of this gate.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

pub(crate) use people::Browsers;
pub(crate) use used::Used;

use crate::bounded::bounded;
use crate::gate::Gate;
use crate::problem::Problem;
use crate::who;

mod cookies;
mod decide;
mod forms;
mod front;
mod links;
mod log_in;
mod oidc;
mod page;
mod people;
mod plan;
mod session;
#[cfg(unix)]
mod socket;
mod used;

/// What is served to browsers, where people log in with one at all.
pub(crate) fn router(gate: &Gate) -> Router<Gate> {
    Router::new()
        .route("/", get(front::front))
        .route("/reference", get(front::reference))
        .route("/login", get(log_in::page).post(log_in::begin))
        .route("/login/callback", get(log_in::callback))
        .route("/login/finish", post(log_in::finish))
        .route("/link", get(links::page).post(links::consume))
        .route("/logout", post(log_in::out))
        .route("/proposals/{id}", get(decide::page))
        .route("/proposals/{id}/approve", post(decide::approve))
        .route("/proposals/{id}/reject", post(decide::reject))
        .method_not_allowed_fallback(|| async { page::of_problem(&Problem::wrong_method()) })
        .layer(from_fn_with_state(gate.clone(), bounded))
        .layer(from_fn_with_state(gate.clone(), shielded))
}

/// Before everything: the host is this gate's, and what is answered runs and shows nothing of others.
async fn shielded(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if gate.trusted().browsers.is_none() {
        let refused = who::is_no_browser(&gate, &request);
        return refused
            .err()
            .unwrap_or_else(Problem::not_found)
            .into_response();
    }
    let answer = match who::is_for(&gate, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => page::of_problem(&problem),
    };
    page::shielded(answer)
}
