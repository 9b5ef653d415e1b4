//! Sums over regions: histograms, holes, statistics of a range, whether all is replicated.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::region::Region;
use crate::errors;

#[derive(Serialize)]
struct Bar {
    start: i64,
    end: i64,
    count: usize,
}

pub(super) fn size_histogram(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    histogram(cluster, request, 1, |region| region.size)
}

pub(super) fn keys_histogram(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    histogram(cluster, request, 1_000, |region| region.keys)
}

fn histogram(
    cluster: &Cluster,
    request: &Request<'_>,
    least: i64,
    of: fn(&Region) -> i64,
) -> Answer {
    let bound = match request.query("bound").unwrap_or_default() {
        "" => least,
        text => match text.parse::<i64>() {
            Ok(bound) => bound.max(least),
            Err(_) => return Answer::message(400, &errors::not_a_number("Atoi", text)),
        },
    };
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for region in cluster.regions.iter() {
        *counts.entry(of(region) / bound).or_default() += 1;
    }
    let bars: Vec<Bar> = counts
        .into_iter()
        .map(|(index, count)| Bar {
            start: index * bound,
            end: (index + 1) * bound - 1,
            count,
        })
        .collect();
    Answer::ok(&bars)
}

/// The simulated regions leave none.
pub(super) fn range_holes(_: &mut Cluster, _: &Request<'_>) -> Answer {
    Answer::ok(&Vec::<[String; 2]>::new())
}

pub(super) fn replicated(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let (Some(start), Some(end)) = (request.query("startKey"), request.query("endKey")) else {
        return Answer::not_found();
    };
    let keys = errors::go_hex(start).and_then(|start| Ok((start, errors::go_hex(end)?)));
    let (start, end) = match keys {
        Ok(keys) => keys,
        Err(text) => return Answer::message(400, &text),
    };
    let all_are = cluster
        .regions
        .scan_from(&start)
        .take_while(|region| end.is_empty() || *region.start_key < *end)
        .all(|region| cluster.is_replicated(region));
    Answer::message(200, if all_are { "REPLICATED" } else { "INPROGRESS" })
}

type ByStore = Option<BTreeMap<String, i64>>;

#[derive(Default, Serialize)]
struct Stats {
    count: usize,
    empty_count: usize,
    storage_size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_storage_size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_columnar_storage_size: Option<i64>,
    storage_keys: i64,
    store_leader_count: ByStore,
    store_peer_count: ByStore,
    store_leader_size: ByStore,
    store_leader_keys: ByStore,
    store_peer_size: ByStore,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_peer_keys: Option<ByStore>,
}

/// What a range holds. Its keys are raw.
pub(super) fn of_range(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let hex = |name: &str| -> String {
        let key = request.query_bytes(name).unwrap_or_default();
        key.iter().map(|byte| format!("{byte:02X}")).collect()
    };
    let (start, end) = (hex("start_key"), hex("end_key"));
    let only_counts = request.query("count").is_some();
    let mut stats = Stats {
        user_storage_size: cluster.rows().witness_schedulers.then_some(0),
        user_columnar_storage_size: cluster.rows().kv_sizes.then_some(0),
        // From 9.0 on left out when empty.
        store_peer_keys: (!cluster.rows().kv_sizes).then_some(None),
        ..Stats::default()
    };
    let regions = cluster
        .regions
        .scan_from(&start)
        .take_while(|region| end.is_empty() || *region.start_key < *end);
    for region in regions {
        stats.count += 1;
        if only_counts {
            continue;
        }
        stats.empty_count += usize::from(region.size <= 1);
        stats.storage_size += region.size;
        stats.storage_keys += region.keys;
        let add = |to: &mut ByStore, store_id: u64, value: i64| {
            let to = to.get_or_insert_default();
            *to.entry(store_id.to_string()).or_default() += value;
        };
        for peer in &region.peers {
            add(&mut stats.store_peer_count, peer.store_id, 1);
            add(&mut stats.store_peer_size, peer.store_id, region.size);
            let keys = stats.store_peer_keys.get_or_insert_default();
            add(keys, peer.store_id, region.keys);
        }
        if let Some(leader) = region.leader {
            add(&mut stats.store_leader_count, leader, 1);
            add(&mut stats.store_leader_size, leader, region.size);
            add(&mut stats.store_leader_keys, leader, region.keys);
        }
    }
    Answer::ok(&stats)
}
