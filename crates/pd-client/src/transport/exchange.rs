//! One request to one endpoint, and what its answer means.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode, header};
use system_http::{BodyError, BoxError, Limits, Sent, TransportError};
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::refusal::{PdError, Verdict};
use crate::transport::{Answer, Call};

/// What a server behind TLS answers to a request without.
const HTTP_TO_HTTPS: &str = "Client sent an HTTP request to an HTTPS server";

/// The largest answer to a write: PD acknowledges with a sentence, or a list of ids.
pub(super) const WRITE_ANSWER: usize = 64 * 1024;

const CALLER_ID: HeaderName = HeaderName::from_static("x-caller-id");

/// PD before 8.0 knows only this one.
const COMPONENT: HeaderName = HeaderName::from_static("component");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request and the endpoint it is for.
pub(super) struct Exchange<'a> {
    pub(super) client: &'a Client,
    pub(super) endpoint: &'a Endpoint,
    pub(super) call: &'a Call,
    span: Span,
}

/// Why one exchange failed, and whether a read may be tried elsewhere.
pub(crate) struct Failure {
    pub(super) error: Error,
    pub(super) another_may_answer: bool,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(client: &'a Client, endpoint: &'a Endpoint, call: &'a Call) -> Self {
        // Neither the query, which may hold keys, nor the body.
        let span = tracing::debug_span!(
            "pd_request",
            http.request.method = call.method().as_str(),
            url.path = call.path(),
            server.address = endpoint.as_str(),
            http.response.status_code = field::Empty,
            error.r#type = field::Empty,
        );
        Self {
            client,
            endpoint,
            call,
            span,
        }
    }

    /// Sends a read, once.
    pub(super) async fn read(&self, time: Duration) -> Result<Answer, Failure> {
        // In a box: every future around it would be as large as it, and be moved when it is awaited.
        self.traced(Box::pin(self.read_quietly(time))).await
    }

    async fn read_quietly(&self, time: Duration) -> Result<Answer, Failure> {
        let request = self.request(self.call)?;
        let transport = &*self.client.shared.transport;
        let answer = system_http::read(transport, request, self.limits(time)).await;
        self.answer(answer.map_err(|error| self.unsent_or_unanswered(error))?)
    }

    /// What the call and its answer may take.
    pub(super) fn limits(&self, time: Duration) -> Limits {
        let body_cap = self.client.shared.body_cap;
        let body = match self.call.is_write() {
            true => body_cap.min(WRITE_ANSWER),
            false => body_cap,
        };
        Limits { time, body }
    }

    /// What the answer means.
    pub(super) fn answer(&self, answer: system_http::Answer) -> Result<Answer, Failure> {
        let shared = &self.client.shared;
        let date = answer.headers.get(header::DATE).and_then(|date| {
            let date = date.to_str().ok()?;
            shared.clock().read(answer.sent, answer.arrived, date)
        });
        self.span
            .record("http.response.status_code", answer.status.as_u16());
        if !answer.status.is_success() {
            return Err(self.refusal(answer));
        }
        Ok(Answer {
            endpoint: self.endpoint.clone(),
            call: self.call.clone(),
            date,
            body: answer.body.map_err(|error| self.cut_off(error))?,
        })
    }

    /// What an answer other than 2xx means.
    fn refusal(&self, answer: system_http::Answer) -> Failure {
        let status = answer.status;
        if status.is_redirection() {
            let location = answer.headers.get(header::LOCATION);
            return Failure::from(Error::Redirected {
                endpoint: self.endpoint.to_string(),
                call: self.call.name(),
                status: status.as_u16(),
                location: location.map(|value| String::from_utf8_lossy(value.as_bytes()).into()),
            });
        }
        let forwarded = answer.headers.contains_key("x-forwarded-to-microservice");
        let body = match answer.body {
            Ok(body) => body,
            Err(source) => return self.unanswered(source),
        };
        let refusal = self.refused(status, forwarded, &body);
        // Go's server says so before any of PD reads the request.
        if !self.call.is_write() && refusal.message.starts_with(HTTP_TO_HTTPS) {
            return self.not_sent(refusal);
        }
        let verdict = match self.call.is_write() {
            true => refusal.verdict_on_write(self.call.has_body()),
            false => refusal.verdict(self.call.has_body()),
        };
        match verdict {
            Verdict::Unclear => self.unanswered(refusal),
            Verdict::Refused => Failure::from(Error::Pd(refusal)),
            Verdict::NotServed => Failure {
                error: Error::Pd(refusal),
                another_may_answer: true,
            },
        }
    }

    pub(super) fn refused(&self, status: StatusCode, forwarded: bool, body: &[u8]) -> PdError {
        PdError::read(
            self.endpoint.as_str(),
            self.call.name(),
            status,
            forwarded,
            body,
        )
    }

    /// The status said yes, and the body did not arrive whole.
    fn cut_off(&self, error: BodyError) -> Failure {
        let (endpoint, call) = (self.endpoint.to_string(), self.call.name());
        match error {
            BodyError::TooLarge => Failure::from(Error::TooLarge {
                endpoint,
                call,
                limit: self.limits(Duration::ZERO).body,
            }),
            BodyError::Broken(source) => Failure {
                error: Error::Decode {
                    endpoint,
                    call,
                    source,
                },
                another_may_answer: true,
            },
        }
    }

    pub(super) fn unsent_or_unanswered(&self, error: TransportError) -> Failure {
        match error.sent {
            Sent::No => self.not_sent(error.source),
            Sent::Maybe => self.unanswered(error.source),
        }
    }

    pub(super) fn not_sent(&self, source: impl Into<BoxError>) -> Failure {
        let error = Error::NotSent {
            endpoint: self.endpoint.to_string(),
            call: self.call.name(),
            source: source.into(),
        };
        Failure {
            error,
            another_may_answer: true,
        }
    }

    fn unanswered(&self, source: impl Into<BoxError>) -> Failure {
        let error = Error::Unanswered {
            endpoint: self.endpoint.to_string(),
            call: self.call.name(),
            source: source.into(),
        };
        Failure {
            error,
            another_may_answer: true,
        }
    }

    /// The call as a request to this endpoint.
    pub(super) fn request(&self, call: &Call) -> Result<Request<Bytes>, Failure> {
        let uri = self.endpoint.uri(call.path_and_query());
        let uri = uri.map_err(|error| self.not_sent(error))?;
        let mut request = Request::new(call.body());
        *request.method_mut() = call.method().clone();
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        for name in [CALLER_ID, COMPONENT] {
            headers.insert(name, self.client.caller_id.clone());
        }
        if call.has_body() {
            headers.insert(header::CONTENT_TYPE, JSON);
        }
        Ok(request)
    }

    /// The exchange within a span that says how it ended.
    pub(super) async fn traced(
        &self,
        exchange: impl Future<Output = Result<Answer, Failure>>,
    ) -> Result<Answer, Failure> {
        let started = Instant::now();
        let result = exchange.instrument(self.span.clone()).await;
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let _entered = self.span.enter();
        match &result {
            Ok(_) => tracing::debug!(elapsed_ms, "PD answered"),
            Err(Failure { error, .. }) => {
                self.span.record("error.type", field::debug(error.class()));
                tracing::debug!(elapsed_ms, error = error.report(), "PD call failed");
            }
        }
        result
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            another_may_answer: false,
        }
    }
}
