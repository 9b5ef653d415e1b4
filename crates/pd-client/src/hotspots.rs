//! Hot spots: what is read and written most.
//!
//! PD keeps these in memory: after a change of its leader they are empty for a while.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::ids::{RegionId, StoreId};
use crate::lenient::null_is_default;
use crate::time::deserialize_rfc3339;
use crate::transport::Call;

impl Client {
    /// The regions that are busy for long enough to count as hot, by store: of these stores, or
    /// of all when none is given.
    ///
    /// `GET /hotspot/regions/{read|write}`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] when there is no such store (404 in 6.5, 500 later).
    pub async fn hot_regions(
        &self,
        kind: HotKind,
        stores: &[StoreId],
    ) -> Result<HotRegions, Error> {
        let call = Call::list("/hotspot/regions").segment(kind.word());
        let call = stores.iter().fold(call, |call, store| {
            call.query("store_id", store.to_string())
        });
        // PD 6.5 answers `null` before bootstrap.
        let hot: Option<HotRegions> = self.read(call).await?.json()?;
        Ok(hot.unwrap_or_default())
    }

    /// How busy each store is.
    ///
    /// `GET /hotspot/stores`, all versions.
    pub async fn hot_stores(&self) -> Result<HotStores, Error> {
        let hot: Option<HotStores> = self.read(Call::list("/hotspot/stores")).await?.json()?;
        Ok(hot.unwrap_or_default())
    }
}

/// What a hot spot is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HotKind {
    /// Reads.
    Read,
    /// Writes.
    Write,
}

impl HotKind {
    fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// Hot regions by store. A store that PD knows nothing of is not there.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct HotRegions {
    /// Of all replicas.
    #[serde(deserialize_with = "null_is_default")]
    pub as_peer: BTreeMap<StoreId, Option<HotStore>>,
    /// Of leaders alone.
    #[serde(deserialize_with = "null_is_default")]
    pub as_leader: BTreeMap<StoreId, Option<HotStore>>,
}

/// A store's hot regions. Everything is per second.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct HotStore {
    /// Bytes of the store.
    pub store_bytes: f64,
    /// Keys of the store.
    pub store_keys: f64,
    /// Queries of the store.
    pub store_query: f64,
    /// Bytes of its hot regions.
    pub total_flow_bytes: f64,
    /// Keys of its hot regions.
    pub total_flow_keys: f64,
    /// Queries of its hot regions.
    pub total_flow_query: f64,
    /// How many hot regions it has.
    pub regions_count: u64,
    /// The hot regions.
    #[serde(deserialize_with = "null_is_default")]
    pub statistics: Vec<HotRegion>,
}

/// A hot region. Everything is per second.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct HotRegion {
    /// The region.
    pub region_id: RegionId,
    /// The store this was measured on.
    pub store_id: StoreId,
    /// The stores of all its replicas.
    #[serde(default, deserialize_with = "null_is_default")]
    pub stores: Vec<StoreId>,
    /// Whether the replica leads.
    #[serde(default)]
    pub is_leader: bool,
    /// Whether the replica is a learner.
    #[serde(default)]
    pub is_learner: bool,
    /// For how many heartbeats it has been busy.
    #[serde(default)]
    pub hot_degree: i64,
    /// Bytes.
    #[serde(default)]
    pub flow_bytes: f64,
    /// Keys.
    #[serde(default)]
    pub flow_keys: f64,
    /// Queries.
    #[serde(default)]
    pub flow_query: f64,
    /// CPU, 8.5.7 and later.
    #[serde(default)]
    pub flow_cpu: Option<f64>,
    /// For how many more heartbeats it counts as hot.
    #[serde(default)]
    pub anti_count: i64,
    /// When it was measured last, by PD's clock.
    #[serde(default, deserialize_with = "deserialize_rfc3339")]
    pub last_update_time: Option<SystemTime>,
}

/// How busy stores are. Everything is per second; TiFlash's compute nodes are left out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct HotStores {
    /// Bytes written.
    #[serde(deserialize_with = "null_is_default")]
    pub bytes_write_rate: BTreeMap<StoreId, f64>,
    /// Bytes read.
    #[serde(deserialize_with = "null_is_default")]
    pub bytes_read_rate: BTreeMap<StoreId, f64>,
    /// Keys written.
    #[serde(deserialize_with = "null_is_default")]
    pub keys_write_rate: BTreeMap<StoreId, f64>,
    /// Keys read.
    #[serde(deserialize_with = "null_is_default")]
    pub keys_read_rate: BTreeMap<StoreId, f64>,
    /// Queries that write.
    #[serde(deserialize_with = "null_is_default")]
    pub query_write_rate: BTreeMap<StoreId, f64>,
    /// Queries that read.
    #[serde(deserialize_with = "null_is_default")]
    pub query_read_rate: BTreeMap<StoreId, f64>,
    /// CPU used by reads, 8.5.7 and later.
    #[serde(deserialize_with = "null_is_default")]
    pub cpu_read_rate: BTreeMap<StoreId, f64>,
}
