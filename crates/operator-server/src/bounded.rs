//! How much a request may be, and how long it may take to arrive.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::gate::Gate;
use crate::problem::Problem;
use crate::signed::SignedBody;

/// Reads a request to its end before anything is done about it: within its time, and not too much.
pub(crate) async fn bounded(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let options = gate.options();
    let reading = to_bytes(body, options.most_body_bytes);
    let problem = match tokio::time::timeout(options.read_within, reading).await {
        Ok(Ok(bytes)) => match parts.extensions.get::<SignedBody>() {
            Some(signed) if !signed.is_of(&bytes) => {
                Problem::unproven("the body does not match the signature")
            }
            _ => return next.run(Request::from_parts(parts, bytes.into())).await,
        },
        Ok(Err(_)) => {
            let text = "the request is too large or incomplete";
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", text)
        }
        Err(_) => {
            let text = "timed out reading the request";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", text)
        }
    };
    problem.into_response()
}
