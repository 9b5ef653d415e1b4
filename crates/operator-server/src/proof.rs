//! By what a request proves who asks: a certificate, a signature, a token of ours or a JWT. One of them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use operator_mcp::Caller;

use crate::certificates::Shown;
use crate::evidence::{Evidence, Unproven};
use crate::gate::Gate;
use crate::problem::Problem;
use crate::streams::while_proven;
use crate::who::Asker;
use crate::{metadata, signed};

/// Finds out who asks, and lets nobody else by. What is answered bit by bit ends when it is not proven any
/// more.
pub(crate) async fn prove(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let (asker, evidence) = match proven(&gate, &mut request).await {
        Ok(proven) => proven,
        Err(problem) => {
            let refused = problem.into_response();
            return metadata::pointed_to(&gate, request.uri().path(), refused);
        }
    };
    let caller = Caller::new(asker.actor.clone(), asker.up_to);
    let extensions = request.extensions_mut();
    extensions.insert(caller);
    extensions.insert(asker);
    while_proven(gate, evidence, next.run(request).await)
}

/// Who asks, and with what that is proven; a signature counts once, and is not looked at again.
async fn proven(gate: &Gate, request: &mut Request) -> Result<(Asker, Option<Evidence>), Problem> {
    let shown = request.extensions_mut().remove::<Shown>();
    if let Some(shown) = shown.map(Evidence::Certificate)
        && let Ok(asker) = shown.asker(gate).await
    {
        // Which of two is meant would be a guess, and the record would name one of them.
        if request.headers().contains_key(header::AUTHORIZATION) {
            within_rate(gate, "")?;
            let text = "both a client certificate and a token or signature were sent: use one";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "two_proofs", text));
        }
        within_rate(gate, asker.actor.as_str())?;
        return Ok((asker, Some(shown)));
    }
    if let Some(signed) = signed::person(gate, request) {
        let (person, body) = signed?;
        request.extensions_mut().insert(body);
        return Ok((Asker::by_signature(person), None));
    }
    let Some(token) = secret(request.headers()).map(str::to_owned) else {
        return Err(unproven(gate));
    };
    let token = Evidence::Token(token);
    match token.asker(gate).await {
        Ok(asker) => {
            within_rate(gate, asker.actor.as_str())?;
            Ok((asker, Some(token)))
        }
        Err(Unproven::Nobody) => Err(unproven(gate)),
        Err(Unproven::Unavailable) => {
            let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, "unavailable");
            let text = "cannot read the journal with the identities";
            Err(Problem::new(status, code, text))
        }
    }
}

/// The same words whatever was wrong: what that is, is for whose proof it is.
fn unproven(gate: &Gate) -> Problem {
    match within_rate(gate, "") {
        Ok(()) => Problem::unproven("not authenticated: a valid token is required"),
        Err(too_many) => too_many,
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
