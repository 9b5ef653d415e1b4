//! The running simulator.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::builder::Builder;
use crate::cluster::Cluster;
use crate::cluster::members::Outage;
use crate::fault::Fault;
use crate::received::Write;
use crate::server::{self, Shared};

/// A Placement Driver and its stores, served until this is dropped.
#[derive(Debug)]
pub struct Sim {
    shared: Arc<Shared>,
    endpoints: Vec<String>,
    /// The members' listeners, by index; `None` while a member is stopped.
    listeners: Mutex<Vec<Option<JoinHandle<()>>>>,
    ticker: Option<JoinHandle<()>>,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No port could be had.
    #[error("cannot listen on 127.0.0.1")]
    Bind {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The recorded bodies are not what PD answers.
    #[error("cannot read the recorded state")]
    Recorded {
        /// Where it stopped.
        #[source]
        source: serde_json::Error,
    },
}

impl Sim {
    /// Begins describing a simulator.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(
        shared: Arc<Shared>,
        endpoints: Vec<String>,
        listeners: Vec<JoinHandle<()>>,
        ticker: Option<JoinHandle<()>>,
    ) -> Self {
        Self {
            shared,
            endpoints,
            listeners: Mutex::new(listeners.into_iter().map(Some).collect()),
            ticker,
        }
    }

    /// The first member's address, such as `http://127.0.0.1:41234`.
    pub fn endpoint(&self) -> &str {
        self.endpoints.first().map_or("", String::as_str)
    }

    /// Every member's address.
    pub fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// The cluster's id.
    pub fn cluster_id(&self) -> u64 {
        self.with(|cluster| cluster.id)
    }

    /// Lets time pass, with everything that happens on the way. A real clock jumps.
    pub fn advance(&self, duration: Duration) {
        self.shared.state().advance(duration);
    }

    /// What time it is on the cluster's clock.
    pub fn now(&self) -> SystemTime {
        let nanos = self.with(|cluster| cluster.now.unix_nanos());
        SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }

    /// Bootstraps a cluster that was started without.
    pub fn bootstrap(&self) {
        self.with(|cluster| {
            cluster.bootstrapped.get_or_insert(cluster.now);
        });
    }

    /// Arms a fault.
    pub fn fault(&self, fault: Fault) {
        self.shared.state().faults.add(fault);
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// The PD leader is lost and, with it, what it had in memory: operators, their records,
    /// paused schedulers. Drains and temporary configuration stay. For the time of the election
    /// everything but the members' own paths is answered as `outage` says.
    pub fn change_leader(&self, election: Duration, outage: Outage) {
        self.with(|cluster| cluster.change_leader(election, outage));
    }

    /// As [`change_leader`](Self::change_leader), to a leader that shows the stores' counts of
    /// regions and leaders as they were, until so long after the election: region heartbeats have
    /// to come in first.
    pub fn change_leader_with_stale_counts(
        &self,
        election: Duration,
        outage: Outage,
        stale: Duration,
    ) {
        self.with(|cluster| {
            cluster.keep_as_stale(stale);
            cluster.change_leader(election, outage);
        });
    }

    /// PD's process ends and is started again on its data: it knows regions and not who leads them,
    /// stores and not what they report, and runs no scheduler, until heartbeats are in.
    pub fn restart(&self) {
        self.with(Cluster::restart);
    }

    /// Keeps the heartbeats of stores from PD, or lets the next come.
    pub fn hold_store_heartbeats(&self, held: bool) {
        self.with(|cluster| cluster.held.stores = held);
    }

    /// Keeps the heartbeats of regions from PD, or lets the next come.
    pub fn hold_region_heartbeats(&self, held: bool) {
        self.with(|cluster| cluster.held.regions = held);
    }

    /// Stops a member's process: its connections break and new ones are refused.
    ///
    /// If it led, [`change_leader`](Self::change_leader) is what the others do next.
    pub async fn stop_member(&self, index: usize) {
        self.with(|cluster| cluster.members.stopped.insert(index));
        if let Some(listener) = self.listener(index, None) {
            listener.abort();
            // It ends by being aborted, which is an error to who waits for it.
            let _ = listener.await;
        }
    }

    /// Starts a stopped member again, at its old address.
    ///
    /// # Errors
    ///
    /// When the address has been taken meanwhile.
    pub async fn start_member(&self, index: usize) -> Result<(), Error> {
        let address = self.endpoints.get(index).map_or("", |endpoint| {
            endpoint.strip_prefix("http://").unwrap_or(endpoint)
        });
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| Error::Bind { source })?;
        let task = tokio::spawn(server::listen(Arc::clone(&self.shared), listener, index));
        if let Some(other) = self.listener(index, Some(task)) {
            other.abort();
        }
        self.with(|cluster| cluster.members.stopped.remove(&index));
        Ok(())
    }

    /// Name of the member that leads.
    pub fn leader_name(&self) -> Option<String> {
        self.with(|cluster| cluster.members.leader().map(|member| member.name.clone()))
    }

    /// How many requests of the method were received at the path or below it.
    ///
    /// The path is relative to `/pd/api/v1`; a number in it stands for any number.
    pub fn received(&self, method: &str, path: &str) -> usize {
        self.shared.state().received.count(method, path)
    }

    /// How many requests were received.
    pub fn received_total(&self) -> usize {
        self.shared.state().received.total()
    }

    /// The writes received, in order.
    pub fn writes(&self) -> Vec<Write> {
        self.shared.state().received.writes.clone()
    }

    /// Puts another listener in a member's place and returns the one that was there.
    fn listener(&self, index: usize, new: Option<JoinHandle<()>>) -> Option<JoinHandle<()>> {
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listeners
            .get_mut(index)
            .and_then(|listener| std::mem::replace(listener, new))
    }

    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut Cluster) -> R) -> R {
        look(&mut self.shared.state().cluster)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let listeners = self
            .listeners
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        for task in listeners.iter().flatten().chain(&self.ticker) {
            task.abort();
        }
    }
}
