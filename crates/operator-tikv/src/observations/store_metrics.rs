//! How a store is doing, in numbers.

// length: what is asked and shown has 21 fields, each with its unit or source.

use pd_client::StoreId;
use pd_client::hotspots::HotStores;
use pd_client::stores::Store;
use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::bounded_text::bounded;
use crate::facts::pd_clock::PdTime;
use crate::facts::prometheus::Readings;
use crate::facts::store::{state_text, used_share};
use crate::parameters::ids;

/// How a store is doing. A number that is absent is not known; it is not 0.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct StoreMetrics {
    /// The store.
    pub store_id: ids::StoreId,
    /// Where it is in its life, in PD's word.
    pub state: String,
    /// Regions it leads.
    pub leader_count: u64,
    /// Regions it holds a replica of.
    pub region_count: u64,
    /// Size of the regions it leads, MiB.
    pub leader_size_mib: i64,
    /// Size of the regions it holds a replica of, MiB.
    pub region_size_mib: i64,
    /// Size of its disk, bytes, exact to four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_bytes: Option<u64>,
    /// What is free of it, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_bytes: Option<u64>,
    /// How much of its disk is in use; from Prometheus if given, else as PD sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_used_percent: Option<f64>,
    /// Replicas on it that lag behind; PD 8.2 and later says.
    pub pending_replicas: u64,
    /// How slow it is by its own score, 1 to 100; from 80 on PD gives it no leaders.
    pub slow_score: u64,
    /// Seconds since PD last heard of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat_age_s: Option<u64>,
    /// Bytes written per second, by PD's own count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_bytes_per_s: Option<f64>,
    /// Bytes read per second, by PD's own count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_bytes_per_s: Option<f64>,
    /// Queries that write per second, by PD's own count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_queries_per_s: Option<f64>,
    /// Queries that read per second, by PD's own count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_queries_per_s: Option<f64>,
    /// Requests per second; from Prometheus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qps: Option<f64>,
    /// How long requests that write take, 99th percentile of the last minute; from Prometheus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_p99_ms: Option<f64>,
    /// How long requests that read take, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_p99_ms: Option<f64>,
    /// How many CPU cores it keeps busy; from Prometheus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_cores: Option<f64>,
    /// How many log entries its replicas lag behind, 99th percentile; from Prometheus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raft_lag_p99: Option<f64>,
}

impl StoreMetrics {
    pub(crate) fn of(
        store: &Store,
        hot: &HotStores,
        readings: &Readings,
        now: Option<PdTime>,
    ) -> Self {
        let status = &store.status;
        let heard = store.last_heartbeat.or(status.last_heartbeat_ts);
        let rate = |rates: &std::collections::BTreeMap<StoreId, f64>| rates.get(&store.id).copied();
        let numbers = readings.of(store).unwrap_or_default();
        let used = used_share(store).map(|share| share * 100.0);
        Self {
            store_id: store.id.into(),
            state: bounded(&state_text(&store.state_name)),
            leader_count: status.leader_count,
            region_count: status.region_count,
            leader_size_mib: status.leader_size,
            region_size_mib: status.region_size,
            capacity_bytes: status.capacity.bytes(),
            available_bytes: status.available.bytes(),
            disk_used_percent: numbers.disk_used_percent.or(used),
            pending_replicas: status.pending_peer_count,
            slow_score: status.slow_score,
            heartbeat_age_s: heard.and_then(|at| Some(now?.seconds_since(at))),
            write_bytes_per_s: rate(&hot.bytes_write_rate),
            read_bytes_per_s: rate(&hot.bytes_read_rate),
            write_queries_per_s: rate(&hot.query_write_rate),
            read_queries_per_s: rate(&hot.query_read_rate),
            qps: numbers.qps,
            write_p99_ms: numbers.write_p99_ms,
            read_p99_ms: numbers.read_p99_ms,
            cpu_cores: numbers.cpu_cores,
            raft_lag_p99: numbers.raft_lag_p99,
        }
    }
}
