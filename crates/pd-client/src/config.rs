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

pub use changes::ConfigValue;

pub(crate) use changes::whole_seconds;

mod changes;
mod items;
mod overrides;

impl Client {
    /// All of the configuration. Where a follower answers, 8.5.5 and later, what is not of the
    /// cluster is its own.
    ///
    /// `GET /config`, all versions.
    pub async fn config(&self) -> Result<Config, Error> {
        self.read(Call::point("/config")).await?.json()
    }

    /// What the configuration of this PD would be if nothing had been set.
    ///
    /// `GET /config/default`, all versions.
    pub async fn default_config(&self) -> Result<Config, Error> {
        self.read(Call::point("/config/default")).await?.json()
    }

    /// How and how much PD schedules.
    ///
    /// `GET /config/schedule`, all versions.
    pub async fn schedule_config(&self) -> Result<ScheduleConfig, Error> {
        self.read(Call::point("/config/schedule")).await?.json()
    }
}

/// All of the configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Config {
    /// How and how much PD schedules.
    pub schedule: ScheduleConfig,
    /// How many replicas regions have, and where.
    pub replication: ReplicationConfig,
    /// The version that all stores have at least, without the `v`.
    #[serde(default)]
    pub cluster_version: Option<String>,
    /// Every other item under PD's name for it: `pd-server`, `log`, `replication-mode`, and the
    /// member's own.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

impl Config {
    /// An item by PD's full name for it, such as `schedule.leader-schedule-limit` or
    /// `pd-server.max-gap-reset-ts`, of those that have no field here.
    #[must_use]
    pub fn other(&self, name: &str) -> Option<&Value> {
        let (section, name) = name.split_once('.').unwrap_or((name, ""));
        match (section, name) {
            ("schedule", name) => self.schedule.rest.get(name),
            ("replication", name) => self.replication.rest.get(name),
            (section, "") => self.rest.get(section),
            (section, name) => self.rest.get(section)?.get(name),
        }
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
    /// Operators that turn replicas into witnesses and back; absent before 7.1.
    #[serde(default)]
    pub witness_schedule_limit: Option<u64>,
    /// Operators that bring regions of one affinity group together, 8.5.5 and later.
    #[serde(default)]
    pub affinity_schedule_limit: Option<u64>,
    /// Operators that scatter what was split, 8.5.7 and later.
    #[serde(default)]
    pub split_scatter_schedule_limit: Option<u64>,
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
    /// How much two stores may differ before one counts as fuller; 0 lets PD choose.
    #[serde(default)]
    pub tolerant_size_ratio: Option<f64>,
    /// Heartbeats in a row after which a busy region counts as hot.
    #[serde(default)]
    pub hot_region_cache_hits_threshold: Option<u64>,
    /// How long regions are not merged after a split.
    #[serde(default, deserialize_with = "deserialize_duration")]
    pub split_merge_interval: Option<Duration>,
    /// How long PD rests between batches of regions it checks.
    #[serde(default, deserialize_with = "deserialize_duration")]
    pub patrol_region_interval: Option<Duration>,
    /// How many regions PD checks at a time, 8.5 and later.
    #[serde(default)]
    pub patrol_region_worker_count: Option<u64>,
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
    /// Whether replicas on stores that are down are removed.
    #[serde(default, deserialize_with = "optional_text_bool")]
    pub enable_remove_down_replica: Option<bool>,
    /// Whether replicas on stores that are offline are replaced.
    #[serde(default, deserialize_with = "optional_text_bool")]
    pub enable_replace_offline_replica: Option<bool>,
    /// Whether missing replicas are made.
    #[serde(default, deserialize_with = "optional_text_bool")]
    pub enable_make_up_replica: Option<bool>,
    /// Whether replicas too many are removed.
    #[serde(default, deserialize_with = "optional_text_bool")]
    pub enable_remove_extra_replica: Option<bool>,
    /// Whether replicas are moved to be apart as the location labels say.
    #[serde(default, deserialize_with = "optional_text_bool")]
    pub enable_location_replacement: Option<bool>,
    /// Whether regions merge only with the one after them.
    #[serde(default, deserialize_with = "optional_text_bool")]
    pub enable_one_way_merge: Option<bool>,
    /// Whether regions of different tables merge.
    #[serde(default, deserialize_with = "optional_text_bool")]
    pub enable_cross_table_merge: Option<bool>,
    /// Whether TiKV may split regions by itself.
    #[serde(default, deserialize_with = "optional_text_bool")]
    pub enable_tikv_split_region: Option<bool>,
    /// Whether schedulers say why they do nothing.
    #[serde(default, deserialize_with = "optional_text_bool")]
    pub enable_diagnostic: Option<bool>,
    /// How store limits work: `v1` or `v2`; absent before 7.1.
    #[serde(default)]
    pub store_limit_version: Option<String>,
    /// The store limit of stores that join; only PD after 8.5 says.
    #[serde(default)]
    pub default_store_limit: Option<StoreLimit>,
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
