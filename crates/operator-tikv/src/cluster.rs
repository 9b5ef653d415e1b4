//! The handle on a cluster: its PD, and where its stores' own numbers are.

use std::sync::Arc;
use std::time::Duration;

use action_core::{Attempt, ClockOffset};
use pd_client::{Client, ClusterId};

use crate::last_look::LastLook;
use crate::seen_process::SeenProcess;
use crate::send_permit::AttemptPermit;

/// How often a region reports unless its store is configured otherwise.
const REGION_HEARTBEAT: Duration = Duration::from_secs(60);

/// A TiKV cluster, reached through its PD.
#[derive(Debug, Clone)]
pub struct Tikv {
    pub(crate) pd: Client,
    /// Where TiKV's own numbers are, if they are anywhere.
    pub(crate) prometheus: Option<prom_client::Client>,
    /// How long is waited for what PD does not know yet.
    pub(crate) waits: Duration,
    /// How often regions report.
    pub(crate) region_heartbeat: Duration,
    /// Which process of PD's we saw lead, and whether it knew all there is to know.
    pub(crate) seen: SeenProcess,
    /// What those that follow saw last.
    pub(crate) last: LastLook,
}

impl Tikv {
    /// The cluster that this client reaches.
    #[must_use]
    pub fn new(pd: Client) -> Self {
        Self {
            pd,
            prometheus: None,
            waits: Duration::ZERO,
            region_heartbeat: REGION_HEARTBEAT,
            seen: SeenProcess::default(),
            last: LastLook::default(),
        }
    }

    /// The same cluster, waited for so long where PD was just started and does not know yet what it
    /// is asked for: which drains and schedulers there are.
    #[must_use]
    pub fn waiting(self, limit: Duration) -> Self {
        Self {
            waits: limit,
            ..self
        }
    }

    /// The same cluster, whose regions report to PD this often: TiKV's
    /// `raftstore.pd-heartbeat-tick-interval`, a minute unless it was changed. After PD starts, what
    /// nobody reported within two of them is taken to have no leader.
    #[must_use]
    pub fn with_region_heartbeat_interval(self, interval: Duration) -> Self {
        Self {
            region_heartbeat: interval,
            ..self
        }
    }

    /// The same cluster, with the Prometheus that its stores publish to.
    #[must_use]
    pub fn with_prometheus(self, prometheus: prom_client::Client) -> Self {
        Self {
            prometheus: Some(prometheus),
            ..self
        }
    }

    /// A client for one write: it sends the attempt's id along, so that PD's log names it, writes
    /// only to the cluster that the attempt was planned for, and takes the attempt's permit last.
    pub(crate) fn sender(&self, attempt: &Attempt) -> Client {
        let named = self.pd.with_caller_id(&attempt.id);
        let mut pd = named.unwrap_or_else(|_| self.pd.clone());
        if let Some(Ok(id)) = attempt.system.as_deref().map(str::parse::<ClusterId>) {
            pd = pd.with_cluster_id(id);
        }
        pd.with_send_permit(Arc::new(AttemptPermit(attempt.clone())))
    }

    /// How PD's clock compares to ours, by the answers read so far.
    pub(crate) fn clock(&self) -> Option<ClockOffset> {
        let offset = self.pd.clock_offset()?;
        Some(ClockOffset::new(offset.ahead_ms, offset.uncertainty_ms))
    }
}
