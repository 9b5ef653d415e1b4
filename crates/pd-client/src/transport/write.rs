//! How one write is sent: on a connection of its own, to a cluster that has been checked on that
//! very connection, with a permit that is taken last.
//!
//! Everything that reads comes before the permit; after it nothing is waited for but the kernel,
//! and PD's answer.

use std::pin::pin;
use std::time::{Duration, SystemTime};

use http::Response;
use tokio::time::{Instant, sleep_until};

use crate::cluster::Cluster;
use crate::error::{BoxError, Error};
use crate::lenient::by_name;
use crate::refusal::PdError;
use crate::transport::deadline::Deadline;
use crate::transport::exchange::{Exchange, Failure, WRITE_ANSWER};
use crate::transport::permit::{HeldPermit, PermitRefused, Unrestricted};
use crate::transport::seam::{Sent, WriteConnection, WriteTransport};
use crate::transport::{Answer, Call};

impl Exchange<'_> {
    /// Sends a write, once. `time` is for the request and its answer.
    pub(super) async fn write(
        &self,
        transport: &dyn WriteTransport,
        time: Duration,
    ) -> Result<Answer, Failure> {
        self.traced(self.write_quietly(transport, time)).await
    }

    async fn write_quietly(
        &self,
        transport: &dyn WriteTransport,
        time: Duration,
    ) -> Result<Answer, Failure> {
        let request = self.request(self.call)?;
        let mut connection = self.connection(transport).await?;
        self.check_cluster(&mut *connection).await?;
        let permit = self.permit().await?;

        let sleep = pin!(sleep_until(Instant::now() + time));
        let mut deadline = Deadline::new(time, sleep);
        let sent = SystemTime::now();
        let response = match deadline.limit(connection.write(request, permit)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.sent == Sent::No => {
                return Err(match error.source.downcast::<PermitRefused>() {
                    Ok(refusal) => self.not_permitted(*refusal),
                    Err(source) => Failure::not_sent(self.endpoint, source),
                });
            }
            Ok(Err(error)) => return Err(Failure::unanswered(self.endpoint, error.source)),
            Err(timed_out) => return Err(Failure::unanswered(self.endpoint, timed_out)),
        };
        self.answer(sent, response, &mut deadline).await
    }

    async fn connection(
        &self,
        transport: &dyn WriteTransport,
    ) -> Result<Box<dyn WriteConnection>, Failure> {
        let time = self.client.shared.timeouts.connect;
        let connecting = transport.connect(self.endpoint.as_str());
        match limited(time, connecting).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(Failure::not_sent(self.endpoint, error.source)),
            Err(timed_out) => Err(Failure::not_sent(self.endpoint, timed_out)),
        }
    }

    /// Asks who is at the other end of this connection.
    async fn check_cluster(&self, connection: &mut dyn WriteConnection) -> Result<(), Failure> {
        let call = Call::point("/cluster");
        let request = self.request(&call)?;
        let time = self.client.time_for(call.cost());
        let answer = match limited(time, connection.read(request, WRITE_ANSWER)).await {
            Ok(Ok(answer)) => answer,
            // A TLS session that was refused after our side of the handshake.
            Ok(Err(error)) if error.sent == Sent::No => {
                return Err(Failure::not_sent(self.endpoint, error.source));
            }
            Ok(Err(error)) => return Err(self.cluster_unknown(error.source)),
            Err(timed_out) => return Err(self.cluster_unknown(timed_out)),
        };
        let found = self.cluster_in(&answer)?.id;
        self.client.hold_to(found).map_err(|expected| {
            Failure::from(Error::WrongCluster {
                endpoint: self.endpoint.to_string(),
                expected,
                found,
            })
        })
    }

    fn cluster_in(&self, answer: &Response<impl AsRef<[u8]>>) -> Result<Cluster, Failure> {
        let (status, body) = (answer.status(), answer.body().as_ref());
        if !status.is_success() {
            let refusal = PdError::read(self.endpoint.as_str(), status, false, body);
            return Err(self.cluster_unknown(refusal));
        }
        let body = std::str::from_utf8(body).map_err(|error| self.cluster_unknown(error))?;
        by_name::from_str(body).map_err(|error| self.cluster_unknown(error))
    }

    async fn permit(&self) -> Result<Box<dyn HeldPermit>, Failure> {
        match &self.client.permit {
            None => Ok(Box::new(Unrestricted)),
            Some(permit) => permit
                .acquire()
                .await
                .map_err(|refusal| self.not_permitted(refusal)),
        }
    }

    fn not_permitted(&self, refusal: PermitRefused) -> Failure {
        Failure::from(Error::NotPermitted {
            endpoint: self.endpoint.to_string(),
            source: refusal.into_reason(),
        })
    }

    fn cluster_unknown(&self, source: impl Into<BoxError>) -> Failure {
        Failure::from(Error::ClusterUnknown {
            endpoint: self.endpoint.to_string(),
            source: source.into(),
        })
    }
}

/// What a step gives within this time.
async fn limited<F: Future>(time: Duration, step: F) -> Result<F::Output, BoxError> {
    let sleep = pin!(sleep_until(Instant::now() + time));
    Ok(Deadline::new(time, sleep).limit(step).await?)
}
