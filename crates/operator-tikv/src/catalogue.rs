//! The catalogue: every action, in the order in which they are documented.

use action_core::{ActionSet, Page, Runbook, Subject};
use async_trait::async_trait;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::mutations::region::{
    AddPeer, CancelOperator, MergeRegions, RemovePeer, ScatterRegion, SplitRegion, TransferLeader,
    TransferPeer,
};
use crate::mutations::setting::{
    SetLeaderScheduleLimit, SetLowSpaceThreshold, SetRegionScheduleLimit, SetReplicaScheduleLimit,
    SetStoreLimit,
};
use crate::mutations::store::{
    CancelOffline, DrainStore, OfflineStore, RemoveTombstones, StopDrain,
};
use crate::mutations::{PauseScheduler, ResumeScheduler, TransferPdLeader};
use crate::observations::{
    CheckInvariants, ClusterHealth, Doctor, FindRegion, GetClusterMetrics, GetConfig, GetRegion,
    GetStore, GetStoreMetrics, HotReadRegions, HotWriteRegions, ListDrains, ListMembers,
    ListOperators, ListRegions, ListSchedulers, ListStores, SafeToStop, ScanSafeToStop, Why,
    reasons_page,
};
use crate::runbooks::runbooks;
use crate::workflows::RollingDrain;

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
            .observation::<ListRegions>()
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
            .observation::<SafeToStop>()
            .observation::<ScanSafeToStop>()
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
            .mutation::<RemoveTombstones>()
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
    fn pages() -> Vec<Page> {
        vec![Page::new("reasons", "Reasons", reasons_page())]
    }

    fn runbooks() -> Vec<Runbook> {
        runbooks()
    }

    async fn identity(&self) -> Result<String, Error> {
        let cluster = self.pd.cluster().await.map_err(Error::Read)?;
        Ok(cluster.id.to_string())
    }
}
