//! What only reads, one file for each action and what it gives.

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
pub(crate) mod list_drains;
pub(crate) mod list_members;
pub(crate) mod list_operators;
pub(crate) mod list_schedulers;
pub(crate) mod list_stores;
pub(crate) mod reasons;
pub(crate) mod store_metrics;
pub(crate) mod why;
