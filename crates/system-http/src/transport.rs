//! Where another HTTP client fits in: what is asked of a transport.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

use crate::error::BoxError;
use crate::permit::{HeldPermit, PermitRefused};

/// Sends one HTTP request, once.
///
/// The default is hyper. Bring your own to share a connection pool or to inject faults. It must not follow redirects, must not send a request twice, and must
/// say [`Sent::No`] only when that is proved: this is what "never sends a mutation twice" rests
/// on. Time limits of the whole request are the caller's: the returned future is dropped when they
/// are over.
#[async_trait]
pub trait HttpTransport: Send + Sync + 'static {
    /// Sends a request that reads, and returns when the head of the answer has arrived.
    ///
    /// # Errors
    /// When there is no answer. Any status is an answer.
    async fn call(&self, request: Request<Bytes>) -> Result<Response<Body>, TransportError>;

    /// How writes are sent. `None`, which is the default, is for a transport that cannot keep what
    /// [`WriteTransport`] promises: a client with it only reads.
    fn writes(&self) -> Option<&dyn WriteTransport> {
        None
    }
}

/// Opens connections for writes.
///
/// A write has a connection of its own, never taken from a pool and never used again: what a read
/// on it said of the other end (which system this is) then holds for the write. Behind a balancer
/// that takes HTTP apart this proves nothing, as it may pass on each request to another server.
#[async_trait]
pub trait WriteTransport: Send + Sync {
    /// Connects to `origin` (`https://host:2379`), TLS included. Nothing of a request is sent.
    ///
    /// # Errors
    /// When there is no connection; that is always [`Sent::No`].
    async fn connect(&self, origin: &str) -> Result<Box<dyn WriteConnection>, TransportError>;
}

/// A connection for one write.
///
/// Dropping it, or a future of it, closes it: not a byte leaves afterwards.
#[async_trait]
pub trait WriteConnection: Send {
    /// Sends a request that reads, and returns its whole answer.
    ///
    /// # Errors
    /// When there is none, or when its body is larger than `limit` bytes.
    async fn read(
        &mut self,
        request: Request<Bytes>,
        limit: usize,
    ) -> Result<Response<Bytes>, TransportError>;

    /// Sends the write on this connection, and on no other, and returns when the head of the
    /// answer has arrived.
    ///
    /// Immediately before the first byte [`HeldPermit::check`] is asked; a refusal is the source
    /// of the error, which is [`Sent::No`] then. The permit is dropped when the last byte has been
    /// handed to the kernel, or when no further one can be.
    ///
    /// # Errors
    /// When there is no answer. Any status is an answer.
    async fn write(
        self: Box<Self>,
        request: Request<Bytes>,
        permit: Box<dyn HeldPermit>,
    ) -> Result<Response<Body>, TransportError>;
}

/// No answer came back.
#[derive(Debug, thiserror::Error)]
#[error("{}", match sent { Sent::No => "the request was not sent", Sent::Maybe => "no answer came back" })]
#[non_exhaustive]
pub struct TransportError {
    /// Whether the request can have reached the other side.
    pub sent: Sent,
    /// Why there is no answer.
    pub source: BoxError,
}

/// Whether a request can have reached the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third answer")]
pub enum Sent {
    /// It is proved that it did not.
    No,
    /// It is not.
    Maybe,
}

impl TransportError {
    /// The refusal of a permit, if that is why there is no answer.
    ///
    /// # Errors
    /// This error, if it is about something else.
    pub fn into_refusal(self) -> Result<PermitRefused, Self> {
        let sent = self.sent;
        match self.source.downcast() {
            Ok(refusal) => Ok(*refusal),
            Err(source) => Err(Self { sent, source }),
        }
    }

    /// It is proved that no byte of the request was read by the other side.
    pub fn not_sent(source: impl Into<BoxError>) -> Self {
        Self {
            sent: Sent::No,
            source: source.into(),
        }
    }

    /// The request may have been read.
    pub fn maybe_sent(source: impl Into<BoxError>) -> Self {
        Self {
            sent: Sent::Maybe,
            source: source.into(),
        }
    }
}

/// The body of an answer, read piece by piece so that its size can be bounded.
pub struct Body {
    announced: Option<u64>,
    chunks: Box<dyn BodyChunks>,
}

/// The pieces of a body.
#[async_trait]
pub trait BodyChunks: Send {
    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// When the body breaks off.
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError>;
}

impl Body {
    /// A body that arrives in pieces; `announced` is its length if the head of the answer says.
    pub fn from_chunks(announced: Option<u64>, chunks: impl BodyChunks + 'static) -> Self {
        Self {
            announced,
            chunks: Box::new(chunks),
        }
    }

    pub(crate) fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// When the body breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        self.chunks.next().await
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    /// A body that is there already.
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        Self::from_chunks(Some(bytes.len() as u64), Whole(Some(bytes)))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("announced", &self.announced)
            .finish_non_exhaustive()
    }
}

struct Whole(Option<Bytes>);

#[async_trait]
impl BodyChunks for Whole {
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        Ok(self.0.take())
    }
}
