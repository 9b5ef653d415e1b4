//! Drains in force, and where they are read.

use pd_client::schedulers::EvictLeaderConfig;

use crate::parameters::ids::StoreId;

/// Where drains are read.
pub(crate) const DRAINS: &str = "GET /pd/api/v1/scheduler-config/evict-leader-scheduler/list";

pub(crate) fn is_draining(drains: Option<&EvictLeaderConfig>, store_id: StoreId) -> bool {
    drains.is_some_and(|drains| drains.stores.contains_key(&store_id.pd()))
}

/// What a drain is known by in a journal.
pub(crate) fn effect(store_id: pd_client::StoreId) -> String {
    format!("evict-leader/{store_id}")
}
