//! A connection as the default transport opens it, for one write or for reads: TCP, TLS where there
//! is `https`, and HTTP/1.1 by hyper.
//!
//! Nothing runs beside the caller. The connection moves only while one of its futures is polled,
//! so that dropping the future ends it, and no other task is woken for an answer.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::connections::Idle;
use crate::error::BoxError;
use crate::gate::{Gate, Gated};
use crate::permit::HeldPermit;
use crate::tls::{self, Tls};
use crate::transport::{Body, BodyChunks, TransportError, WriteConnection};

/// A stream of bytes, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A step was not done in time.
#[derive(Debug, thiserror::Error)]
#[error("timed out after {time:?}")]
struct TooSlow {
    time: Duration,
}

#[derive(Debug, thiserror::Error)]
#[error("the host has no address")]
struct NoAddress;

#[derive(Debug, thiserror::Error)]
#[error("the answer is larger than {limit} bytes")]
struct AnswerTooLarge {
    limit: usize,
}

/// Opens a connection to the origin of this URI within this time. `failed` is set when it turns out
/// later that the other end does not take it.
pub(crate) async fn connect(
    origin: &Uri,
    time: Duration,
    tls: &Tls,
    failed: Arc<AtomicBool>,
) -> Result<Http1, BoxError> {
    let opening = async {
        let https = is_https(origin);
        // In URLs alone an IPv6 address has brackets.
        let host = origin.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = origin.port_u16().unwrap_or(if https { 443 } else { 80 });
        let authority = HeaderValue::from_str(authority(origin))?;
        let stream = dial(host, port, time).await?;
        let stream = match https {
            true => tls.handshake(host.to_owned(), stream).await?,
            false => Box::new(stream),
        };
        Http1::begin(stream, https, authority, failed).await
    };
    match timeout(time, opening).await {
        Ok(connection) => connection,
        Err(_) => Err(TooSlow { time }.into()),
    }
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}

fn authority(uri: &Uri) -> &str {
    uri.authority().map_or("", Authority::as_str)
}

/// Connects to the first address of the host that takes it; each has its share of the time.
async fn dial(host: &str, port: u16, time: Duration) -> Result<TcpStream, BoxError> {
    let addresses: Vec<_> = lookup_host((host, port)).await?.collect();
    let share = time / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut last = BoxError::from(NoAddress);
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error.into(),
            Err(_) => last = TooSlow { time: share }.into(),
        }
    }
    Err(last)
}

/// The connection's own work, until it is done.
type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// An HTTP/1.1 connection whose bytes pass a gate.
pub(crate) struct Http1 {
    sender: SendRequest<Full<Bytes>>,
    driver: Option<Driver>,
    gate: Arc<Gate>,
    https: bool,
    /// The `Host` of requests: host and port of the origin.
    host: HeaderValue,
    /// Set when a request that reads fails.
    failed: Arc<AtomicBool>,
}

impl Http1 {
    async fn begin(
        stream: Box<dyn Stream>,
        https: bool,
        host: HeaderValue,
        failed: Arc<AtomicBool>,
    ) -> Result<Self, BoxError> {
        let gate = Arc::new(Gate::default());
        let stream = Gated::new(TokioIo::new(stream), Arc::clone(&gate));
        // One buffer for head and body: the gate counts on it.
        let (sender, connection) = http1::Builder::new()
            .writev(false)
            .handshake(stream)
            .await?;
        Ok(Self {
            sender,
            driver: Some(Box::pin(connection)),
            gate,
            https,
            host,
            failed,
        })
    }

    /// Whether it leads to the origin of this URI.
    pub(crate) fn leads_to(&self, uri: &Uri) -> bool {
        self.https == is_https(uri) && self.host == authority(uri)
    }

    /// Whether it can take another request: the last answer was read to its end, and the other end
    /// has not closed it since.
    pub(crate) fn is_usable(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let is_open = |driver: &mut Driver| driver.as_mut().poll(&mut context).is_pending();
        self.driver.as_mut().is_some_and(is_open) && self.sender.is_ready()
    }

