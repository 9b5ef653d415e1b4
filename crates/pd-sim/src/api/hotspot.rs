//! `/hotspot`: nothing is hot but what the test says is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::region::{HotFlow, Peer, Region};
use crate::errors;
use crate::gotext::rfc3339;

#[derive(Default, Serialize)]
struct Flow {
    store_bytes: u64,
    store_keys: u64,
    store_query: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_cpu: Option<u64>,
    total_flow_bytes: u64,
    total_flow_keys: u64,
    total_flow_query: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_flow_cpu: Option<u64>,
    regions_count: u64,
    statistics: Vec<Statistic>,
}

#[derive(Serialize)]
struct Statistic {
    store_id: u64,
    stores: Vec<u64>,
    is_leader: bool,
    is_learner: bool,
    region_id: u64,
    hot_degree: u64,
    flow_bytes: u64,
    flow_keys: u64,
    flow_query: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow_cpu: Option<u64>,
    anti_count: u64,
    last_update_time: String,
}

pub(super) fn regions(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        as_peer: BTreeMap<String, Flow>,
        as_leader: BTreeMap<String, Flow>,
    }
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let mut stores = Vec::new();
    for text in request.queries("store_id") {
        match text.parse::<u64>() {
            Err(_) => return Answer::message(400, &format!("invalid store id: {text}")),
            Ok(id) if !cluster.stores.contains_key(&id) => {
                let rows = cluster.rows();
                let status = if rows.prefixed_errors { 500 } else { 404 };
                return Answer::message(status, &errors::no_such_store(rows, id));
            }
            Ok(id) => stores.push(id),
        }
    }
    if stores.is_empty() {
        stores = cluster.stores.keys().copied().collect();
    }
    let is_read = request.segment(2) == "read";
    let flows = |leaders_only| -> BTreeMap<String, Flow> {
        stores
            .iter()
            .map(|id| (id.to_string(), flow(cluster, *id, is_read, leaders_only)))
            .collect()
    };
    Answer::ok(&Body {
        as_peer: flows(false),
        as_leader: flows(true),
    })
}

fn flow(cluster: &Cluster, store_id: u64, is_read: bool, leaders_only: bool) -> Flow {
    let cpu = cluster.rows().hot_cpu.then_some(0);
    let mut flow = Flow {
        store_cpu: cpu,
        total_flow_cpu: cpu,
        ..Flow::default()
    };
    for (region_id, hot) in &cluster.hot {
        let Some(region) = cluster.regions.get(*region_id) else {
            continue;
        };
        let Some(peer) = region.peer_on(store_id) else {
            continue;
        };
        let is_leader = region.leader == Some(store_id);
        // Reads are served by leaders; writes are applied by all.
        if hot.is_read != is_read || ((leaders_only || is_read) && !is_leader) {
            continue;
        }
        flow.total_flow_bytes += hot.bytes;
        flow.total_flow_keys += hot.keys;
        flow.total_flow_query += hot.queries;
        flow.regions_count += 1;
        flow.statistics.push(statistic(cluster, region, peer, hot));
    }
    flow.store_bytes = flow.total_flow_bytes;
    flow.store_keys = flow.total_flow_keys;
    flow.store_query = flow.total_flow_query;
    flow
}

fn statistic(cluster: &Cluster, region: &Region, peer: &Peer, hot: &HotFlow) -> Statistic {
    Statistic {
        store_id: peer.store_id,
        stores: region.peers.iter().map(|peer| peer.store_id).collect(),
        is_leader: region.leader == Some(peer.store_id),
        is_learner: !peer.is_voter(),
        region_id: region.id,
        hot_degree: hot.degree,
        flow_bytes: hot.bytes,
        flow_keys: hot.keys,
        flow_query: hot.queries,
        flow_cpu: cluster.rows().hot_cpu.then_some(0),
        anti_count: 3,
        last_update_time: rfc3339(cluster.now),
    }
}

pub(super) fn stores(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Body {
        bytes_write_rate: BTreeMap<String, u64>,
        bytes_read_rate: BTreeMap<String, u64>,
        keys_write_rate: BTreeMap<String, u64>,
        keys_read_rate: BTreeMap<String, u64>,
        query_write_rate: BTreeMap<String, u64>,
        query_read_rate: BTreeMap<String, u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cpu_read_rate: Option<BTreeMap<String, u64>>,
    }
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let zero: BTreeMap<String, u64> = cluster
        .stores
        .keys()
        .map(|id| (id.to_string(), 0))
        .collect();
    Answer::ok(&Body {
        bytes_write_rate: zero.clone(),
        bytes_read_rate: zero.clone(),
        keys_write_rate: zero.clone(),
        keys_read_rate: zero.clone(),
        query_write_rate: zero.clone(),
        query_read_rate: zero.clone(),
        cpu_read_rate: cluster.rows().hot_cpu.then_some(zero),
    })
}
