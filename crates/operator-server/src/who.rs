//! Who asks: proven by a token, or refused.

use std::sync::Arc;

use action_guard::{Actor, TokenError, TokenStatus};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use operator_mcp::{Caller, Ceiling};

use crate::gate::{Cluster, Gate};
use crate::problem::Problem;

/// Who asks, and by which token.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) actor: Actor,
    pub(crate) token: Arc<TokenStatus>,
}

impl Agent {
    /// A cluster that the token is for; every other one is as if there was none.
    pub(crate) fn cluster<'g>(&self, gate: &'g Gate, name: &str) -> Result<&'g Cluster, Problem> {
        let clusters = &self.token.made.grant.clusters;
        let is_for = clusters.iter().any(|known| known == name);
        let cluster = gate.clusters().get(name).filter(|_| is_for);
        cluster.ok_or_else(Problem::not_found)
    }
}

/// Before everything: what a browser sends of itself is not for here.
pub(crate) async fn no_browser(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let refused = |code, text| Problem::new(StatusCode::FORBIDDEN, code, text).into_response();
    if headers.contains_key(header::COOKIE) {
        return refused("cookie", "no cookie is accepted here");
    }
    if headers.contains_key(header::ORIGIN) {
        return refused("origin", "no page may ask here");
    }
    if !is_known_host(headers, &gate.options().hosts) {
        return refused(
            "host",
            "this is another host than the one that was asked for",
        );
    }
    next.run(request).await
}

/// Proves by its token who asks, and lets nobody else by.
pub(crate) async fn prove(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let agent = match proven(&gate, request.headers()).await {
        Ok(agent) => agent,
        Err(problem) => return problem.into_response(),
    };
    let ceiling = Ceiling::UpTo(agent.token.made.grant.up_to);
    let caller = Caller::new(agent.actor.clone(), ceiling);
    let extensions = request.extensions_mut();
    extensions.insert(caller);
    extensions.insert(agent);
    next.run(request).await
}

async fn proven(gate: &Gate, headers: &HeaderMap) -> Result<Agent, Problem> {
    let (rates, options) = (gate.rates(), gate.options());
    let too_many = || {
        let text = "too many requests in a minute";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", text)
    };
    let known = match secret(headers) {
        Some(secret) => gate.controls().authenticate(secret).await,
        None => Err(TokenError::Malformed),
    };
    match known {
        Ok((actor, token)) => {
            if !rates.may(actor.as_str(), options.most_per_minute) {
                return Err(too_many());
            }
            Ok(Agent { actor, token })
        }
        Err(TokenError::Journal(_)) => {
            let text = "the journal, which knows who is who, cannot be read";
            Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                text,
            ))
        }
        // Why a token does not count is for who made it, in the journal.
        Err(_) if !rates.may("", options.most_per_minute) => Err(too_many()),
        Err(_) => Err(Problem::unproven(
            "it is not proven who asks: a token is needed that counts",
        )),
    }
}

/// The one token of a request. From nowhere else than its header.
fn secret(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (only, None) = (given.next()?, given.next()) else {
        return None;
    };
    let (scheme, secret) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(secret)
}

fn is_known_host(headers: &HeaderMap, known: &[String]) -> bool {
    let mut given = headers.get_all(header::HOST).iter();
    let (Some(only), None) = (given.next(), given.next()) else {
        return false;
    };
    let Ok(host) = only.to_str() else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    known.iter().any(|known| known.eq_ignore_ascii_case(name))
}
