//! The running simulator.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinHandle;

use crate::builder::Builder;
use crate::cluster::Cluster;
use crate::cluster::members::Outage;
use crate::fault::Fault;
use crate::received::Write;
use crate::server::Shared;

/// A Placement Driver and its stores, served until this is dropped.
#[derive(Debug)]
pub struct Sim {
    shared: Arc<Shared>,
    endpoints: Vec<String>,
    tasks: Vec<JoinHandle<()>>,
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
        tasks: Vec<JoinHandle<()>>,
    ) -> Self {
        Self {
            shared,
            endpoints,
            tasks,
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
        let mut state = self.shared.state();
        let end = state.cluster.now + duration;
        state.cluster.advance_to(end);
        if let Some((_, time)) = &mut state.real {
            *time = *time + duration;
        }
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

    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut Cluster) -> R) -> R {
        look(&mut self.shared.state().cluster)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
