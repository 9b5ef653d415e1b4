//! Configuration in force, as opposed to stored.

use pd_client::config::ScheduleConfig;
use pd_client::gauges::Gauges;
use serde_json::Value;

use crate::cluster::Tikv;
use crate::error::Error;

/// Where the values in force are read.
pub(crate) const GAUGES: &str = "GET /metrics";

/// An item of which another value is in force than the one stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Override {
    /// PD's name for it.
    pub(crate) name: &'static str,
    pub(crate) stored: u64,
    pub(crate) in_force: u64,
}

/// What PD's leader counts; `None` when its own address cannot be reached or it has not counted
/// yet, which leaves open what is in force.
pub(crate) async fn gauges(tikv: &Tikv) -> Option<Gauges> {
    let gauges = tikv.pd.gauges().await.map_err(Error::Read).ok()?;
    (!gauges.config.is_empty()).then_some(gauges)
}

/// The items that can be overridden and that PD's leader publishes, as stored.
pub(crate) fn stored(schedule: &ScheduleConfig) -> Vec<(&'static str, u64)> {
    let always = [
        ("leader-schedule-limit", schedule.leader_schedule_limit),
        ("region-schedule-limit", schedule.region_schedule_limit),
        ("replica-schedule-limit", schedule.replica_schedule_limit),
        ("merge-schedule-limit", schedule.merge_schedule_limit),
        (
            "hot-region-schedule-limit",
            schedule.hot_region_schedule_limit,
        ),
    ];
    let sometimes = [
        ("max-snapshot-count", schedule.max_snapshot_count),
        ("max-pending-peer-count", schedule.max_pending_peer_count),
        ("max-merge-region-size", schedule.max_merge_region_size),
        // Derived from the size when it is 0, and then another number is in force.
        (
            "max-merge-region-keys",
            schedule.max_merge_region_keys.filter(|keys| *keys > 0),
        ),
    ];
    let sometimes = sometimes.into_iter();
    let mut items = always.to_vec();
    items.extend(sometimes.filter_map(|(name, value)| Some((name, value?))));
    items
}

/// The value in force of an item.
pub(crate) fn value_in_force(name: &str, gauges: Option<&Gauges>) -> Option<u64> {
    let value = *gauges?.config.get(name)?;
    // Whole numbers up to far beyond any limit.
    (value >= 0.0 && value.fract() == 0.0 && value < 9.0e15).then_some(value as u64)
}

/// The items of which another value is in force than the one stored.
pub(crate) fn overrides(schedule: &ScheduleConfig, gauges: Option<&Gauges>) -> Vec<Override> {
    let items = stored(schedule).into_iter();
    items
        .filter_map(|(name, stored)| {
            let in_force = value_in_force(name, gauges)?;
            (in_force != stored).then_some(Override {
                name,
                stored,
                in_force,
            })
        })
        .collect()
}

/// The items of `schedule` that can be overridden for a time. Before 9.0 limits of stores too,
/// which PD's leader publishes under other names.
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

/// Whether a published value says that another one is in force than the one stored.
pub(crate) fn is_overridden(name: &str, stored: &Value, published: Option<f64>) -> bool {
    let Some((stored, published)) = stored.as_f64().zip(published) else {
        return false;
    };
    // Derived from the size when it is 0, and then another number is in force.
    let is_derived = name == "max-merge-region-keys" && stored == 0.0;
    OVERRIDABLE.contains(&name) && !is_derived && (stored - published).abs() > f64::EPSILON
}
