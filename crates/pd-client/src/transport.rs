//! The one way a request takes.
//!
//! Resources describe a [`Call`]; this module makes the URL, sends it, reads status and body and
//! says what an answer means. [`read`] and [`route`] choose the endpoint, [`known`] is what they
//! know of members, [`seam`] is where another HTTP client fits.

use std::pin::pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument, Span, field};

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{BoxError, Error};
use crate::refusal::{PdError, Verdict};
use crate::transport::body::{BodyError, read_all, read_start};
use crate::transport::deadline::Deadline;

pub use answer::Accepted;
pub(crate) use answer::Answer;
pub(crate) use call::Call;
pub use seam::{Body, BodyChunks, HttpTransport, Sent, TransportError};

mod answer;
mod body;
mod call;
pub(crate) mod certificates;
mod deadline;
pub(crate) mod known;
pub(crate) mod read;
pub(crate) mod reqwest;
mod route;
mod seam;
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod tls;

/// Bytes of an error body that are kept.
const ERROR_BODY: usize = 16 * 1024;

/// Why one exchange failed, and whether a read may be tried elsewhere.
pub(crate) struct Failure {
    error: Error,
    another_may_answer: bool,
}

impl Client {
    /// Sends one request to one endpoint, once.
    async fn exchange(
        &self,
        endpoint: &Endpoint,
        call: &Call,
        time: Duration,
    ) -> Result<Answer, Failure> {
        // Neither the query, which may hold keys, nor the body.
        let span = tracing::debug_span!(
            "pd_request",
            http.request.method = call.method().as_str(),
            url.path = call.path(),
            server.address = endpoint.as_str(),
            http.response.status_code = field::Empty,
            error.r#type = field::Empty,
        );
        let started = Instant::now();
        let sleep = pin!(sleep_until(started + time));
        let mut deadline = Deadline::new(time, sleep);
        let exchange = self.exchange_quietly(endpoint, call, &mut deadline, &span);
        let result = exchange.instrument(span.clone()).await;
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let _entered = span.enter();
        match &result {
            Ok(_) => tracing::debug!(elapsed_ms, "PD answered"),
            Err(Failure { error, .. }) => {
                span.record("error.type", field::debug(error.class()));
                tracing::debug!(elapsed_ms, error = error.report(), "PD call failed");
            }
        }
        result
    }

    async fn exchange_quietly(
        &self,
        endpoint: &Endpoint,
        call: &Call,
        deadline: &mut Deadline<'_>,
        span: &Span,
    ) -> Result<Answer, Failure> {
        let request = self.request(endpoint, call)?;
        let sent = SystemTime::now();
        let response = match deadline.limit(self.shared.transport.call(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(TransportError {
                sent: Sent::No,
                source,
            })) => {
                return Err(Failure::not_sent(endpoint, source));
            }
            Ok(Err(TransportError {
                sent: Sent::Maybe,
                source,
            })) => {
                return Err(Failure::unanswered(endpoint, source));
            }
            Err(timed_out) => return Err(Failure::unanswered(endpoint, timed_out)),
        };
        let date = response.headers().get(header::DATE).and_then(|date| {
            self.shared
                .clock()
                .read(sent, SystemTime::now(), date.to_str().ok()?)
        });
        let status = response.status();
        span.record("http.response.status_code", status.as_u16());
        if status.is_success() {
            let limit = self.shared.body_cap;
            let body = read_all(response.into_body(), limit, deadline).await;
            let body = body.map_err(|error| Failure::cut_off(endpoint, call, limit, error))?;
            return Ok(Answer {
                endpoint: endpoint.to_string(),
                call: call.name(),
                date,
                body,
            });
        }
        Err(self.refusal(endpoint, call, response, deadline).await)
    }

    /// What an answer other than 2xx means.
    async fn refusal(
        &self,
        endpoint: &Endpoint,
        call: &Call,
        response: Response<Body>,
        deadline: &mut Deadline<'_>,
    ) -> Failure {
        let status = response.status();
        if status.is_redirection() {
            let location = response.headers().get(header::LOCATION);
            return Failure::from(Error::Redirected {
                endpoint: endpoint.to_string(),
                status: status.as_u16(),
                location: location.map(|value| String::from_utf8_lossy(value.as_bytes()).into()),
            });
        }
        let forwarded = response
            .headers()
            .contains_key("x-forwarded-to-microservice");
        let body = match read_start(response.into_body(), ERROR_BODY, deadline).await {
            Ok(body) => body,
            Err(source) => return Failure::unanswered(endpoint, source),
        };
        let refusal = PdError::read(endpoint.as_str(), status, forwarded, &body);
        match refusal.verdict(call.has_body()) {
            Verdict::Unclear => Failure::unanswered(endpoint, refusal),
            Verdict::Refused => Failure {
                another_may_answer: status == StatusCode::SERVICE_UNAVAILABLE,
                error: Error::Pd(refusal),
            },
            Verdict::NotServed => Failure {
                error: Error::Pd(refusal),
                another_may_answer: true,
            },
        }
    }

    fn request(&self, endpoint: &Endpoint, call: &Call) -> Result<Request<Bytes>, Failure> {
        let mut request = Request::builder()
            .method(call.method())
            .uri(endpoint.url(&call.path_and_query()))
            // PD before 8.0 knows only the second.
            .header("x-caller-id", &self.caller_id)
            .header("component", &self.caller_id);
        if call.has_body() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request
            .body(call.body())
            .map_err(|error| Failure::not_sent(endpoint, error))
    }
}

impl Failure {
    fn not_sent(endpoint: &Endpoint, source: impl Into<BoxError>) -> Self {
        let error = Error::NotSent {
            endpoint: endpoint.to_string(),
            source: source.into(),
        };
        Self {
            error,
            another_may_answer: true,
        }
    }

    fn unanswered(endpoint: &Endpoint, source: impl Into<BoxError>) -> Self {
        let error = Error::Unanswered {
            endpoint: endpoint.to_string(),
            source: source.into(),
        };
        Self {
            error,
            another_may_answer: true,
        }
    }

    /// The status said yes, and the body did not arrive whole.
    fn cut_off(endpoint: &Endpoint, call: &Call, limit: usize, error: BodyError) -> Self {
        let (endpoint, call) = (endpoint.to_string(), call.name());
        match error {
            BodyError::TooLarge => Self::from(Error::TooLarge {
                endpoint,
                call,
                limit,
            }),
            BodyError::Broken(source) => Self {
                error: Error::Decode {
                    endpoint,
                    call,
                    source,
                },
                another_may_answer: true,
            },
        }
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
