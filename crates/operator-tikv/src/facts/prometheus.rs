//! What TiKV publishes to Prometheus, for all stores at once.

use std::collections::BTreeMap;

use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::facts::bounded_text::bounded;

/// Requests that write, in TiKV's words.
const WRITES: &str = "kv_prewrite|kv_commit|kv_pessimistic_lock|raw_put|raw_batch_put|raw_delete";
/// Requests that read.
const READS: &str = "kv_get|kv_batch_get|kv_scan|coprocessor|raw_get|raw_batch_get|raw_scan";

/// The 99th percentile of how long requests take, seconds.
fn p99(requests: &str) -> String {
    format!(
        "histogram_quantile(0.99, sum by (instance, le) \
         (rate(tikv_grpc_msg_duration_seconds_bucket{{type=~\"{requests}\"}}[1m])))"
    )
}

/// The 99th percentile of how long requests that write take, seconds.
pub(crate) fn write_p99() -> String {
    p99(WRITES)
}

/// The numbers of one store.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Numbers {
    pub(crate) qps: Option<f64>,
    pub(crate) write_p99_ms: Option<f64>,
    pub(crate) read_p99_ms: Option<f64>,
    pub(crate) cpu_cores: Option<f64>,
    pub(crate) disk_used_percent: Option<f64>,
    pub(crate) raft_lag_p99: Option<f64>,
}

/// The numbers of all stores, by the address of their own HTTP server, and what could not be read.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    by_instance: BTreeMap<String, Numbers>,
    pub(crate) unknown: Vec<String>,
}

type Put = fn(&mut Numbers, f64);

impl Readings {
    /// One asked for each quantity; what fails is not known, and fails nothing else.
    pub(crate) async fn read(tikv: &Tikv) -> Self {
        let mut readings = Self::default();
        let Some(prometheus) = &tikv.prometheus else {
            let what = "latency, CPU and replication lag: no Prometheus is configured";
            readings.unknown.push(what.to_owned());
            return readings;
        };
        let queries: [(&str, String, Put); 6] = [
            (
                "queries per second",
                "sum by (instance) (rate(tikv_grpc_msg_duration_seconds_count[1m]))".to_owned(),
                |numbers, value| numbers.qps = Some(value),
            ),
            ("write latency", write_p99(), |numbers, value| {
                numbers.write_p99_ms = Some(value * 1_000.0)
            }),
            ("read latency", p99(READS), |numbers, value| {
                numbers.read_p99_ms = Some(value * 1_000.0)
            }),
            (
                "CPU",
                "sum by (instance) (rate(tikv_thread_cpu_seconds_total[1m]))".to_owned(),
                |numbers, value| numbers.cpu_cores = Some(value),
            ),
            (
                "disk",
                "100 - 100 * sum by (instance) (tikv_store_size_bytes{type=\"available\"}) / \
                 sum by (instance) (tikv_store_size_bytes{type=\"capacity\"})"
                    .to_owned(),
                |numbers, value| numbers.disk_used_percent = Some(value),
            ),
            (
                "replication lag",
                "histogram_quantile(0.99, sum by (instance, le) \
                 (rate(tikv_raftstore_log_lag_bucket[1m])))"
                    .to_owned(),
                |numbers, value| numbers.raft_lag_p99 = Some(value),
            ),
        ];
        for (what, query, put) in queries {
            match prometheus.query(&query).await {
                Ok(samples) => {
                    for sample in samples {
                        let instance = sample.labels.get("instance");
                        if let Some((instance, value)) = instance.zip(sample.value) {
                            let numbers = readings.by_instance.entry(instance.clone());
                            put(numbers.or_default(), value);
                        }
                    }
                }
                Err(error) => {
                    let why = bounded(&action_core::report(&error));
                    readings.unknown.push(format!("{what}: {why}"));
                }
            }
        }
        readings
    }

    /// The numbers of a store, which Prometheus knows by the address of its HTTP server.
    pub(crate) fn of(&self, store: &Store) -> Option<Numbers> {
        self.by_instance.get(&store.status_address).copied()
    }
}
