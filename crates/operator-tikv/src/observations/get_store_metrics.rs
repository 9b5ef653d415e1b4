//! One store in numbers: `get_store_metrics`.

// length: the sentences by which a model chooses it are its documentation.

use action_core::{Cost, Observation};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::pd_clock::PdTime;
use crate::facts::prometheus::Readings;
use crate::observations::store_metrics::StoreMetrics;
use crate::parameters::ids::StoreId;

/// Shows metrics of one store: space, leaders, flow, and the time since its last heartbeat.
///
/// Queries per second, latency, CPU and replication lag come from Prometheus, if its address is
/// given. An absent number is not known. A few requests, whatever the number of regions.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetStoreMetrics {
    /// Store to show.
    pub store_id: StoreId,
}

/// How one store is doing.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct OneStoreMetrics {
    /// The store; absent when there never was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreMetrics>,
    /// What could not be read.
    pub unknown: Vec<String>,
}

#[async_trait]
impl Observation<Tikv> for GetStoreMetrics {
    const NAME: &'static str = "get_store_metrics";
    const COST: Cost = Cost::List;
    type Output = OneStoreMetrics;

    async fn observe(&self, tikv: &Tikv) -> Result<OneStoreMetrics, Error> {
        let store = tikv.pd.store(self.store_id.pd()).await;
        let Some(store) = store.map_err(Error::Read)? else {
            return Ok(OneStoreMetrics {
                store: None,
                unknown: Vec::new(),
            });
        };
        let hot = tikv.pd.hot_stores().await.map_err(Error::Read)?;
        let mut readings = Readings::read(tikv).await;
        if tikv.prometheus.is_some() && readings.of(&store).is_none() {
            let what = format!("Prometheus has no data for `{}`", store.status_address);
            readings
                .unknown
                .push(crate::facts::bounded_text::bounded(&what));
        }
        let metrics = StoreMetrics::of(&store, &hot, &readings, PdTime::now(tikv));
        Ok(OneStoreMetrics {
            store: Some(metrics),
            unknown: readings.unknown,
        })
    }
}
