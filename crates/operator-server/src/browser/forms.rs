//! What the forms of pages send, and what stands behind a `?`.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A login that is to begin.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Begin {
    pub(crate) csrf: String,
    /// The proposal that is to be looked at afterwards.
    #[serde(default)]
    pub(crate) to: String,
    /// Whether they are to prove anew who they are.
    #[serde(default)]
    pub(crate) fresh: bool,
}

/// A login that is to end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finish {
    pub(crate) csrf: String,
    pub(crate) code: String,
    pub(crate) state: String,
}

/// A login by a link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByLink {
    pub(crate) csrf: String,
    pub(crate) link: String,
}

/// What a provider sends back.
#[derive(Deserialize)]
pub(crate) struct Callback {
    pub(crate) code: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) iss: Option<String>,
    pub(crate) error: Option<String>,
}

/// Which proposal is looked at after a login.
#[derive(Deserialize)]
pub(crate) struct To {
    #[serde(default)]
    pub(crate) to: String,
    #[serde(default)]
    pub(crate) fresh: bool,
}

/// An agreement.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approve {
    pub(crate) csrf: String,
    pub(crate) plan_hash: String,
    #[serde(default)]
    pub(crate) reason: String,
}

/// A refusal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reject {
    pub(crate) csrf: String,
    #[serde(default)]
    pub(crate) reason: String,
}

/// Nothing more than that it comes from a page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Only {
    pub(crate) csrf: String,
}

/// The body, as a form sends it.
pub(crate) fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, Problem> {
    let wrong = |text: String| Problem::new(StatusCode::BAD_REQUEST, "invalid_body", text);
    let form = headers
        .get(header::CONTENT_TYPE)
        .map(|form| form.as_bytes());
    let form = form.and_then(|form| form.split(|&byte| byte == b';').next());
    if form != Some(b"application/x-www-form-urlencoded") {
        return Err(wrong("the body is not a form".to_owned()));
    }
    serde_urlencoded::from_bytes(body).map_err(|error| wrong(format!("invalid form: {error}")))
}

/// The id of a proposal, if it is written as one.
pub(crate) fn id(text: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_one = (1..=64).contains(&text.len()) && text.bytes().all(is_plain);
    is_one.then_some(text)
}
