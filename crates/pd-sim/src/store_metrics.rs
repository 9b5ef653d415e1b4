//! A store's `/metrics`, for Prometheus: served at `/sim/stores/{id}/metrics` of every member.
//!
//! Real stores serve theirs at their status address. The names are TiKV's; of its hundreds of
//! families there are those that operating looks at.

use std::fmt::Write as _;
use std::time::Duration;

use crate::api::answer::Answer;
use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::store::{Store, StoreState};
use crate::sim::Sim;

/// What a store is busy with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoreLoad {
    /// Reads and writes together.
    pub queries_per_second: f64,
    /// What one query in a hundred takes or exceeds; most take a quarter of it.
    pub p99: Duration,
    /// How many Raft log entries a follower is behind, in the mean.
    pub raft_log_lag: f64,
    /// Processor cores in use.
    pub cpu_cores: f64,
}

impl Default for StoreLoad {
    fn default() -> Self {
        Self {
            queries_per_second: 0.0,
            p99: Duration::from_millis(4),
            raft_log_lag: 0.0,
            cpu_cores: 0.1,
        }
    }
}

/// What has been counted since the store started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counters {
    load: StoreLoad,
    /// The load holds since then; what was before is counted already.
    since: Time,
    fast: f64,
    slow: f64,
    fast_seconds: f64,
    slow_seconds: f64,
    cpu_seconds: f64,
    /// Slow queries were in this bucket when they were counted.
    slow_bucket: Duration,
}

/// Of a hundred queries these are fast.
const FAST_SHARE: f64 = 0.985;

impl Counters {
    pub(crate) fn new(now: Time) -> Self {
        let load = StoreLoad::default();
        Self {
            load,
            since: now,
            fast: 0.0,
            slow: 0.0,
            fast_seconds: 0.0,
            slow_seconds: 0.0,
            cpu_seconds: 0.0,
            slow_bucket: load.p99,
        }
    }

    fn at(mut self, now: Time) -> Self {
        let seconds = now.since(self.since).as_secs_f64();
        let queries = self.load.queries_per_second * seconds;
        let p99 = self.load.p99.as_secs_f64();
        self.fast += queries * FAST_SHARE;
        self.slow += queries * (1.0 - FAST_SHARE);
        self.fast_seconds += queries * FAST_SHARE * p99 / 4.0;
        self.slow_seconds += queries * (1.0 - FAST_SHARE) * p99;
        self.cpu_seconds += self.load.cpu_cores * seconds;
        self.slow_bucket = self.load.p99;
        self.since = now;
        self
    }
}

impl Sim {
    /// Sets what a store is busy with from now on, for its metrics to count.
    pub fn set_store_load(&self, store_id: u64, load: StoreLoad) {
        self.with(|cluster| {
            let now = cluster.now;
            if let Some(store) = cluster.stores.get_mut(&store_id) {
                store.counters = Counters {
                    load,
                    ..store.counters.at(now)
                };
            }
        });
    }

    /// Where a store's metrics are.
    pub fn metrics_url(&self, store_id: u64) -> String {
        format!("{}/sim/stores/{store_id}/metrics", self.endpoint())
    }
}

/// The store that the path asks the metrics of.
pub(crate) fn asked_for(path: &str) -> Option<&str> {
    path.strip_prefix("/sim/stores/")?.strip_suffix("/metrics")
}

pub(crate) fn answer(cluster: &Cluster, store_id: &str) -> Answer {
    let store = store_id
        .parse::<u64>()
        .ok()
        .and_then(|id| cluster.stores.get(&id))
        .filter(|store| store.state != StoreState::Tombstone && !store.stuck);
    match store {
        Some(store) => {
            let content_type = "text/plain; version=0.0.4";
            Answer::of(200, Some(content_type), text(cluster, store).into_bytes())
        }
        None => Answer::not_found(),
    }
}

// length: one family after the other, as they are written.
fn text(cluster: &Cluster, store: &Store) -> String {
    let counted = store.counters.at(cluster.now);
    let held = cluster.regions.held_by(store.id);
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, samples: &[(String, f64)]| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "# TYPE {name} {kind}");
        for (sample, value) in samples {
            let _ = writeln!(text, "{sample} {value}");
        }
    };
    let sample = |name: &str, value: f64| (name.to_owned(), value);
    family(
        "tikv_store_size_bytes",
        "gauge",
        &[
            sample(
                "tikv_store_size_bytes{type=\"capacity\"}",
                store.capacity as f64,
            ),
            sample(
                "tikv_store_size_bytes{type=\"available\"}",
                store.available() as f64,
            ),
            sample("tikv_store_size_bytes{type=\"used\"}", store.used as f64),
        ],
    );
    family(
        "tikv_raftstore_region_count",
        "gauge",
        &[
            sample(
                "tikv_raftstore_region_count{type=\"leader\"}",
                held.leaders as f64,
            ),
            sample(
                "tikv_raftstore_region_count{type=\"region\"}",
                held.regions as f64,
            ),
        ],
    );
    family(
        "tikv_grpc_msg_duration_seconds",
        "histogram",
        &latencies(&counted),
    );
    family(
        "tikv_raftstore_log_lag",
        "histogram",
        &lags(&counted, held.regions),
    );
    family(
        "process_cpu_seconds_total",
        "counter",
        &[sample("process_cpu_seconds_total", counted.cpu_seconds)],
    );
    let started = store.started.unix_seconds() as f64;
    family(
        "process_start_time_seconds",
        "gauge",
        &[sample("process_start_time_seconds", started)],
    );
    text
}

/// TiKV's buckets: from 50 µs, each twice the one before.
fn latencies(counted: &Counters) -> Vec<(String, f64)> {
    const NAME: &str = "tikv_grpc_msg_duration_seconds";
    let slow_at = counted.slow_bucket.as_secs_f64();
    let within = |bound: f64| {
        let fast = if slow_at / 4.0 <= bound {
            counted.fast
        } else {
            0.0
        };
        let slow = if slow_at <= bound { counted.slow } else { 0.0 };
        (fast + slow).floor()
    };
    let mut bound = 0.000_05;
    let mut samples = Vec::new();
    for _ in 0..22 {
        let bucket = format!("{NAME}_bucket{{type=\"kv_get\",le=\"{bound}\"}}");
        samples.push((bucket, within(bound)));
        bound *= 2.0;
    }
    let all = (counted.fast + counted.slow).floor();
    let sum = counted.fast_seconds + counted.slow_seconds;
    samples.push((format!("{NAME}_bucket{{type=\"kv_get\",le=\"+Inf\"}}"), all));
    samples.push((format!("{NAME}_sum{{type=\"kv_get\"}}"), sum));
    samples.push((format!("{NAME}_count{{type=\"kv_get\"}}"), all));
    samples
}

/// One observation a region.
fn lags(counted: &Counters, regions: u64) -> Vec<(String, f64)> {
    const NAME: &str = "tikv_raftstore_log_lag";
    let (lag, count) = (counted.load.raft_log_lag, regions as f64);
    let mut samples = Vec::new();
    let mut bound = 2.0;
    for _ in 0..12 {
        let within = if lag <= bound { count } else { 0.0 };
        samples.push((format!("{NAME}_bucket{{le=\"{bound}\"}}"), within));
        bound *= 2.0;
    }
    samples.push((format!("{NAME}_bucket{{le=\"+Inf\"}}"), count));
    samples.push((format!("{NAME}_sum"), lag * count));
    samples.push((format!("{NAME}_count"), count));
    samples
}
