//! `/config`: reading the configuration.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::api::answer::{Answer, Nothing};
use crate::api::request::Request;
use crate::api::store_limits::{LimitBody, limit_map};
use crate::cluster::Cluster;
use crate::cluster::config::{
    Config, HALT_SCHEDULING, Item, Items, SCHEDULERS_COME_BEFORE, STORE_LIMIT_COMES_BEFORE,
};
use crate::cluster::schedulers::Schedulers;
use crate::cluster::store::Limits;
use crate::gotext::GoFloat;

struct ScheduleBody<'a> {
    cluster: &'a Cluster,
    config: &'a Config,
    schedulers: &'a Schedulers,
    /// Those that are stored and not loaded yet.
    stored: Option<&'a Schedulers>,
    limits: Limits,
    /// A configuration that was never in force knows no stores.
    is_default: bool,
}

impl<'a> ScheduleBody<'a> {
    fn of(cluster: &'a Cluster) -> Self {
        Self {
            cluster,
            config: &cluster.config,
            schedulers: &cluster.schedulers,
            stored: cluster.stored_schedulers(),
            limits: cluster.default_limits,
            is_default: false,
        }
    }
}

struct ItemsBody<'a>(&'a Items);

#[derive(serde::Serialize)]
#[serde(rename_all = "kebab-case")]
struct SchedulerEntry {
    r#type: String,
    args: Option<()>,
    disable: bool,
    args_payload: &'static str,
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Uint(value) => serializer.serialize_u64(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => GoFloat(*value).serialize(serializer),
            Self::Bool(value) => serializer.serialize_str(if *value { "true" } else { "false" }),
            Self::Duration(text) | Self::Text(text) | Self::Words(text) => {
                serializer.serialize_str(text)
            }
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Ids(ids) => ids.serialize(serializer),
        }
    }
}

impl Serialize for ScheduleBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let rows = self.cluster.rows();
        for (name, item) in &self.config.schedule {
            if *name == STORE_LIMIT_COMES_BEFORE {
                if rows.default_store_limit {
                    map.serialize_entry("default-store-limit", &LimitBody::from(self.limits))?;
                }
                if self.is_default {
                    map.serialize_entry("store-limit", &Nothing {})?;
                } else {
                    map.serialize_entry("store-limit", &limit_map(self.cluster, true))?;
                }
            }
            if *name == SCHEDULERS_COME_BEFORE {
                map.serialize_entry(
                    "schedulers-v2",
                    &scheduler_entries(self.schedulers, self.stored),
                )?;
                for (name, value) in rows.after_schedulers {
                    map.serialize_entry(name, value)?;
                }
            }
            if *name != HALT_SCHEDULING || *item == Item::Bool(true) {
                map.serialize_entry(name, item)?;
            }
        }
        map.end()
    }
}

impl Serialize for ItemsBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, item)| (name, item)))
    }
}

/// The persisted schedulers, under the short names PD stores.
fn scheduler_entries(schedulers: &Schedulers, stored: Option<&Schedulers>) -> Vec<SchedulerEntry> {
    let entry = |name: &String, disable| SchedulerEntry {
        r#type: match name.trim_end_matches("-scheduler") {
            "balance-hot-region" => "hot-region".to_owned(),
            name if name.starts_with("scatter-range-") => "scatter-range".to_owned(),
            other => other.to_owned(),
        },
        args: None,
        disable,
        args_payload: "",
    };
    let stored = stored.into_iter().flat_map(|stored| &stored.names);
    let running = stored.chain(&schedulers.names);
    let running = running.map(|name| entry(name, false));
    running
        .chain(schedulers.disabled.iter().map(|name| entry(name, true)))
        .collect()
}

/// What is simulated of the whole configuration, in PD's order.
#[derive(serde::Serialize)]
#[serde(rename_all = "kebab-case")]
struct Whole<'a> {
    client_urls: &'a str,
    peer_urls: &'a str,
    advertise_client_urls: &'a str,
    advertise_peer_urls: &'a str,
    name: &'a str,
    log: Log<'a>,
    schedule: ScheduleBody<'a>,
    replication: ItemsBody<'a>,
    pd_server: ItemsBody<'a>,
    cluster_version: &'a str,
    label_property: Nothing,
    replication_mode: ReplicationMode<'a>,
}

#[derive(serde::Serialize)]
struct Log<'a> {
    level: &'a str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "kebab-case")]
struct ReplicationMode<'a> {
    replication_mode: &'a str,
    dr_auto_sync: DrAutoSync,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "kebab-case")]
struct DrAutoSync {
    label_key: &'static str,
    primary: &'static str,
    dr: &'static str,
    primary_replicas: u64,
    dr_replicas: u64,
    wait_store_timeout: &'static str,
    wait_recover_timeout: &'static str,
    pause_region_split: &'static str,
}

const MAJORITY: ReplicationMode<'static> = ReplicationMode {
    replication_mode: "majority",
    dr_auto_sync: DrAutoSync {
        label_key: "",
        primary: "",
        dr: "",
        primary_replicas: 0,
        dr_replicas: 0,
        wait_store_timeout: "1m0s",
        wait_recover_timeout: "0s",
        pause_region_split: "false",
    },
};

pub(super) fn all(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    let member = cluster.members.leader();
    let (client, peer) = member.map_or(("", ""), |m| (&*m.client_url, &*m.peer_url));
    Answer::ok(&Whole {
        client_urls: client,
        peer_urls: peer,
        advertise_client_urls: client,
        advertise_peer_urls: peer,
        name: member.map_or("", |member| &member.name),
        log: Log {
            level: &cluster.config.log_level,
        },
        schedule: ScheduleBody::of(cluster),
        replication: ItemsBody(&cluster.config.replication),
        pd_server: ItemsBody(&cluster.config.pd_server),
        cluster_version: &cluster.config.cluster_version,
        label_property: Nothing {},
        replication_mode: MAJORITY,
    })
}

/// What the configuration would be if nobody had changed it.
pub(super) fn defaults(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    let rows = cluster.rows();
    let config = Config::new(rows);
    Answer::ok(&Whole {
        client_urls: "http://127.0.0.1:2379",
        peer_urls: "http://127.0.0.1:2380",
        advertise_client_urls: "http://127.0.0.1:2379",
        advertise_peer_urls: "http://127.0.0.1:2380",
        name: "pd",
        log: Log { level: "info" },
        schedule: ScheduleBody {
            cluster,
            config: &config,
            schedulers: &Schedulers::new(rows),
            stored: None,
            limits: Limits::DEFAULT,
            is_default: true,
        },
        replication: ItemsBody(&config.replication),
        pd_server: ItemsBody(&config.pd_server),
        cluster_version: "0.0.0",
        label_property: Nothing {},
        replication_mode: MAJORITY,
    })
}

pub(super) fn schedule(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    Answer::ok(&ScheduleBody::of(cluster))
}

pub(super) fn replication(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    Answer::ok(&ItemsBody(&cluster.config.replication))
}
