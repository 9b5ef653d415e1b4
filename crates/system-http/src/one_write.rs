//! How one write is sent: on a connection of its own, on which it was asked before who is at the
//! other end, with a permit that is taken last.
//!
//! Everything that reads comes before the permit; after it nothing is waited for but the kernel,
//! and the answer.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{Instant, sleep_until};

use crate::deadline::{Deadline, TimedOut};
use crate::exchange::{Answer, Limits, answer};
use crate::permit::{SendPermit, Unrestricted};
use crate::transport::{Body, TransportError, WriteConnection, WriteTransport};

/// A connection for one write. Sending it uses it up, so that nothing is sent on it twice.
pub struct OneWrite(Box<dyn WriteConnection>);

impl OneWrite {
    /// Connects to `origin` (`https://host:2379`) within this time.
    ///
    /// # Errors
    /// When there is no connection: nothing was sent.
    pub async fn connect(
        transport: &dyn WriteTransport,
        origin: &str,
        time: Duration,
    ) -> Result<Self, TransportError> {
        match limited(time, transport.connect(origin)).await {
            Ok(Ok(connection)) => Ok(Self(connection)),
            Ok(Err(error)) => Err(TransportError::not_sent(error.source)),
            Err(timed_out) => Err(TransportError::not_sent(timed_out)),
        }
    }

    /// Sends a request that reads: which system is at the other end.
    ///
    /// # Errors
    /// When there is no whole answer within the limits.
    pub async fn read(
        &mut self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Result<Response<Bytes>, TransportError> {
        match limited(limits.time, self.0.read(request, limits.body)).await {
            Ok(answer) => answer,
            Err(timed_out) => Err(TransportError::maybe_sent(timed_out)),
        }
    }

    /// Takes the permit, if there is one to take, and sends the write. The time begins after the
    /// permit.
    ///
    /// # Errors
    /// When there is no answer. For a permit that was refused see
    /// [`TransportError::into_refusal`].
    pub async fn send(
        self,
        request: Request<Bytes>,
        permit: Option<&dyn SendPermit>,
        limits: Limits,
    ) -> Result<Answer, TransportError> {
        let held = match permit {
            None => Box::new(Unrestricted),
            Some(permit) => permit.acquire().await.map_err(TransportError::not_sent)?,
        };
        answer(self.0.write(request, held), limits).await
    }

    /// Sends the write without a permit, for an answer whose body is read piece by piece. The time is
    /// that until its head is here.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send_streamed(
        self,
        request: Request<Bytes>,
        time: Duration,
    ) -> Result<Response<Body>, TransportError> {
        match limited(time, self.0.write(request, Box::new(Unrestricted))).await {
            Ok(answer) => answer,
            Err(timed_out) => Err(TransportError::maybe_sent(timed_out)),
        }
    }
}

/// What a step gives within this time.
async fn limited<F: Future>(time: Duration, step: F) -> Result<F::Output, TimedOut> {
    let sleep = pin!(sleep_until(Instant::now() + time));
    Deadline::new(time, sleep).limit(step).await
}
