//! What only reads, one file for each action and what it gives.
//!
//! An observation itself is short, 60 lines at most: parameters, checks, reading. What makes some
//! of these files longer are the types of their answers, whose documentation is what callers read.

pub use check_invariants::Invariants;
pub use check_invariants::thresholds::CheckInvariants;
pub use check_invariants::violation::{SinceSource, Violation};
pub use cluster_health::{ClusterHealth, Health};
pub use doctor::Doctor;
pub use doctor::leftovers::Leftovers;
pub use find_region::{FindRegion, FoundRegion, KeyEncoding, KeyForm};
pub use get_cluster_metrics::{ClusterMetrics, GetClusterMetrics};
pub use get_config::{ConfigItem, ConfigView, GetConfig};
pub use get_region::{GetRegion, PeerView, RegionView};
pub use get_store::{GetStore, OneStore};
pub use get_store_metrics::{GetStoreMetrics, OneStoreMetrics};
pub use hot_regions::{HotBy, HotReadRegions, HotRegionList, HotRegionView, HotWriteRegions};
pub use list_drains::{Drain, Drains, ListDrains};
pub use list_members::{ListMembers, MemberList, MemberView};
pub use list_operators::{DescCount, ListOperators, OperatorView, Operators};
pub use list_regions::{ListRegions, RegionRow, RegionState, Regions};
pub use list_schedulers::{ListSchedulers, SchedulerState, SchedulerView, Schedulers};
pub use list_stores::{ListStores, StoreView, Stores};
pub use reasons::{REASONS, Reason};
pub use reasons_page::reasons_page;
pub use safe_to_stop::SafeToStop;
pub use scan_safe_to_stop::ScanSafeToStop;
pub use store_metrics::StoreMetrics;
pub use why::Explanation;
pub use why::question::{Moving, Why};

pub(crate) mod check_invariants;
pub(crate) mod cluster_health;
pub(crate) mod doctor;
pub(crate) mod find_region;
pub(crate) mod findings;
pub(crate) mod get_cluster_metrics;
pub(crate) mod get_config;
pub(crate) mod get_region;
pub(crate) mod get_store;
pub(crate) mod get_store_metrics;
pub(crate) mod hot_regions;
pub(crate) mod left_on_store;
pub(crate) mod list_drains;
pub(crate) mod list_members;
pub(crate) mod list_operators;
pub(crate) mod list_regions;
pub(crate) mod list_schedulers;
pub(crate) mod list_stores;
pub(crate) mod reasons;
mod reasons_page;
pub(crate) mod safe_to_stop;
pub(crate) mod scan_safe_to_stop;
pub(crate) mod store_metrics;
pub(crate) mod why;
