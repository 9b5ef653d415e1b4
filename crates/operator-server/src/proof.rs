//! By what a request proves who asks: a certificate, a signature, a token of ours or a JWT. One of them.

use action_guard::TokenError;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use operator_mcp::Caller;

use crate::certificates::Shown;
use crate::gate::Gate;
use crate::jwks::Pace;
use crate::problem::Problem;
use crate::who::Asker;
use crate::{jwt, metadata, signed};

/// Finds out who asks, and lets nobody else by.
pub(crate) async fn prove(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let asker = match proven(&gate, &mut request).await {
        Ok(asker) => asker,
        Err(problem) => {
            let refused = problem.into_response();
            return metadata::pointed_to(&gate, request.uri().path(), refused);
        }
    };
    let caller = Caller::new(asker.actor.clone(), asker.up_to);
    let extensions = request.extensions_mut();
    extensions.insert(caller);
    extensions.insert(asker);
    next.run(request).await
}

async fn proven(gate: &Gate, request: &mut Request) -> Result<Asker, Problem> {
    let shown = request.extensions_mut().remove::<Shown>();
    if let Some(asker) = by_certificate(gate, shown.as_ref()) {
        // Which of two is meant would be a guess, and the record would name one of them.
        if request.headers().contains_key(header::AUTHORIZATION) {
            within_rate(gate, "")?;
            let text = "a certificate says who asks, and so does `Authorization`: send one of them";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "two_proofs", text));
        }
        within_rate(gate, asker.actor.as_str())?;
        return Ok(asker);
    }
    if let Some(signed) = signed::person(gate, request) {
        let (person, body) = signed?;
        request.extensions_mut().insert(body);
        return Ok(Asker::by_signature(person));
    }
    // Nothing of the request is held while the journal is read.
    match secret(request.headers()).map(str::to_owned) {
        Some(token) if jwt::is_one(&token) => by_jwt(gate, &token).await,
        secret => by_token(gate, secret.as_deref()).await,
    }
}

async fn by_jwt(gate: &Gate, token: &str) -> Result<Asker, Problem> {
    let options = gate.options();
    let pace = Pace {
        fresh_for: options.keys_fresh_for,
        at_most_every: options.keys_at_most_every,
    };
    match gate.trusted().issuers.known(token, pace).await {
        Some(proven) => {
            within_rate(gate, proven.known.actor.as_str())?;
            Ok(Asker::known(&proven.known, proven.proof))
        }
        None => Err(unproven(gate)),
    }
}

/// The same words whatever was wrong: what that is, is for whose token it is.
fn unproven(gate: &Gate) -> Problem {
    match within_rate(gate, "") {
        Ok(()) => Problem::unproven("it is not proven who asks: a token is needed that counts"),
        Err(too_many) => too_many,
    }
}

fn by_certificate(gate: &Gate, shown: Option<&Shown>) -> Option<Asker> {
    let trusted = gate.trusted();
    let (known, proof) = trusted.certificates.known(shown?)?;
    Some(Asker::known(known, proof))
}

async fn by_token(gate: &Gate, secret: Option<&str>) -> Result<Asker, Problem> {
    let known = match secret {
        Some(secret) => gate.controls().authenticate(secret).await,
        None => Err(TokenError::Malformed),
    };
    match known {
        Ok((actor, token)) => {
            within_rate(gate, actor.as_str())?;
            Ok(Asker::by_token(actor, &token))
        }
        Err(TokenError::Journal(_)) => {
            let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, "unavailable");
            let text = "the journal, which knows who is who, cannot be read";
            Err(Problem::new(status, code, text))
        }
        // Why a token does not count is for who made it, in the journal.
        Err(_) => Err(unproven(gate)),
    }
}

/// Refuses who asks too often; those who are not proven have no name.
fn within_rate(gate: &Gate, who: &str) -> Result<(), Problem> {
    match gate.rates().may(who, gate.options().most_per_minute) {
        true => Ok(()),
        false => Err(Problem::too_many()),
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
