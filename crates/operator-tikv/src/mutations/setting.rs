//! Changes of PD's settings.

pub(crate) mod schedule_setting;
pub(crate) mod set_leader_schedule_limit;
pub(crate) mod set_low_space_threshold;
pub(crate) mod set_region_schedule_limit;
pub(crate) mod set_replica_schedule_limit;
pub(crate) mod set_store_limit;
