//! What a client is told where there is no answer: what happened, what that means, and what to do.

use http::StatusCode;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorData};
use serde_json::json;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nothing of the request has left.
    NotReached(String),
    /// It may have been read, and nothing came back.
    Lost(String),
    /// What came back is no answer of the protocol.
    NotUnderstood(String),
    /// The gate does not do it, in its own words.
    Refused(StatusCode, String),
    /// The session is over, as after a new start of the gate.
    SessionOver,
}

/// What to do about a mutation that may have been asked for.
const LOOK: &str = "It is not sent again, and its outcome is unknown here. Repeat the same call: within a minute, or with its `idempotencyKey`, it means the same proposal. Or check with `list_proposals` and `get_proposal`";

impl Trouble {
    /// As the answer to a request, which a gate at this address was to give; `is_call` is whether it calls
    /// a tool.
    pub(super) fn into_error(self, gate: &str, is_call: bool) -> ErrorData {
        let undecided = match is_call {
            true => LOOK,
            false => "Call again: it only reads",
        };
        let (kind, text) = match self {
            Self::NotReached(why) => (
                "not_reached",
                format!(
                    "the gate at {gate} cannot be reached: {why}. Nothing was sent; call again later"
                ),
            ),
            Self::Lost(why) => (
                "lost",
                format!(
                    "the gate at {gate} was asked, and its answer was lost: {why}. {undecided}"
                ),
            ),
            Self::NotUnderstood(what) => (
                "not_understood",
                format!("the gate at {gate} answered with {what}. {undecided}"),
            ),
            Self::Refused(status, words) => refused(gate, status, &words, undecided),
            Self::SessionOver => (
                "session_over",
                format!(
                    "the gate at {gate} ended this session, as it does when it restarts. Nothing was done: call again, a new session starts automatically"
                ),
            ),
        };
        ErrorData::internal_error(text, Some(json!({ "kind": kind })))
    }
}

/// The kind of a refusal, and all of it in words.
fn refused(gate: &str, status: StatusCode, words: &str, undecided: &str) -> (&'static str, String) {
    let words = if words.is_empty() {
        String::new()
    } else {
        format!(": {words}")
    };
    let (kind, what_next) = match status {
        StatusCode::UNAUTHORIZED => (
            "unauthorized",
            "Nothing was done. The token is unknown, expired or revoked: a person must create a new one",
        ),
        StatusCode::NOT_FOUND => (
            "not_found",
            "Nothing was done. The gate has no such cluster, or the token is not for it",
        ),
        StatusCode::TOO_MANY_REQUESTS => (
            "too_many",
            "Nothing was done. Wait a minute, then call again",
        ),
        status if status.is_redirection() => (
            "refused",
            "Nothing was done. Redirects are not followed: use the address of the gate itself",
        ),
        status if status.is_server_error() => ("unavailable", undecided),
        _ => ("refused", "Nothing was done"),
    };
    (
        kind,
        format!("the gate at {gate} answered {status}{words}. {what_next}"),
    )
}

/// Whether a message calls a tool.
pub(super) fn is_call(message: &ClientJsonRpcMessage) -> bool {
    let ClientJsonRpcMessage::Request(request) = message else {
        return false;
    };
    matches!(request.request, ClientRequest::CallToolRequest(_))
}
