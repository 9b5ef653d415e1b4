//! What a request says in its path, its query and its body; what is wrong with it is a problem, too.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

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

/// The body, which is JSON and nothing more than is asked for. An empty one is an empty object.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    // A list could stand for the members in their order: only their names are asked for.
    let members = serde_json::from_slice::<Map<String, Value>>(body).map(Value::Object);
    members.and_then(serde_json::from_value).map_err(|error| {
        let text = format!("the body is not what is asked for: {error}");
        Problem::new(StatusCode::BAD_REQUEST, "invalid_body", text)
    })
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
            "`Idempotency-Key` is one text of 1 to 256 bytes",
        )),
    }
}
