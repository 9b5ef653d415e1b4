//! Configuration in force, as opposed to stored.

use std::collections::BTreeMap;

use pd_client::config::ScheduleConfig;
use serde_json::Value;

use crate::cluster::Tikv;
use crate::error::Error;

/// Where overrides are read: PD keeps them in its etcd and shows them nowhere else.
pub(crate) const OVERRIDES: &str = "POST /v3/kv/range (/config/ttl/)";

/// The overrides that are in force, by PD's full names.
pub(crate) struct Overrides(BTreeMap<String, Value>);

impl Overrides {
    /// What overrides an item of the schedule section.
    pub(crate) fn of(&self, name: &str) -> Option<&Value> {
        self.0.get(&format!("schedule.{name}"))
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// The overrides; `None` when PD's etcd could not be asked, which leaves open what is in force.
/// One read.
pub(crate) async fn overrides(tikv: &Tikv) -> Option<Overrides> {
    let found = tikv.pd.config_overrides().await.map_err(Error::Read).ok()?;
    Some(Overrides(found))
}

/// The number that overrides an item of the schedule section.
pub(crate) fn overriding(name: &str, overrides: Option<&Overrides>) -> Option<u64> {
    overrides?.of(name)?.as_u64()
}

/// A limit of the schedule section: what overrides it, or what is stored.
pub(crate) fn limit_in_force(name: &str, stored: u64, overrides: Option<&Overrides>) -> u64 {
    overriding(name, overrides).unwrap_or(stored)
}

/// What a plan says when overrides could not be read.
pub(crate) const NOT_READ: &str =
    "whether temporary overrides (TTL) change the limits in force: cannot read PD's etcd";

/// What is stored of an item that can be overridden and is a number.
pub(crate) fn stored(schedule: &ScheduleConfig, name: &str) -> Option<u64> {
    match name {
        "leader-schedule-limit" => Some(schedule.leader_schedule_limit),
        "region-schedule-limit" => Some(schedule.region_schedule_limit),
        "replica-schedule-limit" => Some(schedule.replica_schedule_limit),
        "merge-schedule-limit" => Some(schedule.merge_schedule_limit),
        "hot-region-schedule-limit" => Some(schedule.hot_region_schedule_limit),
        "max-snapshot-count" => schedule.max_snapshot_count,
        "max-pending-peer-count" => schedule.max_pending_peer_count,
        "max-merge-region-size" => schedule.max_merge_region_size,
        "max-merge-region-keys" => schedule.max_merge_region_keys,
        _ => schedule.rest.get(name).and_then(Value::as_u64),
    }
}

/// The items of `schedule` that can be overridden for a time. Before 9.0 limits of stores too,
/// which have other names.
pub(crate) const OVERRIDABLE: [&str; 13] = [
    "max-snapshot-count",
    "max-merge-region-size",
    "max-pending-peer-count",
    "max-merge-region-keys",
    "leader-schedule-limit",
    "region-schedule-limit",
    "replica-schedule-limit",
    "merge-schedule-limit",
    "hot-region-schedule-limit",
    "split-scatter-schedule-limit",
    "scheduler-max-waiting-operator",
    "enable-location-replacement",
    "enable-tikv-split-region",
];
