//! What went wrong, as RFC 9457 problem details.

use action_core::{ActionError, FailureKind, printable};
use action_guard::{CommitError, GuardError, JournalError, Refusal};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// Rates are counted by the minute, in seconds.
const A_MINUTE: HeaderValue = HeaderValue::from_static("60");

/// What went wrong: a status, a stable code, and words.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    more: Map<String, Value>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            more: Map::new(),
        }
    }

    /// The same, with something more for programs.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// What it is for people: its status, its code and words, and what there is besides.
    pub(crate) fn parts(&self) -> (StatusCode, &'static str, String, &Map<String, Value>) {
        let detail = action_core::redacted(&self.detail);
        let detail = printable(&detail).into_owned();
        (self.status, self.code, detail, &self.more)
    }

    /// The answer for it, which says when to ask again where that is known.
    pub(crate) fn headed(&self, mut answer: Response) -> Response {
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            answer.headers_mut().insert(header::RETRY_AFTER, A_MINUTE);
        }
        answer
    }

    /// The same for what is there and what is not: who may not see it is not told which.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "not found")
    }

    /// A path that there is, asked for in another way.
    pub(crate) fn wrong_method() -> Self {
        let (status, code) = (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
        Self::new(status, code, "method not allowed for this path")
    }

    /// It takes a person.
    pub(crate) fn not_a_person(what: &str) -> Self {
        let text = format!("a person with a proven identity is required {what}");
        Self::new(StatusCode::FORBIDDEN, "not_a_person", text)
    }

    /// Something of the request is not as it is asked for.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_input", detail)
    }

    /// More than may be asked.
    pub(crate) fn too_many() -> Self {
        let text = "too many requests per minute";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", text)
    }

    /// Nobody is proven.
    pub(crate) fn unproven(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unproven", detail)
    }

    /// What the journal, the rules or the mode do not allow.
    fn refused(refusal: &Refusal, kind: FailureKind) -> Self {
        let problem = Self::kind(kind, refusal.to_string());
        let problem = Self {
            code: refusal.code(),
            ..problem
        };
        match refusal.cluster() {
            Some(cluster) => problem.with("cluster", json!(cluster)),
            None => problem,
        }
    }

    fn kind(kind: FailureKind, detail: String) -> Self {
        let (status, code) = match kind {
            FailureKind::InvalidInput => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_input"),
            FailureKind::Refused => (StatusCode::FORBIDDEN, "refused"),
            FailureKind::Busy => (StatusCode::CONFLICT, "busy"),
            FailureKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            FailureKind::Unknown => (StatusCode::BAD_GATEWAY, "unknown"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "bug"),
        };
        Self::new(status, code, detail)
    }
}

impl From<GuardError> for Problem {
    fn from(error: GuardError) -> Self {
        match &error {
            GuardError::Refused(Refusal::UnknownProposal { .. } | Refusal::UnknownFlow { .. }) => {
                Self::not_found()
            }
            GuardError::Refused(Refusal::KeyUsed { id }) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(status, "key_used", error.report()).with("proposal_id", json!(id))
            }
            GuardError::Refused(refusal) => Self::refused(refusal, error.kind()),
            GuardError::ChangedSince { .. } => {
                Self::new(StatusCode::FORBIDDEN, "changed_since", error.report())
            }
            GuardError::WrongSystem { .. } => {
                Self::new(StatusCode::FORBIDDEN, "wrong_system", error.report())
            }
            GuardError::Action(error) => error.into(),
            _ => Self::kind(error.kind(), error.report()),
        }
    }
}

impl From<CommitError> for Problem {
    fn from(error: CommitError) -> Self {
        GuardError::from(error).into()
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        GuardError::from(error).into()
    }
}

impl From<&ActionError> for Problem {
    fn from(error: &ActionError) -> Self {
        let problem = Self::kind(error.kind(), error.report());
        let problem = problem.with("error", json!(error.code()));
        match error {
            ActionError::InvalidParameters { action, problems } => problem
                .with("action", json!(action))
                .with("problems", json!(problems)),
            _ => problem,
        }
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        Self::from(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let detail = action_core::redacted(&self.detail);
        let mut body = self.more;
        body.insert("type".to_owned(), json!("about:blank"));
        let title = self.status.canonical_reason().unwrap_or_default();
        body.insert("title".to_owned(), json!(title));
        body.insert("status".to_owned(), json!(self.status.as_u16()));
        body.insert("code".to_owned(), json!(self.code));
        body.insert("detail".to_owned(), json!(printable(&detail)));
        let is_unproven = self.status == StatusCode::UNAUTHORIZED;
        let mut response = (self.status, Value::Object(body).to_string()).into_response();
        let headers = response.headers_mut();
        let form = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, form);
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, A_MINUTE);
        }
        if is_unproven {
            let scheme = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_too_often_is_told_when_to_ask_again() {
        let said = |answer: Response| answer.headers().get(header::RETRY_AFTER).cloned();
        let minute = Some(HeaderValue::from_static("60"));
        assert_eq!(said(Problem::too_many().into_response()), minute);
        assert_eq!(
            said(Problem::too_many().headed(Response::default())),
            minute
        );
        assert_eq!(said(Problem::not_found().into_response()), None);
    }
}
