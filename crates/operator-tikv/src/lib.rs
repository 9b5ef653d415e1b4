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

pub use parameters::ids::{RegionId, StoreId};
pub use parameters::list_limit::Limit;
pub use parameters::schedule_limit::ScheduleLimit;
pub use parameters::scheduler_name::SchedulerName;

pub use observations::check_invariants::Invariants;
pub use observations::check_invariants::thresholds::CheckInvariants;
pub use observations::check_invariants::violation::{SinceSource, Violation};
pub use observations::cluster_health::{ClusterHealth, Health};
pub use observations::doctor::Doctor;
pub use observations::doctor::leftovers::Leftovers;
pub use observations::find_region::{FindRegion, FoundRegion, KeyEncoding, KeyForm};
pub use observations::get_cluster_metrics::{ClusterMetrics, GetClusterMetrics};
pub use observations::get_config::{ConfigItem, ConfigView, GetConfig};
pub use observations::get_region::{GetRegion, PeerView, RegionView};
pub use observations::get_store::{GetStore, OneStore};
pub use observations::get_store_metrics::{GetStoreMetrics, OneStoreMetrics};
pub use observations::hot_regions::HotReadRegions;
pub use observations::hot_regions::HotWriteRegions;
pub use observations::hot_regions::{HotBy, HotRegionList, HotRegionView};
pub use observations::list_drains::{Drain, Drains, ListDrains};
pub use observations::list_members::{ListMembers, MemberList, MemberView};
pub use observations::list_operators::{DescCount, ListOperators, OperatorView, Operators};
pub use observations::list_schedulers::{
    ListSchedulers, SchedulerState, SchedulerView, Schedulers,
};
pub use observations::list_stores::{ListStores, StoreView, Stores};
pub use observations::reasons::{REASONS, Reason};
pub use observations::store_metrics::StoreMetrics;
pub use observations::why::Explanation;
pub use observations::why::question::{Moving, Why};

pub use mutations::region::cancel_operator::{CancelFacts, CancelOperator};
pub use mutations::region::merge_regions::{MergeFacts, MergeRegions};
pub use mutations::region::replicas::RemovePeer;
pub use mutations::region::replicas::{AddPeer, NewPeerRole};
pub use mutations::region::scatter_region::ScatterRegion;
pub use mutations::region::split_region::{SplitFacts, SplitPoint, SplitRegion};
pub use mutations::region::transfer_leader::TransferLeader;
pub use mutations::region::transfer_peer::TransferPeer;
pub use mutations::scheduler_pause::ResumeScheduler;
pub use mutations::scheduler_pause::{PauseFacts, PauseScheduler, PauseSeconds};
pub use mutations::setting::SettingFacts;
pub use mutations::setting::set_leader_schedule_limit::SetLeaderScheduleLimit;
pub use mutations::setting::set_low_space_threshold::{SetLowSpaceThreshold, UsedPercent};
pub use mutations::setting::set_region_schedule_limit::SetRegionScheduleLimit;
pub use mutations::setting::set_replica_schedule_limit::SetReplicaScheduleLimit;
pub use mutations::setting::set_store_limit::{LimitedWork, ReplicaRate, SetStoreLimit};
pub use mutations::store::drain::StopDrain;
pub use mutations::store::drain::{DrainFacts, DrainStore};
pub use mutations::store::offline::CancelOffline;
pub use mutations::store::offline::{OfflineFacts, OfflineStore};
pub use mutations::transfer_pd_leader::{PdLeaderFacts, TransferPdLeader};

pub use facts::key_range::KeyRange;
pub use facts::region::{PeerFacts, RegionFacts};
pub use facts::traces::{PdProcess, SeenOperator, Traces};

pub use workflows::rolling_drain::{BackMinutes, BackPercent, LeaseHours, RollingDrain};

mod catalogue;
mod cluster;
mod error;
mod evidence;
mod facts;
mod mutations;
mod observations;
mod parameters;
mod pd_rules;
mod send_permit;
mod workflows;
