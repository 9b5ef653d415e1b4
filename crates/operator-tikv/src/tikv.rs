//! See [`Tikv`].

use action_core::{Accepted, ActionSet, Attempt, ClockOffset, Subject};
use async_trait::async_trait;
use pd_client::Client;

use crate::add_peer::AddPeer;
use crate::cancel_offline::CancelOffline;
use crate::cancel_operator::CancelOperator;
use crate::check_invariants::CheckInvariants;
use crate::cluster_health::ClusterHealth;
use crate::doctor::Doctor;
use crate::drain_store::DrainStore;
use crate::error::Error;
use crate::find_region::FindRegion;
use crate::get_cluster_metrics::GetClusterMetrics;
use crate::get_config::GetConfig;
use crate::get_region::GetRegion;
use crate::get_store::GetStore;
use crate::get_store_metrics::GetStoreMetrics;
use crate::hot_read_regions::HotReadRegions;
use crate::hot_write_regions::HotWriteRegions;
use crate::list_drains::ListDrains;
use crate::list_members::ListMembers;
use crate::list_operators::ListOperators;
use crate::list_schedulers::ListSchedulers;
use crate::list_stores::ListStores;
use crate::merge_regions::MergeRegions;
use crate::offline_store::OfflineStore;
use crate::own_operator::PD_DATE;
use crate::pause_scheduler::PauseScheduler;
use crate::remove_peer::RemovePeer;
use crate::resume_scheduler::ResumeScheduler;
use crate::rolling_drain::RollingDrain;
use crate::scatter_region::ScatterRegion;
use crate::set_leader_schedule_limit::SetLeaderScheduleLimit;
use crate::set_low_space_threshold::SetLowSpaceThreshold;
use crate::set_region_schedule_limit::SetRegionScheduleLimit;
use crate::set_replica_schedule_limit::SetReplicaScheduleLimit;
use crate::set_store_limit::SetStoreLimit;
use crate::split_region::SplitRegion;
use crate::stop_drain::StopDrain;
use crate::transfer_leader::TransferLeader;
use crate::transfer_pd_leader::TransferPdLeader;
use crate::transfer_peer::TransferPeer;
use crate::why::Why;

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

    /// A client that sends the attempt's id along, so that PD's log names it.
    pub(crate) fn sender(&self, attempt: &Attempt) -> Client {
        let named = self.pd.with_caller_id(&attempt.id);
        named.unwrap_or_else(|_| self.pd.clone())
    }

    /// How PD's clock compares to ours, by the answers read so far.
    pub(crate) fn clock(&self) -> Option<ClockOffset> {
        let offset = self.pd.clock_offset()?;
        Some(ClockOffset::new(offset.ahead_ms, offset.uncertainty_ms))
    }
}

#[async_trait]
impl Subject for Tikv {
    const NAME: &'static str = "tikv";
    type Error = Error;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<ClusterHealth>()
            .observation::<ListStores>()
            .observation::<GetStore>()
            .observation::<GetRegion>()
            .observation::<FindRegion>()
            .observation::<HotWriteRegions>()
            .observation::<HotReadRegions>()
            .observation::<ListOperators>()
            .observation::<ListDrains>()
            .observation::<ListSchedulers>()
            .observation::<ListMembers>()
            .observation::<GetConfig>()
            .observation::<GetStoreMetrics>()
            .observation::<GetClusterMetrics>()
            .observation::<CheckInvariants>()
            .observation::<Why>()
            .observation::<Doctor>()
            .observation::<RollingDrain>()
            .mutation::<TransferLeader>()
            .mutation::<TransferPeer>()
            .mutation::<AddPeer>()
            .mutation::<RemovePeer>()
            .mutation::<SplitRegion>()
            .mutation::<MergeRegions>()
            .mutation::<ScatterRegion>()
            .mutation::<CancelOperator>()
            .mutation::<DrainStore>()
            .mutation::<StopDrain>()
            .mutation::<OfflineStore>()
            .mutation::<CancelOffline>()
            .mutation::<SetLeaderScheduleLimit>()
            .mutation::<SetRegionScheduleLimit>()
            .mutation::<SetReplicaScheduleLimit>()
            .mutation::<SetLowSpaceThreshold>()
            .mutation::<SetStoreLimit>()
            .mutation::<PauseScheduler>()
            .mutation::<ResumeScheduler>()
            .mutation::<TransferPdLeader>()
    }

    /// The cluster id.
    async fn identity(&self) -> Result<String, Error> {
        let cluster = self.pd.cluster().await.map_err(Error::Read)?;
        Ok(cluster.id.to_string())
    }
}

/// What PD's answer tells.
pub(crate) fn accepted(
    answer: Result<pd_client::Accepted, pd_client::Error>,
) -> Result<Accepted, Error> {
    let answer = answer.map_err(Error::Send)?;
    let accepted = Accepted::new(answer.message);
    let date = answer.date.and_then(crate::own_operator::unix_ms);
    Ok(match date {
        Some(date) => accepted.fact(PD_DATE, date),
        None => accepted,
    })
}
