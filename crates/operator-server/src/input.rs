//! What a request says in its path, its query and its body; what is wrong with it is a problem, too.

use std::sync::Arc;

use action_core::unique_json;
use axum::extract::{FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::problem::Problem;

/// What the path names.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(named)| Self(named))
            .map_err(|_| Problem::not_found())
    }
}

/// What stands behind the `?`.
pub(crate) struct Filter<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Filter<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::try_from_uri(&parts.uri);
        query
            .map(|Query(filter)| Self(filter))
            .map_err(|error| Problem::invalid(format!("the query: {}", error.body_text())))
    }
}

/// How long a name may be that is told again, in characters.
const LONGEST_NAME: usize = 64;

/// Lets nothing by with a parameter behind the `?` that is none of these, or is there twice: what is not
/// understood is not ignored.
pub(crate) async fn only_known(known: Arc<[String]>, request: Request, next: Next) -> Response {
    match refused(&known, request.uri()) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn refused(known: &[String], uri: &Uri) -> Option<Problem> {
    uri.query().filter(|query| !query.is_empty())?;
    let Ok(Query(given)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
        return Some(Problem::invalid("the query cannot be read"));
    };
    let mut before: Vec<&str> = Vec::new();
    for (name, _) in &given {
        let shown = action_core::bounded_to(name, LONGEST_NAME);
        if !known.contains(name) {
            let takes = match known {
                [] => "none".to_owned(),
                known => format!("`{}`", known.join("`, `")),
            };
            let text = format!("unknown query parameter `{shown}`; this path takes {takes}");
            return Some(Problem::invalid(text));
        }
        if before.contains(&name.as_str()) {
            let text = format!("the query parameter `{shown}` appears twice: give it once");
            return Some(Problem::invalid(text));
        }
        before.push(name);
    }
    None
}

/// The body, which is JSON and nothing more than is asked for. An empty one is an empty object.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    let members = unique_json(body).map_err(|error| invalid_body(&error.to_string()))?;
    // A list could stand for the members in their order: only their names are asked for.
    if !members.is_object() {
        return Err(invalid_body("expected a JSON object"));
    }
    serde_json::from_value(members).map_err(|error| invalid_body(&error.to_string()))
}

/// Refuses JSON in which a member is there twice: who reads it after us may take the other one.
pub(crate) fn nothing_twice(body: &[u8]) -> Result<(), Problem> {
    match unique_json(body) {
        // What is no JSON at all is for who reads it to say.
        Err(error) if serde_json::from_slice::<IgnoredAny>(body).is_ok() => {
            Err(invalid_body(&error.to_string()))
        }
        _ => Ok(()),
    }
}

fn invalid_body(why: &str) -> Problem {
    let text = format!("invalid body: {why}");
    Problem::new(StatusCode::BAD_REQUEST, "invalid_body", text)
}

/// The key by which a client repeats a request.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all("idempotency-key").iter();
    let Some(first) = given.next() else {
        return Ok(None);
    };
    let text = first
        .to_str()
        .ok()
        .filter(|text| (1..=256).contains(&text.len()));
    match (text, given.next()) {
        (Some(text), None) => Ok(Some(text.to_owned())),
        _ => Err(Problem::invalid(
            "invalid `Idempotency-Key`: use one value of 1 to 256 bytes",
        )),
    }
}
