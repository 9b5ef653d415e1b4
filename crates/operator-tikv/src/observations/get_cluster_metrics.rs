//! The cluster in numbers: `get_cluster_metrics`.

// length: what is asked and shown has 16 fields, each with its unit or source.

use std::collections::BTreeMap;

use action_core::{Cost, Observation};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::leader_figures::gauges;
use crate::facts::pd_clock::PdTime;
use crate::facts::prometheus::Readings;
use crate::observations::store_metrics::StoreMetrics;
use crate::parameters::list_limit::Limit;

/// Shows metrics of the cluster: totals, abnormal regions, and each store.
///
/// Queries per second, latency, CPU and replication lag come from Prometheus, if its address is
/// given. An absent number is not known. A dozen requests, whatever the number of stores and
/// regions. `cut` says whether the list of stores is truncated; totals are of all stores.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetClusterMetrics {
    /// Maximum number of stores.
    #[serde(default)]
    pub limit: Limit<50, 1000>,
}

/// How a cluster is doing.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ClusterMetrics {
    /// Regions.
    pub regions: u64,
    /// How many regions are of a kind, in PD's words, such as `miss-peer-region-count`; as counted
    /// by PD's leader at most ten seconds ago.
    pub regions_by_kind: BTreeMap<String, u64>,
    /// Regions led, over all stores.
    pub leaders: u64,
    /// Size of all disks, bytes, exact to four digits for each.
    pub capacity_bytes: u64,
    /// What is free of them, likewise.
    pub available_bytes: u64,
    /// Bytes written per second, over all stores, by PD's own count.
    pub write_bytes_per_s: f64,
    /// Bytes read per second, likewise.
    pub read_bytes_per_s: f64,
    /// Requests per second, over all stores; from Prometheus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qps: Option<f64>,
    /// The slowest store's 99th percentile of requests that write; from Prometheus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowest_write_p99_ms: Option<f64>,
    /// The slowest store's 99th percentile of requests that read; from Prometheus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowest_read_p99_ms: Option<f64>,
    /// CPU cores that all stores keep busy; from Prometheus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_cores: Option<f64>,
    /// Each store, by id.
    pub stores: Vec<StoreMetrics>,
    /// How many stores there are, given or not.
    pub total: u64,
    /// Whether some are left out.
    pub cut: bool,
    /// What could not be read.
    pub unknown: Vec<String>,
}

#[async_trait]
impl Observation<Tikv> for GetClusterMetrics {
    const NAME: &'static str = "get_cluster_metrics";
    const COST: Cost = Cost::List;
    type Output = ClusterMetrics;

    async fn observe(&self, tikv: &Tikv) -> Result<ClusterMetrics, Error> {
        let mut all = tikv.pd.stores().await.map_err(Error::Read)?;
        all.sort_by_key(|store| store.id);
        let hot = tikv.pd.hot_stores().await.map_err(Error::Read)?;
        let regions = tikv.pd.region_count().await.map_err(Error::Read)?;
        let gauges = gauges(tikv).await;
        let readings = Readings::read(tikv).await;
        let now = PdTime::now(tikv);
        let of = |store| StoreMetrics::of(store, &hot, &readings, now);
        let mut stores: Vec<StoreMetrics> = all.iter().map(of).collect();
        let sum = |number: fn(&StoreMetrics) -> Option<f64>| {
            let known = stores.iter().filter_map(number);
            known.fold(None, |sum: Option<f64>, one| Some(sum.unwrap_or(0.0) + one))
        };
        let most = |number: fn(&StoreMetrics) -> Option<f64>| {
            stores.iter().filter_map(number).reduce(f64::max)
        };
        let mut unknown = readings.unknown.clone();
        if gauges.is_none() {
            unknown.push("regions by kind: cannot read the metrics of the PD leader".to_owned());
        }
        let counted = gauges.unwrap_or_default().regions.into_iter();
        let mut metrics = ClusterMetrics {
            regions,
            regions_by_kind: counted
                .map(|(kind, count)| (kind, count.max(0.0) as u64))
                .collect(),
            leaders: stores.iter().map(|store| store.leader_count).sum(),
            capacity_bytes: stores.iter().filter_map(|store| store.capacity_bytes).sum(),
            available_bytes: stores
                .iter()
                .filter_map(|store| store.available_bytes)
                .sum(),
            write_bytes_per_s: sum(|store| store.write_bytes_per_s).unwrap_or(0.0),
            read_bytes_per_s: sum(|store| store.read_bytes_per_s).unwrap_or(0.0),
            qps: sum(|store| store.qps),
            slowest_write_p99_ms: most(|store| store.write_p99_ms),
            slowest_read_p99_ms: most(|store| store.read_p99_ms),
            cpu_cores: sum(|store| store.cpu_cores),
            total: stores.len() as u64,
            stores: Vec::new(),
            cut: false,
            unknown,
        };
        metrics.cut = self.limit.cut(&mut stores);
        metrics.stores = stores;
        Ok(metrics)
    }
}
