//! The catalogue: every action, in the order in which they are documented.

use action_core::{ActionSet, Subject};
use async_trait::async_trait;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::mutations::region::cancel_operator::CancelOperator;
use crate::mutations::region::merge_regions::MergeRegions;
use crate::mutations::region::replicas::{AddPeer, RemovePeer};
use crate::mutations::region::scatter_region::ScatterRegion;
use crate::mutations::region::split_region::SplitRegion;
use crate::mutations::region::transfer_leader::TransferLeader;
use crate::mutations::region::transfer_peer::TransferPeer;
use crate::mutations::scheduler_pause::{PauseScheduler, ResumeScheduler};
use crate::mutations::setting::set_leader_schedule_limit::SetLeaderScheduleLimit;
use crate::mutations::setting::set_low_space_threshold::SetLowSpaceThreshold;
use crate::mutations::setting::set_region_schedule_limit::SetRegionScheduleLimit;
use crate::mutations::setting::set_replica_schedule_limit::SetReplicaScheduleLimit;
use crate::mutations::setting::set_store_limit::SetStoreLimit;
use crate::mutations::store::drain::{DrainStore, StopDrain};
use crate::mutations::store::offline::{CancelOffline, OfflineStore};
use crate::mutations::transfer_pd_leader::TransferPdLeader;
use crate::observations::check_invariants::thresholds::CheckInvariants;
use crate::observations::cluster_health::ClusterHealth;
use crate::observations::doctor::Doctor;
use crate::observations::find_region::FindRegion;
use crate::observations::get_cluster_metrics::GetClusterMetrics;
use crate::observations::get_config::GetConfig;
use crate::observations::get_region::GetRegion;
use crate::observations::get_store::GetStore;
use crate::observations::get_store_metrics::GetStoreMetrics;
use crate::observations::hot_regions::{HotReadRegions, HotWriteRegions};
use crate::observations::list_drains::ListDrains;
use crate::observations::list_members::ListMembers;
use crate::observations::list_operators::ListOperators;
use crate::observations::list_schedulers::ListSchedulers;
use crate::observations::list_stores::ListStores;
use crate::observations::why::question::Why;
use crate::workflows::rolling_drain::RollingDrain;

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
