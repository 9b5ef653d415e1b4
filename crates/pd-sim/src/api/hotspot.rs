//! `/hotspot`: nothing is hot here.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::errors;

#[derive(Clone, Copy, Default, Serialize)]
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
    statistics: [(); 0],
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
                return Answer::message(500, &errors::store_not_found(id));
            }
            Ok(id) => stores.push(id),
        }
    }
    if stores.is_empty() {
        stores = cluster.stores.keys().copied().collect();
    }
    let cpu = cluster.rows().hot_cpu.then_some(0);
    let none = Flow {
        store_cpu: cpu,
        total_flow_cpu: cpu,
        ..Flow::default()
    };
    let flows: BTreeMap<String, Flow> = stores
        .into_iter()
        .map(|id| (id.to_string(), none))
        .collect();
    Answer::ok(&Body {
        as_peer: flows.clone(),
        as_leader: flows,
    })
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
