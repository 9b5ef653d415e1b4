//! How one write is sent: on a connection of its own, to a cluster that has been checked on that
//! very connection, with a permit that is taken last.
//!
//! Everything that reads comes before the permit; after it nothing is waited for but the kernel,
//! and PD's answer.

use std::time::Duration;

use http::Response;
use system_http::{BoxError, Limits, OneWrite, Sent, TransportError, WriteTransport};

use crate::cluster::Cluster;
use crate::error::Error;
use crate::lenient::by_name;
use crate::transport::exchange::{Exchange, Failure, WRITE_ANSWER};
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
        let connect = self.client.shared.timeouts.connect;
        let connected = OneWrite::connect(transport, self.endpoint.as_str(), connect).await;
        let mut connection = connected.map_err(|error| self.unsent_or_unanswered(error))?;
        self.check_cluster(&mut connection).await?;
        let permit = self.client.permit.as_deref();
        let answer = connection.send(request, permit, self.limits(time)).await;
        self.answer(answer.map_err(|error| self.not_written(error))?)
    }

    fn not_written(&self, error: TransportError) -> Failure {
        match error.into_refusal() {
            Ok(refusal) => Failure::from(Error::NotPermitted {
                endpoint: self.endpoint.to_string(),
                call: self.call.name(),
                source: refusal.into_reason(),
            }),
            Err(error) => self.unsent_or_unanswered(error),
        }
    }

    /// Asks who is at the other end of this connection.
    async fn check_cluster(&self, connection: &mut OneWrite) -> Result<(), Failure> {
        let call = Call::point("/cluster");
        let request = self.request(&call)?;
        let limits = Limits {
            time: self.client.time_for(call.cost()),
            body: WRITE_ANSWER,
        };
        let answer = match connection.read(request, limits).await {
            Ok(answer) => answer,
            // A TLS session that was refused after our side of the handshake.
            Err(error) if error.sent == Sent::No => {
                return Err(self.not_sent(error.source));
            }
            Err(error) => return Err(self.cluster_unknown(error.source)),
        };
        let found = self.cluster_in(&answer)?.id;
        self.client.hold_to(found).map_err(|expected| {
            Failure::from(Error::WrongCluster {
                endpoint: self.endpoint.to_string(),
                call: self.call.name(),
                expected,
                found,
            })
        })
    }

    fn cluster_in(&self, answer: &Response<impl AsRef<[u8]>>) -> Result<Cluster, Failure> {
        let (status, body) = (answer.status(), answer.body().as_ref());
        if !status.is_success() {
            let refusal = self.refused(status, false, body);
            return Err(self.cluster_unknown(refusal));
        }
        let body = std::str::from_utf8(body).map_err(|error| self.cluster_unknown(error))?;
        by_name::from_str(body).map_err(|error| self.cluster_unknown(error))
    }

    fn cluster_unknown(&self, source: impl Into<BoxError>) -> Failure {
        Failure::from(Error::ClusterUnknown {
            endpoint: self.endpoint.to_string(),
            call: self.call.name(),
            source: source.into(),
        })
    }
}
