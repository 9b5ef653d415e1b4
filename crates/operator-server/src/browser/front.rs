//! The first page: who is logged in, and what is open on their clusters. And what the API has.

use axum::extract::State;
use axum::http::HeaderMap;
use jiff::Timestamp;
use maud::html;

use action_core::printable;

use crate::browser::page::{Page, page, see};
use crate::browser::plan::{in_line, when};
use crate::browser::session::signed_in;
use crate::gate::Gate;
use crate::routes;

/// How many proposals are listed.
const MOST: usize = 200;

/// What is open, the latest first.
pub(crate) async fn front(State(gate): State<Gate>, headers: HeaderMap) -> Page {
    let Some(signed) = signed_in(&gate, &headers).await? else {
        return Ok(see("/login"));
    };
    let (asker, now) = (&signed.asker, Timestamp::now());
    let state = gate.journal().state().await?;
    let mut open: Vec<_> = state
        .open
        .values()
        .filter(|status| {
            let target = status.proposal.target();
            asker.reaches(&target) && gate.serves(&target)
        })
        .collect();
    open.sort_by(|one, other| other.proposal.id.cmp(&one.proposal.id));
    let more = open.len().saturating_sub(MOST);
    open.truncate(MOST);
    let session = &signed.session;
    let body = html! {
        p {
            "You are " strong { (asker.actor.as_str()) } ", " (asker.actor.proven_by()) ". This session expires at "
            (when(session.expires_at)) ", or after " (minutes(&gate)) " minutes without a request."
        }
        @if open.is_empty() {
            p { "No open proposals." }
        } @else {
            table {
                tr {
                    th { "Proposal" } th { "Cluster" } th { "Requested by" } th { "State" } th { "Plan" }
                }
                @for status in &open {
                    @let proposal = &status.proposal;
                    tr {
                        td {
                            a href={ "/proposals/" (proposal.id) } { (printable(&proposal.request.action)) }
                            " " (in_line(&proposal.request.parameters))
                        }
                        td { (printable(proposal.target().called())) }
                        td { (printable(&proposal.request.actor)) }
                        td { (status.phase_at(now).to_string()) }
                        td { code { (short(&proposal.plan_hash.to_string())) } }
                    }
                }
            }
        }
        @if more > 0 { p { "There are " (more) " more: " code { "operator proposals list" } } }
    };
    Ok(page("Open proposals", Some(&signed), &body))
}

/// The beginning of a hash, to tell one plan from another; the page of a proposal has all of it.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn minutes(gate: &Gate) -> u64 {
    gate.options().session_idle.as_secs() / 60
}

/// What there is to ask for over the API, as the document has it.
pub(crate) async fn reference(State(gate): State<Gate>, headers: HeaderMap) -> Page {
    let Some(signed) = signed_in(&gate, &headers).await? else {
        return Ok(see("/login"));
    };
    let routes = routes::all();
    let body = html! {
        p {
            "The API accepts tokens, certificates and signatures, but no cookies, including the cookie of this page. "
            code { "GET /api/v1/openapi.json" } " returns its OpenAPI document."
        }
        table {
            @for route in &routes {
                tr {
                    td { code { (route.method.to_uppercase()) } }
                    td { code { (route.path) } }
                    td { (route.about) }
                }
            }
        }
    };
    Ok(page("API", Some(&signed), &body))
}
