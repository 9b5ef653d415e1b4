//! Which endpoint a call goes to.
//!
//! A read may be asked of every endpoint, once each. A write goes to the leader's own address, so
//! that no follower forwards it, and to another endpoint only when it is proved that it was not
//! sent: at most one request whose bytes may have left.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorClass, InputError};
use crate::ids::ClusterId;
use crate::members::Members;
use crate::transport::call::Cost;
use crate::transport::{Accepted, Answer, Call};

/// How long a discovered leader is believed.
const LEADER_KEPT: Duration = Duration::from_secs(10);

/// "No time-out" as a duration that can still be added to a time.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A leader's addresses, and until when they are believed.
pub(crate) struct KnownLeader {
    addresses: Vec<Endpoint>,
    until: Instant,
}

impl Client {
    /// Asks the endpoint that answered last, then each other one, once, within twice the
    /// time-out of the call.
    pub(crate) async fn read(&self, call: Call) -> Result<Answer, Error> {
        let endpoints = &self.shared.endpoints;
        let time = self.time_for(call.cost());
        let deadline = Instant::now() + time * 2;
        let first = self.shared.preferred.load(Ordering::Relaxed);
        let mut most_telling: Option<Error> = None;
        for turn in 0..endpoints.len() {
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                break;
            }
            let index = (first + turn) % endpoints.len();
            match self
                .exchange(&endpoints[index], &call, time.min(remaining))
                .await
            {
                Ok(answer) => {
                    self.shared.preferred.store(index, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(failure) if !failure.another_may_answer => return Err(failure.error),
                Err(failure) => {
                    let best = most_telling.as_ref().map_or(0, says);
                    if says(&failure.error) > best {
                        most_telling = Some(failure.error);
                    }
                }
            }
        }
        Err(most_telling.unwrap_or_else(|| InputError::NoEndpoint.into()))
    }

    /// Asks the leader's own addresses, once each, for what no other member can tell.
    pub(crate) async fn read_of_leader(&self, call: Call) -> Result<Answer, Error> {
        let time = self.time_for(call.cost());
        let mut failed: Option<Error> = None;
        for endpoint in self.leader_addresses().await {
            match self.exchange(&endpoint, &call, time).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failed = Some(failure.error),
            }
            self.shared.known_leader().take();
        }
        Err(match failed {
            Some(error) => error,
            None => Error::NotSent {
                endpoint: self.endpoints().collect::<Vec<_>>().join(","),
                source: "no address of PD's leader is known".into(),
            },
        })
    }

    /// Sends a write that PD acknowledges, see [`write_for`](Self::write_for).
    pub(crate) async fn write(&self, call: Call) -> Result<Accepted, Error> {
        self.write_for(call).await?.accepted()
    }

    /// Sends a write to the leader, or on to a configured endpoint while it is proved unsent.
    pub(crate) async fn write_for(&self, call: Call) -> Result<Answer, Error> {
        let time = self.time_for(call.cost());
        let mut unsent: Option<Error> = None;
        for endpoint in self.write_route().await {
            let error = match self.exchange(&endpoint, &call, time).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure.error,
            };
            // Whatever went wrong, the leader may be another by now.
            self.shared.known_leader().take();
            if error.class() != ErrorClass::NotSent {
                return Err(error);
            }
            unsent.get_or_insert(error);
        }
        Err(unsent.unwrap_or_else(|| InputError::NoEndpoint.into()))
    }

    /// The leader's addresses, then the configured endpoints that are not among them.
    async fn write_route(&self) -> Vec<Endpoint> {
        let mut route = self.leader_addresses().await;
        for endpoint in &self.shared.endpoints {
            if !route.contains(endpoint) {
                route.push(endpoint.clone());
            }
        }
        route
    }

    async fn leader_addresses(&self) -> Vec<Endpoint> {
        if let Some(known) = self.shared.known_leader().as_ref()
            && known.until > Instant::now()
        {
            return known.addresses.clone();
        }
        let members = match self.members().await {
            Ok(members) => members,
            Err(error) => {
                tracing::debug!(error = error.report(), "PD leader not discovered");
                return Vec::new();
            }
        };
        let mut addresses = Vec::new();
        for address in self.usable(members.leader.map(|leader| leader.client_urls)) {
            if self.shared.endpoints.contains(&address)
                || self.is_of_cluster(&address, members.cluster_id).await
            {
                addresses.push(address);
            }
        }
        if !addresses.is_empty() {
            let until = Instant::now() + LEADER_KEPT;
            *self.shared.known_leader() = Some(KnownLeader {
                addresses: addresses.clone(),
                until,
            });
        }
        addresses
    }

    /// Addresses PD names, as far as they are ones and no step down from TLS.
    fn usable(&self, addresses: Option<Vec<String>>) -> Vec<Endpoint> {
        let only_https = self.shared.endpoints.iter().all(Endpoint::is_https);
        let addresses = addresses.unwrap_or_default();
        let endpoints = addresses
            .iter()
            .filter_map(|address| Endpoint::parse(address).ok());
        endpoints
            .filter(|endpoint| endpoint.is_https() || !only_https)
            .collect()
    }

    /// Whether an address that nobody configured is of this cluster. A member that advertises
    /// `127.0.0.1` is found on every machine, and may be another one on ours.
    async fn is_of_cluster(&self, address: &Endpoint, cluster_id: Option<ClusterId>) -> bool {
        let call = Call::point("/members");
        let answer = self
            .exchange(address, &call, self.time_for(call.cost()))
            .await;
        let members = answer.ok().and_then(|answer| answer.json::<Members>().ok());
        members.is_some_and(|members| members.cluster_id == cluster_id)
    }

    fn time_for(&self, cost: Cost) -> Duration {
        let timeouts = &self.shared.timeouts;
        let time = match cost {
            Cost::Point => timeouts.point,
            Cost::List => timeouts.list,
            Cost::Write => timeouts.write,
            Cost::SlowWrite => timeouts.write.max(timeouts.list),
        };
        time.min(LONGEST)
    }
}

/// How much an error tells when every endpoint failed: an answer most, silence least.
fn says(error: &Error) -> u8 {
    match error.class() {
        ErrorClass::NotSent => 1,
        ErrorClass::Unanswered => 2,
        _ => 3,
    }
}
