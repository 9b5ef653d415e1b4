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

pub use error::Error;
pub use ids::{RegionId, StoreId};
pub use tikv::Tikv;

pub use add_peer::{AddPeer, NewPeerRole};
pub use cancel_offline::CancelOffline;
pub use cancel_operator::{CancelFacts, CancelOperator};
pub use check_invariants::violation::{ToldBy, Violation};
pub use check_invariants::{CheckInvariants, Invariants};
pub use cluster_health::{ClusterHealth, Health};
pub use doctor::{Doctor, Leftovers};
pub use drain_store::{DrainFacts, DrainStore};
pub use find_region::{FindRegion, FoundRegion, KeyEncoding, KeyForm};
pub use get_cluster_metrics::{ClusterMetrics, GetClusterMetrics};
pub use get_config::{ConfigItem, ConfigView, GetConfig};
pub use get_region::{GetRegion, PeerView, RegionView};
pub use get_store::{GetStore, OneStore};
pub use get_store_metrics::{GetStoreMetrics, OneStoreMetrics};
pub use hot_read_regions::HotReadRegions;
pub use hot_regions::{HotBy, HotRegionList, HotRegionView};
pub use hot_write_regions::HotWriteRegions;
pub use key_range::KeyRange;
pub use limit::Limit;
pub use list_drains::{Drain, Drains, ListDrains};
pub use list_members::{ListMembers, MemberList, MemberView};
pub use list_operators::{DescCount, ListOperators, OperatorView, Operators};
pub use list_schedulers::{ListSchedulers, SchedulerState, SchedulerView, Schedulers};
pub use list_stores::{ListStores, StoreView, Stores};
pub use merge_regions::{MergeFacts, MergeRegions};
pub use offline_store::{OfflineFacts, OfflineStore};
pub use pause_scheduler::{PauseFacts, PauseScheduler, PauseSeconds};
pub use reasons::{REASONS, Reason};
pub use region_facts::{PeerFacts, RegionFacts};
pub use remove_peer::RemovePeer;
pub use resume_scheduler::ResumeScheduler;
pub use rolling_drain::{BackMinutes, BackPercent, LeaseHours, RollingDrain};
pub use scatter_region::ScatterRegion;
pub use schedule_item::ItemFacts;
pub use schedule_limit::ScheduleLimit;
pub use scheduler_name::SchedulerName;
pub use set_leader_schedule_limit::SetLeaderScheduleLimit;
pub use set_low_space_threshold::{SetLowSpaceThreshold, UsedPercent};
pub use set_region_schedule_limit::SetRegionScheduleLimit;
pub use set_replica_schedule_limit::SetReplicaScheduleLimit;
pub use set_store_limit::{LimitedWork, ReplicaRate, SetStoreLimit};
pub use split_region::{SplitFacts, SplitPoint, SplitRegion};
pub use stop_drain::StopDrain;
pub use store_metrics::StoreMetrics;
pub use transfer_leader::TransferLeader;
pub use transfer_pd_leader::{PdLeaderFacts, TransferPdLeader};
pub use transfer_peer::TransferPeer;
pub use why::{Explanation, Moving, Why};

mod error;
mod ids;
mod tikv;

mod add_peer;
mod cancel_offline;
mod cancel_operator;
mod check_invariants;
mod cluster_health;
mod doctor;
mod drain_store;
mod find_region;
mod get_cluster_metrics;
mod get_config;
mod get_region;
mod get_store;
mod get_store_metrics;
mod hot_read_regions;
mod hot_write_regions;
mod list_drains;
mod list_members;
mod list_operators;
mod list_schedulers;
mod list_stores;
mod merge_regions;
mod offline_store;
mod pause_scheduler;
mod remove_peer;
mod resume_scheduler;
mod rolling_drain;
mod scatter_region;
mod set_leader_schedule_limit;
mod set_low_space_threshold;
mod set_region_schedule_limit;
mod set_replica_schedule_limit;
mod set_store_limit;
mod split_region;
mod stop_drain;
mod transfer_leader;
mod transfer_pd_leader;
mod transfer_peer;
mod why;

mod admission;
mod cluster_text;
mod drain_blockers;
mod hot_regions;
mod in_force;
mod key_form;
mod key_range;
mod leader_target;
mod limit;
mod own_operator;
mod pd_time;
mod peer_change;
mod prometheus;
mod reasons;
mod region_facts;
mod schedule_item;
mod schedule_limit;
mod scheduler_name;
mod store_metrics;
