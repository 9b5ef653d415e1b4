//! People who sign their requests with the key that the policy lists: a whole request at a time, once.

use action_guard::{Actor, Hash, SignedRequest, StatementSignature};
use axum::extract::Request;
use axum::http::header;
use jiff::Timestamp;

use crate::gate::Gate;
use crate::problem::Problem;

/// What stands before the parts in `Authorization`.
const SCHEME: &str = "Signed ";

/// The SHA-256 of a body, as somebody has signed it.
#[derive(Clone)]
pub(crate) struct SignedBody(String);

impl SignedBody {
    pub(crate) fn is_of(&self, body: &[u8]) -> bool {
        self.0 == Hash::of(body).to_string()
    }
}

/// Who has signed this request: `Signed ACTOR TIME BODY SIGNATURE`, where `BODY` is the SHA-256 of the
/// body. `None` where it is not signed.
pub(crate) fn person(
    gate: &Gate,
    request: &Request,
) -> Option<Result<(Actor, SignedBody), Problem>> {
    let headers = request.headers();
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let parts = given.strip_prefix(SCHEME)?;
    let is_one = headers.get_all(header::AUTHORIZATION).iter().count() == 1;
    let proven = is_one.then(|| proven(gate, request, parts)).flatten();
    let unproven = || {
        if !gate.rates().may("", gate.options().most_per_minute) {
            return Problem::too_many();
        }
        Problem::unproven("not authenticated: the signature is not valid")
    };
    let Some((actor, body, signature)) = proven else {
        return Some(Err(unproven()));
    };
    if !gate
        .rates()
        .may(actor.as_str(), gate.options().most_per_minute)
    {
        return Some(Err(Problem::too_many()));
    }
    match gate.came().is_new(&signature) {
        true => Some(Ok((actor, body))),
        false => Some(Err(unproven())),
    }
}

fn proven(gate: &Gate, request: &Request, parts: &str) -> Option<(Actor, SignedBody, String)> {
    let parts: Vec<&str> = parts.split(' ').collect();
    let [actor, at, body, signature] = parts[..] else {
        return None;
    };
    let (actor, at): (Actor, Timestamp) = (actor.parse().ok()?, at.parse().ok()?);
    let host = request.headers().get(header::HOST)?.to_str().ok()?;
    let path = request.uri().path_and_query()?.as_str();
    let signed = SignedRequest::new(host, request.method().as_str(), path, body);
    let known = StatementSignature::from(signature);
    let actor = gate
        .controls()
        .signed_by(&signed, &actor, at, &known)
        .ok()?;
    Some((actor, SignedBody(body.to_owned()), signature.to_owned()))
}
