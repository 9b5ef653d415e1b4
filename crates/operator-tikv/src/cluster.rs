//! The handle on a cluster: its PD, and where its stores' own numbers are.

use std::sync::Arc;

use action_core::{Attempt, ClockOffset};
use pd_client::{Client, ClusterId};

use crate::send_permit::AttemptPermit;

/// A TiKV cluster, reached through its PD.
#[derive(Debug, Clone)]
pub struct Tikv {
    pub(crate) pd: Client,
    /// Where TiKV's own numbers are, if they are anywhere.
    pub(crate) prometheus: Option<prom_client::Client>,
}

impl Tikv {
    /// The cluster that this client reaches.
    #[must_use]
    pub fn new(pd: Client) -> Self {
        Self {
            pd,
            prometheus: None,
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