    /// Sends a request that reads, and gives the connection to those that are idle when its answer
    /// was read to the end.
    pub(crate) async fn get(
        mut self,
        request: Request<Bytes>,
        idle: Arc<Idle>,
    ) -> Result<Response<Body>, TransportError> {
        let answer = self.send(request).await;
        let answer = answer.map_err(|error| self.unread(error))?;
        Ok(answer.map(|body| Chunks::body(body, self, Some(idle))))
    }

    fn unread(&self, error: hyper::Error) -> TransportError {
        // With TLS 1.3 a refused certificate shows here.
        self.failed.store(true, Ordering::Relaxed);
        match tls::refused_handshake(error, false) {
            Ok(refused) => TransportError::not_sent(refused),
            Err(error) => TransportError::maybe_sent(error),
        }
    }

    /// Sends a request and returns when the head of its answer has arrived.
    async fn send(&mut self, request: Request<Bytes>) -> hyper::Result<Response<Incoming>> {
        driven(&mut self.driver, self.sender.ready()).await?;
        let (mut head, body) = request.into_parts();
        let path = head.uri.path_and_query().cloned();
        head.uri = path.map_or_else(Uri::default, Uri::from);
        head.headers.insert(header::HOST, self.host.clone());
        let request = Request::from_parts(head, Full::new(body));
        driven(&mut self.driver, self.sender.send_request(request)).await
    }
}

#[async_trait]
impl WriteConnection for Http1 {
    async fn read(
        &mut self,
        request: Request<Bytes>,
        limit: usize,
    ) -> Result<Response<Bytes>, TransportError> {
        let answer = self.send(request).await;
        let answer = answer.map_err(|error| self.unread(error))?;
        let (head, mut body) = answer.into_parts();
        let mut all = BytesMut::new();
        while let Some(frame) = driven(&mut self.driver, body.frame()).await {
            let frame = frame.map_err(TransportError::maybe_sent)?;
            let Ok(chunk) = frame.into_data() else {
                continue;
            };
            if all.len() + chunk.len() > limit {
                return Err(TransportError::maybe_sent(AnswerTooLarge { limit }));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(Response::from_parts(head, all.freeze()))
    }

    async fn write(
        mut self: Box<Self>,
        request: Request<Bytes>,
        permit: Box<dyn HeldPermit>,
    ) -> Result<Response<Body>, TransportError> {
        self.gate.arm(permit);
        let answer = self.send(request).await;
        let answer = answer.map_err(|error| match self.gate.take_refusal() {
            Some(refusal) => TransportError::not_sent(refusal),
            None if self.gate.is_untouched() => TransportError::not_sent(error),
            None => TransportError::maybe_sent(error),
        })?;
        Ok(answer.map(|body| Chunks::body(body, *self, None)))
    }
}

/// The rest of an answer, with the connection it comes from.
struct Chunks {
    body: Incoming,
    connection: Option<Http1>,
    /// Where the connection goes after the end.
    idle: Option<Arc<Idle>>,
}

impl Chunks {
    fn body(body: Incoming, connection: Http1, idle: Option<Arc<Idle>>) -> Body {
        let announced = body.size_hint().exact();
        let connection = Some(connection);
        Body::from_chunks(
            announced,
            Self {
                body,
                connection,
                idle,
            },
        )
    }
}

#[async_trait]
impl BodyChunks for Chunks {
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        let Some(connection) = &mut self.connection else {
            return Ok(None);
        };
        while let Some(frame) = driven(&mut connection.driver, self.body.frame()).await {
            if let Ok(chunk) = frame?.into_data() {
                return Ok(Some(chunk));
            }
        }
        if let (Some(idle), Some(connection)) = (&self.idle, self.connection.take()) {
            idle.keep(connection);
        }
        Ok(None)
    }
}

/// What the step gives, with the connection at work meanwhile.
async fn driven<F: Future>(driver: &mut Option<Driver>, step: F) -> F::Output {
    let mut step = pin!(step);
    poll_fn(|context| {
        if let Poll::Ready(output) = step.as_mut().poll(context) {
            return Poll::Ready(output);
        }
        let done = driver.as_mut().map(|driver| driver.as_mut().poll(context));
        match done {
            // Its error reaches the step, which has a request under way.
            Some(Poll::Ready(_)) => *driver = None,
            Some(Poll::Pending) => {}
            None => return Poll::Pending,
        }
        step.as_mut().poll(context)
    })
    .await
}
