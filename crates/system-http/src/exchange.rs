//! One request and its whole answer, within a time and a size.

use std::pin::pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::time::{Instant, sleep_until};

use crate::body::{BodyError, read_all, read_start};
use crate::deadline::Deadline;
use crate::transport::{Body, HttpTransport, TransportError};

/// Bytes that are kept of the body of an answer other than 2xx.
const ERROR_BODY: usize = 16 * 1024;

/// What an exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct Limits {
    /// From the first byte of the request to the last of the answer.
    pub time: Duration,
    /// The largest body of an answer that says yes, in bytes.
    pub body: usize,
}

/// An answer. Any status is one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// When the request was sent, by our clock.
    pub sent: SystemTime,
    /// When the head of the answer was here, by our clock.
    pub arrived: SystemTime,
    /// Its body: whole for 2xx, empty for 3xx, and of others the first 16 KiB.
    pub body: Result<Bytes, BodyError>,
}

/// Sends a request that reads, once.
///
/// # Errors
/// When there is no answer.
pub async fn read(
    transport: &dyn HttpTransport,
    request: Request<Bytes>,
    limits: Limits,
) -> Result<Answer, TransportError> {
    answer(transport.call(request), limits).await
}

/// What comes back of an exchange that begins now.
pub(crate) async fn answer(
    exchange: impl Future<Output = Result<Response<Body>, TransportError>>,
    limits: Limits,
) -> Result<Answer, TransportError> {
    let sleep = pin!(sleep_until(Instant::now() + limits.time));
    let mut deadline = Deadline::new(limits.time, sleep);
    let sent = SystemTime::now();
    let response = deadline.limit(exchange).await;
    let response = response.map_err(TransportError::maybe_sent)??;
    let arrived = SystemTime::now();
    let (head, body) = response.into_parts();
    let body = if head.status.is_success() {
        read_all(body, limits.body, &mut deadline).await
    } else if head.status.is_redirection() {
        Ok(Bytes::new())
    } else {
        read_start(body, ERROR_BODY, &mut deadline).await
    };
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        sent,
        arrived,
        body,
    })
}
