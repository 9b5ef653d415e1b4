//! Who issues tokens for a cluster (RFC 9728): told to everybody, whether there is such a cluster or not.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::gate::Gate;
use crate::problem::Problem;

/// How long the name of a cluster is here at most.
const LONGEST: usize = 128;

pub(crate) async fn of_cluster(State(gate): State<Gate>, Path(cluster): Path<String>) -> Response {
    let trusted = gate.trusted();
    let resource = trusted.issuers.resource(&cluster);
    let Some(resource) = resource.filter(|_| is_plain(&cluster)) else {
        return Problem::not_found().into_response();
    };
    let issuers: Vec<&str> = trusted.issuers.names().collect();
    let body = json!({
        "resource": resource,
        "authorization_servers": issuers,
        "bearer_methods_supported": ["header"],
    });
    Json(body).into_response()
}

/// The same refusal, which says where that is, for the tools of a cluster.
pub(crate) fn pointed_to(gate: &Gate, path: &str, mut refused: Response) -> Response {
    let cluster = path.strip_prefix("/mcp/").filter(|name| is_plain(name));
    let place = cluster.and_then(|cluster| gate.trusted().issuers.metadata(cluster));
    let place = place.map(|place| format!("Bearer resource_metadata=\"{place}\""));
    let value = place.and_then(|text| HeaderValue::try_from(text).ok());
    if let Some(value) = value.filter(|_| refused.status() == StatusCode::UNAUTHORIZED) {
        refused
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, value);
    }
    refused
}

/// Whether a name is written in an address as it is.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(is_plain)
}
