//! Where writes are sent.
//!
//! A write goes to the leader's own address, so that no follower forwards it, and to another
//! endpoint only when it is proved that it was not sent: at most one request whose bytes may have
//! left.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorClass, InputError};
use crate::transport::call::Cost;
use crate::transport::exchange::Exchange;
use crate::transport::{Accepted, Call};

/// "No time-out" as a duration that can still be added to a time.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Client {
    /// Sends a write to the leader, or on to a configured endpoint while it is proved unsent.
    pub(crate) async fn write(&self, call: Call) -> Result<Accepted, Error> {
        let Some(transport) = self.shared.transport.writes() else {
            return Err(InputError::ReadOnlyTransport.into());
        };
        let time = self.time_for(call.cost());
        let mut unsent: Option<Error> = None;
        for endpoint in self.write_route().await {
            let exchange = Exchange::new(self, &endpoint, &call);
            let error = match exchange.write(transport, time).await {
                Ok(answer) => return answer.accepted(),
                Err(failure) => failure.error,
            };
            // Whatever went wrong, the leader may be another by now.
            self.shared.known_leader().take();
            if error.class() != ErrorClass::NotSent || matches!(error, Error::NotPermitted { .. }) {
                return Err(error);
            }
            // That a member is of another cluster says more than that one cannot be reached.
            let is_more_informative = matches!(error, Error::WrongCluster { .. })
                && !matches!(unsent, Some(Error::WrongCluster { .. }));
            if unsent.is_none() || is_more_informative {
                unsent = Some(error);
            }
        }
        Err(unsent.unwrap_or_else(|| InputError::NoEndpoint.into()))
    }

    /// The leader's addresses, then the configured endpoints that are not among them.
    async fn write_route(&self) -> Vec<Endpoint> {
        // Who leads is looked for once: a write that waits is sent when nobody expects it.
        let deadline = Instant::now() + self.time_for(Cost::Point) * 2;
        let mut route = self.find_leader(deadline).await.unwrap_or_else(|error| {
            tracing::debug!(error = error.report(), "PD leader not discovered");
            Vec::new()
        });
        for endpoint in &self.shared.endpoints {
            if !route.contains(endpoint) {
                route.push(endpoint.clone());
            }
        }
        route
    }

    pub(super) fn time_for(&self, cost: Cost) -> Duration {
        let timeouts = &self.shared.timeouts;
        let time = match cost {
            Cost::Point => timeouts.point,
            Cost::List => timeouts.list,
            Cost::Write => timeouts.write,
        };
        time.min(LONGEST)
    }
}
