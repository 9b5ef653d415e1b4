//! Configuration, as far as it decides what PD schedules.
//!
//! PD shows the persisted values: an override with a time to live is in force without being seen.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::ids::StoreId;
use crate::lenient::{comma_list, null_is_default, optional_text_bool, text_bool};
use crate::stores::StoreLimit;
use crate::time::deserialize_duration;
use crate::transport::Call;

impl Client {
    /// How and how much PD schedules.
    ///
    /// `GET /config/schedule`, all versions.
    pub async fn schedule_config(&self) -> Result<ScheduleConfig, Error> {
        self.read(Call::point("/config/schedule")).await?.json()
    }

    /// How many replicas regions have, and where.
    ///
    /// `GET /config/replicate`, all versions.
    pub async fn replication_config(&self) -> Result<ReplicationConfig, Error> {
        self.read(Call::point("/config/replicate")).await?.json()
    }
}

/// How and how much PD schedules. Limits are operators at a time; 0 switches off.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ScheduleConfig {
    /// Leader operators of schedulers, drains included.
    pub leader_schedule_limit: u64,
    /// Region operators of schedulers.
    pub region_schedule_limit: u64,
    /// Operators that replace replicas of offline and down stores.
    pub replica_schedule_limit: u64,
    /// Merges.
    pub merge_schedule_limit: u64,
    /// Operators that spread hot regions.
    pub hot_region_schedule_limit: u64,
    /// Operators of one description that wait to be started.
    #[serde(default)]
    pub scheduler_max_waiting_operator: Option<u64>,
    /// A store with more snapshots in progress takes and gives no replica.
    #[serde(default)]
    pub max_snapshot_count: Option<u64>,
    /// A store with more lagging replicas takes none.
    #[serde(default)]
    pub max_pending_peer_count: Option<u64>,
    /// Regions larger than this are not merged, MiB.
    #[serde(default)]
    pub max_merge_region_size: Option<u64>,
    /// Regions with more keys than this are not merged; 0 is derived from the size.
    #[serde(default)]
    pub max_merge_region_keys: Option<u64>,
    /// Share of the disk in use above which a store counts as full, 0 to 1.
    pub low_space_ratio: f64,
    /// Share of the disk in use below which space does not count, 0 to 1.
    pub high_space_ratio: f64,
    /// How long a store is away before it counts as down.
    #[serde(default, deserialize_with = "deserialize_duration")]
    pub max_store_down_time: Option<Duration>,
    /// Whether leaders are balanced by `count` or by `size`.
    #[serde(default)]
    pub leader_schedule_policy: Option<String>,
    /// Whether all scheduling is switched off. Operators by request still run.
    #[serde(default, deserialize_with = "text_bool")]
    pub halt_scheduling: bool,
    /// Whether replicas move in one joint step.
    #[serde(default, deserialize_with = "optional_text_bool")]
    pub enable_joint_consensus: Option<bool>,
    /// How store limits work: `v1` or `v2`; absent before 7.1.
    #[serde(default)]
    pub store_limit_version: Option<String>,
    /// How fast replicas may be added to and removed from each store.
    #[serde(default, deserialize_with = "null_is_default")]
    pub store_limit: BTreeMap<StoreId, StoreLimit>,
    /// Every other item under PD's name for it.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// How many replicas regions have, and where.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ReplicationConfig {
    /// Replicas of each region, where no rule says otherwise.
    pub max_replicas: u64,
    /// Labels that name failure domains, the largest first.
    #[serde(default, deserialize_with = "comma_list")]
    pub location_labels: Vec<String>,
    /// The label of which no two replicas may share a value.
    #[serde(default)]
    pub isolation_level: String,
    /// Whether stores must have all location labels.
    #[serde(default, deserialize_with = "text_bool")]
    pub strictly_match_label: bool,
    /// Whether rules decide where replicas are.
    #[serde(default, deserialize_with = "text_bool")]
    pub enable_placement_rules: bool,
    /// Every other item under PD's name for it.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_text_and_labels_a_comma_list() {
        let config: ReplicationConfig = serde_json::from_str(
            r#"{"max-replicas":3,"location-labels":"zone,host","enable-placement-rules":"true","new":1}"#,
        )
        .unwrap();
        assert_eq!(config.location_labels, ["zone", "host"]);
        assert!(config.enable_placement_rules);
        assert!(!config.strictly_match_label);
        assert_eq!(config.rest["new"], 1);
    }
}
