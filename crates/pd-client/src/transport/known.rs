//! What is known of PD's members, beyond the endpoints that were configured.
//!
//! An address that nobody configured is believed only when it reports the same cluster id: a
//! member that advertises `127.0.0.1` is found on every machine, and may be another one on ours.

use std::time::Duration;

use system_http::BoxError;
use tokio::time::Instant;

use crate::client::Client;
use crate::endpoint::{self, Endpoint};
use crate::error::Error;
use crate::ids::ClusterId;
use crate::members::{Member, Members};
use crate::transport::Call;
use crate::transport::exchange::Exchange;

/// How long a discovered leader is believed.
const LEADER_KEPT: Duration = Duration::from_secs(10);

/// A leader's addresses, and until when they are believed.
pub(crate) struct KnownLeader {
    addresses: Vec<Endpoint>,
    until: Instant,
}

/// Members that nobody configured, as PD named them last.
pub(crate) struct KnownMembers {
    /// The first that any of them named.
    cluster_id: Option<ClusterId>,
    others: Vec<Endpoint>,
    refreshed: Instant,
}

impl KnownMembers {
    pub(crate) fn none_yet() -> Self {
        Self {
            cluster_id: None,
            others: Vec::new(),
            refreshed: Instant::now(),
        }
    }
}

/// PD answered, and nobody leads it.
#[derive(Debug, thiserror::Error)]
#[error("PD has no leader")]
struct NoLeader;

impl Client {
    /// The leader's own addresses, discovered unless they are known.
    pub(super) async fn find_leader(&self, deadline: Instant) -> Result<Vec<Endpoint>, Error> {
        if let Some(known) = self.shared.known_leader().as_ref()
            && known.until > Instant::now()
        {
            return Ok(known.addresses.clone());
        }
        let answer = self.ask_for_members(deadline).await?;
        let members: Members = answer.json()?;
        self.learn(answer.endpoint.as_str(), &members)?;
        let mut addresses = Vec::new();
        for address in self.usable(members.leader.as_slice()) {
            if self.shared.endpoints.contains(&address) || self.is_of_cluster(&address).await {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            return Err(Error::NotSent {
                endpoint: answer.endpoint.to_string(),
                call: answer.call.name(),
                source: BoxError::from(NoLeader),
            });
        }
        *self.shared.known_leader() = Some(KnownLeader {
            addresses: addresses.clone(),
            until: Instant::now() + LEADER_KEPT,
        });
        Ok(addresses)
    }

    /// Asks the endpoint that has just answered who the members are, when that is long ago.
    pub(super) async fn refresh_members(&self, endpoint: &Endpoint) {
        {
            let mut known = self.shared.known_members();
            if known.refreshed.elapsed() < self.shared.refresh {
                return;
            }
            known.refreshed = Instant::now();
        }
        // Quick or not at all: a caller waits for something else.
        let time = self.shared.timeouts.connect;
        let call = Call::point("/members");
        let answer = Exchange::new(self, endpoint, &call).read(time).await;
        let members = answer.map_or_else(|failure| Err(failure.error), |answer| answer.json());
        let learned = members.and_then(|members| self.learn(endpoint.as_str(), &members));
        if let Err(error) = learned {
            tracing::debug!(error = error.report(), "PD members not refreshed");
        }
    }

    /// The cluster that writes must reach, as far as it is known.
    fn expected_cluster(&self) -> Option<ClusterId> {
        self.cluster_id
            .or_else(|| self.shared.known_members().cluster_id)
    }

    /// Holds to this cluster when there was none before.
    ///
    /// # Errors
    /// The cluster that was there before, when it is another.
    pub(crate) fn hold_to(&self, found: ClusterId) -> Result<(), ClusterId> {
        match self.expected_cluster() {
            Some(expected) if expected != found => Err(expected),
            _ => {
                self.shared.known_members().cluster_id.get_or_insert(found);
                Ok(())
            }
        }
    }

    /// Members that nobody configured.
    pub(super) fn other_members(&self) -> Vec<Endpoint> {
        self.shared.known_members().others.clone()
    }

    /// Whether an address that nobody configured is of this cluster.
    pub(super) async fn is_of_cluster(&self, address: &Endpoint) -> bool {
        let call = Call::point("/members");
        let exchange = Exchange::new(self, address, &call);
        let answer = exchange.read(self.time_for(call.cost())).await;
        let members = answer.ok().and_then(|answer| answer.json::<Members>().ok());
        members.is_some_and(|members| members.cluster_id == self.expected_cluster())
    }

    fn learn(&self, endpoint: &str, members: &Members) -> Result<(), Error> {
        if let Some(found) = members.cluster_id {
            self.hold_to(found)
                .map_err(|expected| Error::WrongCluster {
                    endpoint: endpoint.to_owned(),
                    call: Call::point("/members").name(),
                    expected,
                    found,
                })?;
        }
        let mut others = self.usable(&members.members);
        others.retain(|address| !self.shared.endpoints.contains(address));
        let mut known = self.shared.known_members();
        known.others = others;
        known.refreshed = Instant::now();
        Ok(())
    }

    /// Addresses PD names, as far as they are ones and no step down from TLS.
    fn usable(&self, members: &[Member]) -> Vec<Endpoint> {
        let only_https = self.shared.endpoints.iter().all(Endpoint::is_https);
        let addresses = members.iter().flat_map(|member| &member.client_urls);
        let endpoints = addresses.filter_map(|address| endpoint::parse(address).ok());
        endpoints
            .filter(|endpoint| endpoint.is_https() || !only_https)
            .collect()
    }
}
