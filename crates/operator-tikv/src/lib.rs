//! TiKV, through its Placement Driver (PD), as a subject: actions that plan, prove and undo.
//!
//! By name, from a registry:
//!
//! ```no_run
//! use action_core::ActionRegistry;
//! use operator_tikv::Tikv;
//! use serde_json::json;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let pd = pd_client::Client::new("pd-0:2379,pd-1:2379,pd-2:2379")?;
//! let mut registry = ActionRegistry::new();
//! registry.register(Tikv::new(pd))?;
//! let request = json!({ "region_id": 12, "to_store_id": "4" });
//! let plan = registry.plan("transfer_leader", request).await?;
//! println!("{:?}", plan.verdict);
//! # Ok(())
//! # }
//! ```
//!
//! Or typed, without one:
//!
//! ```no_run
//! use action_core::Mutation;
//! use operator_tikv::{RegionId, StoreId, Tikv, TransferLeader};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let tikv = Tikv::new(pd_client::Client::new("pd-0:2379")?);
//! let action = TransferLeader {
//!     region_id: RegionId::new(12)?,
//!     to_store_id: StoreId::new(4)?,
//! };
//! println!("{:?}", action.plan(&tikv).await?.verdict);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub use cluster::Tikv;
pub use error::Error;
pub use facts::{KeyRange, PdProcess, PeerFacts, RegionFacts, SeenOperator, Traces};
pub use mutations::region::{
    AddPeer, CancelFacts, CancelOperator, MergeFacts, MergeRegions, NewPeerRole, RemovePeer,
    ScatterRegion, SplitFacts, SplitPoint, SplitRegion, TransferLeader, TransferPeer,
};
pub use mutations::setting::{
    LimitedWork, ReplicaRate, SetLeaderScheduleLimit, SetLowSpaceThreshold, SetRegionScheduleLimit,
    SetReplicaScheduleLimit, SetStoreLimit, SettingFacts, UsedPercent,
};
pub use mutations::store::{
    CancelOffline, DrainFacts, DrainStore, OfflineFacts, OfflineStore, RemoveTombstones, StopDrain,
    TombstoneFacts,
};
pub use mutations::{
    PauseFacts, PauseScheduler, PauseSeconds, PdLeaderFacts, ResumeScheduler, TransferPdLeader,
};
pub use observations::{
    CheckInvariants, ClusterHealth, ClusterMetrics, ConfigItem, ConfigView, DescCount, Doctor,
    Drain, Drains, Explanation, FindRegion, FoundRegion, GetClusterMetrics, GetConfig, GetRegion,
    GetStore, GetStoreMetrics, Health, HotBy, HotReadRegions, HotRegionList, HotRegionView,
    HotWriteRegions, Invariants, KeyEncoding, KeyForm, Leftovers, ListDrains, ListMembers,
    ListOperators, ListRegions, ListSchedulers, ListStores, MemberList, MemberView, Moving,
    OneStore, OneStoreMetrics, OperatorView, Operators, PeerView, REASONS, Reason, RegionRow,
    RegionState, RegionView, Regions, SafeToStop, ScanSafeToStop, SchedulerState, SchedulerView,
    Schedulers, SinceSource, StoreMetrics, StoreView, Stores, Violation, Why, reasons_page,
};
pub use outcomes::{OUTCOMES, OutcomeCode, OutcomeEnd};
pub use parameters::{Limit, RegionId, RowHandle, ScheduleLimit, SchedulerName, StoreId, TidbId};
pub use settings::TikvSettings;
pub use stop_safety::answer::{AskedStore, GoneBecause, GoneStore, Loss, StopSafety, UnsafeRegion};
pub use workflows::{BackMinutes, BackPercent, IfNotSafe, LeaseHours, RollingDrain};

mod catalogue;
mod cluster;
mod error;
mod evidence;
mod facts;
mod last_look;
mod mutations;
mod observations;
mod outcomes;
mod parameters;
mod pd_rules;
mod runbooks;
mod seen_process;
mod send_permit;
mod settings;
mod stop_safety;
mod workflows;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
