//! Reading stores.

use std::time::Duration;

use serde::Serialize;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::store::{Store, StoreState};
use crate::errors;
use crate::gotext::{GoFloat, go_duration, human_size, rfc3339};

#[derive(Serialize)]
struct StoreBody<'a> {
    store: Meta<'a>,
    status: Status,
}

#[derive(Serialize)]
struct Meta<'a> {
    id: u64,
    address: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    state: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<Label<'a>>,
    version: &'a str,
    #[serde(skip_serializing_if = "is_zero_seconds")]
    start_timestamp: i64,
    last_heartbeat: i64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    physically_destroyed: bool,
    #[serde(skip_serializing_if = "is_zero")]
    node_state: u8,
    state_name: &'static str,
}

#[derive(Serialize)]
pub(super) struct Label<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    value: &'a str,
}

impl Label<'_> {
    /// PD tells labels apart without regard to case.
    pub(super) fn folded(&self) -> (String, String) {
        (self.key.to_lowercase(), self.value.to_lowercase())
    }
}

#[derive(Serialize)]
struct Status {
    capacity: String,
    available: String,
    used_size: String,
    leader_count: u64,
    leader_weight: GoFloat,
    leader_score: GoFloat,
    leader_size: i64,
    region_count: u64,
    region_weight: GoFloat,
    region_score: GoFloat,
    region_size: i64,
    #[serde(skip_serializing_if = "is_none")]
    learner_count: u64,
    #[serde(skip_serializing_if = "is_none")]
    pending_peer_count: u64,
    start_ts: String,
    last_heartbeat_ts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uptime: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pause_leader_transfer_in: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pause_leader_transfer_out: bool,
}

fn is_zero(value: &u8) -> bool {
    *value == 0
}

fn is_zero_seconds(value: &i64) -> bool {
    *value == 0
}

fn is_none(value: &u64) -> bool {
    *value == 0
}

fn body<'a>(cluster: &Cluster, store: &'a Store) -> StoreBody<'a> {
    let held = cluster.shown_holdings(store.id);
    let (state, node_state) = match store.state {
        StoreState::Up => (0, 1),
        StoreState::Offline => (1, 2),
        StoreState::Tombstone => (2, 3),
    };
    let uptime = store.last_heartbeat.since(store.started);
    let is_heard = cluster.is_heard(store.id);
    let reported = |bytes: u64| human_size(if is_heard { bytes } else { 0 });
    let low_space_ratio = cluster.config.float("low-space-ratio");
    StoreBody {
        store: Meta {
            id: store.id,
            address: &store.address,
            state,
            labels: labels_of(store),
            version: &store.version,
            start_timestamp: store.started.unix_seconds(),
            last_heartbeat: store.last_heartbeat.unix_nanos(),
            physically_destroyed: store.physically_destroyed,
            node_state,
            state_name: store
                .state_name(cluster.now, cluster.config.duration("max-store-down-time")),
        },
        status: Status {
            capacity: reported(store.capacity),
            available: reported(store.available()),
            used_size: reported(store.used),
            leader_count: held.leaders,
            leader_weight: GoFloat(store.leader_weight),
            leader_score: GoFloat(held.leaders as f64 / store.leader_weight.max(1e-6)),
            leader_size: held.leader_size,
            region_count: held.regions,
            region_weight: GoFloat(store.region_weight),
            region_score: GoFloat(store.region_score(held.region_size, low_space_ratio)),
            region_size: held.region_size,
            learner_count: held.learners,
            pending_peer_count: held.pending,
            start_ts: rfc3339(store.started),
            last_heartbeat_ts: rfc3339(store.last_heartbeat),
            uptime: (uptime > Duration::ZERO).then(|| go_duration(uptime)),
            pause_leader_transfer_in: cluster.rows().shows_leader_pause
                && cluster.schedulers.pauses_leader_transfer_to(store.id),
            pause_leader_transfer_out: cluster.rows().shows_leader_pause
                && cluster.schedulers.pauses_leader_transfer_from(store.id),
        },
    }
}

pub(super) fn labels_of(store: &Store) -> Vec<Label<'_>> {
    store
        .labels
        .iter()
        .map(|(key, value)| Label { key, value })
        .collect()
}

pub(super) fn answer(cluster: &Cluster, wanted: impl Fn(&Store) -> bool) -> Answer {
    #[derive(Serialize)]
    struct Body<'a> {
        count: usize,
        stores: Vec<StoreBody<'a>>,
    }
    let stores: Vec<StoreBody<'_>> = cluster
        .stores
        .values()
        .filter(|store| wanted(store))
        .map(|store| body(cluster, store))
        .collect();
    Answer::ok(&Body {
        count: stores.len(),
        stores,
    })
}

pub(super) fn list(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let mut states = Vec::new();
    for text in request.queries("state") {
        states.push(match text.parse::<u32>() {
            Ok(0) => StoreState::Up,
            Ok(1) => StoreState::Offline,
            Ok(2) => StoreState::Tombstone,
            Ok(other) => return Answer::message(500, &format!("unknown StoreState: {other}")),
            Err(_) => return Answer::message(500, &errors::not_a_number("Atoi", text)),
        });
    }
    if states.is_empty() {
        states = vec![StoreState::Up, StoreState::Offline];
    }
    answer(cluster, |store| states.contains(&store.state))
}

pub(super) fn check(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    const NAMES: [&str; 5] = ["up", "offline", "tombstone", "disconnected", "down"];
    if !cluster.rows().stores_by_name {
        return Answer::not_found();
    }
    let wanted: Vec<String> = request
        .queries("state")
        .map(str::to_ascii_lowercase)
        .collect();
    if let Some(unknown) = wanted.iter().find(|name| !NAMES.contains(&name.as_str())) {
        return Answer::message(400, &format!("unknown StoreState: {unknown}"));
    }
    let max_down_time = cluster.config.duration("max-store-down-time");
    answer(cluster, |store| {
        let name = store.state_name(cluster.now, max_down_time);
        wanted.is_empty()
            || wanted
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(name))
    })
}

pub(super) fn one(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let store_id = match request.store_id(1) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    match cluster.stores.get(&store_id) {
        None => Answer::message(404, &errors::no_such_store(cluster.rows(), store_id)),
        Some(store) => Answer::ok(&body(cluster, store)),
    }
}
